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
        self.server = self.start_server({"enable-debug-command": "yes"}, preexec=limit_addresses)
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


    def used(self):
        return int(self.server.info("memory")["used_memory"])

    def test_huge_arguments_that_cannot_be_stored_are_refused(self):
        # Received it can be, but not copied.
        value = b"v" * (48 * MIB)
        self.assertEqual(self.client.call("SETRANGE", "room", 60 * MIB, "v"), 60 * MIB + 1)
        self.assertEqual(self.client.call("RPUSH", "list", "item"), 1)
        before = self.used()
        for command in (("LPUSH", "list", value), ("RPUSH", "new", value),
                        ("LSET", "list", 0, value), ("LINSERT", "list", "BEFORE", "item", value),
                        ("XADD", "stream", "*", "field", value), ("RESTORE", "new", 0, value)):
            with self.subTest(command[0]):
                self.assertEqual(self.client.call(*command), OOM)
        self.assertEqual(self.client.call("DBSIZE"), 2)
        self.assertEqual(self.client.call("LRANGE", "list", 0, -1), [b"item"])
        self.wait_for(lambda: self.used() < before + MIB, "what the requests took is back")

    def test_a_request_that_cannot_be_received_ends_its_connection_alone(self):
        small = b"$1000\r\n" + b"v" * 1000 + b"\r\n"
        for name, head, piece in (
                ("one argument", b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000\r\n", b"v" * MIB),
                ("many arguments", b"*1000000\r\n$4\r\nSADD\r\n$1\r\nk\r\n", small * 1000)):
            with self.subTest(name):
                client = self.connect()
                # The error may be lost with what the server did not read.
                with self.assertRaises((BrokenPipeError, ConnectionResetError, AssertionError)):
                    client.send(head)
                    for _ in range(490):
                        client.send(piece)
                    self.assertEqual(client.read_reply(), b"no reply but an error")
                self.assertEqual(self.client.call("PING"), b"PONG")
                self.assertEqual(self.client.call("EXISTS", "k"), 0)

    def test_a_reply_that_cannot_be_built_is_an_error(self):
        size = 150 * MIB
        self.assertEqual(self.client.call("SETRANGE", "string", size - 1, "v"), size)
        before = self.used()
        for command in (("GETRANGE", "string", 0, -2), ("DUMP", "string"),
                        ("COPY", "string", "copy"), ("BITOP", "NOT", "not", "string")):
            with self.subTest(command[0]):
                self.assertEqual(self.client.call(*command), OOM)
        # The value itself is sent from where it is.
        self.assertEqual(len(self.client.call("GET", "string")), size)
        self.assertEqual(self.client.call("DBSIZE"), 1)
        self.wait_for(lambda: self.used() < before + MIB, "what the replies took is back")

    def test_what_has_no_room_to_be_sorted_is_an_error(self):
        members = [str(i) for i in range(100000)]
        for start in range(0, 2000000, 100000):
            self.assertEqual(
                self.client.call("RPUSH", "list", *[start + i for i in range(100000)]),
                start + 100000)
        self.assertEqual(self.client.call("SORT", "list", "STORE", "sorted"), OOM)
        self.assertEqual(self.client.call("SORT", "list", "LIMIT", 0, 10), OOM)
        self.assertEqual(self.client.call("EXISTS", "sorted"), 0)
        self.assertEqual(self.client.call("RPUSH", "short", *members[::-1]), len(members))
        self.assertEqual(self.client.call("SORT", "short", "LIMIT", 0, 2), [b"0", b"1"])

    def test_texts_too_large_for_lcs_are_not_copied(self):
        self.assertEqual(self.client.call("SETRANGE", "big", 150000000, "x"), 150000001)
        for option in ((), ("LEN",), ("IDX",)):
            self.assertEqual(self.client.raw("LCS", "big", "big", *option),
                             b"-ERR Insufficient memory, transient memory for LCS exceeds "
                             b"proto-max-bulk-len\r\n")
        self.client.call("MSET", "a", "ohmytext", "b", "mynewtext")
        self.assertEqual(self.client.call("LCS", "a", "b"), b"mytext")
        self.client.call("MSET", "a", "12345", "b", "235")
        self.assertEqual(self.client.call("LCS", "a", "b"), b"235")

    def test_a_large_value_can_be_deleted_when_there_is_no_memory(self):
        for start in range(0, 500000, 100000):
            self.client.call("RPUSH", "list", *[f"item {start + i}" for i in range(100000)])
        self.leave(0)
        self.assertEqual(self.client.call("DEL", "list"), 1)
        self.assertEqual(self.client.call("PING"), b"PONG")
        # A client whose request cannot be received is cut, so nobody asks for room before it is there.
        self.wait_for(lambda: self.server.info("memory")["lazyfree_pending_objects"] == "0",
                      "the list is freed")
        self.wait_for(lambda: self.client.call("SET", "new", "v" * MIB) == b"OK", "room")

    def leave(self, mib):
        """Fills memory to its end, and then makes room for so much."""
        count = int(self.client.call("GET", "fillers") or 0)
        while self.client.call("SETRANGE", f"filler:{count}", MIB - 1, "x") == MIB:
            count += 1
        for _ in range(mib):
            count -= 1
            self.client.call("DEL", f"filler:{count}")
        self.client.call("SET", "fillers", count)

    def fill_collections(self, count):
        for start in range(0, count, 10000):
            numbers = range(start, start + 10000)
            self.client.pipeline([
                ("SADD", "s", *(f"member {i}" for i in numbers)),
                ("HSET", "h", *(word for i in numbers for word in (f"field {i}", f"value {i}"))),
                ("ZADD", "z", *(word for i in numbers for word in (i, f"member {i}"))),
                ("GEOADD", "g", *(word for i in numbers
                                  for word in (i % 1000 / 1000, i / count, f"place {i}")))])
        self.client.call("XGROUP", "CREATE", "x", "group", "0", "MKSTREAM")
        for start in range(0, count // 3, 1000):
            self.client.pipeline([("XADD", "x", f"1-{start + i + 1}", "field", "value")
                                  for i in range(1000)])
        self.client.call("XREADGROUP", "GROUP", "group", "one", "COUNT", count, "STREAMS", "x", ">")

    def test_what_is_gathered_for_a_reply_and_does_not_fit_is_an_error(self):
        count = 300000
        self.fill_collections(count)
        draws = 2 * count // 3
        commands = [command.split() for command in (
            f"SSCAN s 0 COUNT {count}", f"HSCAN h 0 COUNT {count}", f"ZSCAN z 0 COUNT {count}",
            f"SCAN 0 COUNT {count}", f"SRANDMEMBER s {draws}", f"SRANDMEMBER s {count // 4}",
            f"HRANDFIELD h {draws}", f"HRANDFIELD h {draws} WITHVALUES",
            f"HRANDFIELD h {count // 4}", f"ZRANDMEMBER z {count // 5} WITHSCORES",
            "GEOSEARCH g FROMLONLAT 0 0 BYRADIUS 5000 km WITHDIST",
            "GEORADIUS g 0 0 5000 km WITHHASH", "DEBUG OBJECT h",
            "GEOSEARCHSTORE d g FROMLONLAT 0 0 BYRADIUS 5000 km",
            "GEORADIUS g 0 0 5000 km STORE d", "ZRANGESTORE d z 0 -1",
            f"SPOP s {draws}", f"SPOP s {count // 4}", f"ZMPOP 1 z MIN COUNT {draws}",
            f"XAUTOCLAIM x group two 0 - COUNT {count // 3}")]
        refused = set()
        for room in (1, 2, 4, 8, 16):
            self.leave(room)
            for command in commands:
                with self.subTest(room=room, command=command):
                    before = self.client.call("SCARD", "s"), self.client.call("ZCARD", "z")
                    if self.client.call(*command) == OOM:
                        refused.add(command[0])
                        after = self.client.call("SCARD", "s"), self.client.call("ZCARD", "z")
                        self.assertEqual(before, after)
                    self.client.call("UNLINK", "d")
            # Ten elements need no more memory than before.
            self.assertEqual(len(self.client.call("SRANDMEMBER", "s", 10)), 10)
            self.assertGreater(len(self.client.call("ZSCAN", "z", 0, "COUNT", 10)[1]), 0)
        self.assertLessEqual({"SSCAN", "ZSCAN", "GEOSEARCH", "SPOP", "DEBUG", "ZRANGESTORE"}, refused)

    def test_a_command_that_fails_half_way_leaves_a_true_account(self):
        self.assertEqual(self.client.call("SET", "key", "v"), b"OK")
        before = self.used()
        value = b"v" * MIB
        for command in (("HSET", *[word for i in range(40) for word in (f"f{i}", value)]),
                        ("SADD", *[b"%d" % i + value for i in range(40)])):
            with self.subTest(command[0]):
                stored = 0
                while True:
                    reply = self.client.call(command[0], f"key:{stored}", *command[1:])
                    if reply == OOM:
                        break
                    self.assertEqual(reply, 40)
                    stored += 1
                    self.assertLess(stored, 20)
                self.assertGreater(self.used(), before + stored * 40 * MIB)
                self.assertEqual(self.client.call("UNLINK", *[f"key:{i}" for i in range(stored + 1)])
                                 - stored in (0, 1), True)
                self.wait_for(lambda: self.used() < before + MIB, "all is back")
                self.assertEqual(self.client.call("DBSIZE"), 1)


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
