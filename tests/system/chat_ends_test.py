#!/usr/bin/python3
"""How `parley chat` begins and ends: exit codes, certificates, servers that
are not there, are slow or come back; and how it looks to a person, on a pipe
and on a terminal.

    chat_ends_test.py PARLEY
"""
import os
import pty
import re
import select
import signal
import socket
import subprocess
import threading
import time
import unittest

from chat_fixture import ALICE, BOB, PARLEY, PATIENCE, Chat, ChatTest, Server
from chat_fixture import read_line

# Nobody listens there: the port of a discarded protocol, on the loopback.
NO_SERVER = "127.0.0.1:9"


class EndsTest(ChatTest):
    # -- how it fails --------------------------------------------------------

    def test_a_failed_sign_in_exits_with_1(self):
        wrong = self.server.file("wrong", "wrong\n")
        for user in (ALICE, "nobody@example.org"):
            alice = self.chat(user, password=wrong)
            self.assertEqual(alice.rest(), 1)
            self.assertEqual([(x["event"], x["reason"]) for x in alice.events],
                [("error", "authentication_failed")])

    def test_a_server_that_is_not_there_is_given_up(self):
        alice = self.chat(ALICE, address=NO_SERVER)
        self.assertEqual(alice.rest(), 1)
        # Nothing but that comes in the place of `ready`.
        (error,) = alice.events
        self.assertEqual(error["event"], "error")
        self.assertIn("cannot be reached", error["text"])

    def test_a_crowd_comes_back_through_a_narrow_door(self):
        server = Server("--domain", "example.org")
        self.addCleanup(server.remove)
        chats = [Chat(server, ALICE, endpoint=f"e{n}") for n in range(6)]
        for chat in chats:
            self.addCleanup(self.stop, chat)
            chat.ready()
        server.admin("settings", "set", "signin.rate", "1")
        server.end(signal.SIGKILL)
        server.start()
        for chat in chats:
            chat.until("ready")
            self.assertEqual(chat.seen("error"), [])
        for chat in chats:
            self.assertEqual(chat.quit(), 0)

    def lonely(self, **how):
        """A client whose server is gone."""
        server = Server("--domain", "example.org")
        self.addCleanup(server.remove)
        alice = Chat(server, ALICE, **how)
        self.addCleanup(self.stop, alice)
        return server, alice

    def test_who_leaves_without_a_connection_is_told_what_is_unknown(self):
        for quits in (True, False):
            server, alice = self.lonely()
            alice.ready()
            server.end(signal.SIGKILL)
            alice.until("disconnected")
            alice.ask("send", id="u1", to=BOB, body="x")
            alice.ask("broadcast", id="u2", to=[BOB, ALICE], body="x")
            if quits:
                alice.ask("quit")
            else:
                alice.process.stdin.close()
            self.assertEqual(alice.rest(), 1)
            (outcome,) = alice.seen("outcome")
            self.assertEqual((outcome["id"], outcome["to"]), ("u1", BOB))
            self.assertEqual(outcome["outcome"], "unknown")
            (outcome,) = alice.seen("broadcast")
            self.assertEqual(outcome["id"], "u2")
            self.assertEqual(
                outcome["outcomes"],
                [{"to": x, "outcome": "unknown"} for x in (BOB, ALICE)])
            self.assertEqual(alice.events[-1]["event"], "error")
            self.assertIn("without signing out", alice.events[-1]["text"])

    def test_who_leaves_without_a_connection_and_has_sent_nothing(self):
        server, alice = self.lonely()
        alice.ready()
        alice.ask("send", id="k1", to=BOB, body="x")
        alice.until("outcome", id="k1")
        server.end(signal.SIGKILL)
        alice.until("disconnected")
        self.assertEqual(alice.quit(), 1)
        self.assertEqual(len(alice.seen("outcome")), 1)
        self.assertIn("without signing out", alice.events[-1]["text"])

    def test_a_person_is_told_what_is_unknown(self):
        server, talk = self.lonely(jsonl=False)
        self.assertIn("You are", read_line(talk.process.stdout))
        server.end(signal.SIGKILL)
        self.assertIn("Not connected", read_line(talk.process.stdout))
        talk.write("/to bob hello\n")
        talk.process.stdin.close()
        said = talk.process.stdout.read().decode()
        talk.process.stdout.close()
        self.assertEqual(talk.process.wait(PATIENCE), 1)
        self.assertIn("? nothing was heard of it (to bob)\n", said)

    def test_a_certificate_that_is_not_trusted_is_refused(self):
        # No authority of the system signed it.
        alice = self.chat(ALICE, protection=[])
        self.assertEqual(alice.rest(), 1)
        (error,) = alice.events
        self.assertEqual(error["reason"], "tls_failed")
        for way in ("self-signed", "--ca", "--insecure"):
            self.assertIn(way, error["text"])

    def test_any_certificate_does_if_one_asks_for_it(self):
        alice = self.chat(ALICE, protection=["--insecure"]).ready()
        self.assertEqual(alice.quit(), 0)

    def test_a_plain_client_at_a_tls_port_fails(self):
        alice = self.chat(ALICE, protection=["--plain"])
        self.assertEqual(alice.rest(), 1)

    def test_wrong_usage_exits_with_2(self):
        for arguments in ([], ["--server", "x", "--user", "y"],
                ["--server", "a:1"], ["--nonsense"],
                ["--server", "a:1", "--user", "a@b", "--plain", "--insecure"],
                ["--server", "a:1", "--user", "a@b", "--password-file", "/no"]):
            done = subprocess.run([PARLEY, "chat", *arguments],
                stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=PATIENCE)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn("parley chat:", done.stderr)

    # -- for a person --------------------------------------------------------

    def test_the_password_may_be_the_first_line_of_the_input(self):
        alice = self.chat(ALICE, password="-")
        alice.write("correct horse\n")
        alice.ask("send", id="p1", to="nobody@example.org", body="x")
        alice.until("outcome", id="p1")
        self.assertEqual(alice.quit(), 0)

    def test_lines_on_a_pipe_are_talk(self):
        bob = self.chat(BOB).ready()
        talk = subprocess.run(
            [PARLEY, "chat", "--server", self.server.address, "--user", ALICE]
            + ["--password-file", self.server.password, "--insecure"],
            input="/to bob\nhello\n/to nobody x\n/nothing\n", text=True,
            capture_output=True, timeout=PATIENCE)
        self.assertEqual(talk.returncode, 0, talk.stderr)
        self.assertEqual(bob.until("message")["body"], "hello")
        for text in ("bob: hello", "delivered", "nobody has this address",
                "no /nothing"):
            self.assertIn(text, talk.stdout)
        self.assertNotIn("\x1b", talk.stdout)
        self.assertEqual(bob.quit(), 0)

    def test_a_person_says_who_may_see_it_and_is_told_of_the_policy(self):
        talk = subprocess.Popen(
            [PARLEY, "chat", "--server", self.server.address, "--user", ALICE]
            + ["--password-file", self.server.password, "--insecure"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.addCleanup(talk.kill)

        def says(*lines):
            for line in lines:
                self.assertEqual(read_line(talk.stdout), line + "\n")

        def types(*lines):
            talk.stdin.write("".join(x + "\n" for x in lines).encode())

        self.assertIn("You are", read_line(talk.stdout))
        # Lists are read and set; all at once, nothing is lost.
        types("/allow bob", "/allow carol", "/block eve", "/domain x.org ask",
            "/domain y.org block", "/unallow carol", "/domain y.org default")
        says("bob may see you without being asked about.",
            "carol may see you without being asked about.", "eve is blocked.",
            "You are asked before anybody of x.org sees you.",
            "Everybody of y.org is blocked.", "carol is judged as anybody else.",
            "There is no rule for y.org any more.")
        types("/approval ask")
        says("You are asked before anybody sees you.")
        types("/sharing off")
        says("You let nobody see whether you are here.")
        types("/privacy")
        says("You are asked before anybody sees you.",
            "You let nobody see whether you are here.", "Always let in: bob",
            "Blocked: eve", "You are asked before anybody of x.org sees you.")
        types("/approval default", "/sharing default", "/unallow bob",
            "/unblock eve", "/domain x.org default", "/approval maybe")
        for _ in range(6):
            read_line(talk.stdout)
        self.server.admin("settings", "set", "im.client_history", "off")
        says("What you type is kept by this client no longer.")
        self.server.admin("settings", "set", "im.cut_and_paste", "off")
        says("Texts are not to be copied out of conversations any more.")
        self.server.admin("settings", "set", "contacts.max", "7")
        says("The server's contacts.max is now 7, was 200.")
        for name, value in (("im.client_history", "on"),
                ("im.cut_and_paste", "on"), ("contacts.max", "200")):
            self.server.admin("settings", "set", name, value)
            read_line(talk.stdout)
        types("/quit")
        self.assertEqual(talk.wait(PATIENCE), 0)
        talk.stdin.close()
        talk.stdout.close()

    def test_a_terminal_keeps_the_line_that_is_being_typed(self):
        bob = self.chat(BOB).ready()
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ.update(TERM="xterm", LC_ALL="C.UTF-8")
            os.environ.pop("NO_COLOR", None)
            os.execv(PARLEY, [PARLEY, "chat", "--server", self.server.address,
                "--user", ALICE, "--password-file", self.server.password,
                "--insecure", "--endpoint", "tty"])
        screen = Screen(terminal)
        screen.until("/to?>")
        screen.type("/to bob\r")
        screen.until("bob>")
        screen.type("hello\r")
        self.assertEqual(bob.until("message")["body"], "hello")
        screen.until("✓")
        screen.type("half grü")
        screen.until("half grü")
        bob.until("typing")
        bob.ask("send", id="t1", to=ALICE, body="in \x1b[2Jbetween")
        shown = screen.until("between", "half grü")
        self.assertIn("^[[2Jbetween", shown)
        screen.type("ße\r")
        self.assertEqual(bob.until("message")["body"], "half grüße")
        # A complaint is not taken for the line whose outcome comes.
        self.assertEqual(bob.quit(), 0)
        bob = self.chat(BOB, "--no-ack").ready()
        screen.type("late\r")
        bob.until("message", body="late")
        screen.type("/nothing\r")
        screen.until("no /nothing")
        shown = screen.until("stored")
        self.assertNotIn("late", shown)
        screen.type("/quit\r")
        screen.to_the_end()
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
        self.assertEqual(bob.quit(), 0)
        # Nothing is left for the tests after this one.
        bob = self.chat(BOB).ready()
        bob.until("message", body="late")
        self.assertEqual(bob.quit(), 0)


class SlowRelay:
    """Between a client and a server; what the server says of a connection is
    passed on after so many seconds."""

    def __init__(self, address, seconds):
        host, port = address.rsplit(":", 1)
        self.server = (host, int(port))
        self.seconds = seconds
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listening.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                client = self.listening.accept()[0]
                server = socket.create_connection(self.server, PATIENCE)
                for way in ((client, server, 0), (server, client, self.seconds)):
                    threading.Thread(
                        target=self.pass_on, args=way, daemon=True).start()
        except OSError:
            pass  # closed

    @staticmethod
    def pass_on(source, to, seconds):
        try:
            octets = source.recv(65536)
            time.sleep(seconds)
            while octets:
                to.sendall(octets)
                octets = source.recv(65536)
            to.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # one of them is gone

    def close(self):
        self.listening.close()


class Screen:
    """What a program writes to its terminal."""

    def __init__(self, terminal):
        self.terminal = terminal
        self.new = b""

    def type(self, text):
        os.write(self.terminal, text.encode())

    def read(self):
        ready = select.select([self.terminal], [], [], PATIENCE)[0]
        if not ready:
            raise AssertionError(f"nothing after {self.new!r}")
        try:
            return os.read(self.terminal, 4096)
        except OSError:
            # So does Linux tell that nobody has the other side open.
            return b""

    def until(self, *texts):
        """Reads on until these came, one after another; all that came."""
        wanted = ".*".join(re.escape(text) for text in texts).encode()
        while True:
            found = re.search(wanted, self.new, re.DOTALL)
            if found:
                shown = self.new[:found.end()].decode()
                self.new = self.new[found.end():]
                return shown
            more = self.read()
            assert more, f"no {texts} in {self.new!r}"
            self.new += more

    def to_the_end(self):
        while self.read():
            pass
        os.close(self.terminal)


class PlainTest(unittest.TestCase):
    def test_plain_tcp_works_where_the_server_allows_it(self):
        server = Server("--plain")
        self.addCleanup(server.remove)
        alice = Chat(server, ALICE, protection=["--plain"]).ready()
        alice.ask("send", id="1", to=ALICE, body="to myself")
        self.assertEqual(alice.until("message")["body"], "to myself")
        self.assertEqual(alice.quit(), 0)
        self.assertEqual(server.end(), 0)

    def test_a_server_that_slows_sign_ins_down_is_waited_for(self):
        server = Server("--plain")
        self.addCleanup(server.remove)
        slow = SlowRelay(server.address, 7)
        self.addCleanup(slow.close)
        alice = Chat(server, ALICE, protection=["--plain"],
            address=slow.address).ready()
        self.assertEqual(alice.quit(), 0)
        self.assertEqual(alice.seen("disconnected"), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
