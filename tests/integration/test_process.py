"""The process as an operator sees it: signals, daemon, log, crash, readiness."""
import os
import re
import signal
import socket
import subprocess
import time

from case import ServerTest, Settings
from server import wait_for
from wire import encode

LOG_LINE = re.compile(r"\d+:[MCSX] \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
                      r"\d\d:\d\d:\d\d\.\d{3} [.\-*#] \S")


class Signals(ServerTest):

    def test_term_and_int_end_the_server_cleanly(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number):
                server = self.start_server()
                connection = self.connect(server)
                connection.call("SET", "k", "v")
                self.assertEqual(server.stop(number), 0)
                self.assertEqual(connection.read_to_end(), b"")
                self.assertIn("User requested shutdown", server.output())

    def test_the_unix_socket_and_pid_file_are_removed(self):
        server = self.new_server()
        server.directives.update(unixsocket=server.path("s.sock"), pidfile=server.path("s.pid"))
        server.start()
        with open(server.path("s.pid"), encoding="ascii") as file:
            self.assertEqual(int(file.read()), server.pid)
        self.assertTrue(os.path.exists(server.path("s.sock")))
        self.assertEqual(server.stop(), 0)
        self.assertFalse(os.path.exists(server.path("s.pid")))
        self.assertFalse(os.path.exists(server.path("s.sock")))

    def test_shutdown_command(self):
        for words in (("NOSAVE",), (), ("SAVE",), ("NOSAVE", "NOW", "FORCE")):
            with self.subTest(words=words):
                if words == ("SAVE",) and Settings.aeris:
                    continue  # nothing to save to yet
                server = self.start_server()
                connection = self.connect(server)
                connection.send_command("SHUTDOWN", *words)
                self.assertEqual(connection.read_to_end(), b"")
                self.assertEqual(server.process.wait(20), 0)

    def test_hang_up_and_broken_pipe_are_ignored(self):
        server = self.start_server()
        os.kill(server.pid, signal.SIGHUP)
        os.kill(server.pid, signal.SIGPIPE)
        self.assert_serves(server)

    def test_term_under_traffic(self):
        server = self.start_server()
        connections = [self.connect(server) for _ in range(20)]
        for connection in connections:
            connection.send(encode("SET", "k", "x" * 1000) * 200)
        self.assertEqual(server.stop(), 0)


