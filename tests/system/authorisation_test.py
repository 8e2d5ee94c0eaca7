#!/usr/bin/python3
"""Nobody acts for somebody else: each request of the protocol concerns who is
signed in. A kind of frame that is new fails here until it has a test.

    authorisation_test.py PARLEY PROTO-FOLDER
"""

from parley_system import DOMAIN, SystemTest, main, numbers, wait_until
from wire_client import Refused, Wire, load_schema

# All texts of a client's frames. None says who acts.
TEXTS = {
    "hello": ["software"],
    "authenticate": ["endpoint", "mechanism", "presence.status"],
    "typing": ["to"],
    "send": ["body", "id", "payloads.type", "to"],
    "broadcast": ["body", "id", "payloads.type", "to"],
    "presence": ["status"],
    "add_contacts": ["contacts.address", "contacts.groups", "contacts.name"],
    "remove_contacts": ["addresses"],
    "subscribe": ["to"],
    "unsubscribe": ["to"],
    "approve": ["from"],  # whose question; the presentity is who is signed in
    "deny": ["from"],
    "watch": ["address"],
    "set_privacy": [
        "allow.addresses",
        "block.addresses",
        "domains.rules.domain",
    ],
}


def texts(message, before=""):
    for field in message.fields:
        if field.message_type:
            yield from texts(field.message_type, f"{before}{field.name}.")
        elif field.type == field.TYPE_STRING:
            yield before + field.name


