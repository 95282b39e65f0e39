"""redis-cli in every mode that a person uses with a cache."""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from case import ServerTest


class RedisCli(ServerTest):
    shared_directives = {}

    def setUp(self):
        super().setUp()
        with self.server.connect() as connection:
            connection.call("FLUSHALL")

    def command(self, *arguments):
        return ["redis-cli", "-p", str(self.server.port), *map(str, arguments)]

    def run_cli(self, *arguments, text=None, seconds=60):
        """Output and error output of one invocation that ends by itself."""
        done = subprocess.run(self.command(*arguments), input=text, capture_output=True,
                              timeout=seconds, check=False)
        return done.stdout.decode(), done.stderr.decode(), done.returncode

    def run_until(self, condition, *arguments, seconds=30):
        """A mode that never ends: its output until `condition` holds of it, on a terminal, since
        some modes show nothing without one."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvp("redis-cli", self.command(*arguments))
        text = ""
        try:
            deadline = time.monotonic() + seconds
            while not condition(text):
                ready, _, _ = select.select([terminal], [], [], deadline - time.monotonic())
                if not ready:
                    self.fail(f"{arguments} printed only {text!r}")
                try:
                    text += os.read(terminal, 65536).decode("utf-8", "replace")
                except OSError:
                    self.fail(f"{arguments} ended after {text!r}")
        finally:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            os.close(terminal)
        return text

    def fill(self, count):
        with self.server.connect() as connection:
            connection.pipeline([("SET", f"key:{index}", "v" * (index % 100))
                                 for index in range(count)])

    def test_one_shot_commands(self):
        self.assertEqual(self.run_cli("SET", "k", "hello world"), ("OK\n", "", 0))
        self.assertEqual(self.run_cli("GET", "k")[0], "hello world\n")
        self.assertEqual(self.run_cli("GET", "none")[0], "\n")
        self.assertEqual(self.run_cli("--no-raw", "GET", "none")[0], "(nil)\n")
        self.assertEqual(self.run_cli("--no-raw", "INCR", "n")[0], "(integer) 1\n")
        self.assertEqual(self.run_cli("--no-raw", "MGET", "k", "none")[0],
                         '1) "hello world"\n2) (nil)\n')
        self.assertIn("ERR unknown command", self.run_cli("NOSUCH")[0])
        self.assertEqual(self.run_cli("-e", "NOSUCH")[2], 1)
        self.assertEqual(self.run_cli("-n", 5, "DBSIZE")[0], "0\n")
        self.assertEqual(self.run_cli("-r", 3, "INCR", "r")[0], "1\n2\n3\n")
        self.assertEqual(self.run_cli("--csv", "MGET", "k", "none")[0], '"hello world",NULL\n')
        self.assertEqual(self.run_cli("-x", "SET", "k", text=b"from stdin")[0], "OK\n")
        self.assertEqual(self.run_cli("GET", "k")[0], "from stdin\n")

    def test_resp3(self):
        hello = self.run_cli("-3", "HELLO")[0]
        self.assertRegex(hello, r"proto 3|proto\n3")
        self.assertRegex(self.run_cli("-3", "--no-raw", "CONFIG", "GET", "maxmemory")[0],
                         r'1# "maxmemory" => "0"')
        self.assertEqual(self.run_cli("-3", "--no-raw", "GET", "none")[0], "(nil)\n")
        self.assertEqual(self.run_cli("-3", "--json", "CONFIG", "GET", "hz")[0], '{"hz":"10"}\n')
        self.assertEqual(self.run_cli("-3", "SET", "k", "v")[0], "OK\n")

    def test_commands_from_standard_input(self):
        output, _, status = self.run_cli(text=b"SET a 1\nINCR a\nGET a\n")
        self.assertEqual((output, status), ("OK\n2\n2\n", 0))

    def test_interactive_with_hints_from_command_docs(self):
        def interact(terminal, text, expected):
            os.write(terminal, text)
            raw, seen = "", ""
            deadline = time.monotonic() + 20
            if text.endswith(b"\r"):
                # What is typed before the next prompt would be thrown away by the line editor.
                expected += rf".*{self.server.port}(\[\d+\])?> "
            while not re.search(expected, seen, re.DOTALL):
                ready, _, _ = select.select([terminal], [], [], max(deadline - time.monotonic(), 0))
                if not ready:
                    self.fail(f"typed {text!r}, waited for {expected!r}, saw {seen!r}")
                raw += os.read(terminal, 65536).decode("utf-8", "replace")
                seen = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", raw)  # without colours and moves
            return seen

        pid, terminal = pty.fork()
        if pid == 0:
            os.environ.update(TERM="xterm", REDISCLI_HISTFILE="/dev/null")
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
            os.execvp("redis-cli", self.command())
        try:
            interact(terminal, b"", rf"127\.0\.0\.1:{self.server.port}>")
            interact(terminal, b"GETRANGE ", r"key start end")
            interact(terminal, b"k 0 -1\r", r'""')
            interact(terminal, b"SET mykey ", r"value \[NX\|XX\] \[GET\]")
            interact(terminal, b"hello\r", r"OK")
            interact(terminal, b"CLIENT KI\t", r"(?i)client kill")
            interact(terminal, b"\x15GET mykey\r", r'"hello"')
            self.assertIn("[3]> ", interact(terminal, b"SELECT 3\r", r"OK"))
            interact(terminal, b"HELLO 3\r", r"proto.*\(integer\) 3")
            interact(terminal, b"help getex\r", r"GETEX key .*since: 6\.2\.0.*group: string")
            os.write(terminal, b"quit\r")
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
            pid = None
        finally:
            if pid:
                os.kill(pid, 9)
                os.waitpid(pid, 0)
            os.close(terminal)

    def test_stat(self):
        self.fill(10)
        text = self.run_until(lambda seen: seen.count("\n") >= 6, "--stat", "-i", "0.1")
        self.assertIn("keys", text.split("\n")[0] + text.split("\n")[1])
        self.assertRegex(text, r"\n10 +[0-9.]+[KMG] ")

    def test_latency(self):
        text = self.run_until(lambda seen: re.search(r"avg: [0-9.]+ \((\d\d+) samples\)", seen),
                              "--latency")
        self.assertRegex(text, r"min: \d+, max: \d+, avg: ")

    def test_latency_history(self):
        text = self.run_until(lambda seen: seen.count("seconds range") >= 2,
                              "--latency-history", "-i", "1")
        self.assertRegex(text, r"max: \d+, avg: [0-9.]+ \(\d+ samples\) -- 1\.\d+ seconds")

    def test_latency_dist(self):
        self.run_until(lambda seen: len(seen) > 500, "--latency-dist", "-i", "1")

    def test_bigkeys(self):
        self.fill(1000)
        with self.server.connect() as connection:
            connection.call("SET", "the big one", "x" * 50000)
        output, _, status = self.run_cli("--bigkeys")
        self.assertEqual(status, 0)
        self.assertIn("Sampled 1001 keys in the keyspace!", output)
        self.assertIn("Biggest string found '\"the big one\"' has 50000 bytes", output)
        self.assertIn("1001 strings with 99500 bytes (100.00% of keys", output)

    def test_memkeys(self):
        self.fill(500)
        with self.server.connect() as connection:
            connection.call("SET", "the big one", "x" * 50000)
        output, _, status = self.run_cli("--memkeys")
        self.assertEqual(status, 0)
        self.assertIn("Sampled 501 keys in the keyspace!", output)
        found = re.search(r"Biggest string found '\"the big one\"' has (\d+) bytes", output)
        self.assertTrue(found, output)
        self.assertTrue(50000 <= int(found.group(1)) <= 70000, found.group(1))

    def test_hotkeys_under_every_policy(self):
        self.fill(1000)
        with self.server.connect() as connection:
            self.addCleanup(connection.close)
            connection.pipeline([("GET", "key:7")] * 20000)
            for policy in ("noeviction", "allkeys-lru", "volatile-ttl"):
                connection.call("CONFIG", "SET", "maxmemory-policy", policy)
                output, errors, status = self.run_cli("--hotkeys")
                self.assertEqual((errors, status), ("", 0), policy)
                self.assertIn("Sampled 1000 keys in the keyspace!", output)
                first = re.search(r"hot key found with counter: (\d+)\tkeyname: (.*)", output)
                self.assertTrue(first, output)
                self.assertEqual(first.group(2), '"key:7"')
                self.assertGreater(int(first.group(1)), 30)
            connection.call("CONFIG", "SET", "maxmemory-policy", "noeviction")

    def test_scan(self):
        self.fill(2000)
        output, _, _ = self.run_cli("--scan")
        self.assertEqual(sorted(output.split()), sorted(f"key:{index}" for index in range(2000)))
        output, _, _ = self.run_cli("--scan", "--pattern", "key:1?")
        self.assertEqual(sorted(output.split()), [f"key:{index}" for index in range(10, 20)])
        self.assertEqual(self.run_cli("--scan", "--pattern", "nothing*")[0], "")

    def test_pipe_with_a_million_keys(self):
        count = 100000 if self.light else 1000000
        data = b"".join(b"*3\r\n$3\r\nSET\r\n$%d\r\nkey:%d\r\n$5\r\nvalue\r\n"
                        % (4 + len(b"%d" % index), index) for index in range(count))
        output, errors, status = self.run_cli("--pipe", text=data, seconds=200)
        self.assertEqual(status, 0, output + errors)
        self.assertIn(f"errors: 0, replies: {count}", output)
        with self.server.connect() as connection:
            self.assertEqual(connection.call("DBSIZE"), count)
            self.assertEqual(connection.call("GET", f"key:{count - 1}"), b"value")
            connection.call("FLUSHALL", "ASYNC")

    def test_pipe_counts_errors(self):
        output, errors, status = self.run_cli("--pipe", text=b"SET a b\r\nINCR a\r\nGET a\r\n")
        self.assertIn("errors: 1, replies: 3", output)
        self.assertIn("ERR value is not an integer", output + errors)
        self.assertEqual(status, 1)

    def test_intrinsic_latency_needs_no_server(self):
        output, _, status = self.run_cli("--intrinsic-latency", 1)
        self.assertEqual(status, 0)
        self.assertRegex(output, r"total runs \(avg latency: ")

    def test_monitor_mode(self):
        with self.server.connect() as connection:
            seen = self.run_until(
                lambda text: "watched" in text or connection.call("SET", "watched", "1") is None,
                "MONITOR")
        self.assertRegex(seen, r'\d+\.\d{6} \[0 127\.0\.0\.1:\d+\] "SET" "watched" "1"')

    def test_password_and_user(self):
        server = self.start_server({"requirepass": "secret"})
        base = ["redis-cli", "-p", str(server.port)]

        def output(*arguments):
            return subprocess.run(base + list(arguments), capture_output=True, text=True,
                                  timeout=30, check=False).stdout
        self.assertIn("NOAUTH", output("GET", "k"))
        self.assertEqual(output("-a", "secret", "--no-auth-warning", "PING"), "PONG\n")
        self.assertEqual(output("--user", "default", "--pass", "secret", "--no-auth-warning",
                                "-3", "PING"), "PONG\n")

    def test_shutdown_ends_server_and_client_cleanly(self):
        server = self.start_server()
        done = subprocess.run(["redis-cli", "-p", str(server.port), "SHUTDOWN", "NOSAVE"],
                              capture_output=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(server.process.wait(20), 0)
