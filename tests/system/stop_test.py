#!/usr/bin/python3
"""The server starts and stops in order: under load, beside another one, with
new certificates, on IPv6, and without TLS on loopback only.

    stop_test.py PARLEY PROTO-FOLDER
"""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

from parley_system import ALICE, BOB, CAROL, DOMAIN, PATIENCE, Chat, Server
from parley_system import SystemTest, free_port, main, wait_until
from wire_client import Closed, Wire, load_schema

STOPPED_WITHIN = 10  # seconds


class Load(threading.Thread):
    """Sends as fast as its window lets it until it is told that the server
    goes, and gathers what is said of each IM."""

    def __init__(self, schema, server, user, peers, tls=False):
        super().__init__(daemon=True)
        self.schema = schema
        self.wire = Wire(schema, server, tls=tls).sign_in(user, "load")
        self.user = user
        self.peers = peers
        self.window = self.wire.session.requests.messages
        self.under_way = {}
        self.outcomes = {}  # (to, id): in a word
        self.come_back_after = None
        self.was_heard = False
        self.last_error = None
        self.broken = None

    def run(self):
        try:
            while True:
                if self.come_back_after is None:
                    self.fill()
                self.take(self.wire.receive())
        except (Closed, OSError):
            pass
        except Exception as error:
            self.broken = error

    def fill(self):
        while len(self.under_way) < self.window:
            n = self.wire.requests + 1
            to = self.peers[n % len(self.peers)]
            self.wire.send_im(to, f"{self.user} {n}")
            self.under_way[n] = (to, f"{self.user} {n}")

    def take(self, frame):
        kind = frame.WhichOneof("kind")
        if kind == "going_away":
            self.come_back_after = frame.going_away.come_back_after_ms
            # The answer tells that all before it has been read.
            self.wire.send(ping={"nonce": 1})
        elif kind == "pong":
            self.was_heard = True
        elif kind == "error" and not frame.request:
            self.last_error = frame.error
        elif kind == "outcome":
            key = self.under_way.pop(frame.request)
            assert key not in self.outcomes, key
            self.outcomes[key] = self.word_of(frame.outcome)
        if frame.event:
            try:
                self.wire.ack(frame.event)
            except OSError:
                pass  # closed: what lies in the socket is still read

    def word_of(self, outcome):
        word = self.schema.Outcome.Kind.Name(outcome.kind).lower()
        return outcome.error.reason if word == "rejected" else word


class Reader(threading.Thread):
    """Takes, perhaps acknowledges, and remembers what came."""

    def __init__(self, schema, server, user, acknowledges, tls=False):
        super().__init__(daemon=True)
        self.wire = Wire(schema, server, tls=tls).sign_in(user, "reader")
        self.acknowledges = acknowledges
        self.ids = []

    def run(self):
        try:
            while True:
                frame = self.wire.receive()
                if frame.WhichOneof("kind") == "im":
                    self.ids.append(frame.im.id)
                if frame.event and self.acknowledges:
                    self.wire.ack(frame.event)
        except (Closed, OSError):
            pass


