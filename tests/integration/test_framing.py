"""Broken requests: the exact error of Redis 7.0, then the end of the connection, nothing else.

Every case is also sent one byte at a time, since a parser that resumes may differ from one that
sees the whole.
"""
import socket
import time

from case import ServerTest, only_aeris
from wire import encode

INVALID_COUNT = b"invalid multibulk length"
INVALID_LENGTH = b"invalid bulk length"
UNBALANCED = b"unbalanced quotes in request"

# What is sent, and the text after "-ERR Protocol error: ".
FRAMING_ERRORS = [
    (b"*3000000000\r\n", INVALID_COUNT),
    (b"*2147483648\r\n", INVALID_COUNT),
    (b"*18446744073709551617\r\n", INVALID_COUNT),
    (b"*-9223372036854775809\r\n", INVALID_COUNT),
    (b"*+1\r\n", INVALID_COUNT),
    (b"*01\r\n", INVALID_COUNT),
    (b"*-0\r\n", INVALID_COUNT),
    (b"*\r\n", INVALID_COUNT),
    (b"* 1\r\n", INVALID_COUNT),
    (b"*1 \r\n", INVALID_COUNT),
    (b"*1.0\r\n", INVALID_COUNT),
    (b"*0x1\r\n", INVALID_COUNT),
    (b"*blah\r\n", INVALID_COUNT),
    (b"*1\n$4\nPING\r\n", INVALID_COUNT),
    (b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n", b"expected '$', got 'f'"),
    (b"*1\r\n:5\r\n", b"expected '$', got ':'"),
    (b"*1\r\n+PING\r\n", b"expected '$', got '+'"),
    (b"*1\r\n*1\r\n$4\r\nPING\r\n", b"expected '$', got '*'"),
    (b"*1\r\n~1\r\n$4\r\nPING\r\n", b"expected '$', got '~'"),
    (b"*1\r\n%1\r\n$4\r\nPING\r\n", b"expected '$', got '%'"),
    (b"*1\r\n_\r\n", b"expected '$', got '_'"),
    (b"*1\r\n#t\r\n", b"expected '$', got '#'"),
    (b"*1\r\n\r\n", b"expected '$', got ' '"),
    (b"*1\r\n$-1\r\n", INVALID_LENGTH),
    (b"*1\r\n$-10\r\n", INVALID_LENGTH),
    (b"*1\r\n$+4\r\nPING\r\n", INVALID_LENGTH),
    (b"*1\r\n$04\r\nPING\r\n", INVALID_LENGTH),
    (b"*1\r\n$\r\n", INVALID_LENGTH),
    (b"*1\r\n$x\r\n", INVALID_LENGTH),
    (b"*1\r\n$4\nPING\r\n", INVALID_LENGTH),
    (b"*1\r\n$4294967300\r\nPING\r\n", INVALID_LENGTH),
    (b"*1\r\n$536870913\r\n", INVALID_LENGTH),
    (b"*1\r\n$2000000000\r\n", INVALID_LENGTH),
    (b"*1\r\n$18446744073709551620\r\nPING\r\n", INVALID_LENGTH),
    (b"\"unbalanced\r\n", UNBALANCED),
    (b"set 'a\r\n", UNBALANCED),
    (b"set \"a\"b c\r\n", UNBALANCED),
    (b"set 'a'b c\r\n", UNBALANCED),
]

# Accepted though odd: what is sent, and the exact reply.
ODD_BUT_LEGAL = [
    (b"*0\r\nPING\r\n", b"+PONG\r\n"),
    (b"*-1\r\nPING\r\n", b"+PONG\r\n"),
    (b"*-10\r\n*1\r\n$4\r\nPING\r\n", b"+PONG\r\n"),
    (b"*-2147483648\r\nPING\r\n", b"+PONG\r\n"),
    (b"\r\nPING\r\n", b"+PONG\r\n"),
    (b"   \r\nPING\r\n", b"+PONG\r\n"),
    (b"PING\n", b"+PONG\r\n"),
    (b"  ping \t hello\r\n", b"$5\r\nhello\r\n"),
    (b"ping \"a\\x41\\n\\\"b\"\r\n", b"$5\r\naA\n\"b\r\n"),
    (b"ping 'a\\x41\\'b'\r\n", b"$7\r\na\\x41'b\r\n"),
    (b"ping \"\"\r\n", b"$0\r\n\r\n"),
    (b"*0\r\n*1\r\n$4\r\nPING\r\n*0\r\nPING\r\n\r\n*1\r\n$4\r\nPING\r\n", b"+PONG\r\n" * 3),
]


class Framing(ServerTest):
    shared_directives = {}

    def answer(self, pieces):
        """All bytes until the server closes; fails when it does not close."""
        with self.server.connect(timeout=10) as connection:
            try:
                for piece in pieces:
                    connection.send(piece)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it may close before the last byte, which is what is asked for
            return connection.read_to_end()

    def test_every_framing_error_has_its_text_and_ends_the_connection(self):
        for request, text in FRAMING_ERRORS:
            with self.subTest(request=request):
                self.assertEqual(self.answer([request]), b"-ERR Protocol error: " + text + b"\r\n")
        self.assert_serves()

    def test_framing_errors_do_not_depend_on_how_the_request_is_split(self):
        for request, text in FRAMING_ERRORS:
            with self.subTest(request=request):
                with self.server.connect(timeout=10) as connection:
                    for offset in range(len(request)):
                        try:
                            connection.send(request[offset:offset + 1])
                        except OSError:
                            break
                    self.assertEqual(connection.read_to_end(),
                                     b"-ERR Protocol error: " + text + b"\r\n")

    def test_a_header_promise_over_the_configured_bulk_limit_is_refused(self):
        server = self.start_server({"proto-max-bulk-len": "2mb"})
        with server.connect() as connection:
            connection.send(b"*1\r\n$2097153\r\n")
            self.assertEqual(connection.read_to_end(),
                             b"-ERR Protocol error: invalid bulk length\r\n")
        with server.connect() as connection:
            self.assertEqual(connection.raw("SET", "k", b"x" * 2097152), b"+OK\r\n")

    def test_odd_but_legal_requests_are_answered(self):
        for request, reply in ODD_BUT_LEGAL:
            with self.subTest(request=request):
                with self.server.connect(timeout=10) as connection:
                    connection.send(request + b"QUIT\r\n")
                    self.assertEqual(connection.read_to_end(), reply + b"+OK\r\n")

    def test_lines_that_never_end_are_cut_at_64_kilobytes(self):
        cases = [(b"*1\r\n$" + b"1" * 70000, b"too big bulk count string"),
                 (b"a" * 70000, b"too big inline request"),
                 (b"ping " + b"b" * 70000, b"too big inline request")]
        for request, text in cases:
            with self.subTest(request=request[:10]):
                self.assertEqual(self.answer([request]), b"-ERR Protocol error: " + text + b"\r\n")

    def test_a_count_line_that_never_ends_is_cut(self):
        reply = self.answer([b"*" + b"1" * 70000])
        self.assertEqual(reply, b"-ERR Protocol error: too big mbulk count string\r\n")

    def test_an_endless_line_does_not_grow_the_server(self):
        before = self.server.rss()
        for _ in range(20):
            self.answer([b"x" * (1 << 20)])
        self.assertLess(self.server.rss() - before, 16 << 20)

    def test_commands_before_the_break_are_answered_and_none_after_it_runs(self):
        with self.server.connect() as connection:
            connection.send(encode("SET", "before", "1") + encode("INCR", "before")
                            + b"*1\r\n:7\r\n" + encode("SET", "after", "1"))
            self.assertEqual(connection.read_to_end(),
                             b"+OK\r\n:2\r\n-ERR Protocol error: expected '$', got ':'\r\n")
        with self.server.connect() as connection:
            self.assertEqual(connection.call("EXISTS", "before", "after"), 1)

    def test_inline_break_in_a_pipeline_is_treated_alike(self):
        with self.server.connect() as connection:
            connection.send(b"PING\r\nset 'x\r\nPING\r\n")
            self.assertEqual(connection.read_to_end(),
                             b"+PONG\r\n-ERR Protocol error: unbalanced quotes in request\r\n")

    def test_an_empty_request_alone_leaves_nothing_behind(self):
        for empty in (b"\r\n", b"\n\n\n", b"*0\r\n", b"*-1\r\n", b"\r\nPI", b"*0\r\n*1\r\n$4\r\n"):
            with self.subTest(empty=empty):
                for leave in ("close", "reset", "half_close"):
                    for _ in range(20):
                        connection = self.server.connect()
                        connection.send(empty)
                        getattr(connection, leave)()
                        connection.close()
                # All of them have been seen when a client that came later is answered.
                for _ in range(20):
                    self.assert_serves()
        with self.server.connect() as connection, self.server.connect() as watcher:
            client = connection.call("CLIENT", "ID")
            connection.send(b"\r\n")
            self.wait_for(lambda: b" qbuf=0 " in watcher.call("CLIENT", "LIST", "ID", client),
                          "the empty request to be consumed")
            self.assertEqual(connection.raw("PING"), b"+PONG\r\n")

    def test_http_is_cut_at_once_and_its_body_never_runs(self):
        attempts = [
            b"POST / HTTP/1.1\r\nContent-Length: 20\r\n\r\nset attacked 1\r\n",
            b"post /x HTTP/1.0\r\n\r\nset attacked 1\r\n",
            b"GET / HTTP/1.1\r\nHost: localhost\r\nX: y\r\n\r\nset attacked 1\r\n",
            b"hOsT: localhost\r\nset attacked 1\r\n",
            b"*2\r\n$4\r\nPOST\r\n$1\r\n/\r\n" + encode("SET", "attacked", "1"),
            b"*1\r\n$5\r\nhost:\r\n" + encode("SET", "attacked", "1"),
        ]
        for attempt in attempts:
            with self.subTest(attempt=attempt):
                reply = self.answer([attempt])
                self.assertNotIn(b"+OK", reply)
                if not attempt.startswith(b"GET"):
                    self.assertEqual(reply, b"")
        with self.server.connect() as connection:
            self.assertEqual(connection.call("EXISTS", "attacked"), 0)

    @only_aeris("it looks for POST and Host: alone")
    def test_http_of_any_method_is_cut_at_its_first_line(self):
        words = b"GET HEAD PUT DELETE OPTIONS PATCH TRACE CONNECT delete".split()
        for line in [word + b" / HTTP/1." + minor for word in words for minor in (b"0", b"1")]:
            with self.subTest(line=line):
                rest = line + b"\r\n\r\nset attacked 1\r\n"
                self.assertEqual(self.answer([rest]), b"")
                self.assertIn(self.answer([b"multi\r\n" + rest + b"exec\r\n"]), (b"", b"+OK\r\n"))
        for line in (b"GET / HTTP/2", b"GET a b", b"PUT a b", b"GETS / HTTP/1.1", b"HEAD HTTP/1.1",
                     b"GET / x HTTP/1.1", b"GET / http/1.1"):
            with self.subTest(line=line):
                reply = self.answer([line + b"\r\nquit\r\n"])
                self.assertRegex(reply, rb"\A-ERR .*\r\n\+OK\r\n\Z")
        with self.server.connect() as connection:
            self.assertEqual(connection.call("SET", "k", "HTTP/1.1"), b"OK")
            self.assertEqual(connection.call("EXISTS", "attacked"), 0)

    @only_aeris("skips the two bytes behind a bulk string unseen")
    def test_a_bulk_string_must_end_with_crlf(self):
        for request in (b"*1\r\n$4\r\nPINGxx", b"*1\r\n$4\r\nPING\n\n", b"*1\r\n$4\r\nPING\r "):
            with self.subTest(request=request):
                reply = self.answer([request + encode("SET", "attacked", "1")])
                self.assertRegex(reply, rb"\A-ERR Protocol error: [ -~]+\r\n\Z")

    def test_line_breaks_of_a_client_never_reach_an_error_line(self):
        evil = b"x\r\n+OK\r\n$3\r\nfoo"
        requests = [(evil,), (b"PING", evil, evil), (b"CLIENT", evil), (b"CONFIG", evil),
                    (b"OBJECT", evil, b"k"), (b"COMMAND", evil), (b"SET", b"k", b"v", evil),
                    (b"CONFIG", b"SET", evil, evil), (b"CONFIG", b"SET", b"maxmemory", evil),
                    (b"CLIENT", b"KILL", b"TYPE", evil), (b"DEBUG", evil), (b"HELLO", evil),
                    (b"HELLO", b"3", evil), (b"SELECT", evil), (b"AUTH", evil, evil),
                    (b"BITFIELD", b"k", evil), (b"BITOP", evil, b"a", b"b"), (b"SCAN", evil),
                    (b"CLIENT", b"SETNAME", evil), (b"LATENCY", b"GRAPH", evil),
                    (b"LATENCY", evil), (b"SLOWLOG", evil), (b"MEMORY", evil), (b"CLUSTER", evil),
                    (b"MODULE", evil), (b"SHUTDOWN", evil), (b"RESTORE", b"k", b"0", evil),
                    (b"COMMAND", b"GETKEYS", evil), (b"CLIENT", b"SETINFO", evil, evil),
                    (b"CLIENT", b"SETINFO", b"lib-name", evil), (b"FLUSHALL", evil)]
        with self.server.connect() as connection:
            for request in requests:
                with self.subTest(request=request[:2]):
                    raw = connection.raw(*request)
                    if raw.startswith((b"-", b"+")):
                        self.assertNotRegex(raw[:-2], rb"[\r\n]")
                    self.assertEqual(connection.raw("PING"), b"+PONG\r\n")

    def test_unknown_commands_echo_at_most_128_bytes_of_each_text(self):
        with self.server.connect() as connection:
            raw = connection.raw(b"n" * 1000, *[b"a" * 100] * 50)
        self.assertTrue(raw.startswith(b"-ERR unknown command '" + b"n" * 128 + b"', with args"))
        self.assertLess(len(raw), 128 * 2 + 200)

    def test_a_request_split_at_every_byte_is_one_request(self):
        request = encode("SET", "split", b"a\r\nb\0c")
        for split in range(1, len(request)):
            with self.server.connect() as connection:
                connection.send(request[:split])
                connection.send(request[split:])
                self.assertEqual(connection.read_raw(), b"+OK\r\n")

    def test_half_a_command_of_many_clients_costs_them_only(self):
        count = 200 if self.light else 1000
        before = self.server.rss()
        held = []
        try:
            for _ in range(count):
                connection = self.server.connect()
                connection.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000\r\nabc")
                held.append(connection)
            self.assert_serves()
            self.assertLess(self.server.rss() - before, count * 40 * 1024 + (32 << 20))
        finally:
            for connection in held:
                connection.close()

    def test_promised_counts_reserve_no_memory(self):
        before = self.server.rss()
        held = []
        try:
            for header in (b"*2147483647\r\n", b"*1048576\r\n", b"*1000000\r\n$536870912\r\n"):
                for _ in range(100):
                    connection = self.server.connect()
                    connection.send(header)
                    held.append(connection)
            self.assert_serves()
            self.assertLess(self.server.rss() - before, 64 << 20)
        finally:
            for connection in held:
                connection.close()

    def test_half_closed_clients_get_what_they_asked_for(self):
        with self.server.connect() as connection:
            connection.send(encode("PING") * 100)
            connection.half_close()
            self.assertEqual(connection.read_to_end(), b"+PONG\r\n" * 100)

    def test_ten_thousand_garbage_connections(self):
        generator = self.seeded_random()
        count = 1000 if self.light else 10000
        alphabet = b"*$:+-_~%,0123456789\r\n\r\n\r\nGETSETPING \"'\\x\0\xff"
        for _ in range(count):
            size = generator.choice((1, 7, 30, 200, 3000))
            if generator.random() < 0.5:
                data = generator.randbytes(size)
            else:
                data = bytes(generator.choice(alphabet) for _ in range(size))
            sock = socket.create_connection(("127.0.0.1", self.server.port), 10)
            try:
                sock.sendall(data)
            except OSError:
                pass
            sock.close()
        self.assert_serves()

    def test_damaged_good_requests_are_survived(self):
        generator = self.seeded_random()
        good = encode("SET", "key", "value") + encode("GET", "key") + encode("MGET", "a", "b")
        for _ in range(300 if self.light else 3000):
            damaged = bytearray(good)
            for _ in range(generator.randint(1, 3)):
                damaged[generator.randrange(len(damaged))] = generator.randrange(256)
            with self.server.connect() as connection:
                connection.send(bytes(damaged))
        self.assert_serves()

    def test_the_protocol_error_is_logged_with_the_client(self):
        server = self.start_server({"loglevel": "verbose"})
        with server.connect() as connection:
            connection.send(b"*1\r\n:5\r\n")
            connection.read_to_end()
        self.wait_for(lambda: "Protocol error" in server.output(), "the log line")

    def test_a_value_of_several_mebibytes_that_arrives_at_once_is_stored_as_it_is(self):
        value = bytes(range(256)) * (16 << 10)
        with self.server.connect() as connection:
            for _ in range(5):
                connection.send(encode("SET", "large", value) + encode("STRLEN", "large"))
                self.assertEqual(connection.read_reply(), b"OK")
                self.assertEqual(connection.read_reply(), len(value))
                self.assertTrue(connection.call("GETDEL", "large") == value)


class BeforeLogin(ServerTest):
    """What a client may cost that has not said who it is."""
    shared_directives = {"requirepass": "secret"}

    def test_counts_and_lengths_are_small(self):
        cases = [(b"*11\r\n", b"unauthenticated multibulk length"),
                 (b"*100\r\n", b"unauthenticated multibulk length"),
                 (b"*1\r\n$16385\r\n", b"unauthenticated bulk length")]
        for request, text in cases:
            with self.subTest(request=request), self.server.connect() as connection:
                connection.send(request)
                self.assertEqual(connection.read_to_end(),
                                 b"-ERR Protocol error: " + text + b"\r\n")

    def test_the_largest_allowed_request_is_read(self):
        with self.server.connect() as connection:
            raw = connection.raw("MGET", *[b"a"] * 9)
            self.assertEqual(raw, b"-NOAUTH Authentication required.\r\n")
            raw = connection.raw("GET", b"a" * 16384)
            self.assertEqual(raw, b"-NOAUTH Authentication required.\r\n")

    def test_limits_are_lifted_by_login(self):
        with self.server.connect() as connection:
            self.assertEqual(connection.raw("AUTH", "secret"), b"+OK\r\n")
            self.assertEqual(connection.raw("SET", "k", b"x" * 100000), b"+OK\r\n")
            self.assertEqual(len(connection.call("MGET", *["k"] * 20)), 20)

    def test_errors_of_login(self):
        with self.server.connect() as connection:
            cases = [(("PING",), b"-NOAUTH Authentication required.\r\n"),
                     (("NOSUCH",), b"-ERR unknown command 'NOSUCH', with args beginning "
                                   b"with: \r\n"),
                     (("AUTH", "wrong"), b"-WRONGPASS invalid username-password pair or user is "
                                         b"disabled.\r\n"),
                     (("AUTH", "nobody", "secret"), b"-WRONGPASS invalid username-password pair or "
                                                    b"user is disabled.\r\n"),
                     (("HELLO", "3"), b"-NOAUTH HELLO must be called with the client already "
                                      b"authenticated, otherwise the HELLO AUTH <user> <pass> "
                                      b"option can be used to authenticate the client and select "
                                      b"the RESP protocol version at the same time\r\n"),
                     (("AUTH", "default", "secret"), b"+OK\r\n"),
                     (("PING",), b"+PONG\r\n")]
            for command, reply in cases:
                with self.subTest(command=command):
                    self.assertEqual(connection.raw(*command), reply)

    def test_a_failed_auth_in_the_middle_of_a_pipeline_gets_its_reply(self):
        with self.server.connect() as connection:
            connection.send(encode("AUTH", "secret") + encode("PING") + encode("AUTH", "wrong")
                            + encode("PING") + encode("ECHO", "end"))
            replies = [connection.read_raw() for _ in range(5)]
        self.assertEqual(replies, [
            b"+OK\r\n", b"+PONG\r\n",
            b"-WRONGPASS invalid username-password pair or user is disabled.\r\n",
            b"+PONG\r\n", b"$3\r\nend\r\n"])

    def test_a_failed_first_auth_does_not_lose_its_reply(self):
        refused = b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
        with self.server.connect() as connection:
            connection.send(encode("PING") + encode("AUTH", "wrong") + encode("PING")
                            + encode("AUTH", "secret") + encode("PING"))
            replies = [connection.read_raw() for _ in range(5)]
        noauth = b"-NOAUTH Authentication required.\r\n"
        self.assertEqual(replies, [noauth, refused, noauth, b"+OK\r\n", b"+PONG\r\n"])

    def test_a_large_request_behind_auth_in_one_segment_is_judged_after_it(self):
        with self.server.connect() as connection:
            connection.send(encode("AUTH", "secret") + encode("SET", "k", b"v" * 20000)
                            + encode("MGET", *["k"] * 15))
            self.assertEqual(connection.read_raw(), b"+OK\r\n")
            self.assertEqual(connection.read_raw(), b"+OK\r\n")
            self.assertEqual(len(connection.read_reply()), 15)

    def test_a_client_that_never_reads_noauth_is_cut(self):
        with self.server.connect(timeout=30, receive_buffer=4096) as connection:
            flood = encode("PING") * 1000
            before = self.server.rss()
            deadline = time.monotonic() + 60
            with self.assertRaises((BrokenPipeError, ConnectionResetError)):
                while time.monotonic() < deadline:
                    connection.send(flood)
            self.assertLess(self.server.rss() - before, 16 << 20)
        with self.server.connect() as connection:
            self.assertEqual(connection.raw("AUTH", "secret"), b"+OK\r\n")
