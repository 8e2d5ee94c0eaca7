"""XMPP with a client that others wrote: sign-in, messages, presence, rosters,
stream management; and one user with an endpoint of each protocol."""

import sys
import unittest

import parley_system
from parley_system import ALICE, BOB, CAROL, DAVE, NOBODY, wait_until
from xmpp_fixture import Raw, SKIPPED, XmppServer, slixmpp


async def answered(future):
    return await future


class XmppTest(parley_system.SystemTest):
    @classmethod
    def setUpClass(cls):
        cls.server = XmppServer(
            cls.parley, *cls.arguments, users=cls.users, plain=cls.plain
        )
        cls.addClassCleanup(cls.server.remove)

    def client(self, user, resource="desk", **how):
        how.setdefault("disable_starttls", self.plain)
        how.setdefault("force_starttls", not self.plain)
        client = self.server.client(user, resource, **how)
        self.addCleanup(lambda: client.ended or client.cut())
        return client


    def knows_and_guesses(self, *mechanisms):
        """With each, who knows the password gets in, who guesses does not."""
        for mechanism in mechanisms:
            with self.subTest(mechanism):
                client = self.client(ALICE, mechanism, mechanism=mechanism)
                self.assertTrue(client.signed_in)
                client.close()
                stranger = self.client(
                    ALICE,
                    "wrong",
                    mechanism=mechanism,
                    password="battery staple",
                )
                self.assertFalse(stranger.signed_in)


class Plain(XmppTest):
    def test_scram_without_tls_on_loopback(self):
        alice = self.client(ALICE, "plain")
        self.assertTrue(alice.signed_in)
        self.assertEqual(str(alice.do(lambda x: x.boundjid)), f"{ALICE}/plain")
        self.knows_and_guesses("SCRAM-SHA-256", "SCRAM-SHA-1")

    def test_a_wrong_password_is_refused(self):
        alice = self.client(ALICE, "wrong", password="battery staple")
        self.assertFalse(alice.signed_in)
        self.assertTrue(alice.failed)

    def test_messages_go_both_ways(self):
        alice, bob = self.client(ALICE), self.client(BOB)
        alice.send(BOB, "hi Bob")
        bob.gets("hi Bob")
        self.assertEqual(str(bob.messages[0]["from"]), f"{ALICE}/desk")
        bob.send(f"{ALICE}/desk", "hi <Alice> & 'all'")
        alice.gets("hi <Alice> & 'all'")

    def test_a_message_to_nobody_comes_back(self):
        alice = self.client(ALICE)
        alice.send(NOBODY, "anybody there?")
        alice.send("somebody@elsewhere.org", "and there?")
        wait_until(lambda: len(alice.messages) == 2, "two errors")
        found = {
            str(m["from"]): m["error"]["condition"] for m in alice.messages
        }
        self.assertEqual(
            found,
            {
                NOBODY: "service-unavailable",
                "somebody@elsewhere.org": "remote-server-not-found",
            },
        )

    def test_fork_and_collapse_as_three_endpoints_see_it(self):
        alice = self.client(ALICE, "fork")
        bobs = [self.client(BOB, f"fork {i}") for i in range(3)]
        alice.send(BOB, "who is there?")
        for bob in bobs:
            bob.gets("who is there?")
        bobs[1].send(f"{ALICE}/fork", "me")
        alice.gets("me")
        alice.send(BOB, "just you")
        bobs[1].gets("who is there?", "just you")
        bobs[1].close()
        alice.send(BOB, "all again")
        for bob in (bobs[0], bobs[2]):
            bob.gets("who is there?", "all again")

    def test_what_nobody_takes_waits(self):
        alice = self.client(ALICE)

        def stored():
            return self.server.admin("sessions")["counters"]["stored"]

        before = stored()
        alice.send(CAROL, "later", mtype="chat")
        alice.send(CAROL, "and later", mtype="chat")
        wait_until(lambda: stored() == before + 2, "two stored IMs")
        carol = self.client(CAROL)
        carol.gets("later", "and later")
        self.assertTrue(carol.messages[0]["delay"]["stamp"])
        carol.close()
        again = self.client(CAROL, "again")
        alice.send(CAROL, "now", mtype="chat")
        again.gets("now")

    def test_a_headline_is_never_stored(self):
        alice = self.client(ALICE)
        alice.send(DAVE, "news", mtype="headline")
        alice.send(DAVE, "mail", mtype="chat")
        dave = self.client(DAVE)
        dave.gets("mail")
        alice.send(DAVE, "more news", mtype="headline")
        dave.gets("mail", "more news")
        dave.close()

    def test_a_normal_message_to_an_absent_endpoint_comes_back(self):
        alice, bob = self.client(ALICE), self.client(BOB, "here")
        alice.send(f"{BOB}/gone", "normal", mtype="normal")
        wait_until(lambda: alice.messages, "an error")
        self.assertEqual(
            alice.messages[0]["error"]["condition"], "service-unavailable"
        )
        alice.send(f"{BOB}/gone", "chat", mtype="chat")
        bob.gets("chat")

    def test_a_conflict_ends_the_older_endpoint(self):
        first = self.client(ALICE, "same")
        second = self.client(ALICE, "same")
        wait_until(lambda: first.ended, "the end of the older one")
        self.assertTrue(second.signed_in)

    def test_endpoints_ask_each_other(self):
        alice, bob = self.client(ALICE), self.client(BOB)
        version = alice.do(
            lambda x: x.plugin["xep_0199"].send_ping(f"{BOB}/desk", timeout=30)
        )
        self.assertIsNotNone(version)
        with self.assertRaises(slixmpp.exceptions.IqError) as caught:
            alice.do(
                lambda x: x.plugin["xep_0030"].get_info(
                    f"{BOB}/absent", timeout=30
                )
            )
        self.assertEqual(caught.exception.condition, "service-unavailable")
        info = alice.do(
            lambda x: x.plugin["xep_0030"].get_info(
                parley_system.DOMAIN, timeout=30
            )
        )
        self.assertIn("urn:xmpp:ping", info["disco_info"]["features"])
        bob.close()


    def test_the_capabilities_of_the_server_are_those_that_it_says(self):
        alice = self.client(ALICE)
        # slixmpp keeps them only if their hash is right.
        info = wait_until(
            lambda: alice.do(
                lambda x: x.plugin["xep_0115"].get_caps(parley_system.DOMAIN)
            ),
            "capabilities",
        )
        self.assertIn("urn:xmpp:blocking", info["features"])


