#!/usr/bin/python3
"""Settings changed again and again while IMs flow: nothing is lost or comes out
of order, and each change is in force everywhere once the command returns.

    settings_load_test.py PARLEY

PARLEY_FLIPS says how many changes, 200 if it does not; how long they took is
printed at the end, as a process beside this one measures it: the threads here
would have it wait.
"""

import json
import os
import subprocess
import sys
import threading
import time

from parley_system import DOMAIN, PATIENCE, Chat, SystemTest, main, said

FLIPS = int(os.environ.get("PARLEY_FLIPS", "200"))
WINDOW = 8  # IMs under way of each sender
PAIRS = 3
# Of several workers, with several endpoints each.
TRIED = [f"tried{n}@{DOMAIN}" for n in range(4)]
LOADED = [f"loaded{n}@{DOMAIN}" for n in range(2 * PAIRS)]


class Load(threading.Thread):
    """Sends numbered IMs from one user to another until told to stop."""

    def __init__(self, sender, recipient):
        super().__init__(daemon=True)
        self.sender = sender
        self.recipient = recipient
        self.times = []  # when each was sent
        self.over = threading.Event()

    def run(self):
        to = self.recipient.name.split("/")[0]
        while not self.over.is_set():
            n = len(self.times)
            if n >= WINDOW:
                self.sender.outcome_of(n - WINDOW)
            self.times.append(time.monotonic())
            self.sender.post(to, str(n), body="x")
        for n in range(len(self.times)):
            self.sender.outcome_of(n)


class LoadedChat(Chat):
    """Looks things up in no time, however much has come."""

    def __init__(self, *arguments):
        self.outcomes = {}
        self.seen = []
        super().__init__(*arguments)

    def gather(self):
        for line in self.process.stdout:
            event = json.loads(line)
            with self.changed:
                if event["event"] == "outcome":
                    self.outcomes[event["id"]] = (event, time.monotonic())
                elif event["event"] == "message":
                    self.seen.append(int(event["id"]))
                else:
                    self.events.append(event)
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def outcome_of(self, n):
        with self.changed:
            there = self.changed.wait_for(
                lambda: str(n) in self.outcomes or self.ended, PATIENCE
            )
            assert there and not self.ended, f"no outcome of {n}"
            return self.outcomes[str(n)]


class SettingsLoadTest(SystemTest):
    users = (*TRIED, *LOADED)
    arguments = ("--threads", "2")

    def loads(self):
        found = []
        for n in range(PAIRS):
            ends = [
                LoadedChat(self.server, LOADED[2 * n + i], "desk")
                for i in range(2)
            ]
            for chat in ends:
                self.addCleanup(chat.end)
            found.append(Load(*ends))
        return found

    def operator(self):
        path = os.path.join(os.path.dirname(__file__), "timed_operator.py")
        process = subprocess.Popen(
            [sys.executable, "-B", path, self.server.parley, self.server.data],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def flip(self, operator, way, name, value):
        """Returns when it was asked for, when it was in force, and what it
        took by the operator's clock."""
        begin = time.monotonic()
        operator.stdin.write(f"{way} {name} {value}\n")
        operator.stdin.flush()
        took = operator.stdout.readline()
        self.assertTrue(took, f"the operator ended at {way} {name} {value}")
        return begin, time.monotonic(), float(took)

    def test_each_change_is_in_force_at_once_and_no_im_suffers(self):
        chats = [self.chat(u, e) for u in TRIED for e in ("desk", "phone")]
        loads = self.loads()
        for load in loads:
            load.start()
        # When IMs were surely refused, and surely taken.
        changes = []
        took = {"command": [], "request": []}
        operator = self.operator()
        for n in range(FLIPS):
            name, off, on, tries = self.trials[n // 2 % len(self.trials)]
            # All settings, off and on, by one way and then by the other.
            way = list(took)[n // (2 * len(self.trials)) % len(took)]
            value = on if n % 2 else off
            begin, end, seconds = self.flip(operator, way, name, value)
            took[way].append(seconds)
            if name == "im.enabled":
                changes.append((bool(n % 2), begin, end))
            asked = [(c, tries(self, c)) for c in chats]
            for chat, (id_, allowed, refusal) in asked:
                answer = chat.wait_for(lambda x, i=id_: x.get("id") == i)
                told = (
                    said(answer)
                    if answer["event"] == "outcome"
                    else answer.get("reason", allowed)
                )
                self.assertEqual(
                    told, allowed if n % 2 else refusal, (n, name, chat.name)
                )
                # What came is not looked through again and again.
                with chat.changed:
                    chat.events.clear()
        for load in loads:
            load.over.set()
        for load in loads:
            load.join()
            self.check(load, changes)
        sent = sum(len(x.times) for x in loads)
        print(f"{FLIPS} changes under {sent} IMs")
        for way, times in took.items():
            times = sorted(1000 * x for x in times)
            print(
                f"{len(times)} by {way}: {times[len(times) // 2]:.0f} ms (p50),"
                f" {times[len(times) * 99 // 100]:.0f} ms (p99),"
                f" {times[-1]:.0f} ms (longest),"
                f" {sum(x > 100 for x in times)} beyond 100 ms"
            )

    def try_im(self, chat):
        to = TRIED[(TRIED.index(chat.name.split("/")[0]) + 1) % len(TRIED)]
        return chat.post(to), "delivered", "im_disabled"

    def try_long_im(self, chat):
        to = TRIED[(TRIED.index(chat.name.split("/")[0]) + 1) % len(TRIED)]
        return chat.post(to, body="x" * 100), "delivered", "too_large"

    def try_watch(self, chat):
        to = TRIED[(TRIED.index(chat.name.split("/")[0]) + 1) % len(TRIED)]
        id_ = f"watch {time.monotonic()}"
        chat.ask("watch", id=id_, address=to, seconds=60)
        return id_, "watching", "watch_disabled"

    trials = (
        ("im.enabled", "off", "on", try_im),
        ("im.body_max", "10", "32768", try_long_im),
        ("presence.adhoc", "off", "on", try_watch),
    )

    def check(self, load, changes):
        """Each IM has the outcome of its time, and came once and in order."""
        sent = []
        for n, begin in enumerate(load.times):
            event, end = load.sender.outcome_of(n)
            told = said(event)
            may = self.possible(begin, end, changes)
            self.assertIn(told, may, (load.sender.name, n))
            if told == "delivered":
                sent.append(n)
        with load.recipient.changed:
            self.assertEqual(load.recipient.seen, sent)

    def possible(self, begin, end, changes):
        """The outcomes of an IM that was judged within this time."""
        found = set()
        enabled, since = True, 0.0
        for on, asked, done in changes:
            if since <= end and begin <= done:
                found.add(enabled)
            enabled, since = on, asked
        if since <= end:
            found.add(enabled)
        return {"delivered" if x else "im_disabled" for x in found}


if __name__ == "__main__":
    main()
