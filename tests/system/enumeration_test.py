#!/usr/bin/python3
"""Before the sign-in nobody learns by an answer who has an account: whatever is
tried, a name that is known, one that is not, one that was removed and one of
another domain are answered by frames of the same form.

    enumeration_test.py PARLEY PROTO-FOLDER
    enumeration_test.py PARLEY PROTO-FOLDER --measure N

The second compares the times of answers, N names of each kind; no test, since
times depend on the machine.
"""

import base64
import itertools
import random
import os
import statistics
import sys
import time

from accounts_test import scram_text
from operator_test import admin_connection, ask
from parley_system import BOB, DOMAIN, Server, SystemTest, main
from wire_client import Wire, load_schema

POOL = 60  # names of each kind: a name is slowed once it has failed
KINDS = {
    "known": f"known{{}}@{DOMAIN}",
    "imported": f"imported{{}}@{DOMAIN}",  # has keys for SHA-256 alone
    "unknown": f"unknown{{}}@{DOMAIN}",
    "removed": f"removed{{}}@{DOMAIN}",
    "of another domain": "known{}@elsewhere.net",
}
HASHES = ("SCRAM-SHA-256", "SCRAM-SHA-1")
NONCE = "fyko+d2lbbFgONRv9qkxdawL"

# Each try comes from an address of its own: none is slowed by those before.
sources = (f"127.{a}.{b}.{c}" for a, b, c in itertools.product(
    range(1, 250), range(250), range(1, 250)))


def shape(frame):
    """All of it, but for what is random."""
    kind = frame.WhichOneof("kind")
    if kind != "sasl_challenge":
        return frame.SerializeToString()
    part = parts(frame.sasl_challenge.data)
    assert part["r"].startswith(NONCE)
    return (
        list(part),
        len(part["r"]),
        len(base64.b64decode(part["s"], validate=True)),
        part["i"],
    )


def parts(challenge):
    return dict(x.split("=", 1) for x in challenge.decode().split(","))


