"""Commands on sets. Few members, so that sets meet; sequences cross the forms' limits."""
from arguments import integer, key, pattern, small, value
from combinators import Many, Maybe, OneOf, Options

TEXTS = [b"m%d" % i for i in range(12)] + [b"", b"x" * 64, b"x" * 65, b"y" * 1500, b"-0", b"007"]
INTEGERS = [0, 1, -1, 127, 128, 32767, 32768, -32769, 2 ** 31 - 1, 2 ** 31, -2 ** 63, 2 ** 63 - 1]


def member(random):
    shape = random.random()
    if shape < 0.5:
        return b"%d" % random.randint(-4, 12)
    if shape < 0.6:
        return b"%d" % random.choice(INTEGERS)
    return random.choice(TEXTS) if shape < 0.97 else value(random)


def all_of_them(random):
    return random.choice((b"100000", b"100000", b"9223372036854775807", b"0", b"-1", b"x"))


class Run:
    """Many members at once."""

    def expand(self, random):
        first = random.randint(0, 500)
        prefix = random.choice((b"", b"", b"n", b"n" * 60))
        return [prefix + b"%d" % (first + i) for i in range(random.choice((5, 40, 130, 300)))]


SETS = [
    (10, (b"SADD", key, Many(member))),
    (3, (b"SADD", key, Run())),
    (2, (b"SREM", key, Run())),
    (6, (b"SREM", key, Many(member))),
    (4, (b"SISMEMBER", key, member)),
    (3, (b"SMISMEMBER", key, Many(member, high=40))),
    (3, (b"SCARD", key)),
    (4, (b"SMEMBERS", key)),
    (4, (b"SMOVE", key, key, member)),
    (3, (b"SPOP", key, all_of_them)),
    (3, (b"SRANDMEMBER", key, Maybe(small))),
    (2, (b"SSCAN", key, b"0", Options((b"COUNT", b"100000"), (b"MATCH", pattern)))),
    (1, (b"SSCAN", key, integer, Options((b"COUNT", small), (b"MATCH", pattern)))),
    (4, (b"SINTER", Many(key, high=3))),
    (4, (b"SUNION", Many(key, high=3))),
    (4, (b"SDIFF", Many(key, high=3))),
    (3, (b"SINTERSTORE", key, Many(key, high=3))),
    (3, (b"SUNIONSTORE", key, Many(key, high=3))),
    (3, (b"SDIFFSTORE", key, Many(key, high=3))),
    (3, (b"SINTERCARD", OneOf(b"1", b"2", integer), Many(key, high=3),
         Options((b"LIMIT", small)))),
    (2, (b"DEL", key)),
    (1, (b"SET", key, value)),
    (2, (b"COPY", key, key, Options(b"REPLACE"))),
    (2, (b"RENAME", key, key)),
    (3, (b"OBJECT", b"ENCODING", key)),
    (1, (b"CONFIG", b"SET", b"set-max-intset-entries", OneOf(b"4", b"16", b"512", b"0"))),
]
