"""Comparisons that a random stream cannot make: several clients, whole iterations, whole tables."""
import random
import re

import scenarios_acl
import scenarios_blocking
import scenarios_pubsub
import scenarios_tracking
import scenarios_transactions
from pair import CLOSED, Difference
from wire import decode, encode


def parse_line(line):
    """Arguments of one line as pair.readable writes it."""
    arguments, position = [], 0
    line = line.strip()
    while position < len(line):
        if line[position] == " ":
            position += 1
        elif line[position] == '"':
            argument, position = parse_quoted(line, position + 1)
            arguments.append(argument)
        else:
            end = line.find(" ", position)
            end = len(line) if end < 0 else end
            arguments.append(line[position:end].encode())
            position = end
    return arguments


def parse_quoted(line, position):
    result = bytearray()
    while line[position] != '"':
        if line.startswith("\\x", position):
            result.append(int(line[position + 2:position + 4], 16))
            position += 4
        elif line[position] == "\\":
            result += line[position + 1].encode()
            position += 2
        else:
            result += line[position].encode()
            position += 1
    return bytes(result), position + 1


def require(condition, name, ours, theirs, note):
    """A Difference about something that is not one raw reply."""
    if not condition:
        raise Difference([name], repr(ours)[:2000].encode(), repr(theirs)[:2000].encode(),
                         note=note)


def agree(name, found):
    """`found` is the first difference of a story: its text, ours, theirs; or None."""
    if found is not None:
        require(False, name, found[1], found[2], found[0])


def on_both(pair, function):
    """The results of one function of a Side for both sides."""
    return function(pair.ours), function(pair.theirs)


def fill(pair, count):
    generator = random.Random(count)
    for index in range(count):
        for side in pair.sides():
            side.connection.send_command("SET", f"key:{index}", generator.randrange(10 ** 6))
        if index % 500 == 499 or index == count - 1:
            pending = index % 500 + 1
            for side in pair.sides():
                side.replies(pending)


def scan_all(side, *options):
    names, cursor, rounds = [], b"0", 0
    while True:
        side.connection.send_command("SCAN", cursor, *options)
        cursor, found = decode(side.replies(1)[0])[0]
        names += found
        rounds += 1
        if cursor == b"0" or rounds > 100000:
            return sorted(set(names))


def scan_iterations(pair):
    for count in (0, 1, 7, 5000):
        pair.begin()
        fill(pair, count)
        for options in ((), ("COUNT", 1), ("COUNT", 3000), ("MATCH", "key:1*"),
                        ("MATCH", "key:?", "COUNT", 7), ("MATCH", "nothing"), ("TYPE", "string"),
                        ("TYPE", "list"), ("COUNT", 100, "TYPE", "string", "MATCH", "*9")):
            ours, theirs = on_both(pair, lambda side, o=options: scan_all(side, *o))
            require(ours == theirs, b"SCAN", ours, theirs, f"whole iteration with {options}")


def keys_with_patterns(pair):
    pair.begin()
    fill(pair, 300)
    for pattern in ("*", "key:1?", "key:[1-3]*", "key:[^1-3]", "*:\\1", "k*y*:*5", "[k]ey:2", ""):
        pair.call("KEYS", pattern)


def dump_restores_across(pair):
    pair.begin()
    generator = random.Random(5)
    values = [b"", b"0", b"-1", b"127", b"128", b"-128", b"-129", b"32767", b"32768", b"2147483647",
              b"2147483648", b"-2147483648", b"9223372036854775807", b"01", b" 1", b"1.5",
              b"a" * 20, b"a" * 21, b"ab" * 5000, bytes(range(256)), generator.randbytes(63),
              generator.randbytes(64), generator.randbytes(16383), generator.randbytes(16384),
              b"x" * 70000, generator.randbytes(70000), b"\x00" * 300]
    for value in values:
        pair.call("SET", "k", value)
        payloads = []
        for side in pair.sides():
            side.connection.send_command("DUMP", "k")
            payloads.append(decode(side.replies(1)[0])[0])
        ours, theirs = payloads
        require(ours[-10:-8] == theirs[-10:-8], b"DUMP", ours[-10:], theirs[-10:], "version")
        for payload in payloads:
            pair.call("RESTORE", "copy", 0, payload, "REPLACE")
            pair.call("GET", "copy")
            pair.call("OBJECT", "ENCODING", "copy")


