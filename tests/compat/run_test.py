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
        for mode in (run.EXTERNAL, run.OWN):
            self.assertTrue(mode.units())
            for unit in mode.units():
                mode.check_lists(unit)

    def test_a_file_runs_or_is_listed_as_not_run_with_a_reason(self):
        listed = [line.split(maxsplit=1) for line in run.read_list(run.OWN.folder / "not-run.txt")]
        for words in listed:
            self.assertEqual(len(words), 2, words)
        self.assertEqual({unit for unit, _ in listed} & set(run.OWN.units()), set())

    def test_lists_are_read_without_comments_and_added_to(self):
        with tempfile.TemporaryDirectory() as name:
            mode = run.Mode(pathlib.Path(name), "")
            mode.add_expected("unit/x", collections.Counter(["a", "# b"]))
            mode.add_expected("unit/x", collections.Counter(["c", "c"]))
            self.assertEqual(mode.units(), ["unit/x"])
            self.assertEqual(mode.expected("unit/x"), {"a": 1, "c": 2})
            self.assertEqual(mode.skipped("unit/x"), [])


class OwnServerTest(unittest.TestCase):
    def test_takes_one_binary_without_arguments(self):
        self.assertEqual(run.own_binary(["/bin/sh"]), "/bin/sh")
        for command in (["/bin/sh", "-c"], ["/no/such/binary"]):
            with self.assertRaises(SystemExit):
                run.own_binary(command)


if __name__ == "__main__":
    unittest.main()