class UsersTest(SystemTest):
    """Alice asks, Bob is asked; Mallory wants what is theirs."""

    users = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.schema = load_schema(cls.proto)

    def setUp(self):
        n = next(numbers)
        self.alice, self.bob, self.mallory = (
            f"{name}{n}@{DOMAIN}" for name in ("alice", "bob", "mallory")
        )
        self.server.add(self.alice, self.bob, self.mallory)
        self.a, self.b, self.m = (
            self.wire().sign_in(x)
            for x in (self.alice, self.bob, self.mallory)
        )

    def wire(self):
        wire = Wire(self.schema, self.server)
        self.addCleanup(wire.close)
        return wire

    def answer(self, wire, kind="done", **frame):
        """To a request; acknowledged."""
        number = wire.request(**frame)
        answer = wire.until(kind, "error", request=number)
        wire.ack()
        self.assertEqual(answer.WhichOneof("kind"), kind, answer)
        return getattr(answer, kind)

    def contacts(self, wire):
        found = self.answer(wire, "contacts", list_contacts={"known": 0})
        return {x.address: x for x in found.contacts}

    def halves(self, wire, who):
        """Whether it sees that one, and is seen, as numbers of `Half`."""
        contact = self.contacts(wire).get(who)
        return contact and (contact.to, getattr(contact, "from"))

    def has(self, wire, who, halves):
        wait_until(
            lambda: self.halves(wire, who) == halves, f"{who} as {halves}"
        )

    def im_between(self, one, other):
        """It is delivered; the frame in which it came."""
        id_ = f"im {next(numbers)}"
        request = one.send_im(other.session.address.split("/")[0], id_)
        frame = other.until("im")
        other.ack()
        self.assertEqual(frame.im.id, id_)
        self.assertEqual(one.outcome(request), "delivered")
        return frame.im

    def told(self, wire, kind):
        """All frames of this kind so far: those behind a ping's answer come
        later than what it was sent after."""
        nonce = next(numbers)
        wire.send(ping={"nonce": nonce})
        wire.until("pong")
        return [x for x in wire.frames if x.WhichOneof("kind") == kind]

    def subscribed(self, ask=False):
        """Alice sees Bob, or, if he is to be asked, waits for his word."""
        if ask:
            self.answer(self.b, "privacy", set_privacy={"approve": 2})
        self.answer(self.a, "contacts_changed", subscribe={"to": self.bob})
        half = self.schema.HALF_PENDING if ask else self.schema.HALF_ACTIVE
        self.has(self.a, self.bob, (half, 0))
        self.has(self.b, self.alice, (0, half))
        return half

    def unchanged(self, half):
        """What `subscribed` made, also after the end of what is under way."""
        self.im_between(self.m, self.b)
        self.im_between(self.b, self.a)
        self.assertEqual(self.halves(self.a, self.bob), (half, 0))
        self.assertEqual(self.halves(self.b, self.alice), (0, half))

    # -- what there is

    def kinds(self):
        return self.schema.ClientFrame.DESCRIPTOR.oneofs_by_name["kind"].fields

    def test_every_kind_of_frame_has_its_test(self):
        """Its name says of which: test_KIND__…"""
        tested = {"hello", "sasl_response", "ping", "pong"}  # concern nobody
        for name in dir(self):
            if name.startswith("test_"):
                tested.update(name[len("test_") :].split("__")[:-1])
        self.assertEqual({x.name for x in self.kinds()} - tested, set())

    def test_no_frame_says_who_acts(self):
        found = {
            field.name: sorted(texts(field.message_type))
            for field in self.kinds()
        }
        self.assertEqual({k: v for k, v in found.items() if v}, TEXTS)

    def test_strangers_are_refused_everything(self):
        samples = {
            "send": {"id": "i", "to": self.bob, "body": "b"},
            "broadcast": {"id": "i", "to": [self.bob], "body": "b"},
            "add_contacts": {"contacts": [{"address": self.bob}]},
            "remove_contacts": {"addresses": [self.bob]},
            "typing": {"to": self.bob},
            "watch": {"address": self.bob, "seconds": 9},
            **{x: {"to": self.bob} for x in ("subscribe", "unsubscribe")},
            **{x: {"from": self.alice} for x in ("approve", "deny")},
        }
        allowed = {"hello", "authenticate", "resume", "ping", "pong"}
        unnumbered = {"ack", "window", "typing", "sasl_response"}
        for field in self.kinds():
            if field.name in allowed:
                continue
            with self.subTest(field.name):
                wire = self.wire()
                wire.say_hello()
                number = 0 if field.name in unnumbered else 1
                sample = samples.get(field.name, {})
                wire.send(request=number, **{field.name: sample})
                error = wire.error()
                self.assertEqual(error.reason, "not_signed_in")
                self.assertEqual(error.scope, self.schema.CONNECTION)
                self.assertTrue(wire.is_closed())
        self.assertEqual(self.told(self.b, "im"), [])
        self.assertEqual(self.contacts(self.b), {})

    # -- sessions

    def test_authenticate__as_somebody_else(self):
        wire = self.wire()
        wire.say_hello()
        first = f"n,a={self.alice},n={self.mallory},r=abc".encode()
        wire.send(
            authenticate={"mechanism": "SCRAM-SHA-256", "initial": first}
        )
        self.assertEqual(wire.receive().error.reason, "authentication_failed")
        # An endpoint's name is its user's alone: nobody is replaced.
        self.wire().sign_in(self.mallory, "desk")
        self.im_between(self.b, self.a)

    def test_resume__of_a_session_by_a_guess(self):
        token, mine = self.a.session.token, self.m.session.token
        flipped = [
            token[:n] + bytes([token[n] ^ 1]) + token[n + 1 :]
            for n in range(len(token))
        ]
        size = len(token) - len(mine[8:])
        self.assertEqual(size, 8, "of the session's number")
        guesses = flipped + [
            token[:size] + mine[size:],
            token[:size],
            token[:size] + bytes(len(token) - size),
            token[:-1],
            token + b"\0",
            b"",
            bytes(len(token)),
        ]
        for guess in guesses:
            wire = self.wire()
            with self.assertRaises(Refused) as caught:
                wire.resume(guess, 0)
            self.assertEqual(caught.exception.error.reason, "resume_failed")
            wire.close()
        self.im_between(self.b, self.a)
        self.assertTrue(self.wire().resume(token, self.a.last_event).resumed)

    def test_resume__after_the_password_was_changed(self):
        self.server.admin(
            *("user", "password", self.alice, "--password-file", "-"),
            text="another\n",
        )
        with self.assertRaises(Refused) as caught:
            self.wire().resume(self.a.session.token, 0)
        self.assertEqual(caught.exception.error.reason, "resume_failed")

    def test_sign_out__ends_ones_own_session(self):
        self.answer(self.m, sign_out={})
        self.im_between(self.b, self.a)

    def test_ack__window__are_of_ones_own_stream(self):
        self.setting("im.grace", "30s")
        first = self.b.send_im(self.alice, f"im {next(numbers)}")
        second = self.b.send_im(self.mallory, f"im {next(numbers)}")
        self.a.until("im")
        self.m.until("im")
        self.m.ack()
        self.m.send(window={"messages": 0, "bytes": 0})
        self.assertEqual(self.b.outcome(second), "delivered")
        self.assertEqual(self.told(self.b, "outcome"), [])
        self.a.ack()
        self.assertEqual(self.b.outcome(first), "delivered")
        self.im_between(self.b, self.a)

    # -- IMs

    def test_send__comes_from_who_sends(self):
        im = self.im_between(self.m, self.b)
        self.assertEqual(getattr(im, "from"), f"{self.mallory}/desk")
        # Ids are each sender's own: neither a conflict nor a retry.
        for wire, body in ((self.a, "one"), (self.m, "two")):
            request = wire.send_im(self.bob, "the same id", body)
            im = self.b.until("im").im
            self.b.ack()
            self.assertEqual(
                (getattr(im, "from"), im.body), (wire.session.address, body)
            )
            self.assertEqual(wire.outcome(request), "delivered")

    def test_broadcast__comes_from_who_sends(self):
        fields = {"id": "all", "to": [self.alice, self.bob], "body": "x"}
        request = self.m.request(broadcast=fields)
        for wire in (self.a, self.b):
            im = wire.until("im").im
            wire.ack()
            self.assertEqual(getattr(im, "from"), f"{self.mallory}/desk")
        self.m.until("broadcast", request=request)

    def test_typing__comes_from_who_types(self):
        self.m.send(typing={"to": self.bob})
        notice = self.b.until("typing").typing
        self.assertEqual(
            getattr(notice, "from").split("/")[0], self.mallory
        )

    # -- contacts and subscriptions

    def test_list_contacts__add_contacts__remove_contacts__are_ones_own(self):
        add = {"contacts": [{"address": self.bob, "name": "hers"}]}
        self.answer(self.a, "contacts_changed", add_contacts=add)
        version = self.answer(
            self.a, "contacts", list_contacts={"known": 0}
        ).version
        self.assertEqual(self.contacts(self.m), {})
        # Nor by guessing a version.
        found = self.answer(
            self.m, "contacts", list_contacts={"known": version}
        )
        self.assertEqual(list(found.contacts), [])
        mine = {"contacts": [{"address": self.bob, "name": "mine"}]}
        self.answer(self.m, "contacts_changed", add_contacts=mine)
        wish = {"addresses": [self.bob, self.alice]}
        self.answer(self.m, "contacts_changed", remove_contacts=wish)
        self.assertEqual(self.contacts(self.a)[self.bob].name, "hers")
        self.assertEqual(self.told(self.a, "contacts"), [])

    def test_subscribe__asks_for_oneself(self):
        self.answer(self.m, "contacts_changed", subscribe={"to": self.bob})
        self.has(self.b, self.mallory, (0, self.schema.HALF_ACTIVE))
        self.assertEqual(set(self.contacts(self.b)), {self.mallory})
        self.assertEqual(self.contacts(self.a), {})

    def test_unsubscribe__ends_ones_own(self):
        half = self.subscribed()
        for who in (self.bob, self.alice):
            self.answer(self.m, unsubscribe={"to": who})
        self.unchanged(half)

    def test_approve__decides_for_oneself_alone(self):
        half = self.subscribed(ask=True)
        for who in (self.alice, self.bob):
            self.answer(self.m, approve={"from": who})
        # Nor does who asked, in whatever words.
        for who in (self.alice, self.bob):
            number = self.a.request(approve={"from": who})
            self.a.until("done", "error", request=number)
            self.a.ack()
        self.unchanged(half)
        self.assertEqual(self.told(self.a, "presence"), [])

    def test_deny__decides_for_oneself_alone(self):
        half = self.subscribed()
        for who in (self.alice, self.bob):
            self.answer(self.m, deny={"from": who})
        self.unchanged(half)

    # -- presence

    def shown(self, wire, who):
        return [
            x.presence.show
            for x in self.told(wire, "presence")
            if getattr(x.presence, "from").split("/")[0] == who
        ]

    def test_presence__shows_oneself(self):
        self.subscribed()
        self.answer(self.m, presence={"show": self.schema.DND})
        self.im_between(self.m, self.a)
        self.assertNotIn(self.schema.DND, self.shown(self.a, self.bob))
        self.assertEqual(self.shown(self.a, self.mallory), [])

    def test_watch__needs_the_others_leave(self):
        self.answer(self.b, "privacy", set_privacy={"approve": 2})
        watch = {"address": self.bob, "seconds": 60}
        refusal = self.answer(self.m, "error", watch=watch)
        self.assertEqual(refusal.reason, "not_authorised")
        block = {"block": {"addresses": [self.mallory]}}
        self.answer(self.b, "privacy", set_privacy=block)
        self.answer(self.m, "watching", watch=watch)
        self.answer(self.m, "contacts_changed", subscribe={"to": self.bob})
        self.answer(self.b, presence={"show": self.schema.AWAY})
        # The watch is Mallory's: it shows nothing to Alice either.
        self.im_between(self.b, self.a)
        self.im_between(self.a, self.m)
        seen = set(self.shown(self.m, self.bob))
        self.assertLessEqual(seen, {self.schema.UNAVAILABLE})
        self.assertEqual(self.shown(self.a, self.bob), [])
        request = self.m.send_im(self.bob, f"im {next(numbers)}")
        self.assertEqual(self.m.outcome(request), "refused")

    def test_set_privacy__is_ones_own(self):
        block = {"block": {"addresses": [self.alice]}}
        self.answer(self.m, "privacy", set_privacy=block)
        for wire in (self.a, self.b):
            found = self.answer(wire, "privacy", set_privacy={})
            self.assertEqual(list(found.block), [])
        self.im_between(self.a, self.b)


if __name__ == "__main__":
    main()
