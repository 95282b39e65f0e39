"""Streams as redis-server has them: arguments past their limits, and clients that wait."""
import re

from case import ServerTest
from server import ServerProcess
from wire import reply_end

MAX = "9223372036854775807"
HOSTILE = [
    f"XRANGE s - + COUNT {MAX}", "XRANGE s - + COUNT -1", f"XREVRANGE s + - COUNT {MAX}",
    "XRANGE s - + COUNT 9223372036854775808", "XADD s MAXLEN -1 9-1 a b",
    f"XADD s MAXLEN ~ 1 LIMIT {MAX} 9-1 a b", "XADD s MAXLEN 1 LIMIT 1 9-2 a b",
    "XADD s MAXLEN ~ 1 LIMIT -1 9-2 a b", "XTRIM s MAXLEN 1 LIMIT 10", "XTRIM s MINID ~ 1 LIMIT x",
    f"XTRIM s MAXLEN {MAX}", "XADD s 9-9 a", "XADD s 9-9 a b c", "XADD s * a", "XADD s",
    f"XREAD COUNT {MAX} STREAMS s 0", "XREAD COUNT -5 STREAMS s 0", "XREAD STREAMS s",
    "XREAD STREAMS s 0 0", "XREAD BLOCK -1 STREAMS s 0", "XREADGROUP GROUP g c STREAMS s s >",
    f"XREADGROUP GROUP g c COUNT {MAX} STREAMS s >", f"XPENDING s g - + {MAX}",
    "XPENDING s g - + -1", f"XPENDING s g IDLE {MAX} - + 10", f"XCLAIM s g c {MAX} 1-1",
    f"XCLAIM s g c 0 1-1 RETRYCOUNT {MAX} TIME {MAX} JUSTID", f"XCLAIM s g c 0 1-1 IDLE {MAX}",
    "XCLAIM s g c 0 1-1 IDLE -9223372036854775808 JUSTID", "XAUTOCLAIM s g c 0 0 COUNT 0",
    f"XAUTOCLAIM s g c 0 0 COUNT {MAX}", f"XAUTOCLAIM s g c {MAX} 0 COUNT 10",
    "XINFO STREAM s FULL COUNT -9223372036854775808", "XSETID s 9-9 ENTRIESADDED -1",
    "XSETID s 18446744073709551615-18446744073709551615", "XADD s * a b",
    "XADD s 18446744073709551615-* a b", f"XGROUP CREATE s h 0 ENTRIESREAD {MAX}",
]
SETUP = ["DEL s t", "XGROUP CREATE s g $ MKSTREAM", "XGROUP CREATE t g $ MKSTREAM"]
WAIT = "XREADGROUP GROUP g c BLOCK 0 STREAMS s >"
# A client's request that blocks, and what another one does then.
WAITING = [
    (WAIT, ["XADD s 1-1 a b", "XPENDING s g"]), (WAIT, ["DEL s"]), (WAIT, ["SET s x"]),
    (WAIT, ["XGROUP DESTROY s g"]), (WAIT, ["RENAME s u"]), (WAIT, ["FLUSHALL"]),
    ("XREADGROUP GROUP g c COUNT 1 BLOCK 0 STREAMS t s > >", ["XADD s 1-1 a b"]),
    ("XREADGROUP GROUP g c NOACK BLOCK 0 STREAMS s >", ["XADD s 1-1 a b", "XPENDING s g"]),
    ("XREADGROUP GROUP g c BLOCK 10 STREAMS s >", []),
    ("XREAD BLOCK 0 STREAMS s t $ 0", ["XADD s 5-5 a b"]),
    ("XREAD BLOCK 0 STREAMS s t $ 0", ["DEL s", "XADD s 0-1 a b"]),
    ("XREAD BLOCK 0 STREAMS none $", ["SET none x", "DEL none", "XADD none 5-5 a b"]),
]


def without_idle_times(reply):
    """In a pending entry, which says how long its consumer has had it."""
    return re.sub(rb"(\$1\r\nc\r\n):\d+", rb"\1:idle", reply)


class StreamsTest(ServerTest):
    shared_directives = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reference = ServerProcess("redis-server").start()
        cls.addClassCleanup(cls.reference.destroy)

    def wait_until_blocked(self, connection, count):
        line = f"blocked_clients:{count}\r".encode()
        self.wait_for(lambda: line in connection.call("INFO", "clients"), "blocked clients")

    def test_arguments_past_their_limits(self):
        ours, theirs = self.connect(), self.connect(self.reference)
        for connection in (ours, theirs):
            for request in ("DEL s", "XADD s 1-1 a b", "XADD s 2-1 c d", "XGROUP CREATE s g 0"):
                connection.raw(*request.split())
        for request in HOSTILE:
            with self.subTest(request=request):
                if "FULL" in request:
                    # Times differ.
                    self.assertEqual(*(connection.raw(*request.split())[:1]
                                       for connection in (ours, theirs)))
                else:
                    self.assertEqual(*(without_idle_times(connection.raw(*request.split()))
                                       for connection in (ours, theirs)))

    def waited(self, server, resp, request, acts):
        """The raw reply of the request, and those of the others."""
        writer, waiter = self.connect(server), self.connect(server)
        waiter.call("HELLO", resp)
        for line in SETUP:
            writer.call(*line.split())
        waiter.send_command(*request.split())
        if acts:
            self.wait_until_blocked(writer, 1)
        replies = [writer.raw(*line.split()) for line in acts]
        while (end := reply_end(waiter.buffer)) < 0:
            waiter._receive()
        replies.append(bytes(waiter.buffer[:end]))
        writer.close()
        waiter.close()
        return replies

    def test_clients_that_wait_get_what_redis_gives(self):
        for resp in (2, 3):
            for request, acts in WAITING:
                with self.subTest(resp=resp, request=request, acts=acts):
                    self.assertEqual(self.waited(None, resp, request, acts),
                                     self.waited(self.reference, resp, request, acts))

    def test_entries_go_to_who_came_first(self):
        writer = self.connect()
        for line in SETUP:
            writer.call(*line.split())
        waiting = [self.connect() for _ in range(3)]
        for number, connection in enumerate(waiting):
            connection.send_command("XREADGROUP", "GROUP", "g", f"c{number}", "COUNT", 1, "BLOCK",
                                    0, "STREAMS", "s", ">")
            self.wait_until_blocked(writer, number + 1)
        for number in (1, 2, 3):
            writer.call("XADD", "s", f"{number}-1", "a", "b")
        for number, connection in enumerate(waiting):
            while (end := reply_end(connection.buffer)) < 0:
                connection._receive()
            self.assertIn(f"{number + 1}-1".encode(), bytes(connection.buffer[:end]))
        rows = writer.call("XPENDING", "s", "g", "-", "+", 10)
        self.assertEqual([row[1] for row in rows], [b"c0", b"c1", b"c2"])
