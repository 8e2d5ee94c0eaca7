#!/usr/bin/python3
"""Files of contacts and accounts on their way in: headers, what the audit log
has of them.

    imports_test.py PARLEY
"""

import itertools
import json
import os

from contacts_admin_test import csv_file
from operator_test import admin_connection, ask
from parley_system import DOMAIN, Server, SystemTest, main, wait_until

names = itertools.count()


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

    def test_an_import_is_one_line_of_the_audit_log(self):
        (a,) = self.people(1)
        before = self.audit_lines()
        # More than the server takes at once.
        rows = [[a, "no address"]] * 11_000
        done, _ = self.try_import(rows)
        self.assertEqual(len(done["refused"]), len(rows))
        self.assertEqual(
            self.audited("contacts"), "0 contacts, 11000 rows refused"
        )
        self.assertEqual(self.audit_lines(), before + 1)

    def test_an_import_whose_connection_breaks_is_audited_as_far_as_it_came(self):
        a, b = self.people(2)
        before = self.audit_lines()
        connection = admin_connection(self.server)
        rows = [[a, b], [a, "no address"]]
        done = ask(connection, op="contacts.import", rows=rows, more=True)
        self.assertEqual(done["imported"], 1)
        self.assertEqual(self.audit_lines(), before)
        connection.close()
        wait_until(
            lambda: self.audit_lines() == before + 1, "the line of the import"
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


if __name__ == "__main__":
    main()