def damaged_payloads(pair):
    """Every single flipped bit of some payloads is refused in the same words, and the key stays."""
    pair.begin()
    pair.call("SET", "k", "what was there")
    for payload in pair.payloads:
        if len(payload) > 80:
            continue
        for position in range(len(payload)):
            damaged = bytearray(payload)
            damaged[position] ^= 0x40
            pair.call("RESTORE", "k", 0, bytes(damaged), "REPLACE")
            pair.call("RESTORE", "k", 0, payload[:position], "REPLACE")
    pair.call("GET", "k")


def whole_tables(pair):
    """COMMAND, COMMAND DOCS, INFO and CONFIG GET *, row by row, both protocols."""
    for version in (2, 3):
        pair.begin()
        pair.call("HELLO", version)
        names = sorted(pair.context.commands)
        for name in names:
            if b"|" not in name:
                yield_row(pair, "INFO", name)
                yield_row(pair, "DOCS", name)


def yield_row(pair, kind, name):
    pair.call("COMMAND", kind, name)


def info_sections(pair):
    pair.begin()
    for section in ("server", "clients", "memory", "persistence", "stats", "replication", "cpu",
                    "modules", "errorstats", "cluster", "keyspace", "everything"):
        ours, theirs = (side_info(side, section) for side in pair.sides())
        words = pair.normalise.info_difference(ours, theirs)
        require(not words, b"INFO " + section.encode(), ours, theirs, ", ".join(words))


def side_info(side, section):
    side.connection.send_command("INFO", section)
    return decode(side.replies(1)[0])[0]


def config_defaults(pair):
    """Every directive of Redis 7.0, with its default."""
    pair.begin()
    ours, theirs = [], []
    for side, result in zip(pair.sides(), (ours, theirs)):
        side.connection.send_command("CONFIG", "GET", "*")
        result += decode(side.replies(1)[0])[0]
    ours, theirs = dict(zip(ours[::2], ours[1::2])), dict(zip(theirs[::2], theirs[1::2]))
    words = []
    for name, value in sorted(theirs.items()):
        if name not in ours:
            words.append(f"{name.decode()} missing")
        elif ours[name] != value and name not in pair.normalise.CONFIG_VALUES_FREE:
            words.append(f"{name.decode()}={ours[name].decode()} (redis {value.decode()})")
    require(not words, b"CONFIG GET *", b"", b"", ", ".join(words))


def config_values(pair):
    """Each directive set to each of many values: the same verdict, the same text afterwards."""
    pair.begin()
    values = ("0", "1", "-1", "", "yes", "no", "YES", "foo", "100", "1mb", "99999999999999999999",
              "1.5", "50%", "2147483648", "10 20 30", "a b")
    reply = decode_call(pair.theirs, "CONFIG", "GET", "*")
    skipped = (b"port", b"bind", b"dir", b"maxclients", b"maxmemory", b"logfile", b"timeout",
               b"proto-max-bulk-len", b"client-query-buffer-limit", b"requirepass", b"unixsocket",
               b"masterauth", b"masteruser", b"replicaof", b"slaveof", b"aclfile", b"appendonly",
               b"maxmemory-clients", b"latency-monitor-threshold", b"save", b"jemalloc-bg-thread",
               b"oom-score-adj", b"oom-score-adj-values", b"proc-title-template", b"tls-port",
               b"slowlog-log-slower-than", b"dbfilename", b"activedefrag", b"set-proc-title")
    found = []
    for name in sorted(set(reply[::2])):
        if name.startswith(b"tls-") or name in skipped:
            continue
        for value in values:
            try:
                pair.call("CONFIG", "SET", name, value)
                pair.call("CONFIG", "GET", name)
            except Difference as difference:
                found.append(difference)
        for side in pair.sides():
            side.other.call("CONFIG", "SET", name, pair.settings[name])
    if found:
        found[0].note = "\n".join([f"{len(found)} in all"] + [str(each) for each in found[1:]])
        raise found[0]