class Contacts(XmppTest):
    def is_gone(self, client, contact):
        item = self.item(client, contact)
        return not item or item["subscription"] in ("none", "remove")

    def item(self, client, user):
        return client.do(
            lambda x: dict(x.client_roster[user]._state)
            if user in x.client_roster
            else None
        )

    def test_a_subscription_with_approval(self):
        self.server.set("presence.auto_approve", "off")
        self.addCleanup(self.server.set, "presence.auto_approve", "on")
        alice, bob = self.client(ALICE), self.client(BOB)
        alice.do(lambda x: x.send_presence(pto=BOB, ptype="subscribe"))
        bob.sees(ALICE, "subscribe")
        wait_until(
            lambda: (self.item(alice, BOB) or {}).get("pending_out"),
            "a pending item",
        )
        bob.do(lambda x: x.send_presence(pto=ALICE, ptype="subscribed"))
        alice.sees(BOB, "subscribed")
        alice.sees(f"{BOB}/desk", "available")
        bob.do(lambda x: x.send_presence(pshow="away", pstatus="lunch"))
        wait_until(
            lambda: alice.sees(f"{BOB}/desk", "away")["status"] == "lunch",
            "a status",
        )
        bob.close()
        alice.sees(f"{BOB}/desk", "unavailable")
        alice.do(lambda x: x.send_presence(pto=BOB, ptype="unsubscribe"))
        wait_until(
            lambda: not (self.item(alice, BOB) or {}).get("to"), "its end"
        )

    def test_a_roster_is_kept_and_pushed(self):
        desk, phone = self.client(CAROL, "desk"), self.client(CAROL, "phone")
        desk.do(
            lambda x: x.update_roster(DAVE, name="David", groups=["Chess"])
        )
        wait_until(lambda: self.item(phone, DAVE), "a push")
        self.assertEqual(self.item(phone, DAVE)["name"], "David")
        later = self.client(CAROL, "later")
        wait_until(lambda: self.item(later, DAVE), "the roster")
        desk.do(lambda x: x.del_roster_item(DAVE))
        wait_until(
            lambda: self.is_gone(phone, DAVE),
            "a removal",
        )

    def test_who_comes_later_sees_who_is_there(self):
        alice = self.client(ALICE, "early", managed=False)
        bob = self.client(BOB, "early")
        bob.do(lambda x: x.send_presence(pto=ALICE, ptype="subscribe"))
        bob.sees(f"{ALICE}/early", "available")
        late = self.client(BOB, "late")
        late.sees(f"{ALICE}/early", "available")
        alice.cut()
        late.sees(f"{ALICE}/early", "unavailable")


