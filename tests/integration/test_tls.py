"""TLS as clients meet it: tools and libraries, certificates of all kinds, and what comes to the wrong
port."""
import os
import select
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time

import redis

from case import ServerTest, only_aeris, raise_descriptor_limit
from certificates import Authority
from server import ServerFailed, ServerProcess, free_port
from wire import Connection, encode

MIB = 1024 * 1024
HANDSHAKE_SECONDS = 10  # what the server gives a handshake


class TlsTest(ServerTest):
    """Servers with both ports open, and an authority whose certificates they ask for."""

    authority = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = ServerProcess("none").directory  # a temporary one
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.authority = Authority(cls.folder).issue("server").issue("client")

    def start_tls(self, directives=None, **options):
        self.tls_port = free_port()
        given = self.authority.directives(**{"tls-port": self.tls_port}, **(directives or {}))
        return self.start_server(given, **options)

    def settings(self, certificate="client", authority=None, **options):
        """A client's side."""
        settings = ssl.create_default_context(
            cafile=(authority or self.authority).path("ca.crt"))
        if certificate:
            settings.load_cert_chain(self.authority.path(f"{certificate}.crt"),
                                     self.authority.path(f"{certificate}.key"))
        for name, value in options.items():
            setattr(settings, name, value)
        return settings

    def connect_tls(self, settings=None, timeout=30.0, **options):
        sock = socket.create_connection(("127.0.0.1", self.tls_port), timeout=timeout)
        try:
            wrapped = (settings or self.settings()).wrap_socket(
                sock, server_hostname="127.0.0.1", **options)
        except BaseException:
            sock.close()
            raise
        self.addCleanup(wrapped.close)
        return Connection(wrapped)

    def is_served(self, settings=None):
        """Whether such a client gets an answer; with TLS 1.3 it may learn only then that it does
        not."""
        try:
            return self.connect_tls(settings).raw("PING") == b"+PONG\r\n"
        except (OSError, EOFError):
            return False

    def common_name(self, settings=None):
        certificate = self.connect_tls(settings).socket.getpeercert()
        return dict(pair[0] for pair in certificate["subject"])["commonName"]


class Tools(TlsTest):
    """Debian's clients."""

    def setUp(self):
        super().setUp()
        self.server = self.start_tls()
        self.files = ["--tls", "--cacert", self.authority.path("ca.crt"),
                      "--cert", self.authority.path("client.crt"),
                      "--key", self.authority.path("client.key")]

    def tearDown(self):
        self.server = None

    def run_tool(self, *words, text=None):
        return subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=120,
                              check=False, input=text)

    def test_redis_cli(self):
        cli = ["redis-cli", "-p", self.tls_port, *self.files]
        self.assertEqual(self.run_tool(*cli, "SET", "k", "v").stdout, "OK\n")
        self.assertEqual(self.run_tool(*cli, "-x", "SET", "big", text="x" * MIB).stdout, "OK\n")
        self.assertEqual(self.run_tool(*cli, "GETRANGE", "big", MIB - 5, -1).stdout, "xxxxx\n")
        piped = b"".join(encode("SET", f"k{i}", i) for i in range(20000)).decode()
        self.assertIn("errors: 0, replies: 20000", self.run_tool(*cli, "--pipe", text=piped).stdout)
        self.assertEqual(self.connect().call("DBSIZE"), 20002)

    def test_redis_cli_without_a_certificate(self):
        done = self.run_tool("redis-cli", "-p", self.tls_port, *self.files[:3], "PING")
        self.assertNotIn("PONG", done.stdout)

    def test_redis_benchmark(self):
        count = 2000 if self.light else 20000
        for pipeline in (1, 64):
            done = self.run_tool("redis-benchmark", "-p", self.tls_port, *self.files, "-n", count,
                                 "-t", "set,get,lrange_100", "-P", pipeline, "--csv", "-d", 300)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn('"GET"', done.stdout)
            self.assertNotIn("error", done.stdout.lower())


