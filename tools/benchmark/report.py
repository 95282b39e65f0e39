"""Medians, spreads and the tables in markdown."""

import os
import pathlib
import platform
import re
import shlex
import statistics

from . import connections
from .measures import IDLE_CONNECTIONS, unit_of
from .rows import SUITES

TIMED = ("requests", "load", "redis-benchmark", "operation", "fan-out")
PERCENTILES = {"p50_ms": "p50 ms", "p99_ms": "p99 ms", "p999_ms": "p99.9 ms"}


def median(values):
    return statistics.median(values)


def ratios(values, baseline):
    """Round by round: both were measured within the same minute, so drift cancels."""
    return [value / base for value, base in zip(values, baseline) if base > 0]


def span_text(values):
    """The median, and the lowest and highest round where there were more."""
    if not values:
        return "-"
    text = f"{median(values):.2f}"
    return text if len(values) < 2 else f"{text} ({min(values):.2f}-{max(values):.2f})"


def table(header, lines):
    return "\n".join(["| " + " | ".join(header) + " |", "|" + "---|" * len(header),
                      *("| " + " | ".join(line) + " |" for line in lines)])


def values_of(runs):
    return [run["value"] for run in runs]


def row_baseline(row, servers, baseline):
    """The server that a row's ratios are to; the first one where memcached is its subject."""
    return baseline if baseline in servers and not row.memcached else next(iter(servers))


def aim_text(row, reached):
    """What is wanted of the median, and whether it is so."""
    if row.aim is None or not reached:
        return ""
    return f"{row.aim:g} {'met' if median(reached) <= row.aim else 'missed'}"


def timed_table(results, baseline):
    """CPU time, and what a closed loop gives; one line per row and server."""
    lines = []
    for row, servers in results.items():
        if row.kind not in TIMED:
            continue
        base_name = row_baseline(row, servers, baseline)
        base = servers[base_name]
        for name, runs in servers.items():
            relative = ratios(values_of(runs), values_of(base))
            lines.append([
                row.name, name, cpu_text(row, runs), span_text(relative),
                aim_text(row, relative) if name not in (base_name, baseline) else "",
                f"{median([run['rate'] for run in runs]):,.0f}",
                *(latency_text(runs, key) for key in PERCENTILES)])
    return lines and table(["row", "server", "CPU", "of the baseline", "aim", "ops/s",
                            *PERCENTILES.values()], lines)


def latency_table(results, baseline):
    """Latencies at one rate for all; one line per row and server."""
    lines = []
    for row, servers in results.items():
        if row.kind != "latency":
            continue
        base = servers[row_baseline(row, servers, baseline)]
        for name, runs in servers.items():
            relative = ratios(values_of(runs), values_of(base))
            lines.append([
                row.name, name, f"{median([run['rate'] for run in runs]):,.0f}",
                *(latency_text(runs, key) for key in PERCENTILES), span_text(relative),
                aim_text(row, relative) if name != baseline else "", cpu_text(row, runs)])
    return lines and table(["row", "server", "ops/s", *PERCENTILES.values(),
                            "p99.9 of the baseline", "aim", "CPU"], lines)


def cpu_text(row, runs):
    unit, divisor = unit_of(row)
    return f"{median([run['server_cpu_us'] for run in runs]) / divisor:.3f} {unit}"


def latency_text(runs, key):
    values = [run.get("latency", {}).get(key) for run in runs]
    return "-" if None in values else f"{median(values):.2f}"


UNITS = {"memory": "bytes", "deleted": "times", "replaced": "times", "limited": "times", "pauses": "ms",
         "idle": "KiB", "idle tls": "KiB", "among idle": "times", "storm": "ms", "empty": "MiB", "type memory": "bytes", "type pauses": "ms",
         "cache pauses": "ms"}


