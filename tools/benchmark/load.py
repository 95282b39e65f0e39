"""One run of a load generator against one server: ours, or redis-benchmark."""

import csv
import json
import subprocess

from .rows import MGET_KEYS
from .servers import BenchError, pinned

REDIS_BENCHMARK_WORKLOADS = ("get", "set", "mget", "incr", "expire")


class Load:
    """What the runs have in common: the binary, its core, the number of connections."""

    def __init__(self, generator, core, connections):
        self.generator, self.core, self.connections = generator, core, connections

    def run(self, server, workload, *, connections=None, **arguments):
        """The generator's line of JSON. Arguments are its options: value_size=32, deadline=True."""
        command = [*pinned(self.core), str(self.generator), "--port", str(server.port),
                   "--protocol", server.protocol, "--server-pid", str(server.process.pid),
                   "--workload", workload,
                   "--connections", str(connections or self.connections),
                   *option_words(arguments)]
        return json.loads(run(command, server))

    def run_redis_benchmark(self, server, pipeline, requests, words):
        """The same measures as ours gives, but for p99.9. `words` name the test or the command."""
        command = [*pinned(self.core), "redis-benchmark", "-p", str(server.port), "--csv",
                   "-P", str(pipeline), "-n", str(requests), "-c", str(self.connections)]
        begin = server.cpu_seconds()
        text = run([*command, *words], server)
        cpu_us = (server.cpu_seconds() - begin) / requests * 1e6
        return {"server_cpu_us": cpu_us, **parse_redis_benchmark(text)}


def option_words(arguments):
    """{"value_size": 32, "deadline": True} as words; None and False are left out."""
    words = []
    for name, value in arguments.items():
        if value is not None and value is not False:
            words.append("--" + name.replace("_", "-"))
            words += [] if value is True else [str(value)]
    return words


def redis_benchmark_words(row):
    """Its arguments for a row of requests."""
    key = "key:__rand_int__"
    words = {"mget": ["mget", *[key] * MGET_KEYS], "expire": ["expire", key, "500000"],
             "incr": ["incr", "ctr:__rand_int__"]}
    return ["-r", str(row.keys), "-d", str(row.value_bytes),
            *words.get(row.workload, ["-t", row.workload])]


def run(command, server):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if result.returncode != 0 or server.process.poll() is not None:
        raise BenchError(f"{' '.join(command)} against {server.name}: status {result.returncode}\n"
                         f"{result.stdout[-1000:]}{result.stderr[-1000:]}")
    return result.stdout


def parse_redis_benchmark(text):
    """Rate and latencies of its last line of CSV."""
    row = list(csv.DictReader(text.splitlines()))[-1]
    return {"rate": float(row["rps"]),
            "latency": {"p50_ms": float(row["p50_latency_ms"]),
                        "p99_ms": float(row["p99_latency_ms"]),
                        "p999_ms": None,  # it does not say
                        "max_ms": float(row["max_latency_ms"])}}
