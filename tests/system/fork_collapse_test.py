#!/usr/bin/python3
"""IMs fork to all endpoints, collapse to the one that replies, and fork again
when it goes.

    fork_collapse_test.py PARLEY
"""

import time

from parley_system import ALICE, BOB, CAROL, Chat, SystemTest, main, wait_until

ENDPOINTS = ("desk", "phone", "tablet")


class ForkCollapseTest(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alice = Chat(cls.server, ALICE)
        cls.carol = Chat(cls.server, CAROL)
        cls.bob = {name: Chat(cls.server, BOB, name) for name in ENDPOINTS}

    @classmethod
    def tearDownClass(cls):
        for chat in (cls.alice, cls.carol, *cls.bob.values()):
            chat.end()

    def setUp(self):
        # Nothing is chosen, whatever the test before did.
        for chat in (self.alice, *self.bob.values()):
            chat.show("away")
            chat.show("available")

    def reached(self, id_):
        """Which of Bob's endpoints have got an IM. The fence comes after all
        that was handed to an endpoint before it."""
        got = set()
        for name, chat in self.bob.items():
            if chat.process.poll() is None:
                chat.message(self.carol.post(f"{BOB}/{name}"))
                if chat.ids().count(id_) > 0:
                    self.assertEqual(chat.ids().count(id_), 1)
                    got.add(name)
        return got

    def forks(self, among=ENDPOINTS):
        id_ = self.alice.post(BOB)
        self.alice.outcome(id_)
        self.assertEqual(self.reached(id_), set(among))

    def goes_to(self, *names):
        self.forks(names)

    def reply_from(self, name, body="reply"):
        """In force before it is handed to anybody."""
        id_ = self.bob[name].post(ALICE, body=body)
        self.alice.message(id_)

    def test_without_a_choice_every_endpoint_gets_it(self):
        self.forks()

    def test_a_reply_collapses_and_another_moves_the_choice(self):
        self.forks()
        self.reply_from("phone")
        self.goes_to("phone")
        self.goes_to("phone")
        self.reply_from("tablet")
        self.goes_to("tablet")
        self.reply_from("phone")
        self.goes_to("phone")

    def test_who_sends_first_is_chosen(self):
        self.reply_from("tablet")
        self.goes_to("tablet")

    def test_a_choice_is_of_one_conversation(self):
        self.reply_from("phone")
        id_ = self.carol.post(BOB)
        self.assertEqual(self.carol.outcome(id_)["outcome"], "delivered")
        self.assertEqual(self.reached(id_), set(ENDPOINTS))

    def test_the_peer_is_chosen_likewise(self):
        laptop = self.chat(ALICE, "laptop")
        self.reply_from("desk")
        laptop.send(BOB)
        id_ = self.bob["desk"].post(ALICE)
        laptop.message(id_)
        self.bob["desk"].outcome(id_)
        self.alice.message(self.carol.post(f"{ALICE}/desk"))
        self.assertNotIn(id_, self.alice.ids())
        self.assertEqual(laptop.quit(), 0)

    def test_signing_out_releases(self):
        self.reply_from("phone")
        self.goes_to("phone")
        self.assertEqual(self.bob["phone"].quit(), 0)
        self.forks(("desk", "tablet"))
        self.bob["phone"] = Chat(self.server, BOB, "phone")
        self.forks()

    def test_going_away_releases(self):
        for show in ("away", "xa", "dnd"):
            with self.subTest(show):
                self.reply_from("phone")
                self.goes_to("phone")
                self.bob["phone"].show(show)
                self.forks()
                self.bob["phone"].show("available")
                self.forks()

    def test_coming_back_from_away_chooses_nobody(self):
        self.reply_from("phone")
        self.bob["phone"].show("away")
        self.bob["phone"].show("available")
        self.forks()

    def test_unavailable_releases_and_is_no_target(self):
        self.reply_from("phone")
        self.bob["phone"].show("unavailable")
        id_ = self.alice.post(BOB)
        self.alice.outcome(id_)
        self.bob["phone"].show("available")
        # Acknowledged by the others: the phone is not offered it.
        self.forks()
        self.assertNotIn(id_, self.bob["phone"].ids())

    def test_a_priority_below_0_releases_and_is_no_target(self):
        self.reply_from("phone")
        self.bob["phone"].show("available", -1)
        self.forks(("desk", "tablet"))
        self.reply_from("phone")  # such a one cannot be chosen
        self.forks(("desk", "tablet"))
        self.bob["phone"].show("available", 0)
        self.forks()

    def test_one_that_is_away_and_replies_is_chosen(self):
        self.bob["phone"].show("away")
        self.reply_from("phone")
        self.goes_to("phone")

    def test_an_idle_conversation_is_released(self):
        self.setting("im.idle_release", "1s")
        self.reply_from("phone")

        # Each try is activity: they must lie apart.
        def idle_then_forks():
            time.sleep(1.2)
            id_ = self.alice.post(BOB)
            self.alice.outcome(id_)
            return self.reached(id_) == set(ENDPOINTS)

        wait_until(idle_then_forks, "the release")

    def test_a_frozen_choice_is_released_after_the_grace(self):
        self.setting("im.grace", "200ms")
        self.reply_from("phone")
        self.goes_to("phone")
        self.bob["phone"].freeze()
        id_ = self.alice.post(BOB)
        self.bob["desk"].message(id_)
        self.bob["tablet"].message(id_)
        self.assertEqual(self.alice.send(BOB), "delivered")
        self.bob["phone"].thaw()
        # What is handed out already is not withdrawn.
        self.bob["phone"].message(id_)

    def test_an_im_to_a_full_address_goes_there_alone(self):
        self.reply_from("phone")
        id_ = self.alice.post(f"{BOB}/tablet")
        self.assertEqual(self.alice.outcome(id_)["outcome"], "delivered")
        self.assertEqual(self.reached(id_), {"tablet"})
        id_ = self.alice.post(f"{BOB}/nowhere")
        self.assertEqual(self.alice.outcome(id_)["outcome"], "delivered")
        self.assertEqual(self.reached(id_), {"phone"})

    def test_an_im_to_oneself_goes_to_the_others(self):
        id_ = self.bob["desk"].post(BOB)
        self.assertEqual(self.bob["desk"].outcome(id_)["outcome"], "delivered")
        self.assertEqual(self.reached(id_), {"phone", "tablet"})
        id_ = self.alice.post(ALICE)
        self.alice.message(id_)
        self.assertEqual(self.alice.outcome(id_)["outcome"], "delivered")

    def test_a_broadcast_does_not_choose(self):
        id_ = "an id that only this broadcast has"
        self.bob["phone"].ask("broadcast", id=id_, to=[ALICE], body="all")
        self.alice.message(id_)
        self.forks()

    def test_a_rejected_im_does_not_choose(self):
        self.setting("im.body_max", 10)
        said = self.bob["phone"].send(ALICE, body="x" * 11)
        self.assertEqual(said, "too_large")
        self.forks()


if __name__ == "__main__":
    main()
