#!/usr/bin/python3
"""Runs Redis's own Tcl suite, unchanged, against a server and compares with the checked-in lists.

  tests/compat/run.py --server build/release/aeris-server
  tests/compat/run.py --server redis-server unit/expire        one file
  tests/compat/run.py --server BINARY --update                 add what passes now to expected/
  tests/compat/run.py --server BINARY --own                    the suite starts the binary itself

expected/UNIT.txt  names that must pass, one a line, as often as they pass. A name of the list that
                   does not pass is a failure; a name that passes beyond the list is printed as new.
skip/UNIT.txt      names that are not run, under a comment with the reason. The suite ends a file at
                   the first error it did not foresee, so what cannot work yet must not start.
A name in neither list runs, and may fail: some tests count on keys that a skipped one leaves.

Every file gets a server of its own, and a time limit; one file runs for each core, since a third of
the time passes in waiting. With --own it gets none: the suite starts the binary in place of its
src/redis-server, as often and with the configuration that a test wants. The lists of that mode are in
own/expected and own/skip; own/not-run.txt has the files that it leaves out. unit/tls runs over TLS,
with certificates that are made below the cache. The last line is `N passed, N failed`.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import os
import pathlib
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import redis_source

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SERVER_START_SECONDS = 20
FILE_SECONDS = 300
NOT_IN_TIME = f"not done within {FILE_SECONDS} s"
# Run with --tls, and the certificates that the suite's own script makes.
TLS_UNITS = ("unit/tls",)
PORTS = 32  # that a workspace may use, and as many below them
# Tests that the suite itself leaves out unless INFO's mem_allocator names jemalloc, which a server
# built for the sanitizers does not.
JEMALLOC_ONLY = {"unit/type/string": ("trim on SET with big value",)}


class Outcome:
    """What one file of the suite did."""

    def __init__(self):
        self.passed = collections.Counter()
        self.errors = []  # (name or "", text): a failed test, or an error outside of one
        self.trouble = ""  # why the file did not end by itself
        self.jemalloc = True  # the server says that this is its allocator
        self.seconds = 0.0


def read_list(path):
    if not path.exists():
        return []
    lines = path.read_text().splitlines()
    return [line for line in lines if line.strip() and not line.startswith("# ")]


class Mode:
    """Where the lists are, and which tests cannot run by what the suite says they need."""

    def __init__(self, folder, tags):
        self.folder, self.tags = folder, tags

    def units(self):
        expected = self.folder / "expected"
        return sorted(str(path.relative_to(expected))[:-len(".txt")]
                      for path in expected.rglob("*.txt"))

    def expected(self, unit):
        return collections.Counter(read_list(self.folder / "expected" / f"{unit}.txt"))

    def skipped(self, unit):
        return read_list(self.folder / "skip" / f"{unit}.txt")

    def add_expected(self, unit, names):
        path = self.folder / "expected" / f"{unit}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(name + "\n" for name in [*read_list(path), *names.elements()]))

    def check_lists(self, unit):
        both = set(self.expected(unit)) & set(self.skipped(unit))
        if both:
            sys.exit(f"{unit}: in expected/ and in skip/: {', '.join(sorted(both))}")


EXTERNAL = Mode(HERE, "-needs:debug -needs:repl -needs:save -large-memory")
# Between the tests of active defragmentation the suite asks DEBUG MALLCTL, so they are left out as a
# whole, and as own/skip lists them.
OWN = Mode(HERE / "own", "-needs:repl -needs:save -large-memory -defrag")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """The server under test, in a directory of its own."""

    def __init__(self, command, directory):
        self.directory = directory
        self.port = free_port()
        self.log = directory / "server.log"
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(directory),
                     "--save", "", "--enable-debug-command", "yes"]
        environment = {"ASAN_OPTIONS": "allocator_may_return_null=1", **os.environ}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*command, *arguments], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, env=environment)
        self.wait_until_ready()

    def wait_until_ready(self):
        deadline = time.monotonic() + SERVER_START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
                    probe.sendall(b"PING\r\n")
                    if probe.recv(16):
                        return
            except OSError:
                time.sleep(0.02)
        self.process.kill()
        sys.exit(f"the server did not start:\n{self.tail(40)}")

    def uses_jemalloc(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as client:
            client.sendall(b"INFO memory\r\nQUIT\r\n")
            text = b"".join(iter(lambda: client.recv(65536), b""))
        return b"mem_allocator:jemalloc" in text

    def tail(self, lines):
        text = self.log.read_text(errors="replace").splitlines()
        return "\n".join("    " + line for line in text[-lines:])

    def stop(self):
        """Ends the server; the reason when it had died, or died of something else than SIGTERM."""
        if self.process.poll() is not None:
            return f"the server died, status {self.process.returncode}"
        self.process.terminate()
        try:
            status = self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return "the server did not end on SIGTERM"
        return "" if status == 0 else f"the server ended with status {status}"


def parse(output):
    """The suite's output as (passed names, errors)."""
    passed, errors = collections.Counter(), []
    block = None
    for line in output.splitlines():
        match = re.match(r"\[([a-z]+)\]: (.*)", line)
        if match is None:
            if re.match(r"\[\d+/\d+ done\]|Killing still|\s+The End", line):
                block = None
            elif block is not None:
                block.append(line)
            continue
        block = None
        status, text = match.groups()
        if status == "ok":
            passed[re.sub(r" \(\d+ ms\)$", "", text)] += 1
        elif status in ("err", "exception"):
            block = [text]
            errors.append(block)
    return passed, [describe_error(block) for block in errors]


