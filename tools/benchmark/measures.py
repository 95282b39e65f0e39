"""How each kind of row is measured. Every measure gives {row: {server: [one dict per round]}},
where the dict has at least `value`: what the row is about.

Rounds: in each round every row runs against every server in turn, in changing order, so that what
disturbs the machine disturbs all. Resident memory hardly scatters and is measured once.
"""

import contextlib
import dataclasses
import random
import sys
import time

from . import cache_pauses, connections
from .data_types import BENCHMARK_TESTS, COLLECTIONS, OPERATIONS
from .load import REDIS_BENCHMARK_WORKLOADS, redis_benchmark_words
from .rows import MGET_KEYS, MILLION, Row
from .servers import BenchError, Server, started

# Requests of one run by pipeline depth, chosen for about two seconds of Redis's time.
REQUESTS = {64: 2_000_000, 16: 1_500_000, 1: 250_000}
REQUESTS_MIN = 2_000
LOADED_BYTES_MAX = 3 << 30  # of payload that one run of large values moves
DELIVERIES = 1_000_000  # messages times subscribers of one run
COUNTER = "100000"  # what INCR counts up from: as many digits as most counters
HALF_RATE_SECONDS = 10
IDLE_CONNECTIONS = 5000
FEW = 1000  # keys or elements that a server has met before its memory is measured
REPLACED_VALUE_BYTES = 100
# The row about maxmemory, at a --scale of 1: an hour is 6. Sizes are drawn anew each minute.
LIMIT_BYTES = 200 << 20
LIMIT_MINUTES = 10
LIMIT_SIZES = (16, 4096)
SIZES_PER_MINUTE = 4
# One of so many inserts is measured. The others are sent just before it, so it meets their pauses.
INSERTS_PER_PROBE = {"pauses": 10, "type pauses": 50}
RESP_KINDS = ("redis-benchmark", "operation", "fan-out", "type memory", "type pauses",
              "cache pauses", "idle tls", "storm")  # of which memcached knows nothing


