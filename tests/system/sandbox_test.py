#!/usr/bin/python3
"""The server does all of its work under what parley.service takes from it, and
needs no write access beyond its data folder. Skipped (exit status 77) where a
process cannot be confined so.

    sandbox_test.py PARLEY PROTO-FOLDER UNIT
"""

import os
import pwd
import shlex
import shutil
import signal
import subprocess
import sys

import sandbox
from parley_system import ALICE, BOB, PATIENCE, Chat, Server, SystemTest
from parley_system import main, wait_until

SKIPPED = 77  # CMakeLists.txt tells it to ctest
USER = "nobody"
UNIT = sys.argv.pop(3) if len(sys.argv) > 3 else None

# Each is tried under the same confinement; none may be possible.
ESCAPES = """
import ctypes, mmap, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
done = []

def attempt(name, what):
    try:
        if what():
            done.append(name)
    except (OSError, ValueError):
        pass

def write(path):
    with open(path, "w") as file:
        return file.write("x")

folders = ["/tmp", "/var/tmp", "/dev/shm", "/var/log", sys.argv[1] + "/.."]
for folder in folders:
    attempt(folder, lambda: write(folder + "/escaped"))
for family in (socket.AF_NETLINK, socket.AF_PACKET):
    attempt(family, lambda: socket.socket(family, socket.SOCK_RAW, 0))
code = mmap.PROT_WRITE | mmap.PROT_EXEC
attempt("code", lambda: mmap.mmap(-1, 4096, prot=code))
attempt("root", lambda: os.setuid(0) is None)
mine = os.getuid(), os.getgid()
attempt("owner", lambda: os.chown(sys.argv[1], *mine) is None)
attempt("mount", lambda: libc.mount(b"/", b"/", None, 4096, None) == 0)
attempt("ptrace", lambda: libc.ptrace(0, 0, 0, 0) == 0)
attempt("namespace", lambda: libc.unshare(0x10000000) == 0)
status = open("/proc/self/status").read()
attempt("set-uid", lambda: "NoNewPrivs:\\t0" in status)
attempt("capabilities", lambda: "CapBnd:\\t" + 16 * "0" not in status)
assert write(sys.argv[1] + "/mine") and not os.remove(sys.argv[1] + "/mine")
socket.socket(socket.AF_UNIX); socket.socket(socket.AF_INET6)
print(*done)
"""


class ConfinedServer(Server):
    """Its data folder is all that it can write to."""

    def confined(self, *command):
        return [sys.executable, "-B", sandbox.__file__, UNIT, USER] + [
            self.data,
            *command,
        ]

    def spawn(self):
        if not os.path.exists(self.data):
            # As StateDirectory= makes it.
            os.chmod(self.folder, 0o755)
            os.mkdir(self.data, 0o700)
            who = pwd.getpwnam(USER)
            os.chown(self.data, who.pw_uid, who.pw_gid)
            # Where it was built may be closed to others.
            words = self.confined(shutil.copy(self.parley, self.folder))
            self.script = self.file(
                "confined", f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n'
            )
            os.chmod(self.script, 0o755)
        parley, self.parley = self.parley, self.script
        try:
            super().spawn()
        finally:
            self.parley = parley


class SandboxTest(SystemTest):
    def serve(self, **how):
        server = ConfinedServer(self.parley, users=(ALICE, BOB), **how)
        self.addCleanup(server.remove)
        return server

    @classmethod
    def setUpClass(cls):
        pass  # each test has a server of its own

    def test_the_confinement_holds(self):
        server = self.serve()
        done = subprocess.run(
            server.confined("/usr/bin/python3", "-c", ESCAPES, server.data),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        self.assertEqual((done.stdout, done.stderr), ("\n", ""))

    def test_all_of_a_servers_work_is_done_in_it(self):
        server = self.serve(plain=False)
        with open(f"/proc/{server.process.pid}/status") as file:
            status = dict(line.split(":\t", 1) for line in file)
        self.assertEqual(status["Seccomp"].strip(), "2")
        self.assertEqual(status["NoNewPrivs"].strip(), "1")
        alice, bob = Chat(server, ALICE), Chat(server, BOB)
        for chat in (alice, bob):
            self.addCleanup(chat.end)
        self.assertEqual(alice.send(BOB), "delivered")
        alice.ask("subscribe", id="s", to=BOB)
        alice.wait_for(
            lambda x: x["event"] == "presence" and x["from"] == bob.name
        )
        self.assertEqual(bob.quit(), 0)
        self.assertEqual(alice.send(BOB, "kept"), "stored")
        server.set("im.grace", "3s")
        checks = server.admin("troubleshoot")["checks"]
        self.assertEqual(
            [x for x in checks if x["state"] == "failed"], []
        )
        # Certificates are read anew.
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "read anew" in server.logged(), "the reload")
        self.assertEqual(alice.quit(), 0)
        # What is on disk is there again, after a stop and after a kill.
        for how in (server.stop, server.kill):
            how()
            server.start()
        again = Chat(server, BOB, "again")
        self.addCleanup(again.end)
        again.message("kept")
        self.assertEqual(again.quit(), 0)
        self.assertEqual(server.stop(), 0)
        said = server.logged().lower()
        for word in ("read-only", "permission", "not permitted", "error"):
            self.assertNotIn(word, said)

    def test_all_that_it_makes_lies_in_its_folder(self):
        server = self.serve(plain=False)
        before = set(os.listdir(server.folder))
        self.assertEqual(server.stop(), 0)
        self.assertEqual(set(os.listdir(server.folder)), before)
        self.assertEqual(
            sorted(os.listdir(server.data)), ["store", "tls"], "its data"
        )
        for folder, _, files in os.walk(server.data):
            for name in (folder, *(os.path.join(folder, x) for x in files)):
                status = os.lstat(name)
                self.assertEqual(status.st_uid, pwd.getpwnam(USER).pw_uid)
                self.assertEqual(status.st_mode & 0o077, 0, name)


if __name__ == "__main__":
    if reason := sandbox.why_not():
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    main()
