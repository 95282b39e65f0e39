"""Commands from the grammar, some of them damaged, none that would end or blind the run."""
from arguments import KEYS, junk, key, may_be_past, milliseconds, small
from combinators import Options, expand
from grammar import FAMILIES
from grammar_stream import STREAM_KEYS
from normalise import not_sent


# Relative times that would run out during the test are moved far away (position of the first
# argument that can be one).
RELATIVE_TIMES = {b"set": 3, b"getex": 2, b"setex": 2, b"psetex": 2, b"expire": 2, b"pexpire": 2,
                  b"restore": 2}
SAFE_AS_WRITTEN = [
    [b"shutdown", b"foo"], [b"shutdown", b"nosave", b"save"], [b"shutdown", b"abort"],
    [b"shutdown", b"nosave", b"foo"], [b"shutdown", b"abort", b"now"], [b"debug", b"sleep", b"0"],
    [b"debug", b"foo"], [b"debug", b"sleep"], [b"debug", b"set-active-expire", b"1"],
    [b"debug", b"help"],
] + [[b"debug", b"object", each.lower()] for each in KEYS]
# Settings that random values may not reach: they would close connections, move the server, refuse
# memory or record events by chance.
SETTINGS_KEPT = (b"proto-max-bulk-len", b"maxclients", b"port", b"bind", b"dir", b"timeout",
                 b"client-query-buffer-limit", b"latency-monitor-threshold", b"maxmemory")
SETTINGS_HARMLESS = (b"0", b"foo", b"", b"-1", b"1.5", b"99999999999999999999")
# Words of CLIENT KILL that make it match nobody, or fail.
# Waits of the reference cost as long: only these, and what is no number at all.
TIMEOUTS = (b"0.001", b"0.002")
TIMEOUT_LAST = (b"blpop", b"brpop", b"blmove", b"brpoplpush", b"bzpopmin", b"bzpopmax")
TIMEOUT_FIRST = (b"blmpop", b"bzmpop")
KILLS_NOBODY = (b"999999999", b"1.2.3.4:5", b"nobody", b"pubsub", b"x", b"foo", b"maybe", b"0",
                b"-1")


# How large a value has become: seen often, so that a difference shows before it has gone.
KEYS_WATCHED = set(KEYS) | set(STREAM_KEYS)
LOOKS = {b"PF": [b"PFDEBUG", b"ENCODING"], b"X": [b"XINFO", b"STREAM"], b"L": [b"LLEN"],
         b"R": [b"LLEN"], b"": [b"OBJECT", b"ENCODING"]}  # behind commands that begin so


def look(arguments):
    name = arguments[0].upper()
    return next(LOOKS[begin] for begin in LOOKS if name.startswith(begin)) + [arguments[1]]


class Generator:
    """Gives commands as lists of arguments; everything follows from the seed. Without `only` every
    other generator has a family of its own: where all meet on the same keys, values stay small."""

    def __init__(self, random, only=None):
        self.random = random
        if only is None and random.random() < 0.5:
            only = random.choice(sorted(FAMILIES))
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
            if may_be_past(arguments):
                result.append([b"TYPE", arguments[1]])
            elif len(arguments) > 1 and arguments[1] in KEYS_WATCHED and self.random.random() < 0.2:
                result.append(look(arguments))
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
            if not forbidden(arguments) and not not_sent(arguments):
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


def waits_long(name, words):
    timeout = words[-1:] if name in TIMEOUT_LAST else words[:1] if name in TIMEOUT_FIRST else []
    return any(word not in TIMEOUTS and not word.startswith(b"-") and
               (word[:3] == b"inf" or any(byte in b"0123456789" for byte in word))
               for word in timeout)


def forbidden(arguments):
    """What would stop, pause or silence a server; scenarios.py says those with care."""
    name = arguments[0].lower()
    words = [argument.lower() for argument in arguments[1:]]
    if waits_long(name, words):
        return True
    if name in (b"shutdown", b"debug"):
        return [name] + words not in SAFE_AS_WRITTEN
    if name == b"client" and words[:1] == [b"pause"]:
        return any(word.isdigit() and int(word) for word in words[1:])
    if name == b"client" and words[:1] == [b"kill"]:
        # Other filters may match the session itself, or the side connections.
        return len(words) % 2 == 1 and not set(words[1:]) & set(KILLS_NOBODY)
    if name == b"config" and words[:1] == [b"set"]:
        return any(unwanted_setting(*pair) for pair in zip(words[1::2], words[2::2]))
    if name in (b"replicaof", b"slaveof"):
        return words != [b"no", b"one"]
    if name == b"wait":
        # WAIT 0 returns at once, unless with replicas to wait for.
        return words[:1] != [b"0"]
    return name in (b"monitor", b"subscribe")


def unwanted_setting(name, setting):
    if name == b"client-output-buffer-limit":
        return setting.startswith(b"normal") and setting != b"normal 0 0 0"
    if name == b"timeout":
        return setting.isdigit() and int(setting) < 1000 and setting != b"0"
    if name in (b"port", b"bind"):
        return setting not in (b"foo", b"-1") or name == b"bind"  # port 0: no longer to be reached
    return name in SETTINGS_KEPT and setting not in SETTINGS_HARMLESS