class EnumerationTest(SystemTest):
    users = (BOB, *(KINDS["known"].format(n) for n in range(POOL)))
    plain = False
    turns = itertools.cycle(range(POOL))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.schema = load_schema(cls.proto)
        made, gone = (
            [KINDS[kind].format(n) for n in range(POOL)]
            for kind in ("imported", "removed")
        )
        keys = scram_text("x")
        rows = "".join(f"{name},{keys}\n" for name in made + gone)
        cls.server.admin("user", "import", cls.server.file("k.csv", rows))
        operator = admin_connection(cls.server)
        for name in gone:
            ask(operator, op="user.remove", user=name)
        operator.close()

    def names(self):
        """One of each kind."""
        n = next(self.turns)
        return {kind: name.format(n) for kind, name in KINDS.items()}

    def wire(self):
        wire = Wire(self.schema, self.server, tls=True, source=next(sources))
        self.addCleanup(wire.close)
        wire.say_hello()
        return wire

    def begin(self, wire, mechanism, name, header="n,,"):
        first = f"{header}n={name},r={NONCE}"
        wire.send(
            authenticate={"mechanism": mechanism, "initial": first.encode()}
        )
        return wire.receive()

    def last(self, challenge, proof=b"x" * 32, binding="biws", nonce=None):
        text = base64.b64encode(proof).decode()
        nonce = nonce or parts(challenge)["r"]
        return f"c={binding},r={nonce},p={text}".encode()

    def answered_alike(self, attempt):
        """`attempt(name)` gives what the server said, in its order."""
        said = {kind: attempt(name) for kind, name in self.names().items()}
        for kind, answers in said.items():
            self.assertEqual(answers, said["known"], kind)
    def refusal(self, frame):
        self.assertEqual(frame.error.reason, "authentication_failed")
        self.assertEqual(frame.error.scope, self.schema.REQUEST)
        return shape(frame)

    # -- SCRAM

    def test_every_wrong_end_of_an_exchange_is_answered_alike(self):
        ends = {
            "a wrong proof": lambda c: self.last(c),
            "a proof of zeros": lambda c: self.last(c, bytes(32)),
            "one of SHA-1's size": lambda c: self.last(c, b"y" * 20),
            "another one's size": lambda c: self.last(c, b"y" * 31),
            "no proof": lambda c: self.last(c).split(b",p=")[0],
            "another nonce": lambda c: self.last(c, nonce=NONCE + "x"),
            "another binding": lambda c: self.last(c, binding="eSws"),
            "nonsense": lambda c: b"\xff\x00nonsense",
            "nothing": lambda c: b"",
        }
        for mechanism in HASHES:
            for what, end in ends.items():
                with self.subTest(mechanism=mechanism, end=what):

                    def attempt(name):
                        wire = self.wire()
                        first = self.begin(wire, mechanism, name)
                        data = end(first.sasl_challenge.data)
                        wire.send(sasl_response={"data": data})
                        return shape(first), self.refusal(wire.receive())

                    self.answered_alike(attempt)

    def test_every_wrong_beginning_is_answered_alike(self):
        headers = {
            "as somebody else": f"n,a={BOB},",
            "as nobody": f"n,a=x@{DOMAIN},",
            "a binding that is not": "p=tls-server-end-point,,",
            "y": "y,,",
            "an extension that must be known": "n,,m=x,",
            "no header": "",
        }
        for mechanism in HASHES:
            for what, header in headers.items():
                with self.subTest(mechanism=mechanism, header=what):
                    self.answered_alike(
                        lambda name: shape(
                            self.begin(self.wire(), mechanism, name, header)
                        )
                    )

    def test_what_follows_on_the_connection_is_alike(self):
        def attempt(name):
            wire, said = self.wire(), []
            for _ in range(3):
                first = self.begin(wire, HASHES[0], name)
                said.append(shape(first))
                data = self.last(first.sasl_challenge.data)
                wire.send(sasl_response={"data": data})
                frame = wire.receive()
                # The time of the next turn depends on the clock.
                said.append(frame.error.HasField("retry_after_ms"))
                frame.error.ClearField("retry_after_ms")
                said.append(shape(frame))
            self.assertEqual(frame.error.scope, self.schema.CONNECTION)
            self.assertTrue(wire.is_closed())
            return said

        self.answered_alike(attempt)

    def challenges(self, name):
        """Salt and iterations under each mechanism."""
        said = {}
        for mechanism in HASHES:
            first = self.begin(self.wire(), mechanism, name)
            part = parts(first.sasl_challenge.data)
            said[mechanism] = (part["s"], part["i"])
        return said

    def test_a_name_is_shown_the_same_salts_for_ever(self):
        names = self.names()
        before = {name: self.challenges(name) for name in names.values()}
        salts = [s for x in before.values() for s, _ in x.values()]
        self.assertEqual(len(set(salts)), len(salts), "one salt for two")
        # However it is written, at each try, and after a restart.
        for name in (names["known"], names["unknown"]):
            node = name.split("@")[0]
            for spelling in (name.upper(), node, node.upper() + "@" + DOMAIN):
                self.assertEqual(self.challenges(spelling), before[name])
        for how in (self.server.stop, self.server.kill):
            how()
            self.server.start()
            for name in names.values():
                self.assertEqual(self.challenges(name), before[name], name)

    def test_another_server_shows_other_salts(self):
        """Else a decoy could be told by asking two of them."""
        server = Server(self.parley, users=(BOB,), plain=False)
        self.addCleanup(server.remove)
        here = self.challenges(f"x@{DOMAIN}")
        self.server, there = server, self.server
        try:
            elsewhere = self.challenges(f"x@{DOMAIN}")
        finally:
            self.server = there
        for mechanism in HASHES:
            self.assertNotEqual(here[mechanism], elsewhere[mechanism])

    # -- PLAIN

    def test_plain_is_answered_alike(self):
        def attempt(message):
            wire = self.wire()
            wire.send(
                authenticate={"mechanism": "PLAIN", "initial": message.encode()}
            )
            return self.refusal(wire.receive())

        for what, message in {
            "a wrong password": "\0{}\0wrong",
            "none": "\0{}\0",
            "one that SASLprep refuses": "\0{}\0a\u0007b",
            "a long one": "\0{}\0" + 2000 * "x",
            "as somebody else": BOB + "\0{}\0wrong",
            "no password at all": "\0{}",
        }.items():
            with self.subTest(password=what):
                self.answered_alike(lambda x: attempt(message.format(x)))

    # -- without sign-in

    def test_nothing_else_is_answered_to_a_stranger(self):
        """What names a user needs a session; the answer knows no name."""
        for field, make in (
            ("send", lambda x: {"id": "i", "to": x, "body": "b"}),
            ("broadcast", lambda x: {"id": "i", "to": [x], "body": "b"}),
            ("subscribe", lambda x: {"to": x}),
            ("watch", lambda x: {"address": x, "seconds": 9}),
            ("add_contacts", lambda x: {"contacts": [{"address": x}]}),
        ):

            def attempt(name):
                wire = self.wire()
                wire.request(**{field: make(name)})
                frame = wire.receive()
                self.assertEqual(frame.error.reason, "not_signed_in")
                return shape(frame), wire.is_closed()

            with self.subTest(field):
                self.answered_alike(attempt)


