#!/usr/bin/python3
"""What `parley admin` answers when it does not do what it was asked.

    admin_errors_test.py PARLEY
"""

import json
import os

from parley_system import ALICE, DOMAIN, NOBODY
from parley_system import SystemTest, main


class ErrorsTest(SystemTest):
    users = (ALICE,)

    def refused(self, *words, status=1):
        """The answer to a script, which a person is told in words, too."""
        done = self.server.try_admin(*words, "--json")
        self.assertEqual(done.returncode, status, (words, done))
        self.assertIn("parley admin: ", done.stderr, words)
        self.assertEqual(done.stdout.count("\n"), 1, (words, done))
        answer = json.loads(done.stdout)
        self.assertTrue(answer["text"], words)
        plain = self.server.try_admin(*words)
        self.assertEqual(plain.returncode, status, (words, plain))
        self.assertEqual((plain.stdout, plain.stderr), ("", done.stderr))
        return answer

    def test_every_error_is_json_for_a_script(self):
        for reason, words in (
            ("bad_request", ("settings", "get", "nope")),
            ("bad_request", ("settings", "set", "nope", "1")),
            ("bad_request", ("settings", "set", "im.grace", "soon")),
            ("file_failed", ("user", "import", "/no/such/file")),
            ("file_failed", ("user", "import", "/")),
            ("file_failed", ("contacts", "import", "/no/such/file")),
            ("file_failed", ("contacts", "export", "/no/such/file")),
            ("file_failed", self.add(NOBODY, "/no/such/file")),
            ("exists", self.add(ALICE, self.server.password_file)),
            ("bad_address", self.add("none", self.server.password_file)),
            ("no_such_user", ("user", "show", NOBODY)),
            ("no_such_user", ("kick", NOBODY)),
            ("no_such_user", ("contacts", "export", NOBODY, "/dev/null")),
        ):
            self.assertEqual(self.refused(*words)["error"], reason, words)

    @staticmethod
    def add(user, file):
        return ("user", "add", user, "--password-file", file)

    def test_so_is_wrong_usage(self):
        for reason, words in (
            ("unknown_request", ("frobnicate",)),
            ("unknown_request", ("user", "frobnicate", ALICE)),
            ("unknown_request", ("settings", "frobnicate")),
            ("unknown_request", ("contacts", "frobnicate")),
            ("bad_request", ()),
            ("bad_request", ("audit", "x")),
            ("bad_request", ("audit", "0")),
            ("bad_request", ("settings", "get")),
            ("bad_request", ("sessions", "all")),
            ("bad_request", ("sessions", "--from", ALICE)),
            ("bad_request", ("user", "add", ALICE)),
            ("bad_request", ("sessions", "--frobnicate")),
        ):
            answer = self.refused(*words, status=2)
            self.assertEqual(answer["error"], reason, words)
            # The list of commands is for a person.
            self.assertLess(len(answer["text"]), 100, answer)

    def test_so_is_a_server_that_is_not_there(self):
        data = self.server.data
        self.addCleanup(setattr, self.server, "data", data)
        self.server.data = os.path.join(self.server.folder, "none")
        answer = self.refused("sessions")
        self.assertEqual(answer["error"], "no_server")
        self.assertIn(self.server.data, answer["text"])
        file = self.server.file("rows", f"x@{DOMAIN},x\n")
        self.assertEqual(
            self.refused("user", "import", file)["error"], "no_server"
        )


if __name__ == "__main__":
    main()
