#!/usr/bin/python3
"""`./dev crash --seeds N` says last, in one line, how its seeds fared, and
fails when one does; with an simulation that fails as it is told.

    dev_test.py DEV
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PATIENCE = 60
DEV = sys.argv.pop(1)
SIMULATION = """#!/bin/sh
first=${PARLEY_SEEDS%:*} count=${PARLEY_SEEDS#*:}
[ "$first" -gt 105 ] || [ $((first + count)) -le 105 ] || {
  echo "105 is a bad seed"
  exit 201
}
echo "$PARLEY_SEEDS" >>ran
"""


class SeedsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="parley-dev-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        shutil.copy(DEV, self.folder)
        runner = os.path.join("tests", "simulation", "run_seeds")
        os.makedirs(os.path.join(self.folder, os.path.dirname(runner)))
        shutil.copy(
            os.path.join(os.path.dirname(DEV), runner),
            os.path.join(self.folder, runner),
        )
        simulation = os.path.join(self.folder, "build", "tests", "actor.simulation")
        os.makedirs(os.path.dirname(simulation))
        with open(simulation, "w", encoding="ascii") as out:
            out.write(SIMULATION)
        os.chmod(simulation, 0o755)

    def crash(self, *arguments):
        return subprocess.run(
            [os.path.join(self.folder, "dev"), "crash", *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def ran(self):
        with open(os.path.join(self.folder, "ran"), encoding="ascii") as file:
            for line in file:
                first, count = map(int, line.split(":"))
                yield from range(first, first + count)

    def test_all_seeds_run_once_and_hold(self):
        done = self.crash("--seeds", "333", "--first", "1000")
        self.assertEqual(done.returncode, 0, done)
        self.assertRegex(
            done.stdout, r"\Acrash: 333 seeds from 1000 hold, [0-9.]+ s\n\Z"
        )
        self.assertEqual(sorted(self.ran()), list(range(1000, 1333)))

    def test_a_seed_that_fails_is_named_last(self):
        done = self.crash("--first", "1", "--seeds", "300")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("105 is a bad seed", done.stdout)
        self.assertRegex(
            done.stdout.splitlines()[-1],
            r"^crash: 1 of 300 seeds fail \(105\); .*--seeds 1 --first 105$",
        )

    def test_seeds_are_fresh_each_time(self):
        firsts = set()
        for _ in range(3):
            done = self.crash("--seeds", "1")
            self.assertEqual(done.returncode, 0, done)
            firsts.add(re.search(r"from (\d+)", done.stdout).group(1))
        self.assertEqual(len(firsts), 3)

    def test_wrong_words(self):
        for words in (
            ("--seeds",),
            ("--seeds", "0"),
            ("--seeds", "many"),
            ("--seeds", "1", "more"),
        ):
            done = self.crash(*words)
            self.assertEqual(done.returncode, 1, done)
            self.assertIn("dev: ", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
