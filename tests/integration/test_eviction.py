"""A server that holds its maxmemory: what is removed, what is refused, what INFO says."""
import time

from case import ServerTest, only_aeris

MIB = 1 << 20
LIMIT = 24 * MIB
OOM = b"OOM command not allowed when used memory > 'maxmemory'."
# What INFO itself takes while it looks.
SLACK = 16 << 10


class Eviction(ServerTest):
    def setUp(self):
        super().setUp()
        self.server = self.start_server({"maxmemory": str(LIMIT)})
        self.client = self.connect()

    def info(self, section, field):
        for line in self.client.call("INFO", section).decode().splitlines():
            if line.startswith(field + ":"):
                return line.split(":", 1)[1]
        self.fail(f"INFO {section} has no {field}")

    def used(self):
        return int(self.info("memory", "used_memory"))

    def assert_within(self, limit):
        self.assertLessEqual(self.used(), limit + SLACK)

    def fill(self, count, prefix, size=1000, options=()):
        """How many of as many SETs were accepted; every refusal is the OOM error."""
        accepted = 0
        value = b"v" * size
        for start in range(0, count, 500):
            replies = self.client.pipeline([("SET", f"{prefix}:{i}", value, *options)
                                            for i in range(start, min(count, start + 500))])
            accepted += sum(reply == b"OK" for reply in replies)
            self.assertLessEqual({bytes(reply) for reply in replies}, {b"OK", OOM})
        return accepted

    def use_policy(self, policy):
        self.assertEqual(self.client.call("CONFIG", "SET", "maxmemory-policy", policy), b"OK")
        self.assertEqual(self.info("memory", "maxmemory_policy"), policy)

    def exists(self, prefix, count):
        replies = self.client.pipeline([("EXISTS", f"{prefix}:{i}") for i in range(count)])
        return sum(replies)

    def test_noeviction_refuses_what_needs_memory_and_nothing_else(self):
        accepted = self.fill(40000, "key")
        self.assertLess(accepted, 30000)
        self.assertEqual(self.client.call("DBSIZE"), accepted)
        for command in (("SET", "new", "v"), ("LPUSH", "list", "v"), ("HSET", "hash", "f", "v"),
                        ("SETRANGE", "key:1", "2000", "v"), ("MSET", "a", "1"), ("INCR", "n"),
                        ("XADD", "stream", "*", "f", "v"), ("PFADD", "hll", "v")):
            self.assertEqual(self.client.call(*command), OOM, command)
        for command, reply in ((("GET", "key:1"), b"v" * 1000), (("EXPIRE", "key:1", "100"), 1),
                               (("PERSIST", "key:1"), 1), (("DEL", "key:2"), 1),
                               (("PING",), b"PONG")):
            self.assertEqual(self.client.call(*command), reply, command)
        self.assertEqual(self.info("stats", "evicted_keys"), "0")
        self.assertNotEqual(self.info("stats", "total_eviction_exceeded_time"), "0")
        # Removing makes room at once; more than buffers of clients take meanwhile.
        self.client.call("DEL", *[f"key:{i}" for i in range(100, 4100)])
        self.assertEqual(self.client.call("SET", "new", "v"), b"OK")

    def test_every_policy_for_all_keys_takes_every_write_and_holds_the_limit(self):
        for policy in ("allkeys-lru", "allkeys-lfu", "allkeys-random", "allkeys-s3fifo"):
            with self.subTest(policy):
                self.use_policy(policy)
                before = int(self.info("stats", "evicted_keys"))
                self.assertEqual(self.fill(40000, policy), 40000)
                self.assert_within(LIMIT)
                self.assertGreater(self.used(), LIMIT - 2 * MIB)
                self.assertGreater(int(self.info("stats", "evicted_keys")) - before, 10000)

    def test_volatile_policies_leave_keys_without_a_deadline(self):
        self.assertEqual(self.fill(5000, "lasting"), 5000)
        for policy in ("volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
                       "volatile-s3fifo"):
            with self.subTest(policy):
                self.use_policy(policy)
                self.assertEqual(self.fill(40000, policy, options=("EX", "10000")), 40000)
                self.assert_within(LIMIT)
                self.assertEqual(self.exists("lasting", 5000), 5000)
        # When there is no other key left, writes are refused.
        self.assertLess(self.fill(40000, "more"), 40000)
        self.assertLess(self.fill(500, "last"), 500)
        self.assertEqual(self.exists("lasting", 5000), 5000)

    def test_a_rare_key_with_a_deadline_is_found_and_nobody_waits_for_it(self):
        self.use_policy("volatile-ttl")
        self.client.call("CONFIG", "SET", "maxmemory", "0")
        accepted = 0
        for turn in range(20):
            # Also while the table grows.
            accepted += self.fill(3000 + 700 * turn, f"lasting:{turn}", size=10)
            self.client.call("SET", "rare", "v", "EX", "10000")
            # Below what an empty server takes, whichever build it is.
            self.client.call("CONFIG", "SET", "maxmemory", "1")
            self.assertEqual(self.client.call("PING"), b"PONG")
            self.wait_for(lambda: not self.client.call("EXISTS", "rare"), "the rare key goes")
            self.assertEqual(self.client.call("SET", "new", b"v"), OOM)
            self.client.call("CONFIG", "SET", "maxmemory", "0")
        self.assertEqual(self.client.call("DBSIZE"), accepted)

    def test_lru_keeps_what_is_used(self):
        self.use_policy("allkeys-lru")
        self.fill(4000, "hot")
        for turn in range(3):
            time.sleep(1.1)  # the clock of a key counts seconds
            self.assertEqual(self.exists("hot", 4000), 4000, turn)
            self.client.pipeline([("GET", f"hot:{i}") for i in range(4000)])
            self.fill(12000, f"cold:{turn}")
        self.assertGreater(self.exists("hot", 4000), 3900)

    def test_ttl_removes_what_would_go_soonest(self):
        self.use_policy("volatile-ttl")
        self.fill(6000, "late", options=("EX", "100000"))
        self.fill(6000, "soon", options=("EX", "1000"))
        self.fill(20000, "middle", options=("EX", "50000"))
        self.assertGreater(self.exists("late", 6000), 5900)
        self.assertLess(self.exists("soon", 6000), 1200)

    def test_a_lower_limit_is_reached_in_steps(self):
        self.use_policy("allkeys-lru")
        self.fill(18000, "key")
        self.assertEqual(self.client.call("CONFIG", "SET", "maxmemory", str(LIMIT // 3)), b"OK")
        self.assertEqual(self.client.call("PING"), b"PONG")
        # Meanwhile it answers, and takes what is small.
        answers = 0
        while self.used() > LIMIT // 3 + SLACK and answers < 100000:
            self.assertIn(self.client.call("GET", f"key:{answers}"), (None, b"v" * 1000))
            self.assertEqual(self.client.call("SET", "small", answers), b"OK")
            answers += 1
        self.wait_for(lambda: self.used() <= LIMIT // 3 + SLACK, "the lower limit is reached")
        self.assertGreater(self.client.call("DBSIZE"), 1000)
        # No limit, no removal.
        self.client.call("CONFIG", "SET", "maxmemory", "0")
        before = self.info("stats", "evicted_keys")
        self.assertEqual(self.fill(40000, "free"), 40000)
        self.assertEqual(self.info("stats", "evicted_keys"), before)

    @only_aeris("it logs nothing")
    def test_a_limit_that_cannot_be_met_is_said_once(self):
        said = "no key may be removed"
        self.fill(40000, "key")
        self.fill(2000, "more")
        self.assertEqual(self.server.output().count(said), 1)
        # A limit below what an empty server takes.
        self.client.call("FLUSHALL")
        self.assertEqual(self.client.call("CONFIG", "SET", "maxmemory", "1"), b"OK")
        self.use_policy("allkeys-lru")
        for _ in range(20):
            self.assertEqual(self.client.call("SET", "k", "v"), OOM)
            self.assertEqual(self.client.call("GET", "k"), None)
        self.assertEqual(self.server.output().count(said), 2)
        self.client.call("CONFIG", "SET", "maxmemory-samples", "7")
        self.assertEqual(self.client.call("SET", "k", "v"), OOM)
        self.assertEqual(self.server.output().count(said), 2)
        self.client.call("CONFIG", "SET", "maxmemory", str(LIMIT))
        self.assertEqual(self.client.call("SET", "k", "v"), b"OK")

    def test_large_values_of_all_types_count(self):
        self.use_policy("allkeys-random")
        for i in range(300):
            self.client.pipeline([("SADD", f"set:{i}", *[f"member:{j}" for j in range(2000)]),
                                  ("HSET", f"hash:{i}", *[f"f{j}" for j in range(2000)]),
                                  ("RPUSH", f"list:{i}", *[f"item:{j}" for j in range(2000)]),
                                  ("SET", f"string:{i}", b"v" * 100000)])
            self.assertLessEqual(self.used(), LIMIT + 100000)
        self.assertGreater(int(self.info("stats", "evicted_keys")), 500)

    @only_aeris("it removes all that it has for a value that can never fit")
    def test_a_payload_that_unpacks_to_more_than_the_limit_costs_no_other_key(self):
        self.server = self.start_server({"maxmemory": str(LIMIT), "enable-debug-command": "yes",
                                         "maxmemory-policy": "allkeys-lru"})
        self.client = self.connect()
        self.client.call("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 1)
        self.fill(1000, "key")
        for size, reply in ((2 * LIMIT, OOM), (MIB, b"OK")):
            # LZF: a byte, and copies of 264 bytes of what is before them.
            copies = size // 264
            packed = b"\0x" + b"\xe0\xff\0" * copies
            payload = (b"\0\xc3\x80" + len(packed).to_bytes(4, "big") + b"\x80" +
                       (1 + 264 * copies).to_bytes(4, "big") + packed + b"\x0a\0" + bytes(8))
            self.assertEqual(self.client.call("RESTORE", "unpacked", 0, payload), reply)
        self.assertEqual(self.client.call("STRLEN", "unpacked"), 1 + 264 * copies)
        self.assertEqual(self.client.call("DBSIZE"), 1001)
        self.assertEqual(self.info("stats", "evicted_keys"), "0")

    @only_aeris("it removes all that it has for a value that can never fit")
    def test_a_value_larger_than_the_limit_costs_no_other_key(self):
        self.use_policy("allkeys-lru")
        self.fill(10000, "key")
        self.client.call("SET", "half", b"v" * 1000)
        for command in (("SET", "huge", b"v" * (LIMIT + 1)), ("SET", "huge", b"v" * (LIMIT - 5000)),
                        ("SETRANGE", "huge", LIMIT, "v"),
                        ("SETRANGE", "half", LIMIT, "v"), ("SETBIT", "huge", 8 * LIMIT, "1"),
                        ("BITFIELD", "half", "SET", "u8", 8 * LIMIT, "1"),
                        ("APPEND", "half", b"v" * LIMIT)):
            with self.subTest(command=command[:2]):
                self.assertEqual(self.client.call(*command), OOM)
        self.assertEqual(self.client.call("STRLEN", "half"), 1000)
        self.assertEqual(self.client.call("EXISTS", "huge"), 0)
        self.assertEqual(self.client.call("DBSIZE"), 10001)
        self.assertEqual(self.info("stats", "evicted_keys"), "0")

    @only_aeris("it has no such policy")
    def test_large_keys_that_nobody_reads_do_not_push_out_small_ones(self):
        small = LIMIT // 2 // 1000
        self.use_policy("allkeys-s3fifo")
        self.fill(small, "key")
        for _ in range(3):
            self.client.pipeline([("GET", f"key:{i}") for i in range(small)])
        for i in range(20):
            self.client.call("SET", f"big:{i}", b"v" * (LIMIT // 10))
            self.assertEqual(self.client.call("STRLEN", f"big:{i}"), LIMIT // 10)
        self.assertGreater(self.exists("key", small), small * 0.9)
        self.assertLessEqual(self.exists("big", 20), 6)

    def test_readers_of_a_group_hear_that_their_stream_is_gone(self):
        self.use_policy("allkeys-random")
        self.client.call("XGROUP", "CREATE", "stream", "group", "$", "MKSTREAM")
        reader = self.connect()
        reader.send_command("XREADGROUP", "GROUP", "group", "me", "BLOCK", "0", "STREAMS", "stream", ">")
        self.wait_for(lambda: self.info("clients", "blocked_clients") == "1", "the reader waits")
        turn = 0
        while self.client.call("EXISTS", "stream"):
            self.fill(20000, f"turn:{turn}")
            turn += 1
            self.assertLess(turn, 100)
        self.assertEqual(reader.read_raw(), b"-UNBLOCKED the stream key no longer exists\r\n")

    def test_resetstat_clears_the_counters(self):
        self.use_policy("allkeys-random")
        self.fill(40000, "key")
        self.assertNotEqual(self.info("stats", "evicted_keys"), "0")
        self.client.call("CONFIG", "RESETSTAT")
        self.assertEqual(self.info("stats", "evicted_keys"), "0")
        self.assertEqual(self.info("stats", "current_eviction_exceeded_time"), "0")