class Daemon(ServerTest):

    def test_daemonize_with_pid_file_and_log_file(self):
        server = self.new_server({"daemonize": "yes"})
        server.directives.update(pidfile=server.path("d.pid"), logfile=server.path("d.log"))
        done = subprocess.run(server.command(), timeout=30, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

        def daemon_pid():
            try:
                with open(server.path("d.pid"), encoding="ascii") as file:
                    return int(file.read() or 0)
            except FileNotFoundError:
                return 0
        pid = self.wait_for(daemon_pid, "the pid file")
        try:
            def answers():
                try:
                    with server.connect() as connection:
                        return connection.raw("PING") == b"+PONG\r\n"
                except OSError:
                    return False
            self.wait_for(answers, "the daemon to answer")
            self.assertEqual(os.getsid(pid), pid)  # a session of its own, no terminal
            for descriptor in (0, 1, 2):
                self.assertEqual(os.readlink(f"/proc/{pid}/fd/{descriptor}"), "/dev/null")
        finally:
            os.kill(pid, signal.SIGTERM)
        self.wait_for(lambda: not os.path.exists(f"/proc/{pid}") or is_zombie(pid), "its end", 20)
        with open(server.path("d.log"), encoding="utf-8") as file:
            self.assertIn("ready to accept connections", file.read().lower())
        self.assertFalse(os.path.exists(server.path("d.pid")))

    def test_a_log_file_that_cannot_be_opened_stops_the_start(self):
        server = self.new_server({"logfile": "/proc/no-such-directory/log"})
        server.spawn()
        self.assertEqual(server.process.wait(30), 1)
        self.assertRegex(server.output(), r"(?i)can't open the log file|No such file or directory")


def is_zombie(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


class Log(ServerTest):

    def test_every_line_has_the_format_of_redis(self):
        server = self.start_server({"loglevel": "debug"})
        with server.connect() as connection:
            connection.raw("PING")
        server.stop()
        # Redis writes one line from inside its signal handler, in a format of its own.
        lines = [line for line in server.output().splitlines()
                 if line and ":signal-handler (" not in line]
        self.assertGreater(len(lines), 3)
        for line in lines:
            self.assertRegex(line, LOG_LINE)
        self.assertTrue(any(line.startswith(f"{server.pid}:M ") for line in lines))

    def test_readiness_is_announced(self):
        server = self.start_server()
        self.assertRegex(server.output(), rf"(?m)^{server.pid}:M .* \* .*[Rr]eady to accept "
                                          r"connections")

    def test_port_and_process_are_shown_at_the_start(self):
        shown = self.start_server({"always-show-logo": "yes"})
        self.assertRegex(shown.output(), rf"Port: {shown.port}\n.* PID: {shown.pid}\n")
        brief = self.start_server()
        self.assertIn(f"Running mode=standalone, port={brief.port}.", brief.output())
        self.assertNotIn("PID:", brief.output())

    def test_levels(self):
        server = self.start_server({"loglevel": "warning"})
        server.stop()
        self.assertNotRegex(server.output(), r"\d{3} [*.\-] ")
        server = self.start_server({"loglevel": "verbose"})
        with server.connect() as connection:
            connection.raw("PING")
        self.wait_for(lambda: re.search(r"\d{3} - .*Accepted 127\.0\.0\.1:\d+", server.output()),
                      "the line of a new connection")

    def test_a_level_can_be_changed_while_running(self):
        server = self.start_server({"loglevel": "warning"})
        with server.connect() as connection:
            self.assertEqual(connection.call("CONFIG", "SET", "loglevel", "verbose"), b"OK")
            self.connect(server).raw("PING")
            self.wait_for(lambda: "Accepted" in server.output(), "the line of a new connection")

    def test_client_text_cannot_forge_a_line(self):
        server = self.start_server({"loglevel": "debug"})
        with server.connect() as connection:
            connection.call("CONFIG", "SET", "appendonly\r\n1:M 01 Jan 2000 forged", "x")
            connection.call("x\r\n1:M 01 Jan 2000 00:00:00.000 * forged")
            connection.send(b"*1\r\n:\n1:M 01 Jan 2000 00:00:00.000 * forged\r\n")
            connection.read_to_end()
        server.stop()
        self.assertNotRegex(server.output(), r"(?m)^1:M 01 Jan 2000")


class Crash(ServerTest):

    def crashed(self, *command):
        server = self.start_server({"enable-debug-command": "yes"})
        with server.connect() as connection:
            connection.call("CLIENT", "SETNAME", "the-culprit")
            connection.send_command(*command)
            connection.read_to_end()
        server.process.wait(30)
        return server

    def test_a_crash_logs_stack_trace_client_and_command(self):
        server = self.crashed("DEBUG", "SEGFAULT")
        self.assertNotEqual(server.process.returncode, 0)
        output = server.output()
        if "AddressSanitizer" in output:
            self.skipTest("the sanitizer's handler reports instead")
        self.assertEqual(-server.process.returncode, signal.SIGSEGV)
        self.assertRegex(output, r"crashed by signal: 11")
        self.assertIn("STACK TRACE", output)
        self.assertIn("name=the-culprit", output)
        self.assertRegex(output, r"(?i)argv\[0\]: .*debug")
        self.assertRegex(output, r"(?i)argv\[1\]: .*segfault")
        frames = re.findall(r"(?m)^\S+\((\S*\+)?0x[0-9a-f]+\) ?\[0x[0-9a-f]+\]", output)
        self.assertGreater(len(frames),
                           2, "frames of the stack")

    def test_debug_is_refused_without_the_directive(self):
        server = self.start_server()
        with server.connect() as connection:
            raw = connection.raw("DEBUG", "SEGFAULT")
        self.assertTrue(raw.startswith(b"-ERR DEBUG command not allowed."), raw)
        self.assert_serves(server)


class Readiness(ServerTest):

    def test_systemd_is_told_through_its_socket(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            server = self.new_server({"supervised": "systemd"})
            notify.bind(server.path("notify"))
            notify.settimeout(20)
            server.env = dict(os.environ, NOTIFY_SOCKET=server.path("notify"))
            server.start()
            messages = b""
            while b"READY=1" not in messages:
                messages += notify.recv(4096) + b"\n"
            self.assertEqual(server.stop(), 0)
            while b"STOPPING=1" not in messages:
                messages += notify.recv(4096) + b"\n"

    def test_auto_detection_finds_systemd(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            server = self.new_server({"supervised": "auto"})
            notify.bind(server.path("notify"))
            notify.settimeout(20)
            server.env = dict(os.environ, NOTIFY_SOCKET=server.path("notify"))
            server.start()
            messages = b""
            while b"READY=1" not in messages:
                messages += notify.recv(4096) + b"\n"

    def test_without_a_socket_it_starts_all_the_same(self):
        server = self.start_server({"supervised": "auto"})
        self.assert_serves(server)


class Idle(ServerTest):

    def test_an_idle_server_uses_almost_no_time(self):
        server = self.start_server()
        connections = [self.connect(server) for _ in range(100)]
        connections[0].raw("PING")
        before = server.cpu_seconds()
        time.sleep(2.0)  # the idle window that is measured
        self.assertLess(server.cpu_seconds() - before, 0.3)

    def test_statistics_follow_the_traffic(self):
        server = self.start_server()
        with server.connect() as connection:
            for _ in range(50):
                connection.pipeline([("SET", "k", "v")] * 100)
            wait_for(lambda: int(server.info("stats")["instantaneous_ops_per_sec"]) > 0 or
                     connection.pipeline([("GET", "k")] * 100) is None, "operations per second")
            fields = server.info()
            self.assertGreaterEqual(int(fields["total_commands_processed"]), 5000)
            self.assertGreaterEqual(int(fields["used_memory_peak"]), int(fields["used_memory"]))
            self.assertGreater(int(fields["used_memory_rss"]), 1 << 20)
            self.assertGreaterEqual(int(fields["keyspace_hits"]), 0)
