"""The one place of known and intended differences between aeris and Redis 7.0.15.

A reply that is not equal byte for byte is a failure unless a rule here explains it. A rule has the
command (with its subcommand where that matters), the reason, and a function that decides whether
the two replies say the same. Rules never turn an error into a success or the other way round, and
never explain different errors, unless they say so.
"""
import re

from normalise_stream import STREAM_RULES, stream_not_sent
from wire import ErrorReply, decode

TIME_TOLERANCE_MS = 5000


class Context:
    """What a rule may need to know beside the two replies."""

    def __init__(self, probe=None, commands=frozenset()):
        self.probe = probe        # f(payload_a, payload_b) -> whether both restore to one value
        self.commands = commands  # names that our COMMAND LIST gives
        self.sorted = False       # whether the sequence has had a SORT


def as_map(reply):
    """A map of RESP3, or the flat list that RESP2 has instead."""
    if isinstance(reply, dict):
        return reply
    return dict(zip(reply[0::2], reply[1::2]))


def drawn_elements(arguments, ours, theirs, _context):
    """Elements drawn at random: as many, and the same ones when all are asked for."""
    if not isinstance(ours, list) or not isinstance(theirs, list):
        return type(ours) is type(theirs)
    whole = len(arguments) > 2 and arguments[2] == b"100000"
    return len(ours) == len(theirs) and \
        (not whole or sorted(map(repr, ours)) == sorted(map(repr, theirs)))


def same_shape(ours, theirs):
    """Equal types at every level, lists of equal length; values free."""
    if type(ours) is not type(theirs):
        return False
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(same_shape, ours, theirs))
    if isinstance(ours, dict):
        return list(ours) == list(theirs)
    return True


# -- rules -----------------------------------------------------------------------------------------
# Each takes (arguments, ours, theirs, context) and gives True when the replies agree.

def type_only(_arguments, ours, theirs, _context):
    return type(ours) is type(theirs)


def shape_only(_arguments, ours, theirs, _context):
    return same_shape(ours, theirs)


def unordered(_arguments, ours, theirs, _context):
    return type(ours) is type(theirs) and isinstance(ours, list) and sorted(ours) == sorted(theirs)


def drawn(arguments, ours, theirs, _context):
    """Members chosen at random: as many, and different ones unless the count is negative."""
    if type(ours) is not type(theirs) or not isinstance(ours, list):
        return type(ours) is type(theirs)
    repeated = arguments[2].startswith(b"-")
    return len(ours) == len(theirs) and (repeated or len(set(ours)) == len(ours))


def encoding(_arguments, ours, theirs, context):
    """Redis's SORT makes a sorted set a skip list for good, SORT_RO's too; ours reads it."""
    return context.sorted and (ours, theirs) == (b"listpack", b"skiplist")


def order_is_open(arguments):
    """Whether SORT leaves the order to the table or to the algorithm: no sorting at all, or texts
    that may be equal for different elements."""
    words = [argument.lower() for argument in arguments[2:]]
    return b"by" in words


def sorted_by(arguments, ours, theirs, _context):
    if not order_is_open(arguments) or not isinstance(ours, list) or len(ours) != len(theirs):
        return False
    return b"limit" in [argument.lower() for argument in arguments] or \
        sorted(map(repr, ours)) == sorted(map(repr, theirs))


def scan_step(_arguments, ours, theirs, _context):
    """One step cannot be compared, only a whole iteration (scenarios.py)."""
    return all(isinstance(reply, list) and len(reply) == 2 and isinstance(reply[0], bytes)
               and reply[0].isdigit() and isinstance(reply[1], list) for reply in (ours, theirs))


def same_map(_arguments, ours, theirs, _context):
    """Pairs in any order."""
    return type(ours) is type(theirs) and len(ours) == len(theirs) and \
        as_map(ours) == as_map(theirs)


def random_fields(arguments, ours, theirs, _context):
    """Other fields, but as many of them."""
    if len(arguments) == 2:
        return both_null_or_text(arguments, ours, theirs, _context)
    return isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs) and \
        [type(each) for each in ours] == [type(each) for each in theirs]


