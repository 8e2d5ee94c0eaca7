#!/usr/bin/python3
"""`parley chat --jsonl` keeps its contract towards a real server: what goes in
and what comes out, acknowledgement, reconnecting.

    chat_test.py PARLEY
"""
import json
import signal
import time
import unittest

from chat_fixture import ALICE, BOB, PATIENCE, ChatTest


class LinesTest(ChatTest):
    # -- the JSON lines ------------------------------------------------------

    def test_ready_comes_first_and_the_policy_follows(self):
        alice = self.chat(ALICE)
        first = alice.event()
        self.assertEqual(first["event"], "ready")
        self.assertEqual(first["address"], ALICE + "/desk")
        self.assertIs(first["resumed"], False)
        self.assertIn("im.client_history", alice.until("policy"))
        self.assertEqual(alice.quit(), 0)

    def test_an_im_arrives_with_all_of_its_fields(self):
        alice, bob = self.chat(ALICE).ready(), self.chat(BOB).ready()
        body = "Grüße, \"мир\"\n🙂\t\u0001"
        alice.ask("send", id="f1", to=BOB, body=body)
        outcome = alice.until("outcome", id="f1")
        self.assertEqual(outcome, {"event": "outcome", "id": "f1", "to": BOB,
            "outcome": "delivered"})
        message = bob.until("message")
        self.assertRegex(message.pop("sent_at"),
            r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ$")
        self.assertEqual(message, {"event": "message", "from": ALICE + "/desk",
            "to": BOB, "id": "f1", "body": body, "offline": False})
        self.assertEqual(alice.quit(), 0)
        self.assertEqual(bob.quit(), 0)

    def test_an_id_is_made_up_where_there_is_none(self):
        alice = self.chat(ALICE).ready()
        alice.ask("send", to="nobody@example.org", body="x")
        outcome = alice.until("outcome")
        self.assertTrue(outcome["id"])
        self.assertEqual(outcome["outcome"], "rejected")
        self.assertEqual(outcome["reason"], "no_such_user")
        self.assertEqual(alice.quit(), 0)

    def test_requests_before_ready_wait_and_the_end_of_input_signs_out(self):
        bob = self.chat(BOB).ready()
        alice = self.chat(ALICE)
        for number in range(30):
            alice.ask("send", id=f"e{number}", to=BOB, body=str(number))
        # The last line needs no newline.
        alice.write(json.dumps(
            {"op": "send", "id": "e30", "to": BOB, "body": "30"}))
        alice.process.stdin.close()
        self.assertEqual(alice.event()["event"], "ready")
        while alice.event() is not None:
            pass
        alice.process.stdout.close()
        self.assertEqual(alice.process.wait(PATIENCE), 0)
        outcomes = {event["id"]: event["outcome"]
            for event in alice.seen("outcome")}
        self.assertEqual(outcomes, {f"e{n}": "delivered" for n in range(31)})
        bodies = [bob.until("message")["body"] for _ in range(31)]
        self.assertEqual(bodies, [str(n) for n in range(31)])
        self.assertEqual(bob.quit(), 0)

    def test_bad_lines_are_errors_and_nothing_ends(self):
        alice = self.chat(ALICE).ready()
        for line in ("nonsense", "[]", "{}", '{"op":7}', '{"op":"send"}',
                '{"op":"send","id":"x","to":1,"body":"y"}',
                '{"op":"presence","show":"asleep"}', "\\u0000", "{" * 10000):
            alice.write(line + "\n\n  \n")
            error = alice.until("error")
            self.assertEqual(error["reason"], "bad_request", line)
            self.assertTrue(error["text"])
        self.assertEqual(alice.events[-3].get("id"), None)
        alice.ask("conquer", id="s1", to=BOB)
        error = alice.until("error", id="s1")
        self.assertEqual(error["reason"], "unknown_request")
        alice.ask("presence", id="p1", show="away", status="out", priority=-5)
        alice.until("done", id="p1")
        self.assertEqual(alice.quit(), 0)

    def test_a_line_that_is_too_long_is_an_error_under_its_id(self):
        alice = self.chat(ALICE).ready()
        alice.ask("send", id="long", to=BOB, body="x" * 1024 * 1024)
        error = alice.until("error", id="long")
        self.assertEqual(error["reason"], "too_large")
        self.assertEqual(error["limit"], 1024 * 1024)
        self.assertIn("too long", error["text"])
        alice.ask("presence", id="p2", show="away")
        alice.until("done", id="p2")
        self.assertEqual(alice.quit(), 0)

    def test_a_broadcast_lists_each_recipient_once(self):
        alice, bob = self.chat(ALICE).ready(), self.chat(BOB).ready()
        alice.ask("broadcast", id="b1", body="all",
            to=[BOB, "nobody@example.org", BOB])
        answer = alice.until("broadcast", id="b1")
        self.assertEqual(answer["outcomes"], [
            {"to": BOB, "outcome": "delivered"},
            {"to": "nobody@example.org", "outcome": "rejected",
                "reason": "no_such_user"}])
        self.assertEqual(bob.until("message")["id"], "b1")
        self.assertEqual(alice.quit(), 0)
        self.assertEqual(bob.quit(), 0)
        self.assertEqual(len(bob.seen("message")), 1)

    def test_typing_and_receipts_reach_those_who_asked(self):
        alice, bob = self.chat(ALICE).ready(), self.chat(BOB).ready()
        alice.ask("typing", to=BOB)
        self.assertEqual(bob.until("typing")["from"], ALICE + "/desk")
        alice.ask("send", id="r1", to=BOB, body="asks", receipts=True)
        alice.ask("send", id="r2", to=BOB, body="does not")
        for id_ in ("r1", "r2"):
            bob.until("message", id=id_)
            alice.until("outcome", id=id_)
        bob.ask("read", id="r2", **{"from": ALICE + "/desk"})
        bob.ask("read", id="r1", **{"from": ALICE + "/desk"})
        read = alice.until("receipt", kind="read")
        self.assertEqual((read["id"], read["endpoint"]), ("r1", BOB + "/desk"))
        self.assertEqual(alice.quit(), 0)
        self.assertEqual(bob.quit(), 0)
        self.assertEqual({event["id"] for event in alice.seen("receipt")},
            {"r1"})
        self.assertEqual(alice.seen("message"), [])
        # A read marker is no message, and its outcome nobody's business.
        self.assertEqual(bob.seen("outcome"), [])

    def test_what_was_not_acknowledged_comes_again(self):
        alice = self.chat(ALICE).ready()
        bob = self.chat(BOB, "--no-ack").ready()
        alice.ask("send", id="n1", to=BOB, body="unacknowledged")
        bob.until("message", id="n1")
        self.assertEqual(alice.until("outcome", id="n1")["outcome"], "stored")
        self.assertEqual(bob.quit(), 0)
        bob = self.chat(BOB).ready()
        self.assertIs(bob.until("message", id="n1")["offline"], True)
        self.assertEqual(bob.quit(), 0)
        bob = self.chat(BOB).ready()
        self.assertEqual(bob.quit(), 0)
        self.assertEqual(bob.seen("message"), [])
        self.assertEqual(alice.quit(), 0)

    def test_who_acknowledges_nothing_leaves_in_order(self):
        alice = self.chat(ALICE).ready()
        bob = self.chat(BOB, "--no-ack").ready()
        alice.ask("send", id="q0", to=BOB, body="held")
        bob.until("message", id="q0")
        # More than a window, and none of the answers is acknowledged.
        for number in range(200):
            bob.ask("send", id=f"q{number + 1}", to=ALICE, body="x")
        bob.until("outcome")
        began = time.monotonic()
        self.assertEqual(bob.quit(), 0)
        # Not by running out of patience.
        self.assertLess(time.monotonic() - began, 9)
        self.assertEqual(bob.seen("error"), [])
        bob = self.chat(BOB).ready()
        bob.until("message", id="q0")
        self.assertEqual(bob.quit(), 0)
        self.assertEqual(alice.quit(), 0)

    def test_a_server_that_comes_back_is_signed_in_to_again(self):
        alice, bob = self.chat(ALICE).ready(), self.chat(BOB).ready()
        self.server.end(signal.SIGKILL)
        lost = alice.until("disconnected")
        self.assertTrue(lost["reason"])
        self.assertGreaterEqual(lost["retry_in"], 0)
        alice.ask("send", id="k1", to=BOB, body="held back")
        self.server.start()
        alice.until("ready")
        self.assertIn(alice.until("outcome", id="k1")["outcome"],
            ("delivered", "stored"))
        bob.until("message", id="k1")
        self.assertEqual(alice.quit(), 0)
        self.assertEqual(bob.quit(), 0)
        self.assertEqual(len(bob.seen("message")), 1)

    def test_another_client_under_the_same_name_ends_the_first(self):
        first = self.chat(ALICE).ready()
        second = self.chat(ALICE).ready()
        self.assertEqual(first.until("error")["reason"], "replaced")
        self.assertEqual(first.rest(), 1)
        self.assertEqual(second.quit(), 0)

    def test_a_signal_signs_out(self):
        alice = self.chat(ALICE).ready()
        alice.process.send_signal(signal.SIGTERM)
        self.assertEqual(alice.rest(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