# -- times ---------------------------------------------------------------------


def seconds(wire, **frame):
    began = time.perf_counter()
    wire.send(**frame)
    answer = wire.receive()
    return time.perf_counter() - began, answer


def measure(parley, proto, count):
    """Each name is tried once, from an address of its own, so that nothing is
    slowed; in a random order, so that the machine's moods are shared."""
    schema = load_schema(proto)
    # Neither kind comes before the other in any order.
    names = random.sample(range(10**6, 10**7), 2 * count)
    known, unknown = (
        [f"u{n}@{DOMAIN}" for n in names[i::2]] for i in range(2)
    )
    server = Server(parley, users=known, plain=False)
    test = EnumerationTest()
    times = {}
    try:
        # What is asked for twice comes out of a cache.
        server.stop()
        server.start()
        test.server, test.schema = server, schema
        for pair in zip(known, unknown):
            both = list(zip(("known", "unknown"), pair))
            for kind, who in random.sample(both, 2):
                wire = Wire(schema, server, tls=True, source=next(sources))
                wire.say_hello()
                first = f"n,,n={who},r={NONCE}".encode()
                asked, frame = seconds(
                    wire,
                    authenticate={"mechanism": HASHES[0], "initial": first},
                )
                data = test.last(frame.sasl_challenge.data)
                judged, _ = seconds(wire, sasl_response={"data": data})
                plain, _ = seconds(
                    wire,
                    authenticate={
                        "mechanism": "PLAIN",
                        "initial": f"\0{who}\0wrong".encode(),
                    },
                )
                wire.close()
                for what, x in (
                    ("SCRAM, challenge", asked),
                    ("SCRAM, proof", judged),
                    ("PLAIN", plain),
                ):
                    times.setdefault((what, kind), []).append(x)
    finally:
        server.remove()
    for what in dict.fromkeys(what for what, _ in times):
        a, b = (times[what, kind] for kind in ("known", "unknown"))
        print(
            f"{what}: median {statistics.median(a) * 1e6:.0f} µs known, "
            f"{statistics.median(b) * 1e6:.0f} µs unknown; "
            f"a known one is slower in {slower(a, b):.1%} of all pairs "
            f"(by chance 50 ± {100 * (1 / 6 / count) ** 0.5 * 2:.1f} %)"
        )


def slower(a, b):
    """In which part of all pairs the first is (Mann and Whitney's U)."""
    order = sorted([(x, 1) for x in a] + [(x, 0) for x in b])
    pairs = before = 0
    for _, of_a in order:
        pairs += before * of_a
        before += 1 - of_a
    return pairs / len(a) / len(b)


if __name__ == "__main__":
    if "--measure" in sys.argv:
        measure(sys.argv[1], sys.argv[2], int(sys.argv[-1]))
    else:
        main()
