"""redis.conf, the command line, CONFIG REWRITE: what an operator writes down."""
import os
import re
import subprocess

from case import ServerTest, Settings, only_aeris
from server import ServerProcess


class StartOptions(ServerTest):

    def config_get(self, server, *names):
        with server.connect() as connection:
            reply = connection.call("CONFIG", "GET", *names)
        return dict(zip(reply[0::2], reply[1::2]))

    def refused(self, config=None, stdin=None, directives=None):
        """The output of a start that must fail, with its exit status 1."""
        server = self.new_server(directives, config=config, stdin=stdin)
        if directives is None:
            server.directives = {}
        server.spawn()
        self.assertEqual(server.process.wait(30), 1)
        return server.output()

    def run_binary(self, *arguments):
        return subprocess.run([Settings.binary, *arguments], capture_output=True, text=True,
                              timeout=60, check=False)

    def test_a_file_with_comments_quotes_units_and_includes(self):
        server = self.new_server()
        with open(server.path("more.conf"), "w", encoding="utf-8") as file:
            file.write("databases 5\nhz 33\n")
        server.config_path = server.path("redis.conf")
        with open(server.config_path, "w", encoding="utf-8") as file:
            file.write("# a comment\n\n   \t\n"
                       "MaxMemory 64mb\n"
                       "  maxmemory-policy   allkeys-lru\t\n"
                       "requirepass \"with \\x41 space\"\n"
                       "masterauth 'single \\' quote'\n"
                       f"include {server.path('more.conf')}\n"
                       "client-output-buffer-limit pubsub 1mb 2mb 3\n"
                       "save 900 1 300 10\n"
                       "tcp-keepalive 60\r\n")
        del server.directives["save"]
        server.start()
        connection = self.connect(server)
        self.assertEqual(connection.raw("AUTH", "with A space"), b"+OK\r\n")
        reply = connection.call("CONFIG", "GET", "maxmemory", "maxmemory-policy", "databases", "hz",
                                "tcp-keepalive", "masterauth", "client-output-buffer-limit", "save")
        self.assertEqual(dict(zip(reply[0::2], reply[1::2])), {
            b"maxmemory": b"67108864", b"maxmemory-policy": b"allkeys-lru", b"databases": b"5",
            b"hz": b"33", b"tcp-keepalive": b"60", b"masterauth": b"single ' quote",
            b"client-output-buffer-limit":
                b"normal 0 0 0 slave 268435456 67108864 60 pubsub 1048576 2097152 3",
            b"save": b"900 1 300 10"})
        self.assertEqual(connection.raw("SELECT", 5), b"-ERR DB index is out of range\r\n")

    def test_memory_units(self):
        units = {"1b": 1, "1k": 1000, "1kb": 1024, "1m": 10 ** 6, "1MB": 1 << 20, "1g": 10 ** 9,
                 "1Gb": 1 << 30, "100": 100}
        server = self.start_server({"hz": 10})
        with server.connect() as connection:
            for text, size in units.items():
                self.assertEqual(connection.call("CONFIG", "SET", "repl-backlog-size", text), b"OK")
                reply = connection.call("CONFIG", "GET", "repl-backlog-size")
                self.assertGreaterEqual(int(reply[1]), size)
                connection.call("CONFIG", "SET", "auto-aof-rewrite-min-size", text)
                reply = connection.call("CONFIG", "GET", "auto-aof-rewrite-min-size")
                self.assertEqual(int(reply[1]), size, text)

    def test_directives_on_the_command_line_come_after_the_file(self):
        server = self.start_server({"hz": 50}, config="hz 20\nmaxmemory 1mb\n")
        self.assertEqual(self.config_get(server, "hz", "maxmemory"),
                         {b"hz": b"50", b"maxmemory": b"1048576"})

    def test_a_configuration_from_standard_input(self):
        server = self.start_server({"hz": 50}, stdin="hz 20\nmaxmemory-samples 7\n")
        self.assertEqual(self.config_get(server, "hz", "maxmemory-samples"),
                         {b"hz": b"50", b"maxmemory-samples": b"7"})

    def test_several_values_behind_one_directive(self):
        server = self.start_server({"client-output-buffer-limit": ["normal", "1mb", "1mb", "5"]})
        value = self.config_get(server, "client-output-buffer-limit")
        self.assertEqual(value[b"client-output-buffer-limit"].split()[:4],
                         [b"normal", b"1048576", b"1048576", b"5"])

    def test_the_last_word_of_a_directive_counts(self):
        server = self.start_server(config="hz 20\nhz 30\n")
        self.assertEqual(self.config_get(server, "hz"), {b"hz": b"30"})

    def test_mistakes_stop_the_start_and_show_the_line(self):
        mistakes = [
            ("port 0\n\nfoo bar baz\n", 3, "foo bar baz",
             "Bad directive or wrong number of arguments"),
            ("port\n", 1, "port", "wrong number of arguments"),
            ("hz 1 2\n", 1, "hz 1 2", "wrong number of arguments"),
            ("# c\nport abc\n", 2, "port abc", "argument couldn't be parsed into an integer"),
            ("databases 0\n", 1, "databases 0",
             "argument must be between 1 and 2147483647 inclusive"),
            ("maxmemory 10zb\n", 1, "maxmemory 10zb", "argument must be a memory value"),
            ("dir \"abc\n", 1, "dir \"abc", "Unbalanced quotes in configuration line"),
            ("appendonly maybe\n", 1, "appendonly maybe", "argument must be 'yes' or 'no'"),
            ("loglevel loud\n", 1, "loglevel loud",
             "argument(s) must be one of the following: debug, verbose, notice, warning"),
            ("rename-command NOSUCH x\n", 1, "rename-command NOSUCH x",
             "No such command in rename-command"),
            ("rename-command get set\n", 1, "rename-command get set",
             "Target command name already exists"),
            ("client-output-buffer-limit foo 1 1 1\n", 1, "client-output-buffer-limit foo 1 1 1",
             "Invalid client class specified in buffer limit configuration."),
        ]
        for config, line, text, reason in mistakes:
            for way in ("file", "stdin"):
                with self.subTest(config=config, way=way):
                    output = self.refused(**{"config" if way == "file" else "stdin": config})
                    self.assertRegex(output, r"\*\*\* FATAL CONFIG FILE ERROR \(\S+ \S+\) \*\*\*\n")
                    self.assertIn(f"Reading the configuration file, at line {line}\n"
                                  f">>> '{text}'\n{reason}\n", output)

    def test_an_unknown_directive_on_the_command_line(self):
        output = self.refused(directives={"no-such-directive": "1"})
        self.assertIn(">>> 'no-such-directive \"1\"'\nBad directive or wrong number of arguments\n",
                      output)

    def test_a_file_that_is_not_there(self):
        done = self.run_binary("/no/such/redis.conf")
        self.assertEqual(done.returncode, 1)
        self.assertIn("Fatal error, can't open config file '/no/such/redis.conf': "
                      "No such file or directory", done.stdout + done.stderr)
        self.assertIn("Fatal error, can't open config file '/no/such/include'",
                      self.refused(config="include /no/such/include\n"))

    def test_version_help_and_check_system(self):
        version = self.run_binary("--version")
        self.assertEqual(version.returncode, 0)
        self.assertRegex(version.stdout, r"v=\d+\.\d+\.\d+")
        self.assertEqual(self.run_binary("-v").stdout, version.stdout)
        usage = self.run_binary("--help")
        self.assertIn("Usage: ", usage.stdout + usage.stderr)
        self.assertIn("--check-system", usage.stdout + usage.stderr)
        self.assertEqual(self.run_binary("-h").returncode, usage.returncode)
        system = self.run_binary("--check-system")
        self.assertIn(system.returncode, (0, 1))
        self.assertIn("overcommit", system.stdout + system.stderr)

    def test_a_port_in_use_stops_the_start(self):
        first = self.start_server()
        second = self.new_server({"port": first.port})
        second.spawn()
        self.assertEqual(second.process.wait(30), 1)
        self.assertIn("Address already in use", second.output())
        self.assert_serves(first)

    def test_a_directory_that_is_not_there_stops_the_start(self):
        output = self.refused(config="port 0\ndir /proc/no-such-directory\n")
        self.assertIn(">>> 'dir /proc/no-such-directory'\nNo such file or directory\n", output)

    def test_every_directive_of_redis_is_known(self):
        """The defaults of the reference, written to a file, start this server."""
        reference = ServerProcess("redis-server")
        self.addCleanup(reference.destroy)
        reference.start()
        with reference.connect() as connection:
            reply = connection.call("CONFIG", "GET", "*")
        values = dict(zip(reply[0::2], reply[1::2]))
        special = (b"save", b"client-output-buffer-limit", b"dir", b"port", b"bind", b"logfile",
                   b"pidfile", b"oom-score-adj-values", b"replicaof", b"slaveof", b"aclfile",
                   b"unixsocket", b"notify-keyspace-events", b"proc-title-template",
                   b"latency-tracking-info-percentiles", b"jemalloc-bg-thread", b"server_cpulist",
                   b"bio_cpulist", b"aof_rewrite_cpulist", b"bgsave_cpulist", b"socket-mark-id",
                   b"unixsocketperm", b"set-proc-title", b"daemonize")
        lines = [f"{name.decode()} {value.decode() or chr(34) * 2}"
                 for name, value in values.items()
                 if name not in special and not name.startswith(b"tls-")]
        server = self.start_server(config="\n".join(sorted(lines)) + "\n")
        self.assert_serves(server)

    @only_aeris("has no such directive")
    def test_the_poller_is_chosen_by_a_directive(self):
        for poller in ("epoll", "poll", "select"):
            with self.subTest(poller=poller):
                server = self.start_server({"event-poller": poller})
                self.assertEqual(server.info("server")["multiplexing_api"], poller)
                connections = [self.connect(server) for _ in range(50)]
                for connection in connections:
                    connection.send_command("PING")
                for connection in connections:
                    self.assertEqual(connection.read_raw(), b"+PONG\r\n")
                connections[0].call("SET", "big", b"x" * (4 << 20))
                self.assertEqual(len(connections[1].call("GET", "big")), 4 << 20)
                self.assertEqual(connections[0].call("SET", "k", "v", "PX", 20), b"OK")
                self.wait_for(lambda: connections[0].call("DBSIZE") == 1, "expiry")
                connections.pop().reset()
                self.assertEqual(server.stop(), 0)


