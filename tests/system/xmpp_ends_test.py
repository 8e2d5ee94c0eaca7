"""How sessions of XMPP end, by hand: what is told of them afterwards, and that
tokens of one protocol open nothing in the other."""

import base64

import parley_system
from parley_system import ALICE, BOB, CAROL, DAVE, wait_until
from wire_client import Refused, Wire, load_schema
from xmpp_fixture import Raw, XmppServer

GONE = "<presence (?=[^>]*from='{}')[^>]*type='unavailable'[^>]*>"


class Endings(parley_system.SystemTest):
    plain = False

    @classmethod
    def setUpClass(cls):
        cls.server = XmppServer(cls.parley, users=cls.users, plain=False)
        cls.addClassCleanup(cls.server.remove)
        cls.schema = load_schema(cls.proto)

    def person(self, user, resource=None):
        person = Raw(self.server.xmpp, user)
        self.addCleanup(person.close)
        if resource:
            person.bind(resource)
        return person

    def session(self, endpoint):
        sessions = self.server.admin("sessions")["sessions"]
        return [s for s in sessions if s["endpoint"] == endpoint]

    def suspended(self, endpoint):
        wait_until(
            lambda: self.session(endpoint)[0]["state"] == "suspended",
            "the suspension",
        )

    def resume(self, token, h, user=ALICE):
        person = self.person(user)
        person.say(f"<resume xmlns='urn:xmpp:sm:3' previd='{token}' h='{h}'/>")
        return person


class LongResume(Endings):
    def test_more_than_a_connection_takes_at_once_is_resumed(self):
        # One that has its outcome only behind all that is said again; nothing
        # else comes meanwhile that could set it going.
        dave = self.person(DAVE, "later")
        dave.manage()
        dave.say("<presence/>")
        dave.hear("<presence")
        alice = self.person(ALICE, "much")
        token = alice.manage()
        alice.say(
            "<presence/>"
            f"<message to='{DAVE}/later' type='chat'><body>hi</body></message>"
        )
        dave.hear("<body>hi</body>")
        bob = self.person(BOB, "writer")
        texts = [f"{n}" + "x" * 12_000 for n in range(40)]
        for text in texts:
            bob.say(
                f"<message to='{ALICE}/much' type='chat'>"
                f"<body>{text}</body></message>"
            )
        alice.hear("<body>39x")
        alice.close()
        self.suspended("much")
        again = self.resume(token, 0)
        dave.say("<a xmlns='urn:xmpp:sm:3' h='2'/>")
        again.hear("<resumed [^>]*h='2'")
        said = [again.hear("<body>(.*?)</body>")[1] for _ in texts]
        self.assertEqual(said, texts)


