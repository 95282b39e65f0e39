"""Two servers that hear the same commands."""
from arguments import KEYS, may_be_past
from encodings_crossed import Encodings
from server import ServerProcess
from wire import decode, encode, reply_end

DATABASES = 16
BULK_LIMIT = "1mb"  # keeps the largest strings small, so that edges of length are cheap to reach
SHORTEN_ATTEMPTS = 300
CLOSED = b""  # stands for the end of the connection where a reply was due


class Difference(Exception):
    """One command whose replies disagree, with all that was sent before it."""

    def __init__(self, arguments, ours, theirs, history=(), note=""):
        super().__init__()
        self.arguments, self.ours, self.theirs = arguments, ours, theirs
        self.history = list(history)
        self.note = note
        self.where = ""

    def kind(self):
        """Groups differences that are probably one fault."""
        name = self.arguments[0].upper()[:40]
        if len(self.arguments) > 1 and name in (b"CLIENT", b"COMMAND", b"CONFIG", b"OBJECT",
                                                b"MEMORY", b"SLOWLOG", b"LATENCY", b"DEBUG"):
            name += b" " + self.arguments[1].upper()[:40]
        if b"ERR unknown command" in self.ours[:20]:
            return readable([name.split(b" ")[0]]) + " -> unknown command"
        return (f"{self.where}{readable([name])} -> {shape_of(self.ours)} / "
                f"{shape_of(self.theirs)}{' ' + self.note[:80].splitlines()[0] if self.note else ''}")

    def __str__(self):
        lines = [f"{self.where}{brief(readable(self.arguments))}",
                 f"  aeris: {shown(self.ours)}", f"  redis: {shown(self.theirs)}"]
        if self.note:
            lines.append(f"  note:  {self.note}")
        near = [each for each in self.history[:-1] if touches(each, self.arguments)][-10:]
        lines += ["  before it, on the same keys:"] if near else []
        lines += ["    " + brief(readable(each)) for each in near]
        return "\n".join(lines)


def shape_of(raw):
    if raw == CLOSED:
        return "closed"
    if raw.startswith(b"-ERR unknown command "):
        return "unknown command"
    return shown(raw)[:60] if raw[:1] in b"-+" else f"{chr(raw[0])}.."


def shown(raw):
    if raw == CLOSED:
        return "(connection closed)"
    return repr(raw[:600])[1:] + (f"... {len(raw)} bytes" if len(raw) > 600 else "")


def readable(arguments):
    """One line that parse_line (scenarios.py) reads back: words, quoted where needed."""
    words = []
    for argument in arguments:
        plain = argument and all(33 <= byte < 127 and byte not in b"\"'\\" for byte in argument)
        words.append(argument.decode() if plain else quoted(argument))
    return " ".join(words)


def brief(line):
    return line if len(line) < 300 else f"{line[:300]}... {len(line)} characters"


def quoted(argument):
    pieces = []
    for byte in argument:
        character = chr(byte)
        if character in "\"\\":
            pieces.append("\\" + character)
        elif 32 <= byte < 127:
            pieces.append(character)
        else:
            pieces.append(f"\\x{byte:02x}")
    return '"' + "".join(pieces) + '"'


def touches(arguments, others):
    names = set(others[1:]) & set(KEYS)
    return bool(names & set(arguments[1:])) or \
        arguments[0].upper() in (b"SELECT", b"SWAPDB", b"FLUSHALL", b"FLUSHDB")


