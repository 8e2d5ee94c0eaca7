#!/usr/bin/python3
"""Whoever floods the server, what it holds stays below its bound, as it says
itself, the others are served on, and each limit is told and counted.

    flood_test.py PARLEY PROTO-FOLDER
"""

import threading
import time

from floods import FLOODS
from metrics_test import read
from parley_system import DOMAIN, SystemTest, main, numbers, wait_until
from wire_client import Closed, Refused, Wire, load_schema

SECONDS = 0.7
SCALE = 2
# An event, or a list, for each that reads nothing.
ON_TOP = 16 * 1024 * 1024

# defaults.hpp: privacy_entries_max.
PRIVACY_ENTRIES = 1_000


class FloodTest(SystemTest):
    """Two innocents go on with their talk while the others flood."""

    crowd = tuple(f"u{n:03}@{DOMAIN}" for n in range(160))
    # Who floods does so from an account for which nothing waits.
    flooders = tuple(f"flooder{n}@{DOMAIN}" for n in range(len(FLOODS)))
    users = crowd + flooders
    # Guesses are held against the address that they come from; the floods
    # that come after them sign in from another.
    sources = {"brute_force": "127.0.0.2"}
    innocents = (f"ann@{DOMAIN}", f"ben@{DOMAIN}")
    configuration = "memory_mib = 64\n"
    arguments = ("--metrics", "127.0.0.1:0")

    @classmethod
    def setUpClass(cls):
        cls.schema = load_schema(cls.proto)
        super().setUpClass()
        cls.server.add(*cls.innocents)
        cls.bound = read(cls.server)["parley_held_bytes_max"]
        assert cls.bound == 64 * 1024 * 1024, cls.bound

    def setUp(self):
        self.ann, self.ben = (
            self.wire().sign_in(user) for user in self.innocents
        )
        self.before = read(self.server)

    def wire(self):
        wire = Wire(self.schema, self.server)
        self.addCleanup(wire.close)
        return wire

    def talk(self):
        """An IM there and back."""
        for one, other in ((self.ann, self.ben), (self.ben, self.ann)):
            request = one.send_im(
                other.session.address.split("/")[0], f"t{next(numbers)}"
            )
            other.until("im")
            other.ack()
            # A machine as busy as this may let the grace time pass.
            self.assertIn(one.outcome(request), ("delivered", "stored"))

    def flood(self, name, seconds=SECONDS, scale=SCALE):
        """Runs one beside the talk; returns what it counted."""
        flooder = self.flooders[list(FLOODS).index(name)]
        users = (flooder, *self.crowd)
        kind = FLOODS[name](self.schema, self.server, users, scale)
        kind.source = self.sources.get(name)
        over = threading.Event()
        ready = threading.Event()
        failed = []

        def run():
            try:
                kind.begin()
                ready.set()
                while not over.is_set():
                    kind.go_on()
            except (Closed, Refused, OSError) as error:
                kind.done["ended"] = str(error)
            except BaseException as error:
                failed.append(error)
                raise
            finally:
                ready.set()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            ready.wait()
            talks = 0
            end = time.monotonic() + seconds
            while time.monotonic() < end or talks < 3:
                self.talk()
                talks += 1
                self.is_within_its_bound()
                time.sleep(0.1)  # they keep to im.rate
        finally:
            over.set()
            thread.join()
            kind.end()
        self.assertEqual(failed, [])
        self.talk()
        return kind.done

    def is_within_its_bound(self):
        now = read(self.server)
        kinds = {k: v for k, v in now.items() if "held_bytes{" in k}
        self.assertEqual(len(kinds), 10)
        self.assertLessEqual(sum(kinds.values()), self.bound, kinds)
        # What is on its way to those that take nothing comes on top, until
        # their sessions end for it.
        highest = now["parley_held_bytes_highest"]
        self.assertLessEqual(highest, self.bound + ON_TOP, kinds)

    def grew(self, name):
        return read(self.server).get(name, 0) - self.before.get(name, 0)

    def test_who_reads_nothing_is_read_from_no_more(self):
        done = self.flood("unread", seconds=1)
        self.assertGreater(done["bytes"], 0)

    def test_a_byte_a_second_from_many(self):
        done = self.flood("slow", seconds=0.5)
        self.assertGreaterEqual(done["connections"], 100 * SCALE)
        self.assertGreaterEqual(done["bytes"], done["connections"] / 10)

    def test_ims_to_one_who_is_not_there(self):
        self.setting("im.offline_max", 100)
        done = self.flood("to_one")
        self.assertGreater(done["quota_exceeded"], 0)
        self.assertGreater(
            self.grew("parley_limits_hit_total{im.offline_max}"), 0
        )

    def test_ims_to_many(self):
        self.setting("im.rate", 20)
        done = self.flood("to_many")
        self.assertGreater(done["rate_limited"], 0)
        self.assertGreater(self.grew("parley_limits_hit_total{im.rate}"), 0)

    def test_typing_without_end(self):
        done = self.flood("typing")
        self.assertNotIn("ended", done)
        self.assertGreater(self.grew("parley_limits_hit_total{typing}"), 0)

    def test_presence_contacts_subscriptions_and_watches(self):
        self.setting("contacts.max", 50)
        self.setting("presence.adhoc_max", 20)
        for name in ("presence", "contacts", "subscriptions", "watches"):
            self.flood(name, seconds=0.3)
        self.assertGreater(
            self.grew("parley_limits_hit_total{contacts.max}"), 0
        )
        self.assertGreater(
            self.grew("parley_limits_hit_total{presence.adhoc_max}"), 0
        )

    def test_frames_that_no_window_stops(self):
        done = self.flood("windows")
        self.assertNotIn("ended", done)
        self.assertGreater(done["window"], 10_000)

    def test_sign_in_storms_and_guesses(self):
        self.setting("signin.rate", 20)
        self.flood("sign_ins")
        self.flood("brute_force")
        self.assertGreater(self.grew("parley_limits_hit_total{signin.rate}"), 0)

    def test_frames_at_the_limit_are_held_back_largest_holder_first(self):
        self.setting("im.body_max", 262144)
        self.setting("im.grace", "5s")
        done = self.flood("big_frames", seconds=1.5)
        # More than there is memory for was to come.
        self.assertGreater(done["bytes"], self.bound / 4)
        self.assertGreater(self.grew("parley_reads_held_back_total"), 0)
        # And is given back: what waits is written when the grace is over.
        wait_until(
            lambda: read(self.server)["parley_held_bytes{ims}"]
            < self.bound / 4,
            "memory",
        )

    def test_contact_lists_that_are_long(self):
        group = ["g" * 250 + f"{n:02}" for n in range(32)]

        def fill(wire):
            for first in range(0, 200, 25):
                contacts = [
                    {"address": f"c{n}@far.net", "name": "n", "groups": group}
                    for n in range(first, first + 25)
                ]
                request = wire.request(add_contacts={"contacts": contacts})
                frame = wire.until("contacts_changed", "error", request=request)
                wire.ack()
                if frame.WhichOneof("kind") == "error":
                    raise Refused(frame.error)

        wires = []
        refused = 0
        for user in self.crowd[:60]:
            try:
                wire = self.wire()
                wires.append(wire.sign_in(user))
                fill(wire)
            except (Closed, Refused, ConnectionError):
                refused += 1
            self.is_within_its_bound()
            if refused > 0:
                break
        self.assertEqual(refused, 1)
        held = read(self.server)["parley_held_bytes{rosters}"]
        self.assertGreater(held, self.bound / 2)
        self.talk()
        for wire in wires:
            try:
                wire.request(sign_out={})
            except OSError:
                pass
        for user in self.crowd[:60]:
            self.server.try_admin("kick", user)
        wait_until(
            lambda: read(self.server)["parley_held_bytes{rosters}"]
            < self.bound / 16,
            "memory",
        )

    def test_broadcasts_to_many_endpoints(self):
        done = self.flood("broadcasts")
        self.assertGreater(done.get("broadcast", 0), 0, done)

    def test_more_ids_than_are_remembered(self):
        self.setting("im.grace", "0.1s")  # two of three take nothing
        done = self.flood("retry_ids")
        self.assertGreater(done["stored"] + done.get("delivered", 0), 0)

    def test_what_is_longer_than_anything_may_be_is_counted(self):
        names = [f"u{n}@x.example" for n in range(PRIVACY_ENTRIES + 1)]
        request = self.ann.request(set_privacy={"block": {"addresses": names}})
        error = self.ann.until("error", request=request).error
        self.ann.ack()
        self.assertEqual(
            (error.limit, error.value), (PRIVACY_ENTRIES, len(names))
        )
        self.becomes_one("parley_limits_hit_total{request}")
        wire = self.wire()
        wire.say_hello()
        wire.write(b"\xff" * 4)
        self.assertEqual(wire.error().reason, "frame_too_large")
        self.becomes_one("parley_limits_hit_total{frame}")

    def becomes_one(self, name):
        wait_until(lambda: self.grew(name) > 0, name)
        self.assertEqual(self.grew(name), 1)

    def test_the_troubleshooter_tells_each_part_beside_the_bound(self):
        checks = self.server.admin("troubleshoot")["checks"]
        check = next(x for x in checks if x["check"] == "memory")
        self.assertIn("of 64 MiB", check["what"])
        for part in "outputs sessions mailboxes ims store".split():
            self.assertRegex(check["what"], rf"\b{part} \d+")


if __name__ == "__main__":
    main()
