#!/usr/bin/python3
"""With --apart the load generator and what it measures share no CPU.

    apart_test.py PARLEY-BENCH PARLEY
"""

import os
import subprocess
import sys
import time
import unittest

BENCH, PARLEY = sys.argv[1:3]


def cpus_of(process):
    with open(f"/proc/{process}/status", encoding="utf-8") as status:
        line = next(x for x in status if x.startswith("Cpus_allowed:"))
    mask = int(line.split()[1].replace(",", ""), 16)
    return {n for n in range(mask.bit_length()) if mask >> n & 1}


def children_of(process):
    """Of its first thread, and what each of them is."""
    with open(f"/proc/{process}/task/{process}/children") as children:
        for child in children.read().split():
            with open(f"/proc/{child}/cmdline", "rb") as words:
                line = words.read().split(b"\0")
            yield int(child), (line[1] if len(line) > 1 else b"").decode()


class ApartTest(unittest.TestCase):
    def run_bench(self):
        return subprocess.Popen(
            [BENCH, "im", "--start-server", "--parley", PARLEY, "--apart"]
            + ["--pairs", "2", "--seconds", "1", "--rounds", "1"],
            stdout=subprocess.PIPE,
            text=True,
        )

    def test_the_server_and_the_relay_have_other_cpus(self):
        mine = os.sched_getaffinity(0)
        seen = {}
        with self.run_bench() as bench:
            while bench.poll() is None and not {"serve", "relay"} <= set(seen):
                try:
                    for child, what in children_of(bench.pid):
                        seen[what] = (cpus_of(bench.pid), cpus_of(child))
                except (FileNotFoundError, ProcessLookupError):
                    pass  # it has just ended
                time.sleep(0.01)
            said, _ = bench.communicate(timeout=60)
        if len(mine) < 2:
            self.assertEqual(bench.returncode, 2)
            return
        self.assertEqual(bench.returncode, 0, said)
        for what in ("serve", "relay"):
            own, others = seen[what]
            self.assertEqual(own, {min(mine)})
            self.assertEqual(others, mine - own)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
