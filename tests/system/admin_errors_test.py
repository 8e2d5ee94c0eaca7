#!/usr/bin/python3
"""What `parley admin` answers when it does not do what it was asked.

    admin_errors_test.py PARLEY
"""

import functools
import json
import os
import socket
import subprocess

from parley_system import ALICE, DOMAIN, NOBODY, PATIENCE
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
        self.assertIn(f"parley serve --data {self.server.data}", answer["text"])
        file = self.server.file("rows", f"x@{DOMAIN},x\n")
        self.assertEqual(
            self.refused("user", "import", file)["error"], "no_server"
        )

    def test_an_answer_that_cannot_be_written_is_no_success(self):
        full = os.open("/dev/full", os.O_WRONLY)
        self.addCleanup(os.close, full)
        for words in (
            ("sessions", "--json"),
            ("settings", "list"),
            ("settings", "get", "im.grace"),
            ("user", "list"),
        ):
            done = self.run_admin(words, stdout=full)
            self.assertEqual(done.returncode, 1, (words, done))
            self.assertIn("No space left", done.stderr)
            self.assertEqual(self.run_admin(words).returncode, 0, words)

    def run_admin(self, words, **how):
        command = [self.parley, "admin", "--data", self.server.data, *words]
        streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        return subprocess.run(
            command, **{**streams, **how}, text=True, timeout=PATIENCE
        )

    def test_a_closed_descriptor_is_not_taken_for_another_file(self):
        for fd in range(3):
            path = os.path.join(self.server.folder, f"closed {fd}")
            done = self.run_admin(
                ("contacts", "export", path),
                preexec_fn=functools.partial(os.close, fd),
            )
            # Who counted is not told, which is a failure; nothing is in the
            # file but what belongs there.
            self.assertEqual(done.returncode, 1 if fd == 1 else 0, (fd, done))
            with open(path, encoding="utf-8") as file:
                self.assertEqual(file.read(), "")

    # -- words

    def test_an_error_says_what_to_look_at(self):
        new = ("user", "add", f"new@{DOMAIN}", "--password-file")
        control = self.server.file("control", "a\x07b\n")
        empty = self.server.file("empty", "\n")
        for words, said in (
            (("settings", "set", "nope", "1"), "settings list"),
            (("settings", "get", "nope"), "settings list"),
            (("settings", "set", "im.grace", "2.0005"), "whole milliseconds"),
            (("contacts", "export", "/no/such/file"), "No such file"),
            (("contacts", "import", "/no/such/file"), "No such file"),
            ((*new, control), "SASLprep"),
            ((*new, empty), "the password is empty"),
        ):
            self.assertIn(said, self.refused(*words)["text"], words)

    def test_lines_of_a_password_file_may_end_as_elsewhere(self):
        user = f"elsewhere@{DOMAIN}"
        path = os.path.join(self.server.folder, "crlf")
        with open(path, "wb") as out:
            out.write(b"a password\r\n")
        self.server.admin("user", "add", user, "--password-file", path)
        for text in ("a password\r\n", "a password\n"):
            file = self.server.file("its-password", text)
            chat = self.chat(user, "desk", "--password-file", file)
            self.assertEqual(chat.quit(), 0)

    def test_a_start_that_fails_blames_what_is_at_fault(self):
        port = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(port.close)
        taken = f"127.0.0.1:{port.getsockname()[1]}"
        file = self.server.file(
            "tls.toml", 'certificate = "/no/cert.pem"\nkey = "/no/key.pem"\n'
        )
        for words, begins, said in (
            (
                ("--plain", "--metrics", taken),
                f"cannot listen on {taken}: ",
                "Address already in use",
            ),
            (
                ("--config", file),
                "tls_failed: the certificate /no/cert.pem: ",
                "No such file",
            ),
        ):
            done = subprocess.run(
                [self.parley, "serve", "--listen", "127.0.0.1:0", *words]
                + ["--data", os.path.join(self.server.folder, "another")],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
            self.assertEqual(done.returncode, 1)
            last = done.stderr.splitlines()[-1]
            self.assertTrue(last.startswith("parley serve: " + begins), last)
            self.assertIn(said.lower(), last.lower())

    def test_the_program_says_which_version_it_is(self):
        done = subprocess.run(
            [self.parley, "--version"], capture_output=True, text=True
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^parley \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    main()