class RedisPy(TlsTest):

    def setUp(self):
        super().setUp()
        self.start_tls()
        self.redis = redis.Redis(
            "127.0.0.1", self.tls_port, ssl=True, ssl_ca_certs=self.authority.path("ca.crt"),
            ssl_certfile=self.authority.path("client.crt"),
            ssl_keyfile=self.authority.path("client.key"), socket_timeout=60)
        self.addCleanup(self.redis.close)

    def test_values_of_all_sizes(self):
        sizes = [0, 1, 16383, 16384, 16385, 32768, 100_000, MIB]
        for size in sizes + [(4 if self.light else 64) * MIB]:
            value = os.urandom(size)
            self.redis.set("k", value)
            self.assertEqual(self.redis.get("k"), value)

    def test_pipelines(self):
        pipeline = self.redis.pipeline(transaction=False)
        for index in range(5000):
            pipeline.set(f"key:{index}", index).get(f"key:{index}")
        replies = pipeline.execute()
        self.assertEqual(replies[1::2], [b"%d" % index for index in range(5000)])

    def test_publish_and_subscribe(self):
        subscriber = self.redis.pubsub(ignore_subscribe_messages=True)
        self.addCleanup(subscriber.close)
        subscriber.subscribe("news")
        self.wait_for(lambda: self.redis.pubsub_numsub("news")[0][1] == 1, "the subscription")
        messages = [os.urandom(size) for size in (1, 1000, 20_000, 200_000) for _ in range(20)]
        for message in messages:
            self.redis.publish("news", message)
        got = []
        while len(got) < len(messages):
            message = subscriber.get_message(timeout=10)
            if message:
                got.append(message["data"])
        self.assertEqual(got, messages)


class Ports(TlsTest):

    def test_both_ports_of_one_server(self):
        server = self.start_tls()
        secure, plain = self.connect_tls(), self.connect(server)
        self.assertEqual(secure.raw("SET", "k", "v"), b"+OK\r\n")
        self.assertEqual(plain.call("GET", "k"), b"v")
        lines = plain.call("CLIENT", "LIST").decode()
        self.assertIn(f"laddr=127.0.0.1:{self.tls_port} ", lines)
        self.assertIn(f"laddr=127.0.0.1:{server.port} ", lines)

    def test_only_the_tls_port(self):
        path = os.path.join(self.folder, "socket")
        self.start_tls({"port": 0, "unixsocket": path})
        connection = self.connect_tls()
        self.assertIn(b"tcp_port:%d\r\n" % self.tls_port, connection.call("INFO", "server"))
        self.assertEqual(connection.call("CONFIG", "GET", "port"), [b"port", b"0"])

    def test_from_one_port_to_the_other_and_back(self):
        server = self.start_tls()
        first = self.connect_tls()
        self.assertEqual(first.raw("CONFIG", "SET", "tls-port", 0), b"+OK\r\n")
        self.assertFalse(self.is_served())
        self.assertEqual(first.raw("PING"), b"+PONG\r\n")
        self.assertEqual(first.raw("CONFIG", "SET", "port", self.tls_port), b"+OK\r\n")
        with Connection.tcp("127.0.0.1", self.tls_port) as plain:
            self.assertEqual(plain.raw("CONFIG", "SET", "port", server.port), b"+OK\r\n")
        self.assertEqual(first.raw("CONFIG", "SET", "tls-port", self.tls_port), b"+OK\r\n")
        self.assertTrue(self.is_served())

    def test_a_port_that_is_taken(self):
        server = self.start_tls()
        taken = self.start_server()
        connection = self.connect(server)
        reply = connection.raw("CONFIG", "SET", "tls-port", taken.port)
        self.assertEqual(reply, b"-ERR CONFIG SET failed (possibly related to argument "
                                b"'tls-port') - Unable to listen on this port. Check server "
                                b"logs.\r\n")
        self.assertEqual(connection.call("CONFIG", "GET", "tls-port")[1], b"%d" % self.tls_port)
        self.assertTrue(self.is_served())

    def test_plain_bytes_to_the_tls_port(self):
        server = self.start_tls()
        for sent in (b"PING\r\n", encode("SET", "k", "v"), b"GET / HTTP/1.1\r\n\r\n", b"\x16" * 99):
            with Connection.tcp("127.0.0.1", self.tls_port) as connection:
                connection.send(sent)
                self.assertNotIn(b"PONG", connection.read_to_end())
        self.assertEqual(server.output().count("Error accepting a client connection: error:"), 4)
        self.assertTrue(self.is_served())

    def test_tls_bytes_to_the_plain_port(self):
        server = self.start_tls()
        self.tls_port = server.port
        with self.assertRaises(OSError):
            self.connect_tls(timeout=2)
        self.assert_serves(server)

    @only_aeris("it waits for ever")
    def test_a_handshake_that_stays_silent(self):
        server = self.start_tls()
        hello = ssl.MemoryBIO()
        handshake = self.settings().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="127.0.0.1")
        with self.assertRaises(ssl.SSLWantReadError):
            handshake.do_handshake()
        begun = time.monotonic()
        half = Connection.tcp("127.0.0.1", self.tls_port)
        silent = Connection.tcp("127.0.0.1", self.tls_port)
        half.send(hello.read())
        half.socket.recv(1)  # its side of the handshake comes
        for connection in (silent, half):
            connection.read_to_end()
        self.assertGreater(time.monotonic() - begun, HANDSHAKE_SECONDS - 1)
        self.assertEqual(server.output().count("handshake was not done within"), 2)
        fields = server.info("stats")
        self.assertEqual(fields["tls_handshakes_failed"], "2")

    def test_a_hello_byte_by_byte(self):
        self.start_tls()
        sock = socket.create_connection(("127.0.0.1", self.tls_port), timeout=30)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        out, incoming = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = self.settings().wrap_bio(incoming, out, server_hostname="127.0.0.1")
        shaken = False
        while not shaken:
            try:
                client.do_handshake()
                shaken = True
            except ssl.SSLWantReadError:
                pass
            for byte in out.read():
                sock.sendall(bytes([byte]))
            if not shaken:
                incoming.write(sock.recv(65536))
        client.write(b"PING\r\n")
        sock.sendall(out.read())
        reply = b""
        while reply != b"+PONG\r\n":
            incoming.write(sock.recv(65536))
            try:
                reply += client.read(100)
            except ssl.SSLWantReadError:
                pass
        sock.close()