class StopTest(SystemTest):
    users = (ALICE, BOB, CAROL, *(f"load{n}@{DOMAIN}" for n in range(3)))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.schema = load_schema(cls.proto)

    def test_under_load_every_im_has_a_true_outcome(self):
        server = self.server
        server.set("im.offline_max", "unlimited")
        server.set("im.grace", "30s")
        # One acknowledges, one never does, one is not there.
        readers = [
            Reader(self.schema, server, user, acks)
            for user, acks in ((ALICE, True), (BOB, False))
        ]
        # Bob's fill the window of their sender.
        loads = [
            Load(self.schema, server, user, peers)
            for user, peers in zip(
                self.users[3:],
                ((ALICE, CAROL), (CAROL, ALICE), (ALICE, BOB, CAROL)),
            )
        ]
        for one in readers + loads:
            one.start()
        wait_until(lambda: len(readers[0].ids) > 500, "the load")
        began = time.monotonic()
        self.assertEqual(server.stop(), 0)
        self.assertLess(time.monotonic() - began, STOPPED_WITHIN)
        for one in readers + loads:
            one.join(PATIENCE)
            self.assertFalse(one.is_alive())
            one.wire.close()
        promised = {ALICE: set(), BOB: set(), CAROL: set()}
        for load in loads:
            self.assertIsNone(load.broken)
            # It stopped sending when it was told, and all before that was
            # answered: what comes too late is nobody's but the client's.
            self.assertTrue(load.was_heard)
            self.assertEqual(load.under_way, {})
            self.assertEqual(load.last_error.reason, "server_stopping")
            self.assertEqual(load.last_error.scope, self.schema.SESSION)
            self.assertGreaterEqual(load.come_back_after, 1000)
            self.assertLessEqual(load.come_back_after, 10_000)
            for (to, id_), word in load.outcomes.items():
                if word != "server_stopping":
                    self.assertIn(word, ("delivered", "stored"))
                    promised[to].add(id_)
        back = {load.come_back_after for load in loads}
        self.assertGreater(len(back), 1, "all come back at once")
        server.start()
        for user, before in (
            (ALICE, readers[0].ids),
            (BOB, []),
            (CAROL, []),
        ):
            came = set(before)
            wire = Wire(self.schema, server).sign_in(user, "after")
            while promised[user] - came:
                came.add(wire.until("im").im.id)
                wire.ack()
            wire.close()

    def test_an_idle_server_stops_at_once(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            alice = self.chat(ALICE)
            began = time.monotonic()
            self.assertEqual(self.server.stop(how), 0)
            self.assertLess(time.monotonic() - began, STOPPED_WITHIN)
            self.assertFalse(
                os.path.exists(os.path.join(self.server.data, "admin.sock"))
            )
            self.server.start()
            alice.end()

    def test_a_folder_that_another_server_holds(self):
        alice = self.chat(ALICE)
        other = self.serve("--data", self.server.data, "--plain")
        self.assertEqual(other.returncode, 1)
        self.assertIn("store_locked", other.stderr)
        # The first one is as before, its admin socket too.
        self.assertEqual(alice.send(BOB), "stored")
        self.assertIn(ALICE, self.server.admin("user", "list")["users"])
        self.assertEqual(alice.quit(), 0)

    def test_a_port_that_is_taken(self):
        folder = os.path.join(self.server.folder, "other")
        other = self.serve(
            *("--data", folder, "--plain"), listen=self.server.address
        )
        self.assertEqual(other.returncode, 1)
        self.assertIn(str(self.server.port), other.stderr)

    def serve(self, *arguments, listen="127.0.0.1:0"):
        """A server that is to fail."""
        return subprocess.run(
            [self.parley, "serve", "--listen", listen, *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def test_plain_is_for_loopback_only(self):
        folder = os.path.join(self.server.folder, "plain")
        for host in ("0.0.0.0:0", "[::]:0", "192.0.2.1:0"):
            done = self.serve("--data", folder, "--plain", listen=host)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("loopback", done.stderr)
            self.assertEqual(done.stdout, "")

    def test_wrong_usage_exits_with_2(self):
        for arguments in (
            (),
            ("--data", "x", "--nonsense"),
            ("--data", "x", "stray"),
            ("--data", "x", "--domain", "a b"),
            ("--data", "x", "--threads", "0"),
            ("--data", "x", "--config", "/no/such/file"),
        ):
            done = self.serve(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn("parley serve:", done.stderr)


class ListenersTest(SystemTest):
    """Each on a server of its own."""

    @classmethod
    def setUpClass(cls):
        cls.schema = load_schema(cls.proto)

    def serve(self, *arguments, **how):
        server = Server(self.parley, *arguments, users=(ALICE, BOB), **how)
        self.addCleanup(server.remove)
        return server

    def test_ipv6(self):
        try:
            free_port("::1")
        except OSError:
            self.skipTest("this machine has no IPv6")
        server = self.serve(host="::1")
        alice = Chat(server, ALICE)
        self.addCleanup(alice.end)
        self.assertEqual(alice.send(BOB), "stored")
        self.assertEqual(alice.quit(), 0)

    def test_several_listeners_are_all_announced(self):
        second = f"127.0.0.1:{free_port()}"
        folder = os.path.join(self.serve().folder, "several")
        process = subprocess.Popen(
            [self.parley, "serve", "--data", folder, "--plain"]
            + ["--listen", "127.0.0.1:0", "--listen", second],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            lines = [process.stdout.readline() for _ in range(2)]
            for line in lines:
                self.assertTrue(line.startswith("ready 127.0.0.1:"), line)
                where = line.split()[1].rsplit(":", 1)
                socket.create_connection(where, PATIENCE).close()
            self.assertEqual(lines[1], f"ready {second}\n")
        finally:
            process.terminate()
            self.assertEqual(process.wait(PATIENCE), 0)
            process.stdout.close()

    def test_a_new_certificate_is_read_on_sighup(self):
        server = self.serve(plain=False)
        tls = os.path.join(server.data, "tls")
        self.assertEqual(self.certificate_of(server), pem(tls))
        alice = Chat(server, ALICE)
        self.addCleanup(alice.end)
        other = self.serve(plain=False)
        for name in ("cert.pem", "key.pem"):
            shutil.copy(os.path.join(other.data, "tls", name), tls)
        server.process.send_signal(signal.SIGHUP)
        wait_until(
            lambda: self.certificate_of(server) == pem(tls), "the certificate"
        )
        # Who is connected stays, and a broken file changes nothing.
        self.assertEqual(alice.send(BOB), "stored")
        new = pem(tls)
        with open(os.path.join(tls, "cert.pem"), "w", encoding="utf-8") as out:
            out.write("broken")
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "certificates stay" in server.logged(), "the log")
        self.assertEqual(self.certificate_of(server), new)
        self.assertEqual(len(alice.all_of("ready")), 1)
        self.assertEqual(alice.quit(), 0)

    def certificate_of(self, server):
        text = ssl.get_server_certificate((server.host, server.port))
        return text.replace("\n", "")


def pem(folder):
    with open(os.path.join(folder, "cert.pem"), encoding="utf-8") as file:
        text = file.read()
    return text.replace("\n", "")


if __name__ == "__main__":
    main()
