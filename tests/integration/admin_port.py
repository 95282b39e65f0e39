"""A server with an admin port, and HTTP to it as raw bytes."""
import contextlib
import http.client
import json
import socket

from case import ServerTest
from server import free_port


class AdminTest(ServerTest):
    """Starts servers whose admin port is open: server.admin_port."""

    def start_admin_server(self, directives=None, **options):
        port = free_port()
        server = self.start_server({"admin-port": port, **(directives or {})}, **options)
        server.admin_port = port
        return server

    def get(self, server, path, **headers):
        """Status, header fields and body of one GET on a connection of its own."""
        with contextlib.closing(
                http.client.HTTPConnection("127.0.0.1", server.admin_port, timeout=30)) as peer:
            peer.request("GET", path, headers=headers)
            reply = peer.getresponse()
            return reply.status, dict(reply.getheaders()), reply.read()

    def body(self, server, path):
        status, _, body = self.get(server, path)
        self.assertEqual(status, 200, body)
        return body.decode()

    def stats(self, server, since=0):
        return json.loads(self.body(server, f"/stats.json?since={since}"))

    def metric(self, server, name):
        """The value of the sample that is written so: name and labels."""
        for line in self.body(server, "/metrics").splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        self.fail(f"no sample {name}")

    def admin_socket(self, server, timeout=30):
        peer = socket.create_connection(("127.0.0.1", server.admin_port), timeout)
        self.addCleanup(peer.close)
        return peer

    def talk(self, server, data):
        """Sends bytes on a connection of its own; all that comes until the server closes it."""
        peer = self.admin_socket(server)
        with contextlib.suppress(ConnectionError):
            peer.sendall(data)
        return read_to_end(peer)


def read_to_end(peer):
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while part := peer.recv(65536):
            received += part
    return received
