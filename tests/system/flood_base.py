"""What all kinds of floods.py share."""

import base64
import functools
import hashlib
import hmac
import itertools
import os
import time

from parley_system import PASSWORD
from wire_client import Wire, framed

HELLO = {"version_min": 1, "version_max": 1}


@functools.lru_cache(maxsize=100_000)
def salted(salt, iterations):
    return hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), salt, iterations)


class Flood:
    """What all kinds share. `begin` makes ready, `go_on` is called until the
    time is over and does a little each time."""

    # Whether it is of those that speak TLS alone.
    tls = False
    # The address that its clients come from; None: the kernel's choice.
    source = None

    def __init__(self, schema, server, users, scale):
        self.schema = schema
        self.server = server
        self.users = users
        self.scale = scale
        self.wires = []
        self.done = {}
        self.ids = itertools.count(1)

    def count(self, what, n=1):
        self.done[what] = self.done.get(what, 0) + n

    def begin(self):
        pass

    def go_on(self):
        time.sleep(0.05)

    def end(self):
        for wire in self.wires:
            wire.close()

    # -- clients

    def wire(self):
        wire = Wire(self.schema, self.server, source=self.source)
        self.wires.append(wire)
        return wire

    def sign_in(self, user, endpoint, password=PASSWORD):
        """As Wire does, but each password is hashed once."""
        wire = self.wire()
        wire.say_hello()
        nonce = f"{next(self.ids)}-{os.getpid()}"
        first = f"n={user},r={nonce}"
        wire.send(
            authenticate={
                "mechanism": "SCRAM-SHA-256",
                "initial": f"n,,{first}".encode(),
                "endpoint": endpoint,
            }
        )
        challenge = wire.until("sasl_challenge").sasl_challenge.data.decode()
        part = dict(x.split("=", 1) for x in challenge.split(","))
        key = salted(base64.b64decode(part["s"]), int(part["i"]))
        if password != PASSWORD:
            key = key[::-1]
        last = "c=biws,r=" + part["r"]
        client = hmac.digest(key, b"Client Key", "sha256")
        signed = f"{first},{challenge},{last}".encode()
        mask = hmac.digest(hashlib.sha256(client).digest(), signed, "sha256")
        proof = bytes(a ^ b for a, b in zip(client, mask))
        text = f"{last},p={base64.b64encode(proof).decode()}"
        wire.send(sasl_response={"data": text.encode()})
        wire.begin(wire.until("signed_in").signed_in)
        return wire

    def ask(self, wire, requests):
        """A window's worth in one write; what was answered, acknowledged."""
        octets = bytearray()
        for fields in requests:
            wire.requests += 1
            frame = self.schema.ClientFrame(request=wire.requests, **fields)
            octets += framed(frame.SerializeToString())
        wire.write(bytes(octets))
        last = wire.requests
        open_ = len(requests)
        while open_ > 0:
            frame = wire.receive()
            if frame.request and frame.request <= last:
                open_ -= 1
                kind = frame.WhichOneof("kind")
                self.count(self.word(frame, kind))
        wire.ack()

    def word(self, frame, kind):
        if kind == "error":
            return frame.error.reason
        if kind == "outcome":
            if frame.outcome.HasField("error"):
                return frame.outcome.error.reason
            return self.schema.Outcome.Kind.Name(frame.outcome.kind).lower()
        return kind
