"""Commands on lists. Few texts, so that searches find some; sequences cross the blocks' limits."""
from arguments import integer, key, small, value
from combinators import Many, Maybe, OneOf, Options

TEXTS = [b"a", b"b", b"c", b"", b"x" * 64, b"x" * 65, b"y" * 1500, b"z" * 9000, b"-0", b"007"]


def item(random):
    shape = random.random()
    if shape < 0.5:
        return b"%d" % random.randint(-4, 12)
    if shape < 0.6:
        return b"%d" % random.choice((127, 128, -4097, 2 ** 15, 2 ** 23, 2 ** 31, -2 ** 63))
    return random.choice(TEXTS) if shape < 0.97 else value(random)


class Run:
    """Many items at once."""

    def expand(self, random):
        first = random.randint(0, 500)
        prefix = random.choice((b"", b"n", b"n" * 60))
        return [prefix + b"%d" % (first + i) for i in range(random.choice((5, 40, 130, 600)))]


END = OneOf(b"LEFT", b"RIGHT", b"left", b"up")
# A wait of the reference costs as long.
TIMEOUT = OneOf(b"0.002", b"0.001", b"-1", b"x")
INDEX = OneOf(b"0", b"-1", b"1", b"5", b"-3", b"100", b"-100", b"300", integer)

LISTS = [
    (8, (b"LPUSH", key, Many(item))),
    (8, (b"RPUSH", key, Many(item))),
    (2, (b"LPUSHX", key, Many(item))),
    (2, (b"RPUSHX", key, Many(item))),
    (3, (b"RPUSH", key, Run())),
    (3, (b"LPUSH", key, Run())),
    (5, (b"LPOP", key, Maybe(small))),
    (5, (b"RPOP", key, Maybe(small))),
    (3, (b"LLEN", key)),
    (5, (b"LINDEX", key, INDEX)),
    (5, (b"LSET", key, INDEX, item)),
    (5, (b"LINSERT", key, OneOf(b"BEFORE", b"AFTER", b"after", b"at"), item, item)),
    (6, (b"LRANGE", key, INDEX, INDEX)),
    (2, (b"LRANGE", key, b"0", b"-1")),
    (3, (b"LTRIM", key, INDEX, INDEX)),
    (5, (b"LREM", key, OneOf(b"0", b"1", b"-1", b"2", b"-2", integer), item)),
    (6, (b"LPOS", key, item, Options((b"RANK", OneOf(b"1", b"-1", b"2", b"-2", integer)),
                                     (b"COUNT", small), (b"MAXLEN", small)))),
    (3, (b"RPOPLPUSH", key, key)),
    (4, (b"LMOVE", key, key, END, END)),
    (3, (b"LMPOP", OneOf(b"1", b"2", integer), Many(key, high=3), END,
         Options((b"COUNT", small)))),
    (1, (b"BLPOP", Many(key, high=2), TIMEOUT)),
    (1, (b"BRPOP", Many(key, high=2), TIMEOUT)),
    (1, (b"BLMOVE", key, key, END, END, TIMEOUT)),
    (1, (b"BRPOPLPUSH", key, key, TIMEOUT)),
    (1, (b"BLMPOP", TIMEOUT, OneOf(b"1", b"2", integer), Many(key, high=3), END,
         Options((b"COUNT", small)))),
    (2, (b"DEL", key)),
    (1, (b"SET", key, value)),
    (2, (b"COPY", key, key, Options(b"REPLACE"))),
    (2, (b"RENAME", key, key)),
    (2, (b"OBJECT", b"ENCODING", key)),
    (1, (b"CONFIG", b"SET", b"list-max-listpack-size", OneOf(b"-1", b"-2", b"4", b"1", b"128"))),
]
