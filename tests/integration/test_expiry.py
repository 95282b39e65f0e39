"""Keys that are due leave by themselves, soon, and without a pause."""
import time

from case import ServerTest
from server import parse_info


class Expiry(ServerTest):
    shared_directives = {}

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
