"""A scripted conversation through a real server and real `parley chat`s.

Prints, in a column per endpoint, what each of them sent and saw, and fails
at the first thing that is not as promised. `./dev demo` plays it for people,
the test system.demo for the machine.
"""

import argparse
import contextlib
import datetime
import json
import pathlib
import queue
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from transcript import Transcript

# An answer that takes this long is taken for one that does not come.
PATIENCE = 30  # seconds

ALICE = "alice@example.org"
BOB = "bob@example.org"
CAROL = "carol@example.org"
NOBODY = "nobody@example.org"


class Broken(Exception):
    """Something was not as promised."""


def check(holds, promise, *found):
    if not holds:
        raise Broken(": ".join([promise, *map(str, found)]))


def lines_of(stream):
    """A queue that a thread fills with the lines of `stream`, then None."""
    lines = queue.Queue()

    def pump():
        for line in stream:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=pump, daemon=True).start()
    return lines


class Server:
    """A `parley serve` on a free port of the loopback and a new folder."""

    def __init__(self, parley, folder):
        self.parley = parley
        self.folder = folder
        self.data = folder / "data"
        self.process = subprocess.Popen(
            [parley, "serve", "--data", self.data, "--listen", "127.0.0.1:0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        lines = lines_of(self.process.stdout)
        deadline = time.monotonic() + PATIENCE
        self.address = None
        while self.address is None:
            try:
                line = lines.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            check(line is not None, "the server says that it is ready")
            if line.startswith("ready "):
                self.address = line.split()[1]

    def add(self, user):
        password = self.password_file(user)
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(12) + "\n")
        command = [self.parley, "admin", "--data", self.data, "user", "add"]
        subprocess.run(
            [*command, user, "--password-file", password],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=PATIENCE,
        )

    def password_file(self, user):
        return self.folder / f"{user}.password"

    def stop(self):
        self.process.terminate()
        status = self.process.wait(PATIENCE)
        check(status == 0, "the server stops in order", f"exit {status}")


class Endpoint:
    """One signed-in `parley chat --jsonl`."""

    def __init__(self, server, transcript, user, name):
        self.user = user
        self.column = f"{user.split('@')[0]}/{name}"
        self.transcript = transcript
        self.messages = []  # every IM that came, in order
        self.expected = []  # (sender, id) of every IM that was to come
        self.answers = []  # outcomes and broadcasts not asked for yet
        self.process = subprocess.Popen(
            [server.parley, "chat", "--server", server.address]
            + ["--user", user, "--password-file", server.password_file(user)]
            + ["--endpoint", name, "--ca", server.data / "tls" / "cert.pem"]
            + ["--jsonl"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.lines = lines_of(self.process.stdout)
        ready = self.read(time.monotonic() + PATIENCE)
        check(
            ready is not None and ready.get("event") == "ready",
            f"{self.column} is signed in and told so first",
            ready,
        )
        check(
            ready["address"] == f"{user}/{name}",
            f"{self.column} has the endpoint's name that it asked for",
            ready,
        )
        self.say("(signs in)")

    def say(self, text):
        self.transcript.add(self.column, text)

    def ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def read(self, deadline):
        """The next event; None at the end of the output."""
        try:
            line = self.lines.get(timeout=max(0, deadline - time.monotonic()))
        except queue.Empty:
            raise Broken(f"{self.column} waited in vain") from None
        return None if line is None else json.loads(line)

    def take(self, event):
        kind = event["event"]
        if kind == "message":
            self.messages.append(event)
            late = " (offline)" if event["offline"] else ""
            self.say(f"{self.name_of(event['from'])}: {event['body']}{late}")
        elif kind in ("outcome", "broadcast"):
            self.answers.append(event)
        elif kind == "error":
            raise Broken(f"{self.column} is told an error: {event}")

    @staticmethod
    def name_of(address):
        user, _, endpoint = address.partition("/")
        return f"{user.split('@')[0]}/{endpoint}"

    def send(self, to, body, want="delivered"):
        """Sends an IM to the user `to` and waits for its outcome."""
        self.transcript.counter += 1
        id_ = f"m{self.transcript.counter}"
        self.ask({"op": "send", "id": id_, "to": to, "body": body})
        self.say(f"> {body}")
        answer = self.answer(id_)
        check(
            answer["event"] == "outcome" and answer["outcome"] == want,
            f"{self.column}'s IM '{body}' is {want}",
            answer,
        )
        self.say(f"[{want}]")
        return (self.user, id_)

    def broadcast(self, to, body, want):
        """Sends one IM to many; `want` is the outcome for each."""
        self.ask({"op": "broadcast", "id": "b1", "to": to, "body": body})
        self.say(f"> {body}")
        answer = self.answer("b1")
        got = {
            outcome["to"]: (outcome["outcome"], outcome.get("reason"))
            for outcome in answer["outcomes"]
        }
        check(got == want, "a broadcast lists each outcome", got)
        for address, (outcome, reason) in got.items():
            because = f": {reason}" if reason else ""
            self.say(f"[{address.split('@')[0]} {outcome}{because}]")
        return (self.user, "b1")

    def answer(self, id_):
        deadline = time.monotonic() + PATIENCE
        while True:
            for answer in self.answers:
                if answer["id"] == id_:
                    self.answers.remove(answer)
                    return answer
            event = self.read(deadline)
            check(event is not None, f"{self.column} gets an answer", id_)
            self.take(event)

    def receive(self, *messages, offline=False):
        """Waits until just these IMs came, in this order, after all before."""
        self.expected += messages
        deadline = time.monotonic() + PATIENCE
        while len(self.messages) < len(self.expected):
            event = self.read(deadline)
            check(event is not None, f"{self.column} stays connected")
            self.take(event)
        self.check_messages()
        for event in self.messages[len(self.expected) - len(messages) :]:
            check(
                event["offline"] is offline,
                f"{self.column}'s IM says offline: {offline}",
                event,
            )
        return self.messages[len(self.expected) - len(messages) :]

    def check_messages(self):
        got = [(m["from"].split("/")[0], m["id"]) for m in self.messages]
        check(got == self.expected, f"{self.column} got just its IMs", got)

    def sign_out(self):
        """Signs out, and checks that nothing else ever came."""
        self.ask({"op": "quit"})
        deadline = time.monotonic() + PATIENCE
        while (event := self.read(deadline)) is not None:
            self.take(event)
        status = self.process.wait(PATIENCE)
        check(status == 0, f"{self.column} signs out", f"exit {status}")
        self.check_messages()
        check(not self.answers, f"{self.column} has one outcome an IM")
        self.say("(signs out)")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def moment(text):
    return datetime.datetime.fromisoformat(text)


def conversation(server, transcript, sign_in):
    step = transcript.step

    step("Alice signs in at her desk, Bob at his desk, phone and tablet.")
    alice = sign_in(ALICE, "desk")
    desk = sign_in(BOB, "desk")
    phone = sign_in(BOB, "phone")
    tablet = sign_in(BOB, "tablet")

    step("Fork: an IM to Bob goes to all of his endpoints.")
    question = alice.send(BOB, "Lunch at noon?")
    for endpoint in (desk, phone, tablet):
        endpoint.receive(question)

    step("Bob replies from his phone.")
    alice.receive(phone.send(ALICE, "Gladly! Where?"))

    step("Collapse: the phone is chosen now, and gets Alice's IMs alone.")
    phone.receive(alice.send(BOB, "At the harbour."))

    step("Release: the phone signs out, and Alice's next IM forks again.")
    phone.sign_out()
    late = alice.send(BOB, "Take your umbrella.")
    for endpoint in (desk, tablet):
        endpoint.receive(late)

    step("Bob signs out everywhere: what Alice sends is stored, on disk.")
    desk.sign_out()
    tablet.sign_out()
    before = datetime.datetime.now(datetime.timezone.utc)
    stored = [
        alice.send(BOB, "Are you there?", want="stored"),
        alice.send(BOB, "I am waiting.", want="stored"),
    ]
    after = datetime.datetime.now(datetime.timezone.utc)

    step("Bob comes back to his desk, and gets it, in order and once.")
    desk = sign_in(BOB, "desk")
    second = datetime.timedelta(seconds=1)
    for message in desk.receive(*stored, offline=True):
        check(
            before - second <= moment(message["sent_at"]) <= after + second,
            "a stored IM carries its time of sending",
            message["sent_at"],
        )

    step("Bob leaves for his tablet: what he has read is not repeated there.")
    desk.sign_out()
    tablet = sign_in(BOB, "tablet")

    step("Broadcast: one IM to many, and what became of it for each.")
    news = alice.broadcast(
        [BOB, CAROL, NOBODY],
        "The rain has stopped!",
        {
            BOB: ("delivered", None),
            CAROL: ("stored", None),
            NOBODY: ("rejected", "no_such_user"),
        },
    )
    tablet.receive(news)

    step("Carol signs in later, and it waits for her.")
    carol = sign_in(CAROL, "desk")
    carol.receive(news, offline=True)

    step("All sign out.")
    for endpoint in (alice, tablet, carol):
        endpoint.sign_out()


def play(parley, width, out):
    columns = ["alice/desk", "bob/desk", "bob/phone", "bob/tablet"]
    transcript = Transcript([*columns, "carol/desk"], width, out)
    with contextlib.ExitStack() as stack:
        folder = tempfile.TemporaryDirectory(prefix="parley-demo-")
        server = Server(parley, pathlib.Path(stack.enter_context(folder)))
        stack.callback(server.process.kill)
        for user in (ALICE, BOB, CAROL):
            server.add(user)

        def sign_in(user, name):
            endpoint = Endpoint(server, transcript, user, name)
            stack.callback(endpoint.kill)
            return endpoint

        try:
            conversation(server, transcript, sign_in)
            server.stop()
        finally:
            transcript.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parley", default="build/parley", help="the program")
    parser.add_argument("--width", type=int, help="of the transcript")
    options = parser.parse_args()
    width = options.width or min(120, shutil.get_terminal_size((100, 0))[0])
    try:
        play(pathlib.Path(options.parley).resolve(), width, sys.stdout)
    except (Broken, OSError, subprocess.SubprocessError) as error:
        sys.stdout.flush()
        sys.exit(f"demo: not as promised: {error}")
    print("Everything was as promised.")


if __name__ == "__main__":
    main()
