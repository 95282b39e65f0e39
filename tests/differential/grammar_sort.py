"""SORT over lists, sets and sorted sets, with weights and fields under other keys."""
from arguments import integer, key, small, value
from combinators import Many, Maybe, OneOf, Options


def element(random):
    shape = random.random()
    if shape < 0.85:
        return b"%d" % random.randint(-5, 30)
    return random.choice((b"1.5", b"-0.5", b"abc", b"", b"1e3", b"inf", b"0x10", b"zz"))


def weight_key(random):
    return b"w%d" % random.randint(-5, 30)


def hash_key(random):
    return b"h%d" % random.randint(-5, 30)


PATTERN = OneOf(b"w*", b"w*", b"h*->f", b"h*->g", b"nosort", b"#", b"h*->", b"*", b"w*->f", b"h*")
OPTIONS = Options((b"BY", PATTERN), (b"BY", PATTERN), (b"GET", PATTERN), (b"GET", b"#"),
                  (b"GET", PATTERN), b"ASC", b"DESC", b"ALPHA", (b"LIMIT", small, small), b"foo")

SORT = [
    (5, (b"RPUSH", key, Many(element, high=8))),
    (5, (b"SADD", key, Many(element, high=8))),
    (5, (b"ZADD", key, Many(lambda random: b"%d" % random.randint(0, 40), element, high=6))),
    (6, (b"SET", weight_key, element)),
    (4, (b"HSET", hash_key, OneOf(b"f", b"g"), element)),
    (20, (b"SORT", key, OPTIONS)),
    (5, (b"SORT", key, OPTIONS, b"STORE", key)),
    (5, (b"SORT_RO", key, OPTIONS)),
    (3, (b"DEL", key)),
    (1, (b"SET", key, value)),
    (1, (b"SORT", key, b"LIMIT", integer, Maybe(integer))),
]
