"""A client of XMPP over WebSocket by hand, on python3-websockets: what it says
is text, a message each."""

import asyncio
import base64
import hashlib
import hmac
import os
import re
import ssl
import threading
import time
import xml.etree.ElementTree

from parley_system import DOMAIN, PASSWORD, PATIENCE

try:
    import websockets
except ImportError:
    websockets = None

FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"
MANAGEMENT = "urn:xmpp:sm:3"


LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, daemon=True).start()


def trusting(certificate):
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False  # it is of a domain, not of a loopback
    return context


class Web:
    """One connection. Each message that comes has to be a document of its own
    with a namespace."""

    def __init__(self, address, certificate=None, **how):
        how.setdefault("subprotocols", ["xmpp"])
        self.unread = []
        self.context = trusting(certificate) if certificate else None
        scheme = "wss" if certificate else "ws"
        self.do(self.connect(f"{scheme}://{address}/xmpp", how))

    async def connect(self, url, how):
        self.socket = await websockets.connect(
            url, ssl=self.context, ping_interval=None, max_size=None, **how
        )

    def do(self, what):
        return asyncio.run_coroutine_threadsafe(what, LOOP).result(PATIENCE)

    def say(self, text):
        self.do(self.socket.send(text))

    def hear(self, pattern):
        """Waits for a message in which it is; what came before is kept."""
        deadline = time.monotonic() + PATIENCE
        while True:
            for i, text in enumerate(self.unread):
                if found := re.search(pattern, text, re.DOTALL):
                    del self.unread[i]
                    return found
            if time.monotonic() > deadline:
                raise AssertionError(f"no {pattern}, only {self.unread}")
            text = self.do(self.socket.recv())
            tag = xml.etree.ElementTree.fromstring(text).tag
            assert tag.startswith("{"), f"no namespace: {text}"
            self.unread.append(text)

    def open(self):
        self.say(f"<open xmlns='{FRAMING}' to='{DOMAIN}' version='1.0'/>")
        self.hear(f"<open xmlns='{FRAMING}'")
        return self.hear("<stream:features.*")[0]

    def authenticate(self, user, mechanism="SCRAM-SHA-256", password=PASSWORD):
        assert f"<mechanism>{mechanism}</mechanism>" in self.open()
        scram = Scram(user.split("@")[0], password, mechanism)
        self.say(
            f"<auth xmlns='{SASL}' mechanism='{mechanism}'>"
            f"{scram.first()}</auth>"
        )
        challenge = self.hear("<challenge[^>]*>(.*)</challenge>")[1]
        self.say(
            f"<response xmlns='{SASL}'>{scram.second(challenge)}</response>"
        )
        scram.check(self.hear("<success[^>]*>(.*)</success>")[1])
        self.open()

    def sign_in(self, user, resource="web", **how):
        self.authenticate(user, **how)
        self.say(
            f"<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='{BIND}'>"
            f"<resource>{resource}</resource></bind></iq>"
        )
        self.hear("<jid>.*</jid>")
        return self

    def manage(self):
        """Stream management; what names the session."""
        self.say(f"<enable xmlns='{MANAGEMENT}' resume='true'/>")
        return self.hear("<enabled [^>]*id='([^']*)'")[1]

    def send(self, to, body):
        self.say(
            f"<message xmlns='jabber:client' to='{to}' type='chat'>"
            f"<body>{body}</body></message>"
        )

    def closes(self):
        """Waits for the server's close frame; its code."""
        try:
            while True:
                self.unread.append(self.do(self.socket.recv()))
        except websockets.ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else None

    def cut(self):
        """Breaks the connection without a word."""

        async def abort():
            self.socket.transport.abort()
            await self.socket.wait_closed()

        self.do(abort())


class Scram:
    """RFC 5802, without channel binding."""

    def __init__(self, user, password, mechanism):
        self.hash = {
            "SCRAM-SHA-1": "sha1",
            "SCRAM-SHA-256": "sha256",
        }[mechanism]
        self.password = password.encode()
        nonce = base64.b64encode(os.urandom(12)).decode()
        self.bare = f"n={user},r={nonce}"

    def first(self):
        return base64.b64encode(f"n,,{self.bare}".encode()).decode()

    def second(self, challenge):
        given = base64.b64decode(challenge).decode()
        fields = dict(x.split("=", 1) for x in given.split(","))
        salted = hashlib.pbkdf2_hmac(
            self.hash,
            self.password,
            base64.b64decode(fields["s"]),
            int(fields["i"]),
        )
        without_proof = f"c=biws,r={fields['r']}"
        message = f"{self.bare},{given},{without_proof}".encode()

        def mac(key, text):
            return hmac.digest(key, text, self.hash)

        client_key = mac(salted, b"Client Key")
        stored = hashlib.new(self.hash, client_key).digest()
        signature = mac(stored, message)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        self.expected = mac(mac(salted, b"Server Key"), message)
        proof = base64.b64encode(proof).decode()
        return base64.b64encode(
            f"{without_proof},p={proof}".encode()
        ).decode()

    def check(self, success):
        given = base64.b64decode(success).decode()
        expected = base64.b64encode(self.expected).decode()
        assert given == f"v={expected}", "the server does not know the keys"


__all__ = ["FRAMING", "MANAGEMENT", "Web", "trusting", "websockets"]
