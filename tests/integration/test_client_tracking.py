"""CLIENT TRACKING as a cache in a client uses it: nothing that it holds may be out of date."""
import time

from case import ServerTest, only_aeris
from wire import Push

KEYS = [f"k{i}" for i in range(40)]
READS = {b"string": ("GET",), b"list": ("LRANGE", "0", "-1"), b"set": ("SMEMBERS",),
         b"hash": ("HGETALL",), b"zset": ("ZRANGE", "0", "-1", "WITHSCORES"),
         b"stream": ("XRANGE", "-", "+"), b"none": ("GET",)}


def read_of(kind, key):
    name, *rest = READS[bytes(kind)]
    return (name, key, *rest)


class Reader:
    """A connection of RESP3 with a cache: what was read, by the key that it is of."""

    def __init__(self, connection, *options):
        self.connection = connection
        self.cache = {}
        self.messages = 0
        connection.call("HELLO", "3")
        assert connection.call("CLIENT", "TRACKING", "ON", *options) == b"OK"

    def call(self, *words):
        self.connection.send_command(*words)
        while isinstance(reply := self.connection.read_reply(), Push):
            self.take(reply)
        return reply

    def take(self, push):
        assert push[0] == b"invalidate", push
        self.messages += 1
        if push[1] is None:
            self.cache.clear()
        else:
            for key in push[1]:
                self.cache.pop(key.decode(), None)

    def read(self, key):
        if key not in self.cache:
            request = read_of(self.call("TYPE", key), key)
            self.cache[key] = (request, self.call(*request))
        return self.cache[key]


def random_write(random):
    key, other = random.choice(KEYS), random.choice(KEYS)
    value = str(random.randrange(1000))
    return random.choice([
        ("SET", key, value), ("SET", key, value, "PX", str(random.randrange(1, 60))), ("DEL", key),
        ("INCR", key), ("APPEND", key, value), ("GETDEL", key), ("RENAME", key, other),
        ("COPY", key, other, "REPLACE"), ("PEXPIRE", key, str(random.randrange(-1, 60))),
        ("RPUSH", key, value), ("LPOP", key), ("LMOVE", key, other, "LEFT", "RIGHT"),
        ("SADD", key, value), ("SPOP", key), ("SMOVE", key, other, value),
        ("SUNIONSTORE", key, other), ("HSET", key, "f", value), ("HDEL", key, "f"),
        ("HINCRBY", key, "n", "1"), ("ZADD", key, value, "m"), ("ZPOPMIN", key),
        ("ZRANGESTORE", key, other, "0", "-1"), ("XADD", key, "*", "f", value),
        ("XTRIM", key, "MAXLEN", "1"), ("MSET", key, value, other, value), ("UNLINK", key, other),
        ("SETBIT", key, "7", "1"), ("PFADD", key, value), ("SORT", key, "STORE", other),
        ("GETEX", key, "PX", "30"), ("SETRANGE", key, "3", value), ("LTRIM", key, "1", "0"),
        ("RESTORE", key, "0", "damaged"), ("MSETNX", key, value, other, value)])


