"""What the tests of `parley chat` share: a server with TLS, and the client as
a process whose lines are read one by one."""
import json
import os
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
    """One server for all tests of a class."""

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
