#!/usr/bin/python3
"""Contact lists, subscriptions and presence, as clients see them.

    contacts_test.py PARLEY
"""

import copy
import itertools
import json

from line import Line
from parley_system import Chat, SystemTest, main, wait_until

names = itertools.count()
fences = itertools.count()


class ContactsTest(SystemTest):
    users = tuple(f"user{n}@example.org" for n in range(80))

    def people(self, count):
        """Users that no other test knows."""
        return [self.users[next(names)] for _ in range(count)]

    def answer(self, chat, op, **fields):
        """What answers a request."""
        id_ = f"{op} {next(fences)}"
        chat.ask(op, id=id_, **fields)
        return chat.wait_for(lambda x: x.get("id") == id_)

    def listed(self, chat):
        """The contact list by address."""
        found = self.answer(chat, "contacts.list")
        return {x["address"]: x for x in found["contacts"]}

    def add(self, chat, *contacts):
        return self.answer(
            chat,
            "contacts.add",
            contacts=[
                x if isinstance(x, dict) else {"address": x} for x in contacts
            ],
        )

    def refused(self, event):
        return [(x["address"], x["reason"]) for x in event["refused"]]

    def subscription(self, chat, who, state):
        return chat.wait_for(
            lambda x: x["event"] == "subscription"
            and x["from"] == who
            and x["state"] == state
        )

    def befriend(self, watcher, presentity):
        self.answer(watcher, "subscribe", to=self.bare(presentity))
        self.subscription(watcher, self.bare(presentity), "approved")

    def bare(self, chat):
        return chat.name.split("/")[0]

    def shows(self, chat, who):
        """All that was told of somebody, in order."""
        return [
            x["show"] for x in chat.all_of("presence") if x["from"] == who
        ]

    def sees(self, chat, who, show):
        wait_until(
            lambda: (self.shows(chat, who) or [""])[-1] == show,
            f"{who} as {show} at {chat.name}: {chat.all_of('presence')}",
        )

    def fence(self, *chats):
        """Everything under way between them has been told."""
        for chat in chats:
            for other in chats:
                if chat is not other:
                    other.message(chat.post(other.name))

    # -- contact lists

    def test_contacts_are_added_listed_changed_and_removed(self):
        a, b = self.people(2)
        desk, phone = self.chat(a), self.chat(a, "phone")
        self.answer(phone, "contacts.list")
        done = self.add(desk, {"address": b, "name": "B", "groups": ["x", "y"]})
        self.assertEqual(done["added"], [b])
        self.assertEqual(self.refused(done), [])
        found = self.listed(desk)[b]
        self.assertEqual((found["name"], found["groups"]), ("B", ["x", "y"]))
        # The other endpoint hears of it by itself.
        phone.wait_for(
            lambda x: x["event"] == "contacts"
            and any(c["address"] == b for c in x.get("contacts", []))
        )
        self.add(desk, {"address": b, "name": "Bee", "groups": []})
        self.assertEqual(self.listed(phone)[b]["name"], "Bee")
        self.answer(desk, "contacts.remove", contacts=[b])
        self.assertEqual(self.listed(phone), {})

    def test_a_bulk_add_at_the_limit_is_partial(self):
        self.setting("contacts.max", 5)
        a, full, late, *others = self.people(9)
        alice, filled = self.chat(a), self.chat(full)
        self.add(alice, *others[:4])
        done = self.add(alice, others[4], others[5])
        self.assertEqual(done["added"], [others[4]])
        (refused,) = done["refused"]
        self.assertEqual(
            (refused["address"], refused["reason"], refused["whose"]),
            (others[5], "contact_list_full", a),
        )
        # Nobody can add who is full.
        self.add(filled, *others[:5])
        done = self.add(self.chat(late), full)
        (refused,) = done["refused"]
        self.assertEqual(
            (refused["reason"], refused["whose"]), ("contact_list_full", full)
        )
        self.server.set("contacts.max", 2)
        self.assertEqual(len(self.listed(alice)), 5)

    def test_who_has_no_account_is_no_contact_unless_elsewhere(self):
        (a,) = self.people(1)
        alice = self.chat(a)
        done = self.add(
            alice, "nobody@example.org", "somebody@elsewhere.net", "no address"
        )
        self.assertEqual(done["added"], ["somebody@elsewhere.net"])
        self.assertEqual(
            sorted(self.refused(done)),
            [("no address", "bad_address"), ("nobody@example.org", "no_such_user")],
        )

    # -- subscriptions

    def test_approved_at_once_a_watcher_sees_every_change(self):
        a, b = self.people(2)
        alice, bob = self.chat(a), self.chat(b)
        self.befriend(alice, bob)
        self.sees(alice, bob.name, "available")
        bob.show("away")
        self.sees(alice, bob.name, "away")
        phone = self.chat(b, "phone")
        self.sees(alice, phone.name, "available")
        phone.ask("presence", show="dnd", status="not now")
        self.sees(alice, phone.name, "dnd")
        last = alice.all_of("presence")[-1]
        self.assertEqual((last["status"], last["composed"]), ("not now", "dnd"))
        phone.quit()
        self.sees(alice, phone.name, "unavailable")
        bob.quit()
        self.sees(alice, bob.name, "unavailable")
        self.assertEqual(self.shows(alice, bob.name).count("unavailable"), 1)
        # A new endpoint of the watcher is told who is here at its sign-in.
        back = self.chat(b)
        self.sees(alice, back.name, "available")
        self.sees(self.chat(a, "phone"), back.name, "available")

    def test_it_is_asked_and_an_offline_presentity_at_its_sign_in(self):
        self.setting("presence.auto_approve", "off")
        a, b, c = self.people(3)
        alice, bob = self.chat(a), self.chat(b)
        self.answer(alice, "subscribe", to=b)
        self.subscription(bob, a, "request")
        self.answer(bob, "approve", **{"from": a})
        self.subscription(alice, b, "approved")
        self.sees(alice, bob.name, "available")
        self.answer(alice, "subscribe", to=c)
        alice.quit()
        carol = self.chat(c)
        self.subscription(carol, a, "request")
        self.answer(carol, "deny", **{"from": a})
        alice = self.chat(a)
        self.assertEqual(self.listed(alice)[c]["to"], "none")
        # The end of one that was approved.
        self.answer(bob, "deny", **{"from": a})
        self.subscription(alice, b, "ended")

    def test_who_is_approved_beforehand_becomes_a_contact(self):
        self.setting("presence.auto_approve", "off")
        self.setting("contacts.max", 1)
        a, b, c, d = self.people(4)
        alice, bob, dave = self.chat(a), self.chat(b), self.chat(d)
        done = self.answer(alice, "approve", **{"from": b})
        self.assertEqual(done["event"], "done")
        entry = self.listed(alice)[b]
        self.assertEqual(
            (entry["subscription"], entry["preapproved"]), ("none", True)
        )
        # It has no room for more, nor has anybody for it.
        for chat, whom in ((alice, c), (dave, a)):
            error = self.answer(chat, "approve", **{"from": whom})
            self.assertEqual(
                (error["event"], error["reason"], error["address"]),
                ("error", "contact_list_full", whom),
            )
            self.assertEqual((error["whose"], error["limit"]), (a, 1))
            self.assertIn(f"the contact list of {a} is full", error["text"])
        self.server.set("contacts.max", 2)
        self.befriend(bob, alice)
        self.assertNotIn("preapproved", self.listed(alice)[b])

    def test_an_approval_beforehand_ends_with_the_account_it_was_for(self):
        self.setting("presence.auto_approve", "off")
        a, b = self.people(2)
        alice = self.chat(a)
        self.answer(alice, "approve", **{"from": b})
        self.server.admin("user", "remove", b)
        self.assertTrue(self.listed(alice)[b]["preapproved"])
        alice.quit()
        self.server.kill()
        self.server.start()
        self.server.add(b)
        alice, bob = self.chat(a), self.chat(b)
        self.answer(bob, "subscribe", to=a)
        self.subscription(alice, b, "request")
        entry = self.listed(alice)[b]
        self.assertEqual(entry["from"], "pending")
        self.assertNotIn("preapproved", entry)

    def test_turning_approval_on_decides_what_waits(self):
        self.setting("presence.auto_approve", "off")
        a, b, c = self.people(3)
        alice, bob = self.chat(a), self.chat(b)
        self.answer(alice, "subscribe", to=b)
        self.subscription(bob, a, "request")
        self.answer(alice, "subscribe", to=c)  # who is not here
        self.server.set("presence.auto_approve", "on")
        self.subscription(alice, b, "approved")
        self.subscription(alice, c, "approved")

    def test_subscriptions_survive_a_restart(self):
        a, b = self.people(2)
        alice, bob = self.chat(a), self.chat(b)
        self.befriend(alice, bob)
        alice.quit()
        bob.quit()
        self.server.kill()
        self.server.start()
        alice, bob = self.chat(a), self.chat(b)
        self.sees(alice, bob.name, "available")
        self.assertEqual(self.listed(alice)[b]["to"], "active")
        self.assertEqual(self.shows(bob, alice.name), [])

    def test_a_removed_account_ends_subscriptions_both_ways(self):
        a, b = self.people(2)
        alice, bob = self.chat(a), self.chat(b)
        self.befriend(alice, bob)
        self.befriend(bob, alice)
        self.sees(alice, bob.name, "available")
        self.server.admin("user", "remove", b)
        self.subscription(alice, b, "ended")
        self.sees(alice, bob.name, "unavailable")
        self.assertEqual(self.listed(alice)[b]["from"], "none")

    def test_a_list_that_became_empty_meanwhile_is_told(self):
        a, b = self.people(2)
        line = Line(self.server.address)
        self.addCleanup(line.close)
        by_line = copy.copy(self.server)
        by_line.address = line.address
        alice = Chat(by_line, a)
        self.addCleanup(alice.end)
        self.add(alice, b)
        line.cut()
        self.server.admin("user", "remove", a)
        self.server.add(a)
        line.mend()
        alice.wait_for(lambda x: x.get("since") == 0 and x["contacts"] == [])
        self.assertEqual(self.listed(alice), {})

    def test_watchers_max_refuses_one_more(self):
        self.setting("watchers.max", 1)
        a, b, c = self.people(3)
        alice, bob, carol = (self.chat(x) for x in (a, b, c))
        self.befriend(alice, carol)
        error = self.answer(bob, "subscribe", to=c)
        self.assertEqual(error["reason"], "watcher_limit")
        said = f"too many see {c} already: at most 1 watcher"
        self.assertEqual(error["text"], said)
        error = self.answer(bob, "watch", address=c, seconds=60)
        self.assertEqual((error["reason"], error["text"]), ("watcher_limit", said))

    # -- privacy

    def test_who_is_blocked_sees_nobody_and_sends_nothing(self):
        a, b, c = self.people(3)
        alice, bob, carol = (self.chat(x) for x in (a, b, c))
        self.befriend(alice, bob)
        self.sees(alice, bob.name, "available")
        found = self.answer(bob, "privacy", block=[a, c])
        self.assertEqual(found["block"], sorted([a, c]))
        self.sees(alice, bob.name, "unavailable")
        self.assertEqual(alice.send(b), "refused")
        # One who asks now is answered as if approved, and sees nothing.
        self.befriend(carol, bob)
        bob.show("away")
        self.fence(alice, carol)
        self.assertEqual(self.shows(carol, bob.name), [])
        self.assertEqual(self.shows(alice, bob.name)[-1], "unavailable")
        self.answer(bob, "privacy", block=[])
        self.sees(alice, bob.name, "away")
        self.sees(carol, bob.name, "away")
        self.assertEqual(alice.send(b), "delivered")

    def test_who_is_approved_while_blocked_sees_when_that_ends(self):
        self.setting("presence.auto_approve", "off")
        a, b = self.people(2)
        alice, bob = self.chat(a), self.chat(b)
        self.answer(bob, "privacy", block=[a])
        self.befriend(alice, bob)  # for show
        self.answer(bob, "approve", **{"from": a})
        bob.show("away")
        self.fence(alice, self.chat(a, "fence"))
        self.assertEqual(self.shows(alice, bob.name), [])
        self.answer(bob, "privacy", block=[])
        self.sees(alice, bob.name, "away")
        self.assertEqual(self.listed(bob)[a]["from"], "active")
        # All that it was told of is the first answer.
        told = [x["state"] for x in alice.all_of("subscription")]
        self.assertEqual(told, ["approved"])

    def test_who_is_removed_while_blocked_is_subscribed_no_longer(self):
        a, b = self.people(2)
        alice, bob = self.chat(a), self.chat(b)
        self.answer(bob, "privacy", block=[a])
        self.befriend(alice, bob)  # for show
        self.answer(bob, "contacts.remove", contacts=[a])
        self.subscription(alice, b, "ended")
        self.answer(bob, "privacy", block=[])
        bob.show("away")
        self.fence(alice, bob)
        self.assertNotIn("away", self.shows(alice, bob.name))

    def test_sharing_off_is_unknown_and_on_is_true_again(self):
        a, b = self.people(2)
        alice, bob = self.chat(a), self.chat(b)
        self.befriend(alice, bob)
        self.sees(alice, bob.name, "available")
        self.setting("presence.sharing", "off")
        self.sees(alice, b, "unknown")
        bob.show("away")
        self.fence(alice, bob)
        self.assertEqual(self.shows(alice, bob.name)[-1], "available")
        self.assertEqual(self.shows(alice, b), ["unknown"])
        self.server.set("presence.sharing_override", "on")
        self.answer(bob, "privacy", sharing="on")
        self.sees(alice, bob.name, "away")
        self.answer(bob, "privacy", sharing="default")
        wait_until(
            lambda: self.shows(alice, b) == ["unknown"] * 2, "unknown again"
        )
        self.server.set("presence.sharing", "on")
        wait_until(
            lambda: self.shows(alice, bob.name).count("away") == 2, "the truth"
        )

    # -- ad-hoc watches

    def test_a_watch_ends_with_unknown(self):
        a, b = self.people(2)
        alice, bob = self.chat(a), self.chat(b)
        self.answer(alice, "watch", address=b, seconds=1)
        self.sees(alice, bob.name, "available")
        alice.wait_for(lambda x: x["event"] == "watch" and x["state"] == "ended")
        self.assertEqual(self.shows(alice, b), ["unknown"])
        bob.show("away")
        self.fence(alice, bob)
        self.assertNotIn("away", self.shows(alice, bob.name))

    def test_watches_need_approval_and_are_switched_off(self):
        a, b, c = self.people(3)
        alice, bob, carol = (self.chat(x) for x in (a, b, c))
        self.answer(bob, "privacy", approve="ask")
        error = self.answer(alice, "watch", address=b, seconds=60)
        self.assertEqual(error["reason"], "not_authorised")
        self.assertIn("allowed to see", error["text"])
        self.answer(alice, "watch", address=c, seconds=60)
        self.sees(alice, carol.name, "available")
        self.setting("presence.adhoc", "off")
        self.sees(alice, c, "unknown")
        error = self.answer(alice, "watch", address=c, seconds=60)
        self.assertEqual(error["reason"], "watch_disabled")
        self.assertEqual(error["text"], "watching is switched off")

    def test_somebody_who_is_not_here_can_be_watched(self):
        a, b = self.people(2)
        alice = self.chat(a)
        self.answer(alice, "watch", address=b, seconds=60)
        self.sees(alice, b, "unavailable")
        bob = self.chat(b)
        self.sees(alice, bob.name, "available")

    # -- sessions

    def test_a_lost_session_is_unavailable_once_and_not_before_its_end(self):
        a, b = self.people(2)
        alice, bob = self.chat(a), self.chat(b)
        self.befriend(alice, bob)
        self.sees(alice, bob.name, "available")
        bob.end()  # its connection breaks
        self.wait_for_state(bob.name, "suspended")
        self.fence(alice, self.chat(a, "fence"))
        self.assertEqual(self.shows(alice, bob.name), ["available"])
        self.setting("session.resume_window", "0 s")
        self.sees(alice, bob.name, "unavailable")
        self.assertEqual(
            self.shows(alice, bob.name), ["available", "unavailable"]
        )

    def wait_for_state(self, name, state):
        def found():
            sessions = self.server.admin("sessions")["sessions"]
            return [
                x
                for x in sessions
                if f"{x['user']}/{x['endpoint']}" == name
                and x["state"] == state
            ]

        wait_until(found, f"{name} {state}")


if __name__ == "__main__":
    main()
