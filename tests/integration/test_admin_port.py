"""HTTP on the admin port: what it answers, and what it does with what it should not be sent."""
import http.client
import json
import re
import socket
import struct
import time

from admin_port import AdminTest, read_to_end
from case import only_aeris
from server import ServerFailed, free_port

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
REQUEST_BYTES_MAX = 8192
CONNECTIONS_MAX = 16
REQUEST_SECONDS = 5


@only_aeris("it has no admin port")
class AdminPort(AdminTest):

    def setUp(self):
        super().setUp()
        self.server = self.start_admin_server()

    def tearDown(self):
        self.assert_serves()
        self.assertEqual(self.get(self.server, "/healthz")[0], 200)

    def log_lines(self, text):
        return [line for line in self.server.output().splitlines() if text in line]

    # -- what it answers

    def test_every_answer_has_its_fields(self):
        for path in ("/", "/page.css", "/page.js", "/metrics", "/healthz", "/readyz", "/stats.json",
                     "/nosuch"):
            with self.subTest(path=path):
                status, fields, body = self.get(self.server, path)
                self.assertEqual(status, 404 if path == "/nosuch" else 200)
                self.assertEqual(fields["Content-Length"], str(len(body)))
                self.assertEqual(fields["Cache-Control"], "no-store")
                self.assertEqual(fields["X-Content-Type-Options"], "nosniff")
                self.assertIn("default-src 'none'", fields["Content-Security-Policy"])
                self.assertNotIn("unsafe", fields["Content-Security-Policy"])
                self.assertIn("Content-Type", fields)
                self.assertEqual(fields["Connection"], "keep-alive")

    def test_the_page_refers_to_nothing_elsewhere(self):
        for path in ("/", "/page.css", "/page.js", "/chart.js", "/format.js"):
            text = self.body(self.server, path)
            for address in re.findall(r"(?:https?:)?//[^\s\"'<>)]+", text):
                if not path.endswith(".js"):  # where it begins a comment
                    self.fail(f"{path}: {address}")
            self.assertNotIn("innerHTML", text)

    def test_a_connection_serves_many_requests(self):
        peer = http.client.HTTPConnection("127.0.0.1", self.server.admin_port, timeout=30)
        self.addCleanup(peer.close)
        for _ in range(20):
            peer.request("GET", "/healthz")
            reply = peer.getresponse()
            self.assertEqual((reply.status, reply.read()), (200, b"ok\n"))
            self.assertIsNotNone(peer.sock)

    def test_pipelined_requests_are_answered_in_order(self):
        requests = b"".join(b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path
                            for path in (b"healthz", b"nosuch", b"readyz", b"metrics"))
        received = self.talk(self.server, 3 * requests + GET.replace(b"\r\n\r\n",
                                                                    b"\r\nConnection: close\r\n\r\n"))
        statuses = re.findall(rb"HTTP/1\.1 (\d+) ", received)
        self.assertEqual(statuses, 3 * [b"200", b"404", b"200", b"200"] + [b"200"])

    def test_commands_show_in_the_figures(self):
        client = self.connect()
        client.call("SET", "key", "value")
        for _ in range(100):
            client.call("GET", "key")
        self.assertEqual(self.metric(self.server, 'redis_commands_total{cmd="get"}'), 100)
        self.assertEqual(self.metric(self.server, "redis_keyspace_hits_total"), 100)
        self.assertEqual(self.metric(self.server, 'redis_db_keys{db="db0"}'), 1)
        self.wait_for(lambda: any(row[1] > 0 for row in self.stats(self.server)["rows"]),
                      "a row of the seconds with commands")
        stats = self.stats(self.server)
        self.assertEqual(stats["databases"][0]["keys"], 1)
        self.assertEqual(len(stats["columns"]), len(stats["rows"][0]))

    def test_readiness_follows_memory_and_pauses(self):
        client = self.connect()
        self.assertEqual(self.body(self.server, "/readyz"), "ready\n")
        client.call("SET", "key", "v" * 100000)
        client.call("CONFIG", "SET", "maxmemory", "1")
        status, _, body = self.get(self.server, "/readyz")
        self.assertEqual(status, 503)
        self.assertIn(b"memory: ", body)
        self.assertIn(b"-OOM", client.raw("SET", "other", "value"))
        client.call("CONFIG", "SET", "maxmemory", "0")
        self.assertEqual(self.get(self.server, "/readyz")[0], 200)
        client.call("CLIENT", "PAUSE", "60000", "WRITE")
        self.assertIn(b"paused: ", self.get(self.server, "/readyz")[2])
        self.assertEqual(self.get(self.server, "/healthz")[0], 200)
        client.call("CLIENT", "UNPAUSE")
        self.assertEqual(self.get(self.server, "/readyz")[0], 200)

    # -- what it refuses

    def test_other_methods(self):
        for method in ("POST", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "BREW"):
            received = self.talk(self.server, f"{method} / HTTP/1.1\r\nHost: localhost\r\n"
                                              "Content-Length: 3\r\n\r\nabc".encode())
            self.assertTrue(received.startswith(b"HTTP/1.1 405 "), received)
            self.assertIn(b"\r\nAllow: GET\r\n", received)

    def test_a_request_that_is_too_long(self):
        head, tail = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"\r\n\r\n"
        room = REQUEST_BYTES_MAX - len(head) - len(tail)
        peer = self.admin_socket(self.server)
        peer.sendall(head + b"x" * room + tail)
        self.assertTrue(peer.recv(65536).startswith(b"HTTP/1.1 200 "))
        received = self.talk(self.server, head + b"x" * (room + 1) + tail)
        self.assertTrue(received.startswith(b"HTTP/1.1 431 "), received)
        received = self.talk(self.server, b"GET /" + b"x" * 1_000_000)
        self.assertTrue(received.startswith(b"HTTP/1.1 431 ") or received == b"", received)

    def test_malformed_requests(self):
        for data in (b"GET /\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\nHost: a\n\n",
                     b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", b"GET x HTTP/1.1\r\nHost: a\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                     b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"):
            with self.subTest(data=data):
                self.assertTrue(self.talk(self.server, data).startswith(b"HTTP/1.1 400 "))

    def test_a_name_that_could_be_turned_against_it(self):
        port = self.server.admin_port
        for host, status in (("evil.example", 403), (f"evil.example:{port}", 403),
                             (f"127.0.0.1.evil.example:{port}", 403), (f"localhost:{port}", 200),
                             (f"127.0.0.1:{port}", 200), ("[::1]", 200)):
            with self.subTest(host=host):
                self.assertEqual(self.get(self.server, "/stats.json", Host=host)[0], status)

    def test_the_protocol_of_redis_is_closed_with_one_line(self):
        for data in (b"*1\r\n$4\r\nPING\r\n", b"PING\r\n", b"SET a b\r\n", b"$5\r\n", b"\r\n",
                     b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
            self.assertEqual(self.talk(self.server, data), b"")
        self.assertEqual(len(self.log_lines("speaks no HTTP")), 1)

    def test_http_on_the_data_port_is_closed_with_one_line(self):
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", self.server.port), 30) as peer:
                peer.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: y\r\n\r\n")
                read_to_end(peer)
        self.assertEqual(len(self.log_lines("Possible SECURITY ATTACK")), 1)

    # -- slow, many and broken connections

    def test_slow_requests_are_cut_while_others_are_served(self):
        slow, half, silent = (self.admin_socket(self.server) for _ in range(3))
        half.sendall(GET[:-2])
        begin = time.monotonic()
        for byte in GET:
            try:
                slow.sendall(bytes([byte]))
            except ConnectionError:
                break
            time.sleep(0.2)
            if time.monotonic() - begin < REQUEST_SECONDS - 1:
                self.assertEqual(self.get(self.server, "/healthz")[0], 200)
        self.assertEqual((read_to_end(slow), read_to_end(half), read_to_end(silent)),
                         (b"", b"", b""))
        self.assertLess(time.monotonic() - begin, 2 * REQUEST_SECONDS + 5)
        self.assertEqual(self.metric(self.server, "aeris_admin_timeouts_total"), 2)

    def test_a_client_that_takes_no_answers_holds_nobody_up(self):
        peer = socket.socket()
        self.addCleanup(peer.close)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        peer.connect(("127.0.0.1", self.server.admin_port))
        peer.settimeout(0.2)
        try:
            for _ in range(100000):
                peer.sendall(b"GET /page.js HTTP/1.1\r\nHost: localhost\r\n\r\n")
        except (TimeoutError, ConnectionError):
            pass
        client = self.connect()
        begin = time.monotonic()
        for _ in range(100):
            client.call("PING")
        self.assertLess(time.monotonic() - begin, 2)
        self.assertEqual(self.get(self.server, "/healthz")[0], 200)

    def test_a_thousand_connections(self):
        peers = []
        for _ in range(1000):
            peers.append(socket.create_connection(("127.0.0.1", self.server.admin_port), 30))
        self.addCleanup(lambda: [peer.close() for peer in peers])
        self.assertEqual(self.get(self.server, "/healthz")[0], 200)
        open_sockets = self.server.info("clients")["connected_clients"]
        self.assertEqual(open_sockets, "1")
        closed = 0
        for peer in peers:
            peer.setblocking(False)
            try:
                closed += peer.recv(1) == b""
            except BlockingIOError:
                pass
            except ConnectionError:
                closed += 1
        self.assertGreaterEqual(closed, 1000 - CONNECTIONS_MAX)

    def test_resets_and_half_closes(self):
        for i in range(200):
            peer = socket.create_connection(("127.0.0.1", self.server.admin_port), 30)
            peer.sendall((GET, GET[:10], b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")[i % 3])
            if i % 2 == 0:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                peer.shutdown(socket.SHUT_WR)
            peer.close()

        def answers():  # not while sixteen of those are still to be noticed
            with socket.create_connection(("127.0.0.1", self.server.admin_port), 30) as one_more:
                one_more.sendall(GET)
                one_more.shutdown(socket.SHUT_WR)
                return read_to_end(one_more).endswith(b"ok\n")
        self.wait_for(answers, "an answer")
        for _ in range(100):
            self.assertTrue(answers())

    def test_random_bytes(self):
        random = self.seeded_random()
        for _ in range(300):
            data = bytearray(GET * 2)
            for _ in range(random.randrange(1, 6)):
                data[random.randrange(len(data))] = random.randrange(256)
            peer = self.admin_socket(self.server)
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
            read_to_end(peer)
            peer.close()

    # -- configuration

    def test_config_set_moves_and_closes_it(self):
        client = self.connect()
        old, new = self.server.admin_port, free_port()
        self.assertEqual(client.raw("CONFIG", "SET", "admin-port", new), b"+OK\r\n")
        self.server.admin_port = new
        self.assertEqual(self.get(self.server, "/healthz")[0], 200)
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", old), 5)
        self.assertIn(b"Unable to listen on the admin port",
                      client.raw("CONFIG", "SET", "admin-port", self.server.port))
        self.assertEqual(self.get(self.server, "/healthz")[0], 200)
        client.call("CONFIG", "SET", "admin-port", "0")
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", new), 5)
        self.assertEqual(client.raw("CONFIG", "SET", "admin-port", new, "admin-bind", "::1"),
                         b"+OK\r\n")
        peer = http.client.HTTPConnection("::1", new, timeout=30)
        peer.request("GET", "/healthz")
        self.assertEqual(peer.getresponse().read(), b"ok\n")
        peer.close()
        client.call("CONFIG", "SET", "admin-bind", "127.0.0.1")

    def test_a_port_in_use_stops_the_start(self):
        other = self.new_server({"admin-port": self.server.port})
        with self.assertRaises(ServerFailed) as failure:
            other.start()
        self.assertIn("Failed listening on admin port", str(failure.exception))

    def test_names_of_keys_are_hidden_while_a_password_is_set(self):
        client = self.connect()
        client.call("CONFIG", "SET", "slowlog-log-slower-than", "0")
        for _ in range(500):
            client.call("SET", "the-name", "the-value")
        self.assertIn("the-name", json.dumps(self.stats(self.server)))
        self.assertNotIn("the-value", json.dumps(self.stats(self.server)))
        client.call("CONFIG", "SET", "requirepass", "password")
        self.assertNotIn("the-name", json.dumps(self.stats(self.server)))
        client.call("CONFIG", "SET", "requirepass", "")
