#!/usr/bin/python3
"""What is wrong with a server, and how to mend it: `parley admin
troubleshoot`, and what else an operator looks at.

    troubleshoot_test.py PARLEY
"""

import os
import subprocess

from parley_system import ALICE, BOB, CAROL, DAVE, DOMAIN, PATIENCE
from parley_system import SystemTest, main

CHECKS = (
    "workers store disk clock certificate open_files queues memory sessions "
    "im.offline_max contacts.max watchers.max settings"
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
        for user, count in ((users[0], 2), (BOB, 1), (CAROL, 2), (DAVE, 0)):
            shown = self.server.admin("user", "show", user)["limits"]
            self.assertEqual(
                shown["im.offline_max"], {"count": count, "max": 2}
            )
        self.server.set("im.offline_max", 3)
        check = self.checks()["im.offline_max"]
        self.assertEqual(check["state"], "passed")
        self.assertNotIn("users", check)

    def test_settings_that_differ_are_named(self):
        self.setting("im.grace", "3 s")
        check = self.checks()["settings"]
        self.assertEqual(check["state"], "passed")
        self.assertEqual(check["what"], "im.grace is 3 s, not 2 s")
        self.setting("im.enabled", "off")
        check = self.checks()["settings"]
        self.assertEqual(check["state"], "warning")
        self.assertIn("im.enabled", check["remedy"])

    def test_a_certificate_that_ends_soon_is_told_of(self):
        file = os.path.join(self.server.data, "tls", "cert.pem")
        with open(file, encoding="ascii") as old:
            before = old.read()

        def put_back():
            with open(file, "w", encoding="ascii") as out:
                out.write(before)

        self.addCleanup(put_back)
        done = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes"]
            + ["-keyout", "/dev/null", "-subj", f"/CN={DOMAIN}"]
            + ["-days", "10", "-out", file],
            capture_output=True,
            timeout=PATIENCE,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        check = self.checks()["certificate"]
        self.assertEqual(check["state"], "warning")
        self.assertRegex(check["what"], r"ends in (9|10) days")
        with open(file, "w", encoding="ascii") as out:
            out.write("nonsense")
        check = self.checks()["certificate"]
        self.assertEqual(check["state"], "failed")
        self.assertIn("holds no certificate", check["what"])

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
