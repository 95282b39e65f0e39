"""Keys and values from nothing to 512 MiB, and what may happen while a large one is on its way."""
from case import ServerTest
from server import wait_for
from wire import encode

MIB = 1 << 20
# Around every border: entry forms, size classes, blobs, blocks of the query buffer and of arguments.
SIZES = [0, 1, 63, 64, 65, 127, 128, 129, 255, 256, 257, 2047, 2048, 2049, 4095, 4096, 4097, 8192,
         16383, 16384, 16385, 32767, 32768, 32769, 65536, MIB - 1, MIB, MIB + 1, 4 * MIB, 4 * MIB + 1]


def pattern(size):
    """Bytes in which a piece that is lost, doubled or moved shows."""
    unit = b"".join(b"%08d" % i for i in range(1021))
    return (unit * (size // len(unit) + 1))[:size]


class LargeArguments(ServerTest):
    shared_directives = {}

    def setUp(self):
        super().setUp()
        self.client = self.connect(timeout=120.0)
        self.client.call("FLUSHALL")

    def test_keys_and_values_of_every_size_come_back_as_they_were(self):
        sizes = SIZES if self.light else [*SIZES, 64 * MIB]
        for size in sizes:
            with self.subTest(size=size):
                data = pattern(size)
                self.assertEqual(self.client.call("SET", b"k", data), b"OK")
                self.assertTrue(self.client.call("GET", b"k") == data)
                self.assertEqual(self.client.call("SET", b"x" + data, b"value"), b"OK")
                self.assertEqual(self.client.call("GET", b"x" + data), b"value")
                self.assertEqual(self.client.call("RENAME", b"x" + data, b"k"), b"OK")
                self.assertEqual(self.client.call("DBSIZE"), 1)
                self.assertEqual(self.client.call("MSET", data, data, b"other", data), b"OK")
                self.assertTrue(self.client.call("GET", data) == data)
                self.assertEqual(self.client.call("FLUSHALL"), b"OK")

    def send_in_pieces(self, head, size, tail):
        piece = pattern(MIB)
        self.client.send(head)
        for _ in range(size // MIB):
            self.client.send(piece)
        self.client.send(tail)

    def test_the_largest_value_and_the_largest_key(self):
        if self.light or self.sanitized:
            self.skipTest("needs two gigabytes, several times that under a sanitizer")
        size = 512 * MIB
        self.send_in_pieces(b"*3\r\n$3\r\nSET\r\n$1\r\nv\r\n$%d\r\n" % size, size, b"\r\n")
        self.assertEqual(self.client.read_reply(), b"OK")
        self.assertEqual(self.client.call("STRLEN", "v"), size)
        self.assertTrue(self.client.call("GETRANGE", "v", size - MIB, -1) == pattern(MIB))
        self.assertEqual(self.client.call("DEL", "v"), 1)
        self.send_in_pieces(b"*3\r\n$3\r\nSET\r\n$%d\r\n" % size, size, b"\r\n$5\r\nvalue\r\n")
        self.assertEqual(self.client.read_reply(), b"OK")
        self.send_in_pieces(b"*2\r\n$6\r\nSTRLEN\r\n$%d\r\n" % size, size, b"\r\n")
        self.assertEqual(self.client.read_reply(), 5)
        self.assertEqual(self.client.call("FLUSHALL"), b"OK")

    def test_a_client_killed_in_the_middle_leaves_nothing(self):
        other = self.connect()
        before = int(self.server.info("memory")["used_memory"])
        identity = self.client.call("CLIENT", "ID")
        self.client.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n" % (64 * MIB) + pattern(20 * MIB))
        def held():
            line = other.call("CLIENT", "LIST", "ID", identity)
            return int(dict(word.split(b"=", 1) for word in line.split())[b"tot-mem"])
        wait_for(lambda: held() > 19 * MIB, "what was sent is there")
        self.assertEqual(other.call("CLIENT", "KILL", "ID", identity), 1)
        self.assertEqual(other.call("CLIENT", "LIST", "ID", identity), b"")
        if not self.sanitized:  # which keeps an account of its own
            wait_for(lambda: int(self.server.info("memory")["used_memory"]) < before + 2 * MIB,
                     "the memory is back")
        self.assertEqual(other.call("EXISTS", "k"), 0)

    def test_the_limit_may_change_while_an_argument_is_on_its_way(self):
        other = self.connect()
        self.addCleanup(other.call, "CONFIG", "SET", "proto-max-bulk-len", 512 * MIB)
        data = pattern(3 * MIB)
        request = encode("SET", "k", data)
        self.client.send(request[:MIB])
        self.assertEqual(other.call("PING"), b"PONG")
        self.assertEqual(other.call("CONFIG", "SET", "proto-max-bulk-len", 2 * MIB), b"OK")
        # Its header was accepted; the next one is not.
        self.client.send(request[MIB:])
        self.assertEqual(self.client.read_reply(), b"OK")
        self.assertTrue(self.client.call("GET", "k") == data)
        self.client.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n" % (2 * MIB + 1))
        self.assertEqual(self.client.read_reply(), b"ERR Protocol error: invalid bulk length")