def decode_call(side, *arguments):
    side.connection.send_command(*arguments)
    return decode(side.replies(1)[0])[0]


def client_reply_modes(pair):
    """CLIENT REPLY OFF, SKIP and ON: the same bytes for the whole conversation."""
    conversations = [
        [("CLIENT", "REPLY", "OFF"), ("PING",), ("CLIENT", "REPLY", "ON"), ("ECHO", "end")],
        [("CLIENT", "REPLY", "SKIP"), ("PING",), ("ECHO", "end")],
        [("CLIENT", "REPLY", "SKIP"), ("CLIENT", "REPLY", "SKIP"), ("PING",), ("ECHO", "end")],
        [("CLIENT", "REPLY", "OFF"), ("CLIENT", "REPLY", "SKIP"), ("PING",),
         ("CLIENT", "REPLY", "ON"), ("NOSUCH",), ("ECHO", "end")],
        [("CLIENT", "REPLY", "foo"), ("ECHO", "end")],
        [("CLIENT", "REPLY", "OFF"), ("RESET",), ("ECHO", "end")],
        [("SET", "k", "v"), ("CLIENT", "REPLY", "OFF"), ("INCR", "k"), ("QUIT",)],
    ]
    for conversation in conversations:
        ours, theirs = on_both(pair, lambda side, c=conversation: whole_conversation(side, c))
        require(ours == theirs, b"CLIENT REPLY", ours, theirs, repr(conversation))


def whole_conversation(side, commands):
    with side.server.connect(timeout=20) as connection:
        connection.send(b"".join(encode(*command) for command in commands))
        connection.half_close()
        return connection.read_to_end()


def monitor_lines(pair):
    """What MONITOR shows, moment and address replaced."""
    ours, theirs = on_both(pair, monitored)
    require(ours == theirs, b"MONITOR", ours, theirs, "")


def monitored(side):
    commands = [("SET", "k", "v"), ("GET", b"bin\x00\r\n\xff\"\\"), ("SELECT", 3), ("get", "k"),
                ("NOSUCH", "x"), ("GET",), ("CLIENT", "SETNAME", "me"), ("AUTH", "secret"),
                ("HELLO", "2", "AUTH", "default", "x"), ("CONFIG", "SET", "requirepass", ""),
                ("CONFIG", "GET", "hz"), ("DEBUG", "SLEEP", "0"), ("ECHO", "\u00e9\t\a\b"),
                ("ECHO", "end")]
    lines = []
    with side.server.connect(timeout=20) as monitor, side.server.connect(timeout=20) as client:
        monitor.call("MONITOR")
        for command in commands:
            client.call(*command)
        while not lines or b'"end"' not in lines[-1]:
            lines.append(monitor.read_raw())
    cleaned = []
    for line in lines:
        head, _, rest = line.partition(b"] ")
        database = head.partition(b"[")[2].split(b" ")[0]
        cleaned.append((database, rest))
    return cleaned


def killing_clients(pair):
    """CLIENT KILL by each filter: the number killed, and who is left."""
    ours, theirs = on_both(pair, killed)
    require(ours == theirs, b"CLIENT KILL", ours, theirs, "")


