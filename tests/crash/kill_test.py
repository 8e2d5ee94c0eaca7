#!/usr/bin/python3
"""*delivered* and *stored* survive any kill of the server: under load it is
killed at the points that points.py names, started again on the same folder,
and in the end every IM with such an outcome is at its recipient, each has one
outcome, every conversation arrived in order, both halves of each subscription
agree, and each setting is what its audit says.

    kill_test.py PARLEY PROTO-FOLDER FAULTS [--kills N] [--seed S]

FAULTS is faults.cpp, built. The last line says how it went.
"""

import argparse
import collections
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "system"))

from faults import Faults
from parley_system import DOMAIN, PATIENCE, Server, wait_until
from participant import Ledger, Participant
from points import Points
from wire_client import Wire, load_schema

SENDERS = [f"sender{n}@{DOMAIN}" for n in range(4)]
PRESENT = [f"present{n}@{DOMAIN}" for n in range(2)]
RESTLESS = [f"restless{n}@{DOMAIN}" for n in range(2)]
ABSENT = [f"absent{n}@{DOMAIN}" for n in range(2)]
# They come now and then, and leave again.
DRAINED = [f"drained{n}@{DOMAIN}" for n in range(3)]
RATE = 150  # IMs a second of one sender, whatever the server does


class World:
    """The server, those who use it, and what they were promised."""

    def __init__(self, options):
        self.seed = options.seed
        self.rng = random.Random(options.seed)
        self.schema = load_schema(options.proto)
        self.faults = Faults(options.faults)
        self.couples = [
            (f"watcher{n}@{DOMAIN}", f"presentity{n}@{DOMAIN}")
            for n in range(options.kills // 3 + 2)
        ]
        self.server = Server(
            options.parley,
            users=SENDERS + PRESENT + RESTLESS + ABSENT + DRAINED,
            environment=self.faults.environment,
        )
        self.faults.folder = self.server.data
        self.ledger = Ledger()
        self.everyone = []
        self.longest_start = 0.0
        self.started = time.monotonic()

    def participant(self, user, endpoint="desk", **how):
        how.setdefault("seed", f"{self.seed} {user}/{endpoint}")
        one = Participant(
            self.schema, self.server, self.ledger, user, endpoint, **how
        )
        self.everyone.append(one)
        return one

    def settle_in(self):
        """Those who are there from the beginning."""
        server = self.server
        server.add(*(user for couple in self.couples for user in couple))
        server.set("im.offline_max", "unlimited")
        server.set("im.grace", "300ms")
        for n, user in enumerate(SENDERS):
            peers = PRESENT + RESTLESS + ABSENT + 2 * DRAINED
            self.participant(
                user,
                peers=peers + [SENDERS[n - 1]],
                rate=RATE,
                restless=n == 0,
            ).sending.set()
        for user in PRESENT + RESTLESS:
            for endpoint in ("desk", "phone"):
                self.participant(user, endpoint, restless=user in RESTLESS)
        for one in self.everyone:
            one.start()

    def spawn(self):
        self.started = time.monotonic()
        self.server.spawn()

    def start(self):
        self.spawn()
        line = self.server.process.stdout.readline().decode()
        assert line.startswith("ready "), (line, self.server.logged())
        took = time.monotonic() - self.started
        self.longest_start = max(self.longest_start, took)

    def is_busy(self):
        """Who stays is signed in, and there are answers."""
        stays = [x for x in self.everyone if not x.restless]
        return all(x.online for x in stays if not x.over.is_set()) and any(
            x.under_way for x in stays
        )

    def mute(self, on=True):
        """Nobody acknowledges any IM; who sends has answers to take."""
        for one in self.everyone:
            if one.rate == 0:
                (one.mute.set if on else one.mute.clear)()

    def calm_down(self):
        """Nothing new is sent, and all come for what is theirs."""
        for one in self.everyone:
            one.sending.clear()
        for user in ABSENT + DRAINED:
            self.participant(user, "at the end").start()
        for one in self.everyone:
            one.calm.set()
        patiently(lambda: not self.ledger.open())
        patiently(lambda: not self.ledger.missing())
        self.end()

    def end(self):
        for one in self.everyone:
            one.over.set()
        for one in self.everyone:
            if one.ident:
                one.join(PATIENCE)

    def remove(self):
        for one in self.everyone:
            one.over.set()
        self.server.remove()
        self.faults.close()


def kill_often(world, points, kills):
    """How often at each point; and which were not reached."""
    done, missed = collections.Counter(), collections.Counter()
    turn = []
    while done.total() < kills:
        if not turn:
            turn = world.rng.sample(points.all(), len(points.all()))
        course = turn.pop()()
        name = next(course)
        if points.reached():
            done[name] += 1
        else:
            missed[name] += 1
            assert missed.total() <= 5 + kills // 4, missed
            world.server.kill()
        world.faults.disarm()
        world.start()
        for _ in course:
            pass
    return done, missed


def check_ims(ledger):
    """What broke, in sentences."""
    broken = list(ledger.problems)
    for im in ledger.open():
        broken.append(f"{im.sender}'s {im.id} has no outcome")
    for im in ledger.missing():
        broken.append(f"{im.sender}'s {im.id} was {im.outcome} and is missing")
    for im in ledger.ims.values():
        if im.outcome not in ("delivered", "stored", None):
            broken.append(f"{im.sender}'s {im.id} was rejected: {im.outcome}")
    for (sender, recipient), numbers in ledger.order.items():
        for one, next_ in zip(numbers, numbers[1:]):
            if one > next_:
                broken.append(f"{recipient} got {one} of {sender} too early")
    return broken


def check_subscriptions(server, couples):
    def row(couple):
        found = server.admin("user", "show", couple.watcher)["contacts"]
        return next(
            (x for x in found if x["address"] == couple.presentity), None
        )

    def agree(couple):
        return row(couple) is None or row(couple)["agree"]

    broken = []
    for couple in couples:
        patiently(lambda one=couple: agree(one))
        found = row(couple)
        if not agree(couple):
            broken.append(f"halves disagree: {found}")
        sees = bool(found and found["to"] == "active")
        if sees not in couple.sees:
            broken.append(
                f"{couple.watcher} sees {sees}, not {couple.sees}: {found}"
            )
    return broken


def check_audit(server, points):
    lines = [
        (x["from"], x["to"])
        for x in reversed(server.admin("audit", "100000")["audit"])
        if x["what"] == "settings set im.retry_memory"
    ]
    broken = [
        f"the audit goes from {one} to {next_}"
        for one, next_ in zip(lines, lines[1:])
        if one[1] != next_[0]
    ]
    if len(lines) != points.changes:
        broken.append(f"{points.changes} changes, {len(lines)} in the audit")
    return broken


def check_nothing_comes_again(world):
    """What was acknowledged has left the store."""
    probe = Wire(world.schema, world.server).sign_in(SENDERS[0], "probe")
    again = []
    for user in SENDERS[1:] + PRESENT + RESTLESS + ABSENT + DRAINED:
        wire = Wire(world.schema, world.server).sign_in(user, "again")
        probe.send_im(user, "probe")
        while (im := wire.until("im").im).id != "probe":
            again.append(f"{user} got {im.id} again, long acknowledged")
        wire.ack()
        wire.close()
    return again


def run(options):
    world = World(options)
    try:
        server = world.server
        world.settle_in()
        points = Points(world, DRAINED[:], world.couples[:])
        points.set_first()
        began = time.monotonic()
        done, missed = kill_often(world, points, options.kills)
        took = time.monotonic() - began
        world.calm_down()
        broken = check_ims(world.ledger)
        if server.stop() != 0:
            broken.append("the server did not stop in order")
        world.start()
        broken += check_subscriptions(server, points.subscribed)
        broken += check_audit(server, points)
        broken += check_nothing_comes_again(world)
        report(world, done, missed, took)
        return broken
    finally:
        world.remove()


def patiently(holds):
    """Waits for it; if it never comes, the checks say what is missing."""
    try:
        wait_until(holds, "the end")
    except AssertionError:
        pass


def report(world, done, missed, took):
    for name, n in sorted(done.items()):
        print(f"  {n:4} {name}")
    for name, n in sorted(missed.items()):
        print(f"       {name}: not reached, {n}")
    c = world.ledger.counts
    print(
        f"{done.total()} kills in {took:.0f} s, longest start"
        f" {world.longest_start:.2f} s; {len(world.ledger.ims)} IMs:"
        f" {c['delivered']} delivered, {c['stored']} stored;"
        f" {c['sent back']} sent back, {c['retries']} sent again, {c['duplicates']} duplicates dropped,"
        f" {c['cut']} connections cut, {c['resumed']} sessions resumed"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parley")
    parser.add_argument("proto")
    parser.add_argument("faults")
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {options.seed}", flush=True)
    broken = run(options)
    for text in broken[:50]:
        print("broken:", text)
    if broken:
        sys.exit(f"{len(broken)} promises broken; seed {options.seed}")
    print(f"crash: {options.kills} kills, nothing lost")


if __name__ == "__main__":
    main()
