"""Servers under measurement: started fresh, pinned to a core, stopped by their pid."""

import contextlib
import copy
import os
import pathlib
import shlex
import socket
import subprocess
import tempfile
import time

REDIS_ARGUMENTS = " --port {port} --bind 127.0.0.1 --save '' --dir {dir}"
# One thread, and room for every data set that is measured; the rest are its defaults.
MEMCACHED_ARGUMENTS = " -p {port} -l 127.0.0.1 -U 0 -t 1 -m 65536 -c 20000 -u {user}"


class BenchError(Exception):
    """Ends the run with one message: a server or a load went wrong, so there is no result."""


class Command:
    """A server as NAME=COMMAND gives it."""

    def __init__(self, text):
        self.name, _, self.command = text.partition("=")
        words = shlex.split(self.command)
        if not self.name or not words:
            raise ValueError(f"{text!r} is not NAME=COMMAND")
        self.is_memcached = os.path.basename(words[0]) == "memcached"
        self.is_redis = os.path.basename(words[0]) == "redis-server"
        self.protocol = "memcached" if self.is_memcached else "resp"
        if "{port}" not in self.command:
            self.command += MEMCACHED_ARGUMENTS if self.is_memcached else REDIS_ARGUMENTS

    def limited(self, mebibytes):
        """The same server with so much memory for its data: in place of {limit}, or as an argument
        at its end, where it overrides an earlier one."""
        result = copy.copy(self)
        if "{limit}" not in self.command:
            result.command += " -m {limit}" if self.is_memcached else " --maxmemory {limit}mb"
        result.command = result.command.replace("{limit}", str(mebibytes))
        return result

    def words(self, port, directory):
        user = os.environ.get("USER") or "root" if os.geteuid() else "root"
        text = self.command.replace("{port}", str(port)).replace("{dir}", str(directory))
        return shlex.split(text.replace("{user}", user))


class Server:
    """A running server. Use it in a `with`, which stops it."""

    def __init__(self, command, core):
        self.name, self.protocol = command.name, command.protocol
        self.folder = tempfile.TemporaryDirectory(prefix=f"aeris-bench-{self.name}-")
        directory = pathlib.Path(self.folder.name)
        self.port = free_port()
        self.log = directory / "log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [*pinned(core), *command.words(self.port, directory)], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)
        self.wait_until_ready()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_until_ready(self):
        question, answer = ("version", "VERSION") if self.protocol == "memcached" else ("PING", "+")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.ask(question).startswith(answer):
                    return
            except OSError:
                time.sleep(0.05)
        text = self.log.read_text(errors="replace")[-2000:]
        self.stop()
        raise BenchError(f"{self.name} did not start:\n{text}")

    def ask(self, command, last="\r\n"):
        """The reply to an inline command, up to the end of a line or to `last`."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(command.encode() + b"\r\n")
            reply = b""
            while not reply.endswith(last.encode()):
                part = connection.recv(1 << 16)
                if not part:
                    raise ConnectionError(f"{self.name} closed the connection")
                reply += part
            return reply.decode().strip()

    def key_count(self):
        if self.protocol == "memcached":
            items = [line.split()[2] for line in self.ask("stats", "END\r\n").splitlines()
                     if line.startswith("STAT curr_items ")]
            return int(items[0])
        return int(self.ask("DBSIZE").removeprefix(":"))

    def info(self, field):
        """A number of INFO, by Redis's protocol."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection, \
                connection.makefile("rwb") as stream:
            stream.write(b"INFO\r\n")
            stream.flush()
            size = int(stream.readline().decode().removeprefix("$"))
            text = stream.read(size).decode()
        return int(dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)[field])

    def cpu_seconds(self):
        """User and system time of all its threads, from the process's CPU clock."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return parse_resident(status)

    def settled_resident_bytes(self, seconds_max):
        """Resident memory when it has not changed for some seconds, or after `seconds_max`: what
        a server does after a burst (rehashing, giving pages back) is done by then."""
        seen = [self.resident_bytes()]
        for _ in range(seconds_max):
            time.sleep(1)
            seen.append(self.resident_bytes())
            if len(seen) > 3 and max(seen[-4:]) - min(seen[-4:]) <= seen[-1] // 2000:
                break
        return seen[-1]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()


@contextlib.contextmanager
def started(commands, core):
    """All of them, in a list."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Server(command, core)) for command in commands]


def parse_resident(status):
    """Bytes, from the text of /proc/PID/status."""
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise BenchError("a server has no resident memory any more: it ended")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pinned(core):
    """The words that pin a command to a core; none where there is only one."""
    return ["taskset", "-c", str(core)] if len(os.sched_getaffinity(0)) > 1 else []