class Tracking(ServerTest):
    shared_directives = {}

    def setUp(self):
        super().setUp()
        self.writer = self.connect()
        self.writer.call("FLUSHALL")

    def reader(self, *options):
        return Reader(self.connect(), *options)

    def field(self, name):
        return int(self.server.info()[name])

    def check_up_to_date(self, readers):
        """Once all that was sent has been heard, expiry included."""
        self.wait_for(lambda: not self.writer.call("RANDOMKEY") or
                      all(self.writer.call("PTTL", key) < 0 for key in KEYS), "keys to expire")
        time.sleep(0.3)
        for reader in readers:
            reader.call("PING")
            for key, (request, reply) in list(reader.cache.items()):
                kind = bytes(self.writer.call("TYPE", key))
                now = self.modern.call(*request)
                self.assertEqual(now, reply, f"{request}, which is of type {kind} now")

    def work_with(self, *options, own_writes=False, before_read=None):
        random = self.seeded_random()
        self.modern = self.connect()
        self.modern.call("HELLO", "3")
        readers = [self.reader(*options) for _ in range(3)]
        for step in range(300 if self.light else 3000):
            for _ in range(random.randrange(3)):
                words = random_write(random)
                if own_writes and random.random() < 0.5:
                    reader = random.choice(readers)
                    reader.call(*words)
                    if "NOLOOP" in options:
                        for word in words:  # it knows what it has written
                            reader.cache.pop(word, None)
                else:
                    self.writer.call(*words)
            if step % 500 == 499:
                self.writer.call(random.choice(("FLUSHDB", "FLUSHALL")))
            reader = random.choice(readers)
            if before_read:
                key = random.choice(KEYS)
                if key not in reader.cache:
                    request = read_of(self.writer.call("TYPE", key), key)
                    reader.call(*before_read)
                    reader.cache[key] = (request, reader.call(*request))
            else:
                reader.read(random.choice(KEYS))
        self.check_up_to_date(readers)
        self.assertGreater(sum(reader.messages for reader in readers), 100)

    def test_a_cache_is_up_to_date(self):
        self.work_with(own_writes=True)

    def test_with_broadcasts(self):
        self.work_with("BCAST", "PREFIX", "k1", "PREFIX", "k2", "PREFIX", "k3", "PREFIX", "k0",
                       *[word for i in range(4, 10) for word in ("PREFIX", f"k{i}")],
                       own_writes=True)

    def test_with_noloop(self):
        self.work_with("NOLOOP", own_writes=True)

    def test_with_optin(self):
        self.work_with("OPTIN", own_writes=True, before_read=("CLIENT", "CACHING", "YES"))

    def test_eviction_is_told(self):
        """Of a cache at its limit: what is not told of is there."""
        reader = self.reader()
        used = self.field("used_memory")
        self.writer.call("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
        self.writer.call("CONFIG", "SET", "maxmemory", str(used + 1024 * 1024))
        self.addCleanup(self.writer.call, "CONFIG", "SET", "maxmemory", "0")
        for start in range(0, 20000, 100):
            self.writer.pipeline([("SET", f"e{i}", "x" * 200) for i in range(start, start + 100)])
            for i in range(start, start + 100, 7):
                reader.cache[f"e{i}"] = reader.call("GET", f"e{i}")
        self.assertGreater(self.field("evicted_keys"), 1000)
        self.writer.call("CONFIG", "SET", "maxmemory", "0")  # no more
        reader.call("PING")
        held = [key for key, value in reader.cache.items() if value is not None]
        self.assertGreater(len(held), 10)
        for key in held:
            self.assertEqual(self.writer.call("EXISTS", key), 1, key)

    @only_aeris("it has no such limit")
    def test_share_of_one_client(self):
        self.writer.call("CONFIG", "SET", "tracking-client-max-keys", "100")
        self.addCleanup(self.writer.call, "CONFIG", "SET", "tracking-client-max-keys", "1000000")
        greedy, modest = self.reader(), self.reader()
        modest.cache["m"] = modest.call("GET", "m")
        for i in range(5000):
            greedy.cache[f"g{i}"] = greedy.call("GET", f"g{i}")
        greedy.call("PING")
        self.assertEqual(list(greedy.cache), [f"g{i}" for i in range(4900, 5000)])
        modest.call("PING")
        self.assertEqual(list(modest.cache), ["m"])
        self.assertEqual(self.field("tracking_total_items"), 101)

    def test_table_at_its_limit(self):
        self.writer.call("CONFIG", "SET", "tracking-table-max-keys", "100")
        self.addCleanup(self.writer.call, "CONFIG", "SET", "tracking-table-max-keys", "1000000")
        reader = self.reader()
        for i in range(5000):
            reader.cache[f"g{i}"] = reader.call("GET", f"g{i}")
        self.wait_for(lambda: self.field("tracking_total_keys") <= 100, "the table to shrink")
        reader.call("PING")
        self.assertLessEqual(len(reader.cache), 100)
        self.assertGreater(len(reader.cache), 90)

    @only_aeris("keys of clients that have left stay in its table")
    def test_clients_that_leave_take_their_keys_with_them(self):
        stays = self.reader()
        stays.call("GET", "x")
        self.field("used_memory")
        before = self.field("used_memory")
        count = 20 if self.light else 200
        readers = [self.reader() for _ in range(3)]
        for reader in readers:
            for start in range(0, count * 1000, 1000):
                reader.call("EXISTS", *[f"key:{i:012}" for i in range(start, start + 1000)])
        self.assertEqual(self.field("tracking_total_items"), 3 * count * 1000 + 1)
        if not self.sanitized:  # which knows the keyspaces' memory alone
            self.assertGreater(self.field("used_memory") - before, count * 1000 * 150)
        readers.pop().connection.close()
        readers.pop().connection.reset()
        readers.pop().call("CLIENT", "TRACKING", "OFF")
        self.wait_for(lambda: self.field("tracking_total_items") == 1, "items to go", 60)
        self.assertEqual(self.field("tracking_total_keys"), 1)
        self.assertEqual(self.field("tracking_clients"), 1)
        # Redis's figure of replies and requests in buffers is within this as well.
        self.assertLess(self.field("used_memory") - before, count * 1000 * 10 + 1000000)
        self.writer.call("SET", "x", "1")
        stays.call("PING")
        self.assertEqual(stays.messages, 1)

    def test_others_are_served_while_a_large_table_is_flushed(self):
        count = 50 if self.light else 500
        reader = self.reader()
        for start in range(0, count * 1000, 1000):
            reader.call("EXISTS", *[f"key:{i:012}" for i in range(start, start + 1000)])
        self.assertEqual(self.field("tracking_total_keys"), count * 1000)
        longest = 0
        for i in range(200):
            begin = time.monotonic()
            self.writer.call("FLUSHALL" if i == 10 else "PING")
            longest = max(longest, time.monotonic() - begin)
        self.assertEqual(self.field("tracking_total_keys"), 0)
        self.assertLess(longest, 1.0 if self.sanitized else 0.2)
        reader.call("PING")
        self.assertEqual(reader.messages, 1)
