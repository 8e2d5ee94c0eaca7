#!/usr/bin/python3
"""Files of contacts and accounts on their way in: headers, what the audit log
has of them, and imports that break off; and files of exports.

    imports_test.py PARLEY
"""

import itertools
import json
import os
import socket
import stat
import subprocess
import tempfile
import threading

from contacts_admin_test import csv_file
from operator_test import admin_connection, ask
from parley_system import DOMAIN, PATIENCE, Server, SystemTest, main, wait_until

names = itertools.count()


class AdminThatBreaksOff:
    """An admin socket that refuses the first row of each request, takes the
    others, and hangs up after so many requests of a connection."""

    def __init__(self, parent, after):
        self.folder = tempfile.mkdtemp(dir=parent)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(os.path.join(self.folder, "admin.sock"))
        self.socket.listen()
        self.after = after
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection = self.socket.accept()[0]
            except OSError:
                return  # it was closed
            with connection, connection.makefile("rw") as lines:
                for _ in range(self.after):
                    rows = json.loads(lines.readline())["rows"]
                    refused = {
                        **{"index": 0, "user": rows[0][0], "contact": ""},
                        **{"reason": "bad_request", "text": "as a test"},
                    }
                    done = {"imported": len(rows) - 1, "refused": [refused]}
                    lines.write(json.dumps(done) + "\n")
                    lines.flush()

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class ImportsTest(SystemTest):
    users = tuple(f"user{n:02}@{DOMAIN}" for n in range(20))

    def people(self, count):
        """Users that no other test knows."""
        return [self.users[next(names)] for _ in range(count)]

    def csv(self, rows):
        return csv_file(self.server, "in.csv", rows)

    def try_import(self, rows):
        """What became of it, and the exit status."""
        done = self.server.try_admin(
            "contacts", "import", self.csv(rows), "--json"
        )
        return json.loads(done.stdout), done.returncode

    # -- headers

    def test_a_header_is_passed_over(self):
        a, b = self.people(2)
        for header in (
            ["user", "contact"],
            ["User", "Contact", "Name", "Groups", "Subscription"],
        ):
            self.server.admin("contacts", "import", self.csv([header]))
            done, status = self.try_import([header, [a, b]])
            self.assertEqual((done["refused"], status), ([], 0))
            self.assertEqual(done["imported"], 1)
        # With columns left out or in another order the rows would be misread.
        for header in (
            ["user", "contact", "subscription"],
            ["USER", "Contact", "name", "groups", "subscription", "notes"],
            ["contact", "user"],
        ):
            path = self.csv([header, [a, b, "none"]])
            done = self.server.try_admin("contacts", "import", path)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("user,contact,name,groups,subscription", done.stderr)
        shown = self.server.admin("user", "show", a)["contacts"]
        self.assertEqual([x["name"] for x in shown], [""])
        # Nowhere else.
        done, _ = self.try_import([[a, b], ["user", "contact"]])
        self.assertEqual([x["line"] for x in done["refused"]], [2])

    # -- the audit log

    def test_an_import_of_nothing_but_refused_rows_is_in_the_audit_log(self):
        for kind, refused in (
            ("contacts", "0 contacts, 2 rows refused"),
            ("user", "0 accounts, 2 rows refused"),
        ):
            path = self.csv([["x", "y"], ["z", "y"]])
            done = self.server.try_admin(kind, "import", path)
            self.assertEqual(done.returncode, 1, done)
            (line,) = self.server.admin("audit", "1")["audit"]
            self.assertEqual(
                (line["what"], line["to"]), (f"{kind} import", refused)
            )

    def audited(self, kind):
        """Where the latest line is of an import: with what came of it."""
        (line,) = self.server.admin("audit", "1")["audit"]
        self.assertEqual(line["what"], f"{kind} import")
        return line["to"]

    def audit_lines(self):
        return len(self.server.admin("audit", "100000")["audit"])

    def test_what_never_reaches_the_server_is_in_the_audit_log(self):
        a, b = self.people(2)
        path = os.path.join(self.server.folder, "bytes.csv")
        for kind, rows, audited in (
            ("contacts", f"{a},{b},".encode() + b"\xff\n", "0 contacts, 1 row"),
            ("user", f"{a},".encode() + b"\xff\n", "0 accounts, 1 row"),
            ("contacts", f'{a},{b}\n{a},"{b}"x\n'.encode(), "1 contact, 1 row"),
        ):
            with open(path, "wb") as out:
                out.write(rows)
            done = self.server.try_admin(kind, "import", path)
            self.assertEqual(done.returncode, 1, done)
            self.assertEqual(self.audited(kind), audited + " refused")

    def test_an_import_is_two_lines_of_the_audit_log_however_long_it_is(self):
        (a,) = self.people(1)
        before = self.audit_lines()
        # More than the server takes at once.
        rows = [[a, "no address"]] * 11_000
        done, _ = self.try_import(rows)
        self.assertEqual(len(done["refused"]), len(rows))
        self.assertEqual(
            self.audited("contacts"), "0 contacts, 11000 rows refused"
        )
        self.assertEqual(self.audit_lines(), before + 2)

    def test_an_import_whose_connection_breaks_is_audited_as_far_as_it_came(self):
        a, b = self.people(2)
        before = self.audit_lines()
        connection = admin_connection(self.server)
        rows = [[a, b], [a, "no address"]]
        done = ask(connection, op="contacts.import", rows=rows, more=True)
        self.assertEqual(done["imported"], 1)
        self.assertEqual(self.audit_lines(), before + 1)
        self.assertEqual(self.audited("contacts"), "begins")
        connection.close()
        wait_until(
            lambda: self.audit_lines() == before + 2, "the end of the import"
        )
        self.assertEqual(self.audited("contacts"), "1 contact, 1 row refused")

    def test_a_stop_does_not_hide_what_an_import_did_before(self):
        server = Server(self.parley)
        self.addCleanup(server.remove)
        connection = admin_connection(server)
        self.addCleanup(connection.close)
        rows = [[f"new@{DOMAIN}", "secret"]]
        done = ask(connection, op="user.import", rows=rows, more=True)
        self.assertEqual(done["added"], 1)
        self.assertEqual(server.stop(), 0)
        server.start()
        (line,) = server.admin("audit", "1")["audit"]
        self.assertEqual(
            (line["what"], line["to"]),
            ("user import", "1 account, 0 rows refused"),
        )

    def test_nothing_is_made_without_a_line_also_where_the_server_is_killed(
        self,
    ):
        server = Server(self.parley)
        self.addCleanup(server.remove)
        connection = admin_connection(server)
        self.addCleanup(connection.close)
        ann, ben = f"ann@{DOMAIN}", f"ben@{DOMAIN}"
        for rows in ([[ann, "secret"]], [[ben, "secret"]]):
            ask(connection, op="user.import", rows=rows, more=True)
        ask(connection, op="contacts.import", rows=[[ann, ben]], more=True)
        server.kill()
        server.start()
        self.assertEqual(server.admin("user", "list")["users"], [ann, ben])
        self.assertEqual(
            [(x["what"], x["to"]) for x in server.admin("audit")["audit"]],
            [("contacts import", "begins"), ("user import", "begins")],
        )

    # -- what breaks off

    def test_an_import_that_breaks_off_tells_what_was_done_and_where_to_go_on(
        self,
    ):
        (a,) = self.people(1)
        server = AdminThatBreaksOff(self.server.folder, after=1)
        self.addCleanup(server.close)
        rows = [[a, "far@elsewhere.net"]] * 5_000 + [[a, "too", "late"]] * 3
        for more in (["--json"], []):
            path = self.csv([["no user", a], *rows])
            done = subprocess.run(
                [self.parley, "admin", "--data", server.folder, *more]
                + ["contacts", "import", path],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
            self.assertEqual(done.returncode, 1, done)
            self.assertIn("4999 contacts imported before", done.stderr)
            self.assertIn("go on from line 5001", done.stderr)
            if more:
                answer = json.loads(done.stdout)
                self.assertEqual(answer["error"], "connection_lost")
                self.assertEqual(answer["go_on_from_line"], 5001)
                self.assertEqual(answer["imported"], 4999)
                (refused,) = answer["refused"]
                self.assertEqual(
                    (refused["line"], refused["text"]), (1, "as a test")
                )
            else:
                self.assertIn("refused line 1, no user", done.stderr)

    # -- out again

    def test_a_file_is_replaced_once_all_is_there_and_not_before(self):
        a, b = self.people(2)
        done, _ = self.try_import([[a, b, "", "", "none"]])
        self.assertEqual(done["refused"], [])
        folder = os.path.join(self.server.folder, "exports")
        os.mkdir(folder)
        path = os.path.join(folder, "b.csv")
        with open(path, "w", encoding="utf-8") as out:
            out.write("before\n")
        os.chmod(path, 0o644)
        done = self.server.try_admin(
            "contacts", "export", f"nobody@{DOMAIN}", path
        )
        self.assertEqual(done.returncode, 1)

        def text():
            with open(path, encoding="utf-8") as file:
                return file.read()

        self.assertEqual(text(), "before\n")
        self.assertEqual(os.listdir(folder), ["b.csv"])
        self.server.admin("contacts", "export", a, path)
        self.assertEqual(text(), f"{a},{b},,,none\n")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(os.listdir(folder), ["b.csv"])
        done = self.server.try_admin("contacts", "export", a, "/dev/stdout")
        self.assertEqual(
            done.stdout, f"{a},{b},,,none\n1 contact exported\n"
        )
        # Through a link, and nothing of it before the server has agreed.
        link = os.path.join(folder, "link.csv")
        os.symlink(path, link)
        self.server.try_admin("contacts", "export", f"nobody@{DOMAIN}", link)
        self.assertEqual(text(), f"{a},{b},,,none\n")
        self.server.admin("contacts", "export", b, link)
        self.assertEqual(text(), "")
        for words in ("/no/such/folder/x", folder):
            done = self.server.try_admin("contacts", "export", a, words)
            self.assertEqual(done.returncode, 1, words)
            self.assertIn(f"cannot write {words}: ", done.stderr)


if __name__ == "__main__":
    main()
