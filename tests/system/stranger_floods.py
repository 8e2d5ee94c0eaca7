"""Floods of those who are in no session, or not yet; see floods.py."""

import resource
import selectors
import socket
import ssl
import time

from flood_base import HELLO, Flood
from parley_system import PASSWORD
from wire_client import MAGIC, Closed, Refused, framed


class Slow(Flood):
    """Connections that send a byte a second; in turns of a tenth of them."""

    def begin(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.octets = MAGIC + framed(b"\x12\x04\x08\x01\x10\x01" * 100)
        self.sockets = []
        self.turn = 0
        for _ in range(min(100 * self.scale, hard - 100)):
            self.sockets.append(self.connect())

    def connect(self):
        s = socket.create_connection((self.server.host, self.server.port), 30)
        s.setblocking(False)
        self.count("connections")
        return [s, 0]

    def go_on(self):
        began = time.monotonic()
        for n in range(self.turn % 10, len(self.sockets), 10):
            s, at = self.sockets[n]
            try:
                s.send(self.octets[at : at + 1])
                self.sockets[n][1] += 1
                self.count("bytes")
            except OSError:
                # Thirty seconds are over: it comes anew.
                s.close()
                try:
                    self.sockets[n] = self.connect()
                except OSError:
                    pass
        self.turn += 1
        time.sleep(max(0, 0.1 - (time.monotonic() - began)))

    def end(self):
        for s, _ in self.sockets:
            s.close()


class Handshakes(Flood):
    """Begins handshakes of TLS, twenty at once for each unit of scale, and
    goes on with none: each takes the server hundreds of times what it takes
    who asks."""

    tls = True

    def begin(self):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        octets = ssl.MemoryBIO()
        client = context.wrap_bio(ssl.MemoryBIO(), octets)
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            self.hello = octets.read()

    def go_on(self):
        sockets = []
        for _ in range(min(20 * self.scale, 400)):
            where = (self.server.host, self.server.port)
            sockets.append(socket.create_connection(where, 30))
        for s in sockets:
            try:
                s.send(self.hello)
                self.count("handshakes")
            except OSError:
                self.count("refused")
        time.sleep(0.3)
        for s in sockets:
            s.close()


class SignIns(Flood):
    """Signs in and out, over and over."""

    password = PASSWORD

    def go_on(self):
        user = self.users[next(self.ids) % len(self.users)]
        try:
            wire = self.sign_in(user, "storm", self.password)
            wire.request(sign_out={})
            self.count("signed in")
        except (Refused, Closed, OSError) as error:
            reason = error.error.reason if isinstance(error, Refused) else "?"
            self.count(reason)
        if self.wires:
            self.wires.pop().close()


class BruteForce(SignIns):
    """Guesses passwords, many at a time."""

    password = "a guess"

    def begin(self):
        self.poll = selectors.DefaultSelector()

    def go_on(self):
        # The exchange up to the proof is all that is wanted: who does not go
        # on has failed as well.
        user = self.users[0]
        wire = self.wire()
        wire.send(hello=HELLO)
        for _ in range(3):
            wire.send(
                authenticate={
                    "mechanism": "SCRAM-SHA-256",
                    "initial": f"n,,n={user},r=guess".encode(),
                }
            )
        self.count("tries", 3)
        if len(self.wires) > 300:
            self.wires.pop(0).close()
        time.sleep(0.002)
