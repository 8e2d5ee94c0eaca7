"""What system tests share: a real server on a folder of its own and a free
loopback port, and `parley chat --jsonl` as a client."""

import itertools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

# Generous: a loaded machine is slow, a right server is not.
PATIENCE = 60  # seconds
DOMAIN = "example.org"
PASSWORD = "correct horse"
ALICE, BOB, CAROL, DAVE = (
    f"{name}@{DOMAIN}" for name in ("alice", "bob", "carol", "dave")
)
NOBODY = f"nobody@{DOMAIN}"

# Below the range from which Linux takes the ports of outgoing connections:
# otherwise a client that waits for its server could connect to itself.
PORTS = range(10000, 32000)


# No two IMs of a user may have the same id.
numbers = itertools.count(1)


class InVain(AssertionError):
    """Something did not come in time."""


def free_port(host="127.0.0.1"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        port = random.choice(PORTS)
        with socket.socket(family) as probe:
            try:
                probe.bind((host, port))
                return port
            except OSError:
                continue


def wait_until(holds, what, timeout=PATIENCE):
    """Waits until `holds()` is true, and returns what it returned."""
    deadline = time.monotonic() + timeout
    while not (found := holds()):
        if time.monotonic() >= deadline:
            raise InVain(f"waited {timeout} s in vain for {what}")
        time.sleep(0.01)
    return found


class Server:
    """A `parley serve`; starts at once, with accounts for `users`, and in
    `environment` beside that of the test."""

    def __init__(
        self,
        parley,
        *arguments,
        users=(),
        plain=True,
        host="127.0.0.1",
        environment=None,
        data=None,
    ):
        self.parley = parley
        self.folder = tempfile.mkdtemp(prefix="parley-system-")
        self.data = data or os.path.join(self.folder, "data")
        self.password_file = self.file("password", PASSWORD + "\n")
        self.arguments = [*(["--plain"] if plain else []), *arguments]
        self.protection = ["--plain"] if plain else ["--insecure"]
        self.host = host
        self.environment = {**os.environ, **(environment or {})}
        self.address = None
        self.metrics = None
        self.xmpp = None
        self.xmpp_ws = None
        self.process = None
        self.log = os.path.join(self.folder, "log")
        try:
            self.start()
            self.add(*users)
        except BaseException:
            self.remove()
            raise

    @property
    def port(self):
        return int(self.address.rsplit(":", 1)[1])

    def spawn(self):
        """Starts it and does not wait. On the same port each time."""
        if self.address is None:
            host = f"[{self.host}]" if ":" in self.host else self.host
            self.address = f"{host}:{free_port(self.host)}"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.parley, "serve", "--data", self.data]
                + ["--listen", self.address, "--domain", DOMAIN]
                + self.arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self.environment,
            )

    def start(self):
        self.spawn()
        # Ends with the process if it does not come up.
        line = self.process.stdout.readline().decode()
        while line.split(" ")[0] in ("metrics", "xmpp", "xmpp-ws"):
            name, at = line.split()
            setattr(self, name.replace("-", "_"), at)
            line = self.process.stdout.readline().decode()
        if line != f"ready {self.address}\n":
            raise AssertionError(f"not ready: {line!r}: {self.logged()}")

    def logged(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()[-4000:]

    def stop(self, how=signal.SIGTERM):
        """The exit status."""
        self.process.send_signal(how)
        status = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return status

    def kill(self):
        self.stop(signal.SIGKILL)

    def remove(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def try_admin(self, *arguments, text=None):
        """The finished process, whatever it says."""
        return subprocess.run(
            [self.parley, "admin", "--data", self.data, *arguments],
            input=text,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def admin(self, *arguments, text=None):
        """What it says, as JSON; it must succeed."""
        done = self.try_admin(*arguments, "--json", text=text)
        if done.returncode != 0:
            raise AssertionError(f"admin {arguments}: {done.stderr}")
        return json.loads(done.stdout)

    def add(self, *users):
        if users:
            rows = "".join(f"{user},{PASSWORD}\n" for user in users)
            self.admin("user", "import", self.file("users.csv", rows))

    def set(self, name, value):
        self.admin("settings", "set", name, str(value))


class Chat:
    """A signed-in `parley chat --jsonl`. A thread gathers its events."""

    def __init__(self, server, user, endpoint="desk", *arguments, ready=True):
        self.name = f"{user}/{endpoint}"
        self.events = []
        self.ended = False
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            [server.parley, "chat", "--server", server.address, "--jsonl"]
            + ["--user", user, "--endpoint", endpoint, *server.protection]
            + ["--password-file", server.password_file]
            + list(arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self.gather, daemon=True).start()
        if ready:
            self.wait_for(lambda x: x["event"] == "ready")

    def gather(self):
        for line in self.process.stdout:
            with self.changed:
                self.events.append(json.loads(line))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def ask(self, op, **fields):
        line = json.dumps({"op": op, **fields})
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def wait_for(self, predicate, timeout=PATIENCE):
        """The first event of all that it is true of."""
        deadline = time.monotonic() + timeout
        seen = 0
        with self.changed:
            while True:
                for event in self.events[seen:]:
                    if predicate(event):
                        return event
                seen = len(self.events)
                left = deadline - time.monotonic()
                if self.ended or left <= 0:
                    raise InVain(f"{self.name} waited in vain: {self.events}")
                self.changed.wait(left)

    def all_of(self, kind):
        with self.changed:
            return [x for x in self.events if x["event"] == kind]

    def ids(self):
        """Of the IMs that came, in order."""
        return [x["id"] for x in self.all_of("message")]

    def message(self, id_):
        return self.wait_for(
            lambda x: x["event"] == "message" and x["id"] == id_
        )

    def outcome(self, id_):
        return self.wait_for(
            lambda x: x["event"] == "outcome" and x["id"] == id_
        )

    def post(self, to, id_=None, body="text", **fields):
        """Sends an IM; its id."""
        if id_ is None:
            id_ = f"im {next(numbers)}"
        self.ask("send", id=id_, to=to, body=body, **fields)
        return id_

    def send(self, to, id_=None, body="text", **fields):
        """Sends an IM and waits for its outcome, given as text."""
        return said(self.outcome(self.post(to, id_, body, **fields)))

    def show(self, show, priority=0):
        id_ = f"presence {next(numbers)}"
        self.ask("presence", id=id_, show=show, priority=priority)
        self.wait_for(lambda x: x["event"] == "done" and x["id"] == id_)

    def rest(self):
        """Waits until it ends; the exit status."""
        status = self.process.wait(PATIENCE)
        wait_until(lambda: self.ended, f"the output of {self.name}")
        self.close_pipes()
        return status

    def quit(self):
        self.ask("quit")
        return self.rest()

    def freeze(self):
        """It reads, writes and acknowledges nothing more."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
            wait_until(lambda: self.ended, f"the output of {self.name}")
        self.close_pipes()

    def close_pipes(self):
        self.process.stdout.close()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # a line was left that nobody took


def said(outcome):
    """An outcome in a word: delivered, stored, or why it was rejected."""
    if outcome["outcome"] != "rejected":
        return outcome["outcome"]
    return outcome["reason"]


class SystemTest(unittest.TestCase):
    """One server for all tests of a class, one folder for all of its runs."""

    parley = None
    proto = None
    users = (ALICE, BOB, CAROL, DAVE)
    arguments = ()
    # What stands in its configuration file, if it has one.
    configuration = ""
    plain = True

    @classmethod
    def setUpClass(cls):
        arguments = cls.arguments
        if cls.configuration:
            folder = tempfile.mkdtemp(prefix="parley-system-")
            cls.addClassCleanup(shutil.rmtree, folder)
            file = os.path.join(folder, "parley.toml")
            with open(file, "w", encoding="utf-8") as out:
                out.write(cls.configuration)
            arguments += ("--config", file)
        cls.server = Server(
            cls.parley, *arguments, users=cls.users, plain=cls.plain
        )
        cls.addClassCleanup(cls.server.remove)

    def chat(self, user, endpoint="desk", *arguments, **how):
        chat = Chat(self.server, user, endpoint, *arguments, **how)
        self.addCleanup(chat.end)
        return chat

    def setting(self, name, value):
        """For the rest of the test."""
        settings = self.server.admin("settings", "list")["settings"]
        before = next(x["value"] for x in settings if x["name"] == name)
        self.server.set(name, value)
        self.addCleanup(self.server.set, name, before)


def main():
    """Runs the tests of the calling script: SCRIPT PARLEY [PROTO-FOLDER] …"""
    SystemTest.parley = sys.argv.pop(1)
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        SystemTest.proto = sys.argv.pop(1)
    unittest.main(verbosity=2)
