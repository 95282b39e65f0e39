"""What the server says about itself as a cache: INFO cache, HOTKEYS, OBJECT FREQ."""
import random

from case import ServerTest, only_aeris

MIB = 1 << 20
POLICIES = ("noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random", "allkeys-s3fifo",
            "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "volatile-s3fifo")


def info(connection, section="cache"):
    lines = connection.call("INFO", section).decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def number(connection, field):
    return float(info(connection)[field])


@only_aeris("it has no INFO cache")
class CacheInfo(ServerTest):
    SECONDS = 600

    def setUp(self):
        super().setUp()
        self.server = self.start_server()
        self.client = self.connect()

    def pipelines(self, requests, size=1000):
        replies = []
        for start in range(0, len(requests), size):
            replies += self.client.pipeline(requests[start:start + size])
        return replies

    def test_the_section_is_part_of_all_and_not_of_default(self):
        self.assertIn("cache_hit_ratio", info(self.client))
        for section in ("all", "everything", "CACHE"):
            self.assertIn("cache_hit_ratio", info(self.client, section), section)
        self.assertNotIn(b"# Cache", self.client.call("INFO"))

    def test_a_new_server_has_zeros(self):
        fields = info(self.client)
        self.assertEqual(fields.pop("cache_estimate_keys_per_sampled"), "128")
        self.assertEqual({field: float(value) for field, value in fields.items()},
                         dict.fromkeys(fields, 0.0))

    def test_hit_ratios(self):
        self.client.call("SET", "key", "value")
        self.pipelines([("GET", "key")] * 300 + [("GET", "nokey")] * 100)
        fields = info(self.client)
        for window in ("", "_minute", "_hour"):
            self.assertEqual(fields["cache_hit_ratio" + window], "0.7500", window)
            self.assertEqual(fields["cache_requests" + window], "400", window)
        self.assertEqual(self.client.call("CONFIG", "RESETSTAT"), b"OK")
        fields = info(self.client)
        for window in ("", "_minute", "_hour"):
            self.assertEqual(fields["cache_hit_ratio" + window], "0.0000", window)
            self.assertEqual(fields["cache_requests" + window], "0", window)
        self.client.call("GET", "key")
        self.assertEqual(info(self.client)["cache_hit_ratio_minute"], "1.0000")

    def test_age_of_evicted_keys(self):
        self.client.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        self.client.call("SET", "key", "v" * 1000)
        payload = self.client.call("DUMP", "key")
        self.pipelines([("RESTORE", f"old:{index}", 0, payload, "IDLETIME", 20000)
                        for index in range(2000)])
        self.pipelines([("RESTORE", f"young:{index}", 0, payload, "IDLETIME", 3000)
                        for index in range(8000)])
        # Below what an empty server takes: all go.
        self.client.call("CONFIG", "SET", "maxmemory", 1)
        self.wait_for(lambda: self.client.call("DBSIZE") == 0, "all keys are evicted")
        self.assertAlmostEqual(number(self.client, "cache_evicted_age_p50_seconds"), 3000, delta=60)
        self.assertAlmostEqual(number(self.client, "cache_evicted_age_p90_seconds"), 20000,
                               delta=300)
        self.client.call("CONFIG", "RESETSTAT")
        self.assertEqual(number(self.client, "cache_evicted_age_p50_seconds"), 0)

    def test_share_of_evicted_keys_that_were_never_read(self):
        self.client.call("CONFIG", "SET", "maxmemory", 64 * MIB, "maxmemory-policy",
                         "allkeys-random")
        self.pipelines([("SET", f"key:{index}", "value") for index in range(2000)])
        self.pipelines([("GET", f"key:{index}") for index in range(500)])
        # Below what an empty server takes: all go.
        self.client.call("CONFIG", "SET", "maxmemory", 1)
        self.wait_for(lambda: self.client.call("DBSIZE") == 0, "all keys are evicted")
        self.assertEqual(info(self.client)["cache_evicted_never_read_ratio"], "0.7500")

    def look_aside(self, keys, value):
        """GETs, and SETs of what was not there."""
        for start in range(0, len(keys), 1000):
            part = keys[start:start + 1000]
            found = self.client.pipeline([("GET", key) for key in part])
            missing = {key for key, reply in zip(part, found) if reply is None}
            if missing:
                self.client.pipeline([("SET", key, value) for key in sorted(missing)])

    def test_estimates_for_other_sizes(self):
        """Uniform traffic over more than fits: hits are in proportion to the memory."""
        limit = 12 * MIB
        self.client.call("CONFIG", "SET", "maxmemory", limit, "maxmemory-policy", "allkeys-lru")
        draw = random.Random(1)
        count = 120000
        keys = [f"key:{index:08}" for index in range(count)]
        value = b"v" * 100
        self.look_aside(keys, value)
        self.look_aside([draw.choice(keys) for _ in range(count)], value)
        self.client.call("CONFIG", "RESETSTAT")
        self.look_aside([draw.choice(keys) for _ in range(2 * count)], value)
        cached = self.client.call("DBSIZE")
        measured = number(self.client, "cache_hit_ratio")
        self.assertAlmostEqual(measured, cached / count, delta=0.05)
        self.assertTrue(0.4 < measured < 0.9, measured)  # not all fits, and not little
        each = self.client.call("MEMORY", "USAGE", self.client.call("RANDOMKEY"))
        others = int(info(self.client, "memory")["used_memory"]) - cached * each
        half = (limit // 2 - others) / each / count
        self.assertAlmostEqual(number(self.client, "cache_estimated_hit_ratio_half_memory"), half,
                               delta=0.1)
        for more in ("double", "quadruple"):
            self.assertGreater(number(self.client, f"cache_estimated_hit_ratio_{more}_memory"), 0.9)
        self.assertGreater(number(self.client, "cache_estimate_sampled_requests"), 1000)
        self.assertGreater(number(self.client, "cache_estimate_sampled_keys"), 500)


@only_aeris("it has no HOTKEYS")
class HotKeys(ServerTest):
    shared_directives = {}

    def setUp(self):
        super().setUp()
        self.client = self.connect()
        self.client.call("FLUSHALL")
        self.client.call("HOTKEYS", "RESET")

    def heat(self):
        """Requests: warm 4000, small 16000 among 2000 others; most bytes are of large."""
        self.client.call("SET", "large", "v" * 30000)
        self.client.pipeline([("GET", "large")] * 400)
        for part in range(20):
            self.client.pipeline([("INCR", "small")] * 800 + [("GET", "warm")] * 200 +
                                 [("SET", f"other:{part}:{index}", "v") for index in range(100)])

    def test_the_hottest_come_first(self):
        self.assertEqual(self.client.call("HOTKEYS"), [])
        self.heat()
        reply = self.client.call("HOTKEYS")
        self.assertLessEqual(len(reply), 10)
        self.assertEqual([entry[1] for entry in reply[:2]], [b"small", b"warm"])
        self.assertEqual(reply[0][0::2], [b"key", b"db", b"count", b"bytes"])
        self.assertEqual(reply[0][3], 0)
        self.assertTrue(14000 < reply[0][5] < 18000, reply[0])
        self.assertTrue(3000 < reply[1][5] < 5000, reply[1])
        # INCR small: 9 bytes of arguments, about 7 of the reply.
        self.assertTrue(12 < reply[0][7] / reply[0][5] < 20, reply[0])

    def test_by_bytes_a_large_value_comes_first(self):
        self.heat()
        reply = self.client.call("HOTKEYS", "GET", "BY", "BYTES", "COUNT", 1)
        self.assertEqual([entry[1] for entry in reply], [b"large"])
        self.assertTrue(6e6 < reply[0][7] < 24e6, reply)
        self.assertEqual(self.client.call("HOTKEYS", "get", "count", 1, "by", "count")[0][1],
                         b"small")

    def test_resp3_has_maps(self):
        self.heat()
        self.client.call("HELLO", 3)
        entry = self.client.call("HOTKEYS", "GET", "COUNT", 1)[0]
        self.assertEqual(list(entry), [b"key", b"db", b"count", b"bytes"])
        self.assertEqual(entry[b"key"], b"small")

    def test_databases_are_told_apart(self):
        self.client.call("SELECT", 3)
        self.client.pipeline([("GET", "key")] * 2000)
        self.client.call("SELECT", 0)
        reply = self.client.call("HOTKEYS")
        self.assertEqual([entry[3] for entry in reply], [3])

    def test_keys_of_commands_with_many_and_without_fixed_places(self):
        self.client.pipeline([("MGET", "a", "b", "c")] * 1000 + [("SINTERCARD", 1, "d")] * 1000)
        counts = {entry[1]: entry[5] for entry in self.client.call("HOTKEYS")}
        self.assertEqual(set(counts), {b"a", b"b", b"c", b"d"})
        for count in counts.values():
            self.assertTrue(500 < count < 1500, counts)

    def test_keys_that_the_user_may_not_read_are_left_out(self):
        self.heat()
        self.addCleanup(self.client.call, "ACL", "DELUSER", "bob")
        bob = self.connect()
        for rules, first in (((), None), (("%W~small",), None), (("%R~war*",), b"warm"),
                             (("(%R~sm* +get)",), b"small"), (("~*",), b"small")):
            self.client.call("ACL", "SETUSER", "bob", "on", "nopass", "+@all", *rules)
            self.assertEqual(bob.call("AUTH", "bob", ""), b"OK")
            reply = bob.call("HOTKEYS", "GET", "COUNT", 1)
            self.assertEqual([entry[1] for entry in reply], [first] if first else [], rules)
            everything = bob.call("HOTKEYS", "GET", "COUNT", 128)
            if rules == ("%R~war*",):
                self.assertEqual([entry[1] for entry in everything], [b"warm"])

    def test_reset_and_errors(self):
        self.heat()
        self.check_replies(self.client, [
            ("HOTKEYS RESET", b"OK"),
            ("HOTKEYS", []),
            ("HOTKEYS GET", []),
            ("HOTKEYS GET COUNT", b"-ERR syntax error\r\n"),
            ("HOTKEYS GET COUNT 0", b"-ERR COUNT should be between 1 and 128\r\n"),
            ("HOTKEYS GET COUNT 129", b"-ERR COUNT should be between 1 and 128\r\n"),
            ("HOTKEYS GET COUNT x", b"-ERR COUNT should be between 1 and 128\r\n"),
            ("HOTKEYS GET BY NAME", b"-ERR syntax error\r\n"),
            ("HOTKEYS GET NAME x", b"-ERR syntax error\r\n"),
            ("HOTKEYS RESET x", b"-ERR wrong number of arguments for 'hotkeys|reset' command\r\n"),
            ("HOTKEYS NOSUCH", b"-ERR unknown subcommand 'NOSUCH'. Try HOTKEYS HELP.\r\n"),
        ])
        self.assertIn(b"RESET", self.client.call("HOTKEYS", "HELP"))

    def test_a_key_that_restore_replaces_is_as_new(self):
        for policy, use, new in (("allkeys-lfu", "FREQ", 5), ("allkeys-lru", "IDLETIME", 0)):
            with self.subTest(policy):
                self.client.call("CONFIG", "SET", "maxmemory-policy", policy)
                self.client.pipeline([("SET", "k", "v")] + [("GET", "k")] * 5000)
                payload = self.client.call("DUMP", "k")
                option = ("FREQ", 200) if use == "FREQ" else ("IDLETIME", 1000)
                self.client.call("RESTORE", "k", 0, payload, "REPLACE", *option)
                self.assertGreaterEqual(self.client.call("OBJECT", use, "k"), option[1])
                self.client.call("RESTORE", "k", 0, payload, "REPLACE")
                self.assertLessEqual(self.client.call("OBJECT", use, "k"), new + 1)
        self.client.call("CONFIG", "SET", "maxmemory-policy", "noeviction")

    def test_object_freq_tells_hot_keys_under_every_policy(self):
        for policy in POLICIES:
            with self.subTest(policy):
                self.client.call("FLUSHALL")
                self.client.call("HOTKEYS", "RESET")
                self.client.call("CONFIG", "SET", "maxmemory-policy", policy)
                self.client.pipeline([("SET", "hot", "v")] + [("GET", "hot")] * 5000 +
                                     [("SET", "cold", "v")])
                hot, cold = (self.client.call("OBJECT", "FREQ", key) for key in ("hot", "cold"))
                self.assertTrue(15 < hot <= 255, hot)
                self.assertLess(cold, 10)
                self.assertIsNone(self.client.call("OBJECT", "FREQ", "nokey"))
        self.client.call("CONFIG", "SET", "maxmemory-policy", "noeviction")