def figures_table(results, baseline):
    """Memory and pauses; one line per row and server."""
    lines = []
    for row, servers in results.items():
        if row.kind not in UNITS:
            continue
        base_name = row_baseline(row, servers, baseline)
        for name, runs in servers.items():
            values = values_of(runs)
            relative = ratios(values, values_of(servers[base_name]))
            reached = relative if row.kind == "type memory" else values
            lines.append([row.name, name, f"{span_text(values)} {UNITS[row.kind]}",
                          span_text(relative),
                          aim_text(row, reached) if name not in (base_name, baseline) else "",
                          detail(row, runs)])
    return lines and table(["row", "server", "figure", "of the baseline", "aim", "from"], lines)


def detail(row, runs):
    """What the figure was computed from."""
    if row.kind == "memory":
        return f"{runs[0]['per_key']:.1f} bytes per key"
    if row.kind in ("deleted", "replaced"):
        return f"{runs[0]['bytes'] / 2**20:,.0f} MiB beside {runs[0]['fresh'] / 2**20:,.0f} MiB"
    if row.kind == "type memory":
        return f"{runs[0]['bytes'] / 2**20:,.0f} MiB"
    if row.kind == "limited":
        return f"{runs[0]['bytes'] / 2**20:,.0f} MiB after {runs[0]['minutes']} minutes"
    if row.kind in ("pauses", "type pauses", "cache pauses"):
        busy = "watched" if row.kind == "cache pauses" else "growing"
        return (f"{median([run[busy]['max_ms'] for run in runs]):.2f} ms beside "
                f"{median([run['idle']['max_ms'] for run in runs]):.2f} ms when idle")
    if row.kind == "idle":
        return f"{IDLE_CONNECTIONS:,} connections"
    if row.kind == "idle tls":
        return f"{connections.TLS_IDLE:,} connections"
    if row.kind == "among idle":
        return (f"{median([run['with']['rate'] for run in runs]):,.0f} per second beside "
                f"{median([run['without']['rate'] for run in runs]):,.0f} without "
                f"{connections.IDLE:,} idle ones")
    if row.kind == "storm":
        return (f"{median([run['calm'] for run in runs]):.2f} ms without; "
                f"{median([run['handshakes_per_second'] for run in runs]):,.0f} handshakes a second")
    return ""


def machine_text():
    model = next((line.split(":", 1)[1].strip()
                  for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown processor")
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def command_texts(commands):
    """The servers under measurement, without the path of this clone."""
    root = str(pathlib.Path(__file__).resolve().parent.parent.parent) + "/"
    return [f"{command.name}: `{command.command.replace(root, '')}`" for command in commands]


def describe(bench, command_line):
    """The machine and the conditions, as a list in markdown."""
    options = bench.options
    lines = [f"`{command_line}`", machine_text(),
             f"server on core {options.server_core}, load ({options.load}) on core "
             f"{options.load_core}, {options.connections} connections, medians of "
             f"{options.rounds} rounds, in brackets the lowest and the highest",
             "a million keys of 16 bytes, values of 32 bytes, where the row says nothing else",
             *command_texts(bench.commands)]
    return "\n".join(f"- {line}" for line in lines)


def tables(results, baseline):
    found = [make(results, baseline) for make in (timed_table, latency_table, figures_table)]
    return "\n\n".join(text for text in found if text)


def report(bench, results, command_line):
    return describe(bench, command_line) + "\n\n" + tables(results, bench.options.baseline)


def fill_in(document, bench, results):
    """The document with the tables of those suites of which every row was measured, each between
    its marks: `<!-- tools/bench --suite NAME -->` and `<!-- end -->`."""
    measured = {row.name: row for row in results}

    def filled(match):
        names = SUITES[match[2]]
        if not set(names) <= set(measured):
            return match[0]
        chosen = {measured[name]: results[measured[name]] for name in names}
        text = describe(bench, f"tools/bench --suite {shlex.quote(match[2])}")
        return f"{match[1]}\n{text}\n\n{tables(chosen, bench.options.baseline)}\n{match[3]}"

    return re.sub(r"(<!-- tools/bench --suite '?([\w ]+?)'? -->)\n.*?(<!-- end -->)", filled, document,
                  flags=re.DOTALL)


def raw(results):
    """For --json: {row: {server: [rounds]}}."""
    return {row.name: servers for row, servers in results.items()}
