"""Deadlines of a hash's fields, and what reads or writes both: Redis 7.4 and 8.0, whose documented
replies stand here as tables. redis-server of Debian is older and cannot be asked."""
import time

from case import ServerTest
from error_replies import NOT_INTEGER, WRONG_TYPE, invalid_expire, wrong_arity

MISSING = b"-ERR Mandatory argument FIELDS is missing or not at the right position\r\n"
COUNT = b"-ERR Parameter `numFields` should be greater than 0\r\n"
POSITIVE = b"-ERR Number of fields must be a positive integer\r\n"
MATCH = b"-ERR The `numfields` parameter must match the number of arguments\r\n"
NEGATIVE = b"-ERR invalid expire time, must be >= 0\r\n"
PAST_MAX = 1 << 46  # ms; deadlines of fields have 46 bits


class HashFields(ServerTest):
    shared_directives = {}

    def setUp(self):
        super().setUp()
        self.c = self.connect()
        self.c.call("FLUSHALL")
        self.c.call("HSET", "h", "f1", "v1", "f2", "v2", "f3", "3")
        self.c.call("SET", "s", "x")

    def check(self, rows):
        self.check_replies(self.c, rows)

    def test_errors_of_deadlines(self):
        far = str(1 << 62)
        for name in ("HEXPIRE", "HPEXPIRE", "HEXPIREAT", "HPEXPIREAT"):
            low = name.lower()
            self.check([
                (f"{name} h 1", wrong_arity(low)), (f"{name} h 1 FIELDS 1", wrong_arity(low)),
                (f"{name} s 1 FIELDS 1 f", WRONG_TYPE),
                (f"{name} h x FIELDS 1 f1", NOT_INTEGER), (f"{name} h -1 FIELDS 1 f1", NEGATIVE),
                (f"{name} h -9223372036854775808 FIELDS 1 f1", NEGATIVE),
                (f"{name} h {far} FIELDS 1 f1", invalid_expire(low)),
                (f"{name} h 9223372036854775807 FIELDS 1 f1", invalid_expire(low)),
                (f"{name} h 9999 NX 1 f1 f2", MISSING), (f"{name} h 9999 foo FIELDS 1 f1", MISSING),
                (f"{name} h 9999 NX XX FIELDS 1 f1", MISSING),
                (f"{name} h 9999 FIELDS 0 f1", COUNT), (f"{name} h 9999 FIELDS -1 f1", COUNT),
                (f"{name} h 9999 FIELDS x f1", COUNT),
                (f"{name} h 9999 FIELDS {far} f1", MATCH),
                (f"{name} h 9999 FIELDS 2 f1", MATCH), (f"{name} h 9999 FIELDS 1 f1 f2", MATCH),
            ])
        self.check([
            (f"HPEXPIREAT h {PAST_MAX} FIELDS 1 f1", invalid_expire("hpexpireat")),
            (f"HEXPIREAT h {PAST_MAX // 1000 + 1} FIELDS 1 f1", invalid_expire("hexpireat")),
            (f"HPEXPIRE h {PAST_MAX - 1000} FIELDS 1 f1", invalid_expire("hpexpire")),
            (f"HPEXPIREAT h {PAST_MAX - 1} FIELDS 1 f1", [1]),
            ("HPEXPIRETIME h FIELDS 1 f1", [PAST_MAX - 1]),
            ("HTTL h FIELDS 2 f2 f3", [-1, -1]),
        ])

    def test_errors_of_readers(self):
        for name in ("HTTL", "HPTTL", "HEXPIRETIME", "HPEXPIRETIME", "HPERSIST", "HGETDEL"):
            missing = [-2, -2] if name != "HGETDEL" else [None, None]
            self.check([
                (f"{name} h", wrong_arity(name.lower())),
                (f"{name} h FIELDS 1", wrong_arity(name.lower())),
                (f"{name} s FIELDS 1 f", WRONG_TYPE), (f"{name} h 1 f1 f2", MISSING),
                (f"{name} h FIELDS 0 f1", POSITIVE), (f"{name} h FIELDS -1 f1", POSITIVE),
                (f"{name} h FIELDS x f1", POSITIVE), (f"{name} h FIELDS 2 f1", MATCH),
                (f"{name} h FIELDS 1 f1 f2", MATCH), (f"{name} nokey FIELDS 2 f1 f2", missing),
                (f"{name} h FIELDS 2 no such", missing),
            ])

    def test_conditions(self):
        self.check([
            ("HEXPIRE nokey 100 FIELDS 2 f1 f2", [-2, -2]),
            ("HEXPIRE h 100 XX FIELDS 2 f1 nosuch", [0, -2]),
            ("HEXPIRE h 100 GT FIELDS 1 f1", [0]),
            ("HEXPIRE h 100 LT FIELDS 1 f1", [1]),
            ("HEXPIRE h 100 NX FIELDS 2 f1 f2", [0, 1]),
            ("HEXPIRE h 50 gt FIELDS 1 f1", [0]), ("HEXPIRE h 200 GT FIELDS 1 f1", [1]),
            ("HEXPIRE h 300 LT FIELDS 1 f1", [0]), ("HEXPIRE h 50 lt FIELDS 1 f1", [1]),
            ("HEXPIRE h 70 xx FIELDS 1 f1", [1]), ("HTTL h FIELDS 2 f1 f3", [70, -1]),
            ("HEXPIRE h 0 NX FIELDS 1 f1", [0]),
            ("HEXPIRE h 0 FIELDS 2 f1 nosuch", [2, -2]),
            ("HEXISTS h f1", 0), ("HLEN h", 2),
            ("HPEXPIREAT h 1 FIELDS 2 f2 f3", [2, 2]), ("EXISTS h", 0),
        ])

    def test_times(self):
        self.check([
            ("HEXPIREAT h 4000000000 FIELDS 1 f1", [1]),
            ("HEXPIRETIME h FIELDS 2 f1 f2", [4000000000, -1]),
            ("HPEXPIRETIME h FIELDS 1 f1", [4000000000000]),
            ("HPEXPIREAT h 4000000000001 FIELDS 1 f1", [1]),
            ("HEXPIRETIME h FIELDS 1 f1", [4000000001]),
            ("HPERSIST h FIELDS 3 f1 f2 nosuch", [1, -1, -2]),
            ("HPTTL h FIELDS 1 f1", [-1]),
        ])
        self.assertEqual(self.c.call("OBJECT", "ENCODING", "h"), b"hashtable")

    def test_writes_and_deadlines(self):
        self.check([
            ("HEXPIRE h 100 FIELDS 3 f1 f2 f3", [1, 1, 1]),
            ("HSET h f1 new", 0), ("HTTL h FIELDS 1 f1", [-1]),
            ("HINCRBY h f3 4", 7), ("HTTL h FIELDS 1 f3", [100]),
            ("HINCRBYFLOAT h f3 0.5", b"7.5"), ("HTTL h FIELDS 1 f3", [100]),
            ("COPY h copy", 1), ("HTTL copy FIELDS 2 f1 f3", [-1, 100]),
            ("RENAME copy moved", b"OK"), ("HTTL moved FIELDS 2 f1 f3", [-1, 100]),
            ("MOVE moved 1", 1), ("SELECT 1", b"OK"), ("HTTL moved FIELDS 2 f1 f3", [-1, 100]),
            ("SELECT 0", b"OK"),
            ("HDEL h f2", 1), ("HSET h f2 x", 1), ("HTTL h FIELDS 1 f2", [-1]),
        ])

    def test_getex(self):
        two = b"-ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified\r\n"
        count = b"-ERR invalid number of fields\r\n"
        self.check([
            ("HGETEX h", wrong_arity("hgetex")), ("HGETEX h FIELDS 1", wrong_arity("hgetex")),
            ("HGETEX s FIELDS 1 f", WRONG_TYPE),
            ("HGETEX h FIELDS 0 f1", count), ("HGETEX h FIELDS -1 f1", count),
            ("HGETEX h FIELDS 9223372036854775808 f1", count),
            ("HGETEX h FIELDS 2 f1", b"-ERR wrong number of arguments\r\n"),
            ("HGETEX h FIELDS 1 f1 f2", b"-ERR wrong number of arguments\r\n"),
            ("HGETEX h EX 1 PX 1 FIELDS 1 f1", two), ("HGETEX h PERSIST EX 1 FIELDS 1 f1", two),
            ("HGETEX h EX 1 PERSIST FIELDS 1 f1", two),
            ("HGETEX h foo FIELDS 1 f1", b"-ERR unknown argument: foo\r\n"),
            ("HGETEX h KEEPTTL FIELDS 1 f1", b"-ERR unknown argument: KEEPTTL\r\n"),
            ("HGETEX h EX x FIELDS 1 f1", NOT_INTEGER),
            ("HGETEX h EX -1 FIELDS 1 f1", NEGATIVE),
            (f"HGETEX h PXAT {PAST_MAX} FIELDS 1 f1", invalid_expire("hgetex")),
            ("HGETEX nokey FIELDS 2 a b", [None, None]),
            ("HGETEX h FIELDS 2 f1 nosuch", [b"v1", None]),
            ("OBJECT ENCODING h", b"listpack"),
            ("HGETEX h EX 100 FIELDS 2 f1 nosuch", [b"v1", None]),
            ("HTTL h FIELDS 2 f1 f2", [100, -1]),
            ("HGETEX h PERSIST FIELDS 1 f1", [b"v1"]), ("HTTL h FIELDS 1 f1", [-1]),
            ("HGETEX h PXAT 4000000000000 FIELDS 1 f1", [b"v1"]),
            ("HPEXPIRETIME h FIELDS 1 f1", [4000000000000]),
            ("HGETEX h EXAT 1 FIELDS 1 f1", [b"v1"]), ("HEXISTS h f1", 0),
            ("HGETEX h PX 0 FIELDS 2 f2 f3", [b"v2", b"3"]), ("EXISTS h", 0),
        ])

    def test_setex(self):
        two = b"-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified\r\n"
        self.check([
            ("HSETEX h FIELDS 1 f", wrong_arity("hsetex")), ("HSETEX s FIELDS 1 f v", WRONG_TYPE),
            ("HSETEX h FIELDS 2 f v f", b"-ERR wrong number of arguments\r\n"),
            ("HSETEX h FIELDS 0 f v", b"-ERR invalid number of fields\r\n"),
            ("HSETEX h FNX FXX FIELDS 1 f v",
             b"-ERR Only one of FXX or FNX arguments can be specified\r\n"),
            ("HSETEX h EX 1 KEEPTTL FIELDS 1 f v", two), ("HSETEX h KEEPTTL PX 1 FIELDS 1 f v", two),
            ("HSETEX h PERSIST FIELDS 1 f v", b"-ERR unknown argument: PERSIST\r\n"),
            ("HSETEX h EX 100 FIELDS 2 f1 a f4 b", 1),
            ("HMGET h f1 f4", [b"a", b"b"]), ("HTTL h FIELDS 3 f1 f4 f2", [100, 100, -1]),
            ("HSETEX h KEEPTTL FIELDS 2 f1 c f2 d", 1), ("HTTL h FIELDS 2 f1 f2", [100, -1]),
            ("HSETEX h FIELDS 1 f1 e", 1), ("HTTL h FIELDS 1 f1", [-1]),
            ("HSETEX h FNX FIELDS 2 f9 a f1 b", 0), ("HEXISTS h f9", 0),
            ("HSETEX h FXX FIELDS 2 f9 a f1 b", 0), ("HGET h f1", b"e"),
            ("HSETEX h FXX EX 9 FIELDS 1 f1 z", 1), ("HSETEX h FNX FIELDS 1 f9 a", 1),
            ("HSETEX nokey FXX FIELDS 1 f v", 0), ("EXISTS nokey", 0),
            ("HSETEX nokey FNX PX 100000 FIELDS 1 f v", 1), ("HGET nokey f", b"v"),
            ("HSETEX nokey PXAT 1 FIELDS 1 f v", 1), ("EXISTS nokey", 0),
        ])

    def test_getdel(self):
        self.check([
            ("HGETDEL h FIELDS 2 f1 nosuch", [b"v1", None]), ("HLEN h", 2),
            ("HGETDEL h FIELDS 3 f2 f2 f3", [b"v2", None, b"3"]), ("EXISTS h", 0),
        ])

    def test_expired_fields_are_gone(self):
        self.c.call("HSET", "all", *sum(([f"f{i}", "v"] for i in range(2000)), []))
        self.c.call("HPEXPIRE", "all", 150, "FIELDS", 2000, *(f"f{i}" for i in range(2000)))
        self.c.call("HPEXPIRE", "h", 150, "FIELDS", 1, "f1")
        deadline = self.c.call("HPEXPIRETIME", "h", "FIELDS", "1", "f1")[0]
        while time.time() * 1000 <= deadline + 1:
            time.sleep(0.01)
        self.check([
            ("HGET h f1", None), ("HEXISTS h f1", 0), ("HSTRLEN h f1", 0),
            ("HMGET h f1 f2", [None, b"v2"]), ("HTTL h FIELDS 1 f1", [-2]),
            ("HPERSIST h FIELDS 1 f1", [-2]), ("HEXPIRE h 10 FIELDS 1 f1", [-2]),
            ("HDEL h f1", 0), ("HSETNX h f1 new", 1), ("HTTL h FIELDS 1 f1", [-1]),
            ("HRANDFIELD all", None), ("HRANDFIELD all 5", []), ("HRANDFIELD all -5", []),
            ("HGETALL all", []), ("HKEYS all", []), ("HSCAN all 0 COUNT 10000", [b"0", []]),
        ])
        # The sweep comes by every 20 ms; it may take a few steps.
        give_up = time.monotonic() + 10
        while self.c.call("EXISTS", "all") and time.monotonic() < give_up:
            time.sleep(0.01)
        self.assertEqual(self.c.call("EXISTS", "all"), 0)

    def test_a_hash_of_expired_fields_is_not_copied(self):
        server = self.start_server({"enable-debug-command": "yes"})
        self.c = self.connect(server)
        self.c.call("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        self.c.call("HSET", "all", "f1", "v1", "f2", "v2")
        self.c.call("HSET", "some", "f1", "v1", "f2", "v2")
        self.c.call("HPEXPIRE", "all", 3, "FIELDS", 2, "f1", "f2")
        self.c.call("HPEXPIRE", "some", 3, "FIELDS", 1, "f1")
        time.sleep(0.05)
        self.check([("DUMP all", None), ("COPY all to", 0), ("COPY all to REPLACE", 0),
                    ("EXISTS to", 0), ("COPY some to", 1), ("HGETALL to", [b"f2", b"v2"])])
        payload = self.c.call("DUMP", "some")
        self.check([(("RESTORE", "again", "0", payload), b"OK"), ("HKEYS again", [b"f2"])])

    def test_scan_without_values(self):
        self.check([
            ("HSCAN h 0 NOVALUES", [b"0", [b"f1", b"f2", b"f3"]]),
            ("HSCAN h 0 MATCH *2 NOVALUES COUNT 5", [b"0", [b"f2"]]),
        ])