class RenamedCommands(ServerTest):

    def test_renamed_and_removed_commands(self):
        server = self.start_server(config="rename-command FLUSHALL hidden-flush\n"
                                          "rename-command config \"\"\n")
        connection = self.connect(server)
        self.assertTrue(connection.raw("FLUSHALL").startswith(b"-ERR unknown command 'FLUSHALL'"))
        self.assertEqual(connection.raw("hidden-flush"), b"+OK\r\n")
        self.assertTrue(connection.raw("CONFIG", "GET", "*").startswith(b"-ERR unknown command"))


class Rewrite(ServerTest):

    def test_rewrite_needs_a_file(self):
        server = self.start_server()
        with server.connect() as connection:
            self.assertEqual(connection.raw("CONFIG", "REWRITE"),
                             b"-ERR The server is running without a config file\r\n")

    def test_a_rewritten_file_keeps_comments_and_starts_the_same_server(self):
        server = self.new_server(config="# first comment\nhz 20\n\n# about memory\nmaxmemory 1mb\n"
                                        "hash-max-listpack-entries 100\n")
        server.start()
        wanted = {"hz": "77", "maxmemory": "123456789", "maxmemory-policy": "volatile-ttl",
                  "requirepass": "with \"quotes\" and \\ and \t tab", "slowlog-max-len": "5",
                  "client-output-buffer-limit": "normal 1048576 0 0", "timeout": "500",
                  "save": "10 100 60 1000", "notify-keyspace-events": "KEA",
                  "latency-tracking-info-percentiles": "1 50.5 99.99"}
        connection = self.connect(server)
        for name, value in wanted.items():
            self.assertEqual(connection.call("CONFIG", "SET", name, value), b"OK", name)
        self.assertEqual(connection.raw("CONFIG", "REWRITE"), b"+OK\r\n")
        before = connection.call("CONFIG", "GET", "*")
        with open(server.config_path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("# first comment\nhz 77\n\n# about memory\n", text)
        self.assertEqual(len(re.findall("^hz ", text, re.MULTILINE)), 1)
        server.stop()
        server.directives = {}
        server.start()
        connection = self.connect(server)
        self.assertEqual(connection.raw("AUTH", wanted["requirepass"]), b"+OK\r\n")
        after = connection.call("CONFIG", "GET", "*")
        changed = {name: (old, new) for name, old, new in
                   [(name, dict(zip(before[::2], before[1::2]))[name], value)
                    for name, value in zip(after[::2], after[1::2])] if old != new}
        self.assertEqual(changed, {})
        connection.call("CONFIG", "REWRITE")
        with open(server.config_path, encoding="utf-8") as file:
            again = file.read()
        lost = set(text.splitlines()) - set(again.splitlines())
        self.assertEqual({line for line in lost if not line.startswith("user ")}, set())
        self.assertEqual(os.listdir(os.path.dirname(server.config_path)).count("redis.conf"), 1)

    def test_a_relative_file_is_found_again_from_another_directory(self):
        server = self.new_server(config="maxclients 200\n")
        server.directives["dir"] = server.path("data")
        os.mkdir(server.path("data"))
        server.config_path = "redis.conf"  # the process starts beside it
        server.start()
        connection = self.connect(server)
        self.assertEqual(server.info("server")["config_file"], server.path("redis.conf"))
        connection.call("CONFIG", "SET", "maxclients", "300")
        self.assertEqual(connection.call("CONFIG", "REWRITE"), b"OK")
        with open(server.path("redis.conf"), encoding="utf-8") as file:
            self.assertIn("maxclients 300\n", file.read())

    def test_values_at_their_default_are_not_added(self):
        server = self.start_server(config="hz 20\n")
        connection = self.connect(server)
        connection.call("CONFIG", "SET", "hz", "10")
        connection.call("CONFIG", "REWRITE")
        with open(server.config_path, encoding="utf-8") as file:
            text = file.read()
        self.assertNotIn("tcp-keepalive", text)
        self.assertNotIn("maxmemory-samples", text)
