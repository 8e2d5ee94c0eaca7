#!/usr/bin/python3
"""A data folder that has changed while nobody ran, or whose disk fails at the
start: refused with what is wrong and what to do, and left as it is.

    damage_test.py PARLEY PROTO-FOLDER FAULTS
"""

import hashlib
import os
import subprocess
import sys

sys.path.insert(
    0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system")
)

from faults import Faults
from parley_system import ALICE, BOB, DOMAIN, PATIENCE, Chat, Server
from parley_system import SystemTest, main, wait_until

IMS = 40


class DamageTest(SystemTest):
    users = (ALICE, BOB, *(f"user{n}@{DOMAIN}" for n in range(30)))

    @classmethod
    def setUpClass(cls):
        """What is stored lies in tables, and the last of it in the log."""
        cls.faults = Faults(cls.library)
        cls.addClassCleanup(cls.faults.close)
        cls.server = Server(
            cls.parley,
            users=cls.users,
            environment=cls.faults.environment,
        )
        cls.addClassCleanup(cls.server.remove)
        cls.faults.folder = cls.server.data
        for _ in range(2):
            alice = Chat(cls.server, ALICE)
            for _ in range(IMS // 2):
                alice.send(BOB, body="x" * 300)
            alice.quit()
            assert cls.server.stop() == 0
            cls.server.start()
        alice = Chat(cls.server, ALICE)
        alice.send(BOB, body="in the log")
        alice.quit()
        assert cls.server.stop() == 0

    def files(self, ending):
        """Those that hold something, by path."""
        folder = os.path.join(self.server.data, "store")
        found = (os.path.join(folder, x) for x in sorted(os.listdir(folder)))
        return [
            x
            for x in found
            if os.path.getsize(x) > 0
            and (x.endswith(ending) or os.path.basename(x).startswith(ending))
        ]

    def contents(self):
        found = {}
        for folder, _, names in os.walk(self.server.data):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    found[path] = hashlib.sha256(file.read()).digest()
        return found

    def refused(self):
        """What the server says that does not start."""
        before = self.contents()
        done = subprocess.run(
            [self.parley, "serve", "--data", self.server.data, "--plain"]
            + ["--listen", "127.0.0.1:0"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=self.server.environment,
        )
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(self.contents(), before)
        return done.stderr

    def flip(self, path, at):
        with open(path, "r+b") as file:
            file.seek(at)
            (byte,) = file.read(1)
            file.seek(at)
            file.write(bytes([byte ^ 0x10]))

    def is_whole(self):
        self.server.start()
        bob = Chat(self.server, BOB, "desk", "--no-ack")
        self.addCleanup(bob.end)
        wait_until(lambda: len(bob.ids()) == IMS + 1, "all IMs")
        bob.end()
        users = self.server.admin("user", "list")["users"]
        self.assertEqual(sorted(users), sorted(self.users))
        self.assertEqual(self.server.stop(), 0)

    def test_a_flipped_bit_anywhere_is_told_of_with_its_file(self):
        files = self.files(".log") + self.files(".sst")
        files += self.files("MANIFEST")
        self.assertGreater(len(files), 5)
        for path in files:
            # The last bytes of a table are read by nobody.
            size = os.path.getsize(path) - (53 if path.endswith("sst") else 0)
            for at in (size // 3, size // 2):
                self.flip(path, at)
                said = self.refused()
                self.flip(path, at)
                self.assertIn("store_corrupt", said)
                self.assertIn(self.server.data, said)
                self.assertIn(os.path.basename(path), said)
                self.assertIn("Nothing was changed", said)
                self.assertIn("from a backup", said)
        self.is_whole()

    def test_a_file_that_is_gone_is_told_of(self):
        for path in self.files(".sst") + self.files("MANIFEST"):
            os.rename(path, path + ".away")
            said = self.refused()
            os.rename(path + ".away", path)
            self.assertIn("store_corrupt", said)
            self.assertIn(os.path.basename(path), said)
            self.assertIn("from a backup", said)
        self.is_whole()

    def test_a_disk_that_fails_at_the_start_is_told_of(self):
        for fault, said in (
            (self.faults.fill_disk, "No space left on device"),
            (self.faults.make_read_only, "Read-only file system"),
            (self.faults.break_disk, "Input/output error"),
        ):
            fault()
            text = self.refused()
            self.faults.disarm()
            self.assertIn("store_unavailable", text)
            self.assertIn(self.server.data, text)
            self.assertIn(said, text)
        self.is_whole()

    def test_a_disk_that_fails_amid_the_start_can_be_started_from(self):
        for fault in (self.faults.break_tables, self.faults.break_syncs):
            fault()
            self.server.spawn()
            self.assertEqual(self.server.process.wait(PATIENCE), 1)
            self.faults.disarm()
            self.assertIn("Input/output error", self.server.logged())
        self.is_whole()


if __name__ == "__main__":
    DamageTest.library = sys.argv.pop(3)
    main()
