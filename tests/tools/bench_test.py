#!/usr/bin/python3
"""tools/bench: names of rows, statistics, tables, and a short run against real servers.

  bench_test.py [--server aeris-server --generator load-generator]

Without the two binaries the run against servers is left out. Nothing here asserts a time.
"""

import argparse
import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tools"))

from benchmark import cache_pauses, data_types, load, plot, report, rows, servers  # noqa: E402

BINARIES = argparse.Namespace(server=None, generator=None)


class RowsTest(unittest.TestCase):
    def test_every_name_of_the_catalogue_is_the_name_of_its_row(self):
        for name in [*rows.catalogue(), *rows.QUICK]:
            with self.subTest(name=name):
                self.assertEqual(rows.parse(name).name, name)

    def test_every_aim_belongs_to_a_row_that_is_measured(self):
        self.assertEqual(set(rows.AIMS) - {*rows.catalogue(), *rows.QUICK}, set())

    def test_parses_every_part_of_a_name(self):
        row = rows.parse("MIXED -P 16, 10M keys, 1 KiB values")
        self.assertEqual((row.kind, row.workload, row.pipeline, row.keys, row.value_bytes),
                         ("requests", "mixed", 16, 10_000_000, 1024))
        row = rows.parse("bytes per key 32+128, 4M keys with deadlines")
        self.assertEqual((row.kind, row.key_bytes, row.value_bytes, row.keys, row.deadlines),
                         ("memory", 32, 128, 4_000_000, True))
        self.assertEqual(rows.parse("load -P 64, 10M keys").kind, "load")
        self.assertEqual(rows.parse("longest insert, 300K keys").keys, 300_000)
        self.assertTrue(rows.parse("get -P 16 beside memcached").memcached)

    def test_parses_rows_of_data_types(self):
        row = rows.parse("HGET -P 64, 5M elements")
        self.assertEqual((row.kind, row.workload, row.pipeline, row.keys),
                         ("operation", "hget", 64, 5_000_000))
        row = rows.parse("redis-benchmark LRANGE_100 -P 16")
        self.assertEqual((row.kind, row.workload, row.pipeline),
                         ("redis-benchmark", "lrange_100", 16))
        row = rows.parse("memory of a set of integers, 300K elements")
        self.assertEqual((row.kind, row.workload, row.keys),
                         ("type memory", "a set of integers", 300_000))
        row = rows.parse("longest insert into a sorted set")
        self.assertEqual((row.kind, row.workload, row.keys),
                         ("type pauses", "a sorted set", 10_000_000))
        for name in ("hget -P 64, 5M elements", "memory of small hashes, 2K elements",
                     "longest insert into a list, 1M elements",
                     "longest ping while keys expire, 30K keys",
                     "longest ping while a hash is deleted, 2K elements"):
            self.assertEqual(rows.parse(name).name, name)

    def test_every_row_of_data_types_has_an_aim(self):
        for suite in ("types", "type memory", "type pauses", "cache pauses"):
            for name in rows.SUITES[suite]:
                with self.subTest(name=name):
                    self.assertIsNotNone(rows.parse(name).aim)

    def test_refuses_what_names_nothing(self):
        for text in ("", "get", "get -P x", "fetch -P 1", "get -P 1, 3 XB values", "longest",
                     "bytes per key 16", "get -P 64, many keys", "hget -P 1, 1 KiB values",
                     "memory of a tree", "longest insert into", "redis-benchmark nothing -P 1",
                     "longest ping while waiting"):
            with self.subTest(text=text):
                self.assertIsNone(rows.parse(text))
        with self.assertRaises(ValueError):
            rows.select([], ["no such row*"])

    def test_selects_by_suite_name_and_pattern_without_repeating(self):
        names = [row.name for row in rows.select(["latency"], ["get*half rate", "GET -P 64"])]
        self.assertEqual(names, ["get at half rate", "set at half rate", "get -P 64"])

    def test_large_values_come_with_fewer_keys(self):
        self.assertEqual(rows.parse("get -P 1").keys, 1_000_000)
        self.assertEqual(rows.parse("get -P 1, 1 MiB values").keys, 64)
        self.assertEqual(rows.parse("get -P 1, 64 KiB values").keys, 1024)


