"""Commands on sorted sets and places. Few members, so that they meet; sequences cross the
thresholds, which some of them lower.

Ranges of members (BYLEX) mean something where all scores are equal only: those have keys of their
own, L1 to L3, whose scores are all 0. Intersections and unions of random scores show whether sums
are made in Redis's order.
"""
from arguments import integer, key, number, pattern, small, text, value
from combinators import Many, Maybe, OneOf, Options

MEMBERS = [b"m%d" % i for i in range(10)] + [b"", b"x" * 64, b"x" * 65, b"\x00\xff", b"-0", b"007"]
SCORES = ["0", "-0", "1", "2", "3", "-1", "1.5", "0.1", "1e300", "-1e300", "inf", "-inf", "+inf",
          "1e17", "123456789012345678", "4611686018427387904", "4611686018427388928", "1e-320",
          "0x10", "3.0e3", "5e-324"]


def member(random):
    shape = random.random()
    if shape < 0.3:
        return b"%d" % random.randint(-3, 12)
    return random.choice(MEMBERS) if shape < 0.97 else value(random)


def score(random):
    shape = random.random()
    if shape < 0.4:
        return b"%d" % random.randint(-10, 10)
    if shape < 0.6:
        return b"%r" % random.uniform(-100, 100)
    return text(random.choice(SCORES)) if shape < 0.95 else number(random)


def score_end(random):
    shape = random.random()
    if shape < 0.3:
        return random.choice((b"-inf", b"+inf", b"inf"))
    if shape < 0.6:
        return b"(" + score(random)
    return score(random) if shape < 0.97 else random.choice((b"", b"(", b" 1", b"( 1", b"nan",
                                                             b"1\x00x", b"1e5000", b"(("))


def lex_end(random):
    shape = random.random()
    if shape < 0.3:
        return random.choice((b"-", b"+"))
    if shape < 0.95:
        return random.choice((b"[", b"(")) + member(random)
    return random.choice((b"", b"--", b"+x", b"a", b"-\x00x"))


def lex_key(random):
    return random.choice((b"L1", b"L2", b"L3"))


def all_of_them(random):
    return random.choice((b"100000", b"0", b"x", b"9223372036854775807", b"-9223372036854775808"))


class Run:
    """Many members at once."""

    def __init__(self, equal=False):
        self.equal = equal

    def expand(self, random):
        first = random.randint(0, 500)
        prefix = random.choice((b"", b"n", b"n" * 60))
        result = []
        for i in range(random.choice((5, 40, 130, 300))):
            result += [b"0" if self.equal else score(random), prefix + b"%d" % (first + i)]
        return result


SET_OPTIONS = Options((b"WEIGHTS", Many(score, low=1, high=2)),
                      (b"AGGREGATE", OneOf(b"SUM", b"MIN", b"MAX", b"max", b"foo")),
                      b"WITHSCORES")
NUMKEYS = OneOf(b"1", b"2", b"2", b"3", integer)
RANGE = Options(b"WITHSCORES", b"REV", (b"LIMIT", small, small), b"BYSCORE")

