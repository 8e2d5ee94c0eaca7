#!/usr/bin/python3
"""*delivered* and *stored* survive any kill of the server: under load it is
killed at random moments, started again on the same folder, and in the end
every IM with such an outcome is at its recipient, each has one outcome, and
every conversation arrived in order.

    kill_test.py PARLEY PROTO-FOLDER [--kills N] [--seed S]
"""

import argparse
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "system"))

from parley_system import DOMAIN, PATIENCE, Server, wait_until
from participant import Ledger, Participant
from wire_client import Wire, load_schema

SENDERS = [f"sender{n}@{DOMAIN}" for n in range(4)]
PRESENT = [f"present{n}@{DOMAIN}" for n in range(2)]
RESTLESS = [f"restless{n}@{DOMAIN}" for n in range(2)]
ABSENT = [f"absent{n}@{DOMAIN}" for n in range(2)]
RATE = 150  # IMs a second of one sender


def arrange(schema, server, ledger, seed):
    """Senders, who get IMs too, and recipients; those in ABSENT come last."""

    def make(user, endpoint="desk", **how):
        how["seed"] = f"{seed} {user}/{endpoint}"
        return Participant(schema, server, ledger, user, endpoint, **how)

    senders = [
        make(
            user,
            peers=PRESENT + RESTLESS + ABSENT + [SENDERS[n - 1]],
            rate=RATE,
            restless=n == 0,
        )
        for n, user in enumerate(SENDERS)
    ]
    others = [
        make(user, name, restless=user in RESTLESS)
        for user in PRESENT + RESTLESS
        for name in ("desk", "phone")
    ]
    absent = [make(user) for user in ABSENT]
    return senders, others, absent


def kill_often(server, kills, rng):
    """How long the longest start took."""
    longest = 0
    for _ in range(kills):
        if rng.random() < 0.2:
            # While it starts.
            time.sleep(rng.uniform(0, 0.3))
        else:
            line = server.process.stdout.readline().decode()
            assert line.startswith("ready "), (line, server.logged())
            longest = max(longest, time.monotonic() - started(server))
            time.sleep(rng.uniform(0, 1.2))
        assert server.process.poll() is None, server.logged()
        server.kill()
        spawn(server)
    line = server.process.stdout.readline().decode()
    assert line.startswith("ready "), (line, server.logged())
    return longest


def spawn(server):
    server.spawn()
    server.process.started = time.monotonic()


def started(server):
    return server.process.started


def check(ledger):
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


def nothing_comes_again(schema, server):
    """What was acknowledged has left the store."""
    probe = Wire(schema, server).sign_in(SENDERS[0], "probe")
    again = []
    for user in SENDERS[1:] + PRESENT + RESTLESS + ABSENT:
        wire = Wire(schema, server).sign_in(user, "again")
        probe.send_im(user, "probe")
        while (im := wire.until("im").im).id != "probe":
            again.append(f"{user} got {im.id} again, long acknowledged")
        wire.ack()
        wire.close()
    return again


def run(options):
    schema = load_schema(options.proto)
    rng = random.Random(options.seed)
    users = SENDERS + PRESENT + RESTLESS + ABSENT
    server = Server(options.parley, users=users)
    ledger = Ledger()
    everyone = []
    try:
        server.set("im.offline_max", "unlimited")
        server.set("im.grace", "300ms")
        senders, others, absent = arrange(schema, server, ledger, options.seed)
        everyone += senders + others
        for one in everyone:
            one.start()
        for one in senders:
            one.sending.set()
        time.sleep(0.5)
        server.kill()
        spawn(server)
        began = time.monotonic()
        longest = kill_often(server, options.kills - 1, rng)
        took = time.monotonic() - began
        for one in senders:
            one.sending.clear()
        everyone += absent
        for one in absent:
            one.start()
        for one in everyone:
            one.calm.set()
        patiently(lambda: not ledger.open())
        patiently(lambda: not ledger.missing())
        for one in everyone:
            one.over.set()
        for one in everyone:
            one.join(PATIENCE)
        broken = check(ledger)
        if server.stop() != 0:
            broken.append("the server did not stop in order")
        server.start()
        broken += nothing_comes_again(schema, server)
        report(ledger, options, took, longest)
        return broken
    finally:
        for one in everyone:
            one.over.set()
        server.remove()


def patiently(holds):
    """Waits for it; if it never comes, the checks say what is missing."""
    try:
        wait_until(holds, "the end")
    except AssertionError:
        pass


def report(ledger, options, took, longest):
    c = ledger.counts
    print(
        f"{options.kills} kills in {took:.0f} s, longest start {longest:.2f} s;"
        f" {len(ledger.ims)} IMs: {c['delivered']} delivered,"
        f" {c['stored']} stored; {c['retries']} sent again,"
        f" {c['duplicates']} duplicates dropped, {c['cut']} connections cut,"
        f" {c['resumed']} sessions resumed"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parley")
    parser.add_argument("proto")
    parser.add_argument("--kills", type=int, default=50)
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


if __name__ == "__main__":
    main()
