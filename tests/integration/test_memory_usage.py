"""MEMORY USAGE against what used memory grows by, for each type in each of its forms."""
import random

from case import ServerTest, only_aeris
from server import parse_info

TOTAL_BYTES = 8 << 20  # beside which the buffers of one client are nothing


def texts(count, size):
    return [f"{number}:" + "x" * size for number in range(count)]


def mixed(count, size):
    chance = random.Random(1)
    return [f"{number}:" + "x" * chance.randrange(2 * size) for number in range(count)]


def pairs(names, values):
    return [word for pair in zip(names, values) for word in pair]


def stream(key, values):
    return [("XADD", key, f"{number + 1}-0", "field", value)
            for number, value in enumerate(values)]


FORMS = {
    "a string": lambda key: [("SET", key, "s" * 500)],
    "a large string": lambda key: [("SET", key, "s" * 40000)],
    "a hash in its entry": lambda key: [("HSET", key, *pairs(texts(10, 5), texts(10, 20)))],
    "a hash in a block": lambda key: [("HSET", key, *pairs(texts(60, 5), texts(60, 40)))],
    "a hash": lambda key: [("HSET", key, *pairs(texts(1000, 5), texts(1000, 30)))],
    "a hash of many sizes": lambda key: [("HSET", key, *pairs(texts(600, 5), mixed(600, 900)))],
    "a hash that lost half": lambda key: [
        ("HSET", key, *pairs(texts(2000, 5), texts(2000, 30))), ("HDEL", key, *texts(1000, 5))],
    "a hash with deadlines": lambda key: [
        ("HSET", key, *pairs(texts(1000, 5), texts(1000, 30))),
        ("HEXPIRE", key, 100000, "FIELDS", 1000, *texts(1000, 5))],
    "an intset": lambda key: [("SADD", key, *range(0, 3500, 7))],
    "a set in a block": lambda key: [("SADD", key, *texts(100, 30))],
    "a set": lambda key: [("SADD", key, *texts(5000, 20))],
    "a set of integers": lambda key: [("SADD", key, *range(0, 20000, 7))],
    "a sorted set in a block": lambda key: [("ZADD", key, *pairs(range(100), texts(100, 30)))],
    "a sorted set": lambda key: [("ZADD", key, *pairs(range(5000), texts(5000, 20)))],
    "a list in a block": lambda key: [("RPUSH", key, *texts(100, 40))],
    "a list": lambda key: [("RPUSH", key, *texts(2000, 40))],
    "a list of many sizes": lambda key: [("RPUSH", key, *mixed(500, 300))],
    "a list that was trimmed": lambda key: [("RPUSH", key, *texts(4000, 40)),
                                            ("LTRIM", key, 2000, -1)],
    "a stream": lambda key: stream(key, texts(500, 20)),
    "a stream with pending entries": lambda key: [
        *stream(key, texts(400, 20)), ("XGROUP", "CREATE", key, "group", 0),
        ("XREADGROUP", "GROUP", "group", "consumer", "COUNT", 400, "STREAMS", key, ">")],
    "a HyperLogLog": lambda key: [("PFADD", key, *texts(5000, 1))],
}


@only_aeris("Redis guesses from samples")
class MemoryUsage(ServerTest):
    def test_is_what_used_memory_grows_by(self):
        if self.light or self.sanitized:
            self.skipTest("sanitizers have no account by thread")
        for name, form in FORMS.items():
            with self.subTest(name):
                server = self.start_server()
                with server.connect() as client:
                    usage, growth = self.usage_and_growth(client, form)
                server.destroy()
                self.assertAlmostEqual(usage / growth, 1, delta=0.05)

    def usage_and_growth(self, client, form):
        """The sum of what MEMORY USAGE says of many keys, and by what they made used_memory grow."""
        client.pipeline(form("warm"))
        one = client.call("MEMORY", "USAGE", "warm")
        # SAMPLES has the syntax of Redis; nothing is sampled.
        self.assertEqual(client.call("MEMORY", "USAGE", "warm", "SAMPLES", 0), one)
        copies = TOTAL_BYTES // one
        before = self.used(client)
        for number in range(copies):
            client.pipeline(form(f"key:{number:07}"))
        growth = self.used(client) - before
        usage = sum(client.pipeline([("MEMORY", "USAGE", f"key:{number:07}")
                                     for number in range(copies)]))
        return usage, growth

    @staticmethod
    def used(client):
        return int(parse_info(client.call("INFO", "memory"))["used_memory"])
