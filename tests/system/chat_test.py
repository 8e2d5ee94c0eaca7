#!/usr/bin/python3
"""`parley chat` keeps its contract towards a real server: the JSON lines, the
line interface on a pipe and on a terminal, exit codes, TLS, reconnecting.

    chat_test.py PARLEY
"""
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

# Generous: a loaded machine is slow, a right program is not.
PATIENCE = 60
PARLEY = sys.argv.pop(1)
ALICE = "alice@example.org"
BOB = "bob@example.org"
# Nobody listens there: the port of a discarded protocol, on the loopback.
NO_SERVER = "127.0.0.1:9"


def read_line(stream):
    """A line of an unbuffered stream; empty at its end."""
    deadline = time.monotonic() + PATIENCE
    line = b""
    while not line.endswith(b"\n"):
        left = max(0, deadline - time.monotonic())
        if not select.select([stream], [], [], left)[0]:
            raise AssertionError(f"no line within {PATIENCE} s after {line!r}")
        byte = os.read(stream.fileno(), 1)
        if not byte:
            break
        line += byte
    return line.decode()


class Server:
    def __init__(self, *arguments):
        self.folder = tempfile.mkdtemp(prefix="parley-chat-test-")
        self.data = os.path.join(self.folder, "data")
        self.password = self.file("password", "correct horse\n")
        self.arguments = arguments
        self.address = "127.0.0.1:0"
        self.start()
        for user in (ALICE, BOB):
            self.admin("user", "add", user, "--password-file", self.password)

    def start(self):
        self.process = subprocess.Popen(
            [PARLEY, "serve", "--data", self.data, "--listen", self.address]
            + list(self.arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        line = read_line(self.process.stdout)
        assert line.startswith("ready "), line
        self.address = line.split()[1]

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as out:
            out.write(text)
        return path

    def admin(self, *arguments):
        command = [PARLEY, "admin", "--data", self.data, *arguments]
        subprocess.run(command, check=True, timeout=PATIENCE,
            stdout=subprocess.DEVNULL)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        status = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return status

    def remove(self):
        if self.process.poll() is None:
            self.end()
        shutil.rmtree(self.folder)


class Chat:
    """A `parley chat`, with --jsonl unless told otherwise."""

    def __init__(self, server, user, *arguments, jsonl=True, protection=None,
                 endpoint="desk", password=None, address=None):
        if protection is None:
            protection = ["--ca", server.data + "/tls/cert.pem"]
        self.process = subprocess.Popen(
            [PARLEY, "chat", "--server", address or server.address]
            + ["--user", user, "--endpoint", endpoint]
            + ["--password-file", password or server.password]
            + protection
            + (["--jsonl"] if jsonl else [])
            + list(arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self.events = []

    def write(self, text):
        self.process.stdin.write(text.encode())

    def ask(self, op, **fields):
        self.write(json.dumps({"op": op, **fields}) + "\n")

    def event(self):
        """The next event; none at the end."""
        line = read_line(self.process.stdout)
        if not line:
            return None
        event = json.loads(line)
        self.events.append(event)
        return event

    def until(self, event_, **fields):
        """Passes over events up to the first such one."""
        while True:
            event = self.event()
            assert event is not None, f"no {event_} {fields} in {self.events}"
            found = all(event.get(k) == v for k, v in fields.items())
            if event["event"] == event_ and found:
                return event

    def ready(self):
        first = self.event()
        assert first and first["event"] == "ready", first
        return self

    def rest(self):
        """All further events, and the exit code."""
        while self.event() is not None:
            pass
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(PATIENCE)

    def quit(self):
        self.ask("quit")
        return self.rest()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def seen(self, kind):
        return [event for event in self.events if event["event"] == kind]


class ChatTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.remove()

    def chat(self, user, *arguments, **how):
        chat = Chat(self.server, user, *arguments, **how)
        self.addCleanup(self.stop, chat)
        return chat

    @staticmethod
    def stop(chat):
        if chat.process.poll() is None:
            chat.kill()

    # -- the JSON lines ------------------------------------------------------

    def test_ready_comes_first_and_the_policy_follows(self):
        alice = self.chat(ALICE)
        first = alice.event()
        self.assertEqual(first["event"], "ready")
        self.assertEqual(first["address"], ALICE + "/desk")
        self.assertIs(first["resumed"], False)
        self.assertIn("im.client_history", alice.until("policy"))
        self.assertEqual(alice.quit(), 0)

    def test_an_im_arrives_with_all_of_its_fields(self):
        alice, bob = self.chat(ALICE).ready(), self.chat(BOB).ready()
        body = "Grüße, \"мир\"\n🙂\t\u0001"
        alice.ask("send", id="f1", to=BOB, body=body)
        outcome = alice.until("outcome", id="f1")
        self.assertEqual(outcome, {"event": "outcome", "id": "f1", "to": BOB,
            "outcome": "delivered"})
        message = bob.until("message")
        self.assertRegex(message.pop("sent_at"),
            r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ$")
        self.assertEqual(message, {"event": "message", "from": ALICE + "/desk",
            "to": BOB, "id": "f1", "body": body, "offline": False})
        self.assertEqual(alice.quit(), 0)
        self.assertEqual(bob.quit(), 0)

    def test_an_id_is_made_up_where_there_is_none(self):
        alice = self.chat(ALICE).ready()
        alice.ask("send", to="nobody@example.org", body="x")
        outcome = alice.until("outcome")
        self.assertTrue(outcome["id"])
        self.assertEqual(outcome["outcome"], "rejected")
        self.assertEqual(outcome["reason"], "no_such_user")
        self.assertEqual(alice.quit(), 0)

    def test_requests_before_ready_wait_and_the_end_of_input_signs_out(self):
        bob = self.chat(BOB).ready()
        alice = self.chat(ALICE)
        for number in range(30):
            alice.ask("send", id=f"e{number}", to=BOB, body=str(number))
        # The last line needs no newline.
        alice.write(json.dumps(
            {"op": "send", "id": "e30", "to": BOB, "body": "30"}))
        alice.process.stdin.close()
        self.assertEqual(alice.event()["event"], "ready")
        while alice.event() is not None:
            pass
        alice.process.stdout.close()
        self.assertEqual(alice.process.wait(PATIENCE), 0)
        outcomes = {event["id"]: event["outcome"]
            for event in alice.seen("outcome")}
        self.assertEqual(outcomes, {f"e{n}": "delivered" for n in range(31)})
        bodies = [bob.until("message")["body"] for _ in range(31)]
        self.assertEqual(bodies, [str(n) for n in range(31)])
        self.assertEqual(bob.quit(), 0)

    def test_bad_lines_are_errors_and_nothing_ends(self):
        alice = self.chat(ALICE).ready()
        for line in ("nonsense", "[]", "{}", '{"op":7}', '{"op":"send"}',
                '{"op":"send","id":"x","to":1,"body":"y"}',
                '{"op":"presence","show":"asleep"}', "\\u0000", "{" * 10000):
            alice.write(line + "\n\n  \n")
            error = alice.until("error")
            self.assertEqual(error["reason"], "bad_request", line)
            self.assertTrue(error["text"])
        self.assertEqual(alice.events[-3].get("id"), None)
        alice.ask("subscribe", id="s1", to=BOB)
        error = alice.until("error", id="s1")
        self.assertEqual(error["reason"], "unknown_request")
        alice.ask("presence", id="p1", show="away", status="out", priority=-5)
        alice.until("done", id="p1")
        self.assertEqual(alice.quit(), 0)

    def test_a_broadcast_lists_each_recipient_once(self):
        alice, bob = self.chat(ALICE).ready(), self.chat(BOB).ready()
        alice.ask("broadcast", id="b1", body="all",
            to=[BOB, "nobody@example.org", BOB])
        answer = alice.until("broadcast", id="b1")
        self.assertEqual(answer["outcomes"], [
            {"to": BOB, "outcome": "delivered"},
            {"to": "nobody@example.org", "outcome": "rejected",
                "reason": "no_such_user"}])
        self.assertEqual(bob.until("message")["id"], "b1")
        self.assertEqual(alice.quit(), 0)
        self.assertEqual(bob.quit(), 0)
        self.assertEqual(len(bob.seen("message")), 1)

    def test_typing_and_receipts_reach_those_who_asked(self):
        alice, bob = self.chat(ALICE).ready(), self.chat(BOB).ready()
        alice.ask("typing", to=BOB)
        self.assertEqual(bob.until("typing")["from"], ALICE + "/desk")
        alice.ask("send", id="r1", to=BOB, body="asks", receipts=True)
        alice.ask("send", id="r2", to=BOB, body="does not")
        for id_ in ("r1", "r2"):
            bob.until("message", id=id_)
            alice.until("outcome", id=id_)
        bob.ask("read", id="r2", **{"from": ALICE + "/desk"})
        bob.ask("read", id="r1", **{"from": ALICE + "/desk"})
        read = alice.until("receipt", kind="read")
        self.assertEqual((read["id"], read["endpoint"]), ("r1", BOB + "/desk"))
        self.assertEqual(alice.quit(), 0)
        self.assertEqual(bob.quit(), 0)
        self.assertEqual({event["id"] for event in alice.seen("receipt")},
            {"r1"})
        self.assertEqual(alice.seen("message"), [])
        # A read marker is no message, and its outcome nobody's business.
        self.assertEqual(bob.seen("outcome"), [])

    def test_what_was_not_acknowledged_comes_again(self):
        alice = self.chat(ALICE).ready()
        bob = self.chat(BOB, "--no-ack").ready()
        alice.ask("send", id="n1", to=BOB, body="unacknowledged")
        bob.until("message", id="n1")
        self.assertEqual(alice.until("outcome", id="n1")["outcome"], "stored")
        self.assertEqual(bob.quit(), 0)
        bob = self.chat(BOB).ready()
        self.assertIs(bob.until("message", id="n1")["offline"], True)
        self.assertEqual(bob.quit(), 0)
        bob = self.chat(BOB).ready()
        self.assertEqual(bob.quit(), 0)
        self.assertEqual(bob.seen("message"), [])
        self.assertEqual(alice.quit(), 0)

    def test_a_server_that_comes_back_is_signed_in_to_again(self):
        alice, bob = self.chat(ALICE).ready(), self.chat(BOB).ready()
        self.server.end(signal.SIGKILL)
        lost = alice.until("disconnected")
        self.assertTrue(lost["reason"])
        self.assertGreaterEqual(lost["retry_in"], 0)
        alice.ask("send", id="k1", to=BOB, body="held back")
        self.server.start()
        alice.until("ready")
        self.assertIn(alice.until("outcome", id="k1")["outcome"],
            ("delivered", "stored"))
        bob.until("message", id="k1")
        self.assertEqual(alice.quit(), 0)
        self.assertEqual(bob.quit(), 0)
        self.assertEqual(len(bob.seen("message")), 1)

    def test_another_client_under_the_same_name_ends_the_first(self):
        first = self.chat(ALICE).ready()
        second = self.chat(ALICE).ready()
        self.assertEqual(first.until("error")["reason"], "replaced")
        self.assertEqual(first.rest(), 1)
        self.assertEqual(second.quit(), 0)

    def test_a_signal_signs_out(self):
        alice = self.chat(ALICE).ready()
        alice.process.send_signal(signal.SIGTERM)
        self.assertEqual(alice.rest(), 0)

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
        self.assertEqual(alice.events[0]["event"], "disconnected")
        self.assertEqual(alice.events[-1]["event"], "error")

    def test_a_certificate_that_is_not_trusted_is_refused(self):
        # No authority of the system signed it.
        alice = self.chat(ALICE, protection=[])
        self.assertEqual(alice.rest(), 1)
        self.assertEqual(alice.events[-1]["reason"], "tls_failed")

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
        screen.type("/quit\r")
        screen.to_the_end()
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
        self.assertEqual(bob.quit(), 0)


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


class PlainChatTest(unittest.TestCase):
    def test_plain_tcp_works_where_the_server_allows_it(self):
        server = Server("--plain")
        self.addCleanup(server.remove)
        alice = Chat(server, ALICE, protection=["--plain"]).ready()
        alice.ask("send", id="1", to=ALICE, body="to myself")
        self.assertEqual(alice.until("message")["body"], "to myself")
        self.assertEqual(alice.quit(), 0)
        self.assertEqual(server.end(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
