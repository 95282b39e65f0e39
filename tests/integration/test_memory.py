"""Memory at its end, and memory that returns."""
import resource
import time

from case import ServerTest, only_aeris

MIB = 1 << 20
OOM = b"OOM command not allowed when used memory > 'maxmemory'."


def limit_addresses():
    resource.setrlimit(resource.RLIMIT_AS, (512 * MIB, 512 * MIB))


@only_aeris("the reference ends when memory does")
class EndOfMemory(ServerTest):
    def setUp(self):
        super().setUp()
        if self.light or self.sanitized:
            self.skipTest("a sanitizer needs addresses of its own")
        self.server = self.start_server(preexec=limit_addresses)
        self.client = self.connect()

    def fill(self, size):
        """SETs in batches until one is refused; returns how many were stored."""
        stored = 0
        value = b"v" * size
        while True:
            replies = self.client.pipeline([("SET", f"key:{size}:{stored + i}", value)
                                            for i in range(1000)])
            accepted = sum(reply == b"OK" for reply in replies)
            stored += accepted
            self.assertLess(stored * size, 1024 * MIB)
            if accepted < len(replies):
                self.assertEqual({bytes(reply) for reply in replies} - {b"OK"}, {OOM})
                return stored

    def test_a_write_that_does_not_fit_is_refused_and_changes_nothing(self):
        stored = self.fill(1000)
        self.assertGreater(stored, 10000)
        self.assertEqual(self.client.call("DBSIZE"), stored)
        key = "key:1000:7"
        for command in (("SET", "new", "v" * 1000), ("APPEND", key, "v" * 500),
                        ("SETRANGE", key, 1500, "v"), ("SETBIT", key, 8 * 1500, 1),
                        ("BITFIELD", key, "SET", "u8", 8 * 1500, 1),
                        ("SET", key, "v" * 1400, "GET"), ("GETSET", key, "v" * 1400),
                        ("COPY", key, "copy"), ("RENAME", key, "renamed"),
                        ("MSETNX", "a", "v" * 1000, "b", "v" * 1000),
                        ("MSET", "a", "v" * 1000, "b", "v" * 1000),
                        ("MSETEX", 2, "a", "v" * 1000, "b", "v" * 1000, "NX", "EX", 100),
                        ("SET", key, "v" * 1400, "IFEQ", "v" * 1000),
                        ("BITOP", "NOT", "not", key),
                        ("SETRANGE", "huge", 500 * MIB, "v")):
            with self.subTest(command[0]):
                self.assertEqual(self.client.call(*command), OOM)
                self.assertEqual(self.client.call("DBSIZE"), stored)
                self.assertEqual(self.client.call("GET", key), b"v" * 1000)
        self.assertEqual(self.client.call("SET", key, "w" * 1000), b"OK")
        # What is deleted makes room again.
        for start in range(0, stored // 2, 1000):
            self.client.call("DEL", *[f"key:1000:{i}" for i in range(start, start + 1000)])
        self.assertGreater(self.fill(100), stored)
        self.assertEqual(self.client.call("FLUSHALL"), b"OK")
        self.wait_for(lambda: self.client.call("SET", "new", "v" * 1000) == b"OK", "room")
        self.assertTrue(self.server.alive())


class MemoryThatReturns(ServerTest):
    def settle(self, server, limit, seconds=15):
        deadline = time.monotonic() + seconds
        while server.rss() > limit and time.monotonic() < deadline:
            time.sleep(0.2)
        return server.rss()

    @only_aeris("the reference keeps it, or returns it later")
    def test_small_values_that_are_gone_leave_no_sparse_pages(self):
        if self.light or self.sanitized:
            self.skipTest("sanitizers keep freed memory")
        server = self.start_server({"enable-debug-command": "yes"})
        client = self.connect(server)
        empty = server.rss()
        self.assertEqual(client.call("DEBUG", "POPULATE", 1000000, "key", 64), b"OK")
        full = server.rss() - empty
        for start in range(0, 1000000, 10000):
            client.call("DEL", *[f"key:{i}" for i in range(start, start + 10000) if i % 4])
        left = self.settle(server, empty + full * 0.30) - empty
        self.assertLess(left, full * 0.32)
        self.assertEqual(client.call("DBSIZE"), 250000)
        self.assertEqual(client.call("STRLEN", "key:4"), 64)

    @only_aeris("the reference keeps it, or returns it later")
    def test_large_values_that_are_gone_leave_memory_while_the_server_is_idle(self):
        if self.light or self.sanitized:
            self.skipTest("sanitizers keep freed memory")
        server = self.start_server()
        client = self.connect(server)
        empty = server.rss()
        for i in range(64):
            client.call("SETRANGE", f"large:{i}", 2 * MIB - 1, "x")
            client.call("BITOP", "NOT", f"large:{i}", f"large:{i}")  # touches all of it
        self.assertGreater(server.rss() - empty, 120 * MIB)
        client.call("DEL", *[f"large:{i}" for i in range(64)])
        self.assertLess(self.settle(server, empty + 12 * MIB) - empty, 16 * MIB)
