#!/usr/bin/python3
"""tools/cachebench: names of cells, tables, the accounting of look-aside clients against a server
whose replies are known, and a short run against real servers.

  cachebench_test.py [--server aeris-server --generator load-generator --simulator cache-simulator]

Without the binaries the runs are left out. Nothing here asserts a time.
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import socketserver
import subprocess
import sys
import tempfile
import threading
import types
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tools"))

from benchmark import cache_cells, cache_report, load, servers  # noqa: E402

BINARIES = argparse.Namespace(server=None, generator=None, simulator=None)


class CellsTest(unittest.TestCase):
    def test_names_differ_and_aims_belong_to_cells(self):
        names = [cell.name for cell in cache_cells.CELLS]
        self.assertEqual(len(set(names)), len(names))
        self.assertEqual({*cache_cells.AIMS, *cache_cells.QUICK} - set(names), set())
        self.assertIn("zipf 0.8, 60 MiB", names)
        self.assertIn("zipf 1.2, 16 B to 4 KiB, 200 MiB", names)

    def test_selects_by_name_and_pattern_without_repeating(self):
        found = cache_cells.select(["zipf 1.0, 60 MiB", "zipf 1.0*, 60 MiB"])
        self.assertEqual([cell.kind for cell in found], list(cache_cells.KINDS))
        self.assertEqual(cache_cells.select([]), cache_cells.CELLS)
        with self.assertRaises(ValueError):
            cache_cells.select(["zipf 3*"])

    def test_traffic_of_a_cell_is_what_its_name_says(self):
        cells = {cell.kind: cell.traffic(0.5, 1000) for cell in cache_cells.select(["*1.0*60*"])}
        self.assertEqual((cells[""]["keys"], cells[""]["requests"]), (1_000_000, 500))
        for kind, option in (("16 B to 4 KiB", "value_size_max"), ("drifting", "drift"),
                             ("with scans", "scan_keys")):
            for other, traffic in cells.items():
                self.assertEqual(traffic[option] is not None, other == kind)

    def test_a_server_gets_its_limit_once(self):
        redis = servers.Command("r=redis-server").limited(60)
        self.assertTrue(redis.command.endswith(" --maxmemory 60mb"))
        memcached = servers.Command("m=memcached").limited(60)
        self.assertTrue(memcached.command.endswith(" -m 60"))
        other = servers.Command("o=serve {port} --size {limit}M")
        self.assertEqual(other.limited(5).words(7, "/d"), ["serve", "7", "--size", "5M"])
        self.assertIn("{limit}", other.command)


def run_of(misses, requests=1000, **more):
    part = {"misses": misses / 4, "requests": requests / 4}
    return {"misses": misses, "requests": requests, "parts": [part] * 4, "keys": 5000,
            "resident_bytes": 64 << 20, "rate": 1.0, **more}


class ReportTest(unittest.TestCase):
    PEERS = ["lru", "lfu", "memcached"]
    BASELINES = ["lru", "lfu"]

    def results(self, ours, cell="zipf 1.0, 60 MiB"):
        runs = {"lru": run_of(200), "lfu": run_of(160), "memcached": run_of(150),
                "aeris": run_of(ours)}
        return {cell_of(cell): runs}

    def test_ratios_are_to_the_better_policy_of_redis(self):
        text = cache_report.misses_table(self.results(104), self.PEERS, self.BASELINES)
        self.assertIn("| zipf 1.0, 60 MiB | 20.00 (1.25) | 16.00 (1.00) | 15.00 (0.94) "
                      "| 10.40 (0.65) | 0.70 met |", text)

    def test_an_aim_is_missed_above_its_ratio_or_a_peer(self):
        def verdict(*arguments):
            (cell, runs), = self.results(*arguments).items()
            return cache_report.verdict(cell, runs, self.PEERS, self.BASELINES)

        self.assertEqual(verdict(111), "0.70 met")
        self.assertEqual(verdict(113), "0.70 missed")
        self.assertEqual(verdict(149, "zipf 0.8, 60 MiB"), "below all met")
        self.assertEqual(verdict(150, "zipf 0.8, 60 MiB"), "below all missed")

    def test_nothing_missed_by_anybody_is_no_fault(self):
        cell = cell_of("zipf 1.2, 200 MiB")
        runs = {"lru": run_of(0), "aeris": run_of(0)}
        self.assertEqual(cache_report.verdict(cell, runs, ["lru"], ["lru"]), "below all met")
        self.assertIn("| 0.00 | 0.00 |",
                      cache_report.misses_table({cell: runs}, ["lru"], ["lru"]))

    def test_says_how_much_misses_changed(self):
        results = self.results(100)
        results[cell_of("zipf 1.0, 60 MiB")]["lru"] = {
            "misses": 40_000, "requests": 400_000,
            "parts": [{"misses": 10_500, "requests": 100_000}] + [
                {"misses": 10_000, "requests": 100_000}] * 3}
        self.assertAlmostEqual(cache_report.unrest(results), 5)

    def test_shows_keys_and_memory(self):
        self.assertIn("| zipf 1.0, 60 MiB | 5 K, 64 MiB |",
                      cache_report.memory_table(self.results(1)))

    def test_fills_in_between_the_marks(self):
        document = "a\n<!-- tools/cachebench -->\nold\n<!-- end -->\nb\n"
        text = cache_report.fill_in(document, "new")
        self.assertEqual(text, "a\n<!-- tools/cachebench -->\nnew\n<!-- end -->\nb\n")
        self.assertEqual(cache_report.fill_in(text, "new"), text)

    def test_names_the_picture_as_the_document_sees_it(self):
        text = cache_report.picture(pathlib.Path("docs/cache.png"), pathlib.Path("docs/cache.md"))
        self.assertTrue(text.endswith("](cache.png)"), text)

    def test_draws_a_picture(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "plot.png"
            cache_report.draw(self.results(100), self.BASELINES, path)
            self.assertEqual(path.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")


def cell_of(name):
    return cache_cells.select([name])[0]


class FakeServer(socketserver.ThreadingTCPServer):
    """Speaks enough of both protocols; holds at most `keys_max` keys, the oldest ones go. Notes
    every GET with whether it hit, and every SET with its size, in the order of arrival."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, keys_max, fault=None):
        super().__init__(("127.0.0.1", 0), FakeConnection)
        self.port = self.server_address[1]
        self.name, self.protocol = "fake", "resp"
        self.process = types.SimpleNamespace(pid=os.getpid(), poll=lambda: None)
        self.keys_max, self.fault = keys_max, fault
        self.data = collections.OrderedDict()
        self.gets, self.sets = [], []
        self.lock = threading.Lock()

    def get(self, key):
        with self.lock:
            value = self.data.get(key)
            self.gets.append((key, value is not None))
            return value + b"x" if value and self.fault == "long values" else value

    def set(self, key, value):
        with self.lock:
            self.sets.append((key, len(value)))
            self.data[key] = value
            while len(self.data) > self.keys_max:
                self.data.popitem(last=False)