class Certificates(TlsTest):

    def test_who_is_let_in(self):
        self.start_tls()
        others = Authority(os.path.join(self.folder, "others"), "Others").issue("client")
        self.authority.issue("late", days=-1)
        foreign = self.settings(certificate=None)
        foreign.load_cert_chain(others.path("client.crt"), others.path("client.key"))
        self.assertTrue(self.is_served())
        self.assertFalse(self.is_served(self.settings(certificate=None)))
        self.assertFalse(self.is_served(self.settings(certificate="late")))
        self.assertFalse(self.is_served(foreign))
        connection = self.connect_tls()
        for mode, without, wrong in (("optional", True, False), ("no", True, True),
                                     ("yes", False, False)):
            self.assertEqual(connection.raw("CONFIG", "SET", "tls-auth-clients", mode), b"+OK\r\n")
            self.assertTrue(self.is_served(), mode)
            self.assertEqual(self.is_served(self.settings(certificate=None)), without, mode)
            self.assertEqual(self.is_served(foreign), wrong, mode)

    def test_a_client_that_trusts_somebody_else(self):
        server = self.start_tls()
        others = Authority(os.path.join(self.folder, "unknown"), "Unknown")
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.connect_tls(self.settings(authority=others))
        self.wait_for(lambda: "unknown ca" in server.output(), "the log line")
        self.assertTrue(self.is_served())

    def test_protocols_and_ciphers(self):
        server = self.start_tls()
        control = self.connect(server)

        def version(**options):
            return self.connect_tls(self.settings(**options)).socket.version()
        v12 = {"maximum_version": ssl.TLSVersion.TLSv1_2}
        v13 = {"minimum_version": ssl.TLSVersion.TLSv1_3}
        self.assertEqual(version(), "TLSv1.3")
        self.assertEqual(version(**v12), "TLSv1.2")
        control.call("CONFIG", "SET", "tls-protocols", "TLSv1.2")
        self.assertEqual(version(), "TLSv1.2")
        self.assertFalse(self.is_served(self.settings(**v13)))
        control.call("CONFIG", "SET", "tls-protocols", "TLSv1.3")
        self.assertFalse(self.is_served(self.settings(**v12)))
        control.call("CONFIG", "SET", "tls-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256")
        self.assertEqual(self.connect_tls().socket.cipher()[0], "TLS_CHACHA20_POLY1305_SHA256")
        control.call("CONFIG", "SET", "tls-protocols", "", "tls-ciphers", "ECDHE-ECDSA-AES128-SHA256")
        used = self.connect_tls(self.settings(**v12)).socket.cipher()[0]
        self.assertEqual(used, "ECDHE-ECDSA-AES128-SHA256")
        for name, value in (("tls-protocols", "SSLv3"), ("tls-ciphers", "none such"),
                            ("tls-ciphersuites", "none such"),
                            ("tls-key-file", self.authority.path("client.key")),
                            ("tls-ca-cert-file", "/nonexistent"),
                            ("tls-dh-params-file", "/nonexistent")):
            before = control.call("CONFIG", "GET", name)
            self.assertEqual(control.raw("CONFIG", "SET", name, value),
                             b"-ERR CONFIG SET failed (possibly related to argument '%s') - Unable "
                             b"to update TLS configuration. Check server logs.\r\n" % name.encode())
            self.assertEqual(control.call("CONFIG", "GET", name), before)
        self.assertTrue(self.is_served())

    def test_sessions_are_resumed(self):
        self.start_tls()
        settings = self.settings(maximum_version=ssl.TLSVersion.TLSv1_2)
        first = self.connect_tls(settings)
        again = self.connect_tls(settings, session=first.socket.session)
        self.assertTrue(again.socket.session_reused)
        self.assertEqual(again.raw("PING"), b"+PONG\r\n")
        again.raw("CONFIG", "SET", "tls-session-caching", "no")
        third = self.connect_tls(settings, session=first.socket.session)
        self.assertFalse(third.socket.session_reused)

    def test_a_folder_of_authorities(self):
        folder = os.path.join(self.folder, "authorities")
        os.makedirs(folder, exist_ok=True)
        shutil.copy(self.authority.path("ca.crt"), folder)
        subprocess.run(["openssl", "rehash", folder], check=True, capture_output=True)
        self.start_tls({"tls-ca-cert-file": "", "tls-ca-cert-dir": folder})
        self.assertTrue(self.is_served())
        self.assertFalse(self.is_served(self.settings(certificate=None)))

    def refused_start(self, **directives):
        server = self.new_server(self.authority.directives(
            **{"tls-port": free_port(), **{name.replace("_", "-"): value
                                           for name, value in directives.items()}}))
        with self.assertRaises(ServerFailed):
            server.start()
        self.assertEqual(server.process.wait(10), 1)
        return server.output()

    def test_what_stops_the_start(self):
        broken = self.authority.path("broken.crt")
        with open(broken, "w", encoding="ascii") as file:
            file.write("nonsense\n")
        for directives, words in (
                ({"tls_cert_file": broken}, f"Failed to load certificate: {broken}: error:"),
                ({"tls_cert_file": "/none"}, "Failed to load certificate: /none: "),
                ({"tls_key_file": broken}, f"Failed to load private key: {broken}: error:"),
                ({"tls_cert_file": ""}, "No tls-cert-file configured!"),
                ({"tls_key_file": ""}, "No tls-key-file configured!"),
                ({"tls_ca_cert_file": ""}, "Either tls-ca-cert-file or tls-ca-cert-dir must be"),
                ({"tls_ca_cert_file": "/none"}, "Failed to configure CA certificate(s)")):
            with self.subTest(directives=directives):
                output = self.refused_start(**directives)
                self.assertIn(words, output)
                self.assertIn("Failed to configure TLS. Check logs for more info.", output)
        # A key of another certificate.
        output = self.refused_start(tls_key_file=self.authority.path("client.key"))
        self.assertIn(self.authority.path("client.key"), output)


