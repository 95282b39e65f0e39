"""A raw client of RESP2 and RESP3 that hides nothing: exact bytes, or structures with their types.

Nothing here is clever on purpose: the judge of the wire must be simple enough to be believed.
"""
import socket
import struct

KEEP_READING = 1 << 16


class WireError(Exception):
    """Bytes that are no RESP reply."""


class Status(bytes):
    """A `+` line."""


class ErrorReply(bytes):
    """A `-` line. A value like any other: the caller compares it."""


class Verbatim(bytes):
    """A `=` string, format prefix included."""


class BigNumber(int):
    """A `(` number."""


class Set(list):
    """A `~` aggregate in the order of the wire."""


class Push(list):
    """A `>` aggregate."""


class NullArray:
    """`*-1` of RESP2, which is not the same as the null bulk string."""

    def __repr__(self):
        return "NullArray"

    def __eq__(self, other):
        return isinstance(other, NullArray)

    def __hash__(self):
        return 0


NULL_ARRAY = NullArray()
AGGREGATES = b"*%~>|"


def encode(*arguments):
    """A multibulk request."""
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        data = to_bytes(argument)
        parts.append(b"$%d\r\n" % len(data))
        parts.append(data)
        parts.append(b"\r\n")
    return b"".join(parts)


def to_bytes(argument):
    if isinstance(argument, (bytes, bytearray)):
        return bytes(argument)
    return str(argument).encode()


def reply_end(data, start=0):
    """Offset after the reply that begins at `start`, or -1 when it is not whole yet."""
    pending = 1
    position = start
    while pending:
        line_end = data.find(b"\r\n", position)
        if line_end < 0:
            return -1
        kind = data[position]
        if kind in b"+-:_,#(":
            position = line_end + 2
            pending -= 1
        elif kind in b"$=":
            size = int(data[position + 1:line_end])
            position = line_end + 2 + (size + 2 if size >= 0 else 0)
            if position > len(data):
                return -1
            pending -= 1
        elif kind in AGGREGATES:
            count = int(data[position + 1:line_end])
            position = line_end + 2
            if kind in b"%|":
                count *= 2
            # An attribute comes before the reply it speaks of, so it does not end one.
            pending += max(count, 0) - (0 if kind == ord("|") else 1)
        else:
            raise WireError(f"no reply begins with {data[position:position + 40]!r}")
    return position


def decode(data, position=0):
    """The structure that begins at `position`, and the offset after it."""
    line_end = data.index(b"\r\n", position)
    kind = data[position:position + 1]
    line = data[position + 1:line_end]
    position = line_end + 2
    if kind in (b"$", b"="):
        size = int(line)
        if size < 0:
            return None, position
        value = data[position:position + size]
        if data[position + size:position + size + 2] != b"\r\n":
            raise WireError("a string without its CRLF")
        return (Verbatim(value) if kind == b"=" else bytes(value)), position + size + 2
    if kind in (b"*", b"~", b">"):
        count = int(line)
        if count < 0:
            return NULL_ARRAY, position
        items = Push() if kind == b">" else Set() if kind == b"~" else []
        for _ in range(count):
            item, position = decode(data, position)
            items.append(item)
        return items, position
    if kind in (b"%", b"|"):
        pairs = {}
        for _ in range(int(line)):
            key, position = decode(data, position)
            pairs[key], position = decode(data, position)
        return (pairs, position) if kind == b"%" else decode(data, position)
    return decode_line(kind, line), position


def decode_line(kind, line):
    if kind == b"+":
        return Status(line)
    if kind == b"-":
        return ErrorReply(line)
    if kind == b":":
        return int(line)
    if kind == b"_":
        return None
    if kind == b"#":
        return {b"t": True, b"f": False}[line]
    if kind == b",":
        return float(line)
    if kind == b"(":
        return BigNumber(line)
    raise WireError(f"unknown kind of reply {kind!r}")


class Connection:
    """One socket. `call` for a command and its structure, `raw` for its exact bytes."""

    def __init__(self, sock):
        self.socket = sock
        self.buffer = bytearray()

    @classmethod
    def tcp(cls, host, port, timeout=30.0, receive_buffer=None):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        return cls._connect(sock, (host, port), timeout, receive_buffer)

    @classmethod
    def unix(cls, path, timeout=30.0, receive_buffer=None):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        return cls._connect(sock, path, timeout, receive_buffer)

    @classmethod
    def _connect(cls, sock, address, timeout, receive_buffer):
        sock.settimeout(timeout)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            sock.connect(address)
        except OSError:
            sock.close()
            raise
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(sock)

    # -- sending ---------------------------------------------------------------------------------

    def send(self, data):
        self.socket.sendall(data)

    def send_command(self, *arguments):
        self.socket.sendall(encode(*arguments))

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        """Closes with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    # -- receiving -------------------------------------------------------------------------------

    def _receive(self):
        data = self.socket.recv(KEEP_READING)
        if not data:
            raise EOFError("the server closed the connection")
        self.buffer += data

    def _receive_at_least(self, size):
        """For a long string: the buffer is extended without looking at it again and again."""
        while len(self.buffer) < size:
            self._receive()

    def read_raw(self):
        """The exact bytes of the next reply."""
        while True:
            end = reply_end(self.buffer)
            if end >= 0:
                raw = bytes(self.buffer[:end])
                del self.buffer[:end]
                return raw
            if self.buffer[:1] == b"$" and b"\r\n" in self.buffer[:32]:
                line, _, _ = bytes(self.buffer[:32]).partition(b"\r\n")
                self._receive_at_least(len(line) + 2 + int(line[1:]) + 2)
            else:
                self._receive()

    def read_reply(self):
        return decode(self.read_raw())[0]

    def read_to_end(self):
        """Everything until the server closes; a reset counts as a close."""
        try:
            while True:
                self._receive()
        except (EOFError, ConnectionResetError):
            pass
        data, self.buffer = bytes(self.buffer), bytearray()
        return data

    def closed_by_peer(self):
        """Waits for the end of the stream; what is still to come is thrown away."""
        self.read_to_end()
        return True

    # -- both ------------------------------------------------------------------------------------

    def call(self, *arguments):
        self.send_command(*arguments)
        return self.read_reply()

    def raw(self, *arguments):
        self.send_command(*arguments)
        return self.read_raw()

    def pipeline(self, commands):
        """Sends all, then reads all. For sizes that fit the socket buffers."""
        self.send(b"".join(encode(*command) for command in commands))
        return [self.read_reply() for _ in commands]

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
