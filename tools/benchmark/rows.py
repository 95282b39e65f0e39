"""Rows: what can be measured, by the names that the tables and --only use.

  get -P 64                            CPU and latency of requests, among a million keys of 16 bytes
  mixed -P 16, 10M keys, 1 KiB values  the same, all workloads, depths, numbers of keys and sizes
  get -P 16 beside memcached           the same, with memcached as the baseline
  load -P 64                           keys that are new, into a fresh server
  get at half rate                     latency at half of what the baseline can do
  bytes per key 16+32, 4M keys         resident memory beyond key and value; `with deadlines`
  memory after deleting half           resident memory over that of a fresh fill
  memory at its limit                  resident memory over maxmemory while sizes of values change
  longest insert                       of a million single ones while 10 million keys are filled in
  redis-benchmark lpush -P 16          CPU of a test of its default list
  zrank -P 16, 5M elements             CPU of a command on a collection, of a million where none is said
  memory of a sorted set               resident memory per element of a million
  longest insert into a sorted set     the same as for keys, while it grows to 10 million elements
  longest ping while flushing all      of one a millisecond; the scenes of cache_pauses.py
  publish -P 16, 1K subscribers        CPU per message and subscriber
  idle connection, empty server        resident memory; `idle TLS connection` likewise
  get -P 16 among idle connections     CPU of the same requests over that without 9,900 idle ones
  ping during handshakes               p99 of a client at a steady rate in a storm of new TLS clients

`aim` is what the project wants of a row: a ratio to the baseline, or a figure of its own.
"""

import dataclasses
import fnmatch
import re

from .cache_pauses import SCENES
from .data_types import BENCHMARK_TESTS, COLLECTIONS, OPERATIONS

WORKLOADS = ("get", "set", "mixed", "mget", "incr", "expire", "load")
MGET_KEYS = 10
MILLION = 1_000_000


@dataclasses.dataclass(frozen=True)
class Row:
    kind: str  # a name of NAMES
    workload: str = ""  # or a command, a test of redis-benchmark, a collection
    pipeline: int = 1
    keys: int = MILLION  # or elements of a collection, or subscribers
    key_bytes: int = 16
    value_bytes: int = 32
    deadlines: bool = False
    memcached: bool = False

    @property
    def name(self):
        return NAMES[self.kind](self)

    @property
    def aim(self):
        """The most that is wanted; None where nothing is promised."""
        return AIMS.get(self.name)


def count_text(count):
    for unit, size in (("M", MILLION), ("K", 1000)):
        if count % size == 0:
            return f"{count // size}{unit}"
    return str(count)


def bytes_text(count):
    for unit, size in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count % size == 0 and count > 0:
            return f"{count // size} {unit}"
    return f"{count} B"