def killed(side):
    results = []

    def attempt(*filters, name=b"victim"):
        with side.server.connect(timeout=20) as victim, side.server.connect(timeout=20) as killer:
            victim.call("CLIENT", "SETNAME", name)
            address = dict(word.split(b"=", 1)
                           for word in victim.call("CLIENT", "INFO").split())
            places = {"ID": address[b"id"], "ADDR": address[b"addr"], "LADDR": address[b"laddr"]}
            words = [places.get(word[1:], word) if word.startswith("$") else word
                     for word in filters]
            reply = killer.call("CLIENT", "KILL", *words)
            # The side connection of the test matches the wide filters too.
            results.append((filters, reply if filters[0] in ("ID", "ADDR", "$ADDR") else
                            type(reply).__name__,
                            victim_gone(victim)))
    attempt("$ADDR")
    attempt("ID", "$ID")
    attempt("ADDR", "$ADDR")
    attempt("ID", "$ID", "ADDR", "1.2.3.4:5")
    attempt("ID", "$ID", "LADDR", "$LADDR", "USER", "default", "TYPE", "normal", "SKIPME", "yes")
    attempt("ID", "$ID", "TYPE", "pubsub")
    attempt("ID", "$ID", "USER", "nobody")
    return results


def victim_gone(victim):
    try:
        victim.send_command("PING")
        victim.read_raw()
        return False
    except (EOFError, OSError):
        return True


def pausing_clients(pair):
    """CLIENT PAUSE WRITE holds writes until UNPAUSE, and reads go on."""
    ours, theirs = on_both(pair, paused)
    require(ours == theirs, b"CLIENT PAUSE", ours, theirs, "")


def paused(side):
    results = []
    with side.server.connect(timeout=20) as one, side.server.connect(timeout=20) as two:
        one.call("SET", "k", "1")
        results.append(one.call("CLIENT", "PAUSE", "100000", "WRITE"))
        results.append(two.call("GET", "k"))
        two.send_command("SET", "k", "2")
        results.append(one.call("GET", "k"))
        results.append(one.call("CLIENT", "UNPAUSE"))
        results.append(two.read_reply())
        results.append(one.call("GET", "k"))
        results.append(one.call("CLIENT", "PAUSE", "50"))
        results.append(two.call("PING"))
    return results


def slow_log(pair):
    """The shape of an entry, and how long arguments are cut."""
    ours, theirs = on_both(pair, slow_entry)
    require(ours == theirs, b"SLOWLOG GET", ours, theirs, "")


def slow_entry(side):
    with side.server.connect(timeout=20) as client:
        client.call("CLIENT", "SETNAME", "slow one")
        client.call("SLOWLOG", "RESET")
        client.call("CONFIG", "SET", "slowlog-log-slower-than", "0")
        client.call("SET", "k", "v" * 200)
        client.call("MGET", *[f"key{index}" for index in range(50)])
        client.call("AUTH", "secret", "more")
        entries = client.call("SLOWLOG", "GET", "10")
        client.call("CONFIG", "SET", "slowlog-log-slower-than", "1000000")
        client.call("SLOWLOG", "RESET")
        return [(entry[3], entry[5], len(entry)) for entry in entries]


def before_login(pair):
    """Every command that a client may try before it has given the password."""
    conversations = [[command, ("PING",)] for command in (
        ("PING",), ("GET", "k"), ("GET",), ("NOSUCH",), ("HELLO",), ("HELLO", "3"), ("HELLO", "9"),
        ("HELLO", "3", "SETNAME", "x"), ("HELLO", "3", "AUTH", "default", "wrong"),
        ("AUTH",), ("AUTH", "wrong"), ("AUTH", "default", "wrong"), ("AUTH", "x", "secret"),
        ("AUTH", "a", "b", "c"), ("CLIENT", "ID"), ("CLIENT",), ("COMMAND", "COUNT"), ("RESET",),
        ("CONFIG", "GET", "requirepass"), ("SHUTDOWN",), ("MONITOR",), ("SELECT", "1"))]
    conversations += [[("AUTH", "secret"), ("PING",), ("RESET",), ("PING",)],
                      [("AUTH", "wrong"), ("AUTH", "secret"), ("GET", "k"), ("QUIT",)],
                      [("HELLO", "3", "AUTH", "default", "secret", "SETNAME", "me"),
                       ("CLIENT", "GETNAME")], [("PING",), ("QUIT",), ("PING",)]]
    found = []
    for side in pair.sides():
        side.other.call("CONFIG", "SET", "requirepass", "secret")
    try:
        for conversation in conversations:
            ours, theirs = on_both(pair, lambda side, c=conversation: whole_conversation(side, c))
            if without_identity(ours) != without_identity(theirs):
                found.append((conversation, ours, theirs))
    finally:
        for side in pair.sides():
            side.other.call("CONFIG", "SET", "requirepass", "")
    require(not found, b"AUTH", [each[1] for each in found], [each[2] for each in found],
            repr([each[0] for each in found]))


