#!/usr/bin/python3
"""The server stops in order under full load: in time whatever its clients do,
with a true outcome for every IM whose sender waits for it, and with all of
them told to come back at different times.

    stop_load_test.py PARLEY PROTO-FOLDER
    stop_load_test.py PARLEY PROTO-FOLDER --measure BENCH [--sessions N]

The second form adds the load of parley-bench, IMs without pause and as many
idle sessions as it is told, and says how long the stop took.
"""

import argparse
import collections
import signal
import socket
import subprocess
import sys
import time
import unittest

from metrics_test import read
from parley_system import DOMAIN, PATIENCE, Server, SystemTest
from parley_system import main, wait_until
from stop_test import STOPPED_WITHIN, Load, Reader
from wire_client import Closed, Refused, Wire, load_schema

GROUPS = {
    "sender": 16,  # as fast as they are let
    "reader": 8,  # acknowledge what comes
    "silent": 4,  # do not
    "absent": 4,
    "slow": 2,  # read now and then
    "deaf": 2,  # read nothing
    "drainer": 1,  # comes for what was stored when the server stops
    "lost": 60,  # lost their connection a moment ago
    "idle": 90,
}
WAITING = 400  # IMs for the drainer
SPREAD = (1000, 10_000)  # ms in which clients come back


def names(group):
    return [f"{group}{n}@{DOMAIN}" for n in range(GROUPS[group])]


def everybody():
    return [user for group in GROUPS for user in names(group)]


class Sender(Load):
    """As Load; with `audience` its first request is a broadcast to it."""

    def __init__(self, world, user, peers, audience=()):
        super().__init__(world.schema, world.server, user, peers, tls=True)
        self.audience = audience

    def fill(self):
        if self.audience:
            to, self.audience = self.audience, ()
            n = self.wire.request(
                broadcast={"id": "all", "to": to, "body": "to all"}
            )
            self.under_way[n] = None
        super().fill()

    def take(self, frame):
        if frame.WhichOneof("kind") != "broadcast":
            return super().take(frame)
        for one in frame.broadcast.outcomes:
            assert (one.to, "all") not in self.outcomes
            self.outcomes[one.to, "all"] = self.word_of(one.outcome)
        if not frame.broadcast.part.more:
            del self.under_way[frame.request]
        return self.wire.ack()


class Slow(Reader):
    """Takes what fits into little, and rests."""

    def run(self):
        try:
            while True:
                time.sleep(0.1)
                frame = self.wire.receive()
                if frame.WhichOneof("kind") == "im":
                    self.ids.append(frame.im.id)
                if frame.event:
                    self.wire.ack(frame.event)
        except (Closed, OSError):
            pass


class World:
    """A server with everything under way at once."""

    def __init__(self, parley, schema, *arguments):
        self.schema = schema
        self.server = Server(
            parley,
            *("--metrics", "127.0.0.1:0", *arguments),
            users=everybody(),
            plain=False,
        )
        self.server.set("im.offline_max", "unlimited")
        self.server.set("im.grace", "30s")
        self.senders = []
        self.readers = {}  # user: what it took
        self.wires = []

    def remove(self):
        for wire in self.wires:
            wire.close()
        self.server.remove()

    def wire(self, **how):
        wire = Wire(self.schema, self.server, tls=True, **how)
        self.wires.append(wire)
        return wire

    def reader(self, user, acknowledges=True, kind=Reader):
        one = kind(self.schema, self.server, user, acknowledges, tls=True)
        self.wires.append(one.wire)
        self.readers[user] = one
        return one

    def gather(self):
        """All but the senders are there."""
        store = self.wire().sign_in(names("idle")[0], "store")
        for n in range(WAITING):
            (drainer,) = names("drainer")
            number = store.send_im(drainer, f"waiting {n}")
            assert store.outcome(number) == "stored"
        for user in names("lost"):
            self.wire().sign_in(user).close()
        self.idle = [self.wire().sign_in(user) for user in names("idle")]
        for user in names("deaf"):
            wire = self.wire(room=4096)
            wire.sign_in(user)
        for user in names("slow"):
            self.reader(user, kind=Slow).start()
        for user in names("reader"):
            self.reader(user).start()
        for user in names("silent"):
            self.reader(user, acknowledges=False).start()
        # On its way in for ever.
        self.wire().say_hello()
        self.wires.append(socket.create_connection(("127.0.0.1", self.port)))

    @property
    def port(self):
        return self.server.port

    def send(self):
        """Each sender has a window full to one kind of peers, or to all."""
        kinds = ("reader", "absent", "silent", "slow", "deaf")
        audience = [user for kind in kinds for user in names(kind)]
        for n, user in enumerate(names("sender")):
            peers = names(kinds[n % len(kinds)]) if n % 2 else audience
            self.senders.append(Sender(self, user, peers, audience))
            self.wires.append(self.senders[-1].wire)
        for one in self.senders:
            one.start()

    def stop(self):
        """The exit status, and how many seconds it took."""
        process = self.server.process
        (drainer,) = names("drainer")
        self.reader(drainer).start()
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        # Once is enough, and more harms nothing.
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        status = process.wait(PATIENCE)
        return status, time.monotonic() - began

    def promised(self):
        """recipient: ids."""
        found = collections.defaultdict(set)
        for n in range(WAITING):
            found[names("drainer")[0]].add(f"waiting {n}")
        for one in self.senders:
            for (to, id_), word in one.outcomes.items():
                if word in ("delivered", "stored"):
                    found[to].add(id_)
        return found

    def missing(self):
        """Of what was promised, after the server was started again."""
        for user, ids in self.promised().items():
            came = set(self.readers[user].ids if user in self.readers else ())
            wire = self.wire().sign_in(user, "after")
            try:
                while ids - came:
                    came.add(wire.until("im", timeout=5).im.id)
                    wire.ack()
            except AssertionError:
                yield user, ids - came
            wire.close()


