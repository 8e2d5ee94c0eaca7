"""Carbons (XEP-0280), as slixmpp has them: what one endpoint of a user sends
and gets the others see, of whatever protocol it is."""

import sys
import unittest

import parley_system
from parley_system import ALICE, BOB, CAROL, wait_until
from xmpp_fixture import XmppServer, slixmpp


async def answered(future):
    return await future


class Copies(parley_system.SystemTest):
    @classmethod
    def setUpClass(cls):
        cls.server = XmppServer(cls.parley, users=cls.users)
        cls.addClassCleanup(cls.server.remove)

    def client(self, user, resource, **how):
        client = self.server.client(
            user, resource, disable_starttls=True, force_starttls=False, **how
        )
        self.addCleanup(lambda: client.ended or client.cut())
        return client

    def copying(self, user, resource, **how):
        """A client that wants copies: (`sent` or `received`, body) each."""
        client = self.client(user, resource, **how)
        client.copies = []

        def note(kind):
            def add(x):
                client.copies.append((kind, x[f"carbon_{kind}"]["body"]))

            return add

        for kind in ("sent", "received"):
            client.do(
                lambda x: x.add_event_handler(f"carbon_{kind}", note(kind))
            )
        client.do(lambda x: answered(x.plugin["xep_0280"].enable()))
        return client

    def sees(self, client, *copies):
        wait_until(
            lambda: client.copies == list(copies),
            f"{copies}, there are {client.copies}",
        )

    def test_a_conversation_is_seen_elsewhere_and_stays_where_it_is(self):
        alice, desk = self.client(ALICE, "a"), self.client(BOB, "desk")
        phone = self.copying(BOB, "phone")
        desk.send(ALICE, "from the desk", mtype="chat")
        alice.gets("from the desk")
        self.sees(phone, ("sent", "from the desk"))
        for n in range(3):
            alice.send(BOB, f"to the desk {n}", mtype="chat")
        desk.gets(*(f"to the desk {n}" for n in range(3)))
        self.sees(
            phone,
            ("sent", "from the desk"),
            *(("received", f"to the desk {n}") for n in range(3)),
        )
        self.assertEqual(phone.bodies(), [])
        # Writing from there it is the one that is meant.
        phone.send(ALICE, "now from the phone", mtype="chat")
        alice.gets("from the desk", "now from the phone")
        alice.send(BOB, "to the phone", mtype="chat")
        phone.gets("to the phone")

    def test_it_outlives_a_cut(self):
        alice, desk = self.client(ALICE, "b"), self.client(CAROL, "desk")
        phone = self.copying(CAROL, "phone")
        wait_until(
            lambda: phone.do(lambda x: x.plugin["xep_0198"].sm_id),
            "stream management",
        )
        desk.send(ALICE, "one", mtype="chat")
        self.sees(phone, ("sent", "one"))
        phone.do(lambda x: x.abort())
        wait_until(lambda: phone.ended, "the cut")
        alice.gets("one")
        alice.send(CAROL, "two", mtype="chat")
        desk.gets("two")
        host, port = self.server.xmpp.rsplit(":", 1)
        phone.do(lambda x: x.connect((host, int(port)), **phone.how))
        self.sees(phone, ("sent", "one"), ("received", "two"))
        phone.ended = False
        alice.send(CAROL, "three", mtype="chat")
        self.sees(
            phone, ("sent", "one"), ("received", "two"), ("received", "three")
        )

    def test_of_a_native_endpoint_as_well(self):
        alice, native = self.chat(ALICE, "n"), self.chat(BOB, "native")
        phone = self.copying(BOB, "copied")
        native.ask("send", id="n1", to=ALICE, body="I am native")
        alice.wait_for(
            lambda x: x["event"] == "message" and x["body"] == "I am native"
        )
        self.assertEqual(alice.send(BOB, "m1", "so am I"), "delivered")
        native.message("m1")
        self.sees(phone, ("sent", "I am native"), ("received", "so am I"))


if __name__ == "__main__":
    if slixmpp is None:
        print("python3-slixmpp is missing")
        sys.exit(77)
    parley_system.main()
