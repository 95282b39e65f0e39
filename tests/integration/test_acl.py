"""Users and what they may do: as redis-py manages them, in files, and while clients are at work."""
import hashlib
import os

import redis

from case import ServerTest, Settings, only_aeris
from server import ServerFailed

DENIED_KEY = b"-NOPERM this user has no permissions to access one of the keys used as arguments\r\n"


def denied(command):
    return f"-NOPERM this user has no permissions to run the '{command}' command\r\n".encode()


def digest(password):
    return hashlib.sha256(password.encode()).hexdigest()


class Users(ServerTest):
    shared_directives = {}

    def setUp(self):
        super().setUp()
        self.admin = self.connect()
        self.admin.call("FLUSHALL")
        self.addCleanup(self.remove_users)

    def remove_users(self):
        with self.connect() as connection:
            for name in connection.call("ACL", "USERS"):
                if name != b"default":
                    connection.call("ACL", "DELUSER", name)

    def login(self, *rules, name="bob"):
        self.assertEqual(self.admin.call("ACL", "SETUSER", name, "on", "nopass", *rules), b"OK")
        connection = self.connect()
        self.assertEqual(connection.call("AUTH", name, ""), b"OK")
        return connection

    def test_redis_py_manages_users(self):
        client = redis.Redis("127.0.0.1", self.server.port, decode_responses=True)
        self.addCleanup(client.close)
        self.assertTrue(client.acl_setuser(
            "alice", enabled=True, passwords=["+secret", "+other"], categories=["+@read", "-@slow"],
            commands=["+config|get", "-get"], keys=["cache:*"], channels=["news:*"]))
        user = client.acl_getuser("alice")
        self.assertIn("on", user["flags"])
        self.assertEqual(user["passwords"], [digest("secret"), digest("other")])
        # Debian's redis-py knows these as lists of words.
        self.assertEqual(user["keys"], ["~cache:*"])
        self.assertEqual(user["channels"], ["&news:*"])
        self.assertEqual(sorted(client.acl_users()), ["alice", "default"])
        self.assertEqual(client.acl_whoami(), "default")
        self.assertIn("keyspace", client.acl_cat())
        self.assertIn("zadd", client.acl_cat("sortedset"))
        self.assertEqual(len(client.acl_genpass()), 64)
        alice = redis.Redis("127.0.0.1", self.server.port, username="alice", password="secret",
                            decode_responses=True)
        self.addCleanup(alice.close)
        self.assertIsNone(alice.hget("cache:1", "f"))
        with self.assertRaises(redis.exceptions.NoPermissionError):
            alice.get("cache:1")
        with self.assertRaises(redis.exceptions.NoPermissionError):
            alice.hget("other", "f")
        entry = client.acl_log()[0]
        self.assertEqual((entry["reason"], entry["object"], entry["username"]),
                         ("key", "other", "alice"))
        self.assertEqual(entry["client-info"]["user"], "alice")
        self.assertTrue(client.acl_log_reset())
        self.assertEqual(client.acl_log(), [])
        with self.assertRaisesRegex(redis.RedisError, "invalid username-password pair"):
            redis.Redis("127.0.0.1", self.server.port, username="alice", password="x").ping()
        self.assertEqual(client.acl_deluser("alice"), 1)

    def test_errors_do_not_tell_what_a_user_may_not_see(self):
        self.admin.call("SET", "hidden", "text")
        self.admin.call("LPUSH", "list", "1")
        bob = self.login("+@all", "~own")
        for request in ("GET hidden", "GET list", "GET none", "LPUSH hidden 1", "INCR hidden",
                        "TYPE hidden", "TYPE none", "TTL hidden", "EXISTS hidden", "DUMP none",
                        "OBJECT ENCODING hidden", "RENAME hidden own", "RENAME none own",
                        "COPY own hidden", "SORT list", "MEMORY USAGE hidden", "DEL hidden own",
                        "XREAD STREAMS hidden 0", "RESTORE hidden 0 x", "EXPIRE hidden 1"):
            self.assertEqual(bob.raw(*request.split()), DENIED_KEY, request)
        self.assertEqual(self.admin.call("GET", "hidden"), b"text")

    def test_a_wrong_rule_names_itself_and_changes_nothing(self):
        self.admin.call("ACL", "SETUSER", "bob", "on", ">a", "~x", "+get")
        before = self.admin.call("ACL", "LIST")
        for rule, reason in (("+none", b"Unknown command or category name in ACL"),
                             ("ab" * 2000, b"Syntax error"),
                             ("%~y", b"Syntax error"),
                             ("(+get ~z +@none)", b"Unknown command or category name in ACL"),
                             ("<none", b"The password you are trying to remove from the user does "
                                       b"not exist")):
            self.assertEqual(
                self.admin.raw("ACL", "SETUSER", "bob", "off", "nopass", "+@all", rule, "~*"),
                b"-ERR Error in ACL SETUSER modifier '" + rule.encode() + b"': " + reason + b"\r\n")
            self.assertTrue(self.admin.raw("ACL", "SETUSER", "new", "on", rule).startswith(b"-ERR"))
        self.assertEqual(self.admin.call("ACL", "LIST"), before)

    def test_clients_of_a_deleted_user_are_closed(self):
        bob, waiting = self.login("+@all", "~*"), self.login("+@all", "~*")
        waiting.send_command("BLPOP", "list", "0")
        self.wait_for(lambda: self.admin.call("INFO", "clients").count(b"blocked_clients:1"),
                      "it waits")
        self.assertEqual(bob.call("ACL", "DELUSER", "bob"), 1)
        self.assertTrue(bob.closed_by_peer())
        self.assertTrue(waiting.closed_by_peer())
        self.assert_serves()

    def test_nothing_runs_behind_the_deletion_of_ones_own_user(self):
        bob = self.login("+@all", "~*")
        self.admin.call("SET", "k", "1")
        for command in (("ACL", "DELUSER", "bob"), ("SET", "k", "2")):
            bob.send_command(*command)
        bob.closed_by_peer()
        self.assertEqual(self.admin.call("GET", "k"), b"1")

    def test_subscribers_stay_while_their_user_had_no_channels(self):
        self.admin.call("ACL", "SETUSER", "bob", "on", "nopass", "resetchannels", "~*", "+@all")
        bob = self.connect()
        bob.call("HELLO", "3")
        bob.call("SUBSCRIBE", "a")
        self.assertEqual(bob.call("AUTH", "bob", ""), b"OK")
        for rules in ((), ("+@keyspace",), ("-@dangerous",), ("&a",), ("&b", "resetkeys")):
            self.assertEqual(self.admin.call("ACL", "SETUSER", "bob", *rules), b"OK")
            self.assertEqual(bob.call("PING"), b"PONG", rules)
        self.admin.call("ACL", "SETUSER", "bob", "resetchannels", "&b")
        self.assertTrue(bob.closed_by_peer())

    @only_aeris("it serves the client with the rights it had when it began to wait")
    def test_rights_are_checked_again_when_a_blocked_client_is_served(self):
        bob = self.login("+@all", "~*")
        bob.send_command("BLPOP", "list", "0")
        self.wait_for(lambda: self.admin.call("INFO", "clients").count(b"blocked_clients:1"),
                      "it waits")
        self.admin.call("ACL", "SETUSER", "bob", "resetkeys", "~own")
        self.assertEqual(self.admin.call("RPUSH", "list", "x"), 1)
        self.assertEqual(bob.read_raw(), DENIED_KEY)
        self.assertEqual(self.admin.call("LRANGE", "list", "0", "-1"), [b"x"])
        self.assertEqual(bob.call("SET", "own", "1"), b"OK")
        self.admin.call("DEL", "list")

    def test_changes_hold_for_those_who_are_connected(self):
        bob = self.login("+get", "~*")
        self.assertEqual(bob.raw("SET", "k", "v"), denied("set"))
        self.admin.call("ACL", "SETUSER", "bob", "+@all", "&*")
        self.assertEqual(bob.call("SET", "k", "v"), b"OK")
        self.admin.call("ACL", "SETUSER", "bob", "-set")
        self.assertEqual(bob.raw("SET", "k", "v"), denied("set"))
        self.admin.call("ACL", "SETUSER", "bob", "off")
        self.assertEqual(bob.call("GET", "k"), b"v")
        self.assertTrue(bob.raw("AUTH", "bob", "").startswith(b"-WRONGPASS"))
        self.assertEqual(bob.call("RESET"), b"RESET")
        self.assertEqual(bob.call("ACL", "WHOAMI"), b"default")

    def test_secrets_are_in_no_log(self):
        self.admin.call("CONFIG", "SET", "slowlog-log-slower-than", "0")
        self.admin.call("SLOWLOG", "RESET")
        monitor = self.connect()
        monitor.call("MONITOR")
        self.admin.call("ACL", "SETUSER", "hidden-name", "on", ">hidden-word", "+@all")
        client = self.connect()
        client.call("AUTH", "hidden-name", "hidden-word")
        client.call("HELLO", "3", "AUTH", "hidden-name", "hidden-word")
        client.call("AUTH", "hidden-name", "hidden-wrong")
        log = repr(self.admin.call("SLOWLOG", "GET", "-1"))
        self.assertIn("(redacted)", log)
        self.assertNotIn("hidden-", log)
        self.admin.call("ECHO", "end")
        seen = []
        while b'"end"' not in (line := monitor.read_reply()):
            seen.append(line)
        self.assertIn(b"(redacted)", b" ".join(seen))
        self.assertNotIn(b"hidden-", b" ".join(seen))

    def test_hostile_rules(self):
        for rule in ("(" * 10000, "(" + "(" * 10000 + ")", "~" + "*a" * 10000, "%" + "R" * 100000,
                     "+" + "a|" * 50000, "+@" + "a" * 100000, "#" + "0" * 100000, "&" + "\xff" * 9999,
                     "(\"\\x", "(" + "~a " * 20000 + ")", "+select|" + "9" * 100000, "\0", "(\0)"):
            reply = self.admin.raw("ACL", "SETUSER", "bob", rule)
            self.assertIn(reply[:1], b"+-", rule[:20])
            self.assertLess(len(reply), (64 << 10) + 4096 if Settings.aeris else 1 << 20)
        self.admin.call("ACL", "DELUSER", "bob")
        name = "n" * 100000
        self.assertEqual(self.admin.call("ACL", "SETUSER", name, "on"), b"OK")
        self.assertIn(name.encode(), self.admin.call("ACL", "USERS"))
        self.assertEqual(self.admin.call("ACL", "DELUSER", name), 1)

    @only_aeris("it takes any number of patterns")
    def test_patterns_of_a_user_are_bounded(self):
        patterns = [f"~{number}" for number in range(10001)]
        self.assertEqual(self.admin.call("ACL", "SETUSER", "bob", *patterns[:-1]), b"OK")
        self.assertEqual(self.admin.raw("ACL", "SETUSER", "bob", patterns[-1]),
                         b"-ERR Error in ACL SETUSER modifier '~10000': Too many rules of this "
                         b"kind\r\n")

    def test_the_log_is_bounded_in_length_and_bytes(self):
        bob = self.login("+get", "~own")
        for number in range(200):
            bob.raw("GET", f"{number}:" + "k" * 100000)
        log = self.admin.call("ACL", "LOG", "1000")
        self.assertEqual(len(log), 128)
        self.admin.call("ACL", "LOG", "RESET")

    def test_the_password_of_the_default_user(self):
        self.admin.call("CONFIG", "SET", "requirepass", "secret")
        self.assertEqual(self.admin.call("PING"), b"PONG")
        with self.connect() as client:
            self.assertEqual(client.raw("PING"), b"-NOAUTH Authentication required.\r\n")
            self.assertEqual(client.call("AUTH", "secret"), b"OK")
            self.assertEqual(client.call("RESET"), b"RESET")
            self.admin.call("CONFIG", "SET", "requirepass", "")
            self.assertEqual(client.call("PING"), b"PONG")
            self.admin.call("ACL", "SETUSER", "default", ">again")
            self.assertEqual(client.raw("PING"), b"-NOAUTH Authentication required.\r\n")
            self.admin.call("ACL", "SETUSER", "default", "nopass")
            self.assertEqual(client.call("PING"), b"PONG")