def describe_error(block):
    """(test name, text) of one error; an error between tests has no name."""
    name = re.match(r"(.*) in tests/\S+\.tcl$", block[0])
    if name:
        return name.group(1), "\n".join(block[1:])
    running = re.search(r'"test \{?(.+?)\}? \{', "\n".join(block))
    return (running.group(1) if running else ""), "\n".join(block)


class Workspace:
    """A copy of what the suite reads and writes, so that runs side by side do not meet."""

    def __init__(self, source, directory, number):
        self.directory = directory
        # Where the suite looks for ports of its own, apart from those of other workspaces, also
        # those of another run beside this one.
        self.port = 20032 + (os.getpid() + 97 * number) % 150 * 2 * PORTS
        (directory / "src").mkdir(parents=True)
        shutil.copy2(source / "runtest", directory)
        shutil.copytree(source / "tests", directory / "tests", symlinks=True)
        (directory / "tests" / "tmp").mkdir(exist_ok=True)
        for tool in ("redis-cli", "redis-benchmark"):
            path = shutil.which(tool)
            if path is None:
                sys.exit(f"{tool} is missing; tools/dependencies installs it")
            (directory / "src" / tool).symlink_to(path)


def make_certificates(source, cache):
    """The folder that the suite's own script makes as tests/tls; made once."""
    made = cache / "certificates"
    if not (made / "done").exists():
        shutil.rmtree(made, ignore_errors=True)
        (made / "tests" / "tls").mkdir(parents=True)
        # The script looks for a prime of its own for up to a minute; it takes one that is there.
        for command in (["openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt",
                         "group:ffdhe2048", "-out", "tests/tls/redis.dh"],
                        ["bash", str(source / "utils" / "gen-test-certs.sh")]):
            done = subprocess.run(command, cwd=made, stdin=subprocess.DEVNULL, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode != 0:
                sys.exit(f"{' '.join(command)} failed:\n{done.stdout}")
        (made / "done").touch()
    return made / "tests" / "tls"


class Suites:
    """The suite's processes, of all threads; ended all at once when the run is."""

    def __init__(self):
        self.lock = threading.Lock()
        self.running = set()
        self.ended = False

    def run(self, workspace, unit, extra):
        """The suite's output, and whether it ended within its time."""
        command = ["./runtest", "--single", unit, "--durable", "--clients", "1",
                   "--baseport", str(workspace.port), "--portcount", str(PORTS), *extra]
        process = self.start(command, workspace.directory)
        in_time = False
        try:
            output, _ = process.communicate(timeout=FILE_SECONDS)
            in_time = True
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
        finally:
            with self.lock:
                self.running.discard(process)
        return output.decode(errors="replace"), in_time

    def start(self, command, directory):
        with self.lock:
            if self.ended:
                sys.exit("ended")
            process = subprocess.Popen(command, cwd=directory, env=dict(os.environ, TERM="dumb"),
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, start_new_session=True)
            self.running.add(process)
        return process

    def end(self):
        with self.lock:
            self.ended = True
            for process in self.running:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


class Run:
    """What the files of one run share."""

    def __init__(self, mode, command, source, directory, logs, certificates=None):
        self.mode, self.command, self.source = mode, command, source
        self.directory, self.logs, self.certificates = directory, logs, certificates
        self.suites = Suites()

    def workspace(self, number):
        workspace = Workspace(self.source, self.directory / f"suite-{number}", number)
        if self.mode is OWN:
            (workspace.directory / "src" / "redis-server").symlink_to(own_binary(self.command))
        return workspace

    def unit(self, workspace, unit):
        """What the suite does with one file."""
        directory = self.directory / unit.replace("/", "_")
        directory.mkdir()
        skip_file = directory / "skip"
        skip_file.write_text("\n".join(self.mode.skipped(unit)) + "\n")
        options = ["--tags", self.mode.tags, "--skipfile", str(skip_file)]
        begin = time.monotonic()
        run_suite = self.against_own if self.mode is OWN else self.against_external
        outcome, output = run_suite(workspace, unit, directory, options)
        outcome.seconds = time.monotonic() - begin
        outcome.passed, outcome.errors = parse(output)
        if not outcome.trouble and " done]: " + unit not in output:
            outcome.trouble = "the file was left at an error outside of a test"
        (self.logs / (unit.replace("/", "_") + ".log")).write_text(output)
        return outcome

    def against_external(self, workspace, unit, directory, options):
        """One server for all of the file, which the suite is told of."""
        outcome = Outcome()
        server = Server(self.command, directory)
        try:
            outcome.jemalloc = server.uses_jemalloc()
            address = ["--host", "127.0.0.1", "--port", str(server.port)]
            output, in_time = self.suites.run(workspace, unit,
                                              [*address, "--ignore-encoding", *options])
        finally:
            death = server.stop()
        if not in_time:
            outcome.trouble = NOT_IN_TIME
        elif death:
            outcome.trouble = f"{death}\n{server.tail(60)}"
        shutil.copy(server.log, self.logs / (unit.replace("/", "_") + ".server.log"))
        return outcome, output

    def against_own(self, workspace, unit, _, options):
        """The suite starts src/redis-server, and shows the log of one that fails a test."""
        outcome = Outcome()
        tls = []
        if unit in TLS_UNITS:
            shutil.copytree(self.certificates, workspace.directory / "tests" / "tls",
                            dirs_exist_ok=True)
            tls = ["--tls"]
        output, in_time = self.suites.run(workspace, unit, ["--dump-logs", *tls, *options])
        if not in_time:
            outcome.trouble = NOT_IN_TIME
        return outcome, output


def own_binary(command):
    """The binary that takes the place of src/redis-server."""
    path = shutil.which(command[0])
    if len(command) != 1 or path is None:
        sys.exit(f"--own wants a binary without arguments, not {' '.join(command)}")
    return path


def run_units(run, units):
    """Yields (unit, what it did) in order, while others run."""
    jobs = min(os.cpu_count() or 1, len(units))
    free = queue.SimpleQueue()
    for number in range(jobs):
        free.put(run.workspace(number))

    def run_one(unit):
        workspace = free.get()
        try:
            return run.unit(workspace, unit)
        finally:
            free.put(workspace)

    pool = concurrent.futures.ThreadPoolExecutor(jobs)
    try:
        yield from zip(units, pool.map(run_one, units))
    finally:
        # Early, by SIGTERM or an error: nothing new starts, and what runs ends its server.
        pool.shutdown(wait=False, cancel_futures=True)
        run.suites.end()
        pool.shutdown(wait=True)


def print_error(name, text):
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and lines[1].endswith(lines[0]):
        lines = lines[1:]  # the suite cuts ten characters off an error that is no assertion
    print(f"  error in: {name or '(between tests)'}")
    for line in lines[:4]:
        print(f"      {line[:300]}")


def report(unit, expected, outcome):
    """Prints the comparison; returns (passed, failed, new names)."""
    missing = expected - outcome.passed
    new = outcome.passed - expected
    failed = missing.total()
    passed = expected.total() - failed
    if failed == 0 and (outcome.trouble or any(not name for name, _ in outcome.errors)):
        failed = 1  # all listed names passed, and yet the file did not run clean
    print(f"{unit}: {passed} passed, {failed} failed, {new.total()} new ({outcome.seconds:.1f} s)")
    if outcome.trouble:
        print(f"  {outcome.trouble}")
    for name, text in outcome.errors:
        if name and name not in missing:
            print(f"  fails, not listed: {name}")
        else:
            print_error(name, text)
    if passed == 0 and failed > 1:
        print("  none of the listed names passes")
    else:
        for name in missing.elements():
            print(f"  does not pass: {name}")
    for name in new.elements():
        print(f"  new: {name}")
    return passed, failed, new


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True, help="the server's command line")
    parser.add_argument("--cache", type=pathlib.Path, default=ROOT / "build" / "compat")
    parser.add_argument("--logs", type=pathlib.Path, help="default: logs below the cache")
    parser.add_argument("--update", action="store_true", help="add what passes now to expected/")
    parser.add_argument("--own", action="store_true", help="the suite starts the server itself")
    parser.add_argument("units", nargs="*", help="files of the suite, like unit/type/string")
    options = parser.parse_args()

    # Ends through the finally clauses, which end the server.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))

    command = options.server.split()
    if "/" in command[0]:
        command[0] = os.path.abspath(command[0])
    source = redis_source.fetch(options.cache.resolve())
    mode = OWN if options.own else EXTERNAL
    logs = (options.logs or options.cache / ("logs-own" if options.own else "logs")).resolve()
    logs.mkdir(parents=True, exist_ok=True)

    units = options.units or mode.units()
    certificates = None
    if options.own and any(unit in TLS_UNITS for unit in units):
        certificates = make_certificates(source, options.cache.resolve())

    passed = failed = skipped = 0
    with tempfile.TemporaryDirectory(prefix="aeris-compat-") as name:
        run = Run(mode, command, source, pathlib.Path(name), logs, certificates)
        runs = run_units(run, units)
        with contextlib.closing(runs):
            for unit, outcome in runs:
                expected = mode.expected(unit)
                mode.check_lists(unit)
                skipped += len(mode.skipped(unit))
                if not outcome.jemalloc:
                    expected.subtract(JEMALLOC_ONLY.get(unit, ()))
                counts = report(unit, expected, outcome)
                passed, failed = passed + counts[0], failed + counts[1]
                if options.update:
                    mode.add_expected(unit, counts[2])
                sys.stdout.flush()
    print(f"{skipped} tests skipped, logs in {logs}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