def without_identity(data):
    """Version and client number are the two things that HELLO may give differently."""
    return re.sub(rb"(version\r\n)\$\d+\r\n[\d.]+|(id\r\n):\d+", rb"\1\2", data)


def waiting_for_keys(pair):
    """Clients that block: order of service, what wakes them, what they sent behind."""
    found = scenarios_blocking.difference(pair)
    agree(b"BLPOP", found)


def publishing(pair):
    """Clients that subscribe and publish: everything that each of them receives."""
    found = scenarios_pubsub.difference(pair)
    agree(b"PUBLISH", found)


def access_control(pair):
    """Users: their rules, what they are told, and what each command may do with keys."""
    for find in (scenarios_acl.difference, scenarios_acl.rules_difference,
                 scenarios_acl.categories_difference, scenarios_acl.dry_runs_difference):
        found = find(pair)
        agree(b"ACL", found)


def transactions(pair):
    """Clients that queue, watch and run: everything that each of them receives."""
    found = scenarios_transactions.difference(pair)
    for side in pair.sides():  # one of the stories kills all clients
        side.other = side.server.connect(timeout=60)
    agree(b"EXEC", found)


def touching_watched_keys(pair):
    """Which keys a command has touched for those who watch them."""
    found = scenarios_transactions.difference_of_touches(pair)
    agree(b"WATCH", found)


def caching(pair):
    """Clients that track keys: everything that each of them receives."""
    found = scenarios_tracking.difference(pair)
    agree(b"CLIENT", found)


def quit_in_a_pipeline(pair):
    for commands in ([("SET", "k", "1"), ("QUIT",), ("SET", "k", "2")],
                     [("QUIT", "now"), ("PING",)], [("quit",)]):
        ours, theirs = on_both(pair, lambda side, c=commands: whole_conversation(side, c))
        require(ours == theirs, b"QUIT", ours, theirs, repr(commands))
    require(CLOSED == b"", b"QUIT", b"", b"", "")


def stream_blocks(pair):
    """Where a stream's blocks end, by bytes and by entries. Large entries have streams of their own,
    small ones fit what Redis has reserved; see stream_not_sent."""
    for limit in (0, 100, 1000, 4096, 20000):
        pair.begin()
        pair.call("CONFIG", "SET", "stream-node-max-bytes", limit)
        for size in (1, 60, 100, 900, 1100, 4000, 4100, 9000, 30000):
            pair.call("XADD", f"one:{size}", "1-1", "f", "v" * size)
            pair.call("XINFO", "STREAM", f"one:{size}")
            pair.call("XRANGE", f"one:{size}", "-", "+")
        for entries in (1, 2, 7):
            pair.call("CONFIG", "SET", "stream-node-max-entries", entries)
            for number in range(1, 40):
                pair.call("XADD", f"s:{entries}", f"{number}-1", "f", number)
                pair.call("XINFO", "STREAM", f"s:{entries}")
            for command in ("XDEL 3-1 4-1 5-1 6-1 7-1 39-1", "XTRIM MAXLEN ~ 20", "XTRIM MINID 15",
                            "XTRIM MAXLEN 9", "XDEL 38-1", "XTRIM MINID 38-2", "XADD 50-1 f v"):
                name, *rest = command.split()
                pair.call(name, f"s:{entries}", *rest)
                pair.call("XINFO", "STREAM", f"s:{entries}", "FULL")
    pair.restore_settings()