ZSETS = [
    (12, (b"ZADD", key, Options(b"NX", b"XX", b"GT", b"LT", b"CH", b"INCR"), Many(score, member))),
    (5, (b"ZADD", key, Many(score, member, high=8))),
    (3, (b"ZADD", key, Run())),
    (3, (b"ZADD", lex_key, Many(b"0", member, high=8))),
    (1, (b"ZADD", lex_key, Run(equal=True))),
    (4, (b"ZINCRBY", key, score, member)),
    (3, (b"ZCARD", key)),
    (3, (b"ZSCORE", key, member)),
    (3, (b"ZMSCORE", key, Many(member))),
    (3, (OneOf(b"ZRANK", b"ZREVRANK"), key, member)),
    (5, (b"ZREM", key, Many(member))),
    (5, (b"ZRANGE", key, small, small, RANGE)),
    (5, (b"ZRANGE", key, score_end, score_end, b"BYSCORE", RANGE)),
    (4, (b"ZRANGE", lex_key, lex_end, lex_end, b"BYLEX", Options(b"REV", (b"LIMIT", small, small),
                                                                 b"WITHSCORES"))),
    (3, (b"ZREVRANGE", key, small, small, Maybe(b"WITHSCORES"))),
    (4, (OneOf(b"ZRANGEBYSCORE", b"ZREVRANGEBYSCORE"), key, score_end, score_end,
         Options(b"WITHSCORES", (b"LIMIT", small, small)))),
    (4, (OneOf(b"ZRANGEBYLEX", b"ZREVRANGEBYLEX"), lex_key, lex_end, lex_end,
         Options((b"LIMIT", small, small)))),
    (4, (b"ZRANGESTORE", key, key, small, small, RANGE)),
    (3, (b"ZRANGESTORE", key, key, score_end, score_end, b"BYSCORE", RANGE)),
    (3, (b"ZCOUNT", key, score_end, score_end)),
    (3, (b"ZLEXCOUNT", lex_key, lex_end, lex_end)),
    (2, (b"ZREMRANGEBYRANK", key, small, small)),
    (2, (b"ZREMRANGEBYSCORE", key, score_end, score_end)),
    (2, (b"ZREMRANGEBYLEX", lex_key, lex_end, lex_end)),
    (4, (OneOf(b"ZPOPMIN", b"ZPOPMAX"), key, Maybe(small))),
    (3, (b"ZMPOP", NUMKEYS, Many(key, high=3), OneOf(b"MIN", b"MAX", b"max", b"foo"),
         Options((b"COUNT", small)))),
    (3, (b"ZRANDMEMBER", key, Maybe(all_of_them, Maybe(b"WITHSCORES")))),
    (2, (b"ZSCAN", key, b"0", b"COUNT", b"100000", Options((b"MATCH", pattern)))),
    (5, (OneOf(b"ZUNION", b"ZINTER", b"ZDIFF"), NUMKEYS, Many(key, high=3), SET_OPTIONS)),
    (5, (OneOf(b"ZUNIONSTORE", b"ZINTERSTORE", b"ZDIFFSTORE"), key, NUMKEYS, Many(key, high=3),
         SET_OPTIONS)),
    (3, (b"ZINTERCARD", NUMKEYS, Many(key, high=3), Options((b"LIMIT", small)))),
    (1, (b"SADD", key, Many(member))),
    (1, (b"SET", key, value)),
    (2, (b"DEL", key)),
    (2, (b"COPY", key, key, Options(b"REPLACE"))),
    (1, (b"RENAME", key, key)),
    (3, (b"OBJECT", b"ENCODING", key)),
    (1, (b"CONFIG", b"SET", b"zset-max-listpack-entries", OneOf(b"4", b"16", b"128", b"0"))),
    (1, (b"CONFIG", b"SET", b"zset-max-listpack-value", OneOf(b"4", b"64", b"0"))),
]


def longitude(random):
    shape = random.random()
    if shape < 0.9:
        return b"%r" % random.uniform(-180, 180)
    return text(random.choice(("180", "-180", "180.0001", "0", "-0", "nan", "inf", "x", "1e3")))


def latitude(random):
    shape = random.random()
    if shape < 0.9:
        return b"%r" % random.uniform(-85.05, 85.05)
    return text(random.choice(("85.05112878", "-85.05112878", "85.0512", "0", "90", "nan", "x")))


def distance(random):
    shape = random.random()
    if shape < 0.9:
        return b"%r" % (random.random() * 10 ** random.randint(0, 7))
    return text(random.choice(("0", "-1", "inf", "1e300", "nan", "x", "", "20037726")))


def unit(random):
    return random.choice((b"m", b"km", b"ft", b"mi", b"KM", b"M", b"m", b"km", b"foo"))


def geo_key(random):
    return random.choice((b"G1", b"G2", b"G3", b"a"))


GEO_COMMON = Options(b"WITHCOORD", b"WITHDIST", b"WITHHASH", b"ASC", b"DESC",
                     (b"COUNT", small, Maybe(b"ANY")))
GEO_WHERE = (OneOf((b"FROMMEMBER", member), (b"FROMLONLAT", longitude, latitude)),
             OneOf((b"BYRADIUS", distance, unit), (b"BYBOX", distance, distance, unit)))

GEO = [
    (10, (b"GEOADD", geo_key, Options(b"NX", b"XX", b"CH"), Many(longitude, latitude, member,
                                                                 high=8))),
    (4, (b"GEODIST", geo_key, member, member, Maybe(unit))),
    (3, (b"GEOHASH", geo_key, Many(member))),
    (3, (b"GEOPOS", geo_key, Many(member))),
    (5, (OneOf(b"GEORADIUS", b"GEORADIUS_RO"), geo_key, longitude, latitude, distance, unit,
         GEO_COMMON, Maybe(OneOf(b"STORE", b"STOREDIST"), geo_key, chance=0.15))),
    (5, (OneOf(b"GEORADIUSBYMEMBER", b"GEORADIUSBYMEMBER_RO"), geo_key, member, distance, unit,
         GEO_COMMON, Maybe(OneOf(b"STORE", b"STOREDIST"), geo_key, chance=0.15))),
    (10, (b"GEOSEARCH", geo_key, *GEO_WHERE, GEO_COMMON)),
    (4, (b"GEOSEARCHSTORE", geo_key, geo_key, *GEO_WHERE, GEO_COMMON, Maybe(b"STOREDIST"))),
    (1, (b"ZADD", geo_key, Many(score, member))),
    (1, (b"ZREM", geo_key, Many(member))),
    (1, (b"DEL", geo_key)),
]
