"""Streams: entries, groups, and what XINFO says. Ids are explicit and small, so that they meet."""
from arguments import (integer, key, small, value)
from combinators import Many, Maybe, OneOf, Options

STREAM_KEYS = (b"s1", b"s2", b"s3")
GROUPS = (b"g1", b"g2", b"g\x00 3")
CONSUMERS = (b"alice", b"bob", b"carol")
BAD_IDS = (b"", b"-", b"+", b"$", b">", b"x", b"1-", b"-1", b"1--1", b"1-2-3", b"01-02", b" 1-1",
           b"+5-+3", b"5- -3", b"18446744073709551616", b"1-18446744073709551616", b"(5", b"*",
           b"5-*", b"0-0", b"0-*", b"1.5", b"1-x", b"9" * 128, b"7\x00junk", b"-1-1",
           b"18446744073709551615-18446744073709551615", b"18446744073709551615-*",
           b"18446744073709551615-18446744073709551614")


def stream(random):
    return random.choice(STREAM_KEYS) if random.random() < 0.93 else key(random)


def group(random):
    return random.choice(GROUPS) if random.random() < 0.97 else value(random)


def consumer(random):
    return random.choice(CONSUMERS)


def stream_id(random):
    shape = random.random()
    if shape < 0.5:
        return b"%d-%d" % (random.randint(1, 40), random.randint(0, 3))
    if shape < 0.9:
        return b"%d" % random.randint(0, 40)
    return random.choice(BAD_IDS) if shape < 0.98 else b"%d" % random.randint(0, 2 ** 64)


def last_id(random):
    """For XSETID: not below what was deleted, after which Redis loses entries or crashes."""
    if random.random() < 0.9:
        return b"%d-%d" % (random.randint(41, 60), random.randint(0, 3))
    return random.choice((b"", b"-", b"+", b"x", b"0", b"0-0"))


def new_id(random):
    """Mostly "ms-*" with few ms, so that the next one is above it."""
    shape = random.random()
    if shape < 0.75:
        return b"%d-*" % random.choice((1, 2, 3, 5, 8, 13, 20, 30, 40))
    return stream_id(random)


def field(random):
    return random.choice((b"f", b"g", b"name", b"7", b"-5", b"", b"f" * 70))


def edge(random):
    shape = random.random()
    if shape < 0.3:
        return random.choice((b"-", b"+"))
    return (b"(" if shape < 0.45 else b"") + stream_id(random)


def count(random):
    return b"%d" % random.choice((1, 1, 2, 3, 10, 100)) if random.random() < 0.85 else \
        integer(random)


def idle(random):
    """Nothing is idle for as long as an hour; everything for as long as 0."""
    return random.choice((b"0", b"0", b"3600000", b"-1", b"9223372036854775807", b"x"))


def autoclaim_count(random):
    """Redis allocates for what it is promised; far above that its answer depends on the memory."""
    return random.choice((b"1", b"2", b"3", b"10", b"100", b"0", b"-1", b"x",
                          b"9223372036854775807", b"576460752303423488"))


TRIM = OneOf((b"MAXLEN", Maybe(OneOf(b"=", b"~")), small), (b"MINID", Maybe(OneOf(b"=", b"~")),
                                                            stream_id))
LIMIT = Maybe(b"LIMIT", small, chance=0.2)
STREAMS_ONE = (b"STREAMS", stream, stream_id)

STREAM = [
    (30, (b"XADD", stream, new_id, b"f", value, b"g", value)),
    (12, (b"XADD", stream, new_id, Many(field, value, high=5))),
    (6, (b"XADD", stream, Options(b"NOMKSTREAM", TRIM), LIMIT, new_id, Many(field, value))),
    (3, (b"XLEN", stream)),
    (8, (b"XRANGE", stream, edge, edge, Maybe(b"COUNT", count))),
    (8, (b"XREVRANGE", stream, edge, edge, Maybe(b"COUNT", count))),
    (2, (b"XRANGE", stream, b"-", b"+")),
    (2, (b"XREVRANGE", stream, b"+", b"-")),
    (12, (b"XDEL", stream, Many(stream_id))),
    (3, (b"XTRIM", stream, TRIM, LIMIT)),
    (2, (b"XSETID", stream, last_id, Options((b"ENTRIESADDED", small),
                                               (b"MAXDELETEDID", stream_id)))),
    (8, (b"XREAD", Maybe(b"COUNT", count), b"STREAMS", stream, stream_id)),
    (4, (b"XREAD", Maybe(b"COUNT", count), b"STREAMS", stream, stream, stream_id,
         OneOf(stream_id, b"$"))),
    (8, (b"XGROUP", b"CREATE", stream, group, OneOf(b"$", b"0", stream_id),
         Options(b"MKSTREAM", (b"ENTRIESREAD", small)))),
    (4, (b"XGROUP", b"CREATE", stream, group, b"0", b"MKSTREAM")),
    (4, (b"XGROUP", b"SETID", stream, group, OneOf(b"$", b"0", stream_id),
         Maybe(b"ENTRIESREAD", small))),
    (1, (b"XGROUP", b"DESTROY", stream, group)),
    (2, (b"XGROUP", b"CREATECONSUMER", stream, group, consumer)),
    (2, (b"XGROUP", b"DELCONSUMER", stream, group, consumer)),
    (1, (b"XGROUP", OneOf(b"HELP", b"foo", b"CREATE"))),
    (14, (b"XREADGROUP", b"GROUP", group, consumer, Maybe(b"COUNT", count),
          Maybe(b"NOACK", chance=0.1), b"STREAMS", stream, b">")),
    (6, (b"XREADGROUP", b"GROUP", group, consumer, Maybe(b"COUNT", count), b"STREAMS", stream,
         stream_id)),
    (3, (b"XREADGROUP", b"GROUP", group, consumer, b"COUNT", count, b"STREAMS", stream, stream,
         OneOf(b">", stream_id), b">")),
    (8, (b"XACK", stream, group, Many(stream_id))),
    (6, (b"XPENDING", stream, group)),
    (6, (b"XPENDING", stream, group, Maybe(b"IDLE", idle), edge, edge, count, Maybe(consumer))),
    (8, (b"XCLAIM", stream, group, consumer, idle, Many(stream_id),
         Options((b"IDLE", integer), (b"TIME", integer), (b"RETRYCOUNT", small), b"FORCE",
                 b"JUSTID", (b"LASTID", stream_id)))),
    (5, (b"XAUTOCLAIM", stream, group, consumer, idle, edge,
         Options((b"COUNT", autoclaim_count), b"JUSTID"))),
    (6, (b"XINFO", b"STREAM", stream)),
    (6, (b"XINFO", b"STREAM", stream, b"FULL", Maybe(b"COUNT", count))),
    (6, (b"XINFO", b"GROUPS", stream)),
    (4, (b"XINFO", b"CONSUMERS", stream, group)),
    (1, (b"XINFO", OneOf(b"HELP", b"foo", b"STREAM"))),
    (1, (b"DEL", stream)),
    (1, (b"COPY", stream, stream, Maybe(b"REPLACE"))),
    (1, (b"RENAME", stream, stream)),
    (1, (b"TYPE", stream)),
    (1, (b"OBJECT", b"ENCODING", stream)),
    (1, (b"SET", stream, value)),
    (1, (b"CONFIG", b"SET", b"stream-node-max-entries", OneOf(b"1", b"3", b"10", b"100", b"0"))),
    (1, (b"CONFIG", b"SET", b"stream-node-max-bytes", OneOf(b"0", b"4096", b"5000", b"100000"))),
]
