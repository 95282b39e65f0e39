"""What the differential test says: commands as tables, arguments as generators.

A command is a list of parts. A part is literal bytes, a generator `f(random) -> bytes`, or a
combinator below that gives several arguments. Most commands are sent as written here; about a
quarter are damaged afterwards (mutate), which is where wrong arity, wrong numbers, doubled and
missing options come from.
"""
import time

# Few keys, so that commands meet; among them the awkward ones.
KEYS = [b"a", b"b", b"c", b"k1", b"k2", b"k3", b"k4", b"key:with:colons", b"", b"\x00\r\nbinary\xff",
        b"{tag}x", b"*star?", b"long" * 30]

INTEGERS = [0, 1, -1, 2, 3, 5, 7, 8, 9, 10, 15, 16, 31, 32, 63, 64, 100, 255, 256, 1000, 65535,
            2 ** 31 - 1, 2 ** 31, -2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 2 ** 62,
            2 ** 63 - 2, 2 ** 63 - 1, -2 ** 63 + 1, -2 ** 63]
BAD_INTEGERS = [2 ** 63, -2 ** 63 - 1, 2 ** 64 - 1, 2 ** 64, "+1", "01", "-01", "-0", " 1", "1 ",
                "1.0", "abc", "", "0x10", "1e3", b"1\x00", "-", "9" * 25, b"\xff"]
FLOATS = ["1.5", "-3", "0.1", "1e3", "3.0e3", "-0.0", "1e-10", "10.50", "0.00000000000000001", "1.",
          ".5", "123456789012345678", "1.23456789012345678901", "1e15", "1e17", "1e21", "-2.5e-5",
          "3.14159265358979323846", "99999999999999999999", "1e100", "0x10", "0x1p3", "2",
          "5.0e-324", "1.7976931348623157e308"]
BAD_FLOATS = ["inf", "-inf", "+inf", "nan", "-nan", "infinity", " 1", "1 ", "", "abc", "1.5x", "1,5",
              "--1", "1e5000", "-1e5000", "1e-5000", b"1.5\x00", "1.1e4932", "0x", "e3", "1e"]
TEXTS = [b"", b"x", b"hello", b"Hello World", b"foobar", b"\x00", b"\xff\xfe", b"\xff\xff\xff",
         b"\x00\x00\x00", b"a\r\nb", b"ohmytext", b"mynewtext", b"x" * 44, b"x" * 45, b"y" * 39,
         b"z" * 100, b"\x0f" * 9, b"ab" * 2000, b" lead", b"tail ", b"\xf0\x9f\x98\x80"]
OPTION_WORDS = [b"NX", b"XX", b"GT", b"LT", b"GET", b"EX", b"PX", b"EXAT", b"PXAT", b"KEEPTTL",
                b"PERSIST", b"COUNT", b"MATCH", b"TYPE", b"ASYNC", b"SYNC", b"REPLACE", b"DB",
                b"ABSTTL", b"BIT", b"BYTE", b"LEN", b"IDX", b"WITHMATCHLEN", b"MINMATCHLEN", b"foo"]
PATTERNS = [b"*", b"k*", b"k?", b"k[1-2]", b"k[^1]", b"?", b"", b"\\*star\\?", b"[a-c]", b"[c-a]",
            b"*:*", b"[", b"[a", b"\\", b"nothing*", b"**", b"*[*", b"k[1-", b"{tag}*", b"[^", b"K*"]


# -- single arguments ------------------------------------------------------------------------------

def text(value):
    return value if isinstance(value, bytes) else str(value).encode()


def key(random):
    return KEYS[random.randrange(8)] if random.random() < 0.85 else random.choice(KEYS)


def integer(random):
    shape = random.random()
    if shape < 0.45:
        return b"%d" % random.randint(-10, 30)
    if shape < 0.92:
        return b"%d" % random.choice(INTEGERS)
    return text(random.choice(BAD_INTEGERS))


def small(random):
    """A count or position that is mostly plausible."""
    return b"%d" % random.randint(-12, 40) if random.random() < 0.85 else integer(random)


def number(random):
    shape = random.random()
    if shape < 0.3:
        return integer(random)
    return text(random.choice(FLOATS if shape < 0.85 else BAD_FLOATS))