@only_aeris("it looks at files only when told to")
class Renewal(TlsTest):

    def setUp(self):
        super().setUp()
        self.authority.issue("server")
        self.server_under_test = self.start_tls()

    def test_a_certificate_is_exchanged_while_clients_work(self):
        self.assertEqual(self.common_name(), "server")
        stop, failures = threading.Event(), []
        connection = self.connect_tls()

        def work():
            count = 0
            while not stop.is_set():
                count += 1
                if connection.call("INCR", "n") != count:
                    failures.append(count)
        worker = threading.Thread(target=work)
        worker.start()
        try:
            # As certbot does: each file is replaced by itself, the key a while after.
            self.authority.issue("renewed", "renewed")
            os.replace(self.authority.path("renewed.crt"), self.authority.path("server.crt"))
            os.replace(self.authority.path("renewed.key"), self.authority.path("server.key"))
            self.wait_for(lambda: self.common_name() == "renewed", "the new certificate")
        finally:
            stop.set()
            worker.join()
        self.assertEqual(failures, [])
        self.assertIn("The TLS files have changed and are loaded", self.server_under_test.output())

    def test_a_broken_certificate_while_running(self):
        server = self.server_under_test
        with open(self.authority.path("server.crt"), "w", encoding="ascii") as file:
            file.write("nonsense\n")
        self.wait_for(lambda: "cannot be used; what was loaded before goes on" in server.output(),
                      "the log line")
        self.assertIn(f"Failed to load certificate: {self.authority.path('server.crt')}: error:",
                      server.output())
        self.assertEqual(self.common_name(), "server")
        # Said once, not every second.
        time.sleep(3)
        self.assertEqual(server.output().count("goes on"), 1)
        self.authority.issue("server", "mended")
        self.wait_for(lambda: self.common_name() == "mended", "the mended certificate")

    def test_a_link_that_is_turned_over(self):
        folder = os.path.join(self.folder, "mounted")
        old, new = (os.path.join(folder, name) for name in ("old", "new"))
        for directory, name in ((old, "before"), (new, "after")):
            os.makedirs(directory)
            self.authority.issue(name)
            for end in ("crt", "key"):
                shutil.copy(self.authority.path(f"{name}.{end}"),
                            os.path.join(directory, f"tls.{end}"))
        link = os.path.join(folder, "current")
        os.symlink(old, link)
        self.start_tls({"tls-cert-file": os.path.join(link, "tls.crt"),
                        "tls-key-file": os.path.join(link, "tls.key")})
        self.assertEqual(self.common_name(), "before")
        os.symlink(new, link + ".next")
        os.replace(link + ".next", link)
        self.wait_for(lambda: self.common_name() == "after", "the other folder's certificate")


