"""Collections: how one of each type is filled, what is measured on it, and redis-benchmark's tests.

Commands are those of the load generator's --command: a run of # becomes the number of an element,
a run of ? a random one.
"""

import dataclasses

SMALL_HASH_FIELDS = " ".join(f"field{number:03} vvvvvvvv" for number in range(5))
STREAM_ENTRY_STRINGS = 7  # its ID, three fields with their values
READ_COUNT = 10  # entries that an XREADGROUP asks for, members that a ZRANGE does


@dataclasses.dataclass(frozen=True)
class Collection:
    insert: str  # of one element
    count: str   # the inline command that is answered with their number
    random_half: bool = False  # of twice as many elements


# By the names that rows use. Members, fields and keys have 16 bytes, values and items 32.
COLLECTIONS = {
    "a hash": Collection(f"HSET hash mem:############ {32 * 'v'}", "HLEN hash"),
    "a set": Collection("SADD set mem:############", "SCARD set"),
    "a set of integers": Collection("SADD integers 1########", "SCARD integers"),
    "a sorted set": Collection("ZADD zset ???????????? mem:############", "ZCARD zset"),
    "a list": Collection(f"RPUSH list {20 * 'v'}############", "LLEN list"),
    "a stream": Collection("XADD stream * field0 ######## field1 vvvvvvvv field2 vvvvvvvv",
                           "XLEN stream"),
    "small hashes": Collection(f"HSET key:############ {SMALL_HASH_FIELDS}", "DBSIZE"),
    # Half of it is in "a set" of the same size.
    "another set": Collection("SADD another mem:############", "SCARD another", random_half=True),
}


@dataclasses.dataclass(frozen=True)
class Operation:
    """What a row measures on collections that are filled already."""
    command: str
    requests: int  # of one run
    collections: tuple
    values: int = None  # strings that each reply has, where that is a fixed number
    prepare: str = ""   # inline, before each run
    connections: int = None

    def prepared(self, number):
        return self.prepare.format(number=number)

    def arguments(self, elements, number):
        """For the load generator, in the round of that number."""
        if "{rank}" not in self.command:
            return {"command": self.command.format(number=number), "keys": elements}
        # Ten ranks together, by the digits that they share. No integer begins with a 0, so the
        # lowest ranks are left out: one in ten when the number of elements is a power of ten.
        digits = len(str(elements // 10 - 1))
        first = 10 ** (digits - 1)
        return {"command": self.command.format(rank="#" * digits),
                "keys": elements // 10 - first, "first": first}

    def requests_of(self, elements, scale):
        requests = max(1, int(self.requests * scale))
        # A consumer group is given each entry once.
        return min(requests, elements // READ_COUNT) if self.prepare else requests


OPERATIONS = {
    "zadd": Operation("ZADD zset ???????????? mem:############", 1_000_000, ("a sorted set",), 0),
    "zrank": Operation("ZRANK zset mem:############", 1_000_000, ("a sorted set",), 0),
    "zrange": Operation("ZRANGE zset {rank}0 {rank}9", 500_000, ("a sorted set",), READ_COUNT),
    "hget": Operation("HGET hash mem:############", 1_500_000, ("a hash",), 1),
    "sismember": Operation("SISMEMBER set mem:############", 1_500_000, ("a set",), 0),
    "sinter": Operation("SINTER set another", 3, ("a set", "another set"), connections=1),
    "xadd": Operation(COLLECTIONS["a stream"].insert, 500_000, ("a stream",), 1),
    "xreadgroup": Operation(
        f"XREADGROUP GROUP group{{number}} consumer COUNT {READ_COUNT} STREAMS stream >", 100_000,
        ("a stream",), 1 + READ_COUNT * STREAM_ENTRY_STRINGS,
        prepare="XGROUP CREATE stream group{number} 0"),
}


@dataclasses.dataclass(frozen=True)
class BenchmarkTest:
    """A test of redis-benchmark's default list."""
    requests: int = 1_000_000
    after: str = ""    # the test that has put there what this one reads or removes
    command: str = ""  # for a test that would put it there itself, within the measured time


# In its order.
BENCHMARK_TESTS = {
    **dict.fromkeys(("ping_inline", "ping_mbulk", "set"), BenchmarkTest()),
    "get": BenchmarkTest(after="set"),
    **dict.fromkeys(("incr", "lpush", "rpush"), BenchmarkTest()),
    "lpop": BenchmarkTest(after="lpush"),
    "rpop": BenchmarkTest(after="rpush"),
    **dict.fromkeys(("sadd", "hset"), BenchmarkTest()),
    "spop": BenchmarkTest(after="sadd"),
    "zadd": BenchmarkTest(),
    "zpopmin": BenchmarkTest(after="zadd"),
    **{f"lrange_{count}": BenchmarkTest(requests, "lpush", f"LRANGE mylist 0 {count - 1}")
       for count, requests in ((100, 100_000), (300, 50_000), (500, 30_000), (600, 30_000))},
    "mset": BenchmarkTest(requests=200_000),
}
