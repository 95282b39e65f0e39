"""Hashes: few fields, so that commands meet; the thresholds are low for a while in many sequences."""
from arguments import integer, key, number, pattern, small, value
from combinators import Many, Maybe, OneOf, Options

FIELDS = [b"f1", b"f2", b"f3", b"f4", b"1", b"-7", b"007", b"", b"\x00\r\n\xff", b"*",
          b"9223372036854775807", b"F1", b"m" * 63, b"l" * 64, b"n" * 65, b"h" * 700]


def field(random):
    if random.random() < 0.05:
        return b"x%d" % random.randint(0, 400)
    return FIELDS[random.randrange(6)] if random.random() < 0.7 else random.choice(FIELDS)


def hash_key(random):
    return random.choice((b"a", b"b", b"k1")) if random.random() < 0.8 else key(random)


class ManyFields:
    """A run of numbered fields with their values, which fills a hash beyond its threshold."""

    def expand(self, random):
        begin, count = random.randint(0, 300), random.choice((5, 20, 130, 600))
        result = []
        for number in range(begin, begin + count):
            result += [b"x%d" % number, value(random) if random.random() < 0.1 else b"%d" % number]
        return result


HASHES = [
    (12, (b"HSET", hash_key, Many(field, value))),
    (1, (b"HSET", hash_key, ManyFields())),
    (3, (b"HMSET", hash_key, Many(field, value))),
    (4, (b"HSETNX", hash_key, field, value)),
    (8, (b"HGET", hash_key, field)),
    (5, (b"HMGET", hash_key, Many(field, high=6))),
    (6, (b"HDEL", hash_key, Many(field))),
    (4, (b"HEXISTS", hash_key, field)),
    (4, (b"HLEN", hash_key)),
    (4, (b"HSTRLEN", hash_key, field)),
    (4, (b"HGETALL", hash_key)),
    (3, (b"HKEYS", hash_key)),
    (3, (b"HVALS", hash_key)),
    (6, (b"HINCRBY", hash_key, field, integer)),
    (6, (b"HINCRBYFLOAT", hash_key, field, number)),
    (4, (b"HRANDFIELD", hash_key, Maybe(small, Maybe(b"WITHVALUES"), chance=0.8))),
    (4, (b"HSCAN", hash_key, OneOf(b"0", b"0", integer), Options((b"MATCH", pattern),
                                                                 (b"COUNT", small)))),
    (1, (b"CONFIG", b"SET", b"hash-max-listpack-entries", OneOf(b"4", b"512", b"0", b"100"))),
    (1, (b"CONFIG", b"SET", b"hash-max-ziplist-value", OneOf(b"8", b"64", b"1000", b"0"))),
    (3, (b"OBJECT", b"ENCODING", hash_key)),
    (2, (b"DEL", hash_key)),
    (1, (b"RENAME", hash_key, hash_key)),
    (2, (b"COPY", hash_key, hash_key, Maybe(b"REPLACE"))),
    (1, (b"TYPE", hash_key)),
    (1, (b"SET", hash_key, value)),
    (1, (b"GET", hash_key)),
    (1, (b"APPEND", hash_key, value)),
]