def default_keys(value_bytes):
    """A million, or as many as make up 64 MiB: large values do not need more to miss the caches."""
    return MILLION if value_bytes < 16 << 10 else max(64, (64 << 20) // value_bytes)


def requests_name(row):
    name = f"{row.workload} -P {row.pipeline}"
    if row.keys != default_keys(row.value_bytes):
        name += f", {count_text(row.keys)} keys"
    if row.value_bytes != 32:
        name += f", {bytes_text(row.value_bytes)} values"
    return name + (" beside memcached" if row.memcached else "")


def memory_name(row):
    name = f"bytes per key {row.key_bytes}+{row.value_bytes}"
    if row.keys != 5 * MILLION:
        name += f", {count_text(row.keys)} keys"
    return name + (" with deadlines" if row.deadlines else "")


def sized_name(text, keys, unit="keys"):
    """A name of that form, with the number of keys or elements where it is not the usual one."""
    return lambda row: text.format(row=row) + (
        f", {count_text(row.keys)} {unit}" if row.keys != keys else "")


def scene_name(row):
    scene = SCENES[row.workload]
    return sized_name("longest ping while {row.workload}", scene.keys, scene.unit)(row)


NAMES = {
    "requests": requests_name,
    "load": requests_name,
    "latency": lambda row: f"{row.workload} at half rate",
    "memory": memory_name,
    "deleted": sized_name("memory after deleting half", 10 * MILLION),
    "replaced": sized_name("memory after replacing the rest", 10 * MILLION),
    "limited": lambda row: "memory at its limit",
    "pauses": sized_name("longest insert", 10 * MILLION),
    "redis-benchmark": lambda row: f"redis-benchmark {row.workload} -P {row.pipeline}",
    "operation": sized_name("{row.workload} -P {row.pipeline}", MILLION, "elements"),
    "type memory": sized_name("memory of {row.workload}", MILLION, "elements"),
    "type pauses": sized_name("longest insert into {row.workload}", 10 * MILLION, "elements"),
    "cache pauses": scene_name,
    "fan-out": lambda row: f"publish -P {row.pipeline}, {count_text(row.keys)} subscribers",
    "idle": lambda row: "idle connection",
    "idle tls": lambda row: "idle TLS connection",
    "among idle": sized_name("{row.workload} -P {row.pipeline} among idle connections", MILLION),
    "storm": lambda row: "ping during handshakes",
    "empty": lambda row: "empty server",
}


def parse_count(digits, unit):
    return int(digits) * {"": 1, "K": 1000, "M": MILLION}[unit]


def parse(text):
    """The row of that name, or None."""
    text = " ".join(text.split())
    keys = re.search(r", (\d+)([KM]?) (?:keys|elements)\b", text)
    text = text.replace(keys[0], "") if keys else text
    count = parse_count(*keys.groups()) if keys else None
    if match := re.fullmatch(r"(\w+) -P (\d+)(?:, (\d+) (B|KiB|MiB) values)?( beside memcached)?",
                             text, re.IGNORECASE):
        workload = match[1].lower()
        if workload in OPERATIONS and not match[3] and not match[5]:
            return Row("operation", workload, int(match[2]), count or MILLION)
        if workload not in WORKLOADS:
            return None
        units = {"b": 1, "kib": 1 << 10, "mib": 1 << 20}
        value_bytes = int(match[3]) * units[match[4].lower()] if match[3] else 32
        return Row("load" if workload == "load" else "requests", workload, int(match[2]),
                   count or default_keys(value_bytes), value_bytes=value_bytes,
                   memcached=bool(match[5]))
    if match := re.fullmatch(r"(get|set) -P (\d+) among idle connections", text, re.IGNORECASE):
        return Row("among idle", match[1].lower(), int(match[2]), count or MILLION)
    if match := re.fullmatch(r"redis-benchmark (\w+) -P (\d+)", text, re.IGNORECASE):
        known = match[1].lower() in BENCHMARK_TESTS
        return Row("redis-benchmark", match[1].lower(), int(match[2])) if known else None
    for kind, begin, usual in (("type memory", "memory of ", MILLION),
                               ("type pauses", "longest insert into ", 10 * MILLION)):
        if text.startswith(begin) and (collection := text.removeprefix(begin)) in COLLECTIONS:
            return Row(kind, collection, keys=count or usual)
    scene = text.removeprefix("longest ping while ")
    if scene != text and scene in SCENES:
        return Row("cache pauses", scene, keys=count or SCENES[scene].keys)
    if match := re.fullmatch(r"bytes per key (\d+)\+(\d+)( with deadlines)?", text):
        return Row("memory", keys=count or 5 * MILLION, key_bytes=int(match[1]),
                   value_bytes=int(match[2]), deadlines=bool(match[3]))
    if match := re.fullmatch(r"publish -P (\d+), (\d+)(K?) subscribers", text, re.IGNORECASE):
        return Row("fan-out", "publish", int(match[1]), parse_count(match[2], match[3].upper()))
    if match := re.fullmatch(r"(get|set) at half rate", text, re.IGNORECASE):
        return Row("latency", match[1].lower())
    for kind in ("deleted", "replaced", "pauses"):
        if text == Row(kind, keys=(row_keys := 10 * MILLION)).name:
            return Row(kind, keys=count or row_keys)
    for kind in ("idle", "idle tls", "storm", "empty", "limited"):
        if text == Row(kind).name:
            return Row(kind)
    return None


def names(pattern, **lists):
    """The pattern filled in with every combination of the lists."""
    result = [pattern]
    for name, values in lists.items():
        result = [text.replace("{" + name + "}", str(value)) for text in result for value in values]
    return result


TYPES = ("a hash", "a set", "a set of integers", "a sorted set", "a list", "a stream")
SHAPES = ("16+16", "16+32", "32+128")
SUITES = {
    "requests": names("{w} -P {p}", p=(64, 16, 1), w=WORKLOADS[:-1]),
    "keys": names("{w} -P {p}, {n} keys", n=("10K", "5M", "10M"), p=(64, 16, 1), w=("get", "set")),
    "load": ["load -P 64", "load -P 16", "load -P 1", "load -P 64, 10M keys"],
    "values": (names("{w} -P {p}, 1 KiB values", p=(64, 16, 1), w=("get", "set", "mixed")) +
               names("{w} -P {p}, 64 KiB values", p=(16, 1), w=("get", "set")) +
               names("{w} -P 1, 1 MiB values", w=("get", "set"))),
    "memcached": names("{w} -P {p} beside memcached", p=(64, 16, 1), w=("get", "set", "mixed")),
    "latency": names("{w} at half rate", w=("get", "set")),
    "pubsub": names("publish -P {p}, {n} subscribers", n=("1K", 10), p=(16, 1)),
    "memory": (["empty server", "idle connection"] +
               names("bytes per key {s}{n}", s=SHAPES,
                     n=(", 4M keys", "", ", 6M keys", ", 7M keys", ", 8M keys")) +
               names("bytes per key {s} with deadlines", s=SHAPES)),
    "connections": ["idle connection", "idle TLS connection",
                    *names("{w} -P {p} among idle connections", p=(16, 1), w=("get", "set")),
                    "ping during handshakes"],
    "churn": ["memory after deleting half", "memory after replacing the rest"],
    "limit": ["memory at its limit"],
    "pauses": ["longest insert"],
    "cache pauses": names("longest ping while {s}", s=SCENES),
    "types": (names("redis-benchmark {t} -P 16", t=BENCHMARK_TESTS) +
              names("{o} -P 16", o=(name for name in OPERATIONS if name != "sinter")) +
              ["sinter -P 1"]),
    "type memory": names("memory of {t}", t=(*TYPES, "small hashes")),
    "type pauses": names("longest insert into {t}", t=TYPES),
}
# Within three minutes.
QUICK = [*names("{w} -P {p}", p=(64, 16, 1), w=("get", "set")), "mget -P 16", "load -P 64",
         "get -P 1, 64 KiB values", *names("{w} -P 16 beside memcached", w=("get", "set")),
         "bytes per key 16+32, 1M keys", "bytes per key 16+32, 1M keys with deadlines",
         "empty server", "idle connection"]

# By the name of the row, as the ratio of the measure that the row is about to the baseline's...
AIMS = {
    **dict.fromkeys(names("{w} -P 64{n}", n=("", ", 5M keys", ", 10M keys"), w=("get", "set")),
                    0.18),
    **dict.fromkeys(names("{w} -P 16", w=("get", "set")), 0.27),
    **dict.fromkeys(names("{w} -P 1", w=("get", "set")), 0.78),
    **dict.fromkeys(names("{w} -P 64, 10K keys", w=("get", "set")), 0.45),
    **dict.fromkeys(SUITES["load"], 0.45),
    **dict.fromkeys(("get -P 1, 64 KiB values", "get -P 1, 1 MiB values"), 0.60),
    **dict.fromkeys(names("mget -P {p}", p=(64, 16, 1)), 0.35),
    **dict.fromkeys(names("{w} -P 16 beside memcached", w=("get", "set", "mixed")), 0.50),
    **dict.fromkeys(SUITES["latency"], 1.0),
    **dict.fromkeys(names("redis-benchmark {t} -P 16", t=BENCHMARK_TESTS), 0.6),
    **dict.fromkeys(names("{o} -P 16", o=("zadd", "zrank", "zrange")), 0.6),
    **dict.fromkeys(("hget -P 16", "sismember -P 16", "sinter -P 1"), 0.5),
    **dict.fromkeys(names("{o} -P 16", o=("xadd", "xreadgroup")), 0.7),
    **dict.fromkeys(names("publish -P {p}, 1K subscribers", p=(16, 1)), 0.6),
    "memory of a hash": 0.5,
    "memory of a set": 0.45,
    "memory of a set of integers": 0.35,
    "memory of a sorted set": 0.55,
    "memory of a list": 1.0,
    "memory of a stream": 1.0,
    "memory of small hashes": 0.8,
    # ... and as a figure of its own: bytes, times a fresh fill, milliseconds, KiB, MiB.
    **dict.fromkeys((name for name in SUITES["memory"] + QUICK if name.startswith("bytes")), 16),
    **dict.fromkeys((name for name in SUITES["memory"] + QUICK if name.endswith("deadlines")), 22),
    **dict.fromkeys(SUITES["churn"] + SUITES["limit"], 1.15),
    **dict.fromkeys((*SUITES["pauses"], *SUITES["cache pauses"], *SUITES["type pauses"]), 2),
    "idle connection": 1,
    **dict.fromkeys((name for name in SUITES["connections"] if "among" in name), 1.05),
    "ping during handshakes": 5,
    "empty server": 8,
}


def catalogue():
    return [name for suite in SUITES.values() for name in suite]


def select(suites, patterns):
    """The rows of some suites, and those that --only names: a whole name, or a pattern of the
    shell over the suites' names. Raises ValueError for what names nothing."""
    chosen = [name for suite in suites for name in SUITES[suite]]
    for pattern in patterns:
        found = [pattern] if parse(pattern) else \
            [name for name in catalogue() if fnmatch.fnmatch(name, pattern.lower())]
        if not found:
            raise ValueError(f"no row is named {pattern!r}; --list shows them")
        chosen += found
    return list(dict.fromkeys(parse(name) for name in chosen))