class Management(XmppTest):
    """Stream management, by slixmpp's plugin."""

    def test_a_cut_stream_is_resumed(self):
        alice, bob = self.client(ALICE, "sm"), self.client(BOB, "sm")
        wait_until(
            lambda: bob.do(lambda x: x.plugin["xep_0198"].sm_id),
            "stream management",
        )
        bob.do(lambda x: x.abort())
        wait_until(lambda: bob.ended, "the cut")
        alice.send(BOB, "while you were away", mtype="chat")
        resumed = []
        bob.do(
            lambda x: x.add_event_handler("session_resumed", resumed.append)
        )
        host, port = self.server.xmpp.rsplit(":", 1)
        bob.do(lambda x: x.connect((host, int(port)), **bob.how))
        wait_until(lambda: resumed, "a resumption")
        bob.gets("while you were away")
        bob.ended = False

    def test_without_it_a_session_ends_with_its_connection(self):
        bob = self.client(BOB, "brief", managed=False)

        def is_there():
            sessions = self.server.admin("sessions")["sessions"]
            return any(s["endpoint"] == "brief" for s in sessions)

        self.assertTrue(is_there())
        bob.cut()
        wait_until(lambda: not is_there(), "the end of the session")


class Interrupted(XmppTest):
    """Connections that break while stanzas are under way."""

    plain = False
    ROUNDS = 10
    STANZAS = 40

    def post(self, stream, numbers):
        stream.say(
            "".join(
                f"<message to='{BOB}' type='chat' id='{n}'>"
                f"<body>{n}</body><origin-id xmlns='urn:xmpp:sid:0' "
                f"id='{n}'/></message>"
                for n in numbers
            )
        )

    def resume(self, token, acknowledged=0):
        stream = Raw(self.server.xmpp, ALICE)
        self.addCleanup(stream.close)
        stream.say(
            f"<resume xmlns='urn:xmpp:sm:3' previd='{token}' "
            f"h='{acknowledged}'/>"
        )
        return stream, int(stream.hear("<resumed [^>]*h='([0-9]*)'")[1])

    def test_nothing_is_lost_or_doubled(self):
        bob = self.client(BOB, managed=True, use_ssl=True, force_starttls=False)
        alice = Raw(self.server.xmpp, ALICE)
        alice.bind("interrupted")
        token = alice.manage()
        sent = []
        for i in range(self.ROUNDS):
            first = i * self.STANZAS
            numbers = [f"n{n}" for n in range(first, first + self.STANZAS)]
            self.post(alice, numbers)
            before = alice
            # Half of the time the old connection is there still.
            if i % 2:
                before.close()
            alice, handled = self.resume(token)
            before.close()
            # What was not handled is sent again, as a client does.
            sent += numbers
            self.assertLessEqual(handled, len(sent))
            self.post(alice, sent[handled:])
        alice.say("<r xmlns='urn:xmpp:sm:3'/>")
        alice.hear(f"<a [^>]*h='{len(sent)}'/>")
        wait_until(lambda: len(bob.bodies()) >= len(sent), "all of them")
        self.assertEqual(bob.bodies(), sent)

    def test_what_was_not_acknowledged_comes_again(self):
        alice = Raw(self.server.xmpp, ALICE)
        alice.bind("reader")
        token = alice.manage()
        alice.say("<presence/>")
        alice.hear("<presence")
        bob = self.client(BOB, "writer", use_ssl=True, force_starttls=False)
        bob.send(f"{ALICE}/reader", "one", mtype="chat")
        bob.send(f"{ALICE}/reader", "two", mtype="chat")
        alice.hear("<body>one</body>.*<body>two</body>")
        # Its own presence, and the first message.
        alice.say("<a xmlns='urn:xmpp:sm:3' h='2'/>")
        alice.close()
        alice, _ = self.resume(token, 2)
        alice.hear("<body>two</body>")
        self.assertNotIn("<body>one</body>", alice.unread)


