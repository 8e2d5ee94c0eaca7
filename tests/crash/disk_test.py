#!/usr/bin/python3
"""The disk of a running server fails in every way that a disk does: what has
to be on it is refused and never acknowledged, what needs no disk goes on, the
operator is told, and once the disk is well again so is the server.

    disk_test.py PARLEY PROTO-FOLDER FAULTS

FAULTS is faults.cpp, built.
"""

import ctypes
import errno
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(
    0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system")
)

from faults import Faults
from floods import FLOODS
from metrics_test import ask, read
from parley_system import DOMAIN, PATIENCE, Chat, InVain, Server, SystemTest
from parley_system import main, wait_until
from wire_client import load_schema

CLONE_NEWNS = 0x00020000  # of Linux' headers
FENCE = f"fence@{DOMAIN}"
MEMORY_MIB = 64
STALLED = 6  # seconds; longer than the server takes for a slow disk


class DiskTest(SystemTest):
    users = tuple(f"user{n}@{DOMAIN}" for n in range(60))

    def setUp(self):
        self.faults = Faults(self.library)
        self.addCleanup(self.faults.close)
        config = tempfile.NamedTemporaryFile("w", suffix=".toml")
        self.addCleanup(config.close)
        config.write(f"memory_mib = {MEMORY_MIB}\n")
        config.flush()
        self.server = Server(
            self.parley,
            *("--metrics", "127.0.0.1:0", "--config", config.name),
            users=(*self.users, FENCE),
            environment=self.faults.environment,
        )
        self.addCleanup(self.server.remove)
        self.faults.folder = self.server.data
        self.fresh = iter(self.users)

    @classmethod
    def setUpClass(cls):
        pass  # each test has a server of its own

    def user(self):
        """One that nobody has asked about yet."""
        return next(self.fresh)

    def chat(self, user, endpoint="desk", *arguments, **how):
        chat = Chat(self.server, user, endpoint, *arguments, **how)
        self.addCleanup(chat.end)
        return chat

    def answer(self, chat, op, **fields):
        id_ = f"{op} {len(chat.events)}"
        chat.ask(op, id=id_, **fields)
        return chat.wait_for(lambda x: x.get("id") == id_)

    def commands(self):
        """All that have something written."""
        server = self.server
        password = ("--password-file", server.password_file)
        file = server.file
        return (
            ("settings", "set", "im.grace", "3s"),
            ("user", "add", f"new@{DOMAIN}", *password),
            ("user", "password", self.users[0], *password),
            ("user", "remove", self.removed),
            ("user", "import", file("users", f"more@{DOMAIN},secret\n")),
            (
                *("contacts", "import"),
                file("contacts", f"{self.user()},{self.user()}\n"),
            ),
            ("kick", self.users[1]),
        )

    def finding(self, name, holding=""):
        """Once it holds this: where a machine does much else, what is asked
        for does not always come in time, and the operator asks again. A store
        that tries to open anew reads all of its log each time; its last
        refusal is told meanwhile."""
        found = {}

        def asked():
            try:
                checks = self.server.admin("troubleshoot")["checks"]
            except subprocess.TimeoutExpired:
                return False
            found.update(next(x for x in checks if x["check"] == name))
            return holding in found["what"]

        try:
            wait_until(asked, f"{holding} of {name}", 3 * PATIENCE)
        except InVain as in_vain:
            in_vain.add_note(f"the last was {found}")
            raise
        return found

    def stored_for(self, user):
        """What waits for it, by body."""
        chat = self.chat(user, "reader")
        fence = self.chat(FENCE)
        chat.message(fence.post(user))
        bodies = [x["body"] for x in chat.all_of("message")]
        self.assertEqual(chat.quit(), 0)
        self.assertEqual(fence.quit(), 0)
        return bodies[:-1]

    def refuses(self, said, mend):
        """While the disk refuses, in words that hold `said`; `mend` is in
        what the operator is told to do. What was to be kept all along."""
        server = self.server
        alice, bob = (self.chat(self.user()) for _ in range(2))
        before = self.user()  # the server knows it
        self.assertEqual(alice.send(before, body="before"), "stored")
        self.removed = self.user()
        accounts = server.admin("user", "list")["users"]
        audit = server.admin("audit", "1000")["audit"]
        yield
        # Who is there gets its IMs, who is not gets none.
        self.assertEqual(alice.send(bob.name, body="online"), "delivered")
        absent = self.user()
        for to in (before, absent, before):
            outcome = alice.outcome(alice.post(to, body="refused"))
            self.assertEqual(outcome["reason"], "store_failed")
            # The server's files are nobody's business.
            self.assertNotIn("/", outcome["text"])
        alice.ask(
            *("broadcast",), id="all", to=[bob.name, absent], body="to all"
        )
        outcomes = alice.wait_for(lambda x: x.get("id") == "all")["outcomes"]
        self.assertEqual(
            [x.get("reason", x["outcome"]) for x in outcomes],
            ["delivered", "store_failed"],
        )
        for op in ("contacts.add", "subscribe"):
            what = {"contacts": [{"address": absent}], "to": absent}
            refused = self.answer(alice, op, **what)
            if refused["event"] == "contacts":
                refused = refused["refused"][0]
            self.assertEqual(refused["reason"], "store_failed", refused)
        # Signing in and out needs no disk to be written to.
        carol = self.chat(self.user())
        self.assertEqual(carol.send(bob.name), "delivered")
        self.assertEqual(carol.quit(), 0)
        for command in self.commands():
            done = server.try_admin(*command)
            self.assertEqual(done.returncode, 1, (command, done))
            self.assertIn("store_failed", done.stderr)
            self.assertIn(said, done.stderr)
            self.assertIn(server.data, done.stderr)  # which file
        status, text = ask(server.metrics, "/readyz")
        self.assertEqual(status, 503)
        self.assertIn(said, text)
        self.assertEqual(ask(server.metrics, "/healthz")[0], 200)
        found = self.finding("store", said)
        self.assertEqual(found["state"], "failed")
        self.assertIn(server.data, found["what"])
        self.assertIn(mend, found["remedy"])
        page = read(server)
        self.assertGreater(page["parley_commits_refused_total"], 0)
        self.assertGreaterEqual(
            page["parley_ims_rejected_total{store_failed}"], 4
        )
        self.assertIn("the disk refuses to write", server.logged())
        yield
        # Well again, by itself.
        self.assertEqual(alice.send(absent, body="after"), "stored")
        self.assertEqual(ask(server.metrics, "/readyz"), (200, "ready\n"))
        found = self.finding("store", "takes writes; refused")
        self.assertEqual(found["state"], "warning")
        self.assertIn("the disk takes writes again", server.logged())
        # Nothing of what was refused is there, nor comes back, but for the end
        # of an account, which is tried until it is done.
        accounts.remove(self.removed)
        wait_until(
            lambda: server.admin("user", "list")["users"] == accounts,
            "the account is removed, and nothing else is changed",
        )
        now = server.admin("audit", "1000")["audit"]
        self.assertEqual(
            [x for x in now if x["what"] != f"user remove {self.removed}"],
            audit,
        )
        self.assertEqual(self.stored_for(before), ["before"])
        self.assertEqual(alice.send(before, body="again"), "stored")
        self.assertEqual(server.stop(), 0)
        server.start()
        self.assertEqual(self.stored_for(before), ["again"])
        self.assertEqual(self.stored_for(absent), ["after"])

    def fails(self, fault, said, mend):
        course = self.refuses(said, mend)
        next(course)
        fault()
        next(course)
        self.faults.disarm()
        next(course, None)

    def test_a_full_disk(self):
        self.fails(self.faults.fill_disk, "No space left", "make room at")

    def test_a_disk_made_read_only(self):
        said = "Read-only file system"
        self.fails(self.faults.make_read_only, said, "mount it for writing")

    def test_a_disk_that_syncs_nothing(self):
        said = "Input/output error"
        self.fails(self.faults.break_syncs, said, "another disk at hand")

    def test_a_disk_that_takes_nothing(self):
        said = "Input/output error"
        self.fails(self.faults.break_disk, said, "another disk at hand")

    def fill_log(self, alice, to):
        """Until the server goes on with a new log; what was stored."""
        stored = []
        for n in range(2000):
            body = f"{n} " + "x" * 30_000
            outcome = alice.send(to, body=body)
            if outcome != "stored":
                break
            stored.append(body)
        self.assertEqual(outcome, "store_failed")
        return stored

    def test_a_disk_on_which_no_new_log_can_be_made(self):
        self.server.set("im.offline_max", "unlimited")
        alice, bob = (self.chat(self.user()) for _ in range(2))
        for error in (errno.ENOSPC, errno.EIO):
            absent = self.user()
            self.faults.refuse_logs(error)
            stored = self.fill_log(alice, absent)
            for _ in range(3):
                self.assertEqual(alice.send(absent), "store_failed")
            self.finding("store", os.strerror(error))
            self.assertEqual(alice.send(bob.name), "delivered")
            self.faults.disarm()
            self.assertEqual(alice.send(absent, body="after"), "stored")
            self.assertEqual(self.stored_for(absent), [*stored, "after"])
        # Nobody was thrown out.
        self.assertEqual(bob.quit(), 0)
        self.assertEqual(self.server.stop(), 0)

    def test_nor_does_that_keep_the_server_from_stopping_in_order(self):
        self.server.set("im.offline_max", "unlimited")
        alice, absent = self.chat(self.user()), self.user()
        self.faults.refuse_logs()
        stored = self.fill_log(alice, absent)
        self.assertEqual(self.server.stop(), 0)
        # Nor does the server start on it, and says why.
        with self.assertRaises(AssertionError):
            self.server.start()
        self.assertEqual(self.server.process.wait(), 1)
        self.server.process.stdout.close()
        self.assertIn(".log: No space left", self.server.logged())
        self.faults.disarm()
        self.server.start()
        self.assertEqual(self.stored_for(absent), stored)

    def test_what_was_acknowledged_meanwhile_does_not_come_again(self):
        alice = self.chat(self.user())
        bob = self.user()
        for n in range(3):
            self.assertEqual(alice.send(bob, body=str(n)), "stored")
        self.faults.fill_disk()
        self.assertEqual(self.stored_for(bob), ["0", "1", "2"])
        self.assertEqual(self.stored_for(bob), [])
        self.faults.disarm()
        self.assertEqual(self.stored_for(bob), [])
        # Tried again at the latest when the server stops.
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.assertEqual(self.stored_for(bob), [])

    def test_a_disk_that_takes_no_tables_is_still_read(self):
        alice = self.chat(self.user())
        bob = self.user()
        for n in range(3):
            self.assertEqual(alice.send(bob, body=str(n)), "stored")
        # One refusal; then the store cannot be opened for writing again.
        self.faults.break_syncs()
        self.assertEqual(alice.send(bob), "store_failed")
        self.faults.break_tables()
        for _ in range(3):
            self.assertEqual(alice.send(bob), "store_failed")
        self.finding("store", ".sst")
        self.assertIn(bob, self.server.admin("user", "list")["users"])
        self.assertEqual(self.chat(self.user()).quit(), 0)
        here = self.chat(bob, "desk", "--no-ack")
        wait_until(lambda: len(here.ids()) == 3, "what waits for bob")
        self.assertEqual(alice.send(self.user()), "store_failed")
        here.end()
        self.faults.disarm()
        self.assertEqual(alice.send(bob, body="3"), "stored")
        self.assertEqual(self.stored_for(bob), ["0", "1", "2", "3"])

    def test_a_disk_that_does_not_answer(self):
        server = self.server
        alice, bob = (self.chat(self.user()) for _ in range(2))
        self.faults.stall_disk()
        waiting = alice.post(self.user())
        carol = self.user()
        began = time.monotonic()
        while time.monotonic() - began < STALLED:
            self.assertEqual(alice.send(bob.name), "delivered")
            self.assertEqual(self.chat(carol).quit(), 0)
        self.assertEqual(
            ask(server.metrics, "/readyz"),
            (503, "store_failed: the disk does not answer\n"),
        )
        found = self.finding("store")
        self.assertEqual(found["state"], "failed")
        self.assertIn("does not answer", found["what"])
        # Whoever waits for the disk is not waited for.
        asked = time.monotonic()
        for name in ("im.offline_max", "contacts.max", "clock"):
            found = self.finding(name)
            self.assertIn("not asked while the store fails", found["what"])
            self.assertEqual(found["remedy"], "see the check 'store'")
        self.assertEqual(self.finding("workers")["state"], "passed")
        self.assertLess(time.monotonic() - asked, STALLED)
        self.assertEqual(alice.all_of("outcome")[-1]["outcome"], "delivered")
        self.faults.disarm()
        self.assertEqual(alice.outcome(waiting)["outcome"], "stored")
        self.assertEqual(ask(server.metrics, "/readyz")[0], 200)

    def test_what_waits_for_a_silent_disk_stays_within_the_bound(self):
        server = self.server
        server.set("im.body_max", 262144)
        alice, bob = (self.chat(self.user()) for _ in range(2))
        absent = self.user()
        flooders = self.users[10:]
        flood = FLOODS["big_frames"](
            load_schema(self.proto), server, flooders, 1
        )
        self.addCleanup(flood.end)
        flood.begin()
        self.faults.stall_disk()
        bound = MEMORY_MIB * 2**20
        began = time.monotonic()

        def is_bounded():
            flood.go_on()
            page = read(server)
            held = {k: v for k, v in page.items() if "held_bytes{" in k}
            self.assertLessEqual(sum(held.values()), bound, held)
            return (
                page["parley_reads_held_back_total"] > 0
                and time.monotonic() - began >= STALLED
            )

        wait_until(is_bounded, "a read that is held back", STALLED + PATIENCE)
        # They would have sent more, and others are served.
        self.assertGreater(flood.done["bytes"], bound / 4)
        self.assertEqual(alice.send(bob.name), "delivered")
        self.faults.disarm()
        self.assertEqual(alice.send(absent), "stored")
        flood.end()
        wait_until(
            lambda: read(server)["parley_held_bytes{ims}"] < bound / 4,
            "memory",
        )

    def test_a_disk_that_does_not_answer_cannot_keep_the_server(self):
        alice = self.chat(self.user())
        self.faults.stall_disk()
        waiting = alice.post(self.user())
        wait_until(
            lambda: read(self.server)["parley_held_bytes{ims}"] > 0, "the IM"
        )
        began = time.monotonic()
        self.assertEqual(self.server.stop(), 1)
        self.assertLess(time.monotonic() - began, 25)
        self.assertIn("a disk that does not answer", self.server.logged())
        # What became of it the disk alone knows.
        self.assertNotIn(waiting, [x["id"] for x in alice.all_of("outcome")])

    def test_what_a_disk_stores_after_the_time_to_stop_was_not_rejected(self):
        alice, absent = self.chat(self.user()), self.user()
        self.faults.stall_disk()
        waiting = alice.post(absent)
        wait_until(
            lambda: read(self.server)["parley_held_bytes{ims}"] > 0, "the IM"
        )
        self.server.process.send_signal(signal.SIGTERM)
        alice.wait_for(lambda x: x["event"] == "disconnected")
        self.assertEqual(alice.all_of("outcome"), [])
        self.faults.disarm()
        self.assertEqual(self.server.stop(), 0)
        self.assertIn("1 IMs had no outcome by then", self.server.logged())
        # The client sends it again by itself, and the next server knows it.
        self.server.start()
        self.assertEqual(alice.outcome(waiting)["outcome"], "stored")
        self.assertEqual(len(self.stored_for(absent)), 1)


