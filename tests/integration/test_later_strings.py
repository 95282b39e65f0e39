"""String commands of Redis 8.4 and Valkey 9.0, whose documented replies stand here as tables.
redis-server of Debian is older and cannot be asked."""
import re
import time

from case import ServerTest
from error_replies import NOT_INTEGER, SYNTAX, WRONG_TYPE, invalid_expire, wrong_arity

DIGEST_LENGTH = b"-ERR must be exactly 16 hexadecimal characters\r\n"
NOT_A_STRING = b"-ERR Key should be of string type if conditions are specified\r\n"
NO_CONDITION = b"-ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE\r\n"
NUMKEYS = b"-ERR invalid numkeys value\r\n"
PAIRS = b"-ERR wrong number of key-value pairs\r\n"
CONDITIONS = ("IFEQ", "IFNE", "IFDEQ", "IFDNE")
HELLO = "9555e8555c62dcfd"  # DIGEST of hello
OTHER = "0" * 16
# Published: of Redis's pages, and with zeros in front.
DIGESTS = [
    ("", b"2d06800538d394c2"), ("123", b"404a763b3f4c8c9a"), ("v8", b"0cc76dbb41381419"),
    ("Hello world", b"b6acb9d84a38ff74"), ("Hello, Dragonfly!", b"063b4909128e92b7"),
    ("v8lf0c11xh8ymlqztfd3eeq16kfn4sspw7fqmnuuq3k3t75em5wdizgcdw7uc26nnf961u2jkfzkjytls2kwlj7626sd",
     b"00006c38adf31777"),
]