def progress(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    """What all measures need: the servers' commands, the load, and the run's options."""

    def __init__(self, commands, load, options):
        self.commands, self.load, self.options = commands, load, options

    def commands_for(self, row):
        """memcached takes part where the row names it, or where it was given by hand; where it
        is named it comes first, as the baseline. It knows no collections, and no DEL of all."""
        if row.memcached:
            return sorted(self.commands, key=lambda command: not command.is_memcached)
        wanted = self.options.servers and row.kind not in RESP_KINDS
        found = [command for command in self.commands if wanted or not command.is_memcached]
        if not found:
            raise BenchError(f"{row.name}: no server speaks the Redis protocol")
        return found

    def started(self, row):
        return started(self.commands_for(row), self.options.server_core)

    def start(self, command):
        return Server(command, self.options.server_core)

    def rounds(self, rows, servers):
        """(round, row, server) in the order of measuring."""
        for number in range(self.options.rounds):
            for index, row in enumerate(rows):
                for server in in_turn(servers, number + index):
                    yield number, row, server

    def fresh_rounds(self, rows):
        """Likewise with the command of a server, for rows that want one of their own each time."""
        for number in range(self.options.rounds):
            for index, row in enumerate(rows):
                for command in in_turn(self.commands_for(row), number + index):
                    yield number, row, command


def in_turn(servers, number):
    turn = number % len(servers)
    return [*servers[turn:], *servers[:turn]]


def note(results, row, server, result, unit):
    results.setdefault(row, {}).setdefault(server.name, []).append(result)
    progress(f"{row.name}: {server.name} {result['value']:.4g} {unit}")


def unit_of(row):
    """What one unit of CPU time is for: an operation, a key of an MGET, a KiB of a large value."""
    if row.workload == "mget":
        return "us/key", MGET_KEYS
    if row.value_bytes >= 64 << 10:
        return "us/KiB", row.value_bytes / 1024
    return "us/op", 1


# --- requests: CPU time per operation, throughput, latency ---

def dataset_of(row):
    """Rows of one dataset run in turns against the same servers. INCR brings keys of its own, and
    EXPIRE changes what a SET has to do."""
    return (row.keys, row.value_bytes, row.memcached,
            row.workload if row.workload in ("incr", "expire") else "")


def measure_requests(bench, rows):
    results = {}
    for dataset in dict.fromkeys(map(dataset_of, rows)):
        same = [row for row in rows if dataset_of(row) == dataset]
        with bench.started(same[0]) as servers:
            for server in servers:
                fill(bench, server, same[0])
                if any(row.workload == "incr" for row in same):
                    bench.load.run(server, "load", keys=same[0].keys, pipeline=64, prefix="ctr:",
                                   value=COUNTER)
            time.sleep(rest_seconds(same[0].keys))
            for number, row, server in bench.rounds(same, servers):
                result = run_requests(bench, server, row, number)
                note(results, row, server, result, unit_of(row)[0])
    return results


def fill(bench, server, row):
    """Sets every key once, and checks that the server then holds that many."""
    bench.load.run(server, "load", connections=4, keys=row.keys,
                   pipeline=64 if row.value_bytes <= 4096 else 1, key_size=row.key_bytes,
                   value_size=row.value_bytes, deadline=row.deadlines, timeout=1200)
    held = server.key_count()
    if held != row.keys:
        raise BenchError(f"{server.name} holds {held} keys after {row.keys} were set")


def rest_seconds(keys):
    """For what servers still do in the background after a data set has been loaded."""
    return 0 if keys < MILLION else 4 + 3 * keys / MILLION


def requests_of(bench, row):
    per_run = REQUESTS.get(row.pipeline, 1_000_000)
    if row.workload == "mget":
        per_run //= MGET_KEYS // 2
    per_run = min(per_run, LOADED_BYTES_MAX // row.value_bytes)
    return max(REQUESTS_MIN, int(per_run * bench.options.scale))


def run_requests(bench, server, row, number):
    requests = requests_of(bench, row)
    if bench.options.load == "redis-benchmark" and server.protocol == "resp" and not (
            row.memcached or row.transaction):
        if row.workload not in REDIS_BENCHMARK_WORKLOADS:
            raise BenchError(f"redis-benchmark has no workload {row.workload}")
        result = bench.load.run_redis_benchmark(server, row.pipeline, requests,
                                                redis_benchmark_words(row))
    else:
        result = bench.load.run(server, row.workload, keys=row.keys, pipeline=row.pipeline,
                                requests=requests, value_size=row.value_bytes, seed=number + 1,
                                prefix="ctr:" if row.workload == "incr" else None,
                                transaction=row.transaction)
        check_hits(server, row, result)
    return {**result, "value": result["server_cpu_us"] / unit_of(row)[1]}


def check_hits(server, row, result):
    """Every key was set, so none may be missing, and values have the size that was set."""
    if result["misses"] or result["value_bytes"] != result["hits"] * row.value_bytes:
        raise BenchError(f"{row.name}: {server.name} lost keys or bytes of values: {result}")


def measure_load(bench, rows):
    results = {}
    for _, row, command in bench.fresh_rounds(rows):
        with bench.start(command) as server:
            result = bench.load.run(server, "load", keys=row.keys, pipeline=row.pipeline,
                                    value_size=row.value_bytes, timeout=1200)
            result["value"] = result["server_cpu_us"]
            note(results, row, server, result, "us/op")
    return results


# --- commands on collections ---

def fill_collection(bench, server, name, elements):
    """Inserts so many elements one by one, and checks that the server then holds them."""
    collection = COLLECTIONS[name]
    half = {"keys": 2 * elements, "half": 0} if collection.random_half else {"keys": elements}
    result = bench.load.run(server, "load", connections=4, pipeline=64, command=collection.insert,
                            timeout=1200, **half)
    held = server.ask(collection.count)
    if held != f":{result['requests']}":
        raise BenchError(f"{server.name}: {held} elements of {name} after {result['requests']}")


def measure_operations(bench, rows):
    results = {}
    for elements in dict.fromkeys(row.keys for row in rows):
        same = [row for row in rows if row.keys == elements]
        names = dict.fromkeys(name for row in same for name in OPERATIONS[row.workload].collections)
        with bench.started(same[0]) as servers:
            for server in servers:
                for name in names:
                    fill_collection(bench, server, name, elements)
            time.sleep(rest_seconds(elements))
            for number, row, server in bench.rounds(same, servers):
                result = run_operation(bench, server, row, number)
                note(results, row, server, result, "us/op")
    return results


def run_operation(bench, server, row, number):
    operation = OPERATIONS[row.workload]
    if operation.prepare and server.ask(operation.prepared(number)) != "+OK":
        raise BenchError(f"{row.name}: {server.name} refused {operation.prepared(number)}")
    result = bench.load.run(server, "command", pipeline=row.pipeline, seed=number + 1,
                            requests=operation.requests_of(row.keys, bench.options.scale),
                            connections=operation.connections,
                            **operation.arguments(row.keys, number))
    whole = operation.values in (None, result["hits"] / result["requests"])
    if result["misses"] or not whole:
        raise BenchError(f"{row.name}: {server.name} lost elements: {result}")
    return {**result, "value": result["server_cpu_us"]}


def measure_redis_benchmark(bench, rows):
    """Its tests with their default arguments, each in a server of its own that holds what the
    default list has put there before it."""
    results = {}
    for _, row, command in bench.fresh_rounds(rows):
        test = BENCHMARK_TESTS[row.workload]
        requests = max(REQUESTS_MIN, int(test.requests * bench.options.scale))
        with bench.start(command) as server:
            if test.after:
                bench.load.run_redis_benchmark(server, row.pipeline, requests, ["-t", test.after])
            words = test.command.split() or ["-t", row.workload]
            result = bench.load.run_redis_benchmark(server, row.pipeline, requests, words)
            result["value"] = result["server_cpu_us"]
            note(results, row, server, result, "us/op")
    return results


# --- messages ---

def measure_fan_out(bench, rows):
    """A message and subscriber is an operation."""
    results = {}
    with bench.started(rows[0]) as servers:
        for number, row, server in bench.rounds(rows, servers):
            messages = max(row.pipeline, int(DELIVERIES * bench.options.scale) // row.keys)
            result = bench.load.run(server, "fan-out", connections=row.keys,
                                    pipeline=row.pipeline, requests=messages)
            result["value"] = result["server_cpu_us"]
            note(results, row, server, result, "us/op")
    return results


# --- latency at a rate that every server can keep up with ---

def measure_latency(bench, rows):
    results = {}
    seconds = max(2, HALF_RATE_SECONDS * bench.options.scale)
    with bench.started(rows[0]) as servers:
        for server in servers:
            fill(bench, server, rows[0])
        for row in rows:
            baseline = next(server for server in servers if server.name == bench.options.baseline)
            highest = bench.load.run(baseline, row.workload, seconds=seconds / 2)["rate"]
            progress(f"{row.name}: {highest / 2:,.0f} per second")
            for number, _, server in bench.rounds([row], servers):
                result = bench.load.run(server, row.workload, rate=round(highest / 2),
                                        seconds=seconds, seed=number + 1)
                result["value"] = result["latency"]["p999_ms"]
                note(results, row, server, result, "ms")
    return results


# --- memory ---

def measure_memory(bench, rows):
    results = {}
    for row in rows:
        for command in bench.commands_for(row):
            with bench.start(command) as server:
                def fill_with(keys, server=server, row=row):
                    fill(bench, server, dataclasses.replace(row, keys=keys))
                per_key = growth(bench, server, fill_with, row.keys) / row.keys
                overhead = per_key - row.key_bytes - row.value_bytes
                note(results, row, server, {"value": overhead, "per_key": per_key}, "bytes")
    return results


def growth(bench, server, fill_with, count):
    """Resident memory that `fill_with(count)` adds to a server that is empty and has done the same
    with a few: the code of a first request, mapped when it runs, is not of the keys."""
    fill_with(FEW)
    server.ask("FLUSHALL")
    empty = server.settled_resident_bytes(bench.options.settle_seconds)
    fill_with(count)
    return server.settled_resident_bytes(bench.options.settle_seconds) - empty


def measure_type_memory(bench, rows):
    results = {}
    for row in rows:
        for command in bench.commands_for(row):
            with bench.start(command) as server:
                def fill_with(elements, server=server, name=row.workload):
                    fill_collection(bench, server, name, elements)
                grown = growth(bench, server, fill_with, row.keys)
                note(results, row, server, {"value": grown / row.keys, "bytes": grown}, "bytes")
    return results


def measure_churn(bench, rows):
    """Deletes a random half, then gives the keys that are left values of another size; each time
    beside a server that was filled with just what is left."""
    results = {}
    for keys in dict.fromkeys(row.keys for row in rows):
        kinds = {row.kind: row for row in rows if row.keys == keys}
        steps = [("deleted", Row("deleted").value_bytes), ("replaced", REPLACED_VALUE_BYTES)]
        for command in bench.commands_for(rows[0]):
            with bench.start(command) as server:
                fill(bench, server, Row("deleted", keys=keys))
                bench.load.run(server, "delete", half=0, keys=keys, pipeline=64, timeout=1200)
                for kind, value_bytes in steps:
                    if kind == "replaced":
                        set_half(bench, server, keys, value_bytes)
                    churned = server.settled_resident_bytes(3 * bench.options.settle_seconds)
                    with bench.start(command) as fresh:
                        set_half(bench, fresh, keys, value_bytes)
                        if fresh.key_count() != server.key_count():
                            raise BenchError(f"{server.name}: not the same keys after {kind}")
                        filled = fresh.settled_resident_bytes(bench.options.settle_seconds)
                    if kind in kinds:
                        note(results, kinds[kind], server, {
                            "value": churned / filled, "bytes": churned, "fresh": filled}, "times")
    return results


def set_half(bench, server, keys, value_bytes):
    bench.load.run(server, "load", half=1, keys=keys, pipeline=64, value_size=value_bytes,
                   timeout=1200)


def measure_limited(bench, rows):
    """SETs at full speed among far more keys than fit, of sizes that change; the highest share of
    resident memory in maxmemory once it is full."""
    results = {}
    minutes = max(2, round(LIMIT_MINUTES * bench.options.scale))
    for command in bench.commands_for(rows[0]):
        draws = random.Random(1)  # the same sizes for each server
        highest = last = 0
        with bench.start(command) as server:
            for setting in (f"maxmemory {LIMIT_BYTES}", "maxmemory-policy allkeys-lru"):
                server.ask(f"CONFIG SET {setting}")
            for minute in range(minutes):
                for _ in range(SIZES_PER_MINUTE):
                    low, high = LIMIT_SIZES
                    size = round(low * (high / low) ** draws.random())
                    bench.load.run(server, "set", keys=20 * MILLION, pipeline=64,
                                   value_size=size, seconds=60 / SIZES_PER_MINUTE,
                                   seed=draws.randrange(1 << 30))
                    last = server.resident_bytes()
                    # The first sizes may not fill it.
                    highest = max(highest, last) if minute > 0 else 0
            note(results, rows[0], server, {"value": highest / LIMIT_BYTES, "bytes": last,
                                            "minutes": minutes}, "times")
    return results


def measure_empty(bench, rows):
    results = {}
    for command in bench.commands_for(rows[0]):
        with bench.start(command) as server:
            resident = server.settled_resident_bytes(bench.options.settle_seconds)
            note(results, rows[0], server, {"value": resident / 2**20}, "MiB")
    return results


def measure_idle(bench, rows):
    """Resident memory that connections add which have nothing to do."""
    results = {}
    for command in bench.commands_for(rows[0]):
        with bench.start(command) as server:
            before = server.settled_resident_bytes(bench.options.settle_seconds)
            with connections.idle_connections(server, IDLE_CONNECTIONS):
                after = server.settled_resident_bytes(bench.options.settle_seconds)
            per_connection = (after - before) / IDLE_CONNECTIONS
            note(results, rows[0], server, {"value": per_connection / 1024}, "KiB")
    return results


def measure_idle_tls(bench, rows):
    """Likewise over TLS; what the first handshake leaves behind is not counted."""
    results = {}
    for command in bench.commands_for(rows[0]):
        with bench.start(command) as server:
            port, settings = connections.open_tls_port(server), connections.trusting()

            def wrap(connection):
                return settings.wrap_socket(connection)
            with connections.idle_connections(server, 10, wrap, port):
                before = server.settled_resident_bytes(bench.options.settle_seconds)
                with connections.idle_connections(server, connections.TLS_IDLE, wrap, port):
                    after = server.settled_resident_bytes(bench.options.settle_seconds)
            per_connection = (after - before) / connections.TLS_IDLE
            note(results, rows[0], server, {"value": per_connection / 1024}, "KiB")
    return results


# --- connections ---

def measure_among_idle(bench, rows):
    """The same requests against two servers of a kind, of which one has idle connections too."""
    results = {}
    for command in bench.commands_for(rows[0]):
        with contextlib.ExitStack() as stack:
            connections.raise_descriptor_limit(connections.IDLE + 1000)
            busy, alone = (stack.enter_context(bench.start(command)) for _ in range(2))
            for server in (busy, alone):
                fill(bench, server, rows[0])
            stack.enter_context(connections.idle_connections(busy, connections.IDLE))
            time.sleep(rest_seconds(rows[0].keys))
            for number in range(bench.options.rounds):
                for row in rows:
                    result = connections.among_idle(bench, busy, alone, row, number,
                                                    requests_of(bench, row))
                    note(results, row, busy, result, "times")
    return results


def measure_storm(bench, rows):
    results = {}
    for number, row, command in bench.fresh_rounds(rows):
        with bench.start(command) as server:
            note(results, row, server, connections.during_storm(bench, server, number), "ms")
    return results


# --- pauses ---

def measure_pauses(bench, rows):
    results = {}
    for _, row, command in bench.fresh_rounds(rows):
        probes = max(1, min(1_000_000, row.keys // INSERTS_PER_PROBE[row.kind]))
        # A collection grows by its own command, the keyspace by SET.
        insert = COLLECTIONS[row.workload].insert if row.kind == "type pauses" else None
        with bench.start(command) as server, bench.start(command) as idle:
            result = bench.load.run(server, "grow", keys=row.keys, probes=probes, command=insert,
                                    value_size=row.value_bytes, idle_port=idle.port, timeout=1800)
            result["value"] = result["growing"]["max_ms"] - result["idle"]["max_ms"]
            note(results, row, server, result, "ms")
    return results


def measure_cache_pauses(bench, rows):
    results = {}
    for _, row, command in bench.fresh_rounds(rows):
        with bench.start(command) as server, bench.start(command) as idle:
            result = cache_pauses.watch(bench, server, idle, row.workload, row.keys)
            note(results, row, server, result, "ms")
    return results


MEASURES = {  # in the order of running: what is quick first
    "empty": measure_empty, "idle": measure_idle, "idle tls": measure_idle_tls,
    "among idle": measure_among_idle, "storm": measure_storm, "requests": measure_requests,
    "load": measure_load, "redis-benchmark": measure_redis_benchmark,
    "operation": measure_operations, "fan-out": measure_fan_out, "latency": measure_latency,
    "memory": measure_memory, "type memory": measure_type_memory, "deleted": measure_churn,
    "replaced": measure_churn, "limited": measure_limited,
    "pauses": measure_pauses, "type pauses": measure_pauses,
    "cache pauses": measure_cache_pauses,
}


def measure(bench, rows):
    """All rows; those that share a measure are measured together."""
    results = {}
    for function in dict.fromkeys(MEASURES.values()):
        same = [row for row in rows if MEASURES[row.kind] is function]
        if same:
            results.update(function(bench, same))
    # The order of the tables, whatever the order of measuring was.
    return {row: {command.name: results[row][command.name] for command in bench.commands_for(row)}
            for row in rows}