class Ends(Endings):
    def test_what_a_client_says_makes_no_line_of_the_log(self):
        path = self.server.file("debug.toml", 'log = "debug"\n')
        server = XmppServer(
            self.parley, "--config", path, users=[ALICE], plain=False
        )
        self.addCleanup(server.remove)
        alice = Raw(server.xmpp, ALICE)
        self.addCleanup(alice.close)
        alice.bind("desk")
        alice.say("<x xmlns='a&#10;forged line &#155;31m'/>")
        wait_until(lambda: "forged line" in server.logged(), "the line")
        (line,) = [x for x in server.logged().split("\n") if "forged" in x]
        self.assertRegex(line, r"^\S+ debug \S+ closed: .*a forged line \?31m")

    def test_one_that_expires_takes_its_presence_back_and_leaves_its_count(
        self,
    ):
        carol = self.person(CAROL, "home")
        alice = self.person(ALICE, "brief")
        token = alice.manage()
        alice.say(f"<presence to='{CAROL}/home'/>")
        carol.hear(f"<presence [^>]*from='{ALICE}/brief'")
        # One that has its outcome only when nobody is there any more.
        dave = self.person(DAVE, "slow")
        dave.manage()
        dave.say("<presence/>")
        dave.hear("<presence")
        alice.say(
            f"<message to='{DAVE}' type='chat'><body>hi</body></message>"
            "<iq type='get' id='p' to='example.org'>"
            "<ping xmlns='urn:xmpp:ping'/></iq>"
        )
        dave.hear("<body>hi</body>")
        alice.hear("id='p'")
        alice.close()
        self.suspended("brief")
        dave.say("<a xmlns='urn:xmpp:sm:3' h='2'/>")

        def outcomes():
            counters = self.server.admin("sessions")["counters"]
            return counters["delivered"] + counters["stored"]

        # Stored, where this machine takes longer than the grace time.
        wait_until(lambda: outcomes() == 1, "an outcome")
        self.server.set("session.resume_window", "1s")
        self.addCleanup(self.server.set, "session.resume_window", "60s")
        carol.hear("<presence [^>]*type='unavailable'")
        self.assertEqual(self.session("brief"), [])
        # The presence, the message and the ping.
        self.resume(token, 1).hear("<failed [^>]*h='3'")

    def test_a_suspended_session_learns_what_was_taken_back(self):
        carol = self.person(CAROL, "away")
        token = carol.manage()
        bob = self.person(BOB, "shown")
        bob.say(f"<presence to='{CAROL}/away'/>")
        carol.hear(f"<presence [^>]*from='{BOB}/shown'")
        carol.close()
        self.suspended("away")
        bob.say(
            "<presence type='unavailable'/>"
            "<iq type='get' id='p' to='example.org'>"
            "<ping xmlns='urn:xmpp:ping'/></iq>"
        )
        bob.hear("id='p'")
        again = self.resume(token, 1, CAROL)
        again.hear("<resumed ")
        again.hear(GONE.format(f"{BOB}/shown"))

    def test_no_limit_of_what_is_passed_on_costs_a_farewell(self):
        carol = self.person(CAROL, "last")
        bob = self.person(BOB, "many")
        self.server.set("im.body_max", "200")
        self.addCleanup(self.server.set, "im.body_max", "32768")
        bob.say(f"<presence to='{CAROL}/last'/>")
        carol.hear(f"<presence [^>]*from='{BOB}/many'")
        # All that it may direct at once; the one there is the last.
        bob.say("".join(f"<presence to='{ALICE}/{n}'/>" for n in range(999)))
        bob.say(
            "<presence type='unavailable'>"
            f"<status>{'x' * 200}</status></presence>"
        )
        carol.hear(GONE.format(f"{BOB}/many"))
        self.assertIn("x" * 200, carol.hear("^.*?</presence>")[0])

    def test_a_count_that_is_too_high_ends_the_stream_alone(self):
        alice = self.person(ALICE, "high")
        token = alice.manage()
        alice.close()
        self.suspended("high")
        again = self.resume(token, 5)
        again.hear(
            "<handled-count-too-high [^>]*h='5' send-count='0'/></stream:error>"
        )
        again.close()
        self.resume(token, 0).hear("<resumed ")

    def test_a_native_token_opens_no_stream_and_ends_nothing(self):
        native = Wire(self.schema, self.server, tls=True).sign_in(BOB, "native")
        self.addCleanup(native.close)
        token = base64.b64encode(native.session.token).decode()
        since = self.session("native")
        self.resume(token, 0, BOB).hear("<failed [^>]*><item-not-found")
        self.assertEqual(self.session("native"), since)
        native.send(ping={"nonce": 7})
        self.assertEqual(native.until("pong").pong.nonce, 7)

    def test_a_token_of_a_stream_is_none_of_the_native_protocol(self):
        alice = self.person(ALICE, "stream")
        token = base64.b64decode(alice.manage())
        wire = Wire(self.schema, self.server, tls=True)
        self.addCleanup(wire.close)
        with self.assertRaisesRegex(Refused, "resume_failed"):
            wire.resume(token, 0)
        alice.say(
            "<iq type='get' id='p' to='example.org'>"
            "<ping xmlns='urn:xmpp:ping'/></iq>"
        )
        alice.hear("<iq type='result' id='p'")


if __name__ == "__main__":
    parley_system.main()
