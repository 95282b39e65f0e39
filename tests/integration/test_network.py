"""Addresses on which the server listens."""
import os
import re
import socket
import stat
import subprocess
import sys

from case import ServerTest, Settings, data_file
from server import free_port
from wire import Connection

LOOPBACK = "127.0.0.1"


def has_ipv6():
    try:
        free_port("::1")
        return True
    except OSError:
        return False


class Listening(ServerTest):

    def answers(self, host, port):
        with Connection.tcp(host, port, 10) as connection:
            return connection.raw("PING") == b"+PONG\r\n"

    def test_several_addresses(self):
        server = self.start_server({"bind": ["127.0.0.1", "127.0.0.2", "127.0.0.3"]})
        for host in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
            self.assertTrue(self.answers(host, server.port))
        with self.assertRaises(ConnectionRefusedError):
            self.answers("127.0.0.4", server.port)

    def test_ipv6(self):
        if not has_ipv6():
            self.skipTest("no IPv6 here")
        server = self.start_server({"bind": ["127.0.0.1", "::1"]})
        self.assertTrue(self.answers("::1", server.port))
        with Connection.tcp("::1", server.port, 10) as connection:
            self.assertRegex(connection.call("CLIENT", "INFO"), rb"addr=\[::1\]:\d+ laddr=\[::1\]:")

    def test_an_optional_address_may_be_missing(self):
        server = self.start_server({"bind": ["127.0.0.1", "-192.0.2.77"]})
        self.assertTrue(self.answers(LOOPBACK, server.port))

    def test_a_needed_address_may_not(self):
        server = self.new_server({"bind": ["127.0.0.1", "192.0.2.77"]})
        server.spawn()
        self.assertEqual(server.process.wait(30), 1)
        self.assertIn("192.0.2.77", server.output())

    def test_addresses_change_while_running(self):
        server = self.start_server()
        connection = self.connect(server)
        self.assertEqual(connection.raw("CONFIG", "SET", "bind", "127.0.0.1 127.0.0.9"), b"+OK\r\n")
        self.assertTrue(self.answers("127.0.0.9", server.port))
        self.assertTrue(connection.raw("CONFIG", "SET", "bind", "192.0.2.77").startswith(b"-ERR"))
        self.assertTrue(self.answers("127.0.0.9", server.port))
        port = free_port()
        self.assertEqual(connection.raw("CONFIG", "SET", "port", port), b"+OK\r\n")
        self.assertTrue(self.answers(LOOPBACK, port))
        self.assertEqual(connection.raw("PING"), b"+PONG\r\n")

    def test_unix_socket_with_its_permissions(self):
        for permissions in (700, 770, 755):
            with self.subTest(permissions=permissions):
                server = self.new_server({"unixsocketperm": permissions})
                path = server.path("redis.sock")
                server.directives["unixsocket"] = path
                server.start()
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), int(str(permissions), 8))
                with Connection.unix(path) as connection:
                    self.assertEqual(connection.raw("PING"), b"+PONG\r\n")
                    self.assertRegex(connection.call("CLIENT", "INFO"),
                                     re.escape(f"addr={path}:0").encode())

    def test_unix_socket_alone(self):
        server = self.new_server({"port": 0})
        server.directives["unixsocket"] = server.path("redis.sock")
        server.start()
        self.assert_serves(server)
        with self.assertRaises(ConnectionRefusedError):
            self.answers(LOOPBACK, server.port)

    def test_a_stale_unix_socket_is_replaced(self):
        server = self.new_server()
        server.directives["unixsocket"] = server.path("redis.sock")
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(server.path("redis.sock"))
        server.start()
        with Connection.unix(server.path("redis.sock")) as connection:
            self.assertEqual(connection.raw("PING"), b"+PONG\r\n")

    def test_neither_port_nor_socket_stops_the_start(self):
        server = self.new_server({"port": 0})
        server.spawn()
        self.assertEqual(server.process.wait(30), 1)
        self.assertIn("Configured to not listen anywhere, exiting.", server.output())

    def test_socket_options(self):
        server = self.start_server({"tcp-keepalive": 77})
        connection = self.connect(server)
        self.assertEqual(connection.raw("PING"), b"+PONG\r\n")
        local = "%s:%d" % connection.socket.getsockname()
        table = subprocess.run(["ss", "-tnoH", "state", "established"], capture_output=True,
                               text=True, timeout=20, check=False)
        if table.returncode:
            self.skipTest("no ss here")
        lines = [line for line in table.stdout.splitlines()
                 if line.split()[3].endswith(local) or line.split()[2].endswith(str(server.port))
                 and local in line]
        self.assertTrue(any("timer:(keepalive" in line for line in lines), lines)

    def test_the_backlog_is_as_configured(self):
        server = self.start_server({"tcp-backlog": 123})
        table = subprocess.run(["ss", "-tlnH"], capture_output=True, text=True, timeout=20,
                               check=False)
        if table.returncode:
            self.skipTest("no ss here")
        line = next(line for line in table.stdout.splitlines() if f":{server.port} " in line)
        self.assertEqual(line.split()[2], "123")


class ProtectedMode(ServerTest):
    """Needs an address that is not a loopback one: a network namespace of its own with one."""

    SCRIPT = "protected_mode.py"

    def in_namespace(self, *directives):
        probe = subprocess.run(["unshare", "--net", "--map-root-user", "true"], timeout=20,
                               capture_output=True, check=False)
        if probe.returncode:
            self.skipTest("no network namespaces here")
        done = subprocess.run(
            ["unshare", "--net", "--map-root-user", sys.executable, data_file(self.SCRIPT),
             Settings.binary, *directives], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_strangers_are_refused_with_the_reason(self):
        output = self.in_namespace("bind=*")
        self.assertIn("loopback: +PONG", output)
        self.assertIn("other: -DENIED Redis is running in protected mode because protected mode is "
                      "enabled and no password is set for the default user.", output)

    def test_a_password_or_a_word_opens_it(self):
        self.assertIn("other: -NOAUTH", self.in_namespace("bind=*", "requirepass=secret"))
        self.assertIn("other: +PONG", self.in_namespace("bind=*", "protected-mode=no"))
