"""XMPP with clients that people have: go-sendxmpp and sendxmpp for a message,
Profanity in a terminal. Each test is skipped where its client is missing."""

import os
import shutil
import subprocess
import unittest

import parley_system
from parley_system import ALICE, BOB, DOMAIN, PASSWORD, PATIENCE, wait_until
from xmpp_fixture import XmppServer


def needs(*programs):
    missing = [p for p in programs if not shutil.which(p)]
    return unittest.skipIf(missing, f"missing: {missing}")


class ClientsTest(parley_system.SystemTest):
    plain = False

    @classmethod
    def setUpClass(cls):
        cls.server = XmppServer(cls.parley, users=cls.users, plain=False)
        cls.addClassCleanup(cls.server.remove)

    def environment(self):
        """A home of its own."""
        return {**os.environ, "HOME": self.server.folder, "TERM": "xterm"}

    def run_with(self, text, *command):
        done = subprocess.run(
            command,
            input=text,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=self.environment(),
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def body_comes(self, chat, body):
        return chat.wait_for(
            lambda x: x["event"] == "message" and x["body"].strip() == body
        )


class Senders(ClientsTest):
    """What is sent from scripts, to a native endpoint."""

    @needs("go-sendxmpp")
    def test_go_sendxmpp(self):
        bob = self.chat(BOB, "native")
        for way in ((), ("-t",)):
            self.run_with(
                f"by go{way}\n",
                *("go-sendxmpp", "-n", *way, "-u", ALICE, "-p", PASSWORD),
                *("-j", self.server.xmpp, BOB),
            )
            self.body_comes(bob, f"by go{way}")

    @needs("sendxmpp")
    def test_sendxmpp(self):
        bob = self.chat(BOB, "native")
        host, port = self.server.xmpp.rsplit(":", 1)
        self.run_with(
            "by perl\n",
            *("sendxmpp", "-n", "-t", "-u", "alice", "-p", PASSWORD),
            *("-o", DOMAIN, "-j", f"{host}:{port}", BOB),
        )
        self.body_comes(bob, "by perl")


class Terminal:
    """A program in a terminal of its own, by tmux."""

    def __init__(self, folder, environment, *command):
        self.tmux = ["tmux", "-S", os.path.join(folder, "tmux")]
        self.environment = environment
        self.do("-f", "/dev/null", "new-session", "-d", "-x", "150", "-y", "40")
        # Without a shell around it: its end is the terminal's.
        self.do("respawn-pane", "-k", *command)

    def do(self, *arguments):
        return subprocess.run(
            [*self.tmux, *arguments],
            check=True,
            capture_output=True,
            text=True,
            env=self.environment,
        ).stdout

    def type(self, text):
        self.do("send-keys", "-l", text)
        self.do("send-keys", "Enter")

    def shows(self, text):
        try:
            wait_until(lambda: text in self.do("capture-pane", "-p"), text)
        except AssertionError as why:
            raise AssertionError(self.do("capture-pane", "-p")) from why

    def end(self):
        subprocess.run(
            [*self.tmux, "kill-server"], check=False, capture_output=True
        )


class Profanity(ClientsTest):
    @needs("profanity", "tmux")
    def test_a_person_signs_in_adds_a_contact_and_chats(self):
        terminal = Terminal(
            self.server.folder, self.environment(), "profanity"
        )
        self.addCleanup(terminal.end)
        terminal.shows("Profanity")
        host, port = self.server.xmpp.rsplit(":", 1)
        terminal.type(
            f"/connect {ALICE}/profanity server {host} port {port} tls trust"
        )
        terminal.shows("Enter password")
        terminal.type(PASSWORD)
        terminal.shows("logged in successfully")
        bob = self.chat(BOB, "native")
        terminal.type(f"/sub request {BOB}")
        terminal.type("/roster")
        terminal.shows("bob@example.org")
        bob.ask("subscribe", id="s1", to=ALICE)
        bob.wait_for(
            lambda x: x["event"] == "presence"
            and x["from"] == f"{ALICE}/profanity"
            and x["show"] == "available"
        )
        terminal.type(f"/msg {BOB} hello from a terminal")
        self.body_comes(bob, "hello from a terminal")
        self.assertEqual(
            bob.send(ALICE, body="and hello back"), "delivered"
        )
        terminal.shows("and hello back")
        bob.show("away")
        terminal.type("/quit")
        bob.wait_for(
            lambda x: x["event"] == "presence"
            and x["from"] == f"{ALICE}/profanity"
            and x["show"] == "unavailable"
        )


if __name__ == "__main__":
    parley_system.main()
