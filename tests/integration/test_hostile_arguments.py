"""Well-framed commands whose arguments are chosen to hurt: numbers at their ends, and
requests that would take long if done the simple way."""
import time

from case import ServerTest
from wire import ErrorReply, encode

MAX = 2 ** 63 - 1
MIN = -2 ** 63


class Numbers(ServerTest):
    shared_directives = {"enable-debug-command": "yes"}

    def setUp(self):
        super().setUp()
        self.client = self.connect()
        self.client.call("FLUSHALL")

    def expect(self, reply, *command):
        self.assertEqual(self.client.raw(*command), reply, command)

    def test_counters_stop_at_their_ends(self):
        overflow = b"-ERR increment or decrement would overflow\r\n"
        self.client.call("SET", "n", MAX)
        self.expect(overflow, "INCR", "n")
        self.expect(overflow, "INCRBY", "n", MAX)
        self.expect(b"$19\r\n%d\r\n" % MAX, "GET", "n")
        self.client.call("SET", "n", MIN)
        self.expect(overflow, "DECR", "n")
        self.expect(b"-ERR decrement would overflow\r\n", "DECRBY", "n", MIN)
        self.expect(b"$20\r\n%d\r\n" % MIN, "GET", "n")

    def test_incrbyfloat_refuses_what_it_could_not_store(self):
        for increment in ("inf", "-inf", "+inf", "nan"):
            with self.subTest(increment=increment):
                self.assertTrue(self.client.raw("INCRBYFLOAT", "f", increment).startswith(b"-ERR "))
        self.client.call("SET", "f", "1.1e4932")
        self.expect(b"-ERR increment would produce NaN or Infinity\r\n",
                    "INCRBYFLOAT", "f", "1.1e4932")
        self.expect(b"$8\r\n1.1e4932\r\n", "GET", "f")

    def test_growth_is_bounded_and_a_refusal_changes_nothing(self):
        too_long = b"-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n"
        self.expect(too_long, "SETRANGE", "s", 536870912, "x")
        self.expect(too_long, "SETRANGE", "s", MAX, "x")
        self.expect(b"-ERR offset is out of range\r\n", "SETRANGE", "s", -1, "x")
        self.expect(b":0\r\n", "SETRANGE", "s", 1000, "")
        not_bit = b"-ERR bit offset is not an integer or out of range\r\n"
        for offset in (4294967296, MAX, -1, MIN, "1e3", ""):
            self.expect(not_bit, "SETBIT", "s", offset, 1)
        self.expect(not_bit, "BITFIELD", "s", "SET", "u8", 4294967296, 1)
        self.expect(not_bit, "BITFIELD", "s", "SET", "u63", "#%d" % MAX, 1)
        self.expect(b":0\r\n", "EXISTS", "s")

    def test_append_stops_at_the_bulk_limit(self):
        server = self.start_server({"proto-max-bulk-len": "1mb"})
        client = self.connect(server)
        client.call("SET", "s", b"x" * 1048576)
        self.assertEqual(client.raw("APPEND", "s", "y"),
                         b"-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n")
        self.assertEqual(client.call("STRLEN", "s"), 1048576)

    def test_deadlines_that_overflow_leave_the_key_untouched(self):
        self.client.call("SET", "k", "v")
        for command, value in (("EXPIRE", MAX), ("EXPIRE", MIN), ("EXPIRE", MAX // 1000 + 1),
                               ("PEXPIRE", MAX), ("EXPIREAT", MAX), ("EXPIREAT", MIN)):
            self.expect(b"-ERR invalid expire time in '%s' command\r\n" % command.lower().encode(),
                        command, "k", value)
        self.expect(b"-ERR invalid expire time in 'set' command\r\n", "SET", "k", "w", "EX", MAX)
        self.expect(b"-ERR invalid expire time in 'setex' command\r\n", "SETEX", "k", MAX, "w")
        self.expect(b"-ERR invalid expire time in 'getex' command\r\n", "GETEX", "k", "PX", MAX)
        self.expect(b"$1\r\nv\r\n", "GET", "k")
        self.expect(b":-1\r\n", "PTTL", "k")

    def test_any_64_bit_cursor_answers(self):
        for cursor in (2 ** 64 - 1, 2 ** 63, 2 ** 63 - 1, 1, 12345678901234567890):
            reply = self.client.call("SCAN", cursor)
            self.assertEqual(len(reply), 2, reply)
        for cursor in (2 ** 64, "-", "abc", "1 "):
            self.expect(b"-ERR invalid cursor\r\n", "SCAN", cursor)
        self.expect(b"-ERR value is not an integer or out of range\r\n", "SCAN", 0, "COUNT", "x")
        self.expect(b"-ERR syntax error\r\n", "SCAN", 0, "COUNT", 0)

    def test_a_scan_count_of_any_size_is_bounded_work(self):
        self.client.pipeline([("SET", f"k{index}", "v") for index in range(1000)])
        cursor, keys = self.client.call("SCAN", 0, "COUNT", MAX)
        self.assertEqual(cursor, b"0")
        self.assertEqual(len(set(keys)), 1000)

    def test_msetnx_may_name_a_key_twice(self):
        self.expect(b":1\r\n", "MSETNX", "a", 1, "a", 2, "b", 3, "a", 4)
        self.expect(b"*2\r\n$1\r\n4\r\n$1\r\n3\r\n", "MGET", "a", "b")
        self.expect(b":0\r\n", "MSETNX", "c", 1, "c", 2, "a", 9)
        self.expect(b":0\r\n", "EXISTS", "c")

    def test_getkeys_compares_counts_with_what_is_there(self):
        for command in (("EVAL", "x", MAX, "k"), ("EVAL", "x", -1, "k"), ("EVAL", "x", "k"),
                        ("ZUNION", 4294967295, "a"), ("LMPOP", MAX, "a", "LEFT"), ("SET",), ()):
            reply = self.client.call("COMMAND", "GETKEYS", *command)
            self.assertTrue(isinstance(reply, ErrorReply) or reply == [], command)
        self.assert_serves()

    def test_lengths_and_ranges_at_their_ends(self):
        self.client.call("SET", "s", "hello")
        for start in (MIN, -100, 0, 4, MAX):
            for end in (MIN, -100, -1, 0, MAX):
                reply = self.client.call("GETRANGE", "s", start, end)
                first = max(start + 5, 0) if start < 0 else start
                last = end + 5 if end < 0 else min(end, 4)
                last = max(last, 0)
                crossed = start < 0 and end < 0 and start > end
                expected = b"" if crossed or first > last else b"hello"[first:last + 1]
                self.assertEqual(reply, expected, (start, end))
                self.assertIsInstance(self.client.call("BITCOUNT", "s", start, end), int)
                self.assertIsInstance(self.client.call("BITPOS", "s", 1, start, end, "BIT"), int)

    DRAWS = (("SRANDMEMBER", "s", ""), ("HRANDFIELD", "h", "WITHVALUES"),
             ("ZRANDMEMBER", "z", "WITHSCORES"))

    def fill_for_draws(self, client):
        for command in ("SADD s 1 2 3", "HSET h 1 a 2 b 3 c", "ZADD z 1 1 2 2 3 3"):
            client.call(*command.split())

    def test_counts_of_random_members_have_one_range(self):
        self.fill_for_draws(self.client)
        for command, key, option in self.DRAWS:
            self.expect(b"-ERR value is out of range, value must between -9223372036854775807 and "
                        b"9223372036854775807\r\n", command, key, MIN)
            for count in (MIN - 1, MAX + 1, "x"):
                self.expect(b"-ERR value is not an integer or out of range\r\n", command, key, count)
            self.assertEqual(len(self.client.call(command, key, MAX)), 3)
            self.expect(b"*0\r\n", command, "none", -MAX)
            self.expect(b"-ERR syntax error\r\n", command, key, 1, "nonsense")
            if option:
                for count in (2 ** 62, -2 ** 62, MAX, -MAX):
                    self.expect(b"-ERR value is out of range\r\n", command, key, count, option)
                self.assertEqual(len(self.client.call(command, key, 2 ** 62 - 1, option)), 6)

    def test_draws_without_end_cut_the_client_and_take_bounded_memory(self):
        server = self.start_server({"client-output-buffer-limit":
                                    "normal 16mb 0 0" if self.light else "normal 0 0 0"})
        client = self.connect(server)
        self.fill_for_draws(client)
        for command, key, option in self.DRAWS:
            requests = [(command, key, -MAX)]
            requests += [(command, key, -2 ** 62 + 1, option)] if option else []
            for request in requests:
                with self.subTest(request=request):
                    with self.connect(server, timeout=120) as greedy:
                        greedy.send_command(*request)
                        self.assertEqual(greedy.read_to_end(), b"")
                    with self.connect(server) as deaf:
                        deaf.send(encode("CLIENT", "REPLY", "OFF") + encode(*request) +
                                  encode("CLIENT", "REPLY", "ON"))
                        self.assertEqual(deaf.read_raw(), b"+OK\r\n")
        self.assertEqual(client.call("PING"), b"PONG")
        if not self.light:
            self.assertLess(server.peak_rss(), 640 << 20)

    def test_restore_verifies_the_checksum_unless_debug_says_not_to(self):
        self.client.call("SET", "k", "value")
        payload = self.client.call("DUMP", "k")
        damaged = payload[:-8] + bytes(8)
        newer = payload[:-10] + b"\xff\x7f" + bytes(8)
        refusal = b"-ERR DUMP payload version or checksum are wrong\r\n"
        self.expect(refusal, "RESTORE", "copy", 0, damaged)
        self.expect(b"+OK\r\n", "DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 1)
        self.addCleanup(self.client.call, "DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 0)
        self.expect(refusal, "RESTORE", "copy", 0, newer)
        self.expect(refusal, "RESTORE", "copy", 0, "short")
        self.expect(b"+OK\r\n", "RESTORE", "copy", 0, damaged)
        self.expect(b"$5\r\nvalue\r\n", "GET", "copy")
        self.expect(b"+OK\r\n", "DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 0)
        self.expect(refusal, "RESTORE", "again", 0, damaged)
        self.assertIn(b"SET-SKIP-CHECKSUM-VALIDATION <0|1>", self.client.call("DEBUG", "HELP"))

    def test_config_set_is_all_or_nothing(self):
        before = self.client.call("CONFIG", "GET", "hz", "maxmemory")
        for attempt in (("hz", "20", "maxmemory", "junk"), ("hz", "20", "nosuch", "1"),
                        ("hz", "20", "hz", "30"), ("maxmemory", "1gb", "hz", "")):
            self.assertIsInstance(self.client.call("CONFIG", "SET", *attempt), ErrorReply, attempt)
            self.assertEqual(self.client.call("CONFIG", "GET", "hz", "maxmemory"), before)

    def test_config_values_out_of_range_are_refused(self):
        for attempt in (("client-output-buffer-limit", "nosuch 1 1 1"),
                        ("client-output-buffer-limit", "normal 1 1"),
                        ("client-output-buffer-limit", "normal -1 1 1"),
                        ("maxclients", "0"), ("maxclients", "-5"), ("maxclients", "1e3"),
                        ("timeout", "-1"), ("proto-max-bulk-len", "1"), ("hz", "2.5"),
                        ("loglevel", "loud"),
                        ("databases", "4"), ("nosuch", "x")):
            self.assertIsInstance(self.client.call("CONFIG", "SET", *attempt), ErrorReply, attempt)


class Time(ServerTest):
    shared_directives = {}

    def setUp(self):
        super().setUp()
        self.client = self.connect()

    def seconds(self, *command):
        began = time.monotonic()
        reply = self.client.call(*command)
        return reply, time.monotonic() - began

    def test_patterns_of_many_stars_are_linear(self):
        self.client.call("FLUSHALL")
        self.client.pipeline([("SET", b"a" * 200 + b"%d" % index, "v") for index in range(50)])
        for pattern in (b"a*" * 200 + b"b", b"*" * 2000 + b"b", b"*a" * 150 + b"*b",
                        b"*?" * 300, b"[a-z]*" * 150 + b"Z"):
            with self.subTest(pattern=pattern[:10]):
                reply, seconds = self.seconds("KEYS", pattern)
                self.assertEqual(reply, [])
                self.assertLess(seconds, 2.0)
                reply, seconds = self.seconds("SCAN", 0, "MATCH", pattern, "COUNT", 1000)
                self.assertEqual(reply[1], [])
                self.assertLess(seconds, 2.0)
        reply, _ = self.seconds("KEYS", b"*a" * 100 + b"*7")
        self.assertEqual(len(reply), 5)

    def test_long_and_deep_patterns_are_survived(self):
        self.client.call("SET", b"[" * 5000, "v")
        for pattern in (b"[" * 100000, b"\\" * 100001, b"*" * 100000, b"[^" * 50000, b"[a-" * 30000,
                        b"?" * 100000, b"*[" * 50000):
            with self.subTest(pattern=pattern[:4]):
                _, seconds = self.seconds("KEYS", pattern)
                self.assertLess(seconds, 5.0)
                self.client.call("CONFIG", "GET", pattern)
                self.client.call("COMMAND", "LIST", "FILTERBY", "PATTERN", pattern)
        self.assert_serves()

    def test_flushing_and_deleting_many_keys_does_not_hold_up_others(self):
        count = 20000 if self.light else 300000
        other = self.connect()
        for command in (("FLUSHALL", "ASYNC"), ("FLUSHDB",)):
            self.fill(count)
            self.client.send_command(*command)
            worst = 0.0
            for _ in range(20):
                began = time.monotonic()
                self.assertEqual(other.raw("PING"), b"+PONG\r\n")
                worst = max(worst, time.monotonic() - began)
            self.assertEqual(self.client.read_raw(), b"+OK\r\n")
            self.assertEqual(other.call("DBSIZE"), 0)
            self.assertLess(worst, 5.0 if self.light else 1.0)

    def fill(self, count):
        for start in range(0, count, 10000):
            pairs = []
            for index in range(start, min(start + 10000, count)):
                pairs += [b"key:%d" % index, b"some value of a few bytes"]
            self.client.send(encode("MSET", *pairs))
            self.assertEqual(self.client.read_raw(), b"+OK\r\n")

    def test_a_million_arguments_are_one_request(self):
        count = 50000 if self.light else 1000000
        reply = self.client.call("EXISTS", *[b"nokey"] * count)
        self.assertEqual(reply, 0)