class OperationsTest(unittest.TestCase):
    def test_ranks_lie_within_the_sorted_set_and_begin_with_no_zero(self):
        for elements in (100, 20_000, 1_000_000, 5_000_000):
            asked = data_types.OPERATIONS["zrange"].arguments(elements, 0)
            for number in (asked["first"], asked["first"] + asked["keys"] - 1):
                digits = asked["command"].count("#") // 2
                self.assertEqual(len(str(number)), digits)
                self.assertLess(10 * number + 9, elements)

    def test_a_consumer_group_is_not_asked_for_more_than_there_is(self):
        read = data_types.OPERATIONS["xreadgroup"]
        self.assertEqual(read.requests_of(5_000, 1.0), 500)
        self.assertEqual(read.requests_of(1_000_000, 0.5), 50_000)
        self.assertNotEqual(read.prepared(0), read.prepared(1))
        self.assertIn("group1 ", read.arguments(5_000, 1)["command"])


class ParsingTest(unittest.TestCase):
    def test_reads_resident_memory(self):
        self.assertEqual(servers.parse_resident("Name:\tx\nVmRSS:\t    1234 kB\nVmData:\t 9 kB\n"),
                         1234 * 1024)
        with self.assertRaises(servers.BenchError):
            servers.parse_resident("Name:\tx\nState:\tZ (zombie)\n")

    def test_reads_the_table_of_redis_benchmark(self):
        text = ('"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms",'
                '"p99_latency_ms","max_latency_ms"\n'
                '"GET","98765.43","0.25","0.1","0.24","0.3","0.41","2.5"\n')
        self.assertEqual(load.parse_redis_benchmark(text), {
            "rate": 98765.43,
            "latency": {"p50_ms": 0.24, "p99_ms": 0.41, "p999_ms": None, "max_ms": 2.5}})

    def test_fills_in_the_arguments_of_each_kind_of_server(self):
        words = servers.Command("a=/x/aeris-server --hz 10").words(7, "/d")
        self.assertEqual(words[:5], ["/x/aeris-server", "--hz", "10", "--port", "7"])
        self.assertIn("/d", words)
        words = servers.Command("a=serve {port} {dir}").words(7, "/d")
        self.assertEqual(words, ["serve", "7", "/d"])
        memcached = servers.Command("m=memcached")
        self.assertEqual(memcached.protocol, "memcached")
        self.assertIn("-t", memcached.words(7, "/d"))
        for text in ("name", "=command", "name="):
            with self.assertRaises(ValueError):
                servers.Command(text)


def runs(*values):
    return [{"value": value, "server_cpu_us": value, "rate": 1000.0,
             "latency": {"p50_ms": 0.1, "p99_ms": 0.2, "p999_ms": 0.3, "max_ms": 1.0}}
            for value in values]