def value(random):
    shape = random.random()
    if shape < 0.35:
        return b"%d" % random.choice(INTEGERS)
    if shape < 0.45:
        return b"%d" % random.randint(-100, 20000)
    if shape < 0.55:
        return text(random.choice(FLOATS + BAD_FLOATS + BAD_INTEGERS))
    if shape < 0.9:
        return random.choice(TEXTS)
    if shape < 0.995:
        return random.randbytes(random.randint(1, 80))
    return random.choice((b"a", b"ab", random.randbytes(50))) * random.randint(1, 600)


def pattern(random):
    return random.choice(PATTERNS)


def database(random):
    return b"%d" % random.choice((0, 0, 0, 1, 1, 2, 9, 15)) if random.random() < 0.9 else \
        text(random.choice([16, -1, "x", "", 2 ** 31, 2 ** 63, "1.0"]))


def seconds(random):
    """Never between now and soon: what expires during the run would be a race, not a difference.
    Seldom the same twice, since two relative deadlines compared by GT would be a race as well."""
    shape = random.random()
    if shape < 0.75:
        return b"%d" % random.randint(10 ** 5, 10 ** 9)
    if shape < 0.9:
        return b"%d" % random.choice((0, -1, -1000, 2 ** 63 - 1, -2 ** 63, 2 ** 63 // 1000,
                                      2 ** 63 // 1000 + 1, 2 ** 62))
    return text(random.choice(BAD_INTEGERS))


def milliseconds(random):
    shape = random.random()
    if shape < 0.75:
        return b"%d" % random.randint(10 ** 8, 10 ** 12)
    if shape < 0.9:
        return b"%d" % random.choice((0, -1, -1000, 2 ** 63 - 1, -2 ** 63, 2 ** 63 - 10 ** 13))
    return text(random.choice(BAD_INTEGERS))


def unix_seconds(random):
    shape = random.random()
    if shape < 0.7:
        return b"%d" % (random.choice((10 ** 4, 10 ** 6, 10 ** 9)) + NOW)
    if shape < 0.9:
        return b"%d" % random.choice((0, 1, -1, 1000, 10 ** 9, 2 ** 63 - 1, -2 ** 63,
                                      2 ** 63 // 1000))
    return text(random.choice(BAD_INTEGERS))


def unix_milliseconds(random):
    shape = random.random()
    if shape < 0.7:
        return b"%d" % (random.choice((10 ** 7, 10 ** 9, 10 ** 12)) + NOW * 1000)
    if shape < 0.9:
        return b"%d" % random.choice((0, 1, -1, 1000, 10 ** 12, 2 ** 63 - 1, -2 ** 63))
    return text(random.choice(BAD_INTEGERS))


def bit_offset(random):
    shape = random.random()
    if shape < 0.9:
        return b"%d" % random.randint(0, 300)
    if shape < 0.93:
        return b"%d" % random.choice((8 * 1024 * 1024 - 1, 8 * 1024 * 1024, 100000))
    return integer(random)


def byte_offset(random):
    shape = random.random()
    if shape < 0.9:
        return b"%d" % random.randint(0, 60)
    if shape < 0.93:
        return b"%d" % random.choice((1048575, 1048576, 50000))
    return integer(random)


def bit(random):
    return random.choice((b"0", b"1", b"1", b"0", b"2", b"-1", b"", b"a", b"01"))


def field_type(random):
    if random.random() < 0.9:
        return random.choice((b"u%d" % random.choice((1, 2, 3, 7, 8, 16, 31, 32, 33, 62, 63)),
                              b"i%d" % random.choice((1, 2, 5, 8, 16, 31, 32, 33, 63, 64))))
    return random.choice((b"u64", b"i65", b"u0", b"i0", b"x8", b"8", b"", b"u", b"i-1", b"u8x",
                          b"U8", b"I16"))


def field_offset(random):
    shape = random.random()
    if shape < 0.5:
        return b"%d" % random.randint(0, 100)
    if shape < 0.85:
        return b"#%d" % random.randint(0, 20)
    return random.choice((b"#", b"-1", b"#-1", b"##1", b"8388607", b"8388608", b"#1048576",
                          b"4294967295", b"#9223372036854775807", b"x", b"", b"# 1", b"#01"))


def junk(random):
    shape = random.random()
    if shape < 0.3:
        return random.choice(OPTION_WORDS)
    if shape < 0.5:
        return integer(random)
    if shape < 0.7:
        return value(random)
    return key(random) if shape < 0.85 else random.choice((b"", b"foo", b"-1", b"\r\n", b"x" * 200))


# -- combinators -----------------------------------------------------------------------------------

class Many:
    """One or more repetitions of a group of parts."""

    def __init__(self, *parts, low=1, high=4):
        self.parts, self.low, self.high = parts, low, high

    def expand(self, random):
        result = []
        for _ in range(random.randint(self.low, self.high)):
            result += expand(self.parts, random)
        return result


class Maybe:
    """A group that is there with some probability."""

    def __init__(self, *parts, chance=0.4):
        self.parts, self.chance = parts, chance

    def expand(self, random):
        return expand(self.parts, random) if random.random() < self.chance else []


class OneOf:
    """One of several parts; a tuple is a group."""

    def __init__(self, *choices):
        self.choices = choices

    def expand(self, random):
        choice = random.choice(self.choices)
        return expand(choice if isinstance(choice, tuple) else (choice,), random)


class Options:
    """Any of the groups, in any order, seldom twice; the odds favour few."""

    def __init__(self, *groups):
        self.groups = [group if isinstance(group, tuple) else (group,) for group in groups]

    def expand(self, random):
        count = random.choice((0, 0, 1, 1, 1, 2, 2, 3))
        result = []
        for _ in range(count):
            result += expand(random.choice(self.groups), random)
        return result


def expand(parts, random):
    result = []
    for part in parts:
        if isinstance(part, bytes):
            result.append(part)
        elif hasattr(part, "expand"):
            result += part.expand(random)
        else:
            result.append(part(random))
    return result


EXPIRATION = OneOf((b"EX", seconds), (b"PX", milliseconds), (b"EXAT", unix_seconds),
                   (b"PXAT", unix_milliseconds))
RANGE_UNIT = Maybe(OneOf(b"BYTE", b"BIT", b"BITS", b"byte"))

# -- the commands by family: weight, then the parts ------------------------------------------------

STRINGS = [
    (9, (b"SET", key, value, Options(b"NX", b"XX", b"GET", b"KEEPTTL", EXPIRATION, EXPIRATION))),
    (4, (b"SET", key, value)),
    (8, (b"GET", key)),
    (3, (b"GETDEL", key)),
    (3, (b"GETEX", key, Options(b"PERSIST", EXPIRATION, EXPIRATION))),
    (3, (b"GETSET", key, value)),
    (3, (b"SETNX", key, value)),
    (2, (b"SETEX", key, seconds, value)),
    (2, (b"PSETEX", key, milliseconds, value)),
    (4, (b"MGET", Many(key, high=6))),
    (3, (b"MSET", Many(key, value))),
    (3, (b"MSETNX", Many(key, value, high=3))),
    (4, (b"APPEND", key, value)),
    (3, (b"STRLEN", key)),
    (4, (b"SETRANGE", key, byte_offset, value)),
    (4, (b"GETRANGE", key, small, small)),
    (2, (b"SUBSTR", key, small, small)),
    (4, (b"INCR", key)),
    (3, (b"DECR", key)),
    (4, (b"INCRBY", key, integer)),
    (3, (b"DECRBY", key, integer)),
    (5, (b"INCRBYFLOAT", key, number)),
    (4, (b"LCS", key, key, Options(b"LEN", b"IDX", b"WITHMATCHLEN", (b"MINMATCHLEN", small)))),
    (1, (b"LCS", key, key, b"IDX", Maybe(b"WITHMATCHLEN"), Maybe(b"MINMATCHLEN", small))),
]

BITMAPS = [
    (6, (b"SETBIT", key, bit_offset, bit)),
    (5, (b"GETBIT", key, bit_offset)),
    (5, (b"BITCOUNT", key, Maybe(small, small, RANGE_UNIT))),
    (6, (b"BITPOS", key, bit, Maybe(small, Maybe(small, RANGE_UNIT)))),
    (4, (b"BITOP", OneOf(b"AND", b"OR", b"XOR", b"and", b"foo"), key, Many(key))),
    (2, (b"BITOP", OneOf(b"NOT", b"not"), key, Many(key, high=2))),
    (8, (b"BITFIELD", key, Many(OneOf(
        (b"GET", field_type, field_offset),
        (b"SET", field_type, field_offset, integer),
        (b"INCRBY", field_type, field_offset, integer),
        (b"OVERFLOW", OneOf(b"WRAP", b"SAT", b"FAIL", b"sat", b"foo"))), low=0, high=5))),
    (3, (b"BITFIELD_RO", key, Many(OneOf((b"GET", field_type, field_offset),
                                         (b"GET", field_type, field_offset),
                                         (b"SET", field_type, field_offset, integer)), low=0))),
    (2, (b"SET", key, value)),
    (2, (b"GET", key)),
]

KEYSPACE = [
    (4, (b"SET", key, value)),
    (5, (b"DEL", Many(key))),
    (3, (b"UNLINK", Many(key))),
    (4, (b"EXISTS", Many(key))),
    (2, (b"TOUCH", Many(key))),
    (3, (b"TYPE", key)),
    (3, (b"KEYS", pattern)),
    (2, (b"SCAN", OneOf(b"0", integer), Options((b"MATCH", pattern), (b"COUNT", small),
                                                (b"TYPE", OneOf(b"string", b"list", b"STRING",
                                                                b"foo"))))),
    (1, (b"RANDOMKEY",)),
    (4, (b"RENAME", key, key)),
    (3, (b"RENAMENX", key, key)),
    (5, (b"COPY", key, key, Options((b"DB", database), b"REPLACE"))),
    (3, (b"MOVE", key, database)),
    (3, (b"DBSIZE",)),
    (1, (b"FLUSHDB", Maybe(OneOf(b"ASYNC", b"SYNC", b"async", b"foo")))),
    (1, (b"FLUSHALL", Maybe(OneOf(b"ASYNC", b"SYNC", b"sync", b"foo")))),
    (2, (b"SWAPDB", database, database)),
    (5, (b"SELECT", database)),
    (4, (b"DUMP", key)),
    (5, (b"OBJECT", OneOf(b"ENCODING", b"ENCODING", b"REFCOUNT", b"IDLETIME", b"FREQ"), key)),
    (2, (b"MEMORY", b"USAGE", key, Maybe(b"SAMPLES", small))),
]

EXPIRY = [
    (4, (b"SET", key, value, Maybe(EXPIRATION))),
    (4, (b"EXPIRE", key, seconds, Options(b"NX", b"XX", b"GT", b"LT"))),
    (4, (b"PEXPIRE", key, milliseconds, Options(b"NX", b"XX", b"GT", b"LT"))),
    (4, (b"EXPIREAT", key, unix_seconds, Options(b"NX", b"XX", b"GT", b"LT"))),
    (4, (b"PEXPIREAT", key, unix_milliseconds, Options(b"NX", b"XX", b"GT", b"LT"))),
    (3, (b"TTL", key)),
    (3, (b"PTTL", key)),
    (3, (b"EXPIRETIME", key)),
    (3, (b"PEXPIRETIME", key)),
    (3, (b"PERSIST", key)),
    (2, (b"GETEX", key, Options(b"PERSIST", EXPIRATION))),
    (1, (b"GET", key)),
    (1, (b"RENAME", key, key)),
    (1, (b"COPY", key, key, Maybe(b"REPLACE"))),
    (1, (b"APPEND", key, value)),
    (1, (b"INCR", key)),
    (1, (b"DEL", key)),
]


def hello_version(random):
    return random.choice((b"2", b"3", b"2", b"3", b"1", b"4", b"", b"x", b"-1", b"99999999999999999999"))


def client_name(random):
    return random.choice((b"me", b"", b"with space", b"new\nline", b"\xff", b"ok-name", b"tab\t", b"a" * 100))


CONNECTION = [
    (4, (b"PING", Maybe(value))),
    (3, (b"ECHO", value)),
    (4, (b"SELECT", database)),
    (1, (b"AUTH", value, Maybe(value))),
    (1, (b"AUTH", b"default", value)),
    (4, (b"HELLO", Maybe(hello_version, Options((b"SETNAME", client_name),
                                                (b"AUTH", b"default", value),
                                                (b"AUTH", b"x", b"y"), b"foo"), chance=0.9))),
    (1, (b"RESET",)),
    (1, (b"QUIT",)),
    (2, (b"CLIENT", b"ID")),
    (3, (b"CLIENT", b"GETNAME")),
    (3, (b"CLIENT", b"SETNAME", client_name)),
    (1, (b"CLIENT", b"INFO")),
    (1, (b"CLIENT", b"LIST", Maybe(OneOf((b"TYPE", OneOf(b"normal", b"pubsub", b"replica",
                                                         b"master", b"slave", b"foo")),
                                         (b"ID", Many(integer)), (b"ID",), (b"foo",))))),
    (3, (b"CLIENT", b"KILL", OneOf((b"1.2.3.4:5",), (b"ID", b"999999999"), (b"ID", b"x"),
                                   (b"ADDR", b"1.2.3.4:5"), (b"LADDR", b"1.2.3.4:5"),
                                   (b"TYPE", b"pubsub"), (b"TYPE", b"foo"), (b"USER", b"nobody"),
                                   (b"USER", b"default", b"ID", b"999999999"),
                                   (b"SKIPME", b"maybe"), (b"SKIPME", b"yes", b"ADDR", b"x"),
                                   (b"ADDR",), (b"foo", b"bar"), (b"ID", b"0"), (b"ID", b"-1")))),
    (1, (b"CLIENT", b"UNPAUSE")),
    (1, (b"CLIENT", b"PAUSE", OneOf((b"0",), (b"x",), (b"-1",), (b"0", b"WRITE"), (b"0", b"foo"),
                                    (b"0", b"ALL", b"x")))),
    (1, (b"CLIENT", b"NO-EVICT", OneOf(b"ON", b"OFF", b"foo", b"on"))),
    (1, (b"CLIENT", b"UNBLOCK", integer, Maybe(OneOf(b"TIMEOUT", b"ERROR", b"foo")))),
    (1, (b"CLIENT", b"HELP")),
    (2, (b"CLIENT", OneOf(b"MAINT_NOTIFICATIONS", b"foo", b"", b"li\nst"), Maybe(value))),
    (1, (b"CLIENT",)),
    (2, (OneOf(b"nosuch", b"", b"foo\r\nbar", b"GETX", b"x" * 200), Many(value, low=0))),
]

KNOWN = ("get set mset mget append bitfield bitop bitcount copy rename del exists expire getex lcs "
         "memory|usage object|encoding object client client|kill config|get ping hello select "
         "scan migrate_x nosuch dump restore touch swapdb move config|nosuch client|id setrange "
         "msetnx incrbyfloat getdel flushall dbsize command command|docs latency|reset slowlog|get "
         "bitfield_ro unlink substr psetex keys type shutdown debug monitor info time wait auth"
         ).encode().split()


def command_name(random):
    name = random.choice(KNOWN)
    return name if random.random() < 0.8 else name.upper()


def section(random):
    return random.choice((b"server", b"clients", b"memory", b"persistence", b"stats",
                          b"replication", b"cpu", b"commandstats", b"cluster", b"keyspace",
                          b"modules", b"errorstats", b"latencystats", b"all", b"default",
                          b"everything", b"nosuch", b"", b"SERVER"))


INTROSPECTION = [
    (2, (b"COMMAND", b"INFO", Many(command_name))),
    (2, (b"COMMAND", b"DOCS", Many(command_name))),
    (1, (b"COMMAND", b"COUNT", Maybe(value, chance=0.1))),
    (1, (b"COMMAND", b"LIST", Maybe(b"FILTERBY", OneOf(
        (b"PATTERN", OneOf(b"*get*", b"b*", b"set", b"client|*", b"")),
        (b"ACLCAT", OneOf(b"string", b"bitmap", b"fast", b"keyspace", b"dangerous", b"nosuch")),
        (b"MODULE", b"nosuch"), (b"foo", b"bar"), (b"PATTERN",))))),
    (4, (b"COMMAND", OneOf(b"GETKEYS", b"GETKEYSANDFLAGS"), OneOf(
        (b"GET", key), (b"SET", key, value, Maybe(b"GET")), (b"MSET", Many(key, value)),
        (b"MGET", Many(key)), (b"BITOP", b"AND", key, Many(key)), (b"COPY", key, key),
        (b"LCS", key, key), (b"BITFIELD", key, b"GET", b"u8", b"0"),
        (b"BITFIELD", key, b"SET", b"u8", b"0", b"1"), (b"PING",), (b"nosuch", key),
        (b"OBJECT", b"ENCODING", key), (b"MEMORY", b"USAGE", key), (b"GET",), (b"RENAME", key, key),
        (b"EXISTS", Many(key)), (b"CLIENT", b"LIST"), (b"MSET", key), (b"GETEX", key, b"PERSIST"),
        (b"TOUCH", Many(key)), (b"OBJECT", b"nosuch", key), (b"OBJECT",)))),
    (1, (b"INFO", Many(section, low=0, high=3))),
    (1, (b"TIME",)), (1, (b"LASTSAVE",)), (1, (b"ROLE",)), (1, (b"DBSIZE",)),
    (1, (b"LOLWUT", Maybe(b"VERSION", small))),
    (1, (b"WAIT", OneOf((b"0", b"0"), (b"0", b"1"), (b"0", integer), (b"x", b"0"), (b"0", b"-1")))),
    (1, (b"MODULE", OneOf(b"LIST", b"foo", b"HELP"))),
    (1, (b"CLUSTER", OneOf((b"INFO",), (b"NODES",), (b"KEYSLOT", key), (b"foo",), (b"HELP",)))),
    (1, (OneOf(b"READONLY", b"READWRITE"),)),
    (1, (OneOf(b"REPLICAOF", b"SLAVEOF"), OneOf((b"NO", b"ONE"), (b"no", b"one")))),
    (1, (b"MEMORY", OneOf((b"DOCTOR",), (b"PURGE",), (b"STATS",), (b"HELP",), (b"foo",),
                          (b"USAGE",), (b"MALLOC-STATS", b"x")))),
    (1, (b"OBJECT", OneOf((b"HELP",), (b"foo", key), (b"ENCODING",), (b"FREQ", key)))),
    (2, (b"SLOWLOG", OneOf((b"LEN",), (b"RESET",), (b"GET", b"0"), (b"GET", OneOf(
        b"x", b"-2", b"-5", b"", b"99999999999999999999")), (b"HELP",), (b"foo",), (b"LEN", b"x")))),
    (2, (b"LATENCY", OneOf((b"LATEST",), (b"HISTORY", value), (b"RESET", Many(value, low=0)),
                           (b"DOCTOR",), (b"GRAPH", value), (b"HELP",), (b"foo",),
                           (b"HISTOGRAM", Many(command_name, low=0))))),
    (1, (b"SHUTDOWN", OneOf((b"foo",), (b"NOSAVE", b"SAVE"), (b"ABORT",), (b"NOSAVE", b"foo"),
                            (b"ABORT", b"NOW")))),
    (1, (b"DEBUG", OneOf((b"SLEEP", b"0"), (b"OBJECT", key), (b"foo",), (b"SLEEP",),
                         (b"SET-ACTIVE-EXPIRE", b"1"), (b"HELP",)))),
    (2, (b"SET", key, value)),
]


CONFIG_NAMES = (b"hz", b"maxmemory", b"timeout", b"slowlog-max-len", b"tcp-keepalive",
                b"maxmemory-policy", b"lfu-log-factor", b"appendfsync", b"loglevel",
                b"notify-keyspace-events", b"client-output-buffer-limit", b"save",
                b"latency-tracking", b"latency-monitor-threshold", b"nosuch", b"",
                b"hash-max-listpack-entries", b"hash-max-ziplist-entries", b"databases",
                b"maxclients", b"activerehashing", b"lua-time-limit", b"oom-score-adj",
                b"latency-tracking-info-percentiles", b"proto-max-bulk-len", b"port",
                b"replica-priority", b"slave-priority", b"maxmemory-samples", b"HZ")


def config_name(random):
    return random.choice(CONFIG_NAMES)


def config_name_list():
    """What CONFIG SET may have changed, aliases left out."""
    return [name for name in CONFIG_NAMES if name.islower() and b"ziplist" not in name
            and name not in (b"nosuch", b"slave-priority", b"port", b"databases")]


def config_value(random):
    return random.choice((b"0", b"1", b"10", b"100", b"yes", b"no", b"YES", b"1mb", b"1gb", b"10kb",
                          b"1MB", b"-1", b"", b"foo", b"99999999999999999999", b"1.5", b"50%",
                          b"noeviction", b"allkeys-lru", b"everysec", b"always", b"notice", b"KEA",
                          b"Kx", b"normal 0 0 0", b"pubsub 32mb 8mb 60", b"normal 1 1",
                          b"replica 1gb 1gb 1 pubsub 1 1 1", b"foo 0 0 0", b"900 1 300 10",
                          b"50 99 99.9", b"101", b"2147483648", b"10b", b"1t"))


def config_pair(random):
    """A name with a value that is safe to have: some settings would end or blind the run."""
    while True:
        name, setting = config_name(random), config_value(random)
        if (name.lower(), setting.lower()) in DANGEROUS_SETTINGS or name in (b"maxclients", b"port"):
            continue
        if name == b"latency-monitor-threshold" and setting.isdigit() and setting != b"0":
            continue  # events would be a matter of luck
        if name == b"proto-max-bulk-len" or (name == b"maxmemory" and setting not in (b"0", b"foo")):
            continue
        return [name, setting]


class ConfigPair:
    @staticmethod
    def expand(random):
        return config_pair(random)


DANGEROUS_SETTINGS = {(b"timeout", b"1"), (b"timeout", b"10"), (b"client-output-buffer-limit",
                                                                 b"normal 1 1")}

CONFIG = [
    (5, (b"CONFIG", b"GET", Many(OneOf(config_name, b"max*", b"*log*", b"[st]*", b"*-ziplist-*",
                                       b"*", b"slave*", b"repl*")))),
    (8, (b"CONFIG", b"SET", Many(ConfigPair, high=2))),
    (1, (b"CONFIG", b"RESETSTAT")),
    (1, (b"CONFIG", OneOf(b"HELP", b"foo", b"SET", b"GET"))),
    (1, (b"CONFIG", b"SET", OneOf(b"maxmemory", b"hz"))),
]

FAMILIES = {
    "strings": (30, STRINGS), "bitmaps": (18, BITMAPS), "keys": (22, KEYSPACE),
    "expiry": (16, EXPIRY), "connection": (8, CONNECTION), "introspection": (5, INTROSPECTION),
    "config": (1, CONFIG),
}

# Relative times that would run out during the test are moved far away (position of the first
# argument that can be one).
RELATIVE_TIMES = {b"set": 3, b"getex": 2, b"setex": 2, b"psetex": 2, b"expire": 2, b"pexpire": 2,
                  b"restore": 2}
NOW = int(time.time())


class Generator:
    """Gives commands as lists of arguments; everything follows from the seed."""

    def __init__(self, random, only=None):
        self.random = random
        names = [name for name in FAMILIES if only is None or name == only]
        self.families = [(weight, [row[0] for row in rows], [row[1] for row in rows])
                         for weight, rows in (FAMILIES[name] for name in names)]
        self.weights = [family[0] for family in self.families]
        self.payloads = [b""]

    def commands(self, count):
        """At least `count` commands."""
        result = []
        while len(result) < count:
            arguments = self.command()
            result.append(arguments)
            if arguments[0].upper() == b"SET" and len(arguments) > 3:
                # With a deadline in the past the key stays until something looks at it or the
                # expiry cycle comes by; DBSIZE would see that difference in time.
                result.append([b"TYPE", arguments[1]])
        return result

    def command(self):
        random = self.random
        while True:
            _, weights, rows = random.choices(self.families, self.weights)[0]
            arguments = expand(random.choices(rows, weights)[0], random)
            if arguments[0] == b"DUMP" and random.random() < 0.6:
                arguments = self.restore()
            if random.random() < 0.25:
                arguments = mutate(arguments, random)
            if random.random() < 0.2:
                arguments[0] = arguments[0].swapcase()
            move_times_away(arguments)
            if not forbidden(arguments):
                return arguments

    def restore(self):
        """RESTORE of a payload that the reference made, sometimes damaged."""
        random = self.random
        payload = bytearray(random.choice(self.payloads))
        if payload and random.random() < 0.25:
            payload[random.randrange(len(payload))] ^= 1 << random.randrange(8)
        elif random.random() < 0.05:
            payload = payload[:random.randrange(len(payload) + 1)]
        return expand((b"RESTORE", key, milliseconds, bytes(payload),
                       Options(b"REPLACE", b"REPLACE", b"ABSTTL", (b"IDLETIME", small),
                               (b"FREQ", small))), random)


def mutate(arguments, random):
    """One change: lost, doubled, added, swapped or replaced argument, or another case."""
    arguments = list(arguments)
    kind = random.randrange(7)
    if len(arguments) == 1:
        arguments.append(junk(random))
        return arguments
    position = random.randrange(1, len(arguments))
    if kind == 0:
        del arguments[position]
    elif kind == 1:
        arguments.insert(position, arguments[position])
    elif kind == 2:
        arguments.insert(random.randrange(1, len(arguments) + 1), junk(random))
    elif kind == 3:
        arguments[position] = junk(random)
    elif kind == 4:
        other = random.randrange(1, len(arguments))
        arguments[position], arguments[other] = arguments[other], arguments[position]
    elif kind == 5:
        arguments[position] = arguments[position].swapcase()
    else:
        del arguments[position:]
    return arguments


def move_times_away(arguments):
    first = RELATIVE_TIMES.get(arguments[0].lower())
    if first is None:
        return
    for position in range(first, len(arguments)):
        argument = arguments[position]
        if argument.isdigit() and not argument.startswith(b"0") and len(argument) < 6:
            arguments[position] = b"%d" % (int(argument) + 10 ** 6)


def forbidden(arguments):
    """What would stop, pause or silence a server; scenarios.py says those with care."""
    name = arguments[0].lower()
    words = [argument.lower() for argument in arguments[1:]]
    if name in (b"shutdown", b"debug"):
        return arguments[:1] + words not in SAFE_AS_WRITTEN and \
            [name] + words not in SAFE_AS_WRITTEN
    if name == b"client" and words[:1] == [b"pause"]:
        return any(word.isdigit() and int(word) for word in words[1:])
    if name == b"client" and words[:1] == [b"kill"]:
        # Filters that match the session itself, or the pipe on which the other servers are seen.
        values = words[1:]
        return len(values) % 2 == 0 and not any(
            word in (b"999999999", b"1.2.3.4:5", b"nobody", b"pubsub", b"x", b"foo", b"maybe",
                     b"0", b"-1") for word in values)
    if name == b"config" and words[:1] == [b"set"]:
        pairs = list(zip(words[1::2], words[2::2]))
        risky = (b"proto-max-bulk-len", b"maxclients", b"port", b"timeout", b"databases", b"dir",
                 b"client-output-buffer-limit", b"maxmemory", b"client-query-buffer-limit", b"bind")
        return any(pair[0] in risky and pair in MUTATED_SETTINGS for pair in pairs) or \
            any(pair[0] == b"maxmemory" and pair[1] not in (b"0", b"foo") for pair in pairs) or \
            any(pair[0] in (b"proto-max-bulk-len", b"maxclients", b"port", b"bind", b"dir")
                for pair in pairs)
    if name in (b"replicaof", b"slaveof"):
        return words != [b"no", b"one"]
    return name in (b"monitor", b"subscribe", b"wait") and (name != b"wait" or words[:1] != [b"0"] or
                                                            len(words) == 2 and words[1] == b"0"
                                                            and words[0] != b"0")


MUTATED_SETTINGS = {(b"timeout", b"1"), (b"timeout", b"10"), (b"timeout", b"2"),
                    (b"client-output-buffer-limit", b"normal 1 1 1")}
SAFE_AS_WRITTEN = [
    [b"shutdown", b"foo"], [b"shutdown", b"nosave", b"save"], [b"shutdown", b"abort"],
    [b"shutdown", b"nosave", b"foo"], [b"shutdown", b"abort", b"now"], [b"debug", b"sleep", b"0"],
    [b"debug", b"foo"], [b"debug", b"sleep"], [b"debug", b"set-active-expire", b"1"],
    [b"debug", b"help"],
] + [[b"debug", b"object", each.lower()] for each in KEYS]
