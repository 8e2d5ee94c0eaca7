"""XMPP over WebSocket (RFC 7395) with python3-websockets."""

import json
import os
import select
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request

import parley_system
from parley_system import ALICE, BOB, CAROL, PATIENCE, Server
from web_xmpp import FRAMING, MANAGEMENT, Web, trusting, websockets

SKIPPED = 77


class WebSocketTest(parley_system.SystemTest):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(
            cls.parley,
            *("--xmpp-ws", "127.0.0.1:0", "--xmpp", "127.0.0.1:0"),
            users=cls.users,
            plain=cls.plain,
        )
        cls.addClassCleanup(cls.server.remove)

    def web(self, **how):
        certificate = None
        if not self.plain:
            certificate = os.path.join(self.server.data, "tls", "cert.pem")
        x = Web(self.server.xmpp_ws, certificate, **how)
        self.addCleanup(x.cut)
        return x

    def body_comes(self, chat, body):
        return chat.wait_for(
            lambda x: x["event"] == "message" and x["body"] == body
        )


class Plain(WebSocketTest):
    plain = True

    def test_scram_signs_in_and_both_sides_talk(self):
        bob = self.chat(BOB, "native")
        for mechanism in ("SCRAM-SHA-1", "SCRAM-SHA-256"):
            alice = self.web().sign_in(ALICE, mechanism=mechanism)
            alice.say("<presence xmlns='jabber:client'/>")
            alice.send(BOB, f"by {mechanism}")
            self.body_comes(bob, f"by {mechanism}")
            # Nobody acknowledges but the client's TCP.
            id_ = bob.post(ALICE, body="an answer")
            alice.hear("<body>an answer</body>")
            self.assertEqual(bob.outcome(id_)["outcome"], "delivered")
            alice.say(f"<close xmlns='{FRAMING}'/>")
            self.assertEqual(alice.closes(), 1000)
            self.assertEqual(
                alice.unread[-1], f"<close xmlns='{FRAMING}'/>"
            )

    def test_who_is_cut_off_resumes_and_gets_what_came_meanwhile(self):
        bob = self.chat(BOB, "native")
        alice = self.web().sign_in(ALICE)
        token = alice.manage()
        alice.say("<presence xmlns='jabber:client'/>")
        alice.send(BOB, "before")
        self.body_comes(bob, "before")
        bob.send(ALICE, body="read and not acknowledged")
        alice.hear("<body>read and not acknowledged</body>")
        alice.cut()
        bob.post(ALICE, body="while it was away")
        again = self.web()
        again.authenticate(ALICE)
        again.say(
            f"<resume xmlns='{MANAGEMENT}' previd='{token}' h='0'/>"
        )
        # The presence and the message of before.
        again.hear("<resumed [^>]*h='2'")
        again.hear("<body>read and not acknowledged</body>")
        again.hear("<body>while it was away</body>")
        again.send(BOB, "after")
        self.body_comes(bob, "after")

    def test_fragments_and_pings_pass(self):
        bob = self.chat(BOB, "native")
        alice = self.web().sign_in(ALICE)
        text = f"<message xmlns='jabber:client' to='{BOB}'>"
        text += "<body>in pieces \u2014 of one byte</body></message>"
        alice.do(alice.socket.send(iter(text)))
        self.body_comes(bob, "in pieces \u2014 of one byte")

        async def ping():
            await (await alice.socket.ping(b"are you there"))

        alice.do(ping())

    def test_binary_messages_close_with_their_code(self):
        alice = self.web().sign_in(ALICE)
        alice.do(alice.socket.send(b"<presence xmlns='jabber:client'/>"))
        self.assertEqual(alice.closes(), 1003)

    def test_too_long_a_message_is_a_violation(self):
        alice = self.web().sign_in(ALICE)
        alice.send(BOB, "x" * 300_000)
        alice.closes()
        self.assertIn("<policy-violation", "".join(alice.unread))

    def test_a_conflict_is_a_stream_error(self):
        first = self.web().sign_in(CAROL)
        second = self.web().sign_in(CAROL)
        first.closes()
        self.assertIn("<stream:error", "".join(first.unread))
        self.assertIn("<conflict", "".join(first.unread))
        second.send(CAROL, "alone")

    def test_without_the_subprotocol_there_is_no_websocket(self):
        for protocols in (None, ["chat"]):
            with self.assertRaises(websockets.InvalidStatusCode) as caught:
                self.web(subprotocols=protocols)
            self.assertEqual(caught.exception.status_code, 400)

    def raw(self, text):
        """The answer to a request, up to the end of the connection."""
        host, port = self.server.xmpp_ws.rsplit(":", 1)
        with socket.create_connection((host, int(port)), PATIENCE) as s:
            s.sendall(text)
            answer = b""
            while more := s.recv(4096):
                answer += more
        return answer.decode()

    def test_other_requests_are_answered_and_harm_nobody(self):
        alice = self.web().sign_in(ALICE)
        for request, status in (
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 404),
            ("POST /xmpp HTTP/1.1\r\nHost: a\r\n\r\n", 405),
            ("GET /xmpp HTTP/1.1\r\nHost: a\r\n\r\n", 426),
            ("GET /xmpp HTTP/1.0\r\nHost: a\r\n\r\n", 505),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
            ("\x16\x03\x01\x02\x00\r\n\r\n", 400),
            ("A" * 9000, 431),
        ):
            with self.subTest(request=request[:40]):
                answer = self.raw(request.encode())
                self.assertTrue(
                    answer.startswith(f"HTTP/1.1 {status} "), answer
                )
        bob = self.chat(BOB, "native")
        alice.send(BOB, "still here")
        self.body_comes(bob, "still here")

    def test_who_never_ends_its_request_is_given_up_and_harms_nobody(self):
        host, port = self.server.xmpp_ws.rsplit(":", 1)
        slow = [
            socket.create_connection((host, int(port)), PATIENCE)
            for _ in range(100)
        ]
        for s in slow:
            self.addCleanup(s.close)
            s.sendall(b"GET /xmpp HTTP/1.1\r\nHost: ")
        bob = self.chat(BOB, "native")
        self.web().sign_in(ALICE).send(BOB, "at once")
        self.body_comes(bob, "at once")
        waiting = list(slow)
        deadline = time.monotonic() + PATIENCE
        while waiting:
            self.assertLess(time.monotonic(), deadline)
            answered, _, _ = select.select(waiting, [], [], 1)
            for s in answered:
                self.assertTrue(s.recv(4096).startswith(b"HTTP/1.1 408 "))
                waiting.remove(s)
            for s in waiting:
                try:
                    s.sendall(b"a")
                except OSError:
                    pass  # its answer is on its way

    def test_operators_see_what_carries_it(self):
        self.web().sign_in(ALICE, "seen")
        shown = json.dumps(self.server.admin("user", "show", ALICE))
        self.assertIn("plain, WebSocket", shown)


