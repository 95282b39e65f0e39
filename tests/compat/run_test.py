#!/usr/bin/python3
"""The compatibility runner reads the suite's output, and apt's configuration, as it should."""

import collections
import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import redis_source  # noqa: E402
import run  # noqa: E402

OUTPUT = """\
[ready]: 4711
Testing unit/x
[ok]: SET and GET (3 ms)
[ok]: twice (0 ms)
[ok]: twice (1 ms)
[skip]: needs lists
[ignore]: DEL: Tag: needs:debug denied
[err]: MOVE [basic] in tests/unit/x.tcl
Expected '0' to equal or match '1'
[ok]: name with (parentheses) (12 ms)
[err]: n command 'lpush'
ERR unknown command 'lpush'
    while executing
"r lpush x foo"
[1/1 done]: unit/x (0 seconds)
*** [err]: MOVE [basic] in tests/unit/x.tcl
"""


class ParseTest(unittest.TestCase):
    def setUp(self):
        self.passed, self.errors = run.parse(OUTPUT)

    def test_counts_each_name_as_often_as_it_passes(self):
        self.assertEqual(self.passed, {"SET and GET": 1, "twice": 2, "name with (parentheses)": 1})

    def test_gives_a_failed_test_its_name_and_text(self):
        self.assertEqual(self.errors[0], ("MOVE [basic]", "Expected '0' to equal or match '1'"))

    def test_gives_an_error_between_tests_no_name(self):
        self.assertEqual(len(self.errors), 2)
        self.assertEqual(self.errors[1][0], "")
        self.assertIn("unknown command 'lpush'", self.errors[1][1])


class ReportTest(unittest.TestCase):
    def report(self, expected, passed, errors=(), trouble=""):
        outcome = run.Outcome()
        outcome.passed = collections.Counter(passed)
        outcome.errors, outcome.trouble = list(errors), trouble
        with contextlib.redirect_stdout(io.StringIO()) as text:
            counts = run.report("unit/x", collections.Counter(expected), outcome)
        return counts[0], counts[1], sorted(counts[2].elements()), text.getvalue()

    def test_a_listed_name_that_does_not_pass_is_a_failure(self):
        passed, failed, new, text = self.report(["a", "b", "b"], ["a", "b"])
        self.assertEqual((passed, failed, new), (2, 1, []))
        self.assertIn("does not pass: b", text)

    def test_a_name_beyond_the_list_is_new(self):
        self.assertEqual(self.report(["a"], ["a", "c"])[:3], (1, 0, ["c"]))

    def test_an_unlisted_name_may_fail(self):
        self.assertEqual(self.report(["a"], ["a"], [("c", "text")])[:3], (1, 0, []))

    def test_an_error_between_tests_and_a_dead_server_are_failures(self):
        self.assertEqual(self.report(["a"], ["a"], [("", "text")])[1], 1)
        self.assertEqual(self.report(["a"], ["a"], trouble="the server died")[1], 1)


class SourcesTest(unittest.TestCase):
    def derive(self, files):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            (root / "sources.list.d").mkdir()
            for path, text in files.items():
                (root / path).write_text(text)
            return redis_source.derive_sources(root, "bookworm")

    def test_takes_this_release_from_one_line_entries(self):
        lines, _ = self.derive({"sources.list":
                                "# deb http://mirror.invalid/debian old main\n"
                                "deb [arch=amd64 signed-by=/k.gpg] http://mirror.invalid/debian "
                                "bookworm-security main contrib # ours\n"
                                "deb http://mirror.invalid/tool tool-bookworm main\n"})
        self.assertEqual(lines.strip(), "deb-src [signed-by=/k.gpg] http://mirror.invalid/debian "
                                        "bookworm-security main contrib")

    def test_takes_this_release_from_stanzas(self):
        _, text = self.derive({"sources.list.d/debian.sources":
                               "Types: deb\nURIs: http://mirror.invalid/debian\n"
                               "Suites: bookworm bookworm-updates other\nComponents: main\n\n"
                               "Types: deb\nURIs: http://mirror.invalid/tool\nSuites: nodistro\n"
                               "Components: main\n"})
        self.assertEqual(text.strip(), "Types: deb-src\nURIs: http://mirror.invalid/debian\n"
                                       "Suites: bookworm bookworm-updates\nComponents: main")

    def test_leaves_out_what_is_switched_off(self):
        _, text = self.derive({"sources.list.d/debian.sources":
                               "Enabled: no\nTypes: deb\nURIs: http://mirror.invalid/debian\n"
                               "Suites: bookworm\nComponents: main\n"})
        self.assertEqual(text.strip(), "")


class ListsTest(unittest.TestCase):
    def test_no_name_is_expected_and_skipped(self):
        for unit in run.units():
            run.check_lists(unit, collections.Counter(
                run.read_list(run.HERE / "expected" / f"{unit}.txt")))


if __name__ == "__main__":
    unittest.main()
