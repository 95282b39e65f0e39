#!/usr/bin/python3
"""Runs Redis's own Tcl suite, unchanged, against a server and compares with the checked-in lists.

  tests/compat/run.py --server build/release/aeris-server
  tests/compat/run.py --server redis-server unit/expire        one file
  tests/compat/run.py --server BINARY --update                 add what passes now to expected/

expected/UNIT.txt  names that must pass, one a line, as often as they pass. A name of the list that
                   does not pass is a failure; a name that passes beyond the list is printed as new.
skip/UNIT.txt      names that are not run, under a comment with the reason. The suite ends a file at
                   the first error it did not foresee, so what cannot work yet must not start.
A name in neither list runs, and may fail: some tests count on keys that a skipped one leaves.

Every file gets a server of its own, and a time limit; one file runs for each core, since a third of
the time passes in waiting. The last line is `N passed, N failed`.
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
TAGS = "-needs:debug -needs:repl -needs:save -large-memory"
SERVER_START_SECONDS = 20
FILE_SECONDS = 300
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


def units():
    folder = HERE / "expected"
    return sorted(str(path.relative_to(folder))[:-len(".txt")] for path in folder.rglob("*.txt"))


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
        self.port = 20032 + (os.getpid() + 97 * number) % 300 * 32
        (directory / "src").mkdir(parents=True)
        shutil.copy2(source / "runtest", directory)
        shutil.copytree(source / "tests", directory / "tests", symlinks=True)
        (directory / "tests" / "tmp").mkdir(exist_ok=True)
        for tool in ("redis-cli", "redis-benchmark"):
            path = shutil.which(tool)
            if path is None:
                sys.exit(f"{tool} is missing; tools/dependencies installs it")
            (directory / "src" / tool).symlink_to(path)


class Suites:
    """The suite's processes, of all threads; ended all at once when the run is."""

    def __init__(self):
        self.lock = threading.Lock()
        self.running = set()
        self.ended = False

    def run(self, workspace, unit, port, extra):
        """The suite's output, and whether it ended within its time."""
        command = ["./runtest", "--host", "127.0.0.1", "--port", str(port), "--single", unit,
                   "--ignore-encoding", "--durable", "--baseport", str(workspace.port),
                   "--tags", TAGS, *extra]
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


def run_unit(command, suites, workspace, unit, directory, log_directory):
    directory.mkdir()
    skip_file = directory / "skip"
    skip_file.write_text("\n".join(read_list(HERE / "skip" / f"{unit}.txt")) + "\n")
    outcome = Outcome()
    begin = time.monotonic()
    server = Server(command, directory)
    try:
        outcome.jemalloc = server.uses_jemalloc()
        output, in_time = suites.run(workspace, unit, server.port,
                                     ["--skipfile", str(skip_file)])
    finally:
        death = server.stop()
    outcome.seconds = time.monotonic() - begin
    outcome.passed, outcome.errors = parse(output)
    if not in_time:
        outcome.trouble = f"not done within {FILE_SECONDS} s"
    elif death:
        outcome.trouble = f"{death}\n{server.tail(60)}"
    elif " done]: " + unit not in output:
        outcome.trouble = "the file was left at an error outside of a test"
    log = log_directory / (unit.replace("/", "_") + ".log")
    log.write_text(output)
    shutil.copy(server.log, log.with_suffix(".server.log"))
    return outcome


def run_units(command, units, source, directory, log_directory):
    """Yields (unit, what it did) in order, while others run."""
    jobs = min(os.cpu_count() or 1, len(units))
    suites, free = Suites(), queue.SimpleQueue()
    for number in range(jobs):
        free.put(Workspace(source, directory / f"suite-{number}", number))

    def run_one(unit):
        workspace = free.get()
        try:
            return run_unit(command, suites, workspace, unit, directory / unit.replace("/", "_"),
                            log_directory)
        finally:
            free.put(workspace)

    pool = concurrent.futures.ThreadPoolExecutor(jobs)
    try:
        yield from zip(units, pool.map(run_one, units))
    finally:
        # Early, by SIGTERM or an error: nothing new starts, and what runs ends its server.
        pool.shutdown(wait=False, cancel_futures=True)
        suites.end()
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


def update(unit, new):
    path = HERE / "expected" / f"{unit}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(name + "\n" for name in [*read_list(path), *new.elements()]))


def check_lists(unit, expected):
    both = set(expected) & set(read_list(HERE / "skip" / f"{unit}.txt"))
    if both:
        sys.exit(f"{unit}: in expected/ and in skip/: {', '.join(sorted(both))}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True, help="the server's command line")
    parser.add_argument("--cache", type=pathlib.Path, default=ROOT / "build" / "compat")
    parser.add_argument("--logs", type=pathlib.Path, help="default: logs below the cache")
    parser.add_argument("--update", action="store_true", help="add what passes now to expected/")
    parser.add_argument("units", nargs="*", help="files of the suite, like unit/type/string")
    options = parser.parse_args()

    # Ends through the finally clauses, which end the server.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))

    command = options.server.split()
    if "/" in command[0]:
        command[0] = os.path.abspath(command[0])
    source = redis_source.fetch(options.cache.resolve())
    logs = (options.logs or options.cache / "logs").resolve()
    logs.mkdir(parents=True, exist_ok=True)

    passed = failed = skipped = 0
    with tempfile.TemporaryDirectory(prefix="aeris-compat-") as name:
        directory = pathlib.Path(name)
        runs = run_units(command, options.units or units(), source, directory, logs)
        with contextlib.closing(runs):
            for unit, outcome in runs:
                expected = collections.Counter(read_list(HERE / "expected" / f"{unit}.txt"))
                check_lists(unit, expected)
                skipped += len(read_list(HERE / "skip" / f"{unit}.txt"))
                if not outcome.jemalloc:
                    expected.subtract(JEMALLOC_ONLY.get(unit, ()))
                counts = report(unit, expected, outcome)
                passed, failed = passed + counts[0], failed + counts[1]
                if options.update:
                    update(unit, counts[2])
                sys.stdout.flush()
    print(f"{skipped} tests skipped, logs in {logs}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