def told_to_come_back(wires):
    """When, in ms, of those who have read nothing since they signed in."""
    for wire in wires:
        try:
            yield wire.until("going_away").going_away.come_back_after_ms
        except (Closed, Refused):
            pass


class StopLoadTest(SystemTest):
    users = ()

    @classmethod
    def setUpClass(cls):
        cls.schema = load_schema(cls.proto)

    def test_all_at_once(self):
        world = World(self.parley, self.schema, "--threads", "2")
        self.addCleanup(world.remove)
        world.gather()
        world.send()
        wait_until(
            lambda: sum(len(x.outcomes) for x in world.senders) > 2000,
            "the load",
        )
        status, took = world.stop()
        self.assertEqual(status, 0, world.server.logged())
        self.assertLess(took, STOPPED_WITHIN)
        for one in [*world.senders, *world.readers.values()]:
            one.join(PATIENCE)
            self.assertFalse(one.is_alive())
        for one in world.senders:
            self.assertIsNone(one.broken)
            self.assertTrue(one.was_heard)
            self.assertEqual(one.under_way, {}, one.user)
            self.assertEqual(one.last_error.reason, "server_stopping")
            words = set(one.outcomes.values())
            self.assertLessEqual(
                words, {"delivered", "stored", "server_stopping"}
            )
        times = [x.come_back_after for x in world.senders]
        times += told_to_come_back(world.idle)
        self.spread(times, len(world.senders) + len(world.idle))
        world.server.start()
        self.assertEqual(list(world.missing()), [])

    def spread(self, times, count):
        """Over the whole time, and evenly."""
        self.assertEqual(len(times), count)
        first, last = SPREAD
        self.assertGreaterEqual(min(times), first)
        self.assertLessEqual(max(times), last)
        parts = collections.Counter(
            (x - first) * 6 // (last - first + 1) for x in times
        )
        for part in range(6):
            self.assertGreater(parts[part], count / 6 / 2, sorted(times))
            self.assertLess(parts[part], count / 6 * 2, sorted(times))

    def test_who_comes_while_it_stops_is_told_when_to_come_back(self):
        world = World(self.parley, self.schema)
        self.addCleanup(world.remove)
        here = world.wire().sign_in(names("idle")[0])
        coming = world.wire()
        coming.say_hello()
        world.server.process.send_signal(signal.SIGTERM)
        here.until("going_away")
        with self.assertRaises(Refused) as refusal:
            coming.authenticate(names("idle")[1], "late")
        error = refusal.exception.error
        self.assertEqual(error.reason, "server_stopping")
        self.assertGreaterEqual(error.retry_after_ms, SPREAD[0])
        self.assertLessEqual(error.retry_after_ms, SPREAD[1])
        self.assertEqual(world.server.process.wait(PATIENCE), 0)


def measure(options):
    """One stop, with parley-bench's load beside that of the test."""
    world = World(
        options.parley, load_schema(options.proto), "--threads", "2"
    )
    loads = []

    def load(scenario, *arguments):
        target = ("--server", world.server.address, "--tls", "--no-relay")
        long = ("--rounds", "1", "--seconds", "120")
        loads.append(
            subprocess.Popen(
                [options.measure, scenario, *target, *long, *arguments],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )

    try:
        count = str(options.sessions + 2 * options.pairs)
        users = subprocess.run(
            [options.measure, "users", "--count", count],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        file = world.server.file("bench.csv", users)
        world.server.admin("user", "import", file)
        world.gather()
        here = read(world.server)["parley_connections{signed_in}"]
        first = ("--first-user", str(2 * options.pairs))
        load("idle", "--sessions", str(options.sessions), *first)
        wait_until(
            lambda: read(world.server)["parley_connections{signed_in}"]
            >= here + options.sessions,
            "the idle sessions",
            timeout=120,
        )
        load("im", "--pairs", str(options.pairs), "--window", "16")
        world.send()
        time.sleep(3)
        before, began = read(world.server), time.monotonic()
        time.sleep(2)
        after = read(world.server)
        rate = sum(
            after[x] - before[x]
            for x in ("parley_ims_total{delivered}", "parley_ims_total{stored}")
        ) / (time.monotonic() - began)
        status, took = world.stop()
        for one in world.senders:
            one.join(PATIENCE)
        world.server.start()
        lost = sum(len(ids) for _, ids in world.missing())
        print(
            f"stopped in {took:.2f} s, exit status {status}:"
            f" {after['parley_connections{signed_in}']:.0f} connections,"
            f" {after['parley_sessions{suspended}']:.0f} suspended sessions,"
            f" {rate:.0f} IMs/s,"
            f" {after['parley_ims_pending']:.0f} IMs without outcome;"
            f" {lost} lost"
        )
        return status or lost
    finally:
        for one in loads:
            one.kill()
            one.wait()
        world.remove()


def measured():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parley")
    parser.add_argument("proto")
    parser.add_argument("--measure", metavar="BENCH", required=True)
    parser.add_argument("--sessions", type=int, default=5000)
    parser.add_argument("--pairs", type=int, default=100)
    return measure(parser.parse_args())


if __name__ == "__main__":
    if "--measure" in sys.argv:
        sys.exit(measured())
    main()
