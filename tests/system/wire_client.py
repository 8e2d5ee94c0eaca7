"""A client of the native protocol that does what it is told and nothing by
itself: no acknowledgement, no reconnecting. For tests that misbehave."""

import atexit
import base64
import functools
import hashlib
import hmac
import importlib
import os
import select
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

from parley_system import PASSWORD, PATIENCE, InVain

MAGIC = b"PARLEY\x01\n"


def load_schema(proto_folder):
    """The messages of parley.proto."""
    folder = tempfile.mkdtemp(prefix="parley-proto-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    subprocess.run(
        ["protoc", f"--python_out={folder}", "-I", proto_folder]
        + ["parley.proto"],
        check=True,
        timeout=PATIENCE,
    )
    sys.path.insert(0, folder)
    return importlib.import_module("parley_pb2")


@functools.cache
def trusting():
    """TLS towards whoever answers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def framed(octets):
    return struct.pack(">I", len(octets)) + octets


class Refused(Exception):
    """The server answered by an error."""

    def __init__(self, error):
        super().__init__(f"{error.reason}: {error.text}")
        self.error = error


class Closed(Exception):
    """The server closed the connection."""


class Wire:
    """One connection. `schema` is what load_schema gave."""

    def __init__(
        self, schema, server, magic=MAGIC, tls=False, source=None, room=None
    ):
        """`room`: bytes that the kernel takes without anybody reading."""
        self.schema = schema
        self.server = server
        family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.settimeout(PATIENCE)
        # What is asked is asked at once, whatever has not been confirmed.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if room:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect((server.host, server.port))
        if tls:
            self.socket = trusting().wrap_socket(self.socket)
        self.incoming = b""
        self.frames = []  # came and were passed over
        self.session = None
        self.requests = 0
        self.last_event = 0
        if magic:
            self.write(magic)

    def write(self, octets):
        self.socket.sendall(octets)

    def send(self, **fields):
        frame = self.schema.ClientFrame(**fields)
        self.write(framed(frame.SerializeToString()))

    def request(self, **fields):
        """Sends it under the next number, which it returns."""
        self.requests += 1
        self.send(request=self.requests, **fields)
        return self.requests

    def gather(self, n, timeout=PATIENCE):
        """Until n octets are there."""
        deadline = time.monotonic() + timeout
        while len(self.incoming) < n:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                more = self.socket.recv(256 * 1024)
            except (socket.timeout, ssl.SSLWantReadError):
                raise InVain(f"nothing came in {timeout} s") from None
            except OSError as error:
                raise Closed(str(error)) from None
            if not more:
                raise Closed(f"after {self.incoming!r}")
            self.incoming += more

    def read(self, n):
        """Takes n octets."""
        self.gather(n)
        octets, self.incoming = self.incoming[:n], self.incoming[n:]
        return octets

    def read_magic(self):
        magic = self.read(len(MAGIC))
        assert magic == MAGIC, magic

    def receive(self, timeout=PATIENCE):
        """The next frame; of one that came in part nothing is lost."""
        self.gather(4, timeout)
        size = struct.unpack(">I", self.incoming[:4])[0]
        self.gather(4 + size, timeout)
        octets = self.read(4 + size)[4:]
        frame = self.schema.ServerFrame.FromString(octets)
        self.last_event = max(self.last_event, frame.event)
        return frame

    def until(self, *kinds, request=None, timeout=PATIENCE):
        """The next frame of these kinds; the others are put aside, and with
        a request's number it may be one of these."""
        for frame in self.frames if request else ():
            if frame.request == request:
                self.frames.remove(frame)
                return frame
        while True:
            frame = self.receive(timeout)
            kind = frame.WhichOneof("kind")
            if kind in kinds and request in (None, frame.request):
                return frame
            if kind == "error" and frame.request == 0:
                raise Refused(frame.error)
            self.frames.append(frame)

    def ack(self, event=None):
        self.send(ack={"event": self.last_event if event is None else event})

    def say_hello(self):
        """Up to the welcome."""
        self.send(hello={"version_min": 1, "version_max": 1, "software": "t"})
        self.read_magic()
        return self.until("welcome").welcome

    def sign_in(self, user, endpoint="desk", password=PASSWORD, **wishes):
        """All of it, SCRAM-SHA-256 included."""
        if self.session is None:
            self.say_hello()
        self.authenticate(user, endpoint, password, **wishes)
        return self

    def authenticate(self, user, endpoint, password=PASSWORD, **wishes):
        nonce = base64.b64encode(os.urandom(18)).decode()
        first = f"n={user},r={nonce}"
        self.send(
            authenticate={
                "mechanism": "SCRAM-SHA-256",
                "initial": b"n,," + first.encode(),
                "endpoint": endpoint,
                **wishes,
            }
        )
        challenge = self.until("sasl_challenge").sasl_challenge.data.decode()
        part = dict(x.split("=", 1) for x in challenge.split(","))
        assert part["r"].startswith(nonce)
        last = "c=biws,r=" + part["r"]
        salted = hashlib.pbkdf2_hmac(
            "sha256",
            password.encode(),
            base64.b64decode(part["s"]),
            int(part["i"]),
        )
        key = hmac.digest(salted, b"Client Key", "sha256")
        signed = f"{first},{challenge},{last}".encode()
        mask = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        proof = bytes(a ^ b for a, b in zip(key, mask))
        text = f"{last},p={base64.b64encode(proof).decode()}"
        self.send(sasl_response={"data": text.encode()})
        self.begin(self.until("signed_in").signed_in)

    def begin(self, session):
        self.session = session
        if not session.resumed:
            self.requests = 0
            self.last_event = 0

    def resume(self, token, last_event):
        """Says hello and resumes; what the server says of the session."""
        self.say_hello()
        self.send(resume={"token": token, "last_event": last_event})
        self.begin(self.until("signed_in").signed_in)
        self.requests = self.session.last_request
        self.last_event = last_event
        return self.session

    def send_im(self, to, id_, body="text", **fields):
        return self.request(send={"id": id_, "to": to, "body": body, **fields})

    def outcome(self, request):
        """In a word, as `said` does; acknowledged."""
        frame = self.until("outcome", "error", request=request)
        self.ack()
        if frame.WhichOneof("kind") == "error":
            return frame.error.reason
        names = self.schema.Outcome.Kind
        if frame.outcome.kind == names.Value("REJECTED"):
            return frame.outcome.error.reason
        return names.Name(frame.outcome.kind).lower()

    def error(self):
        """The next error that answers no request."""
        while True:
            try:
                self.until()
            except Refused as refusal:
                return refusal.error

    def is_closed(self, timeout=PATIENCE):
        """Reads to the end."""
        try:
            while True:
                self.receive(timeout)
        except Closed:
            return True

    def is_readable(self):
        return bool(select.select([self.socket], [], [], 0)[0])

    def close(self):
        self.socket.close()
