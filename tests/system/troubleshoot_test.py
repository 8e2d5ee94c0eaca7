#!/usr/bin/python3
"""What is wrong with a server, and how to mend it: `parley admin
troubleshoot`, and what else an operator looks at.

    troubleshoot_test.py PARLEY
"""

import os
import signal
import subprocess

from parley_system import ALICE, BOB, CAROL, DAVE, DOMAIN, PATIENCE
from parley_system import SystemTest, main, wait_until

CHECKS = (
    "workers store disk clock certificate open_files queues memory sessions "
    "im.offline_max contacts.max watchers.max session.endpoints_max settings"
).split()


class TroubleshootTest(SystemTest):
    plain = False

    def checks(self):
        """By name."""
        found = self.server.admin("troubleshoot")["checks"]
        self.assertEqual([x["check"] for x in found], CHECKS)
        for x in found:
            self.assertIn(x["state"], ("passed", "warning", "failed"))
            self.assertTrue(x["what"], x)
            self.assertEqual(x["state"] != "passed", x["remedy"] != "", x)
        return {x["check"]: x for x in found}

    def test_a_new_server_has_nothing_to_mend_but_what_the_machine_lacks(self):
        checks = self.checks()
        # Those of the machine, its disk and its limits, are not the server's.
        for name in set(CHECKS) - {"disk", "open_files"}:
            self.assertEqual(checks[name]["state"], "passed", checks[name])
        self.assertIn("self-signed", checks["certificate"]["what"])
        self.assertIn("all have their defaults", checks["settings"]["what"])

    def test_all_users_at_the_offline_limit_are_named(self):
        users = [f"full{i:02}@{DOMAIN}" for i in range(13)]
        self.server.add(*users)
        self.setting("im.offline_max", 2)
        alice = self.chat(ALICE)
        for user in (*users, BOB):
            self.assertEqual(alice.send(user), "stored")
        for user in users:
            self.assertEqual(alice.send(user), "stored")
        check = self.checks()["im.offline_max"]
        self.assertEqual(check["state"], "warning")
        self.assertEqual(check["users"], users)
        # One that is signed in and acknowledges nothing.
        carol = self.chat(CAROL, "desk", "--no-ack")
        for i in range(2):
            carol.message(alice.post(CAROL))
        check = self.checks()["im.offline_max"]
        self.assertEqual(check["users"], [CAROL, *users])
        empty = f"empty@{DOMAIN}"
        self.server.add(empty)
        for user, count in ((users[0], 2), (BOB, 1), (CAROL, 2), (empty, 0)):
            shown = self.server.admin("user", "show", user)["limits"]
            self.assertEqual(
                shown["im.offline_max"], {"count": count, "max": 2}
            )
        self.server.set("im.offline_max", 3)
        check = self.checks()["im.offline_max"]
        self.assertEqual(check["state"], "passed")
        self.assertNotIn("users", check)

    def test_all_users_with_as_many_endpoints_as_they_may_are_named(self):
        self.chat(CAROL, "desk")
        self.chat(ALICE, "desk")
        self.setting("session.endpoints_max", 2)
        check = self.checks()["session.endpoints_max"]
        self.assertEqual(check["state"], "passed")
        ends = [self.chat(user, "phone") for user in (CAROL, ALICE)]
        self.chat(BOB, "phone")
        check = self.checks()["session.endpoints_max"]
        self.assertEqual(check["state"], "warning")
        self.assertEqual(check["users"], [ALICE, CAROL])
        # One that is suspended counts: it may come back.
        self.setting("session.resume_window", "10 min")
        ends[0].process.kill()
        wait_until(
            lambda: any(
                (x["user"], x["endpoint"], x["state"])
                == (CAROL, "phone", "suspended")
                for x in self.server.admin("sessions")["sessions"]
            ),
            "a suspended session",
        )
        # By a lower maximum nobody goes, and who is beyond it is named.
        self.server.set("session.endpoints_max", 1)
        check = self.checks()["session.endpoints_max"]
        self.assertEqual(check["users"], [ALICE, BOB, CAROL])
        ends[1].quit()
        check = self.checks()["session.endpoints_max"]
        self.assertEqual(check["users"], [ALICE, BOB, CAROL])
        self.server.set("session.endpoints_max", 2)
        check = self.checks()["session.endpoints_max"]
        self.assertEqual(check["users"], [CAROL])

    def test_settings_that_differ_are_named(self):
        self.setting("im.grace", "3 s")
        check = self.checks()["settings"]
        self.assertEqual(check["state"], "passed")
        self.assertEqual(check["what"], "im.grace is 3 s, not 2 s")
        self.setting("im.enabled", "off")
        check = self.checks()["settings"]
        self.assertEqual(check["state"], "warning")
        self.assertIn("im.enabled", check["remedy"])

    def make_certificate(self, days, key):
        """In place of the server's; its key goes to the file `key`."""
        done = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes"]
            + ["-keyout", key, "-subj", f"/CN={DOMAIN}"]
            + ["-days", str(days), "-out", self.tls("cert.pem")],
            capture_output=True,
            timeout=PATIENCE,
        )
        self.assertEqual(done.returncode, 0, done.stderr)

    def tls(self, file):
        return os.path.join(self.server.data, "tls", file)

    def reload(self, state, what):
        """Until the check of the certificate says so."""
        self.server.process.send_signal(signal.SIGHUP)

        def found():
            check = self.checks()["certificate"]
            return what in check["what"] and check["state"] == state

        wait_until(found, f"{what}: {self.checks()['certificate']}")
        return self.checks()["certificate"]

    def test_the_certificate_in_use_is_judged_not_the_file(self):
        key = self.tls("key.pem")
        self.make_certificate(10, key)
        check = self.checks()["certificate"]
        self.assertEqual(check["state"], "warning")
        self.assertRegex(check["what"], r"ends in 36[45]\d days")
        self.assertRegex(check["what"], r"ends in (9|10) days and is not in use")
        self.assertIn("SIGHUP", check["remedy"])
        check = self.reload("warning", "")
        self.assertRegex(check["what"], r"cert.pem ends in (9|10) days; self")
        # With another's key it is refused, and the old one stays.
        self.make_certificate(500, "/dev/null")
        check = self.reload("failed", "the last SIGHUP failed")
        self.assertRegex(check["what"], r"cert.pem ends in (9|10) days; self")
        self.assertIn("key values mismatch", check["what"])
        self.make_certificate(400, key)
        self.reload("passed", "cert.pem ends in 399 days")
        with open(self.tls("cert.pem"), encoding="ascii") as file:
            before = file.read()
        for text, state, words in (
            ("nonsense", "failed", "holds no certificate"),
            (before, "passed", "ends in 399 days"),
        ):
            with open(self.tls("cert.pem"), "w", encoding="ascii") as out:
                out.write(text)
            check = self.checks()["certificate"]
            self.assertEqual(check["state"], state)
            self.assertIn(words, check["what"])

    def test_a_person_reads_a_line_a_check_and_how_to_mend_it(self):
        self.setting("im.offline_max", 1)
        alice = self.chat(ALICE)
        alice.send(DAVE)
        done = self.server.try_admin("troubleshoot")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        self.assertEqual(
            [x.split()[1] for x in lines if x[0] != " "], CHECKS, done.stdout
        )
        self.assertIn(f"           {DAVE}", lines)
        self.assertTrue(any(x.startswith("         → ") for x in lines))
        done = self.server.try_admin("troubleshoot", "more")
        self.assertEqual(done.returncode, 2)

    def test_who_mistypes_a_user_to_be_kicked_is_told(self):
        done = self.server.try_admin("kick", f"alise@{DOMAIN}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no_such_user", done.stderr)
        self.server.admin("kick", ALICE)
        self.assertEqual(self.server.admin("kick", ALICE), {"ended": 0})


if __name__ == "__main__":
    main()
