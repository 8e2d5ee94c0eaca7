#!/usr/bin/python3
"""Every IM has one outcome, with the reason that the contract names; retries
are answered again and delivered once; settings hold at once.

    outcomes_test.py PARLEY
"""

from parley_system import ALICE, BOB, CAROL, DAVE, NOBODY, SystemTest
from parley_system import main, said, wait_until


class OutcomesTest(SystemTest):
    def setUp(self):
        self.alice = self.chat(ALICE)

    def tearDown(self):
        self.assertEqual(self.alice.quit(), 0)

    def rejected(self, reason, to, body="text", **fields):
        """The whole outcome of an IM that must be rejected so."""
        outcome = self.alice.outcome(self.alice.post(to, body=body, **fields))
        self.assertEqual(outcome["outcome"], "rejected")
        self.assertEqual(outcome["reason"], reason)
        self.assertEqual(outcome["to"], to)
        return outcome

    def test_delivered_to_who_is_there_and_stored_for_who_is_not(self):
        bob = self.chat(BOB)
        id_ = self.alice.post(BOB, body="Grüße 🙂")
        self.assertEqual(self.alice.outcome(id_)["outcome"], "delivered")
        message = bob.message(id_)
        self.assertEqual(message["body"], "Grüße 🙂")
        self.assertEqual(message["from"], f"{ALICE}/desk")
        self.assertIs(message["offline"], False)
        self.assertEqual(bob.quit(), 0)
        ids = [self.alice.post(BOB, body=str(n)) for n in range(150)]
        for id_ in ids:
            self.assertEqual(self.alice.outcome(id_)["outcome"], "stored")
        bob = self.chat(BOB)
        self.assertIs(bob.message(ids[-1])["offline"], True)
        self.assertEqual(bob.ids(), ids)
        self.assertEqual(bob.quit(), 0)

    def test_reasons_that_lie_in_the_im(self):
        self.rejected("no_such_user", NOBODY)
        self.rejected("no_such_user", "alice@elsewhere.example")
        for address in ("", "alice", "@example.org", "a b@example.org"):
            self.rejected("bad_address", address)
        self.rejected("bad_address", "x" * 256 + "@example.org")
        self.setting("im.body_max", 100)
        self.assertEqual(self.alice.send(CAROL, body="x" * 100), "stored")
        self.rejected("too_large", CAROL, "x" * 101)
        self.rejected("too_large", CAROL, "ü" * 51)
        # Size is judged before the address.
        self.rejected("too_large", "nonsense", "x" * 101)

    def test_im_disabled(self):
        self.setting("im.enabled", "off")
        self.rejected("im_disabled", BOB)
        self.rejected("im_disabled", NOBODY)
        self.rejected("bad_address", "nonsense")
        self.server.set("im.enabled", "on")
        self.assertEqual(self.alice.send(CAROL), "stored")

    def test_recipient_offline(self):
        self.setting("im.store_offline", "off")
        self.rejected("recipient_offline", BOB)
        bob = self.chat(BOB)
        self.assertEqual(self.alice.send(BOB), "delivered")
        bob.show("unavailable")
        self.rejected("recipient_offline", BOB)
        self.assertEqual(bob.quit(), 0)
        self.server.set("im.store_offline", "on")
        self.assertEqual(self.alice.send(BOB), "stored")

    def test_quota_exceeded(self):
        self.setting("im.offline_max", 3)
        for _ in range(3):
            self.assertEqual(self.alice.send(DAVE), "stored")
        self.rejected("quota_exceeded", DAVE)
        self.server.set("im.offline_max", 4)
        self.assertEqual(self.alice.send(DAVE), "stored")
        self.rejected("quota_exceeded", DAVE)
        dave = self.chat(DAVE)
        # Once he has acknowledged what waited.
        wait_until(lambda: self.alice.send(DAVE) == "delivered", "room")
        wait_until(lambda: len(dave.ids()) == 5, "all of them")
        self.assertEqual(dave.quit(), 0)

    def test_rate_limited_and_when_to_try_again(self):
        bob = self.chat(BOB)
        self.setting("im.rate", 1)
        ids = [self.alice.post(BOB) for _ in range(20)]
        outcomes = [self.alice.outcome(id_) for id_ in ids]
        limited = [x for x in outcomes if x["outcome"] == "rejected"]
        self.assertTrue(limited)
        self.assertEqual(outcomes[0]["outcome"], "delivered")
        for outcome in limited:
            self.assertEqual(outcome["reason"], "rate_limited")
            self.assertGreater(outcome["retry_after"], 0)
            # Seconds, as everywhere in these lines.
            self.assertLessEqual(outcome["retry_after"], 2)
        self.server.set("im.rate", "unlimited")
        # A rejected IM is judged anew, under its old id.
        self.alice.post(BOB, limited[0]["id"])
        bob.message(limited[0]["id"])
        self.assertEqual(bob.quit(), 0)

    def test_a_retry_is_answered_again_and_delivered_once(self):
        bob = self.chat(BOB)
        for to, word in ((BOB, "delivered"), (CAROL, "stored")):
            id_ = self.alice.post(to)
            self.assertEqual(self.alice.outcome(id_)["outcome"], word)
            self.assertEqual(self.again(self.alice, to, id_), word)
            # From another endpoint of the same user, too.
            laptop = self.chat(ALICE, "laptop")
            self.assertEqual(self.again(laptop, to, id_), word)
            said_now = self.again(laptop, to, id_, "other")
            self.assertEqual(said_now, "id_conflict")
            self.assertEqual(laptop.quit(), 0)
        # The library drops what comes again: it must not even have come.
        carol = self.chat(CAROL)
        before = self.server.admin("sessions")["counters"]
        for chat in (bob, carol):
            chat.message(self.alice.post(chat.name))
            self.assertEqual(len(chat.ids()), len(set(chat.ids())))
            self.assertEqual(chat.quit(), 0)
        self.assertGreaterEqual(before["retries"], 4)
        self.assertEqual(before["copies"], 2)

    def again(self, sender, to, id_, body="text"):
        """What is said to it this time; one outcome more."""

        def outcomes():
            return [x for x in sender.all_of("outcome") if x["id"] == id_]

        before = len(outcomes())
        sender.post(to, id_, body)
        wait_until(lambda: len(outcomes()) > before, "the outcome")
        self.assertEqual(len(outcomes()), before + 1)
        return said(outcomes()[-1])

    def test_a_stored_one_is_known_again_after_a_restart(self):
        for end in (self.server.stop, self.server.kill):
            id_ = self.alice.post(CAROL)
            self.assertEqual(self.alice.outcome(id_)["outcome"], "stored")
            end()
            self.server.start()
            alice = self.chat(ALICE, "after")
            self.assertEqual(self.again(alice, CAROL, id_), "stored")
            said_now = self.again(alice, CAROL, id_, "other")
            self.assertEqual(said_now, "id_conflict")
            carol = self.chat(CAROL)
            carol.message(alice.post(f"{CAROL}/desk"))
            self.assertEqual(carol.ids().count(id_), 1)
            # Known also when it is stored no more.
            self.assertEqual(carol.quit(), 0)
            later = self.chat(ALICE, "later")
            self.assertEqual(self.again(later, CAROL, id_), "stored")
            carol = self.chat(CAROL)
            fence = alice.post(CAROL)
            carol.message(fence)
            self.assertEqual(carol.ids(), [fence])
            for chat in (alice, later, carol):
                self.assertEqual(chat.quit(), 0)

if __name__ == "__main__":
    main()
