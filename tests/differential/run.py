#!/usr/bin/python3
"""Sends the same random commands to aeris and to redis-server and compares every reply.

    tests/differential/run.py --server build/release/aeris-server [--reference redis-server]
        [--commands 200000] [--seed N] [--only strings] [--light] [--commands-file FILE]

Half of the sequences are of one family each, half of all; `--commands 500000` has more than 16,000
of each family alone. A run of so many over all families also fails if no value has crossed one of
the encodings' thresholds, in one direction or the other (encodings_crossed.py).

The seed is printed first; with the same seed, options and sources the same commands are sent. A
difference is printed with both replies and a shortened list of commands that shows it; such a list
can be saved and given to --commands-file. The last line is `N passed, N failed`: sequences and
scenarios count as tests.
"""
import argparse
import os
import random
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "integration")]

import normalise  # noqa: E402
import scenarios  # noqa: E402
from generator import Generator  # noqa: E402
from grammar import FAMILIES  # noqa: E402
from pair import Difference, Pair, brief, readable  # noqa: E402

SEQUENCE_LENGTH = 150
DEPTH_MAX = 64
# Beside "A" Redis forgets "n" when it takes back a CONFIG SET that has failed.
EVENT_CLASSES = ("", "", "", "", "KEA", "KEA", "EA", "KEg$lshzxtdmn", "KEg$lshzxtdmn", "En", "Kxm")
DETAILS_MAX = 25  # differences printed whole; more are counted
LINES_MAX = 20
CROSSINGS_COMMANDS = 200000  # after which all thresholds must have been crossed
# A side that closes, is silent or says something of another shape where a scenario counts on it.
SCENARIO_STOPPED = (AssertionError, OSError, EOFError, LookupError, TypeError, ValueError, AttributeError)


class Report:
    """Counts, and prints each kind of difference once."""

    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        self.passed = 0
        self.failed = 0
        self.kinds = {}

    def difference(self, difference, pair):
        self.failed += 1
        kind = difference.kind()
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if self.kinds[kind] > 1 or len(self.kinds) > DETAILS_MAX:
            return
        print(f"\nDIFFERENCE {difference}")
        if difference.history:
            shortest = pair.shorten(difference.history)
            path = os.path.join(self.directory, f"difference-{len(self.kinds)}.txt")
            with open(path, "w", encoding="utf-8") as file:
                file.write("\n".join(map(readable, shortest)) + "\n")
            print(f"  shortest commands that show it (whole: --commands-file {path}):")
            for arguments in shortest[-LINES_MAX:]:
                print("   ", brief(readable(arguments)))
        sys.stdout.flush()

    def check(self, holds, text):
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(text)

    def finish(self):
        if len(self.kinds) > 1 or any(count > 1 for count in self.kinds.values()):
            print("\nkinds of difference:")
            for kind, count in sorted(self.kinds.items(), key=lambda item: -item[1]):
                print(f"  {count:6} x {kind}")
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0


def run_sequences(pair, options, report):
    generator_seed = random.Random(options.seed)
    sent = 0
    began = time.monotonic()
    while sent < options.commands:
        sequence_random = random.Random(generator_seed.randrange(1 << 48))
        generator = Generator(sequence_random, options.only)
        generator.payloads = pair.payloads
        length = min(SEQUENCE_LENGTH, options.commands - sent)
        # The classes of the keyspace's events that are compared as well, command by command.
        pair.events = sequence_random.choice(EVENT_CLASSES)
        commands = []
        if sequence_random.random() < 0.5:
            commands.append([b"HELLO", b"3"])
        commands += generator.commands(length)
        batches = (1,) if pair.events else (1, 2, 5, 20, DEPTH_MAX)
        depths = iter(lambda batches=batches: sequence_random.choice(batches), None)
        sent += len(commands)
        try:
            pair.begin()
            pair.run(commands, depths, inline=sequence_random)
            pair.compare_states()
            report.passed += 1
        except Difference as difference:
            report.difference(difference, pair)
        finally:
            pair.restore_settings()
            pair.events = ""
    seconds = time.monotonic() - began
    print(f"{sent} commands in {seconds:.1f} s")
    if options.only is None and sent >= CROSSINGS_COMMANDS:
        missing = pair.encodings.missing()
        report.check(not missing, f"thresholds that no value has crossed: {missing}")


def run_file(pair, path, report):
    with open(path, encoding="utf-8") as file:
        commands = [scenarios.parse_line(line) for line in file if line.strip()]
    try:
        pair.begin()
        pair.run(commands, iter(lambda: 1, None))
        pair.compare_states()
        report.passed += 1
    except Difference as difference:
        report.difference(difference, pair)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True)
    parser.add_argument("--reference", default="redis-server")
    parser.add_argument("--commands", type=int, default=200000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", choices=sorted(FAMILIES) + ["scenarios"])
    parser.add_argument("--light", action="store_true", help="a tenth of the commands")
    parser.add_argument("--commands-file", help="replay these commands instead")
    parser.add_argument("--events", default="",
                        help="classes of keyspace events that --commands-file compares, as KEAmn")
    parser.add_argument("--build-directory",
                        default=os.path.join(HERE, "..", "..", "build", "differential"),
                        help="where the commands of each difference are written")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = int.from_bytes(os.urandom(4), "little")
    if options.light:
        options.commands //= 10
    print(f"seed {options.seed}", flush=True)

    report = Report(os.path.abspath(options.build_directory))
    with Pair(options.server, options.reference, normalise) as pair:
        if options.commands_file:
            pair.events = options.events
            run_file(pair, options.commands_file, report)
            return report.finish()
        if options.only in (None, "scenarios"):
            for name, scenario in scenarios.ALL:
                try:
                    scenario(pair)
                    report.passed += 1
                except Difference as difference:
                    difference.where = f"scenario {name}: "
                    report.difference(difference, pair)
                except SCENARIO_STOPPED as error:
                    report.difference(Difference([name.encode()], b"", b"", note=repr(error)), pair)
                finally:
                    pair.restore_settings()
        if options.only != "scenarios":
            run_sequences(pair, options, report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
