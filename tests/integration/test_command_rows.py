"""COMMAND and its subcommands say what redis-server says, for the commands that both servers have."""
import pathlib
import sys

from case import ServerTest
from server import ServerProcess

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools"))

import check_commands  # noqa: E402

# What follows COMMAND GETKEYS and GETKEYSANDFLAGS.
REQUESTS = [
    "", "get", "get k", "get k k", "GeT k", "nosuch k", "ping x", "set k v", "set k v get",
    "set k v nx px get", "set k v ex 10 GET get", "mset a 1 b 2", "mset a 1 b", "mget a b c",
    "object", "object encoding", "object encoding k", "object nosuch k", "object|encoding k",
    "object help", "memory usage k", "memory doctor x", "client list x", "client list",
    "config get a", "copy a b", "copy a b db 1", "bitop and d a b", "bitop and d", "rename a b",
    "bitfield k", "bitfield k get u8 0", "bitfield k set u8 0 1", "bitfield k overflow",
    "bitfield k overflow sat get u8 0", "bitfield k get u8", "bitfield_ro k", "keys x", "lcs a b",
    "dump k", "restore k 0 x", "expire k 1", "type k", "exists a b", "del a", "substr k 0 1",
]

# Requests as they are, without subcommands whose reply lists what only one server has.
WHOLE_REQUESTS = [
    "command help", "command help x", "COMMAND HELP", "command nosuch", "command count x",
    "command info nosuch", "command info get nosuch set|x client|nosuch", "command info GET",
    "command info client|LIST", "command docs nosuch", "command docs get nosuch get",
    "command docs Client|Kill", "command list x", "command list filterby",
    "command list filterby pattern", "command list filterby nosuch x",
    "command list filterby module x", "command list filterby aclcat nosuch",
    "command list filterby aclcat string x", "command list filterby pattern nosuch*",
    "command list filterby pattern GETR*", "command list FILTERBY Pattern command|d?cs",
    "command list filterby aclcat bitmap extra",
]


class CommandRowsTest(ServerTest):
    shared_directives = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reference = ServerProcess("redis-server").start()
        cls.addClassCleanup(cls.reference.destroy)

    def connections(self):
        return self.connect(), self.connect(self.reference)

    def both(self, *request):
        """The raw replies of both servers, in RESP2 and in RESP3."""
        replies = []
        for connection in self.connections():
            raw = [connection.raw(*request)]
            connection.call("HELLO", 3)
            replies.append(raw + [connection.raw(*request)])
            connection.close()
        return replies

    def test_info_and_docs_are_those_of_redis(self):
        lines = check_commands.differences(*self.connections())
        self.assertEqual(lines, [], "\n".join(lines[:20]))

    def test_keys_of_requests_are_those_of_redis(self):
        for request in REQUESTS:
            for subcommand in ("GETKEYS", "GETKEYSANDFLAGS"):
                with self.subTest(request=request, subcommand=subcommand):
                    ours, theirs = self.both("COMMAND", subcommand, *request.split())
                    self.assertEqual(ours, theirs)

    def test_replies_are_those_of_redis(self):
        for request in WHOLE_REQUESTS:
            with self.subTest(request=request):
                ours, theirs = self.both(*request.split())
                self.assertEqual(ours, theirs)

    def test_lists_agree_with_each_other(self):
        connection = self.connect()
        names = connection.call("COMMAND", "LIST")
        parents = [name for name in names if b"|" not in name]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(connection.call("COMMAND", "COUNT"), len(parents))
        everything = connection.call("COMMAND")
        self.assertEqual([info[0] for info in everything], parents)
        self.assertEqual(connection.call("COMMAND", "INFO"), everything)
        self.assertEqual(connection.call("COMMAND", "DOCS")[::2], parents)

    def test_filters_choose_by_category_and_pattern(self):
        connection = self.connect()
        by_category = connection.call("COMMAND", "LIST", "FILTERBY", "ACLCAT", "Bitmap")
        self.assertEqual(sorted(by_category), sorted(
            name.encode() for name in ("bitcount", "bitfield", "bitfield_ro", "bitop", "bitpos",
                                       "getbit", "setbit")))
        names = connection.call("COMMAND", "LIST")
        by_pattern = connection.call("COMMAND", "LIST", "FILTERBY", "PATTERN", "*|H*")
        self.assertEqual(by_pattern, [name for name in names if b"|h" in name])