class Mixed(XmppTest):
    """One user, an endpoint of each protocol."""

    def test_both_get_the_first_and_who_replies_the_next(self):
        native, xmpp = self.chat(BOB, "native"), self.client(BOB, "xmpp")
        alice = self.chat(ALICE, "native")
        self.assertEqual(alice.send(BOB, "m1", "hello"), "delivered")
        native.message("m1")
        xmpp.gets("hello")
        xmpp.send(f"{ALICE}/native", "here")
        alice.wait_for(
            lambda x: x["event"] == "message" and x["body"] == "here"
        )
        self.assertEqual(alice.send(BOB, "m2", "good"), "delivered")
        xmpp.gets("hello", "good")
        native.ask("send", id="n1", to=ALICE, body="or here")
        alice.wait_for(
            lambda x: x["event"] == "message" and x["body"] == "or here"
        )
        self.assertEqual(alice.send(BOB, "m3", "fine"), "delivered")
        native.message("m3")
        self.assertEqual(native.ids(), ["m1", "m3"])
        self.assertEqual(xmpp.bodies(), ["hello", "good"])

    def test_they_see_each_other(self):
        xmpp, native = self.client(CAROL, "xmpp"), self.chat(DAVE, "native")
        native.ask("subscribe", id="s1", to=CAROL)
        native.wait_for(
            lambda x: x["event"] == "presence"
            and x["from"] == f"{CAROL}/xmpp"
            and x["show"] == "available"
        )
        xmpp.do(lambda x: x.send_presence(pto=DAVE, ptype="subscribe"))
        xmpp.sees(f"{DAVE}/native", "available")
        native.show("dnd")
        xmpp.sees(f"{DAVE}/native", "dnd")
        xmpp.do(lambda x: x.send_presence(pshow="xa"))
        native.wait_for(
            lambda x: x["event"] == "presence" and x["show"] == "xa"
        )
        native.quit()
        xmpp.sees(f"{DAVE}/native", "unavailable")

    def test_order_holds_between_the_protocols(self):
        numbers = [str(n) for n in range(50)]
        alice = self.client(ALICE, "many")
        native, xmpp = self.chat(BOB, "n"), self.client(BOB, "x")
        for n in numbers:
            alice.send(BOB, n, mtype="chat")
        xmpp.gets(*numbers)
        wait_until(lambda: len(native.ids()) == len(numbers), "all of them")
        self.assertEqual(
            [m["body"] for m in native.all_of("message")], numbers
        )
        for n in numbers:
            native.post(f"{ALICE}/many", body=n)
        alice.gets(*numbers)

    def test_who_is_blocked_gets_no_message_through(self):
        alice, native = self.client(ALICE, "b"), self.chat(CAROL, "n")
        carol = self.client(CAROL, "x")
        carol.do(lambda x: answered(x.plugin["xep_0191"].block([ALICE])))
        wait_until(
            lambda: any(
                ALICE in p["block"] for p in native.all_of("privacy")
            ),
            "the block list at the native endpoint",
        )
        alice.send(CAROL, "are you there?", mtype="chat")
        wait_until(lambda: alice.messages, "an error")
        self.assertEqual(
            alice.messages[0]["error"]["condition"], "service-unavailable"
        )
        carol.do(lambda x: answered(x.plugin["xep_0191"].unblock([ALICE])))
        alice.send(CAROL, "and now?", mtype="chat")
        carol.gets("and now?")

    def test_of_two_endpoints_that_block_at_once_neither_is_undone(self):
        native = self.chat(BOB, "n")
        both = [self.client(BOB, f"b{i}") for i in range(2)]
        blocked = set()
        for n in range(10):
            for client in both:
                who = f"{n}-{client.x.boundjid.resource}@elsewhere.org"
                blocked.add(who)
                client.say(
                    f"<iq type='set' id='b{n}'><block "
                    "xmlns='urn:xmpp:blocking'>"
                    f"<item jid='{who}'/></block></iq>"
                )
            wait_until(
                lambda: any(
                    blocked <= set(p["block"])
                    for p in native.all_of("privacy")
                ),
                "both in the block list",
            )

    def test_typing_is_told_both_ways(self):
        xmpp, native = self.client(CAROL, "x"), self.chat(DAVE, "n")
        xmpp.say(
            f"<message to='{DAVE}' type='chat'><composing "
            "xmlns='http://jabber.org/protocol/chatstates'/></message>"
        )
        native.wait_for(
            lambda x: x["event"] == "typing" and x["from"] == f"{CAROL}/x"
        )
        native.ask("typing", to=CAROL)
        wait_until(
            lambda: any("composing" in str(m) for m in xmpp.states),
            "a chat state",
        )

    def test_what_is_stored_is_for_both(self):
        alice = self.client(ALICE, "sender")
        alice.send(DAVE, "stored", mtype="chat")
        native = self.chat(DAVE, "reader")
        native.wait_for(
            lambda x: x["event"] == "message" and x["body"] == "stored"
        )


class Encrypted(XmppTest):
    plain = False

    def test_each_mechanism_lets_in_who_knows_the_password(self):
        self.knows_and_guesses(
            "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "PLAIN"
        )

    def test_starttls(self):
        alice, bob = self.client(ALICE), self.client(BOB)
        alice.send(BOB, "secret")
        bob.gets("secret")

    def test_direct_tls(self):
        how = {"use_ssl": True, "force_starttls": False}
        alice, bob = self.client(ALICE, **how), self.client(BOB, **how)
        alice.send(BOB, "secret")
        bob.gets("secret")


if __name__ == "__main__":
    if slixmpp is None:
        print("python3-slixmpp is missing")
        sys.exit(SKIPPED)
    parley_system.main()