class ReportTest(unittest.TestCase):
    def test_ratios_are_taken_round_by_round(self):
        self.assertEqual(report.ratios([1, 4, 9], [2, 4, 3]), [0.5, 1, 3])
        self.assertEqual(report.span_text([0.5, 1, 3]), "1.00 (0.50-3.00)")
        self.assertEqual(report.span_text([0.5]), "0.50")
        self.assertEqual(report.span_text([]), "-")

    def test_says_whether_an_aim_is_met(self):
        results = {rows.parse("get -P 64"): {"redis": runs(1.0, 1.0, 1.0),
                                             "aeris": runs(0.15, 0.16, 0.2)}}
        text = report.timed_table(results, "redis")
        self.assertIn("| get -P 64 | redis | 1.000 us/op | 1.00 (1.00-1.00) |  |", text)
        self.assertIn("| get -P 64 | aeris | 0.160 us/op | 0.16 (0.15-0.20) | 0.18 met |", text)
        results = {rows.parse("empty server"): {"redis": runs(12.0), "aeris": runs(9.0)}}
        self.assertIn("| aeris | 9.00 MiB | 0.75 | 8 missed |",
                      report.figures_table(results, "redis"))

    def test_the_aim_for_memory_of_a_type_is_a_share_of_the_baselines(self):
        results = {rows.parse("memory of a hash"): {
            "redis": [{"value": 100.0, "bytes": 100 << 20}],
            "aeris": [{"value": 48.5, "bytes": 97 << 19}]}}
        self.assertIn("| aeris | 48.50 bytes | 0.48 | 0.5 met | 48 MiB |",
                      report.figures_table(results, "redis"))

    def test_memcached_is_the_baseline_of_its_rows(self):
        results = {rows.parse("get -P 16 beside memcached"): {"memcached": runs(4.0),
                                                              "redis": runs(1.5),
                                                              "aeris": runs(1.0)}}
        self.assertIn("| aeris | 1.000 us/op | 0.25 | 0.5 met |",
                      report.timed_table(results, "redis"))

    def test_a_pause_is_what_an_idle_server_does_not_have(self):
        results = {rows.parse("longest ping while flushing all"): {
            "aeris": [{"value": 1.5, "watched": {"max_ms": 2.0}, "idle": {"max_ms": 0.5}}],
            "redis": [{"value": 900.0, "watched": {"max_ms": 901.0}, "idle": {"max_ms": 1.0}}]}}
        text = report.figures_table(results, "redis")
        self.assertIn("| aeris | 1.50 ms | 0.00 | 2 met | 2.00 ms beside 0.50 ms when idle |", text)

    def test_counts_cpu_time_per_key_and_per_kib(self):
        results = {rows.parse("mget -P 16"): {"redis": runs(5.0)},
                   rows.parse("get -P 1, 64 KiB values"): {"redis": runs(32.0)}}
        text = report.timed_table(results, "redis")
        self.assertIn("0.500 us/key", text)
        self.assertIn("0.500 us/KiB", text)

    def test_fills_in_the_suites_that_were_measured(self):
        self.fills_in("latency", "latency")
        self.fills_in("types", "types")
        self.fills_in("type memory", "'type memory'")

    def fills_in(self, suite, argument):
        names = rows.SUITES[suite]
        results = {rows.parse(name): {"redis": runs(1.0), "aeris": runs(0.5)} for name in names}
        if suite == "type memory":
            results = {row: {server: [{**values[0], "bytes": 1}]
                             for server, values in servers_runs.items()}
                       for row, servers_runs in results.items()}
        options = argparse.Namespace(baseline="redis", server_core=0, load_core=1, rounds=5,
                                     connections=50, load="generator")
        bench = argparse.Namespace(options=options, commands=[])
        document = (f"a\n<!-- tools/bench --suite {argument} -->\nold\n<!-- end -->\nb\n"
                    "<!-- tools/bench --suite pauses -->\nkept\n<!-- end -->\nc\n")
        text = report.fill_in(document, bench, results)
        self.assertNotIn("old", text)
        self.assertIn(f"- `tools/bench --suite {argument}`\n", text)
        for name in names:
            self.assertIn(f"| {name} | aeris |", text)
        self.assertTrue(text.endswith(
            "<!-- end -->\nb\n<!-- tools/bench --suite pauses -->\nkept\n<!-- end -->\nc\n"))
        self.assertEqual(report.fill_in(text, bench, results), text)

    def test_draws_a_picture(self):
        results = {rows.parse("get -P 64"): {"redis": runs(1.0, 1.1), "aeris": runs(0.2, 0.3)}}
        self.assertEqual(plot.shares(results, "redis")[0][:2], ("get -P 64", "aeris"))
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "plot.png"
            plot.draw(results, "redis", path)
            self.assertEqual(path.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")


class RunTest(unittest.TestCase):
    """One short run of every kind of row, small enough for a unit test."""

    def setUp(self):
        if not BINARIES.server or not BINARIES.generator:
            self.skipTest("no binaries were given")

    def run_bench(self, only, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "results.json"
            done = subprocess.run(
                [ROOT / "tools/bench", f"aeris={BINARIES.server}", "redis=redis-server",
                 "--generator", BINARIES.generator, "--rounds", "2", "--scale", "0.0001",
                 "--settle-seconds", "0", "--json", path, *arguments,
                 *[word for name in only for word in ("--only", name)]],
                capture_output=True, text=True, timeout=110)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout, json.loads(path.read_text())

    def test_measures_requests_of_every_workload(self):
        names = [f"{workload} -P 16, 1K keys" for workload in rows.WORKLOADS]
        text, results = self.run_bench([*names, "get -P 1, 10 keys, 64 KiB values"])
        # Of a run below a millisecond the kernel may not have accounted for anything yet.
        cpu = {"aeris": 0, "redis": 0}
        for name in names:
            self.assertIn(f"| {name} | aeris |", text)
            for server in cpu:
                self.assertEqual(len(results[name][server]), 2)
                for result in results[name][server]:
                    cpu[server] += result["server_cpu_us"]
                    self.assertGreaterEqual(result["latency"]["max_ms"],
                                            result["latency"]["p50_ms"] * 0.98)
        self.assertGreater(min(cpu.values()), 0)
        get = results["get -P 16, 1K keys"]["aeris"][0]
        self.assertEqual((get["hits"], get["misses"]), (get["requests"], 0))
        self.assertEqual(get["value_bytes"], get["requests"] * 32)

    def test_takes_redis_benchmark_as_the_load(self):
        _, results = self.run_bench(["get -P 16, 1K keys", "mget -P 16, 1K keys"],
                                    "--load", "redis-benchmark")
        self.assertGreater(results["mget -P 16, 1K keys"]["redis"][1]["rate"], 0)

    def test_measures_every_operation_on_collections(self):
        names = [f"{operation} -P 4, 1K elements" for operation in data_types.OPERATIONS]
        _, results = self.run_bench(names)
        for name in names:
            for server in ("aeris", "redis"):
                self.assertEqual(len(results[name][server]), 2)
                for result in results[name][server]:
                    self.assertGreater(result["rate"], 0)
        common = {server: results["sinter -P 4, 1K elements"][server][0]["hits"]
                  for server in ("aeris", "redis")}
        self.assertEqual(common["aeris"], common["redis"])
        self.assertTrue(400 < common["aeris"] < 600, common)

    def test_takes_the_tests_of_redis_benchmark(self):
        names = [f"redis-benchmark {test} -P 16" for test in ("ping_inline", "rpop", "lrange_600")]
        _, results = self.run_bench(names)
        for name in names:
            for server in ("aeris", "redis"):
                self.assertEqual(len(results[name][server]), 2)
                self.assertGreater(results[name][server][0]["value"], 0)

    def test_measures_memory_and_pauses_of_every_collection(self):
        names = [text.format(collection) for text in
                 ("memory of {}, 5K elements", "longest insert into {}, 5K elements")
                 for collection in data_types.COLLECTIONS]
        _, results = self.run_bench(names, "--rounds", "1")
        for name in names:
            for server in ("aeris", "redis"):
                result = results[name][server][0]
                if name.startswith("memory"):
                    self.assertAlmostEqual(result["value"] * 5000, result["bytes"])
                else:
                    self.assertEqual((result["keys"], result["probes"]), (5000, 100))

    def test_measures_memory_and_pauses(self):
        names = ["bytes per key 16+32, 20K keys with deadlines",
                 "memory after deleting half, 20K keys",
                 "memory after replacing the rest, 20K keys", "longest insert, 20K keys"]
        _, results = self.run_bench(names)
        for server in ("aeris", "redis"):
            memory = results[names[0]][server][0]
            self.assertAlmostEqual(memory["per_key"], memory["value"] + 48)
            for name in names[1:3]:
                self.assertGreater(results[name][server][0]["value"], 0)
            pauses = results[names[3]][server][0]
            self.assertEqual((pauses["keys"], pauses["probes"]), (20_000, 2_000))
            self.assertEqual(len(pauses["longest"]), 10)

    def test_watches_every_scene_of_a_cache(self):
        names = [rows.Row("cache pauses", scene, keys=30_000).name
                 for scene in cache_pauses.SCENES]
        _, results = self.run_bench(names, "--rounds", "1")
        for name in names:
            for server in ("aeris", "redis"):
                result = results[name][server][0]
                self.assertGreaterEqual(result["pings"], 100 if "filling" not in name else 1)
                self.assertGreater(result["idle"]["max_ms"], 0)
                self.assertAlmostEqual(result["longest"][0]["ms"], result["watched"]["max_ms"])

    def test_ends_with_a_message_when_a_server_does_not_start(self):
        done = subprocess.run([ROOT / "tools/bench", "broken=false", "--generator",
                               BINARIES.generator, "--only", "empty server"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("broken did not start", done.stderr)


class GeneratorTest(unittest.TestCase):
    """The load generator's exit status: it refuses to measure what goes wrong."""

    def setUp(self):
        if not BINARIES.server or not BINARIES.generator:
            self.skipTest("no binaries were given")

    def generate(self, server, *arguments):
        return subprocess.run([BINARIES.generator, "--port", str(server.port), *arguments],
                              capture_output=True, text=True, timeout=60)

    @contextlib.contextmanager
    def server(self):
        with servers.Server(servers.Command(f"aeris={BINARIES.server}"), 0) as server:
            yield server

    def test_ends_at_the_first_error_reply(self):
        with self.server() as server:
            self.generate(server, "--workload", "load", "--keys", "10")
            done = self.generate(server, "--workload", "incr", "--keys", "10", "--requests", "10")
        self.assertEqual(done.returncode, 1)
        self.assertIn("error reply: ERR value is not an integer", done.stderr)

    def test_counts_hits_and_misses(self):
        with self.server() as server:
            self.generate(server, "--workload", "load", "--keys", "500")
            done = self.generate(server, "--sequential", "--keys", "1000", "--requests", "1000",
                                 "--connections", "1", "--pipeline", "7")
        result = json.loads(done.stdout)
        self.assertEqual((result["hits"], result["misses"]), (500, 500))

    def test_keeps_a_fixed_rate(self):
        with self.server() as server:
            done = self.generate(server, "--workload", "ping", "--rate", "1000", "--requests", "50")
        result = json.loads(done.stdout)
        self.assertEqual(result["requests"], 50)
        self.assertGreaterEqual(result["seconds"], 0.049)  # the last one is due after 49 ms

    def test_watches_a_command_and_a_fill_beside_an_idle_server(self):
        with self.server() as server, self.server() as idle:
            watch = ("--workload", "watch", "--idle-port", str(idle.port), "--rate", "2000")
            done = self.generate(server, *watch, "--command", "SET a b", "--seconds", "0.3")
            result = json.loads(done.stdout)
            self.assertEqual(server.ask("EXISTS a"), ":1")
            self.assertGreaterEqual(result["pings"], 500)
            self.assertEqual(len(result["longest"]), 10)
            done = self.generate(server, *watch, "--keys", "20000", "--pipeline", "64")
            self.assertGreater(json.loads(done.stdout)["pings"], 0)
            self.assertEqual((server.key_count(), idle.key_count()), (20001, 0))
            done = self.generate(server, *watch, "--command", "INCR a", "--seconds", "0.1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("error reply", done.stderr)

    def test_counts_what_subscribers_get(self):
        with self.server() as server:
            done = self.generate(server, "--workload", "fan-out", "--connections", "30",
                                 "--requests", "50", "--pipeline", "7", "--value-size", "3000")
            published = server.ask("INFO commandstats")
        result = json.loads(done.stdout)
        self.assertEqual((result["messages"], result["subscribers"]), (50, 30))
        self.assertIn("cmdstat_publish:calls=50,", published)

    def test_refuses_a_command_that_it_cannot_number(self):
        for words, text in (
                (["--workload", "command"], "there is no --command"),
                (["--workload", "load", "--command", "XADD s * a b"], "names no key"),
                (["--workload", "get", "--command", "GET ########"], "no such workload"),
                (["--workload", "command", "--command", "GET ###"], "more digits"),
                (["--workload", "command", "--command", "GET #######", "--first", "9999999"],
                 "more digits"),
                (["--workload", "command", "--command", "GET #######", "--protocol", "memcached"],
                 "wants --protocol resp")):
            done = subprocess.run([BINARIES.generator, *words], capture_output=True, text=True,
                                  timeout=60)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn(text, done.stderr)

    def test_counts_the_nulls_of_a_command_as_misses(self):
        with self.server() as server:
            self.generate(server, "--workload", "load", "--command", "HSET h #### v", "--keys", "50")
            done = self.generate(server, "--workload", "command", "--command", "HGET h ####",
                                 "--keys", "100", "--sequential", "--requests", "100")
            self.assertEqual(server.ask("HLEN h"), ":50")
        result = json.loads(done.stdout)
        self.assertEqual((result["hits"], result["misses"]), (50, 50))

    def test_refuses_other_hosts_and_ends_without_a_server(self):
        port = str(servers.free_port())
        for words, status in ((["--host", "192.0.2.1"], 2), (["--port", port], 1)):
            done = subprocess.run([BINARIES.generator, *words], capture_output=True, timeout=60)
            self.assertEqual(done.returncode, status)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--server")
    parser.add_argument("--generator")
    _, remaining = parser.parse_known_args(namespace=BINARIES)
    unittest.main(argv=[sys.argv[0], *remaining])
