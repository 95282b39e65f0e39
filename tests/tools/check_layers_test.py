#!/usr/bin/python3
"""tools/check_layers.py refuses what it is there for."""

import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tools"))

import check_layers  # noqa: E402

GOOD = {
    "src/base/check.h": "#pragma once\n#include <vector>\n",
    "src/base/clock.h": '#include "src/base/check.h"\n',
    "ae/loop.h": '#include "src/base/clock.h"\n',
    "ae/loop.cc": '#include "ae/loop.h"\n',
    "protocol/parser.h": "",
    "storage/table.h": '#include "src/base/check.h"\n',
    "src/server.h": '#include "ae/loop.h"\n#include "protocol/parser.h"\n',
    "src/server.cc": '#include "src/server.h"\n#include "storage/table.h"\n',
    "tests/ae/loop_test.cc": '#include "src/server.h"\n',
}


class CheckLayersTest(unittest.TestCase):
    def faults(self, changes):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            for path, text in {**GOOD, **changes}.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            return check_layers.check_tree(root)

    def expect_one_fault(self, changes, *words):
        faults = self.faults(changes)
        self.assertEqual(len(faults), 1, faults)
        for word in words:
            self.assertIn(word, faults[0])

    def test_accepts_a_tree_that_follows_the_arrows(self):
        self.assertEqual(self.faults({}), [])

    def test_refuses_every_arrow_that_is_not_drawn(self):
        target = {"ae": "ae/loop.h", "protocol": "protocol/parser.h", "storage": "storage/table.h",
                  "src": "src/server.h", "src/base": "src/base/check.h", "tests": "tests/x.h"}
        for layer in ("src/base", "ae", "protocol", "storage", "src"):
            for name, path in target.items():
                if name in check_layers.ARROWS[layer]:
                    continue
                with self.subTest(layer=layer, name=name):
                    self.expect_one_fault({"tests/x.h": "", f"{layer}/bad.cc":
                                           f'\n#include "{path}"\n'},
                                          f"{layer}/bad.cc:2:", f"may not include {name}")

    def test_refuses_a_path_that_does_not_start_at_the_root(self):
        self.expect_one_fault({"ae/bad.cc": '#include "loop.h"\n'}, "no file below the root")
        self.expect_one_fault({"ae/bad.cc": '#include "../ae/loop.h"\n'}, "does not start")

    def test_refuses_our_headers_in_angle_brackets(self):
        self.expect_one_fault({"ae/bad.cc": "#include <storage/table.h>\n"}, "in quotes")

    def test_refuses_a_cycle_inside_a_folder(self):
        self.expect_one_fault({"storage/a.h": '#include "storage/b.h"\n',
                               "storage/b.h": '#include "storage/c.h"\n',
                               "storage/c.h": '#include "storage/a.h"\n'}, "come back")

    def test_refuses_a_header_that_includes_itself(self):
        self.expect_one_fault({"ae/a.h": '#include "ae/a.h"\n'}, "come back")

    def test_takes_template_bodies_for_a_part_of_their_header(self):
        pair = {"storage/t.h": '#include "storage/t_impl.h"\n',
                "storage/t_impl.h": '#include "storage/t.h"\n'}
        self.assertEqual(self.faults(pair), [])
        self.expect_one_fault({"storage/t.h": pair["storage/t.h"],
                               "storage/t_impl.h": '#include "storage/u.h"\n',
                               "storage/u.h": '#include "storage/t.h"\n'}, "come back")

    def test_sees_a_directive_with_spaces(self):
        self.expect_one_fault({"ae/bad.cc": '  #  include  "storage/table.h"\n'}, "may not include")


if __name__ == "__main__":
    unittest.main()
