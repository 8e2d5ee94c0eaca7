"""XMPP with a client on libstrophe, in C (strophe_client.cpp): it signs in, chats
with a native endpoint, and resumes its stream (XEP-0198) when it is cut."""

import subprocess
import sys
import threading
import unittest

import parley_system
from parley_system import ALICE, BOB, PASSWORD, PATIENCE, wait_until
from xmpp_fixture import XmppServer


class Strophe:
    """The running client; its lines."""

    def __init__(self, program, server, jid):
        host, port = server.xmpp.rsplit(":", 1)
        self.process = subprocess.Popen(
            [program, jid, PASSWORD, host, port],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.lines = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def says(self, begin, times=1):
        wait_until(
            lambda: sum(x.startswith(begin) for x in list(self.lines))
            >= times,
            f"{begin}, there is {self.lines}",
        )

    def end(self):
        self.process.kill()
        self.process.wait()
        self.reader.join(PATIENCE)
        self.process.stdout.close()


class StropheTest(parley_system.SystemTest):
    plain = False

    @classmethod
    def setUpClass(cls):
        cls.server = XmppServer(cls.parley, users=cls.users, plain=False)
        cls.addClassCleanup(cls.server.remove)

    def test_it_chats_and_resumes_where_it_was_cut(self):
        alice = Strophe(self.proto, self.server, f"{ALICE}/strophe")
        self.addCleanup(alice.end)
        alice.says(f"connected {ALICE}/strophe secured")
        bob = self.chat(BOB, "native")
        self.assertEqual(bob.send(ALICE, "m1", "hi"), "delivered")
        alice.says(f"message {BOB}/native hi")
        bob.wait_for(
            lambda x: x["event"] == "message" and x["body"] == "echo: hi"
        )

        def session():
            sessions = self.server.admin("sessions")["sessions"]
            return [s for s in sessions if s["endpoint"] == "strophe"]

        since = session()[0]["since_ms"]
        bob.send(ALICE, "m2", "cut")
        alice.says("disconnected")
        alice.says("connected", 2)
        self.assertEqual(bob.send(ALICE, "m3", "still there?"), "delivered")
        bob.wait_for(
            lambda x: x["event"] == "message"
            and x["body"] == "echo: still there?"
        )
        # The same session, and nothing came twice.
        self.assertEqual(session()[0]["since_ms"], since)
        got = [x.split(" ", 2)[2] for x in alice.lines if "message" in x]
        self.assertEqual(got, ["hi", "cut", "still there?"])
        bob.send(ALICE, "m4", "leave")
        self.assertEqual(alice.process.wait(PATIENCE), 0)
        wait_until(lambda: not session(), "the end of the session")


if __name__ == "__main__":
    parley_system.main()
