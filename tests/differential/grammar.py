"""What the differential test says: the commands as tables, by family, each with a weight.

A command is a list of parts. A part is literal bytes, a generator `f(random) -> bytes`, or a
combinator that gives several arguments. About a quarter of the commands are damaged afterwards
(generator.py), which is where wrong arity, wrong numbers, doubled and missing options come from.
"""
from arguments import (bit, bit_offset, byte_offset, database, field_offset, field_type, integer,
                       key, milliseconds, number, pattern, seconds, small, unix_milliseconds,
                       unix_seconds, value)
from combinators import Many, Maybe, OneOf, Options
from grammar_hashes import HASHES
from grammar_hyperloglog import HYPERLOGLOG
from grammar_lists import LISTS
from grammar_sets import SETS
from grammar_sort import SORT
from grammar_stream import STREAM
from grammar_zsets import GEO, ZSETS

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
    return random.choice((b"2", b"3", b"2", b"3", b"1", b"4", b"", b"x", b"-1",
                          b"99999999999999999999"))


def client_name(random):
    return random.choice((b"me", b"", b"with space", b"new\nline", b"\xff", b"ok-name", b"tab\t",
                          b"a" * 100))


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

KNOWN = ("get set mset mget append bitfield bitop bitcount copy rename del exists expire lcs "
         "memory|usage object|encoding object client client|kill config|get ping hello select "
         "scan migrate_x nosuch dump restore touch swapdb move config|nosuch client|id setrange "
         "msetnx incrbyfloat getdel flushall dbsize command command|docs latency|reset slowlog|get "
         "getex bitfield_ro unlink substr psetex keys type shutdown debug monitor info time "
         "wait auth"
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
        b"x", b"-2", b"-5", b"", b"99999999999999999999")), (b"HELP",), (b"foo",),
                           (b"LEN", b"x")))),
    (2, (b"LATENCY", OneOf((b"LATEST",), (b"HISTORY", value), (b"RESET", Many(value, low=0)),
                           (b"DOCTOR",), (b"GRAPH", value), (b"HELP",), (b"foo",),
                           (b"HISTOGRAM", Many(command_name, low=0))))),
    (2, (b"ACL", OneOf((b"WHOAMI",), (b"USERS",), (b"LIST",), (b"HELP",), (b"foo",), (b"LOAD",),
                       (b"SAVE",), (b"CAT", Maybe(OneOf(b"nosuch", b"@read", b""), chance=0.5)),
                       (b"CAT", b"read", b"x"), (b"GETUSER", OneOf(b"default", b"nosuch")),
                       (b"GENPASS", OneOf(b"0", b"-1", b"4097", b"x", b"")),
                       (b"LOG", OneOf(b"x", b"", b"0", b"-1", b"99999999999999999999")),
                       (b"DRYRUN", OneOf(b"default", b"nosuch"), command_name, Many(key, low=0)),
                       (b"SETUSER", OneOf(b"a b", b"x\0y"), b"on"), (b"DELUSER", b"default"),
                       (b"DELUSER", b"nosuch"), (b"SETUSER", b"nosuch", OneOf(
                           b"+nosuch", b"%~", b"nosuch", b"(", b"(+nosuch)", b"#0", b"<x"))))),
    (1, (b"SHUTDOWN", OneOf((b"foo",), (b"NOSAVE", b"SAVE"), (b"ABORT",), (b"NOSAVE", b"foo"),
                            (b"ABORT", b"NOW")))),
    (1, (b"DEBUG", OneOf((b"SLEEP", b"0"), (b"OBJECT", key), (b"foo",), (b"SLEEP",),
                         (b"REPLYBUFFER", b"RESIZING", b"1"), (b"REPLYBUFFER", b"foo", b"1"),
                         (b"REPLYBUFFER", b"PEAK-RESET-TIME", OneOf(b"reset", b"x", b"100")),
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
                b"hll-sparse-max-bytes", b"replica-priority", b"slave-priority", b"maxmemory-samples", b"HZ")


def config_name(random):
    return random.choice(CONFIG_NAMES)


def config_name_to_set(random):
    """Not the port: a server that moves away is one that the test cannot reach."""
    return random.choice([name for name in CONFIG_NAMES if name != b"port"])


def config_value(random):
    """Numbers end at 2^64-1: aeris refuses larger ones, which Redis lets wrap round."""
    return random.choice((b"0", b"1", b"10", b"100", b"yes", b"no", b"YES", b"1mb", b"1gb", b"10kb",
                          b"1MB", b"-1", b"", b"foo", b"18446744073709551615", b"1.5", b"50%",
                          b"noeviction", b"allkeys-lru", b"everysec", b"always", b"notice", b"KEA",
                          b"Kx", b"normal 0 0 0", b"pubsub 32mb 8mb 60", b"normal 1 1",
                          b"replica 1gb 1gb 1 pubsub 1 1 1", b"foo 0 0 0", b"900 1 300 10",
                          b"50 99 99.9", b"101", b"2147483648", b"10b", b"1t"))


CONFIG = [
    (5, (b"CONFIG", b"GET", Many(OneOf(config_name, b"max*", b"*log*", b"[st]*", b"*-ziplist-*",
                                       b"*", b"slave*", b"repl*")))),
    (8, (b"CONFIG", b"SET", Many(config_name_to_set, config_value, high=2))),
    (1, (b"CONFIG", b"RESETSTAT")),
    (1, (b"CONFIG", OneOf(b"HELP", b"foo", b"SET", b"GET"))),
    (1, (b"CONFIG", b"SET", OneOf(b"maxmemory", b"hz"))),
]

PUBSUB = [
    (3, (b"PUBLISH", key, value)), (2, (b"SPUBLISH", key, value)),
    (2, (b"PUBSUB", b"CHANNELS", Maybe(pattern))), (2, (b"PUBSUB", b"NUMSUB", Many(key, high=3))),
    (1, (b"PUBSUB", b"NUMPAT")), (1, (b"PUBSUB", b"SHARDCHANNELS", Maybe(pattern))),
    (1, (b"PUBSUB", b"SHARDNUMSUB", Many(key, high=3))), (1, (b"PUBSUB", OneOf(b"HELP", b"foo"))),
]

FAMILIES = {
    "strings": (30, STRINGS), "bitmaps": (18, BITMAPS), "keys": (22, KEYSPACE),
    "expiry": (16, EXPIRY), "lists": (25, LISTS), "sets": (25, SETS), "sort": (10, SORT), "streams": (25, STREAM),
    "zsets": (30, ZSETS), "geo": (10, GEO),
    "connection": (8, CONNECTION), "introspection": (5, INTROSPECTION),
    "config": (1, CONFIG), "pubsub": (3, PUBSUB),
    "hyperloglog": (6, HYPERLOGLOG), "hashes": (16, HASHES),
}

# Relative times that would run out during the test are moved far away (position of the first