class Load(TlsTest):

    @only_aeris("it answers all of the storm before anybody else")
    def test_a_storm_of_handshakes(self):
        """An established client is answered all the time, and all who come are."""
        raise_descriptor_limit(4096)
        self.authority.issue("server", key=("rsa", "rsa_keygen_bits:2048"))
        self.start_tls({"tls-auth-clients": "no"})
        count = 50 if self.light else 150  # done long before the time limit of a handshake
        hello = self.hello()
        established = self.connect_tls()
        storm = [socket.create_connection(("127.0.0.1", self.tls_port), timeout=60)
                 for _ in range(count)]
        for sock in storm:
            sock.sendall(hello)
        pings = 0
        # They are answered in the order of their coming.
        while not select.select([storm[-1]], [], [], 0)[0]:
            self.assertEqual(established.raw("PING"), b"+PONG\r\n")
            pings += 1
        for sock in storm:
            self.assertEqual(sock.recv(1), b"\x16")  # the server's side of the handshake
            sock.close()
        # One step a turn leaves room for as many; the storm in one piece for two or three.
        self.assertGreater(pings, count // 10)
        self.assertTrue(self.is_served())

    def hello(self):
        out = ssl.MemoryBIO()
        client = self.settings(certificate=None).wrap_bio(ssl.MemoryBIO(), out,
                                                          server_hostname="127.0.0.1")
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return out.read()

    def test_clients_that_go_in_the_middle(self):
        server = self.start_tls()
        hello = self.hello()
        for index in range(200):
            sock = socket.create_connection(("127.0.0.1", self.tls_port), timeout=30)
            sock.sendall(hello[:1 + index * 7 % len(hello)] if index % 2 else hello)
            if index % 3 == 0:  # by RST
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
        self.assertTrue(self.is_served())
        # The one that was served, and the one that asks.
        self.wait_for(lambda: server.info("clients")["connected_clients"] == "2", "all to be gone")

    def test_a_slow_reader_of_large_replies(self):
        server = self.start_tls()
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        sock.settimeout(60)
        sock.connect(("127.0.0.1", self.tls_port))
        slow = Connection(self.settings().wrap_socket(sock, server_hostname="127.0.0.1"))
        self.addCleanup(slow.close)
        size = MIB if self.light else 8 * MIB
        value = os.urandom(size)
        plain = self.connect(server)
        plain.call("SET", "big", value)
        plain.call("SET", "small", "s")
        slow.send(encode("GET", "big") + encode("GET", "small") * 100 + encode("GET", "big"))
        time.sleep(0.3)
        self.assertEqual(plain.raw("PING"), b"+PONG\r\n")
        self.assertEqual(slow.read_reply(), value)
        self.assertEqual([slow.read_reply() for _ in range(100)], [b"s"] * 100)
        self.assertEqual(slow.read_reply(), value)

    def test_a_thousand_records_with_a_request_each(self):
        self.start_tls()
        connection = self.connect_tls()
        for _ in range(1000):
            connection.send(b"PING\r\n")
        self.assertEqual([connection.read_reply() for _ in range(1000)], [b"PONG"] * 1000)

    def test_a_blocked_client_is_served(self):
        server = self.start_tls()
        waiting = self.connect_tls()
        waiting.send_command("BLPOP", "list", 0)
        plain = self.connect(server)
        self.wait_for(lambda: server.info("clients")["blocked_clients"] == "1", "it to block")
        plain.call("RPUSH", "list", "v" * 100_000)
        self.assertEqual(waiting.read_reply(), [b"list", b"v" * 100_000])
