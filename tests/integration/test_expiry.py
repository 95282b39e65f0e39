"""Keys that are due leave by themselves, soon, and without a pause."""
import time

from case import ServerTest, only_aeris
from server import parse_info


class Expiry(ServerTest):
    shared_directives = {"enable-debug-command": "yes"}

    def setUp(self):
        super().setUp()
        self.client = self.connect()
        self.client.call("FLUSHALL")

    def test_due_keys_leave_dbsize_without_being_read(self):
        self.client.pipeline([("SET", f"k{index}", "v", "PX", 50) for index in range(100)])
        self.client.call("SET", "stays", "v")
        self.wait_for(lambda: self.client.call("DBSIZE") == 1, "DBSIZE 1")
        self.assertEqual(self.client.call("EXISTS", "stays"), 1)

    def test_a_due_key_is_never_read(self):
        for _ in range(50):
            self.client.call("SET", "k", "v", "PX", 3)
            deadline = time.monotonic() + 0.003
            while time.monotonic() < deadline + 0.002:
                pass
            self.assertEqual(self.client.pipeline(
                [("GET", "k"), ("EXISTS", "k"), ("TTL", "k"), ("TYPE", "k"), ("STRLEN", "k")]),
                [None, 0, -2, b"none", 0])

    def test_many_keys_due_together_are_gone_soon_and_without_a_pause(self):
        count = 10000 if self.light else 100000
        due = int(time.time() * 1000) + (3000 if self.light else 4000)
        for start in range(0, count, 5000):
            self.client.pipeline([("SET", f"key:{index}", "v", "PXAT", due)
                                  for index in range(start, start + 5000)])
        if time.time() * 1000 < due:
            self.assertEqual(self.client.call("DBSIZE"), count)
        worst = 0.0
        deadline = time.monotonic() + 60
        while self.client.call("DBSIZE") and time.monotonic() < deadline:
            began = time.monotonic()
            self.client.call("PING")
            worst = max(worst, time.monotonic() - began)
        gone = time.time() * 1000
        self.assertEqual(self.client.call("DBSIZE"), 0)
        self.assertLess(gone - due, 10000)
        self.assertLess(worst, 1.0)
        fields = parse_info(self.client.call("INFO", "stats"))
        self.assertGreaterEqual(int(fields["expired_keys"]), count)

    @only_aeris("it does not say how late keys leave")
    def test_info_says_how_late_keys_left_and_how_many_are_due(self):
        self.client.call("CONFIG", "RESETSTAT")
        self.assertEqual(self.lag(), {"p50": 0, "p99": 0, "max": 0})
        count = 10000 if self.light else 100000
        self.client.call("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        for start in range(0, count, 5000):
            self.client.pipeline([("SET", f"key:{index}", "v", "PX", 20)
                                  for index in range(start, start + 5000)])
            self.client.pipeline([("SET", f"far:{index}", "v", "EX", 100000)
                                  for index in range(start, start + 5000)])
        self.wait_for(lambda: self.backlog() == count, "all keys are due")
        begin = time.monotonic()
        self.assertEqual(self.client.call("DBSIZE"), 2 * count)
        self.client.call("DEBUG", "SET-ACTIVE-EXPIRE", "1")
        self.wait_for(lambda: self.client.call("DBSIZE") == count, "due keys are gone", 60)
        seconds = time.monotonic() - begin
        self.assertEqual(self.backlog(), 0)
        # They waited from 20 ms after they were set on, the first ones longest.
        lag = self.lag()
        self.assertTrue(0 < lag["p50"] <= lag["p99"] <= lag["max"], lag)
        # What comes due one by one leaves within a tick of the wheel and the time between sweeps.
        self.client.call("CONFIG", "RESETSTAT")
        for index in range(20):
            self.client.call("SET", f"single:{index}", "v", "PX", 50 + 7 * index)
        self.wait_for(lambda: self.client.call("DBSIZE") == count, "single keys are gone")
        self.assertGreater(self.lag()["max"], 0)
        if not self.light:
            self.assertLess(self.lag()["p50"], 100)
            self.assertLess(seconds, 0.1 + count / 1e6 + 1)

    def lag(self):
        text = parse_info(self.client.call("INFO", "stats"))["expire_lag_ms"]
        return {name: int(value) for name, value in (part.split("=") for part in text.split(","))}

    def backlog(self):
        return int(parse_info(self.client.call("INFO", "stats"))["expire_backlog"])

    def test_due_fields_are_gone_soon_and_without_a_pause(self):
        if not self.client.call("COMMAND", "INFO", "HPEXPIREAT")[0]:
            self.skipTest("no deadlines of fields")
        hashes, fields = (20, 500) if self.light else (40, 2500)
        due = int(time.time() * 1000) + (3000 if self.light else 4000)
        for number in range(hashes):
            names = [f"field:{index}" for index in range(fields)]
            self.client.call("HSET", f"hash:{number}",
                             *[word for name in names for word in (name, "v")], "stays", "v")
            self.client.call("HPEXPIREAT", f"hash:{number}", due, "FIELDS", fields, *names)

        def left():
            return sum(self.client.pipeline([("HLEN", f"hash:{number}")
                                             for number in range(hashes)]))
        if time.time() * 1000 < due:
            self.assertEqual(left(), hashes * (fields + 1))
        self.wait_for(lambda: left() == hashes, "due fields are gone", 60)
        if not self.light:
            self.assertLess(time.time() * 1000 - due, 2000)

    def test_moved_deadlines_are_honoured(self):
        self.client.call("SET", "longer", "v", "PX", 60)
        self.client.call("PEXPIRE", "longer", 100000)
        self.client.call("SET", "forever", "v", "PX", 60)
        self.client.call("PERSIST", "forever")
        self.client.call("SET", "replaced", "v", "PX", 60)
        self.client.call("SET", "replaced", "w")
        self.client.call("SET", "kept", "v", "PX", 60)
        self.client.call("SET", "kept", "w", "KEEPTTL")
        self.client.call("SET", "sooner", "v", "EX", 1000)
        self.client.call("PEXPIRE", "sooner", 60)
        self.client.call("SET", "old name", "v", "PX", 60)
        self.client.call("RENAME", "old name", "new name")
        self.wait_for(lambda: self.client.call("DBSIZE") == 3, "three keys to leave")
        self.assertEqual(sorted(self.client.call("KEYS", "*")),
                         [b"forever", b"longer", b"replaced"])
        self.assertEqual(self.client.call("PTTL", "replaced"), -1)

    def test_every_database_expires_and_swaps(self):
        for database in range(16):
            self.client.call("SELECT", database)
            self.client.call("SET", "k", "v", "PX", 80)
        self.client.call("SWAPDB", 3, 9)

        def empty():
            return "db" not in self.client.call("INFO", "keyspace").decode().replace("# Key", "")
        self.wait_for(empty, "all databases to be empty")
        self.client.call("SELECT", 0)

    def test_the_past_deletes_at_once(self):
        self.client.call("SET", "k", "v")
        self.assertEqual(self.client.call("EXPIREAT", "k", 1), 1)
        self.assertEqual(self.client.call("DBSIZE"), 0)
        self.client.call("SET", "k", "v")
        self.assertEqual(self.client.call("PEXPIRE", "k", -5), 1)
        self.assertEqual(self.client.call("EXISTS", "k"), 0)
