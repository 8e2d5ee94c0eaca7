#!/usr/bin/python3
"""Contact lists as operators see them: files in and out, one user with both
halves of each subscription, and who has reached a limit.

    contacts_admin_test.py PARLEY
"""

import csv
import itertools
import json
import os
import stat
import time

from parley_system import DOMAIN, SystemTest, main, wait_until
from metrics_test import read

# Who reads metrics within 0.1 s of somebody else gets the same.
METRICS_AGE = 0.2  # seconds

names = itertools.count()


def csv_file(server, name, rows):
    """The path of one with these rows."""
    path = os.path.join(server.folder, name)
    with open(path, "w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    return path


class ContactsAdminTest(SystemTest):
    users = tuple(f"user{n:03}@{DOMAIN}" for n in range(120))

    # All that a client says is told: enough to fill what lies between.
    configuration = "presence_rate = 0\n"
    arguments = ("--metrics", "127.0.0.1:0")

    def people(self, count):
        """Users that no other test knows."""
        return [self.users[next(names)] for _ in range(count)]

    def csv(self, name, rows):
        return csv_file(self.server, name, rows)

    def try_import(self, rows):
        """What became of it, and the exit status."""
        done = self.server.try_admin(
            "contacts", "import", self.csv("in.csv", rows), "--json"
        )
        return json.loads(done.stdout), done.returncode

    def imports(self, *rows):
        done, status = self.try_import(rows)
        self.assertEqual((done["refused"], status), ([], 0))
        self.assertEqual(done["imported"], len(rows))

    def exported(self, *words):
        """Rows of a file that an export makes."""
        path = os.path.join(self.server.folder, "out.csv")
        done = self.server.admin("contacts", "export", *words, path)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode) & 0o077, 0)
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        self.assertEqual(done, {"exported": len(rows)})
        os.remove(path)
        return rows

    def user(self, who, *words):
        return self.server.admin("user", "show", who, *words)

    def contact(self, who, whom):
        """How one stands in the other's list."""
        (found,) = [
            x for x in self.user(who)["contacts"] if x["address"] == whom
        ]
        return found

    def settled(self, who, whom, to="active"):
        wait_until(
            lambda: self.contact(who, whom)["to"] == to
            and self.contact(who, whom)["agree"],
            f"{who} and {whom}: {self.contact(who, whom)}",
        )

    # -- files

    def test_every_kind_of_refusal_has_its_line_and_its_reason(self):
        self.setting("contacts.max", 3)
        a, b, c, d, full, other, watched, w1 = self.people(8)
        self.imports(*[[full, x, "", "", "none"] for x in (a, b, c)])
        self.setting("watchers.max", 1)
        self.imports([w1, watched])
        self.settled(w1, watched)
        rows = [
            [a, b, "B", "friends;work"],  # 1
            ["no user", b],
            [f"nobody@{DOMAIN}", b],
            [a, "no address"],
            [a, f"nobody@{DOMAIN}"],
            [a, a],
            [a, full],  # 7: whose list is full
            [a, watched, "", "", "to"],
            [a, b, "x" * 256],
            [a, b, "", ";".join(f"g{n}" for n in range(33))],
            [a, b, "", "one;;two"],
            [a, b, "", "", "both"],
            [a],
            [a, b, "", "", "to", "more"],
            [a, c, "", "", "none"],  # 15
            [a, "somebody@elsewhere.net"],
            [a, d],  # 17: own list is full
            [other, watched, "", "", "none"],  # to be listed is allowed
        ]
        done, status = self.try_import(rows)
        self.assertEqual(status, 1)
        found = [
            (x["line"], x["reason"], x.get("whose", ""))
            for x in done["refused"]
        ]
        self.assertEqual(
            found,
            [
                (2, "bad_address", ""),
                (3, "no_such_user", ""),
                (4, "bad_address", ""),
                (5, "no_such_user", ""),
                (6, "bad_request", ""),
                (7, "contact_list_full", full),
                (8, "watcher_limit", ""),
                (9, "bad_request", ""),
                (10, "bad_request", ""),
                (11, "bad_request", ""),
                (12, "bad_request", ""),
                (13, "bad_request", ""),
                (14, "bad_request", ""),
                (17, "contact_list_full", a),
            ],
        )
        self.assertEqual(done["imported"], len(rows) - len(found))
        self.assertIn(
            (7, f"the contact list of {full} is full: at most 3 contacts"),
            [(x["line"], x["text"]) for x in done["refused"]],
        )
        self.assertIn(
            (8, f"too many see {watched} already: at most 1 watcher"),
            [(x["line"], x["text"]) for x in done["refused"]],
        )
        # What reached the server: all of it.
        log = self.server.admin("audit", "1")["audit"]
        self.assertEqual(
            [(x["what"], x["to"]) for x in log],
            [("contacts import", "4 contacts, 14 rows refused")],
        )
        # For a person.
        done = self.server.try_admin(
            "contacts", "import", self.csv("in.csv", [[a, d]])
        )
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"refused line 1, {a}, {d}: contact_list_full", done.stderr)
        self.assertIn("0 contacts imported, 1 row refused", done.stdout)
        done = self.server.try_admin(
            *("contacts", "import", self.csv("in.csv", [[other, full]]))
        )
        self.assertIn(
            f"the contact list of {full} is full: at most 3 contacts",
            done.stderr,
        )
        # Who is full now can be added by nobody.
        done, _ = self.try_import([[other, a]])
        (refused,) = done["refused"]
        self.assertEqual(
            (refused["reason"], refused["whose"]), ("contact_list_full", a)
        )

    def test_what_is_exported_goes_in_again(self):
        a, b, c, d = self.people(4)
        rows = [
            [a, b, 'a, "quoted"\r\nname\n', r"semi\;colon;back\\slash", "to"],
            [a, c, "Zoë", "", "none"],
            [a, "somebody@elsewhere.net", "", "far", "none"],
            [d, a, "", "", "to"],
        ]
        text = self.csv("in.csv", rows)
        with open(text, encoding="utf-8", newline="") as file:
            done = self.server.admin(
                "contacts", "import", "-", text=file.read()
            )
        self.assertEqual(done, {"imported": 4, "refused": []})
        self.settled(a, b)
        self.settled(d, a)
        # Of somebody elsewhere nothing is known.
        far = self.contact(a, "somebody@elsewhere.net")
        self.assertEqual((far["other"], far["agree"]), (None, None))
        mine = sorted(x for x in rows if x[0] == a)
        self.assertEqual(sorted(self.exported(a)), mine)
        # All users: none twice, none left out.
        everybody = self.exported()
        self.assertEqual(
            sorted(x for x in everybody if x[0] in (a, d)), sorted(rows)
        )
        self.assertEqual(len({(x[0], x[1]) for x in everybody}), len(everybody))
        printed = self.server.try_admin("contacts", "export", d)
        self.assertEqual(printed.stdout, f"{d},{a},,,to\n")
        # On another server: the same.
        other = type(self.server)(self.parley, users=self.users)
        self.addCleanup(other.remove)
        path = self.csv("all.csv", everybody)
        done = other.admin("contacts", "import", path)
        self.assertEqual(done["refused"], [])
        path = os.path.join(other.folder, "out.csv")
        other.admin("contacts", "export", path)
        with open(path, encoding="utf-8", newline="") as file:
            self.assertEqual(list(csv.reader(file)), everybody)
        said = [x["what"] for x in self.server.admin("audit", "20")["audit"]]
        self.assertIn("contacts import", said)
        self.assertIn("contacts export", said)
        self.assertIn(f"contacts export {a}", said)

    def test_words_that_make_no_sense_are_refused(self):
        (a,) = self.people(1)
        for words, status in (
            (("contacts",), 2),
            (("contacts", "import"), 2),
            (("contacts", "export", a, "x", "y"), 2),
            (("contacts", "export", a, "--json"), 2),
            (("contacts", "export", f"nobody@{DOMAIN}"), 1),
            (("contacts", "import", "/no/such/file"), 1),
            (("user", "list", "--as", a), 2),
            (("user", "show", a, "--as", "nobody"), 1),
            (("user", "show", a, "--as", f"nobody@{DOMAIN}"), 1),
        ):
            done = self.server.try_admin(*words)
            self.assertEqual(done.returncode, status, (words, done))
        self.assertEqual(self.exported(a), [])

    def test_what_fails_is_not_in_the_audit_log(self):
        (a,) = self.people(1)
        before = self.server.admin("audit", "100000")["audit"]
        for words in (
            ("contacts", "export", f"nobody@{DOMAIN}"),
            ("kick", f"nobody@{DOMAIN}"),
            ("user", "remove", f"nobody@{DOMAIN}"),
            ("settings", "set", "contacts.max", "x"),
        ):
            done = self.server.try_admin(*words)
            self.assertEqual(done.returncode, 1, (words, done))
        self.assertEqual(self.server.admin("audit", "100000")["audit"], before)

    # -- one user

    def test_both_halves_of_subscriptions_are_shown(self):
        self.setting("presence.auto_approve", "off")
        a, b, c, d = self.people(4)
        self.imports([a, b, "Bob", "x;y"], [c, a], [a, d, "", "", "none"])
        wait_until(
            lambda: self.user(a)["requests"] == [c]
            and self.user(b)["requests"] == [a],
            "the requests",
        )
        found = self.contact(a, b)
        self.assertEqual(
            (found["name"], found["groups"], found["listed"]),
            ("Bob", ["x", "y"], True),
        )
        self.assertEqual((found["to"], found["from"]), ("pending", "none"))
        self.assertEqual(
            found["other"],
            {"to": "none", "from": "pending", "pretended": False},
        )
        self.assertTrue(found["agree"])
        found = self.contact(a, c)
        self.assertFalse(found["listed"])
        self.assertEqual(
            (found["from"], found["other"]["to"]), ("pending", "pending")
        )
        shown = self.user(a)
        self.assertEqual(
            shown["limits"]["contacts.max"], {"count": 2, "max": 200}
        )
        self.assertEqual(
            shown["limits"]["im.offline_max"], {"count": 0, "max": 1000}
        )
        self.assertEqual(shown["limits"]["presence.adhoc_max"]["count"], 0)
        self.server.set("presence.auto_approve", "on")
        self.settled(a, b)
        self.settled(c, a)
        self.assertEqual(self.user(a)["requests"], [])
        self.assertEqual(
            self.user(a)["watchers"],
            [
                {
                    "address": c,
                    "recorded": True,
                    "live": False,
                    "pretended": False,
                }
            ],
        )
        done = self.server.try_admin("user", "show", a)
        self.assertEqual(done.returncode, 0)
        for text in (b, "Bob", "x; y", "contacts.max: 2 of 200"):
            self.assertIn(text, done.stdout)

    def test_what_another_sees_and_who_is_pretended_to(self):
        a, b, c, d = self.people(4)
        self.imports([a, b], [c, b])
        self.settled(a, b)
        self.settled(c, b)
        bob = self.chat(b)
        bob.ask("presence", show="away", status="lunch")
        alice = self.chat(a)

        def seen(viewer):
            return self.user(b, "--as", viewer)["seen"]

        wait_until(lambda: seen(a)["show"] == "away", "away")
        self.assertEqual(
            seen(a),
            {
                "viewer": a,
                "show": "away",
                "status": "lunch",
                "endpoints": [
                    {
                        "endpoint": "desk",
                        "show": "away",
                        "status": "lunch",
                        "priority": 0,
                    }
                ],
            },
        )
        self.assertEqual(seen(d)["show"], "unavailable")
        self.assertEqual(seen(d)["endpoints"], [])
        wait_until(
            lambda: {"address": a, "recorded": True, "live": True, "pretended": False}
            in self.user(b)["watchers"],
            "a live watcher",
        )
        # Blocked before it asks: answered for show, and sees nobody.
        bob.ask("privacy", id="block", block=[a, d])
        bob.wait_for(lambda x: x.get("id") == "block")
        self.assertEqual(seen(a)["show"], "unavailable")
        # One that was told the truth before is answered for show now.
        (watcher,) = [
            x for x in self.user(b)["watchers"] if x["address"] == a
        ]
        self.assertEqual((watcher["recorded"], watcher["pretended"]), (True, True))
        self.assertTrue(self.contact(b, a)["pretended"])
        self.assertTrue(self.contact(a, b)["other"]["pretended"])
        self.assertFalse(self.contact(b, c)["pretended"])
        self.imports([d, b])
        self.settled(d, b)
        self.assertIn(
            {"address": d, "recorded": True, "live": False, "pretended": True},
            self.user(b)["watchers"],
        )
        self.assertTrue(self.contact(d, b)["other"]["pretended"])
        self.assertEqual(self.user(b)["privacy"]["block"], sorted([a, d]))
        self.setting("presence.sharing", "off")
        self.assertEqual(seen(c)["show"], "unknown")
        done = self.server.try_admin("user", "show", b, "--as", c)
        self.assertIn(f"{c} sees: unknown", done.stdout)
        alice.quit()

    # -- limits and counters

    def counted_so_far(self):
        time.sleep(METRICS_AGE)
        return read(self.server)

    def test_who_is_full_is_named_by_the_troubleshooter(self):
        (a,) = self.people(1)
        rows = [[a, f"c{n}@elsewhere.net", "", "", "none"] for n in range(201)]
        self.imports(*rows[:195])
        before = self.counted_so_far()
        alice = self.chat(a)
        alice.ask(
            "contacts.add",
            id="six",
            contacts=[{"address": x[1]} for x in rows[195:]],
        )
        done = alice.wait_for(lambda x: x.get("id") == "six")
        self.assertEqual(done["added"], [x[1] for x in rows[195:200]])
        (refused,) = done["refused"]
        self.assertEqual(
            (refused["address"], refused["reason"], refused["whose"]),
            (rows[200][1], "contact_list_full", a),
        )
        checks = self.server.admin("troubleshoot")["checks"]
        (check,) = [x for x in checks if x["check"] == "contacts.max"]
        self.assertEqual((check["state"], check["users"]), ("warning", [a]))
        self.assertEqual(
            self.user(a)["limits"]["contacts.max"], {"count": 200, "max": 200}
        )
        name = "parley_limits_hit_total{contacts.max}"
        wait_until(
            lambda: read(self.server)[name] == before[name] + 1, "one refusal"
        )

    def test_who_is_full_by_watches_is_named_as_well(self):
        self.setting("watchers.max", 2)
        a, b, c = self.people(3)
        self.imports([a, c])
        self.settled(a, c)
        bob = self.chat(b)
        bob.ask("watch", id="watch", address=c, seconds=60)
        bob.wait_for(lambda x: x.get("id") == "watch")
        bob.wait_for(
            lambda x: x["event"] == "presence" and x["from"] == c
        )

        def full():
            checks = self.server.admin("troubleshoot")["checks"]
            (check,) = [x for x in checks if x["check"] == "watchers.max"]
            return check.get("users", [])

        wait_until(lambda: c in full(), f"{c} among {full()}")
        self.assertEqual(
            self.user(c)["limits"]["watchers.max"], {"count": 2, "max": 2}
        )
        self.assertEqual(
            self.user(b)["limits"]["presence.adhoc_max"]["count"], 1
        )
        bob.ask("watch", id="end", address=c, seconds=0)
        wait_until(lambda: c not in full(), f"{c} not among {full()}")

    def test_presence_is_counted(self):
        a, b, c = self.people(3)
        self.imports([a, b])
        self.settled(a, b)
        before = self.counted_so_far()

        def grown(name):
            return read(self.server)["parley_" + name] - before["parley_" + name]

        alice, bob, carol = self.chat(a), self.chat(b), self.chat(c)
        wait_until(lambda: grown("subscriptions{contact}") == 1, "one")
        wait_until(lambda: grown("presence_notifications_total") >= 1, "told")
        wait_until(lambda: read(self.server)["parley_rosters"] >= 2, "two")
        carol.ask("watch", id="watch", address=b, seconds=60)
        wait_until(lambda: grown("subscriptions{adhoc}") == 1, "a watch")
        self.assertEqual(grown("subscriptions{contact}"), 1)
        carol.ask("watch", id="end", address=b, seconds=0)
        wait_until(lambda: grown("subscriptions{adhoc}") == 0, "its end")
        alice.quit()
        wait_until(lambda: grown("subscriptions{contact}") == 0, "none")

    def test_what_a_slow_client_never_sees_is_counted_as_coalesced(self):
        a, b = self.people(2)
        self.imports([a, b])
        self.settled(a, b)
        name = "parley_presence_coalesced_total"
        before = self.counted_so_far()[name]
        alice, bob = self.chat(a), self.chat(b)
        alice.wait_for(
            lambda x: x["event"] == "presence" and x["from"] == bob.name
        )
        alice.freeze()
        self.addCleanup(alice.thaw)
        numbers = itertools.count()

        def coalesced():
            for _ in range(500):
                status = f"{next(numbers):06}".ljust(1000, "x")
                bob.ask("presence", show="away", status=status)
            return read(self.server)[name] > before

        wait_until(coalesced, "a notice that another took the place of")
        bob.ask("presence", show="away", status="last")
        alice.thaw()
        alice.wait_for(
            lambda x: x["event"] == "presence" and x["status"] == "last"
        )
        told = [x["status"] for x in alice.all_of("presence")]
        self.assertLess(len(told), next(numbers))


if __name__ == "__main__":
    main()
