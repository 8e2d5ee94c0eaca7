#!/usr/bin/python3
"""What an operator is told of one IM: `parley admin trace`.

    trace_test.py PARLEY
"""

from parley_system import ALICE, BOB, CAROL, DAVE, NOBODY
from parley_system import Server, SystemTest, main, wait_until


class TraceTest(SystemTest):
    # Senders and recipients live on different shards.
    arguments = ("--threads", "2")

    def trace(self, id_, *more):
        return self.server.admin("trace", id_, *more)["ims"]

    def story(self, id_, sender=ALICE, to=None):
        """Of the one IM: `event endpoint reason`, in order."""
        ims = [
            x
            for x in self.trace(id_, "--from", sender)
            if to is None or x["to"] == to
        ]
        self.assertEqual(len(ims), 1, ims)
        times = [e["at_us"] for e in ims[0]["events"]]
        self.assertEqual(times, sorted(times))
        return [
            " ".join(
                e[key] for key in ("event", "endpoint", "reason") if key in e
            )
            for e in ims[0]["events"]
        ]

    def comes(self, event, id_, **how):
        wait_until(lambda: event in self.story(id_, **how), event)

    def test_a_fork_tells_who_got_it_and_who_acknowledged(self):
        alice = self.chat(ALICE)
        self.chat(BOB, "desk")
        self.chat(BOB, "phone")
        self.assertEqual(alice.send(BOB, "fork"), "delivered")
        for endpoint in ("desk", "phone"):
            self.comes(f"acknowledged {BOB}/{endpoint}", "fork")
        story = self.story("fork")
        self.assertEqual(story[0], f"submitted {ALICE}/desk")
        self.assertEqual(
            story[1:3], ["accepted", f"chosen {ALICE}/desk"], story
        )
        self.assertEqual(
            sorted(story),
            sorted(
                [
                    f"submitted {ALICE}/desk",
                    "accepted",
                    f"chosen {ALICE}/desk",
                    f"handed_out {BOB}/desk",
                    f"handed_out {BOB}/phone",
                    f"acknowledged {BOB}/desk",
                    f"acknowledged {BOB}/phone",
                    "delivered",
                ]
            ),
        )

    def test_offline_then_drained_also_after_a_restart(self):
        alice = self.chat(ALICE)
        self.assertEqual(alice.send(CAROL, "later"), "stored")
        self.assertEqual(
            self.story("later"),
            [
                f"submitted {ALICE}/desk",
                "accepted",
                f"chosen {ALICE}/desk",
                "written",
                "stored",
            ],
        )
        self.assertEqual(alice.send(DAVE, "much later"), "stored")
        alice.quit()
        carol = self.chat(CAROL)
        carol.message("later")
        self.comes(f"acknowledged {CAROL}/desk", "later")
        self.assertIn(f"handed_out {CAROL}/desk", self.story("later"))
        carol.quit()
        # Names of sessions that ended are remembered.
        self.assertIn(f"handed_out {CAROL}/desk", self.story("later"))
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.assertEqual(self.trace("much later"), [])
        dave = self.chat(DAVE)
        dave.message("much later")
        self.comes(f"acknowledged {DAVE}/desk", "much later")
        self.assertEqual(
            self.story("much later"),
            [f"handed_out {DAVE}/desk", f"acknowledged {DAVE}/desk"],
        )
        (im,) = self.trace("much later")
        self.assertEqual((im["from"], im["to"]), (ALICE, DAVE))

    def test_that_an_im_went_with_its_account_is_told(self):
        gone = "gone@example.org"
        self.server.add(gone)
        alice = self.chat(ALICE, "last")
        self.assertEqual(alice.send(gone, "lost"), "stored")
        self.assertEqual(alice.send(NOBODY, "never"), "no_such_user")
        (im,) = self.trace("lost")
        self.assertNotIn("account_removed", im)
        done = self.server.try_admin("user", "remove", gone)
        self.assertEqual(
            (done.stdout, done.returncode), ("1 stored IM removed with it\n", 0)
        )
        (im,) = self.trace("lost")
        self.assertIs(im["account_removed"], True)
        done = self.server.try_admin("trace", "lost")
        self.assertIn("account has been removed", done.stdout)
        # Nobody had that one.
        (im,) = self.trace("never")
        self.assertNotIn("account_removed", im)

    def test_reasons_and_retries(self):
        alice = self.chat(ALICE, "home")
        self.assertEqual(alice.send(NOBODY, "no"), "no_such_user")
        self.assertEqual(
            self.story("no"),
            [f"submitted {ALICE}/home", "rejected no_such_user"],
        )
        self.assertEqual(alice.send(BOB + "/", "bad"), "bad_address")
        self.assertEqual(
            self.story("bad"),
            [f"submitted {ALICE}/home", "rejected bad_address"],
        )
        self.chat(BOB)
        self.assertEqual(alice.send(BOB, "twice", "x"), "delivered")
        self.comes(f"acknowledged {BOB}/desk", "twice")
        self.ask_again(alice, "twice", "x")
        story = self.story("twice")
        self.assertEqual(story.count(f"submitted {ALICE}/home"), 2, story)
        self.assertIn("answered_again", story)
        self.ask_again(alice, "twice", "y")
        self.assertIn("rejected id_conflict", self.story("twice"))

    def ask_again(self, chat, id_, body):
        n = len(chat.all_of("outcome"))
        chat.post(BOB, id_, body)
        wait_until(lambda: len(chat.all_of("outcome")) > n, "an outcome")

    def test_a_grace_that_passed_is_told(self):
        self.setting("im.grace", "0.1")
        alice = self.chat(ALICE, "slow")
        bob = self.chat(BOB, "frozen", "--no-ack")
        alice.post(BOB, "grace")
        bob.message("grace")
        self.assertEqual(alice.outcome("grace")["outcome"], "stored")
        story = self.story("grace")
        self.assertIn("grace_passed", story)
        self.assertLess(story.index("grace_passed"), story.index("written"))

    def test_an_id_alone_lists_all_who_used_it(self):
        alice, bob = self.chat(ALICE, "all"), self.chat(BOB, "all")
        alice.send(CAROL, "same")
        bob.send(CAROL, "same")
        alice.ask("broadcast", id="same", to=[BOB, DAVE], body="text")
        alice.wait_for(lambda x: x["event"] == "broadcast")
        found = {(x["from"], x["to"]) for x in self.trace("same")}
        self.assertEqual(
            found,
            {(ALICE, CAROL), (BOB, CAROL), (ALICE, BOB), (ALICE, DAVE)},
        )
        self.assertEqual(len(self.trace("same", "--from", BOB)), 1)
        self.assertEqual(self.trace("same", "--from", DAVE), [])
        self.assertEqual(self.trace("other"), [])

    def test_what_a_person_reads_and_what_is_refused(self):
        alice = self.chat(ALICE, "people")
        alice.send(CAROL, "read\x1b[2Jme")
        done = self.server.try_admin("trace", "read\x1b[2Jme")
        self.assertEqual(done.returncode, 0)
        self.assertNotIn("\x1b", done.stdout)
        self.assertIn(f"from {ALICE} to {CAROL}", done.stdout)
        self.assertRegex(done.stdout, r"\d\dT\d\d:\d\d:\d\d\.\d{6}Z  stored")
        done = self.server.try_admin("trace", "none")
        self.assertEqual(done.returncode, 0)
        self.assertIn("nothing is known", done.stdout)
        for words, status in (
            (("trace",), 2),
            (("trace", "a", "b"), 2),
            (("sessions", "--from", ALICE), 2),
            (("trace", "a", "--from", "nobody"), 1),
        ):
            self.assertEqual(
                self.server.try_admin(*words).returncode, status, words
            )


class BoundTest(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        file = cls.server.file("parley.toml", "trace_ims = 3\n")
        cls.server.stop()
        cls.server.arguments += ["--config", file]
        cls.server.start()

    def test_that_nothing_is_kept_at_all_is_told(self):
        file = self.server.file("none.toml", "trace_ims = 0\n")
        server = Server(self.parley, "--config", file)
        self.addCleanup(server.remove)
        done = server.try_admin("trace", "im 1")
        self.assertIn("tracing is off", done.stdout)
        answer = server.admin("trace", "im 1")
        self.assertEqual((answer["ims"], answer["tracing"]), ([], False))
        answer = self.server.admin("trace", "never sent")
        self.assertEqual((answer["ims"], answer["tracing"]), ([], True))
        done = self.server.try_admin("trace", "never sent")
        self.assertIn("nothing is known", done.stdout)
        self.assertIn("by the number of threads", done.stdout)

    def test_the_latest_are_kept_and_no_more(self):
        alice = self.chat(ALICE)
        for i in range(10):
            alice.send(BOB, f"im {i}")
        known = [
            i for i in range(10) if self.server.admin("trace", f"im {i}")["ims"]
        ]
        self.assertEqual(known, [7, 8, 9])


if __name__ == "__main__":
    main()