class FakeConnection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        with contextlib.suppress(ConnectionError):
            while line := self.rfile.readline():
                self.wfile.write(self.resp(line) if line[:1] == b"*" else self.memcached(line))

    def resp(self, line):
        words = []
        for _ in range(int(line[1:])):
            size = int(self.rfile.readline()[1:])
            words.append(self.rfile.read(size + 2)[:-2])
        if words[0] == b"SET":
            if self.server.fault == "full":
                return b"-OOM command not allowed\r\n"
            self.server.set(words[1], words[2])
            return b"+OK\r\n"
        value = self.server.get(words[1])
        return b"$-1\r\n" if value is None else b"$%d\r\n%s\r\n" % (len(value), value)

    def memcached(self, line):
        words = line.split()
        if words[0] == b"set":
            self.server.set(words[1], self.rfile.read(int(words[4]) + 2)[:-2])
            return b"STORED\r\n"
        value = self.server.get(words[1])
        if value is None:
            return b"END\r\n"
        return b"VALUE %s 0 %d\r\n%s\r\nEND\r\n" % (words[1], len(value), value)


@contextlib.contextmanager
def fake_server(keys_max, protocol="resp", fault=None):
    with FakeServer(keys_max, fault) as server:
        server.protocol = protocol
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class LookAsideTest(unittest.TestCase):
    KEYS, WARM_UP, REQUESTS = 200, 300, 1000

    def setUp(self):
        if not BINARIES.generator:
            self.skipTest("no binaries were given")

    def ask(self, server, connections=1, **arguments):
        generator = load.Load(BINARIES.generator, 0, connections)
        return generator.run(server, "look-aside", **{
            "keys": self.KEYS, "pipeline": 8, "warm_up": self.WARM_UP, "requests": self.REQUESTS,
            "value_size": 10, "timeout": 100, **arguments})

    def test_counts_each_miss_and_sets_what_was_missing(self):
        for protocol in ("resp", "memcached"):
            with self.subTest(protocol=protocol), fake_server(50, protocol) as server:
                result = self.ask(server, value_size_max=500)
                self.check_accounts(server, result)

    def check_accounts(self, server, result):
        filled, later = server.sets[:self.KEYS], server.sets[self.KEYS:]
        self.assertEqual(len({key for key, _ in filled}), self.KEYS)
        missed = [key for key, hit in server.gets if not hit]
        self.assertEqual([key for key, _ in later], missed)
        sizes = dict(filled)
        self.assertGreater(len(set(sizes.values())), 20)
        self.assertEqual([size for _, size in later], [sizes[key] for key in missed])

        self.assertEqual(len(server.gets), self.WARM_UP + self.REQUESTS)
        warm_up, counted = server.gets[:self.WARM_UP], server.gets[self.WARM_UP:]
        self.assertEqual(result["warm_up"]["misses"], sum(not hit for _, hit in warm_up))
        self.assertEqual(result["requests"], self.REQUESTS)
        self.assertEqual(result["misses"], sum(not hit for _, hit in counted))
        self.assertGreater(result["misses"], 100)
        quarter = self.REQUESTS // 4
        for number, part in enumerate(result["parts"]):
            share = counted[number * quarter:(number + 1) * quarter]
            self.assertEqual((part["requests"], part["misses"]),
                             (quarter, sum(not hit for _, hit in share)))

    def test_asks_every_server_for_the_same_keys(self):
        asked = []
        for keys_max, connections in ((0, 1), (10, 1), (self.KEYS, 1), (20, 3)):
            with fake_server(keys_max) as server:
                self.ask(server, connections, seed=5)
                asked.append([key for key, _ in server.gets])
        self.assertEqual(asked[0], asked[1])
        self.assertEqual(asked[0], asked[2])
        # Connections take batches in turns; which one is answered first is the scheduler's.
        self.assertEqual(sorted(asked[0]), sorted(asked[3]))
        with fake_server(10) as server:
            self.ask(server, seed=6)
            self.assertNotEqual([key for key, _ in server.gets], asked[0])

    def test_does_not_count_the_keys_of_scans(self):
        with fake_server(self.KEYS * 100) as server:
            result = self.ask(server, scan_period=100, scan_keys=10)
            self.assertEqual(result["misses"], 0)
            self.assertEqual(len(server.sets) - self.KEYS, sum(not hit for _, hit in server.gets))
        scanned = [part["one_time_misses"] for part in result["parts"]]
        self.assertEqual(sum(scanned) + result["requests"], self.REQUESTS)
        self.assertEqual(sum(not hit for _, hit in server.gets),
                         sum(scanned) + result["warm_up"]["one_time_misses"])
        self.assertTrue(80 < sum(scanned) < 100, scanned)

    def test_keeps_a_fixed_rate(self):
        with fake_server(self.KEYS) as server:
            result = self.ask(server, rate=5000)
        # The last batch of each quarter is due after all others of it.
        self.assertGreaterEqual(result["seconds"], 4 * (250 - 8) / 5000)

    def test_refuses_to_measure_what_goes_wrong(self):
        for fault, text in (("full", "error reply: OOM"), ("long values", "values of a wrong size")):
            with self.subTest(fault=fault), fake_server(50, fault=fault) as server:
                with self.assertRaisesRegex(servers.BenchError, text):
                    self.ask(server)

    def test_refuses_options_that_make_no_traffic(self):
        for words, text in (
                (["--scan-period", "5"], "want each other"),
                (["--scan-keys", "5"], "want each other"),
                (["--value-size", "0", "--value-size-max", "5"], "--value-size-max"),
                (["--value-size", "9", "--value-size-max", "5"], "--value-size-max"),
                (["--zipf", "0"], "--zipf"), (["--zipf", "11"], "--zipf"),
                (["--keys", "2000000000"], "--keys"),
                (["--keys", "900", "--key-size", "7", "--scan-period", "1", "--scan-keys", "9"],
                 "more digits")):
            done = subprocess.run([BINARIES.generator, "--workload", "look-aside", *words],
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn(text, done.stderr)


class RunTest(unittest.TestCase):
    """One short run of every kind of cell, small enough for a unit test."""

    def setUp(self):
        if not BINARIES.server or not BINARIES.generator or not BINARIES.simulator:
            self.skipTest("no binaries were given")

    def run_bench(self, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "results.json"
            done = subprocess.run(
                [ROOT / "tools/cachebench", *arguments, "--generator", BINARIES.generator,
                 "--simulator", BINARIES.simulator, "--scale", "0.05", "--requests", "400000",
                 "--only", "zipf 1.0*, 60 MiB", "--json", path],
                capture_output=True, text=True, timeout=250)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout, json.loads(path.read_text())

    def test_measures_every_kind_of_cell(self):
        text, results = self.run_bench(
            "redis-lru=redis-server --maxmemory-policy allkeys-lru",
            f"aeris={BINARIES.server} --maxmemory-policy allkeys-lru", "memcached=memcached")
        self.assertEqual(len(results), len(cache_cells.KINDS))
        for name, runs in results.items():
            self.assertIn(f"| {name} | ", text)
            for server, run in runs.items():
                with self.subTest(cell=name, server=server):
                    self.assertTrue(0 < run["misses"] < run["requests"])
                    self.assertTrue(0 < run["keys"] < 100_000)
                    self.assertGreater(run["resident_bytes"], 1 << 20)

    def test_simulates_policies_on_the_same_cells(self):
        text, results = self.run_bench("--simulate", "lru", "redis-lfu", "s3fifo,small=5")
        for runs in results.values():
            self.assertEqual(list(runs), ["lru", "redis-lfu", "s3fifo,small=5"])
            self.assertLess(runs["s3fifo,small=5"]["misses"], runs["lru"]["misses"])
        self.assertIn("| s3fifo,small=5 | ", text)

    def test_ends_with_a_message(self):
        for words, text in ((["--simulate", "arc"], "no policy has that name"),
                            (["broken=false"], "broken did not start"),
                            (["--only", "nothing"], "no cell is named")):
            done = subprocess.run([ROOT / "tools/cachebench", *words, "--generator",
                                   BINARIES.generator, "--simulator", BINARIES.simulator, "--scale",
                                   "0.01", "--requests", "1000"],
                                  capture_output=True, text=True, timeout=60)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(text, done.stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    for binary in vars(BINARIES):
        parser.add_argument("--" + binary)
    _, remaining = parser.parse_known_args(namespace=BINARIES)
    unittest.main(argv=[sys.argv[0], *remaining])
