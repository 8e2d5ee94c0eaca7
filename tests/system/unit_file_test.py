#!/usr/bin/python3
"""parley.service is one that systemd takes, gives the server little, and
starts, reloads and stops it as the server expects. Skipped (exit status 77)
where there is no systemd-analyze.

    unit_file_test.py PARLEY PROTO-FOLDER UNIT
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

from parley_system import PATIENCE, SystemTest, main, wait_until
from sandbox import value

SKIPPED = 77  # CMakeLists.txt tells it to ctest
# Of 10; what is left is the network, which a server needs.
EXPOSURE_MAX = 1.5
UNIT = sys.argv.pop(3) if len(sys.argv) > 3 else None


class UnitFileTest(SystemTest):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="parley-unit-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = folder.name
        # As installed, where the command's name is looked up.
        with open(UNIT, encoding="utf-8") as file:
            text = file.read().replace(
                "ExecStart=parley ", f"ExecStart={os.path.abspath(cls.parley)} "
            )
        cls.unit = os.path.join(cls.folder, "parley.service")
        with open(cls.unit, "w", encoding="utf-8") as out:
            out.write(text)

    def analyze(self, *words):
        done = subprocess.run(
            ["systemd-analyze", "--no-pager", *words, self.unit],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout, done.stderr

    def test_systemd_takes_every_line(self):
        _, said = self.analyze("verify", "--man=no", "--recursive-errors=no")
        # What is wrong with other units of the machine is not ours.
        ours = [x for x in said.splitlines() if "parley" in x]
        self.assertEqual(ours, [])

    def test_it_exposes_little(self):
        said, _ = self.analyze("security", "--offline=true")
        level = re.search(r"exposure level for \S+: ([0-9.]+)", said)
        self.assertLess(float(level[1]), EXPOSURE_MAX, said)
        # Whatever else is allowed some day, these are not.
        for line in (
            "User=/DynamicUser=",
            "CapabilityBoundingSet=~CAP_SYS_ADMIN",
            "NoNewPrivileges=",
            "ProtectSystem=",
            "ProtectHome=",
            "MemoryDenyWriteExecute=",
            "SystemCallFilter=~@privileged",
            "RestrictAddressFamilies=~…",
            "RestrictNamespaces=~user",
        ):
            self.assertRegex(said, f"✓ {re.escape(line)}")

    def test_what_it_starts_reloads_and_stops_in_time(self):
        config = os.path.join(self.folder, "parley.toml")
        with open(config, "w", encoding="utf-8") as out:
            out.write("listen = '127.0.0.1:0'\ndomain = 'example.org'\n")
        state = os.path.join(self.folder, "state")
        os.mkdir(state)
        line = value(UNIT, "ExecStart").replace("%S", state)
        words = shlex.split(line.replace("/etc/parley/parley.toml", config))
        self.assertEqual(words[0], "parley")
        self.assertEqual(value(UNIT, "ExecReload"), "kill -HUP $MAINPID")
        log = os.path.join(self.folder, "log")
        with open(log, "wb") as err:
            process = subprocess.Popen(
                [self.parley, *words[1:]], stdout=subprocess.PIPE, stderr=err
            )
        try:
            self.assertRegex(process.stdout.readline(), b"^ready ")
            name = value(UNIT, "StateDirectory")
            self.assertEqual(os.listdir(state), [name])

            def logged():
                with open(log, encoding="utf-8") as file:
                    return file.read()

            process.send_signal(signal.SIGHUP)
            wait_until(lambda: "read anew" in logged(), "the reload")
            process.send_signal(signal.SIGTERM)
            patience = value(UNIT, "TimeoutStopSec")
            self.assertGreater(int(patience.removesuffix("s")), 10)
            self.assertEqual(process.wait(int(patience.removesuffix("s"))), 0)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stdout.close()


if __name__ == "__main__":
    if not shutil.which("systemd-analyze"):
        print("skipped: systemd-analyze is not here (apt install systemd)")
        sys.exit(SKIPPED)
    main()