class Secure(WebSocketTest):
    plain = False

    def test_scram_signs_in_over_wss(self):
        bob = self.chat(BOB, "native")
        alice = self.web().sign_in(ALICE)
        alice.send(BOB, "under TLS")
        self.body_comes(bob, "under TLS")

    def test_clients_find_the_websocket(self):
        context = trusting(os.path.join(self.server.data, "tls", "cert.pem"))
        base = f"https://{self.server.xmpp_ws}/.well-known/host-meta"
        url = f"wss://{self.server.xmpp_ws}/xmpp"
        for path, type_ in (
            (base, "application/xrd+xml"),
            (base + ".json", "application/json"),
        ):
            with urllib.request.urlopen(path, context=context) as answer:
                self.assertEqual(answer.headers["Content-Type"], type_)
                self.assertEqual(
                    answer.headers["Access-Control-Allow-Origin"], "*"
                )
                text = answer.read().decode()
            self.assertIn("urn:xmpp:alt-connections:websocket", text)
            self.assertIn(url, text)
        links = json.loads(text)["links"]
        self.assertEqual([x["href"] for x in links], [url])
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(base + "x", context=context)
        self.assertEqual(caught.exception.code, 404)
        caught.exception.close()

    def test_the_file_opens_it_too_and_without_tls_on_loopback_alone(self):
        for at, opens in (("127.0.0.1:0", True), ("0.0.0.0:0", False)):
            with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
                file.write(f'xmpp_ws = ["{at}"]\n')
                file.flush()
                try:
                    server = Server(self.parley, "--config", file.name)
                    self.addCleanup(server.remove)
                    self.assertTrue(server.xmpp_ws)
                except AssertionError as why:
                    self.assertIn("loopback only", str(why))
                    self.assertFalse(opens)
                else:
                    self.assertTrue(opens)

    def test_a_stop_tells_the_client(self):
        server = Server(
            self.parley, "--xmpp-ws", "127.0.0.1:0", users=[ALICE], plain=False
        )
        self.addCleanup(server.remove)
        certificate = os.path.join(server.data, "tls", "cert.pem")
        alice = Web(server.xmpp_ws, certificate).sign_in(ALICE)
        server.process.terminate()
        self.assertEqual(alice.closes(), 1000)
        said = "".join(alice.unread)
        self.assertRegex(said, "<stream:error .*<system-shutdown")
        self.assertEqual(server.process.wait(PATIENCE), 0)


if __name__ == "__main__":
    if websockets is None:
        print("python3-websockets is missing")
        sys.exit(SKIPPED)
    parley_system.main()
