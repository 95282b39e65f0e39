"""The tables of tools/cachebench: misses by cell and server, keys and memory; the same for policies
of the simulator. Results are {cell: {name: run}}, where a run has requests, misses and parts."""

import os
import re

from . import plot, report

MARK = re.compile(r"(<!-- tools/cachebench -->)\n.*?(<!-- end -->)", re.DOTALL)


def miss_ratio(counts):
    return counts["misses"] / counts["requests"]


def baseline(runs, names):
    """The fewest misses among the named servers: the better of Redis's policies."""
    return min(miss_ratio(runs[name]) for name in names)


def share(run, base):
    return miss_ratio(run) / base if base > 0 else None


def misses_text(run, base):
    relative = share(run, base)
    return f"{100 * miss_ratio(run):.2f}" + (f" ({relative:.2f})" if relative is not None else "")


def verdict(cell, runs, peers, baselines):
    """Whether each server that is no peer reaches its aim; empty where there is none of them."""
    base = baseline(runs, baselines)
    best = min(miss_ratio(runs[name]) for name in peers)
    texts = []
    for name, run in runs.items():
        if name in peers:
            continue
        ratio = miss_ratio(run)
        met = ratio < best or ratio == best == 0
        text = "below all"
        if cell.aim is not None:
            met = met and ratio <= cell.aim * base
            text = f"{cell.aim:.2f}"
        texts.append((name, f"{text} {'met' if met else 'missed'}"))
    return "; ".join(text if len(texts) == 1 else f"{name}: {text}" for name, text in texts)


def misses_table(results, peers, baselines):
    """One line per cell: misses in percent, in brackets as a share of the better baseline's."""
    names = list(next(iter(results.values())))
    lines = []
    for cell, runs in results.items():
        base = baseline(runs, baselines)
        lines.append([cell.name, *(misses_text(runs[name], base) for name in names),
                      verdict(cell, runs, peers, baselines)])
    return report.table(["misses in %", *names, "aim"], lines)


def memory_table(results):
    """What was held at the end, by how much memory."""
    names = list(next(iter(results.values())))
    lines = [[cell.name, *(f"{runs[name]['keys'] / 1000:,.0f} K, "
                           f"{runs[name]['resident_bytes'] / 2**20:,.0f} MiB" for name in names)]
             for cell, runs in results.items()]
    return report.table(["keys held, resident memory", *names], lines)


def unrest(results):
    """The largest change of a server's misses from the first to the last part of what counts, in
    percent of its misses, of those with enough of them to tell."""
    changes = [abs(miss_ratio(run["parts"][-1]) - miss_ratio(run["parts"][0])) / miss_ratio(run)
               for runs in results.values() for run in runs.values() if run["misses"] > 10_000]
    return 100 * max(changes, default=0)


def describe(options, commands, results, command_line):
    lines = [f"`{command_line}`", report.machine_text(),
             f"server on core {options.server_core}, load on core {options.load_core}, "
             f"{options.connections} connections with {options.pipeline} GETs under way each",
             *report.command_texts(commands),
             f"from the first to the last quarter of the requests that count, misses changed by "
             f"{unrest(results):.1f}% at most"]
    return "\n".join(f"- {line}" for line in lines)


def text(options, commands, results, command_line, peers, baselines):
    return "\n\n".join([describe(options, commands, results, command_line),
                        misses_table(results, peers, baselines), memory_table(results)])


def fill_in(document, content):
    """The document with the content between its marks."""
    return MARK.sub(lambda match: f"{match[1]}\n{content}\n{match[2]}", document)


def picture(plot_path, document):
    """The plot in markdown, as the document sees it."""
    place = os.path.relpath(plot_path, document.parent)
    return f"![misses as a share of those of Redis's better policy]({place})"


def draw(results, baselines, path):
    """Each server's misses as a share of the better baseline's, with the quarters' spread."""
    found = []
    for cell, runs in results.items():
        base = baseline(runs, baselines)
        for name, run in runs.items():
            if base > 0:
                parts = [share(part, base) for part in run["parts"]]
                found.append((cell.name, name, share(run, base), min(parts), max(parts)))
    plot.draw_shares(found, "misses, as a share of those of " + plot_names(baselines), path)


def plot_names(baselines):
    return baselines[0] if len(baselines) == 1 else "the better of " + " and ".join(baselines)


def simulation_table(results, baselines):
    """One line per policy, one column per cell: that way round there are often more of the former."""
    policies = list(next(iter(results.values())))
    lines = []
    for policy in policies:
        line = [policy]
        for cell, runs in results.items():
            bases = [name for name in baselines if name in runs]
            base = baseline(runs, bases) if bases else 0
            line.append(misses_text(runs[policy], base))
        lines.append(line)
    return report.table(["misses in %", *(cell.name for cell in results)], lines)