class Files(ServerTest):
    def path(self, server, name="users.acl"):
        return os.path.join(server.directory, name)

    def with_file(self, text, **directives):
        server = self.new_server({"aclfile": "users.acl", **directives})
        with open(self.path(server), "w", encoding="latin-1") as file:
            file.write(text)
        return server

    def fails(self, server):
        with self.assertRaises(ServerFailed):
            server.start()
        return server.output()

    def test_a_file_of_users(self):
        server = self.with_file("user alice on >pw ~* &* +@all\n\nuser default off\n").start()
        with server.connect() as client:
            self.assertTrue(client.raw("PING").startswith(b"-NOAUTH"))
            self.assertEqual(client.call("AUTH", "alice", "pw"), b"OK")
            self.assertEqual(client.call("ACL", "LIST"),
                             [f"user alice on #{digest('pw')} ~* &* +@all".encode(),
                              b"user default off resetchannels -@all"])
            odd = ["~a\"b", "~c'd\\", "&(e)", "(+get ~f)", "+select|0"]
            self.assertEqual(client.call("ACL", "SETUSER", "bob", "nopass", *odd), b"OK")
            self.assertEqual(client.call("ACL", "SAVE"), b"OK")
            saved = client.call("ACL", "LIST")
            client.send_command("ACL", "LOAD")
            client.closed_by_peer()
        with server.connect() as client:
            client.call("AUTH", "alice", "pw")
            self.assertEqual(client.call("ACL", "LIST"), saved)
        server.restart()
        with server.connect() as client:
            client.call("AUTH", "alice", "pw")
            self.assertEqual(client.call("ACL", "LIST"), saved)

    def test_a_damaged_file_stops_the_start(self):
        for text, reason in (("user a\nuser a\n", "Duplicate user 'a' found on line 2"),
                             ("user a +none\n", "users.acl:1: Error in applying operation '+none'"),
                             ("nonsense\n", "users.acl:1 should start with user keyword")):
            self.assertIn(reason, self.fails(self.with_file(text)))
        server = self.new_server({"aclfile": "missing.acl"})
        self.assertIn("Error loading ACLs, opening file 'missing.acl': No such file",
                      self.fails(server))
        server = self.with_file("user a\n", **{"user": ["b", "on"]})
        self.assertIn("is invalid. This setup", self.fails(server))

    def test_a_damaged_file_changes_nothing(self):
        server = self.with_file("user alice on nopass ~* &* +@all\n").start()
        admin, alice = self.connect(server), self.connect(server)
        alice.call("AUTH", "alice", "")
        before = admin.call("ACL", "LIST")
        with open(self.path(server), "a", encoding="latin-1") as file:
            file.write("user bob +none\nuser alice\n")
        self.assertEqual(
            admin.raw("ACL", "LOAD"),
            b"-ERR users.acl:2: Error in applying operation '+none': Unknown command or category "
            b"name in ACL. WARNING: Duplicate user 'alice' found on line 3. WARNING: ACL errors "
            b"detected, no change to the previously active ACL rules was performed\r\n")
        self.assertEqual(admin.call("ACL", "LIST"), before)
        self.assertEqual(alice.call("PING"), b"PONG")
        os.unlink(self.path(server))
        self.assertEqual(admin.raw("ACL", "LOAD"), b"-ERR Error loading ACLs, opening file "
                                                   b"'users.acl': No such file or directory\r\n")
        self.assertEqual(alice.call("PING"), b"PONG")

    def test_loading_closes_all_but_the_default_user(self):
        server = self.with_file("user alice on nopass ~* &* +@all\n").start()
        admin, alice = self.connect(server), self.connect(server)
        alice.call("AUTH", "alice", "")
        self.assertEqual(admin.call("ACL", "LOAD"), b"OK")
        self.assertTrue(alice.closed_by_peer())
        self.assertEqual(admin.call("PING"), b"PONG")

    def test_saving_keeps_the_old_file_when_it_cannot(self):
        server = self.with_file("user alice on\n").start()
        admin = self.connect(server)
        folder = os.path.join(server.directory, "gone")
        os.mkdir(folder)
        os.rename(self.path(server), os.path.join(folder, "old"))
        os.mkdir(self.path(server))
        self.assertEqual(admin.raw("ACL", "SAVE"),
                         b"-ERR There was an error trying to save the ACLs. Please check the server "
                         b"logs for more information\r\n")
        self.assertEqual(sorted(name for name in os.listdir(server.directory)
                                if name.startswith("users")), ["users.acl"])

    def test_users_of_the_configuration(self):
        # Redis would write quotes as they are, and not start with that again.
        pattern, written = ("a\"b", "\"~a\\\"b\"") if Settings.aeris else ("ab", "~ab")
        config = (f"user default on >pw ~* &* +@all\nport 0\nuser bob on nopass {written} +get "
                  "(+set ~c)\n")
        server = self.start_with(config)
        with server.connect() as client:
            client.call("AUTH", "pw")
            self.assertEqual(client.call("ACL", "LIST"), [
                f"user bob on nopass ~{pattern} resetchannels -@all +get (~c resetchannels -@all "
                "+set)".encode(),
                f"user default on sanitize-payload #{digest('pw')} ~* &* +@all".encode()])
            client.call("ACL", "SETUSER", "bob", "%R~d'e" if Settings.aeris else "%R~de")
            client.call("ACL", "SETUSER", "carol", "off", "~f")
            users = client.call("ACL", "LIST")
            self.assertEqual(client.call("CONFIG", "REWRITE"), b"OK")
        with open(server.config_path, encoding="utf-8") as file:
            self.assertEqual(file.read().count("user "), 3)
        server.restart()
        with server.connect() as client:
            client.call("AUTH", "pw")
            self.assertEqual(client.call("ACL", "LIST"), users)

    def start_with(self, config):
        server = self.new_server(config=config)
        return server.start()

    def test_wrong_users_of_the_configuration(self):
        for config, reason in (
                ("user foo\nuser foo\n", "Error in user declaration 'foo': Duplicate user found. A "
                                         "user can only be defined once in config files"),
                ("user foo %~x\n", "'%~x': Syntax error" if Settings.aeris else "Syntax error"),
                ("user foo (+get\n", "Error in user declaration '(+get': Unmatched parenthesis"
                 if Settings.aeris else "Error in user declaration")):
            output = self.fails(self.new_server(config=config))
            self.assertIn("FATAL CONFIG FILE ERROR", output)
            self.assertIn(reason, output)
