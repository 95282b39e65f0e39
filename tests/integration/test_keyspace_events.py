"""Keyspace notifications that the comparison with Redis cannot make: of time, of memory, and of
commands that came after Redis 7.0."""
import time

from case import ServerTest, only_aeris


class Events(ServerTest):
    def setUp(self):
        super().setUp()
        self.server = self.start_server({"notify-keyspace-events": "KEA"})
        self.client = self.connect()
        self.listener = self.listen("__keyevent@*__:*")

    def listen(self, pattern):
        listener = self.connect()
        listener.call("PSUBSCRIBE", pattern)
        return listener

    def heard(self, listener=None):
        """The events since the last call, as "name key"."""
        listener = listener or self.listener
        listener.send_command("PING", "all")
        events = []
        while (message := listener.read_reply()) != [b"pong", b"all"]:
            events.append(f"{message[2].decode().partition('__:')[2]} {message[3].decode()}")
        return events

    def check_events(self, rows):
        for request, expected in rows:
            with self.subTest(request):
                self.client.call(*request.split())
                self.assertEqual(self.heard(), expected)

    @only_aeris("it finds keys that are due by drawing samples, some of them half a minute late")
    def test_expired_keys_are_told_in_time(self):
        began = time.monotonic()
        count = 200
        self.client.pipeline([("SET", f"far:{number}", "v", "EX", 10000)
                              for number in range(5000)])
        self.heard()
        self.client.pipeline([("SET", f"key:{number}", "v", "PX", 300 + number)
                              for number in range(count)])
        events = []
        while len(events) < 3 * count:
            events.append(self.listener.read_reply())
        # 500 ms is when the last one is due.
        self.assertLess(time.monotonic() - began, 20)
        expired = [event[3] for event in events if event[2] == b"__keyevent@0__:expired"]
        self.assertEqual(sorted(expired),
                         sorted(f"key:{number}".encode() for number in range(count)))
        self.assertEqual(self.client.call("DBSIZE"), 5000)

    def test_lazily_expired_keys_are_told_before_what_finds_them(self):
        self.server.stop()
        self.server.directives.update({"enable-debug-command": "yes",
                                       "notify-keyspace-events": "KEAmn"})
        self.server.start()
        self.client, self.listener = self.connect(), self.listen("__keyevent@*__:*")
        self.client.call("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        for request, expected in (("GET k", ["expired k", "keymiss k"]),
                                  ("SET k v", ["expired k", "new k", "set k"]),
                                  ("DEL k", ["expired k"]), ("EXPIRE k 100", ["expired k"])):
            with self.subTest(request):
                self.client.call("SET", "k", "v", "PX", "1")
                self.wait_for(lambda: time.sleep(0.005) or True, "the deadline")
                self.heard()
                self.client.call(*request.split())
                self.assertEqual(self.heard(), expected)

    def test_every_database_has_its_own(self):
        third = self.listen("__keyspace@3__:*")
        self.client.call("SET", "k", "v")
        self.client.call("SELECT", "3")
        self.client.call("SET", "k", "v", "PX", "20")
        self.wait_for(lambda: self.client.call("DBSIZE") == 0, "the deadline")
        self.assertEqual(self.heard(third), ["k set", "k expire", "k expired"])

    def test_evicted_keys_are_told(self):
        self.client.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        self.client.pipeline([("SET", f"key:{number}", "v" * 1000) for number in range(3000)])
        self.heard()
        used = int(self.server.info("memory")["used_memory"])
        self.client.call("CONFIG", "SET", "maxmemory", used - 500_000)
        self.wait_for(lambda: int(self.server.info("stats")["evicted_keys"]) > 100, "evictions")
        self.client.call("CONFIG", "SET", "maxmemory", 0)
        evicted = int(self.server.info("stats")["evicted_keys"])
        events = self.heard()
        self.assertEqual(len(events), evicted)
        self.assertEqual({event.split()[0] for event in events}, {"evicted"})
        self.assertEqual(len(set(events)), evicted)

    def test_a_served_client_is_told_of(self):
        waiting = self.connect()
        waiting.send_command("BLMOVE", "a", "b", "LEFT", "RIGHT", "0")
        self.wait_for(lambda: self.server.info("clients")["blocked_clients"] == "1", "a client")
        self.client.call("RPUSH", "a", "x")
        self.assertEqual(self.heard(), ["rpush a", "rpush b", "lpop a", "del a"])

    def test_nobody_is_told_when_nobody_asked(self):
        self.client.call("CONFIG", "SET", "notify-keyspace-events", "")
        self.check_events([("SET k v", []), ("DEL k", [])])
        self.client.call("CONFIG", "SET", "notify-keyspace-events", "gx")
        self.check_events([("SET k v", []), ("DEL k", [])])
        self.client.call("CONFIG", "SET", "notify-keyspace-events", "Eg")
        self.check_events([("SET k v", []), ("DEL k", ["del k"])])

    @only_aeris("what a client causes itself comes in the middle of its reply")
    def test_ones_own_events_follow_the_reply(self):
        connection = self.connect()
        connection.call("HELLO", "3")
        connection.call("SUBSCRIBE", "__keyevent@0__:spop")
        connection.call("SADD", "s", "a", "b", "c")
        connection.send_command("SPOP", "s", "2")
        self.assertEqual(len(connection.read_reply()), 2)
        self.assertEqual(connection.read_reply(), [b"message", b"__keyevent@0__:spop", b"s"])
        self.assertEqual(connection.call("PING"), b"PONG")

    @only_aeris("7.0 has no such commands")
    def test_later_commands(self):
        self.check_events([
            ("HSET h a 1 b 2 c 3 d 4", ["hset h"]),
            ("HEXPIRE h 100 FIELDS 2 a none", ["hexpire h"]),
            ("HEXPIRE h 100 XX FIELDS 1 b", []),
            ("HPERSIST h FIELDS 2 a b", ["hpersist h"]), ("HPERSIST h FIELDS 1 a", []),
            ("HGETEX h EX 100 FIELDS 1 a", ["hexpire h"]), ("HGETEX h FIELDS 1 a", []),
            ("HGETEX h PERSIST FIELDS 1 a", ["hpersist h"]),
            ("HSETEX h EX 100 FIELDS 1 e 5", ["hset h", "hexpire h"]),
            ("HSETEX h FIELDS 1 e 6", ["hset h"]),
            ("HGETDEL h FIELDS 2 e none", ["hdel h"]), ("HGETDEL h FIELDS 1 e", []),
            ("HEXPIRE h 0 FIELDS 1 d", ["hdel h"]),
            ("HPEXPIRE h 0 FIELDS 2 b c", ["hdel h"]),
            ("HGETDEL h FIELDS 1 a", ["hdel h", "del h"]),
            ("MSETEX 2 a 1 b 2 EX 100", ["set a", "expire a", "set b", "expire b"]),
            ("DELIFEQ a 2", []), ("DELIFEQ a 1", ["del a"]), ("DELEX b IFEQ 2", ["del b"]),
            ("SET k v IFEQ w", []), ("SET k v", ["set k"]), ("SET k w IFEQ v", ["set k"]),
        ])

    @only_aeris("7.0 has no such commands")
    def test_expired_fields(self):
        self.client.call("HSET", "h", "a", "1", "b", "2")
        self.client.call("HPEXPIRE", "h", "20", "FIELDS", "1", "a")
        self.wait_for(lambda: self.client.call("HLEN", "h") == 1, "the field")
        self.assertEqual(self.heard(), ["hset h", "hexpire h", "hexpired h"])
        self.client.call("HPEXPIRE", "h", "20", "FIELDS", "1", "b")
        self.wait_for(lambda: self.client.call("EXISTS", "h") == 0, "the last field")
        self.assertEqual(self.heard(), ["hexpire h", "hexpired h", "del h"])
