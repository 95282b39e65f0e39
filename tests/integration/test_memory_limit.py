"""used_memory after each of many commands: never above maxmemory by more than one argument.

AERIS_COMMANDS says how many commands run, over all policies together.
"""
import math
import os
import re

from case import ServerTest, only_aeris

MIB = 1 << 20
LIMIT = 10 * MIB
ARGUMENT_MAX = 64 << 10
COMMANDS = int(os.environ.get("AERIS_COMMANDS", "100000"))
OOM = b"OOM command not allowed when used memory > 'maxmemory'."
USED = re.compile(rb"\r\nused_memory:(\d+)\r\n")
POLICIES = ("allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu",
            "volatile-random", "volatile-ttl", "allkeys-s3fifo", "volatile-s3fifo")
KEYS = 4000
BATCH = 40


class Commands:
    """Random commands of all types. Values of 16 bytes to 64 KiB, small ones as likely as large
    ones; collections grow element by element, so a few become large."""

    def __init__(self, chance):
        self.chance = chance
        self.data = bytes(chance.getrandbits(8) for _ in range(ARGUMENT_MAX))

    def value(self, most=ARGUMENT_MAX):
        size = int(16 * math.exp(self.chance.random() * math.log(most / 16)))
        start = self.chance.randrange(ARGUMENT_MAX - size + 1)
        return self.data[start:start + size]

    def key(self, kind, count=KEYS):
        return f"{kind}:{int(count * self.chance.random() ** 2)}"

    def write(self):
        """A command that makes keys or makes them grow, and those keys."""
        pick, number = self.chance.choice, self.chance.randrange
        kind = pick(("string", "string", "string", "hash", "list", "set", "zset", "stream"))
        if kind == "string":
            if number(8) == 0:
                keys = [self.key(kind) for _ in range(4)]
                return ("MSET", *[word for key in keys for word in (key, self.value())]), keys
            key = self.key(kind)
            return pick((("SET", key, self.value()), ("SET", key, self.value()),
                         ("APPEND", key, self.value(4096)),
                         ("SETRANGE", key, number(20000), self.value(4096)),
                         ("SETBIT", key, number(200000), 1),
                         ("BITOP", "NOT", key, self.key(kind)),
                         ("COPY", self.key(kind), key, "REPLACE"))), [key]
        key = self.key(kind, 40)
        value = self.value(4096)
        fields = [str(number(100000)) for _ in range(number(1, 20))]
        if kind == "hash":
            return pick((("HSET", key, fields[0], value), ("HINCRBY", key, fields[0], 1),
                         ("HSET", key, *[word for field in fields for word in (field, "v")]),
                         ("COPY", key, self.key(kind, 40), "REPLACE"))), [key]
        if kind == "list":
            return pick((("RPUSH", key, value), ("LPUSH", key, *fields),
                         ("LINSERT", key, "BEFORE", "1", value),
                         ("LMOVE", self.key(kind, 40), key, "LEFT", "RIGHT"))), [key]
        if kind == "set":
            return pick((("SADD", key, *fields), ("SADD", key, value), ("SADD", key, *fields),
                         ("SUNIONSTORE", key, key, self.key(kind, 40)))), [key]
        if kind == "zset":
            return pick((("ZADD", key, *[word for field in fields for word in (field, field)]),
                         ("ZADD", key, number(1000), value),
                         ("ZUNIONSTORE", key, 2, key, self.key(kind, 40)))), [key]
        return ("XADD", key, "*", "field", value), [key]

    def other(self):
        """One that does not."""
        pick, number = self.chance.choice, self.chance.randrange
        return pick((("GET", self.key("string")), ("DEL", self.key("string")),
                     ("UNLINK", self.key(pick(("hash", "list", "set", "zset", "stream")), 40)),
                     ("LRANGE", self.key("list", 40), 0, 100), ("PING",),
                     ("HGETALL", self.key("hash", 40)), ("SPOP", self.key("set", 40), 10),
                     ("SMEMBERS", self.key("set", 40)), ("XRANGE", self.key("stream", 40), "-", "+"),
                     ("LTRIM", self.key("list", 40), 0, 50), ("EXISTS", self.key("string")),
                     ("GETRANGE", self.key("string"), 0, number(30000)),
                     ("EXPIRE", self.key("string"), number(1, 1000)),
                     ("ZPOPMIN", self.key("zset", 40), 5), ("CLIENT", "SETNAME", "n" * number(200))))


@only_aeris("it looks at the limit before commands, not after")
class UsedMemory(ServerTest):
    SECONDS = max(1200, COMMANDS // 1000)

    def test_is_never_above_the_limit_by_more_than_one_argument(self):
        if self.light or self.sanitized:
            self.skipTest("sanitizers have no account by thread")
        chance = self.seeded_random()
        worst = {}
        for policy in POLICIES:
            with self.subTest(policy):
                server = self.start_server({"maxmemory": str(LIMIT), "maxmemory-policy": policy})
                clients = [self.connect(server) for _ in range(6)]
                slow = [SlowReader(self, server) for _ in range(3)]
                worst[policy] = self.run_commands(chance, policy, clients, slow, server)
                for client in (*clients, *slow):
                    client.close()
                server.destroy()
        print("above the limit, in bytes:", worst)

    def run_commands(self, chance, policy, clients, slow, server):
        commands = Commands(chance)
        worst = -LIMIT
        done = 0
        while done < COMMANDS // len(POLICIES):
            batch = []
            while len(batch) < BATCH:
                if chance.random() < 0.3:
                    batch.append(commands.other())
                    continue
                command, keys = commands.write()
                batch.append(command)
                # Where only keys with a deadline may go, all have one.
                if policy.startswith("volatile"):
                    batch += [("EXPIRE", key, chance.randrange(100, 100000)) for key in keys]
            if chance.random() < 0.3:
                chance.choice(slow).step(chance, commands)
            if chance.random() < 0.05:
                place = chance.randrange(len(clients))
                clients[place].close()
                clients[place] = self.connect(server)
            asked = [each for command in batch for each in (command, ("INFO", "memory"))]
            replies = chance.choice(clients).pipeline(asked)
            for command, info in zip(batch, replies[1::2]):
                above = int(USED.search(info).group(1)) - LIMIT
                worst = max(worst, above)
                self.assertLessEqual(above, ARGUMENT_MAX, [str(word)[:40] for word in command])
            self.assertNotIn(OOM, replies[::2])
            done += len(batch)
        self.assertGreater(int(server.info("stats")["evicted_keys"]), 0)
        return worst


class SlowReader:
    """A client that sends parts of requests, and asks for much that it reads only later."""

    def __init__(self, test, server):
        self.connection = test.connect(server, receive_buffer=4096)
        self.unread = 0
        self.rest = b""

    def step(self, chance, commands):
        if self.rest:
            self.connection.send(self.rest)
            self.rest = b""
            self.unread += 1
        elif self.unread > 8:
            for _ in range(self.unread):
                self.connection.read_raw()
            self.unread = 0
        elif chance.random() < 0.5:
            value = commands.value()
            request = b"*3\r\n$3\r\nSET\r\n$4\r\nslow\r\n$%d\r\n%s\r\n" % (len(value), value)
            cut = chance.randrange(1, len(request))
            self.connection.send(request[:cut])
            self.rest = request[cut:]
        else:
            self.connection.send_command(*chance.choice((
                ("LRANGE", commands.key("list", 40), 0, -1), ("GET", commands.key("string")),
                ("HGETALL", commands.key("hash", 40)), ("SMEMBERS", commands.key("set", 40)))))
            self.unread += 1

    def close(self):
        self.connection.close()