class LaterStrings(ServerTest):
    shared_directives = {}

    def setUp(self):
        super().setUp()
        self.c = self.connect()
        self.c.call("FLUSHALL")
        self.c.call("RPUSH", "list", "element")

    def check(self, rows):
        self.check_replies(self.c, rows)

    def test_digest(self):
        self.check([
            ("DIGEST", wrong_arity("digest")), ("DIGEST a b", wrong_arity("digest")),
            ("DIGEST nokey", None), ("DIGEST list", WRONG_TYPE),
        ])
        for value, digest in DIGESTS:
            self.check([(["SET", "k", value], b"OK"), ("DIGEST k", digest)])
        # The same value in other forms: grown, and as a blob.
        self.check([
            ("SET k Hello", b"OK"), (["APPEND", "k", " world"], 11), ("DIGEST k", DIGESTS[3][1]),
            ("SET k 12", b"OK"), ("APPEND k 3", 3), ("DIGEST k", DIGESTS[1][1]),
        ])
        blob = "x" * 100000
        self.c.call("SET", "blob", blob)
        digest = self.c.call("DIGEST", "blob")
        self.assertRegex(digest, rb"\A[0-9a-f]{16}\Z")
        self.check([
            (["SET", "k", "y", "IFDEQ", digest], None),
            (["SET", "blob", blob, "IFDEQ", digest], b"OK"), (["DELEX", "blob", "IFEQ", blob], 1),
        ])

    def test_set_compares_the_value(self):
        self.check([
            ("SET k v IFEQ x", None), ("SET k v IFDEQ x", None), ("EXISTS k", 0),
            ("SET k hello IFNE hello", b"OK"), ("DEL k", 1),
            ("SET k hello ifdne short", b"OK"), ("GET k", b"hello"),
            ("SET k v IFEQ other", None), ("SET k v IFEQ hell", None), ("SET k v IFEQ HELLO", None),
            ("SET k v IFNE hello", None), (f"SET k v IFDEQ {OTHER}", None),
            (f"SET k v IFDNE {HELLO}", None), (f"SET k v IFDNE {HELLO.upper()}", None),
            (f"SET k v IFDEQ {'z' * 16}", None), ("GET k", b"hello"),
            ("SET k v IFEQ hello", b"OK"), ("SET k hello IfNe other", b"OK"),
            (f"SET k v IFDEQ {HELLO.upper()}", b"OK"), (f"SET k hello IFDNE {'z' * 16}", b"OK"),
            ("GET k", b"hello"),
        ])
        for digest in ("", HELLO[1:], "0" + HELLO):
            self.check([(["SET", "k", "v", "IFDEQ", digest], DIGEST_LENGTH),
                        (["SET", "k", "v", "IFDNE", digest], DIGEST_LENGTH)])
        self.check([("GET k", b"hello"), *((f"SET list v {each} x", WRONG_TYPE)
                                           for each in CONDITIONS)])
        # Integers compare as their text.
        self.check([
            ("SET n 10", b"OK"), ("INCR n", 11), ("SET n 12 IFEQ 011", None),
            ("SET n 12 IFEQ 11", b"OK"), (["SET", "n", "", "IFNE", "12"], None),
            (["SET", "n", "", "IFEQ", "12"], b"OK"), (["SET", "n", "1", "IFNE", ""], None),
            (["SET", "n", "a\0b", "IFEQ", ""], b"OK"), (["SET", "n", "x", "IFEQ", "a\0c"], None),
            (["SET", "n", "x", "IFEQ", "a\0b"], b"OK"),
        ])

    def test_set_with_get_replies_the_old_value(self):
        self.check([
            ("SET k v IFEQ x GET", None), ("EXISTS k", 0), ("SET k v GET IFDEQ x", None),
            ("SET k hello IFNE x GET", None), ("GET k", b"hello"),
            ("SET k v IFEQ x GET", b"hello"), ("SET k v GET IFNE hello", b"hello"),
            (f"SET k v IFDNE {HELLO} GET", b"hello"), ("GET k", b"hello"),
            ("SET k v IFDEQ x GET", DIGEST_LENGTH),
            (f"SET k v GET IFDEQ {HELLO}", b"hello"), ("SET k w GET IFEQ v", b"v"),
            ("SET k v IFNE x GET", b"w"), ("GET k", b"v"), ("SET list v GET IFNE v", WRONG_TYPE),
        ])

    def test_set_options_exclude_each_other(self):
        self.check([
            (f"SET k v {words}", SYNTAX) for words in
            ("IFEQ", "IFDNE", "IFEQ x NX", "XX IFEQ x", "NX IFDNE x", "IFEQ x IFNE x",
             "IFDEQ x IFEQ x", "IFEQ x y", "EX IFEQ x", "IFEQ x KEEPTTL EX 1")
        ])
        self.check([
            ("SET k v IFEQ x EX 0", invalid_expire("set")),
            ("SET list v IFEQ x PX y", NOT_INTEGER),
            ("EXISTS k", 0), ("SET k v", b"OK"), ("SET k w IFEQ x IFEQ v", b"OK"),
            # What follows the word is its operand, whatever it says.
            ("SET k nx IFEQ w", b"OK"), ("SET k get IFEQ nx", b"OK"), ("SET k v IFEQ get", b"OK"),
        ])

    def test_set_changes_the_deadline_with_the_value(self):
        self.check([
            ("SET k v EX 100", b"OK"), ("SET k w IFEQ x EX 200", None), ("TTL k", 100),
            ("SET k w IFEQ v KEEPTTL", b"OK"), ("TTL k", 100),
            ("SET k v EX 200 IFEQ w", b"OK"), ("TTL k", 200),
            ("SET k w PXAT 4000000000000 IFEQ v", b"OK"), ("PEXPIRETIME k", 4000000000000),
            ("SET k v IFEQ w", b"OK"), ("TTL k", -1),
            ("SET k v IFEQ v EXAT 1", b"OK"), ("EXISTS k", 0),
        ])

    def test_delex(self):
        self.check([
            ("DELEX", wrong_arity("delex")), ("DELEX nokey IFEQ", wrong_arity("delex")),
            ("DELEX nokey IFEQ v w", wrong_arity("delex")),
            ("DELEX nokey", 0), ("DELEX nokey FOO v", 0),
            *((f"DELEX nokey {each} v", 0) for each in CONDITIONS),
            *((f"DELEX list {each} element", NOT_A_STRING) for each in (*CONDITIONS, "FOO")),
            ("DELEX list", 1), ("EXISTS list", 0),
            ("SET k hello", b"OK"), ("DELEX k FOO hello", NO_CONDITION),
            ("DELEX k NX hello", NO_CONDITION),
            ("DELEX k IFDEQ x", DIGEST_LENGTH), (["DELEX", "k", "IFDNE", ""], DIGEST_LENGTH),
            ("DELEX k IFEQ hell", 0), ("DELEX k IFNE hello", 0), (f"DELEX k IFDEQ {OTHER}", 0),
            (f"DELEX k IFDNE {HELLO.upper()}", 0), ("GET k", b"hello"),
        ])
        for condition in ("ifeq hello", "IFNE x", f"IFDEQ {HELLO.upper()}", f"IfDnE {'z' * 16}"):
            self.check([("SET k hello EX 100", b"OK"), (f"DELEX k {condition}", 1),
                        ("EXISTS k", 0), (f"DELEX k {condition}", 0)])
        self.check([("SET k 0123", b"OK"), ("DELEX k IFEQ 123", 0), ("SET k 123", b"OK"),
                    ("DELEX k IFEQ 123", 1)])

    def test_delifeq(self):
        self.check([
            ("DELIFEQ k", wrong_arity("delifeq")), ("DELIFEQ k v w", wrong_arity("delifeq")),
            ("DELIFEQ nokey v", 0), ("DELIFEQ list element", WRONG_TYPE),
            ("SET k abc123", b"OK"), ("DELIFEQ k xyz", 0), ("DELIFEQ k abc123", 1),
            ("DELIFEQ k abc123", 0), ("SET n 7", b"OK"), ("DELIFEQ n 07", 0), ("DELIFEQ n 7", 1),
        ])

    def test_changes_count(self):
        def dirty():
            return int(re.search(rb"rdb_changes_since_last_save:(\d+)",
                                 self.c.call("INFO", "persistence")).group(1))
        self.c.call("MSET", "a", "1", "b", "2", "c", "3")
        for request, changes in [("SET a x IFEQ y", 0), ("SET a x IFEQ 1", 1), ("DELEX a IFEQ y", 0),
                                 ("DELEX a IFEQ x", 1), ("DELIFEQ b x", 0), ("DELIFEQ b 2", 1),
                                 ("MSETEX 2 a 1 c 2 NX", 0), ("MSETEX 2 a 1 b 2 NX", 2),
                                 ("DIGEST a", 0)]:
            before = dirty()
            self.c.call(*request.split())
            self.assertEqual(dirty() - before, changes, request)

    def test_msetex_errors(self):
        self.check([
            ("MSETEX", wrong_arity("msetex")), ("MSETEX 1 k", wrong_arity("msetex")),
            ("MSETEX k v EX 10", NUMKEYS), ("MSETEX 0 k v", NUMKEYS), ("MSETEX -1 k v", NUMKEYS),
            ("MSETEX 2147483648 k v", NUMKEYS), ("MSETEX 9223372036854775808 k v", NUMKEYS),
            ("MSETEX 2147483647 k v", PAIRS), ("MSETEX 2 a 1 b", PAIRS),
            *((f"MSETEX 1 k v {words}", SYNTAX) for words in
              ("FOO", "b 2", "NX XX", "XX EX 10 NX", "EX", "EX 10 PX 10", "EXAT 10 PXAT 10",
               "KEEPTTL EX 10", "PX 10 KEEPTTL", "GET", "PERSIST", "IFEQ v")),
            ("MSETEX 1 k v EX x", NOT_INTEGER), ("MSETEX 1 k v EX 0", invalid_expire("msetex")),
            ("MSETEX 1 k v PXAT -1", invalid_expire("msetex")),
            ("MSETEX 1 k v EX 9223372036854775807", invalid_expire("msetex")),
            ("EXISTS k", 0),
        ])

    def test_msetex(self):
        self.check([
            ("MSETEX 2 a 1 b 2 EX 100", 1), ("MGET a b", [b"1", b"2"]),
            ("TTL a", 100), ("TTL b", 100),
            ("MSETEX 2 a 3 b 4 KEEPTTL", 1), ("MGET a b", [b"3", b"4"]), ("TTL b", 100),
            ("MSETEX 2 a 5 c 6 NX", 0), ("MGET a c", [b"3", None]), ("TTL a", 100),
            ("MSETEX 2 a 5 c 6 XX PX 1", 0), ("MGET a c", [b"3", None]), ("TTL a", 100),
            ("MSETEX 2 a 5 b 6 xx", 1), ("MGET a b", [b"5", b"6"]), ("TTL a", -1),
            ("MSETEX 2 c 1 d 2 ex 200 nx", 1), ("TTL d", 200),
            ("MSETEX 1 c 1 NX PXAT 4000000000000 XX", SYNTAX),
            ("MSETEX 1 c 1 PXAT 4000000000000 XX", 1), ("PEXPIRETIME c", 4000000000000),
            # The last value counts of a key that is given twice.
            ("MSETEX 2 e 1 e 2 NX", 1), ("GET e", b"2"),
            ("MSETEX 1 list v XX", 1), ("GET list", b"v"),
            ("MSETEX 2 a x b y EXAT 1", 1), ("EXISTS a b", 0),
            # Words among the values are values.
            ("MSETEX 2 nx xx ex 10", 1), ("MGET nx ex", [b"xx", b"10"]),
        ])
        self.c.call("MSETEX", "2", "x", "1", "y", "2", "PX", "1")
        time.sleep(0.005)
        self.check([("MSETEX 1 x 3 XX", 0), ("MSETEX 2 x 3 y 4 NX", 1)])

    def test_msetex_of_many_keys(self):
        keys = [f"key:{i}" for i in range(5000)]
        pairs = [word for key in keys for word in (key, key[4:])]
        self.check([
            (["MSETEX", "5000", *pairs, "EX", "1000", "NX"], 1),
            (["MGET", *keys], [key[4:].encode() for key in keys]),
            (["MSETEX", "5000", *pairs, "NX"], 0), (["MSETEX", "5000", *pairs, "KEEPTTL", "XX"], 1),
            ("TTL key:4999", 1000), (["DEL", "key:4999"], 1), (["MSETEX", "5000", *pairs, "XX"], 0),
            ("EXISTS key:4999", 0),
        ])

    def test_replies_of_resp3(self):
        self.c.call("HELLO", 3)
        for request, reply in [("DIGEST nokey", b"_\r\n"), ("SET k v IFEQ x", b"_\r\n"),
                               ("SET k v IFNE x", b"+OK\r\n"), ("SET k v IFEQ x GET", b"$1\r\nv\r\n"),
                               ("DELEX k IFEQ x", b":0\r\n"), ("DELEX k", b":1\r\n"),
                               ("MSETEX 1 k hello", b":1\r\n"),
                               ("DIGEST k", b"$16\r\n%s\r\n" % HELLO.encode())]:
            self.assertEqual(self.c.raw(*request.split()), reply, request)

    def test_key_extraction(self):
        write = [b"OW", b"update"]
        self.check([
            ("COMMAND GETKEYS MSETEX 2 a 1 b 2 EX 10", [b"a", b"b"]),
            ("COMMAND GETKEYS MSETEX 3 a 1 b 2", b"-ERR Invalid arguments specified for command\r\n"),
            ("COMMAND GETKEYSANDFLAGS MSETEX 1 a 1", [[b"a", write]]),
            ("COMMAND GETKEYSANDFLAGS SET a 1 EX 1", [[b"a", write]]),
            ("COMMAND GETKEYSANDFLAGS SET a 1 IFEQ 1", [[b"a", [b"RW", b"access", b"update"]]]),
            ("COMMAND GETKEYSANDFLAGS DELEX a", [[b"a", [b"RM", b"delete"]]]),
            ("COMMAND GETKEYSANDFLAGS DELEX a IFNE 1", [[b"a", [b"RW", b"access", b"delete"]]]),
            ("COMMAND GETKEYS DELIFEQ a b", [b"a"]), ("COMMAND GETKEYS DIGEST a", [b"a"]),
        ])
