"""One server process under test: started on a port of the kernel's choice, always stopped by pid.

The binary may be aeris-server or Debian's redis-server; both take the same command line, which is
what makes every test here checkable against the original.
"""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from wire import Connection

READY_SECONDS = 30.0  # a sanitizer build on a busy machine
STOP_SECONDS = 30.0
SANITIZER_MARKS = (b"ERROR: AddressSanitizer", b"ERROR: LeakSanitizer", b"runtime error: ")
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class ServerFailed(Exception):
    """The server did not start, did not stop, or a sanitizer complained."""


def wait_for(condition, what, seconds=10.0, interval=0.005):
    """Polls `condition` until it gives something true, which is returned. Fails loudly after
    `seconds`; no test waits for a fixed time where a condition can be awaited."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for: {what}")
        time.sleep(interval)


def free_port(address="127.0.0.1"):
    """A TCP port that was free a moment ago, chosen by the kernel."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


def is_aeris(binary):
    """Whether the binary is ours: documented differences are asserted for ours only."""
    version = subprocess.run([binary, "--version"], capture_output=True, timeout=30, check=False)
    return b"aeris" in version.stdout.lower() or "aeris" in os.path.basename(binary)


def is_sanitized(binary):
    """Whether a sanitizer keeps the memory: it needs addresses of its own, and frees late."""
    with open(shutil.which(binary) or binary, "rb") as file:
        return b"__asan_init" in file.read()


class ServerProcess:
    """start(), stop(), restart() on the same port; rss() and cpu_seconds() read /proc.

    `directives` become `--name value` arguments; a value may be a list of words. Whatever a test
    does not name has the defaults below: loopback, no saving, a temporary directory of its own.
    """

    def __init__(self, binary, directives=None, config=None, stdin=None, env=None, preexec=None,
                 command_prefix=()):
        self.binary = os.path.abspath(binary) if os.sep in binary else binary
        self.directory = tempfile.mkdtemp(prefix="aeris-test-")
        self.port = free_port()
        self.directives = {"port": self.port, "bind": "127.0.0.1", "save": "",
                           "dir": self.directory}
        self.directives.update(directives or {})
        self.config_path = None
        if config is not None:
            self.config_path = os.path.join(self.directory, "redis.conf")
            with open(self.config_path, "w", encoding="utf-8") as file:
                file.write(config)
        self.stdin_text = stdin
        self.env = env
        self.preexec = preexec
        self.command_prefix = list(command_prefix)
        self.output_path = os.path.join(self.directory, "output.txt")
        self.process = None

    # -- life ------------------------------------------------------------------------------------

    def command(self):
        line = self.command_prefix + [self.binary]
        if self.stdin_text is not None:
            line.append("-")
        elif self.config_path:
            line.append(self.config_path)
        for name, value in self.directives.items():
            if value is None:
                continue
            words = value if isinstance(value, (list, tuple)) else [value]
            line += [f"--{name}"] + [str(word) for word in words]
        return line

    def spawn(self):
        """Starts the process without waiting for it to be ready."""
        output = open(self.output_path, "ab")
        self.process = subprocess.Popen(
            self.command(), stdout=output, stderr=output, env=self.env, preexec_fn=self.preexec,
            stdin=subprocess.PIPE if self.stdin_text is not None else subprocess.DEVNULL,
            cwd=self.directory)
        output.close()
        if self.stdin_text is not None:
            self.process.stdin.write(self.stdin_text.encode())
            self.process.stdin.close()
        return self

    def start(self):
        self.spawn()
        self.wait_ready()
        return self

    def wait_ready(self):
        def answers():
            if self.process.poll() is not None:
                raise ServerFailed(f"exit status {self.process.returncode} at start: "
                                   f"{' '.join(self.command())}\n{self.output()[-3000:]}")
            try:
                with self.connect(timeout=5) as connection:
                    connection.send_command("PING")
                    return connection.read_reply() is not None
            except (OSError, EOFError):
                return False
        wait_for(answers, "the server to answer", READY_SECONDS)

    def connect(self, timeout=30.0, **options):
        """A raw connection to the port, or to the unix socket when there is no port."""
        if str(self.directives.get("port")) == "0":
            return Connection.unix(self.directives["unixsocket"], timeout, **options)
        return Connection.tcp("127.0.0.1", self.port, timeout, **options)

    def stop(self, sig=signal.SIGTERM):
        """Ends the process by its pid and returns its exit status; complains when a sanitizer did.
        """
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(sig)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise ServerFailed(f"did not stop within {STOP_SECONDS} s after signal {sig}:\n"
                                   f"{self.output()[-3000:]}") from None
        status = self.process.returncode
        output = self.output_bytes()
        for mark in SANITIZER_MARKS:
            if mark in output:
                raise ServerFailed(output[output.index(mark):][:6000].decode("utf-8", "replace"))
        return status

    def restart(self):
        """Stops and starts again on the same port with the same command line."""
        self.stop()
        return self.start()

    def destroy(self):
        """stop(), then removes the directory; kills when stopping fails."""
        try:
            self.stop()
        finally:
            if self.process is not None and self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.destroy()

    # -- observation -----------------------------------------------------------------------------

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def path(self, name):
        return os.path.join(self.directory, name)

    def output_bytes(self):
        try:
            with open(self.output_path, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return b""

    def output(self):
        return self.output_bytes().decode("utf-8", "replace")

    def rss(self):
        """Resident bytes of the process."""
        return self._status_bytes("VmRSS:")

    def peak_rss(self):
        """The most that they have been."""
        return self._status_bytes("VmHWM:")

    def _status_bytes(self, name):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith(name):
                    return int(line.split()[1]) * 1024
        raise ServerFailed(f"no {name}")

    def cpu_seconds(self):
        """User and system time that the process has used."""
        with open(f"/proc/{self.pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    def info(self, *sections):
        """INFO as a dictionary of texts."""
        with self.connect() as connection:
            text = connection.call("INFO", *sections)
        return parse_info(text)


def parse_info(text):
    """Field names and values of an INFO reply, section headings left out."""
    fields = {}
    for line in bytes(text).decode("utf-8", "replace").split("\r\n"):
        if line and not line.startswith("#"):
            name, _, value = line.partition(":")
            fields[name] = value
    return fields