def near_in_seconds(_arguments, ours, theirs, _context):
    return close(ours, theirs, TIME_TOLERANCE_MS // 1000)


def near_in_milliseconds(_arguments, ours, theirs, _context):
    return close(ours, theirs, TIME_TOLERANCE_MS)


def close(ours, theirs, tolerance):
    return isinstance(ours, int) and isinstance(theirs, int) and \
        (ours < 0) == (theirs < 0) and abs(ours - theirs) <= tolerance


def idle_seconds(_arguments, ours, theirs, _context):
    """Redis shares the objects of small integers between keys, so theirs may be idle for longer."""
    return isinstance(ours, int) and isinstance(theirs, int) and \
        0 <= ours <= theirs + TIME_TOLERANCE_MS // 1000


def time_reply(_arguments, ours, theirs, _context):
    return len(ours) == len(theirs) == 2 and all(isinstance(part, bytes) for part in ours) and \
        close(int(ours[0]), int(theirs[0]), 5) and 0 <= int(ours[1]) < 10 ** 6


def both_null_or_text(_arguments, ours, theirs, _context):
    return type(ours) is type(theirs)


def dump(_arguments, ours, theirs, context):
    return isinstance(ours, bytes) and isinstance(theirs, bytes) and context.probe(ours, theirs)


def hello(_arguments, ours, theirs, _context):
    free = (b"version", b"id")
    ours, theirs = as_map(ours), as_map(theirs)
    return list(ours) == list(theirs) and \
        all(ours[name] == theirs[name] for name in ours if name not in free)


CLIENT_FIELDS_ADDED = {b"lib-name", b"lib-ver", b"watch"}  # Redis 7.2 and 7.4, which we say we are


def client_fields(line):
    return [word.split(b"=")[0] for word in line.split(b" ")]


def client_lines(arguments, ours, theirs, _context):
    """The names of the fields in their order, for each line. The number of lines is the number of
    clients, which is not the subject."""
    ours, theirs = (bytes(reply).removeprefix(b"txt:").splitlines() for reply in (ours, theirs))
    if not ours or not theirs:
        # Numbers of clients count the side connections of the test, so ID filters meet others.
        return not ours and not theirs or b"id" in [word.lower() for word in arguments]
    expected = client_fields(theirs[0])
    return all([name for name in client_fields(line)
                if name not in CLIENT_FIELDS_ADDED] == expected for line in ours)


def info_fields(text):
    """Field names by section; the numbers in names of databases, clients and commands are free."""
    sections, section = {}, None
    for line in bytes(text).decode("utf-8", "replace").split("\r\n"):
        if line.startswith("# "):
            section = sections.setdefault(line[2:], set())
        elif line and section is not None:
            name = line.partition(":")[0]
            if not name.startswith(("cmdstat_", "errorstat_", "latency_percentiles_", "txt")):
                section.add(name)
    return sections


INFO_FIELDS_ADDED_PREFIXES = ("aeris_", "cache_db")
# Fields of Redis 7.0 that speak of something aeris does not have; everything else must be there.
INFO_FIELDS_WITHOUT_MEANING = set()
# Fields of Redis 7.2 and 7.4, which is the version that aeris gives.
INFO_FIELDS_OF_LATER_VERSIONS = {
    "async_loading", "total_active_defrag_time", "current_active_defrag_time",
    "evicted_clients", "evicted_scripts", "pubsubshard_channels", "watching_clients",
    "total_watched_keys", "pubsub_clients", "total_blocking_keys", "total_blocking_keys_on_nokey",
    "expired_subkeys", "acl_access_denied_auth", "acl_access_denied_cmd", "acl_access_denied_key",
    "acl_access_denied_channel", "instantaneous_eventloop_cycles_per_sec",
    "instantaneous_eventloop_duration_usec", "eventloop_cycles", "eventloop_duration_sum",
    "eventloop_duration_cmd_sum", "unexpected_error_replies",
    "client_query_buffer_limit_disconnections", "client_output_buffer_limit_disconnections",
    "reply_buffer_shrinks", "reply_buffer_expands",
    "lru_clock", "listener0", "listener1", "listener2", "listener3", "monotonic_clock",
    "allocator_muzzy", "mem_overhead_db_hashtable_rehashing", "mem_total_replication_buffers",
    "used_memory_vm_total", "number_of_libraries", "executable_path",
}


# Ours, named as the documentation of the cache names them.
INFO_FIELDS_OF_OURS = {"expire_lag_ms", "expire_backlog", "tls_handshakes",
                       "tls_handshakes_failed"}


def info(_arguments, ours, theirs, _context):
    return not info_difference(ours, theirs)


def info_difference(ours, theirs):
    """A list of words: what is missing from ours, and what nobody expects in it."""
    ours, theirs = info_fields(ours), info_fields(theirs)
    words = [f"section {name} missing" for name in theirs if name not in ours]
    words += [f"section {name} unknown" for name in ours
              if name not in theirs and name.lower() not in ("aeris", "cache")]
    for section, names in theirs.items():
        mine = ours.get(section, set())
        words += [f"{section}.{name} missing"
                  for name in sorted(names - mine - INFO_FIELDS_WITHOUT_MEANING)]
        words += [f"{section}.{name} unknown"
                  for name in sorted(mine - names - INFO_FIELDS_OF_LATER_VERSIONS - INFO_FIELDS_OF_OURS)
                  if not name.startswith(INFO_FIELDS_ADDED_PREFIXES)]
    return words


def canonical(reply):
    """Nested flags, tips and maps without their order."""
    if isinstance(reply, dict):
        return tuple(sorted((repr(name), canonical(entry)) for name, entry in reply.items()))
    if isinstance(reply, list):
        return tuple(sorted((canonical(entry) for entry in reply), key=repr))
    return bytes(reply) if isinstance(reply, (bytes, bytearray)) else reply


def command_info(arguments, ours, theirs, context):
    """Rows of commands that we have; a row is compared with flags, categories and key specs as
    sets. A command that we do not have yet is null."""
    if len(arguments) == 2:
        return command_table(arguments, ours, theirs, context)
    if len(ours) != len(theirs):
        return False
    return all(command_row(mine, its, context) for mine, its in zip(ours, theirs))


# Subcommands, tips and key specs count; notes of key specs are prose.
def command_row(ours, theirs, context):
    if not isinstance(theirs, list):
        # Something that only we have.
        return not isinstance(theirs, list) and (ours == theirs or bytes(ours[0]) in LATER_COMMANDS)
    if not isinstance(ours, list):
        return bytes(theirs[0]) not in context.commands and bytes(theirs[0]) not in REQUIRED
    if len(ours) != len(theirs) or ours[:2] != theirs[:2] or ours[3:6] != theirs[3:6]:
        return False
    if set(ours[2]) != set(theirs[2]) or set(ours[6]) != set(theirs[6]):
        return False
    specs = [sorted((canonical(without_notes(spec)) for spec in row[8]), key=repr)
             for row in (ours, theirs)]
    if specs[0] != specs[1]:
        return False
    theirs_by_name = {bytes(row[0]): row for row in theirs[9]}
    for row in ours[9]:
        name = bytes(row[0])
        if name not in LATER_COMMANDS and \
                (name not in theirs_by_name or not command_row(row, theirs_by_name[name], context)):
            return False
    return True


def without_notes(spec):
    return {name: entry for name, entry in as_map(spec).items() if name != b"notes"}


def command_docs(_arguments, ours, theirs, context):
    """`summary`, `complexity` and `history` are prose, which we write ourselves; the rest is data
    that clients and redis-cli's hints use."""
    ours, theirs = as_map(ours), as_map(theirs)
    for name, row in theirs.items():
        if bytes(name) not in ours:
            if bytes(name) in context.commands or bytes(name) in REQUIRED:
                return False
        elif not docs_row(as_map(ours[name]), as_map(row)):
            return False
    return all(name in theirs or bytes(name) in LATER_COMMANDS for name in ours)


def docs_row(ours, theirs):
    for name in (b"since", b"group"):
        if ours.get(name) != theirs.get(name):
            return False
    if not ours.get(b"summary"):
        return False
    mine, its = ours.get(b"arguments", []), theirs.get(b"arguments", [])
    if [docs_argument(each) for each in mine] != [docs_argument(each) for each in its]:
        return False
    subcommands = as_map(theirs.get(b"subcommands", []))
    return all(bytes(name) in LATER_COMMANDS or
               (name in subcommands and docs_row(as_map(row), as_map(subcommands[name])))
               for name, row in as_map(ours.get(b"subcommands", [])).items())


def docs_argument(argument):
    fields = as_map(argument)
    return {name: ([docs_argument(each) for each in entry] if name == b"arguments" else
                   sorted(entry) if isinstance(entry, list) else entry)
            for name, entry in fields.items() if name not in (b"summary", b"display_text")}


def command_table(_arguments, ours, theirs, context):
    """COMMAND without a subcommand: the rows of COMMAND INFO in any order."""
    rows = {bytes(row[0]): row for row in theirs}
    mine = {bytes(row[0]): row for row in ours}
    return all(name in LATER_COMMANDS or (name in rows and command_row(row, rows[name], context))
               for name, row in mine.items()) and \
        all(name in mine for name in rows if name in REQUIRED)


def command_list(_arguments, ours, theirs, context):
    """Ours is theirs without what we do not have yet, plus what is newer than 7.0."""
    mine = {bytes(name) for name in ours}
    its = {bytes(name) for name in theirs}
    missing = {name for name in its - mine if name in context.commands or name in REQUIRED}
    return not missing and all(name in LATER_COMMANDS for name in mine - its)


def help_text(_arguments, ours, theirs, _context):
    """The first line and the last two; between them ours has other subcommands and own words."""
    return isinstance(ours, list) and ours[:1] == theirs[:1] and ours[-2:] == theirs[-2:] and \
        all(type(line) is type(theirs[0]) for line in ours)


# Directives whose value depends on the process, its limits or its defaults.
CONFIG_VALUES_FREE = {b"port", b"pidfile", b"logfile", b"dir", b"bind", b"maxclients",
                      b"unixsocket",
                      b"jemalloc-bg-thread", b"enable-debug-command", b"syslog-ident",
                      b"proc-title-template", b"cluster-config-file"}


def config_get(_arguments, ours, theirs, _context):
    """All that Redis has, with equal values, plus directives of our own."""
    ours, theirs = as_map(ours), as_map(theirs)
    extra = set(ours) - set(theirs)
    return all(name in ours and (name.lower() in CONFIG_VALUES_FREE or ours[name] == entry)
               for name, entry in theirs.items()) and not extra & OTHER_SPELLINGS


OTHER_SPELLINGS = set()  # names that would be a mistake of ours rather than an addition


def debug_object(_arguments, ours, theirs, _context):
    """`Value at:0x.. refcount:1 encoding:raw serializedlength:6 lru:.. lru_seconds_idle:0`; the
    length of a compressed payload may differ. Of lists Redis says how it cuts them as well."""
    def stable(text):
        return re.sub(rb"at:\S+|lru:\d+|refcount:\d+|idle:\d+|serializedlength:\d+| ql_.*", b"",
                      text)
    return stable(ours) == stable(theirs)


def memory_usage(_arguments, ours, theirs, _context):
    return (ours is None) == (theirs is None) and type(ours) is type(theirs)


# What the test itself asks aeris alone: which commands it has.
ASKED_OF_OURS_ALONE = {b"command|list"}


def histogram(_arguments, ours, theirs, _context):
    """The same commands in any order; the numbers are measurements."""
    mine = {bytes(name) for name in as_map(ours)} - ASKED_OF_OURS_ALONE
    return type(ours) is type(theirs) and mine <= {bytes(name) for name in as_map(theirs)}


# Commands of this stage that COMMAND, COMMAND INFO and COMMAND DOCS must know.
REQUIRED = set((
    b"ping echo quit reset select auth hello client command info config dbsize flushdb flushall "
    b"swapdb time lastsave role lolwut shutdown memory object slowlog latency monitor debug wait "
    b"module cluster replicaof slaveof readonly readwrite del unlink exists touch type keys scan "
    b"randomkey rename renamenx copy move expire pexpire expireat pexpireat ttl pttl expiretime "
    b"pexpiretime persist dump restore append decr decrby get getdel getex getrange getset incr "
    b"incrby incrbyfloat lcs mget mset msetnx psetex set setex setnx setrange strlen substr setbit "
    b"getbit bitcount bitpos bitop bitfield bitfield_ro").split())

# Newer than 7.0, and in ours because client libraries send them; or our own.
LATER_COMMANDS = {b"client|setinfo", b"client|no-touch", b"client|maint_notifications",
                  b"hexpire", b"hexpireat", b"hexpiretime", b"hpexpire", b"hpexpireat",
                  b"hpexpiretime", b"hpersist", b"httl", b"hpttl", b"hgetdel", b"hgetex", b"hsetex",
                  b"delex", b"delifeq", b"digest", b"msetex",
                  b"hotkeys", b"hotkeys|get", b"hotkeys|help", b"hotkeys|reset"}

RULES = {
    b"time": (time_reply, "two servers, two moments"),
    b"lastsave": (type_only, "two start times"),
    b"acl|cat": (type_only, "commands that one of both has not; scenarios_acl.py compares the rest"),
    b"acl|genpass": (type_only, "random"),
    b"acl|log": (type_only, "times and addresses; scenarios_acl.py compares the rest"),
    b"randomkey": (both_null_or_text, "random"),
    b"object|encoding": (encoding, "SORT changes nothing in aeris"),
    b"sort": (sorted_by, "elements of which nothing tells the order"),
    b"sort_ro": (sorted_by, "elements of which nothing tells the order"),
    b"smembers": (unordered, "the order of the table, which is keyed by a secret"),
    b"sinter": (unordered, "the order of the table"),
    b"sunion": (unordered, "the order of the table"),
    b"sdiff": (unordered, "the order of the table"),
    b"spop": (unordered, "the order of the table; only whole sets are popped"),
    b"srandmember": (drawn, "random"),
    b"sscan": (scan_step, "the cursor is a position in another table"),
    b"zrandmember": (drawn_elements, "random"),
    b"zscan": (scan_step, "the cursor is a position in another table"),
    b"keys": (unordered, "the order of the table, which is keyed by a secret"),
    b"scan": (scan_step, "the cursor is a position in another table"),
    b"hgetall": (same_map, "the order of the table, which is keyed by a secret"),
    b"hkeys": (unordered, "the order of the table, which is keyed by a secret"),
    b"hvals": (unordered, "the order of the table, which is keyed by a secret"),
    b"hscan": (scan_step, "the cursor is a position in another table"),
    b"hrandfield": (random_fields, "random"),
    b"ttl": (near_in_seconds, "two moments"),
    b"pttl": (near_in_milliseconds, "two moments"),
    b"expiretime": (near_in_seconds, "two moments, when the deadline was relative"),
    b"pexpiretime": (near_in_milliseconds, "two moments, when the deadline was relative"),
    b"dump": (dump, "two compressors; the payloads must restore to the same value"),
    b"object|idletime": (idle_seconds, "two moments; no shared integers in aeris"),
    b"object|freq": (type_only, "a random counter"),  # and without_lfu() below
    b"object|refcount": (type_only, "no shared integers in aeris"),
    b"memory|usage": (memory_usage, "another layout in memory"),
    b"memory|stats": (type_only, "another layout in memory"),
    b"memory|doctor": (type_only, "prose"),
    b"memory|malloc-stats": (type_only, "the allocator's own report"),
    b"latency|doctor": (type_only, "prose"),
    b"latency|histogram": (histogram, "measurements"),
    b"lolwut": (type_only, "each version draws its own"),
    b"hello": (hello, "version and id of the client"),
    b"client|id": (type_only, "counts the test's own side connections"),
    b"client|list": (client_lines, "addresses, ages and sizes"),
    b"client|info": (client_lines, "addresses, ages and sizes"),
    b"info": (info, "values; the names of the fields are compared"),
    b"command": (command_table, "order; a later stage brings the other types"),
    b"command|info": (command_info, "order of flags; commands of a later stage"),
    b"command|docs": (command_docs, "prose; commands of a later stage"),
    b"command|list": (command_list, "commands of a later stage"),
    b"command|count": (type_only, "commands of a later stage"),
    b"command|getkeysandflags": (lambda _a, ours, theirs, _c: canonical(ours) == canonical(theirs),
                                 "order of flags"),
    b"config|get": (config_get, "directives of our own"),
    b"debug|object": (debug_object, "addresses and clocks"),
    b"slowlog|len": (type_only, "measurements"),
    b"slowlog|get": (type_only, "measurements"),
    **STREAM_RULES,
}
HELPS = (b"client", b"config", b"object", b"memory", b"slowlog", b"latency", b"debug", b"command",
         b"module", b"cluster", b"xgroup", b"xinfo", b"pubsub")


LEX_KEYS = (b"L1", b"L2", b"L3")  # of grammar_zsets.py
LEX_COMMANDS = (b"zrangebylex", b"zrevrangebylex", b"zlexcount", b"zremrangebylex")
DRAWS = (b"srandmember", b"hrandfield", b"zrandmember")
ZADD_OPTIONS = (b"nx", b"xx", b"gt", b"lt", b"ch", b"incr")


def not_sent(arguments):
    """What is left out because Redis is known to be wrong there, and its state differs afterwards.

    RESTORE with a relative deadline near 2^63: Redis adds the time of day without a check, so that
    the sum wraps and the key is gone at once; aeris refuses or keeps it.
    CONFIG SET of bytes behind a NUL, where a setting ends for Redis; aeris refuses it.
    SPOP of some members, since others would be left; negative counts of random members, which Redis
    draws without end; aeris cuts the client.
    HELLO with SETNAME before another option: Redis has set the name when the other one fails; aeris
    changes nothing when a command fails.
    """
    name = arguments[0].lower()
    if stream_not_sent(arguments):
        return True
    if name == b"sort" and b"store" in [argument.lower() for argument in arguments]:
        return order_is_open(arguments) or b"alpha" not in [each.lower() for each in arguments]
    if name == b"spop":
        # Different members would be left.
        return len(arguments) < 3 or not arguments[2].isdigit() or 0 < int(arguments[2]) < 100000
    if name in DRAWS and len(arguments) > 2:
        return arguments[2].startswith(b"-") and len(arguments[2]) > 4
    if name == b"config":
        return any(b"\0" in each for each in arguments)
    if name in (b"zadd", b"zincrby") and len(arguments) > 1 and arguments[1] in LEX_KEYS:
        # Ranges of members mean nothing where scores differ.
        rest = [word for word in arguments[2:] if word.lower() not in ZADD_OPTIONS]
        return name != b"zadd" or any(score != b"0" for score in rest[0::2])
    if name in LEX_COMMANDS or b"bylex" in [word.lower() for word in arguments]:
        # Of other keys a damaged command asks.
        source = arguments[2:3] if name == b"zrangestore" else arguments[1:2]
        return not set(source) <= set(LEX_KEYS)
    if name == b"restore":
        return len(arguments) > 2 and arguments[2].isdigit() and int(arguments[2]) > 2 ** 62
    return name == b"hello" and b"setname" in [word.lower() for word in arguments[:-2]]


ECHO_MAX = 128  # bytes of one argument in an error


def same_up_to_nul(arguments, ours_raw, theirs_raw):
    """Redis formats errors with C strings: an echoed argument ends at its first NUL. Ours shows the
    whole argument."""
    for argument in arguments:
        head, nul, _ = argument.partition(b"\0")
        if nul:
            echoed = argument[:ECHO_MAX].replace(b"\r", b" ").replace(b"\n", b" ")
            ours_raw = ours_raw.replace(echoed, head.replace(b"\r", b" ").replace(b"\n", b" "))
    if ours_raw.startswith(b"-ERR unknown command"):
        # The sum of the arguments is cut as well, which comes out at another place.
        return theirs_raw.startswith(ours_raw.split(b"', with args")[0])
    return ours_raw.startswith(b"-") and ours_raw == theirs_raw


def same_with_short_echo(arguments, ours_raw, theirs_raw):
    """Some errors of Redis echo an argument of any length; ours stops after ECHO_MAX bytes."""
    for argument in (argument.partition(b"\0")[0] for argument in arguments):
        if len(argument) > ECHO_MAX:
            echoed = argument.replace(b"\r", b" ").replace(b"\n", b" ")
            theirs_raw = theirs_raw.replace(echoed, echoed[:ECHO_MAX])
    return ours_raw.startswith(b"-") and ours_raw == theirs_raw


# Redis looks at errno without having cleared it, so that SORT refuses numbers after another command
# has met one that is out of range.
NOT_A_DOUBLE = b"-ERR One or more scores can't be converted into double\r\n"


def keys_of_a_later_command(arguments, ours_raw, context):
    """COMMAND GETKEYS for a command that a later stage brings."""
    return arguments[0].lower() == b"command" and len(arguments) > 2 and \
        arguments[1].lower().startswith(b"getkeys") and \
        ours_raw == b"-ERR Invalid command specified\r\n" and \
        arguments[2].lower() not in context.commands | REQUIRED


def without_lfu(arguments, ours_raw, theirs_raw):
    """OBJECT FREQ under a policy that keeps no counters: ours is made of what HOTKEYS knows, so that
    redis-cli --hotkeys works; Redis replies an error."""
    return [argument.lower() for argument in arguments[:2]] == [b"object", b"freq"] and \
        theirs_raw.startswith(b"-ERR An LFU maxmemory policy is not selected") and \
        ours_raw.startswith(b":")


POLICIES_OF_OURS = b", volatile-s3fifo, allkeys-s3fifo"


def policies_of_ours(ours_raw, theirs_raw):
    """CONFIG SET maxmemory-policy lists the values that there are, two of which are ours."""
    return b"'maxmemory-policy'" in theirs_raw and \
        ours_raw.replace(POLICIES_OF_OURS, b"", 1) == theirs_raw


def rule_for(arguments):
    name = arguments[0].lower()
    if len(arguments) > 1:
        subcommand = arguments[1].lower()
        if subcommand == b"help" and name in HELPS:
            return help_text
        full = name + b"|" + subcommand
        if full in RULES:
            return RULES[full][0]
        if name == b"command":
            return None  # not the rule of COMMAND alone
    return RULES[name][0] if name in RULES else None


def no_miss(event):
    return event == "killed" or b"keymiss" not in (event[1], event[0].rpartition(b":")[2])


def is_refused_cursor(arguments):
    """A cursor is a C string to Redis, so that "1\\0" is 1; ours refuses it."""
    name = arguments[0].lower()
    return name.endswith(b"scan") and b"\0" in b"".join(arguments[1 if name == b"scan" else 2:][:1])


def same_but_zero_signs(arguments, ours_raw, theirs_raw, context):
    """Redis's SORT makes a sorted set a skip list, which keeps the sign of -0; a listpack does not."""
    def without(raw):
        return raw.replace(b"$2\r\n-0\r\n", b"$1\r\n0\r\n").replace(b",-0\r\n", b",0\r\n")
    return context.sorted and arguments[0].lower().startswith(b"z") and \
        without(ours_raw) == without(theirs_raw)


def equal_events(arguments, ours, theirs):
    """Whether the notifications of one command agree: pairs of channel and message, in order."""
    if is_refused_cursor(arguments) and not ours:
        return not any(filter(no_miss, theirs))
    if arguments[0].lower().startswith(b"sort"):
        # The patterns' keys in the order of the table. Redis goes on looking for weights behind the
        # first that is no number; ours stops there.
        return sorted(filter(no_miss, ours), key=repr) == sorted(filter(no_miss, theirs), key=repr)
    return ours == theirs


def equal(arguments, ours_raw, theirs_raw, context):
    """Whether the two raw replies to one command agree."""
    if ours_raw == theirs_raw:
        return True
    if not ours_raw or not theirs_raw:
        return False
    if any(b"\0" in argument for argument in arguments):
        if same_up_to_nul(arguments, ours_raw, theirs_raw):
            return True
        if is_refused_cursor(arguments) and ours_raw == b"-ERR invalid cursor\r\n":
            return True
    if arguments[0].lower().startswith(b"sort") and theirs_raw == NOT_A_DOUBLE:
        return ours_raw.startswith((b"*", b":"))
    if same_with_short_echo(arguments, ours_raw, theirs_raw) or \
            without_lfu(arguments, ours_raw, theirs_raw) or \
            policies_of_ours(ours_raw, theirs_raw) or \
            same_but_zero_signs(arguments, ours_raw, theirs_raw, context) or \
            keys_of_a_later_command(arguments, ours_raw, context):
        return True
    rule = rule_for(arguments)
    if rule is None:
        return False
    ours, theirs = decode(ours_raw)[0], decode(theirs_raw)[0]
    if isinstance(ours, ErrorReply) or isinstance(theirs, ErrorReply):
        return False
    try:
        return bool(rule(arguments, ours, theirs, context))
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        return False  # not even the shape that the rule knows

