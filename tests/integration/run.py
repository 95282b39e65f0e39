#!/usr/bin/python3
"""Runs the integration tests against a server binary.

    tests/integration/run.py --server build/release/aeris-server [--only framing] [--light]

The last line is `N passed, N failed`; the exit status is 0 when nothing failed.
"""
import argparse
import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from case import Settings, raise_descriptor_limit  # noqa: E402


class Result(unittest.TestResult):
    """One line per test as it ends, details of failures where they happen and again at the end,
    where a reader looks first."""

    def __init__(self):
        super().__init__()
        self.passed = 0
        self.failed = 0
        self.failures_again = []
        self.began = 0.0

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def _line(self, word, test, detail=""):
        seconds = time.monotonic() - self.began
        name = test.id() if hasattr(test, "id") else str(test)
        print(f"[{word}] {name} ({seconds:.1f} s){detail}", flush=True)

    def addSuccess(self, test):
        self.passed += 1
        self._line("  ok  ", test)

    def addSkip(self, test, reason):
        self._line(" skip ", test, f": {reason}")

    def _failed(self, test, error):
        self.failed += 1
        details = self._exc_info_to_string(error, test)
        self._line("FAILED", test, "\n" + details)
        self.failures_again.append(f"\nFAILED: {test.id()}\n{details}")

    def addFailure(self, test, err):
        self._failed(test, err)

    def addError(self, test, err):
        self.began = self.began or time.monotonic()
        self._failed(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._failed(subtest, err)


def load(only):
    names = sorted(name[:-3] for name in os.listdir(HERE)
                   if name.startswith("test_") and name.endswith(".py"))
    loader = unittest.TestLoader()
    suite = unittest.TestSuite()
    for name in names:
        for group in loader.loadTestsFromName(name):
            chosen = [test for test in group if not only or any(word in test.id() for word in only)]
            if chosen:
                suite.addTest(unittest.TestSuite(chosen))
    if loader.errors:
        sys.exit("\n".join(loader.errors))
    return suite


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True, help="aeris-server or redis-server")
    parser.add_argument("--only", action="append", default=[],
                        help="run the tests whose full name contains this; may be repeated")
    parser.add_argument("--light", action="store_true",
                        help="smaller amounts of data, for sanitizer builds")
    parser.add_argument("--build-directory",
                        default=os.path.join(HERE, "..", "..", "build", "integration"),
                        help="where C clients and npm packages go")
    options = parser.parse_args()

    Settings.choose(options.server, options.light, os.path.abspath(options.build_directory))
    os.makedirs(Settings.build_directory, exist_ok=True)
    raise_descriptor_limit(20000)
    result = Result()
    load(options.only).run(result)
    print(*result.failures_again, sep="\n", end="")
    # A test that failed inside subtests counts once per subtest; one that passed counts once.
    print(f"{result.passed} passed, {result.failed} failed")
    return 1 if result.failed or not result.passed else 0


if __name__ == "__main__":
    sys.exit(main())
