"""redis-benchmark with the options that people compare servers with; the numbers are not judged."""
import re
import subprocess

from case import ServerTest, raise_descriptor_limit

TESTS = "ping,set,get,incr,mset"
TITLES = ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)"]


class RedisBenchmark(ServerTest):
    shared_directives = {}

    def benchmark(self, *options, count=20000):
        count = count // 10 if self.light else count
        done = subprocess.run(
            ["redis-benchmark", "-p", str(self.server.port), "-t", TESTS, "-n", str(count),
             "--csv", *map(str, options)], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        rows = re.findall(r'^"([^"]+)","([0-9.]+)"', done.stdout, re.MULTILINE)
        self.assertEqual([title for title, _ in rows], TITLES, done.stdout + done.stderr)
        for title, rate in rows:
            self.assertGreater(float(rate), 0, title)
        self.assertNotIn("error", (done.stdout + done.stderr).lower().replace("errors: 0", ""))
        with self.server.connect() as connection:
            self.assertEqual(connection.call("STRLEN", "key:__rand_int__"), 3)

    def test_plain(self):
        self.benchmark()

    def test_pipelines_of_64(self):
        self.benchmark("-P", 64, count=200000)

    def test_a_thousand_clients(self):
        raise_descriptor_limit(4096)
        self.benchmark("-c", 1000)

    def test_two_threads(self):
        self.benchmark("--threads", 2)

    def test_resp3(self):
        self.benchmark("-3")

    def test_random_keys_and_large_values(self):
        self.benchmark("-r", 100000, "-d", 3, "-P", 16, count=50000)
        done = subprocess.run(
            ["redis-benchmark", "-p", str(self.server.port), "-t", "set,get", "-n", "2000", "-d",
             "100000", "-r", "100", "--csv"], capture_output=True, text=True, timeout=120,
            check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        with self.server.connect() as connection:
            self.assertEqual(connection.call("STRLEN", "key:000000000001"), 100000)
