#!/usr/bin/python3
"""Whatever bytes come, their sender gets the clear error that the protocol's
page names, and nobody else notices.

    bad_input_test.py PARLEY PROTO-FOLDER
"""

import os
import socket
import ssl
import struct
import threading

from parley_system import ALICE, BOB, CAROL, DAVE, PATIENCE, Chat
from parley_system import SystemTest, main, numbers, wait_until
from wire_client import MAGIC, Wire, framed, load_schema

HELLO = {"version_min": 1, "version_max": 1}


class BadInput(SystemTest):
    """Alice and Bob chat on, at both ends of every test."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.schema = load_schema(cls.proto)
        cls.alice, cls.bob = Chat(cls.server, ALICE), Chat(cls.server, BOB)

    @classmethod
    def tearDownClass(cls):
        for chat in (cls.alice, cls.bob):
            chat.end()

    def setUp(self):
        self.chatter = threading.Thread(target=self.chat_on)
        self.calm = threading.Event()
        self.harm = []
        self.chatter.start()

    def tearDown(self):
        self.calm.set()
        self.chatter.join()
        self.assertEqual(self.harm, [])
        for chat in (self.alice, self.bob):
            self.assertEqual(len(chat.all_of("ready")), 1, chat.name)
            self.assertEqual(chat.all_of("error"), [])

    def chat_on(self):
        """At least once, and until the test is over."""
        try:
            while True:
                for one, other in (
                    (self.alice, self.bob),
                    (self.bob, self.alice),
                ):
                    id_ = one.post(other.name.split("/")[0])
                    outcome = one.outcome(id_)["outcome"]
                    # A busy machine may let the grace time pass.
                    if outcome not in ("delivered", "stored"):
                        self.harm.append(outcome)
                    other.message(id_)
                if self.calm.wait(0.05):
                    return
        except Exception as error:
            self.harm.append(error)

    def wire(self, magic=MAGIC, **how):
        wire = Wire(self.schema, self.server, magic, **how)
        self.addCleanup(wire.close)
        return wire

    def signed_in(self, user=CAROL):
        return self.wire().sign_in(user, f"e{next(numbers)}")

    def ends_with(self, wire, reason, scope="CONNECTION"):
        error = wire.error()
        self.assertEqual(error.reason, reason, error.text)
        self.assertEqual(error.scope, self.schema.Scope.Value(scope))
        self.assertTrue(wire.is_closed())
        return error

    def refused(self, wire, request, reason):
        """One request is, and the session goes on."""
        error = wire.until("error", request=request).error
        self.assertEqual(error.reason, reason, error.text)
        self.assertEqual(error.scope, self.schema.REQUEST)
        wire.ack()
        self.goes_on(wire)
        return error

    def goes_on(self, wire):
        request = wire.send_im(DAVE, f"im {next(numbers)}")
        self.assertEqual(wire.outcome(request), "stored")


class PlainPortTest(BadInput):
    # -- before the session ---------------------------------------------------

    def test_other_first_bytes(self):
        for first, guess in (
            (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP"),
            (b"\x16\x03\x01\x02\x00\x01\x00", "TLS"),
            (b"<?xml version='1.0'?>", "XMPP"),
            (b"REGISTER sip:x SIP/2.0\r\n\r\n", "SIP"),
            (b"SSH-2.0-OpenSSH_9\r\n", "SSH"),
            (b"PARLEY\x02\n" + b"\0" * 100, ""),
            (b"\xff" * 100_000, ""),
        ):
            with self.subTest(first[:10]):
                wire = self.wire(magic=first)
                wire.read_magic()
                error = self.ends_with(wire, "bad_magic")
                self.assertIn("PARLEY", error.text)
                self.assertIn(guess, error.text)

    def test_a_tls_client_at_the_plain_port_fails_at_once(self):
        with self.assertRaises((ssl.SSLError, OSError)):
            self.wire(tls=True, magic=None)

    def test_a_length_beyond_the_bound(self):
        for bound, sizes in (
            (8_192, (8_193, 262_144, 0xFFFFFFFF)),
            (262_144, (262_145, 0xFFFFFFFF)),
        ):
            for size in sizes:
                if bound == 8_192:
                    wire = self.wire()
                    wire.read_magic()
                else:
                    wire = self.signed_in()
                wire.write(struct.pack(">I", size))
                error = self.ends_with(wire, "frame_too_large")
                self.assertEqual((error.limit, error.value), (bound, size))

    def test_garbage_in_a_frame(self):
        wire = self.wire()
        wire.read_magic()
        wire.write(framed(b"\xff" * 50))
        self.ends_with(wire, "bad_frame")

    def test_random_bytes_after_the_magic(self):
        for _ in range(30):
            wire = self.wire()
            wire.read_magic()
            wire.write(framed(os.urandom(200)) * 3 + b"\xff" * 4)
            self.assertTrue(wire.is_closed())

    def test_a_request_before_the_sign_in(self):
        wire = self.wire()
        wire.say_hello()
        wire.send_im(BOB, "too early")
        self.ends_with(wire, "not_signed_in")

    def test_a_request_before_hello(self):
        wire = self.wire()
        wire.read_magic()
        wire.send_im(BOB, "too early")
        self.ends_with(wire, "not_signed_in")

    def test_hello_twice(self):
        wire = self.wire()
        wire.say_hello()
        wire.send(hello=HELLO)
        self.ends_with(wire, "not_signed_in")
        wire = self.signed_in()
        wire.send(hello=HELLO)
        self.ends_with(wire, "not_signed_in")

    def test_no_version_in_common(self):
        for low, high in ((2, 9), (0, 0), (1, 0)):
            wire = self.wire()
            wire.read_magic()
            wire.send(hello={"version_min": low, "version_max": high})
            error = self.ends_with(wire, "unsupported_version")
            self.assertIn("1", error.text)

    def test_mechanisms_that_are_not_offered(self):
        wire = self.wire()
        self.assertNotIn("PLAIN", wire.say_hello().mechanisms)
        for mechanism in ("PLAIN", "NONE"):
            wire.send(authenticate={"mechanism": mechanism, "initial": b"x"})
            error = wire.error()
            self.assertEqual(error.reason, "mechanism_unavailable")
            self.assertEqual(error.scope, self.schema.REQUEST)
        wire.send(authenticate={"mechanism": "", "initial": b""})
        self.ends_with(wire, "mechanism_unavailable")

    def test_a_broken_sasl_exchange(self):
        wire = self.wire()
        wire.say_hello()
        for first in (b"\0" * 100, b"n,,n=,r="):
            wire.send(
                authenticate={"mechanism": "SCRAM-SHA-256", "initial": first}
            )
            self.assertEqual(wire.error().reason, "authentication_failed")
        # Longer than a SASL message may be.
        wire.send(
            authenticate={
                "mechanism": "SCRAM-SHA-256",
                "initial": b"n,,n=a,r=" + b"x" * 5000,
            }
        )
        self.assertTrue(wire.is_closed())

    # -- in the session -------------------------------------------------------

    def test_signing_in_twice(self):
        wire = self.signed_in()
        wire.send(authenticate={"mechanism": "SCRAM-SHA-256"})
        self.ends_with(wire, "bad_request")

    def test_an_over_long_address(self):
        wire = self.signed_in()
        for to in ("x" * 256 + "@example.org", "x" * 5000, "@" * 100_000):
            request = wire.send_im(to, f"im {next(numbers)}")
            self.assertEqual(wire.outcome(request), "bad_address")
        self.goes_on(wire)

    def test_fields_out_of_their_range(self):
        wire = self.signed_in()
        for fields in (
            {"send": {"id": "", "to": BOB, "body": "x"}},
            {"send": {"id": "x" * 129, "to": BOB, "body": "x"}},
            {"send": {"id": "m", "to": BOB, "payloads": [{"type": "t"}] * 17}},
            {"send": {"id": "u", "to": BOB, "payloads": [{"data": b"x"}]}},
            {"presence": {"priority": 128}},
            {"presence": {"status": "x" * 1025}},
        ):
            with self.subTest(str(fields)[:60]):
                request = wire.request(**fields)
                error = self.refused(wire, request, "bad_request")
                self.assertTrue(error.text)

    def test_text_that_is_not_utf_8(self):
        wire = self.signed_in()
        for field in (0x0A, 0x12, 0x1A):  # id, to, body
            wire.requests += 1
            octets = bytes([field]) + b"\x03a\xff\xfe"
            body = b"\x08" + varint(wire.requests)
            body += b"\x82\x01" + varint(len(octets)) + octets
            wire.write(framed(body))
            error = self.refused(wire, wire.requests, "bad_request")
            self.assertIn("UTF-8", error.text)

    def test_an_unknown_request_is_answered(self):
        wire = self.signed_in()
        wire.requests += 1
        body = b"\x08" + varint(wire.requests) + b"\xba\x3e\x02\x08\x01"
        wire.write(framed(body))  # field 999
        self.refused(wire, wire.requests, "unknown_request")
        wire.requests += 1
        wire.write(framed(b"\x08" + varint(wire.requests)))  # no kind at all
        self.refused(wire, wire.requests, "unknown_request")

    def test_unknown_fields_are_ignored(self):
        wire = self.signed_in()
        wire.requests += 1
        frame = self.schema.ClientFrame(
            request=wire.requests,
            send={"id": f"im {next(numbers)}", "to": DAVE, "body": "x"},
        )
        wire.write(framed(frame.SerializeToString() + b"\xba\x3e\x02\x08\x01"))
        self.assertEqual(wire.outcome(wire.requests), "stored")
        wire.write(framed(b"\xba\x3e\x02\x08\x01"))  # nothing known, no number
        self.goes_on(wire)

    def test_an_empty_frame_breaks_nothing(self):
        wire = self.signed_in()
        wire.write(framed(b"") * 10)
        self.goes_on(wire)

    def test_a_request_without_number(self):
        wire = self.signed_in()
        wire.send(send={"id": "none", "to": BOB, "body": "x"})
        error = wire.error()
        self.assertEqual(error.reason, "bad_request")
        self.assertEqual(error.scope, self.schema.REQUEST)
        self.goes_on(wire)

    def test_an_acknowledgement_of_what_was_never_sent(self):
        wire = self.signed_in()
        wire.ack(1000)
        self.ends_with(wire, "bad_request")

    def test_a_request_beyond_the_window(self):
        wire = self.signed_in()
        window = wire.session.requests.messages
        # No answer is acknowledged: all keep their places.
        asked = [
            wire.send_im(DAVE, f"im {next(numbers)}") for _ in range(window + 1)
        ]
        error = wire.until("error", request=asked[-1]).error
        self.assertEqual(error.reason, "window_exceeded")
        self.assertEqual(error.limit, window)
        for request in asked[:-1]:
            frame = wire.until("outcome", request=request)
            self.assertEqual(frame.outcome.kind, self.schema.Outcome.STORED)
        wire.ack()
        self.goes_on(wire)

    def test_who_asks_on_without_taking_answers_loses_the_session(self):
        wire = self.signed_in()
        window = wire.session.requests.messages
        try:
            for _ in range(5 * window):
                wire.send_im(DAVE, f"im {next(numbers)}")
        except OSError:
            pass  # closed by then
        self.ends_with(wire, "window_exceeded", "SESSION")

    def test_a_half_open_connection_is_given_up(self):
        self.setting("session.heartbeat", "1s")
        wire = self.signed_in()
        self.assertEqual(wire.session.heartbeat_ms, 1000)
        # Reads all that comes and says nothing.
        error = self.ends_with(wire, "timed_out")
        self.assertIn("2.5", error.text)

    def test_half_a_frame_and_then_the_end(self):
        for cut in (0, 3, 4, 10):
            wire = self.wire()
            wire.read_magic()
            wire.write((framed(b"\x12\x04\x08\x01\x10\x01" * 10))[:cut])
            wire.socket.shutdown(socket.SHUT_WR)
            self.assertTrue(wire.is_closed())

    def test_a_stranger_that_never_reads(self):
        before = self.resident_bytes()
        wires = [self.wire() for _ in range(20)]
        for wire in wires:
            wire.say_hello()
        # Six bytes that are answered by some 75.
        flood = framed(b"\x08\x01") * 20_000
        for wire in wires:
            wire.socket.settimeout(PATIENCE)
            # Nothing is read from here, so the end comes as an error.
            with self.assertRaises(ConnectionError):
                while True:
                    wire.write(flood)
        # 16 MiB of output each would be over 320 MiB.
        grown = self.resident_bytes() - before
        self.assertLess(grown, 64 * 1024 * 1024)

    def test_a_client_that_never_reads(self):
        self.setting("session.heartbeat", "1s")
        wire = self.signed_in()
        self.setting("im.grace", "200ms")
        # More than the sockets' buffers hold: the window stops it, and what
        # nobody acknowledges is on disk.
        ids = [
            self.alice.post(wire.session.address, body="x" * 30_000)
            for _ in range(100)
        ]
        for id_ in ids:
            self.assertEqual(self.alice.outcome(id_)["outcome"], "stored")
        # No window stops the answers to pings: then nothing is read any more,
        # and who takes nothing for 2.5 heartbeats has no connection.
        pings = framed(b"\x32\x02\x08\x01") * 10_000
        wire.socket.settimeout(PATIENCE)
        before = self.resident_bytes()
        with self.assertRaises(ConnectionError):
            while True:
                wire.write(pings)
        # A sanitizer keeps what was freed.
        mebibytes = 512 if "ASAN_OPTIONS" in os.environ else 16
        self.assertLess(self.resident_bytes() - before, mebibytes * 1024 * 1024)
        wait_until(lambda: self.state_of(wire) == "suspended", "the end")
        again = self.wire()
        again.resume(wire.session.token, 0)
        for id_ in ids:
            self.assertEqual(again.until("im").im.id, id_)
            again.ack()

    def resident_bytes(self):
        with open(f"/proc/{self.server.process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def state_of(self, wire):
        for x in self.server.admin("sessions")["sessions"]:
            if f"{x['user']}/{x['endpoint']}" == wire.session.address:
                return x["state"]
        return None


class TlsPortTest(BadInput):
    plain = False
    arguments = ("--log", "debug")

    def test_a_plain_client_is_told_that_tls_was_expected(self):
        wire = self.wire()
        wire.send(hello=HELLO)
        wire.read_magic()
        error = self.ends_with(wire, "tls_failed")
        self.assertIn("TLS", error.text)

    def test_a_plain_client_gets_an_end_and_the_log_says_why(self):
        for first in (MAGIC, b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 1000):
            wire = self.wire(magic=first)
            try:
                while wire.socket.recv(4096):
                    pass
            except ConnectionError:
                pass
            port = wire.socket.getsockname()[1]
            wait_until(
                lambda: f":{port} closed: tls_failed" in self.server.logged(),
                "the log",
            )

    def test_garbage_inside_tls(self):
        wire = self.wire(tls=True, magic=b"GET / HTTP/1.1\r\n\r\n")
        wire.read_magic()
        self.ends_with(wire, "bad_magic")

    def test_a_broken_record(self):
        wire = self.wire(tls=True)
        wire.sign_in(CAROL, "broken")
        raw = socket.socket(fileno=os.dup(wire.socket.fileno()))
        raw.settimeout(60)
        raw.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)
        try:
            while raw.recv(4096):
                pass
        except ConnectionError:
            pass
        raw.close()

    def test_plain_is_offered_and_works_inside_tls(self):
        wire = self.wire(tls=True)
        self.assertIn("PLAIN", wire.say_hello().mechanisms)
        wire.send(
            authenticate={
                "mechanism": "PLAIN",
                "initial": b"\0" + CAROL.encode() + b"\0correct horse",
                "endpoint": "plain",
            }
        )
        wire.begin(wire.until("signed_in").signed_in)
        self.goes_on(wire)


def varint(x):
    octets = b""
    while x > 127:
        octets += bytes([x & 127 | 128])
        x >>= 7
    return octets + bytes([x])


if __name__ == "__main__":
    del BadInput
    main()