class SmallDiskTest(SystemTest):
    """A real disk, of a few megabytes, in a mount namespace of the test."""

    users = DiskTest.users

    @classmethod
    def setUpClass(cls):
        pass

    def setUp(self):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNS) != 0:
            self.skipTest("only root may mount")
        self.mount = tempfile.mkdtemp(prefix="parley-disk-")
        self.addCleanup(os.rmdir, self.mount)
        for command in (
            ("--make-rprivate", "/"),
            ("-t", "tmpfs", "-o", "size=12m", "none", self.mount),
        ):
            if subprocess.run(["mount", *command], check=False).returncode:
                self.skipTest("nothing may be mounted here")
        self.addCleanup(subprocess.run, ["umount", self.mount], check=True)
        self.server = Server(
            self.parley, users=self.users, data=os.path.join(self.mount, "d")
        )
        self.addCleanup(self.server.remove)

    def test_it_fills_is_freed_and_nothing_is_lost(self):
        alice = Chat(self.server, self.users[0])
        bob = Chat(self.server, self.users[1])
        self.addCleanup(alice.end)
        self.addCleanup(bob.end)
        self.server.set("im.offline_max", "unlimited")
        stored = []
        ballast = os.path.join(self.mount, "ballast")
        for _ in range(2):
            body = os.urandom(8000).hex()
            for full in range(10_000):
                outcome = alice.send(self.users[2], body=body)
                if outcome != "stored":
                    break
                stored.append(alice.all_of("outcome")[-1]["id"])
                if full == 20:
                    with open(ballast, "wb") as out:
                        room = os.statvfs(self.mount)
                        out.write(b"x" * (room.f_bavail * room.f_bsize - 2**19))
            self.assertEqual(outcome, "store_failed")
            for _ in range(20):
                self.assertEqual(
                    alice.send(self.users[2], body=body), "store_failed"
                )
            self.assertEqual(alice.send(bob.name), "delivered")
            os.unlink(ballast)
            self.assertEqual(alice.send(self.users[2], body="room"), "stored")
            stored.append(alice.all_of("outcome")[-1]["id"])
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        late = Chat(self.server, self.users[2])
        self.addCleanup(late.end)
        late.message(stored[-1])
        self.assertEqual(late.ids(), stored)


def library():
    """Takes FAULTS from the command line."""
    DiskTest.library = sys.argv.pop(3)


if __name__ == "__main__":
    library()
    main()
