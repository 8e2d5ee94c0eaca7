#!/usr/bin/python3
"""What no endpoint acknowledges within the grace time is stored, its sender is
told so, and the others get it.

    grace_test.py PARLEY
"""

from parley_system import ALICE, BOB, SystemTest, main, wait_until


class GraceTest(SystemTest):
    def setUp(self):
        self.setting("im.grace", "300ms")
        self.alice = self.chat(ALICE)

    def test_an_unacknowledged_im_is_stored_and_delivered_later(self):
        mute = self.chat(BOB, "mute", "--no-ack")
        id_ = self.alice.post(BOB)
        self.assertIs(mute.message(id_)["offline"], False)
        self.assertEqual(self.alice.outcome(id_)["outcome"], "stored")
        # Offered to whoever comes while it is still in flight there.
        desk = self.chat(BOB, "desk")
        self.assertIs(desk.message(id_)["offline"], True)
        self.assertEqual(desk.quit(), 0)
        # Acknowledged, it has left the store.
        self.assertEqual(mute.quit(), 0)
        desk = self.chat(BOB, "desk")
        fence = self.alice.post(BOB)
        desk.message(fence)
        self.assertEqual(desk.ids(), [fence])
        self.assertEqual(desk.quit(), 0)
        self.assertEqual(len(self.alice.all_of("outcome")), 2)

    def test_it_survives_a_restart(self):
        mute = self.chat(BOB, "mute", "--no-ack")
        ids = [self.alice.post(BOB) for _ in range(3)]
        for id_ in ids:
            self.assertEqual(self.alice.outcome(id_)["outcome"], "stored")
        mute.end()
        self.server.kill()
        self.server.start()
        desk = self.chat(BOB, "desk")
        desk.message(ids[-1])
        self.assertEqual(desk.ids(), ids)
        self.assertEqual(desk.quit(), 0)

    def test_an_endpoint_that_acknowledges_makes_it_delivered(self):
        mute = self.chat(BOB, "mute", "--no-ack")
        desk = self.chat(BOB, "desk")
        id_ = self.alice.post(BOB)
        self.assertEqual(self.alice.outcome(id_)["outcome"], "delivered")
        mute.message(id_)
        desk.message(id_)
        for chat in (mute, desk):
            self.assertEqual(chat.quit(), 0)

    def test_a_chosen_one_that_is_silent_loses_the_choice(self):
        mute = self.chat(BOB, "mute", "--no-ack")
        desk = self.chat(BOB, "desk")
        reply = mute.post(ALICE)
        self.alice.message(reply)
        id_ = self.alice.post(BOB)
        mute.message(id_)
        desk.message(id_)
        self.assertIn(
            self.alice.outcome(id_)["outcome"], ("stored", "delivered")
        )
        self.assertEqual(self.alice.send(BOB), "delivered")
        for chat in (mute, desk):
            self.assertEqual(chat.quit(), 0)

    def test_a_frozen_endpoint_is_suspended_and_the_store_takes_over(self):
        frozen = self.chat(BOB, "frozen")
        frozen.freeze()
        self.assertEqual(self.alice.send(BOB), "stored")

        def state():
            sessions = self.server.admin("user", "show", BOB)["sessions"]
            return [x["state"] for x in sessions]

        wait_until(lambda: state() == ["suspended"], "the suspension")
        self.setting("im.grace", "30s")
        # All targets are suspended: at once, not after the grace.
        id_ = self.alice.post(BOB)
        self.assertEqual(self.alice.outcome(id_)["outcome"], "stored")
        frozen.thaw()
        frozen.message(id_)
        self.assertEqual(frozen.quit(), 0)

    def tearDown(self):
        self.assertEqual(self.alice.quit(), 0)


if __name__ == "__main__":
    main()