def hyperloglogs_grow(pair):
    """Thousands of PFADDs across the threshold between the encodings: the same bytes all the time."""
    for limit, rounds in (("3000", 40), ("0", 2), ("40", 4), ("16000", 60)):
        pair.begin()
        pair.call("CONFIG", "SET", "hll-sparse-max-bytes", limit)
        generator = random.Random(rounds)
        for _ in range(rounds):
            commands = [[b"PFADD", b"h%d" % generator.randrange(3)] +
                        [b"%d" % generator.randrange(10 ** 9)
                         for _ in range(generator.choice((1, 1, 1, 3, 30)))] for _ in range(100)]
            commands += [[b"PFMERGE", b"all", b"h0", b"h1"], [b"PFCOUNT", b"h0", b"h1", b"h2"]]
            commands += [[b"PFCOUNT", b"h2"], [b"PFDEBUG", b"ENCODING", b"all"]]
            commands += [[b"GET", name] for name in (b"h0", b"h1", b"h2", b"all")]
            pair.run(commands, iter(lambda: 64, None))
        pair.call("PFDEBUG", "GETREG", "h0")
        pair.call("GET", "h0")
    pair.restore_settings()


def weights_without_a_number(pair):
    """0 times infinity, in the smallest set and in others, under each aggregate."""
    pair.begin()
    scores = {"zero": "0 m 1 x", "half": "0.5 m", "infinite": "inf m", "five": "inf m 5 a 6 b",
              "minus": "-inf m 2 a 3 b 4 c"}
    for name, words in scores.items():
        pair.call("ZADD", name, *words.split())
    for first in scores:
        for second in scores:
            for weights in ("inf 1", "-inf 1", "1 0", "0 1", "inf -1", "0 0", "inf -inf"):
                for aggregate in ("SUM", "MIN", "MAX"):
                    rest = (2, first, second, "WEIGHTS", *weights.split(), "AGGREGATE", aggregate)
                    for command in ("ZINTER", "ZUNION"):
                        pair.call(command, *rest, "WITHSCORES")
                    pair.call("ZINTERSTORE", "stored", *rest)
                    pair.call("ZRANGE", "stored", 0, -1, "WITHSCORES")


def unsorted_from_the_end(pair):
    """SORT without sorting has an order where the value has one; what is stored shows it."""
    pair.begin()
    pair.call("RPUSH", "list", 3, 1, 2, 10, 7)
    pair.call("ZADD", "zset", 3, "c", 1, "a", 2, "b", 10, "d")
    for key in ("list", "zset"):
        for order in ((), ("DESC",), ("ASC",)):
            for limit in ((), ("LIMIT", 1, 2), ("LIMIT", 0, 100), ("LIMIT", 3, -1)):
                pair.call("SORT", key, "BY", "nosort", *order, *limit, "STORE", "stored")
                pair.call("LRANGE", "stored", 0, -1)


ALL = [
    ("scan iterations", scan_iterations), ("keys with patterns", keys_with_patterns),
    ("dump restores across", dump_restores_across), ("damaged payloads", damaged_payloads),
    ("whole tables", whole_tables), ("info sections", info_sections),
    ("config defaults", config_defaults), ("config values", config_values),
    ("client reply modes", client_reply_modes), ("monitor lines", monitor_lines),
    ("killing clients", killing_clients), ("pausing clients", pausing_clients),
    ("slow log", slow_log), ("before login", before_login),
    ("quit in a pipeline", quit_in_a_pipeline), ("waiting for keys", waiting_for_keys),
    ("publishing", publishing), ("access control", access_control),
    ("transactions", transactions),
    ("touching watched keys", touching_watched_keys), ("caching", caching),
    ("weights without a number", weights_without_a_number),
    ("unsorted from the end", unsorted_from_the_end),
    ("hyperloglogs grow", hyperloglogs_grow), ("stream blocks", stream_blocks),
]
