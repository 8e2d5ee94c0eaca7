#!/usr/bin/python3
"""A broken connection's session is resumed by its token: what was not
acknowledged comes again, in order, once.

    resume_test.py PARLEY PROTO-FOLDER
"""

from parley_system import ALICE, CAROL, DOMAIN, SystemTest, main, numbers
from parley_system import wait_until
from wire_client import Refused, Wire, framed, load_schema


class ResumeTest(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.schema = load_schema(cls.proto)

    def setUp(self):
        # Nothing that a test leaves waiting is in another's way.
        self.bob = f"bob{next(numbers)}@{DOMAIN}"
        self.server.add(self.bob)
        self.alice = self.wire().sign_in(ALICE)

    def wire(self):
        wire = Wire(self.schema, self.server)
        self.addCleanup(wire.close)
        return wire

    def post(self, count=1):
        """Ids and requests of IMs from Alice."""
        ids = [f"im {next(numbers)}" for _ in range(count)]
        return ids, [self.alice.send_im(self.bob, id_) for id_ in ids]

    def states(self):
        sessions = self.server.admin("sessions")["sessions"]
        return [x["state"] for x in sessions if x["user"] == self.bob]

    def cut(self, wire):
        wire.close()
        wait_until(lambda: self.states() == ["suspended"], "the suspension")

    def ims(self, wire, count):
        return [wire.until("im").im.id for _ in range(count)]

    def nothing_more(self, wire):
        """Nothing lies before the answer to a ping."""
        nonce = next(numbers)
        wire.send(ping={"nonce": nonce})
        frame = wire.until("pong", "im", "outcome")
        self.assertEqual(frame.WhichOneof("kind"), "pong")
        self.assertEqual(frame.pong.nonce, nonce)

    def test_what_was_not_acknowledged_comes_again_once_in_order(self):
        bob = self.wire().sign_in(self.bob)
        ids, requests = self.post(count=10)
        self.assertEqual(self.ims(bob, 10), ids)
        bob.ack(4)
        self.nothing_more(bob)
        self.cut(bob)
        # More comes while nobody is there.
        more, later = self.post(count=5)
        for request in later:
            self.assertEqual(self.alice.outcome(request), "stored")
        again = self.wire()
        session = again.resume(bob.session.token, 4)
        self.assertTrue(session.resumed)
        self.assertEqual(session.address, f"{self.bob}/desk")
        self.assertEqual(session.token, bob.session.token)
        came = []
        for event in range(5, 16):
            frame = again.until("im")
            self.assertEqual(frame.event, event)
            came.append(frame.im.id)
        self.assertEqual(came, ids[4:] + more)
        again.ack()
        self.nothing_more(again)
        # And a resume after that brings nothing.
        self.cut(again)
        third = self.wire()
        third.resume(bob.session.token, again.last_event)
        self.nothing_more(third)

    def test_answers_come_again_and_requests_are_not_done_twice(self):
        bob = self.wire().sign_in(self.bob)
        wish, im = f"im {next(numbers)}", f"im {next(numbers)}"
        first = bob.send_im(CAROL, wish)
        frame = bob.until("outcome")
        self.assertEqual(frame.request, first)
        self.cut(bob)
        again = self.wire()
        session = again.resume(bob.session.token, 0)
        self.assertEqual(session.last_request, first)
        repeated = again.until("outcome")
        self.assertEqual(repeated, frame)
        # Sent again against the rule: it is neither done nor answered.
        again.send(request=first, send={"id": im, "to": ALICE, "body": "x"})
        second = again.send_im(CAROL, im)
        self.assertEqual(second, first + 1)
        self.assertEqual(again.outcome(second), "stored")
        self.nothing_more(self.alice)

    def test_a_resume_while_the_old_connection_seems_alive(self):
        bob = self.wire().sign_in(self.bob)
        ids, _ = self.post(count=3)
        self.assertEqual(self.ims(bob, 3), ids)
        again = self.wire()
        again.resume(bob.session.token, 1)
        error = bob.error()
        self.assertEqual(error.reason, "replaced")
        self.assertEqual(error.scope, self.schema.CONNECTION)
        self.assertTrue(bob.is_closed())
        self.assertEqual(self.ims(again, 2), ids[1:])
        again.ack()
        self.nothing_more(again)
        self.assertEqual(self.states(), ["connected"])
        # What the old one still says is not listened to.
        ids, requests = self.post()
        self.assertEqual(self.ims(again, 1), ids)
        again.ack()
        self.assertEqual(self.alice.outcome(requests[0]), "delivered")

    def test_the_session_is_gone_after_the_window(self):
        self.setting("session.resume_window", "1s")
        bob = self.wire().sign_in(self.bob)
        self.assertEqual(bob.session.resume_window_ms, 1000)
        ids, requests = self.post(count=2)
        self.assertEqual(self.ims(bob, 2), ids)
        bob.close()
        wait_until(lambda: self.states() == [], "the end of the session")
        for request in requests:
            self.assertEqual(self.alice.outcome(request), "stored")
        again = self.wire()
        with self.assertRaises(Refused) as caught:
            again.resume(bob.session.token, 2)
        error = caught.exception.error
        self.assertEqual(error.reason, "resume_failed")
        self.assertEqual(error.scope, self.schema.REQUEST)
        self.assertTrue(error.text)
        # Signs in on the same connection and gets what it never acknowledged.
        again.authenticate(self.bob, "desk")
        self.assertFalse(again.session.resumed)
        self.assertEqual(self.ims(again, 2), ids)
        again.ack()
        self.nothing_more(again)

    def test_tokens_that_are_none(self):
        bob = self.wire().sign_in(self.bob)
        token = bob.session.token
        for wrong in (b"", b"x", token[:-1], token + b"x", b"\0" * len(token)):
            with self.subTest(wrong):
                with self.assertRaises(Refused) as caught:
                    self.wire().resume(wrong, 0)
                self.assertEqual(caught.exception.error.reason, "resume_failed")
        with self.assertRaises(Refused) as caught:
            self.wire().resume(token, 1000)  # an event that never was
        self.assertEqual(caught.exception.error.reason, "resume_failed")
        self.nothing_more(bob)

    def test_another_sign_in_under_the_name_ends_the_session(self):
        bob = self.wire().sign_in(self.bob)
        ids, _ = self.post(count=2)
        self.assertEqual(self.ims(bob, 2), ids)
        other = self.wire().sign_in(self.bob)
        error = bob.error()
        self.assertEqual(error.reason, "replaced")
        self.assertEqual(error.scope, self.schema.SESSION)
        self.assertTrue(bob.is_closed())
        # It is offered what was not acknowledged.
        self.assertEqual(self.ims(other, 2), ids)
        other.ack()
        with self.assertRaises(Refused) as caught:
            self.wire().resume(bob.session.token, 2)
        self.assertEqual(caught.exception.error.reason, "resume_failed")
        self.nothing_more(other)

    def test_a_changed_password_ends_tokens(self):
        bob = self.wire().sign_in(self.bob)
        self.server.admin(
            *("user", "password", self.bob, "--password-file"),
            self.server.password_file,
        )
        self.nothing_more(bob)  # who is connected stays
        bob.close()
        with self.assertRaises(Refused) as caught:
            self.wire().resume(bob.session.token, 0)
        self.assertEqual(caught.exception.error.reason, "resume_failed")

    def test_beyond_the_buffer_the_store_takes_over(self):
        self.setting("session.buffer", 10)
        bob = self.wire().sign_in(self.bob)
        limit = bob.session.ims.messages
        ids, requests = [], []
        for _ in range(5):
            some, asked = self.post(count=limit)
            ids += some
            if not requests:
                self.assertEqual(self.ims(bob, limit), ids[:limit])
                self.cut(bob)
            requests += asked
            for request in asked:
                self.assertEqual(self.alice.outcome(request), "stored")
        again = self.wire()
        again.resume(bob.session.token, 0)
        came = []
        while len(came) < len(ids):
            frame = again.until("im")
            came.append(frame.im.id)
            self.assertLessEqual(len(came), len(ids))
            again.ack()
        self.assertEqual(came, ids)
        self.nothing_more(again)

    def test_what_was_asked_before_a_sign_out_is_done(self):
        bob = self.wire().sign_in(self.bob)
        octets = b""
        for fields in (
            {"add_contacts": {"contacts": [{"address": CAROL}]}},
            {"sign_out": {}},
        ):
            bob.requests += 1
            frame = self.schema.ClientFrame(request=bob.requests, **fields)
            octets += framed(frame.SerializeToString())
        bob.write(octets)
        bob.until("done", request=bob.requests)
        listed = lambda: self.server.admin("user", "show", self.bob)["contacts"]
        wait_until(
            lambda: [x["address"] for x in listed()] == [CAROL], "the contact"
        )


if __name__ == "__main__":
    main()
