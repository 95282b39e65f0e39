"""maxmemory-db: a database with a limit and a policy of its own."""
from case import ServerTest

MIB = 1 << 20
OOM = b"OOM command not allowed when used memory > 'maxmemory'."


class DatabaseLimits(ServerTest):
    def start(self, directives):
        self.server = self.start_server({name: value.split() for name, value in directives.items()})
        self.client = self.connect()

    def info(self, section, field, client=None):
        for line in (client or self.client).call("INFO", section).decode().splitlines():
            if line.startswith(field + ":"):
                return line.split(":", 1)[1]
        self.fail(f"INFO {section} has no {field}")

    def database(self, number):
        fields = (self.info("keyspace", f"db{number}").split(",")
                  + self.info("cache", f"cache_db{number}").split(","))
        return dict(field.split("=") for field in fields)

    def fill(self, database, count, prefix="key", size=1000, options=()):
        """How many of as many SETs were accepted; every refusal is the OOM error."""
        self.assertEqual(self.client.call("SELECT", str(database)), b"OK")
        accepted = 0
        for start in range(0, count, 500):
            replies = self.client.pipeline([("SET", f"{prefix}:{i}", b"v" * size, *options)
                                            for i in range(start, min(count, start + 500))])
            accepted += sum(reply == b"OK" for reply in replies)
            self.assertLessEqual({bytes(reply) for reply in replies}, {b"OK", OOM})
        return accepted

    def test_a_cache_and_a_queue_in_one_process(self):
        self.start({"maxmemory-db": f"0 {4 * MIB} allkeys-s3fifo 1 {2 * MIB} noeviction"})
        self.assertEqual(self.fill(0, 20000), 20000)
        self.assertLessEqual(int(self.database(0)["bytes"]), 4 * MIB)
        self.assertGreater(int(self.database(0)["bytes"]), 3 * MIB)
        self.assertGreater(int(self.database(0)["evicted"]), 10000)
        accepted = self.fill(1, 5000)
        self.assertLess(accepted, 2500)
        self.assertEqual(self.client.call("DBSIZE"), accepted)
        self.assertEqual(self.client.call("LPUSH", "list", "v"), OOM)
        self.assertEqual(int(self.database(1)["evicted"]), 0)
        # A third has no limit.
        self.assertEqual(self.fill(2, 10000), 10000)
        self.assertEqual(self.client.call("DBSIZE"), 10000)
        limits = [dict(field.split("=") for field in self.info("cache", f"cache_db{i}").split(","))
                  for i in range(3)]
        self.assertEqual([int(fields["limit"]) for fields in limits], [4 * MIB, 2 * MIB, 0])
        self.assertEqual(limits[0]["evicted"], self.database(0)["evicted"])
        self.assertEqual([self.database(i)["policy"] for i in range(3)],
                         ["allkeys-s3fifo", "noeviction", "noeviction"])

    def test_no_command_gets_past_the_limit_of_another_database(self):
        self.start({"maxmemory-db": f"1 {MIB} noeviction 2 {MIB} allkeys-lru"})
        self.fill(1, 2000)
        full = int(self.database(1)["bytes"])
        self.client.call("SELECT", 0)
        self.client.call("SET", "k", b"v" * 50000)
        self.assertEqual(self.client.call("COPY", "k", "copy", "DB", 1), OOM)
        self.assertEqual(self.client.call("MOVE", "k", 1), OOM)
        self.assertEqual(self.client.pipeline([("MULTI",), ("SELECT", 1), ("SET", "new", b"v" * 1000),
                                               ("DEL", "key:0"), ("SELECT", 0), ("EXEC",)])[-1],
                         [b"OK", OOM, 1, b"OK"])
        self.assertLessEqual(int(self.database(1)["bytes"]), full)
        # One that is too large for a database costs it no other key.
        self.fill(2, 500)
        self.client.call("SELECT", 0)
        self.client.call("SET", "huge", b"v" * (2 * MIB))
        self.assertEqual(self.client.call("COPY", "huge", "huge", "DB", 2), OOM)
        self.assertEqual(self.client.call("MOVE", "huge", 2), OOM)
        self.assertEqual(self.client.call("COPY", "k", "copy", "DB", 2), 1)
        self.client.call("SELECT", 2)
        self.assertEqual(self.client.call("DBSIZE"), 501)

    def test_the_policy_is_that_of_the_selected_database(self):
        self.start({"maxmemory-db": "0 4mb allkeys-s3fifo 1 0 allkeys-lfu",
                    "maxmemory-policy": "volatile-ttl"})
        seen = []
        for database in range(3):
            self.client.call("SELECT", str(database))
            seen.append(self.info("memory", "maxmemory_policy"))
        self.assertEqual(seen, ["allkeys-s3fifo", "allkeys-lfu", "volatile-ttl"])
        for database, kept in ((0, "IDLETIME"), (1, "FREQ"), (2, "IDLETIME")):
            self.client.call("SELECT", str(database))
            self.client.call("SET", "key", "value")
            self.assertIsInstance(self.client.call("OBJECT", kept, "key"), int)

    def test_the_limit_of_all_takes_no_key_of_a_database_that_keeps_its(self):
        self.start({"maxmemory": str(16 * MIB), "maxmemory-policy": "allkeys-lru",
                    "maxmemory-db": "1 0 noeviction 2 0 allkeys-s3fifo"})
        self.assertEqual(self.fill(1, 5000, "job"), 5000)
        self.assertEqual(self.fill(2, 10000), 10000)
        self.assertEqual(self.fill(0, 30000), 30000)
        self.client.call("SELECT", "1")
        self.assertEqual(self.client.call("DBSIZE"), 5000)
        # The two others have given according to what they take.
        self.assertGreater(int(self.database(0)["evicted"]), 10000)
        self.assertGreater(int(self.database(2)["evicted"]), 1000)
        self.assertGreater(int(self.database(2)["keys"]), 100)
        # Where nothing is left to give, the queue's writes are refused too.
        for database in (0, 2):
            self.client.call("SELECT", str(database))
            self.client.call("FLUSHDB")
        self.assertLess(self.fill(1, 30000, "more"), 30000)

    def test_hits_misses_and_policies_stay_with_the_number(self):
        self.start({"maxmemory-db": "0 4mb allkeys-lru"})
        self.client.call("SET", "key", "value")
        self.client.pipeline([("GET", "key"), ("GET", "key"), ("GET", "absent")])
        self.client.call("SWAPDB", "0", "1")
        self.client.call("SET", "other", "value")
        self.assertEqual({name: self.database(0)[name] for name in ("keys", "hits", "misses", "policy")},
                         {"keys": "1", "hits": "2", "misses": "1", "policy": "allkeys-lru"})
        self.assertEqual(self.database(1)["policy"], "noeviction")
        self.client.call("FLUSHALL")
        self.client.call("SET", "key", "value")
        self.assertEqual(self.database(0)["hits"], "2")
        self.assertEqual(self.info("stats", "keyspace_hits"), "2")
        self.client.call("CONFIG", "RESETSTAT")
        self.assertEqual(self.database(0)["hits"], "0")

    def test_limits_change_while_running(self):
        self.start({})
        self.assertEqual(self.fill(0, 10000), 10000)
        self.assertEqual(self.client.call("CONFIG", "SET", "maxmemory-db", "0 2mb allkeys-random"),
                         b"OK")
        self.assertEqual(self.client.call("PING"), b"PONG")
        self.wait_for(lambda: int(self.database(0)["bytes"]) <= 2 * MIB, "the limit holds")
        self.assertEqual(self.client.call("CONFIG", "GET", "maxmemory-db"),
                         [b"maxmemory-db", b"0 2097152 allkeys-random"])
        self.assertEqual(self.client.call("CONFIG", "SET", "maxmemory-db", ""), b"OK")
        keys = self.client.call("DBSIZE")
        self.assertEqual(self.fill(0, 3000, "more"), 3000)
        self.assertEqual(self.client.call("DBSIZE"), keys + 3000)

    def test_mistakes_change_nothing(self):
        self.start({"maxmemory-db": "0 4mb allkeys-lru"})
        for text in ("0", "x 4mb", "0 much", "-1 4mb", "0 4mb sometimes", "0 4mb allkeys-lru 1",
                     "16 4mb", "4294967296 1"):
            with self.subTest(text):
                reply = self.client.raw("CONFIG", "SET", "maxmemory-db", text)
                self.assertTrue(reply.startswith(b"-ERR CONFIG SET failed"), reply)
                self.assertEqual(self.client.call("CONFIG", "GET", "maxmemory-db"),
                                 [b"maxmemory-db", b"0 4194304 allkeys-lru"])
                self.assertEqual(self.database_policy(), "allkeys-lru")

    def database_policy(self):
        return self.info("memory", "maxmemory_policy")
