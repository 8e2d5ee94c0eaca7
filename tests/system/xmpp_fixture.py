"""What tests of XMPP share: a server with a listener for it, and clients that
are slixmpp's, told what to do from a test's own thread."""

import asyncio
import base64
import logging
import re
import socket
import ssl
import threading
import time

from parley_system import DOMAIN, PASSWORD, PATIENCE, Server, wait_until

try:
    import slixmpp
except ImportError:
    slixmpp = None

SKIPPED = 77
PLUGINS = (30, 85, 92, 115, 184, 191, 198, 199, 202, 203, 280, 333)

logging.getLogger("slixmpp").setLevel(logging.CRITICAL)


class Loop:
    """One event loop for all clients, on a thread of its own."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def do(self, function):
        """Calls it there; its result, or that of the coroutine it returns."""

        async def call():
            x = function()
            return await x if asyncio.iscoroutine(x) else x

        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(
            PATIENCE
        )


LOOP = Loop() if slixmpp else None


class Client:
    """One endpoint. What it gets is kept in lists, which tests wait for."""

    def __init__(
        self,
        address,
        user,
        resource,
        password=PASSWORD,
        presence=True,
        managed=True,
        mechanism=None,
        **how,
    ):
        self.mechanism = mechanism
        self.messages = []
        self.presences = []
        self.pushes = []
        self.states = []
        self.failed = []
        self.ended = False
        host, port = address.rsplit(":", 1)
        self.presence = presence
        self.how = how
        self.plugins = [n for n in PLUGINS if managed or n != 198]
        LOOP.do(lambda: self.make(user, resource, password))
        LOOP.do(lambda: self.x.connect((host, int(port)), **how))

    def make(self, user, resource, password):
        x = slixmpp.ClientXMPP(
            f"{user}/{resource}", password, plugin_config=self.plugin_config()
        )
        self.x = x
        for number in self.plugins:
            x.register_plugin(f"xep_{number:04}")
        x.auto_reconnect = False
        x.ssl_context.check_hostname = False
        x.ssl_context.verify_mode = ssl.CERT_NONE
        x.ca_certs = None
        # Subscriptions are the tests' matter.
        x.roster.auto_authorize = None
        x.roster.auto_subscribe = False
        for event, to in (
            ("message", self.messages),
            ("message_error", self.messages),
            ("roster_update", self.pushes),
            ("failed_auth", self.failed),
        ):
            x.add_event_handler(event, to.append)
        for name, pattern, to in (
            ("all presence", "presence", self.presences),
            ("chat states", "message/chat_state", self.states),
        ):
            x.register_handler(
                slixmpp.xmlstream.handler.Callback(
                    name,
                    slixmpp.xmlstream.matcher.StanzaPath(pattern),
                    to.append,
                )
            )
        x.add_event_handler("session_start", self.begun)
        x.add_event_handler("disconnected", self.over)
        self.signed_in = False

    def plugin_config(self):
        config = {"unencrypted_scram": True}
        if self.mechanism:
            config["use_mech"] = self.mechanism
        return {"feature_mechanisms": config}

    async def begun(self, _):
        if self.presence:
            self.x.send_presence()
            await self.x.get_roster()
        self.signed_in = True

    def over(self, _):
        self.ended = True

    def wait(self):
        wait_until(
            lambda: self.signed_in or self.failed or self.ended, "a sign-in"
        )
        return self

    def do(self, function):
        return LOOP.do(lambda: function(self.x))

    def send(self, to, body, **how):
        self.do(
            lambda x: x.make_message(mto=to, mbody=body, **how).send()
        )

    def say(self, raw):
        self.do(lambda x: x.send_raw(raw))

    def bodies(self):
        return [m["body"] for m in list(self.messages) if m["type"] != "error"]

    def gets(self, *bodies):
        wait_until(
            lambda: self.bodies() == list(bodies),
            f"{bodies}, there are {self.bodies()}",
        )

    def sees(self, who, kind, count=1):
        """Waits until so many such presences of somebody have come."""

        def seen():
            return [
                p
                for p in list(self.presences)
                if str(p["from"]) == who and p["type"] == kind
            ]

        return wait_until(
            lambda: len(seen()) >= count and seen()[-1], f"{kind} of {who}"
        )

    def close(self):
        """Ends the stream."""
        self.do(lambda x: x.disconnect())
        wait_until(lambda: self.ended, "the end of a stream")

    def cut(self):
        """Breaks the connection without a word."""
        try:
            self.do(lambda x: x.abort())
        except AttributeError:
            pass  # asyncio's TLS, where it ends already
        wait_until(lambda: self.ended, "the end of a connection")


class Raw:
    """A client by hand, over TLS from the first byte: what it says is text."""

    def __init__(self, address, user, password=PASSWORD, wishes=None):
        """`wishes`: what is to be in `<authenticate/>` (XEP-0388); None: it
        signs in as RFC 6120 has it."""
        host, port = address.rsplit(":", 1)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        plain = socket.create_connection((host, int(port)), PATIENCE)
        self.socket = context.wrap_socket(plain)
        self.unread = ""
        self.open()
        if wishes is None:
            self.sign_in(user, password)
        else:
            self.ask_for_all(user, password, wishes)

    @staticmethod
    def plain(user, password):
        name = user.split("@")[0]
        return base64.b64encode(f"\0{name}\0{password}".encode()).decode()

    def ask_for_all(self, user, password, wishes):
        self.say(
            "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>"
            f"<initial-response>{self.plain(user, password)}"
            f"</initial-response>{wishes}</authenticate>"
        )
        self.answer = self.hear(
            "<(?:success|failure) xmlns='urn:xmpp:sasl:2'>.*?"
            "(?:</failure>|</stream:features>)"
        )[0]

    def sign_in(self, user, password):
        self.say(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
            f"mechanism='PLAIN'>{self.plain(user, password)}</auth>"
        )
        self.hear("<success")
        self.open()

    def open(self):
        self.say(
            f"<?xml version='1.0'?><stream:stream to='{DOMAIN}' "
            "version='1.0' xmlns='jabber:client' "
            "xmlns:stream='http://etherx.jabber.org/streams'>"
        )
        self.hear("</stream:features>")

    def bind(self, resource):
        self.say(
            "<iq type='set' id='bind'><bind "
            "xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
            f"<resource>{resource}</resource></bind></iq>"
        )
        self.hear("<jid>.*?</jid>")

    def manage(self):
        """Stream management; what names the session."""
        self.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        return self.hear("<enabled [^>]*id='([^']*)'")[1]

    def say(self, text):
        self.socket.sendall(text.encode())

    def hear(self, pattern):
        """Waits for it; all up to its end is forgotten then."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.unread, re.DOTALL)):
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            more = self.socket.recv(65536)
            if not more:
                raise AssertionError(f"no {pattern}, only {self.unread}")
            self.unread += more.decode()
        self.unread = self.unread[found.end() :]
        return found

    def close(self):
        self.socket.close()


class XmppServer(Server):
    """Listens for XMPP too."""

    def __init__(self, parley, *arguments, **how):
        super().__init__(parley, "--xmpp", "127.0.0.1:0", *arguments, **how)

    def client(self, user, resource, **how):
        return Client(self.xmpp, user, resource, **how).wait()


__all__ = ["Client", "DOMAIN", "Raw", "SKIPPED", "XmppServer", "slixmpp"]
