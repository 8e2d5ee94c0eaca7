#!/usr/bin/python3
"""`serve --user U`, started by root: all of it runs as U, and what it makes is
U's. Skipped (exit status 77) for anybody but root.

    privileges_test.py PARLEY
"""

import os
import pwd
import random
import shutil
import stat
import subprocess
import sys
import tempfile

from parley_system import ALICE, BOB, PATIENCE, SystemTest, Chat, Server, main

SKIPPED = 77  # CMakeLists.txt tells it to ctest
USER = "nobody"


class OpenServer(Server):
    """In a folder that everybody can enter."""

    def start(self):
        os.chmod(self.folder, 0o755)
        super().start()


def ids_of(pid):
    """The sets of user, group and supplementary ids of all threads."""
    users, groups, others = set(), set(), set()
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status") as file:
            for line in file:
                name, *values = line.split()
                if name == "Uid:":
                    users.update(map(int, values))
                elif name == "Gid:":
                    groups.update(map(int, values))
                elif name == "Groups:":
                    others.update(map(int, values))
    return users, groups, others


class PrivilegesTest(SystemTest):
    @classmethod
    def setUpClass(cls):
        cls.who = pwd.getpwnam(USER)

    def serve(self, *arguments, **how):
        server = OpenServer(self.parley, *arguments, **how)
        self.addCleanup(server.remove)
        return server

    def assert_its_own(self, *path, mode):
        status = os.stat(os.path.join(*path))
        self.assertEqual(status.st_uid, self.who.pw_uid, path)
        self.assertEqual(stat.S_IMODE(status.st_mode), mode, path)

    def test_all_of_it_is_the_users(self):
        for plain in (True, False):
            server = self.serve("--user", USER, plain=plain)
            for _ in range(2):
                # The first request is answered, and the next ones.
                server.add(f"{ALICE}{_}", f"{BOB}{_}")
                self.assertEqual(server.admin("sessions")["sessions"], [])
                users, groups, others = ids_of(server.process.pid)
                self.assertEqual(users, {self.who.pw_uid})
                self.assertEqual(groups, {self.who.pw_gid})
                self.assertEqual(
                    others, set(os.getgrouplist(USER, self.who.pw_gid))
                )
                self.assert_its_own(server.data, mode=0o700)
                self.assert_its_own(server.data, "admin.sock", mode=0o600)
                for name in os.listdir(server.data):
                    status = os.stat(os.path.join(server.data, name))
                    self.assertEqual(status.st_uid, self.who.pw_uid, name)
                alice = Chat(server, f"{ALICE}{_}")
                self.addCleanup(alice.end)
                self.assertEqual(alice.send(f"{BOB}{_}"), "stored")
                self.assertEqual(alice.quit(), 0)
                self.assertEqual(server.stop(), 0)
                server.start()
            self.assertEqual(server.stop(), 0)

    def test_a_low_port_is_bound_before(self):
        for _ in range(20):
            folder = tempfile.TemporaryDirectory(prefix="parley-low-")
            self.addCleanup(folder.cleanup)
            os.chmod(folder.name, 0o755)
            where = f"127.0.0.1:{random.randint(600, 1023)}"
            # Whose parents are made, too.
            data = folder.name + "/new/deep/data"
            status, line, said = self.run_once(
                "--data", data, "--listen", where, "--user", USER
            )
            if "in use" in said:
                continue
            self.assertEqual(line, f"ready {where}\n", said)
            self.assertEqual(status, 0)
            return
        self.skipTest("no low port is free")

    def refused(self, *arguments):
        done = subprocess.run(
            [self.parley, "serve", "--plain", "--listen", "127.0.0.1:0"]
            + list(arguments),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        self.assertEqual(done.returncode, 1, done)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_a_folder_of_somebody_else_is_refused(self):
        server = self.serve()
        self.assertEqual(server.stop(), 0)
        said = self.refused("--data", server.data, "--user", USER)
        self.assertIn(f"chown -R {USER}", said)
        self.assertEqual(os.stat(server.data).st_uid, 0)
        server.start()

    def roots_and_theirs(self):
        """A folder of root's that nothing is in, and one of the user's."""
        folder = tempfile.TemporaryDirectory(prefix="parley-links-")
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o755)
        roots, theirs = (os.path.join(folder.name, x) for x in ("r", "t"))
        for path in (os.path.join(roots, "data"), theirs):
            os.makedirs(path, 0o755)
        os.chown(theirs, self.who.pw_uid, self.who.pw_gid)
        return roots, theirs

    def plant(self, link, target):
        os.symlink(target, link)
        os.chown(
            link, self.who.pw_uid, self.who.pw_gid, follow_symlinks=False
        )

    def assert_roots(self, path):
        status = os.stat(path)
        self.assertEqual(status.st_uid, 0, path)
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o755, path)
        self.assertEqual(os.listdir(path), [])

    def test_a_link_of_the_user_gives_it_nothing_of_roots(self):
        roots, theirs = self.roots_and_theirs()
        empty = os.path.join(roots, "data")
        last, above = (os.path.join(theirs, x) for x in ("last", "above"))
        self.plant(last, empty)
        self.plant(above, roots)
        for data in (last, last + "/", above + "/data", above + "/new/data"):
            said = self.refused("--data", data, "--user", USER)
            self.assertIn("link", said)
            self.assertIn(data.rstrip("/"), said)
            self.assert_roots(empty)
        self.assertEqual(os.listdir(roots), ["data"])

    def test_a_link_of_roots_leads_to_the_folder(self):
        roots, theirs = self.roots_and_theirs()
        link = os.path.join(roots, "link")
        for target in (theirs, "../t"):
            os.symlink(target, link)
            data = self.started_once(link + "/deep/data", "--user", USER)
            self.assertEqual(os.path.realpath(data), theirs + "/deep/data")
            self.assert_its_own(data, mode=0o700)
            os.remove(link)

    def test_without_a_user_the_data_folder_may_be_a_link(self):
        roots, _ = self.roots_and_theirs()
        link = os.path.join(roots, "link")
        os.symlink("data", link)
        self.started_once(link)
        self.assertIn("store", os.listdir(os.path.join(roots, "data")))
        self.assertTrue(os.path.islink(link))

    def started_once(self, data, *arguments):
        _, line, said = self.run_once(
            "--data", data, "--listen", "127.0.0.1:0", *arguments
        )
        self.assertTrue(line.startswith("ready "), said)
        return data

    def run_once(self, *arguments):
        """Its exit status, its first line, and what it said on stderr."""
        process = subprocess.Popen(
            [self.parley, "serve", "--plain", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = process.stdout.readline()
        process.terminate()
        _, said = process.communicate(timeout=PATIENCE)
        return process.returncode, line, said

    def test_a_user_that_is_none(self):
        folder = tempfile.TemporaryDirectory(prefix="parley-none-")
        self.addCleanup(folder.cleanup)
        data = os.path.join(folder.name, "such")
        said = self.refused("--data", data, "--user", "no-such-user")
        self.assertIn("no-such-user", said)
        self.assertFalse(os.path.exists(data))

    def test_who_is_not_root_cannot_become_another(self):
        folder = tempfile.TemporaryDirectory(prefix="parley-other-")
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o777)
        # Where it was built may be closed to others.
        parley = shutil.copy(self.parley, folder.name)
        done = subprocess.run(
            [parley, "serve", "--data", folder.name + "/data", "--plain"]
            + ["--listen", "127.0.0.1:0", "--user", "root"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            user=USER,
        )
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("not_authorised", done.stderr)


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: only root can start a server as another user")
        sys.exit(SKIPPED)
    main()