class Side:
    """One server and the connection under test."""

    def __init__(self, binary):
        self.server = ServerProcess(binary, {
            "proto-max-bulk-len": BULK_LIMIT, "enable-debug-command": "yes",
            "slowlog-log-slower-than": 1000000})
        self.connection = None
        self.other = None
        self.listener = None  # hears the keyspace's notifications, when they are compared
        self.settings = {}  # those that it has started with

    def start(self):
        self.server.start()
        self.other = self.server.connect(timeout=60)

    def reconnect(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = self.server.connect(timeout=60)

    def listen(self, classes):
        """Hears of events of these classes from now on; of none without any."""
        if self.listener is not None:
            self.listener.close()
            self.listener = None
        self.other.call("CONFIG", "SET", "notify-keyspace-events", classes)
        if classes:
            self._subscribe()

    def _subscribe(self):
        self.listener = self.server.connect(timeout=60)
        self.listener.call("PSUBSCRIBE", "__key*__:*")

    def events(self):
        """What has been heard since the last call: pairs of channel and message, in order."""
        heard = []
        try:
            self.listener.send_command("PING", "heard all")
            while (message := self.listener.read_reply()) != [b"pong", b"heard all"]:
                heard.append((message[2], message[3]))
        except (EOFError, ConnectionError):
            heard.append("killed")  # by CLIENT KILL
            self._subscribe()
        return heard

    def send(self, data):
        try:
            self.connection.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def replies(self, count):
        """The next `count` raw replies, fewer when the server closes."""
        result = []
        connection = self.connection
        buffer = connection.buffer
        position = 0
        try:
            while len(result) < count:
                end = reply_end(buffer, position)
                if end < 0:
                    connection._receive()
                    continue
                result.append(bytes(buffer[position:end]))
                position = end
        except (EOFError, ConnectionResetError):
            pass
        except TimeoutError:
            result.append(b"-TEST no reply within the time limit\r\n")
        del buffer[:position]
        return result


class Pair:
    """Runs commands on both sides and raises Difference at the first disagreement."""

    def __init__(self, binary, reference, normalise):
        self.ours, self.theirs = Side(binary), Side(reference)
        self.normalise = normalise
        self.history = []
        self.payloads = []
        self.settings = {}
        self.settings_touched = False
        self.context = None
        self.events = ""  # classes whose notifications are compared as well
        self.encodings = Encodings()

    def __enter__(self):
        try:
            for side in self.sides():
                side.start()
            self._learn()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            for side in self.sides():
                side.server.destroy()
        finally:
            for side in self.sides():
                if side.server.alive():
                    side.server.process.kill()

    def sides(self):
        return self.ours, self.theirs

    def _learn(self):
        """What rules and generators need: our command names, good payloads, the settings."""
        names = self.ours.other.call("COMMAND", "LIST")
        names = {bytes(name) for name in names} if isinstance(names, list) else set()
        self.context = self.normalise.Context(self.same_value, names)
        other = self.theirs.other
        for value in (b"1", b"-5", b"12345678901", b"hello", b"x" * 100, b"ab" * 3000, b"",
                      b"\x00\xff", b"9223372036854775807", bytes(range(256)) * 20):
            other.call("SET", "payload", value)
            self.payloads.append(other.call("DUMP", "payload"))
        other.call("FLUSHALL")
        for side in self.sides():
            reply = side.other.call("CONFIG", "GET", "*")
            side.settings = dict(zip(reply[0::2], reply[1::2]))
        self.settings = self.theirs.settings

    def same_value(self, ours, theirs):
        """Whether two DUMP payloads become the same value, in both servers."""
        values = []
        for side in self.sides():
            side.other.call("SELECT", DATABASES - 1)
            for payload in (ours, theirs):
                reply = side.other.call("RESTORE", "differential:probe", 0, payload, "REPLACE")
                values.append((bytes(reply), side.other.call("GET", "differential:probe")))
            side.other.call("DEL", "differential:probe")
        return values.count(values[0]) == 4 and values[0][0] == b"OK"

    # -- sequences -------------------------------------------------------------------------------

    def begin(self):
        """Empty servers, fresh connections."""
        self.history = []
        self.encodings.begin()
        self.context.sorted = False
        for side in self.sides():
            if not side.server.alive():
                output = side.server.output()[-3000:]
                side.server.start()
                side.other = side.server.connect(timeout=60)
                print(f"a server had died; its last words:\n{output}", flush=True)
            side.other.call("FLUSHALL")
            side.reconnect()
            side.listen(self.events)

    def run(self, commands, depths, inline=None):
        """Sends `commands` in pipelines of the given depths."""
        position = 0
        while position < len(commands):
            batch = commands[position:position + next(depths)]
            position += len(batch)
            data = b"".join(encode_some_way(each, inline) for each in batch)
            for side in self.sides():
                side.send(data)
            self._compare(batch, self.ours.replies(len(batch)), self.theirs.replies(len(batch)))
            if self.events and not may_be_past(batch[-1]):
                self._compare_events(batch[-1])

    def _compare(self, batch, ours, theirs):
        equal = self.normalise.equal
        for index, arguments in enumerate(batch):
            self.history.append(arguments)
            self.context.sorted |= arguments[0].lower().startswith(b"sort")
            mine = ours[index] if index < len(ours) else CLOSED
            its = theirs[index] if index < len(theirs) else CLOSED
            if arguments[0].upper() == b"CONFIG":
                self.settings_touched = True
            if mine != its and not equal(arguments, mine, its, self.context):
                raise Difference(arguments, mine, its, self.history)
            self.encodings.see(arguments, its)
            if mine == CLOSED:
                break
            if arguments[0].upper() == b"QUIT":
                break
        if len(ours) < len(batch) or len(theirs) < len(batch):
            for side in self.sides():
                side.reconnect()

    def _compare_events(self, arguments):
        ours, theirs = self.ours.events(), self.theirs.events()
        if not self.normalise.equal_events(arguments, ours, theirs):
            note = f"events: {ours} / {theirs}"
            raise Difference(arguments, b"events", b"events", self.history, note)

    def call(self, *arguments):
        """One command on both sides, compared; gives both structures."""
        arguments = [each if isinstance(each, bytes) else str(each).encode() for each in arguments]
        data = encode(*arguments)
        for side in self.sides():
            side.send(data)
        ours, theirs = self.ours.replies(1), self.theirs.replies(1)
        self._compare([arguments], ours, theirs)
        return decode(ours[0])[0], decode(theirs[0])[0]

    def compare_states(self):
        """Everything that is stored: names, types, values, encodings, deadlines, by database."""
        for side in self.sides():
            side.reconnect()
        for database in range(DATABASES):
            self.call("SELECT", database)
            ours, _ = self.call("KEYS", "*")
            self.call("DBSIZE")
            commands = []
            for name in sorted(ours):
                commands += [[b"TYPE", name], [b"PTTL", name], [b"OBJECT", b"ENCODING", name],
                             [b"GET", name], [b"SMEMBERS", name],
                             [b"LRANGE", name, b"0", b"-1"], [b"HGETALL", name],
                             [b"ZRANGE", name, b"0", b"-1", b"WITHSCORES"],
                             [b"XINFO", b"STREAM", name, b"FULL", b"COUNT", b"0"]]
            self.run(commands, iter(lambda: 64, None))

    def restore_settings(self):
        """Undoes what CONFIG SET of the sequence has done."""
        if not self.settings_touched:
            return
        self.settings_touched = False
        for side in self.sides():
            if not side.server.alive():
                continue
            reply = side.other.call("CONFIG", "GET", "*")
            for name, value in zip(reply[0::2], reply[1::2]):
                if value != side.settings[name]:
                    side.other.call("CONFIG", "SET", name, side.settings[name])

    # -- shortening ------------------------------------------------------------------------------

    def reproduces(self, commands):
        """Whether the last of `commands` still differs when only these are sent."""
        try:
            self.begin()
            self.run(commands, iter(lambda: 1, None))
        except Difference as difference:
            return difference.arguments == commands[-1] and len(self.history) == len(commands)
        finally:
            self.restore_settings()
        return False

    def shorten(self, commands):
        """Leaves out blocks of commands as long as the last one still differs."""
        if not self.reproduces(commands):
            return commands
        attempts = SHORTEN_ATTEMPTS
        size = max(len(commands) // 2, 1)
        while attempts > 0:
            removed = False
            start = 0
            while start < len(commands) - 1 and attempts > 0:
                shorter = commands[:start] + commands[min(start + size, len(commands) - 1):]
                attempts -= 1
                if len(shorter) < len(commands) and self.reproduces(shorter):
                    commands, removed = shorter, True
                else:
                    start += size
            if size == 1 and not removed:
                break
            size = max(size // 2, 1)
        return commands


def encode_some_way(arguments, random):
    """Mostly multibulk; now and then a quoted line, which must mean the same."""
    if random is not None and random.random() < 0.03 and sum(map(len, arguments)) < 2000:
        if arguments[0].lower() not in (b"post", b"host:") and arguments[0]:
            return " ".join(quoted(each) for each in arguments).encode() + b"\r\n"
    return encode(*arguments)
