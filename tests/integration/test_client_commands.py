"""CLIENT: what one connection does to others. Replies alone are compared by the differential test."""
import re
import time

from case import ServerTest, only_aeris
from wire import ErrorReply, encode


class Pause(ServerTest):
    shared_directives = {}

    def flags(self, watcher, client):
        line = watcher.call("CLIENT", "LIST", "ID", client)
        return re.search(rb" flags=(\S+)", line).group(1)

    def test_unpause_runs_what_waited_in_its_order(self):
        with self.server.connect() as watcher, self.server.connect() as writer:
            client = writer.call("CLIENT", "ID")
            self.assertEqual(watcher.call("CLIENT", "PAUSE", 3600000, "WRITE"), b"OK")
            writer.send(encode("GET", "nokey") + encode("SET", "k", "1") + encode("GET", "k"))
            self.wait_for(lambda: self.flags(watcher, client) == b"b", "the writer to wait")
            self.assertEqual(watcher.call("CLIENT", "UNPAUSE"), b"OK")
            self.assertEqual([writer.read_reply() for _ in range(3)], [None, b"OK", b"1"])

    def test_the_list_shows_the_command_that_waits(self):
        with self.server.connect() as watcher, self.server.connect() as writer:
            client = writer.call("CLIENT", "ID")
            for before, waiting in ((("PING",), ("SET", "k", "1")), (("MULTI",), ("SET", "k", "2")),
                                    (("PING",), ("EXEC",))):
                writer.call(*before)
                watcher.call("CLIENT", "PAUSE", 3600000, "WRITE")
                writer.send_command(*waiting)
                self.wait_for(lambda: b"b" in self.flags(watcher, client), "the writer to wait")
                self.assertIn(b" cmd=" + waiting[0].lower().encode() + b" ",
                              watcher.call("CLIENT", "LIST", "ID", client))
                watcher.call("CLIENT", "UNPAUSE")
                writer.read_reply()

    def test_a_pause_ends_by_itself(self):
        with self.server.connect() as watcher, self.server.connect() as other:
            before = time.monotonic()
            watcher.call("CLIENT", "PAUSE", 200)
            watcher.call("CLIENT", "PAUSE", 1, "WRITE")  # makes it neither shorter nor weaker
            self.assertEqual(other.call("PING"), b"PONG")
            self.assertGreaterEqual(time.monotonic() - before, 0.19)

    @only_aeris("Redis 7.0.15 dies of CLIENT UNBLOCK of a client that waits for a pause")
    def test_a_client_that_waits_can_be_killed_but_not_unblocked(self):
        with self.server.connect() as watcher, self.server.connect() as writer:
            client = writer.call("CLIENT", "ID")
            watcher.call("CLIENT", "PAUSE", 3600000, "WRITE")
            writer.send(encode("SET", "never", "1"))
            self.wait_for(lambda: self.flags(watcher, client) == b"b", "the writer to wait")
            self.assertEqual(watcher.call("CLIENT", "UNBLOCK", client), 0)
            self.assertEqual(watcher.call("CLIENT", "KILL", "ID", client), 1)
            self.assertEqual(writer.read_to_end(), b"")
            watcher.call("CLIENT", "UNPAUSE")
            self.assertIsNone(watcher.call("GET", "never"))


class Kill(ServerTest):
    shared_directives = {}

    def address(self, connection):
        return re.search(rb" addr=(\S+)", connection.call("CLIENT", "INFO")).group(1)

    def test_the_old_form_kills_by_address_and_oneself_after_the_reply(self):
        with self.server.connect() as killer, self.server.connect() as other:
            self.assertEqual(killer.call("CLIENT", "KILL", self.address(other)), b"OK")
            self.assertEqual(other.read_to_end(), b"")
            self.assertIsInstance(killer.call("CLIENT", "KILL", "1.2.3.4:5"), ErrorReply)
            own = self.address(killer)
            killer.send(encode("CLIENT", "KILL", own) + encode("SET", "after", "1"))
            self.assertEqual(killer.read_to_end(), b"+OK\r\n")
        with self.server.connect() as connection:
            self.assertIsNone(connection.call("GET", "after"))

    @only_aeris("MAXAGE came with Redis 7.4")
    def test_all_filters_must_hold(self):
        with self.server.connect() as killer, self.server.connect() as other:
            client = other.call("CLIENT", "ID")
            address = self.address(other)
            kill = ("CLIENT", "KILL", "ID", client, "USER", "default")
            for wrong in (("ADDR", "1.2.3.4:5"), ("LADDR", address), ("TYPE", "pubsub"),
                          ("MAXAGE", 3600), ("ID", killer.call("CLIENT", "ID"))):
                self.assertEqual(killer.call(*kill, *wrong), 0, wrong)
            local = f"127.0.0.1:{self.server.port}"
            self.assertEqual(killer.call(*kill, "ADDR", address, "LADDR", local, "TYPE", "normal",
                                         "SKIPME", "yes"), 1)
            self.assertEqual(other.read_to_end(), b"")
