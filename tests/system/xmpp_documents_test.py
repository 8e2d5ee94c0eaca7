"""What clients of XMPP keep at the server, with a client that others wrote:
private storage, vCards, and PEP with bookmarks, avatars and OMEMO on it."""

import signal
import sys
import unittest
import xml.etree.ElementTree as ET

import parley_system
from parley_system import ALICE, BOB, CAROL, DAVE, NOBODY, wait_until
from xmpp_fixture import Client, SKIPPED, XmppServer, slixmpp

PRIVATE = "jabber:iq:private"
VCARD = "vcard-temp"
EVENT = "http://jabber.org/protocol/pubsub#event"
BOOKMARKS = "urn:xmpp:bookmarks:1"
DEVICES = "eu.siacs.conversations.axolotl.devicelist"
BUNDLE = "eu.siacs.conversations.axolotl.bundles:31415"
METADATA = "urn:xmpp:avatar:metadata"
DATA = "urn:xmpp:avatar:data"
MOOD = "http://jabber.org/protocol/mood"


async def answered(future):
    return await future


class Keeper(Client):
    """Wants to hear of the nodes of `interests`."""

    interests = ()

    def make(self, user, resource, password):
        self.notices = []
        self.plugins = [*self.plugins, 4, 49, 54, 60, 163]
        super().make(user, resource, password)
        for node in self.interests:
            self.x.plugin["xep_0030"].add_feature(f"{node}+notify")
        self.x.register_handler(
            slixmpp.xmlstream.handler.Callback(
                "all notices",
                slixmpp.xmlstream.matcher.MatchXPath(
                    f"{{jabber:client}}message/{{{EVENT}}}event"
                ),
                self.notices.append,
            )
        )

    async def begun(self, event):
        await self.x.plugin["xep_0115"].update_caps(broadcast=False)
        await super().begun(event)

    def ask(self, kind, payload, to=None):
        """The answer's content as XML; the condition of an error."""

        async def asked(x):
            iq = x.make_iq(ito=to, itype=kind)
            iq.append(ET.fromstring(payload))
            try:
                return (await iq.send()).xml
            except slixmpp.exceptions.IqError as error:
                return error.iq

        return self.do(asked)

    def set(self, payload, to=None):
        """It has to succeed."""
        answer = self.ask("set", payload, to)
        if isinstance(answer, slixmpp.Iq):
            raise AssertionError(str(answer))
        return answer

    def get(self, payload, to=None):
        answer = self.ask("get", payload, to)
        if isinstance(answer, slixmpp.Iq):
            raise AssertionError(str(answer))
        return answer

    def refused(self, kind, payload, to=None):
        """The condition, and the whole answer as text."""
        answer = self.ask(kind, payload, to)
        if not isinstance(answer, slixmpp.Iq):
            raise AssertionError(ET.tostring(answer))
        return answer["error"]["condition"], str(answer)

    def publish(self, node, item, payload, options=None):
        return self.set(publishing(node, item, payload, options))

    def items(self, node, to=None, **how):
        """Those of a node: their ids and payloads."""
        extra = "".join(f" {k}='{v}'" for k, v in how.items())
        answer = self.get(
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"
            f"<items node='{node}'{extra}/></pubsub>",
            to,
        )
        return [
            (x.get("id"), x[0] if len(x) else None)
            for x in answer.iter("{http://jabber.org/protocol/pubsub}item")
        ]

    def told(self, node):
        """Ids of items of a node of which notices came, with from whom."""
        return [
            (str(m["from"]), item.get("id"))
            for m in list(self.notices)
            for items in m.xml.iter(f"{{{EVENT}}}items")
            if items.get("node") == node
            for item in items
        ]

    def hears(self, node, *expected):
        wait_until(
            lambda: self.told(node) == list(expected),
            f"{expected}, there are {self.told(node)}",
        )


def publishing(node, item, payload, options=None):
    form = ""
    if options:
        fields = "".join(
            f"<field var='pubsub#{name}'><value>{value}</value></field>"
            for name, value in options.items()
        )
        form = (
            "<publish-options><x xmlns='jabber:x:data' type='submit'>"
            "<field var='FORM_TYPE' type='hidden'><value>"
            "http://jabber.org/protocol/pubsub#publish-options"
            f"</value></field>{fields}</x></publish-options>"
        )
    return (
        "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"
        f"<publish node='{node}'><item id='{item}'>{payload}</item></publish>"
        f"{form}</pubsub>"
    )


def mood(text):
    return f"<mood xmlns='{MOOD}'><text>{text}</text></mood>"


def items_of(node, to_ids=()):
    ids = "".join(f"<item id='{x}'/>" for x in to_ids)
    return (
        "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"
        f"<items node='{node}'>{ids}</items></pubsub>"
    )


def bookmark(name):
    return (
        f"<conference xmlns='{BOOKMARKS}' name='{name}' autojoin='true'>"
        "<nick>me</nick></conference>"
    )


def private(text=""):
    inner = f"<note>{text}</note>" if text else ""
    return (
        f"<query xmlns='{PRIVATE}'>"
        f"<notes xmlns='urn:example:notes'>{inner}</notes></query>"
    )


def vcard(name):
    return f"<vCard xmlns='{VCARD}'><FN>{name}</FN></vCard>"


def text_in(answer):
    return "".join(answer.itertext())


BOOKMARK_OPTIONS = {
    "persist_items": "true",
    "max_items": "max",
    "send_last_published_item": "never",
    "access_model": "whitelist",
}


class DocumentsTest(parley_system.SystemTest):
    @classmethod
    def setUpClass(cls):
        cls.server = XmppServer(cls.parley, users=cls.users)
        cls.addClassCleanup(cls.server.remove)

    def client(self, user, resource="desk", interests=()):
        kind = type("Interested", (Keeper,), {"interests": interests})
        client = kind(
            self.server.xmpp,
            user,
            resource,
            disable_starttls=True,
            force_starttls=False,
        ).wait()
        self.addCleanup(lambda: client.ended or client.cut())
        return client

    def kill_and_start(self):
        self.server.stop(signal.SIGKILL)
        self.server.start()

    def befriend(self, watcher, presentity):
        """The first sees the second."""
        whom = str(presentity.do(lambda x: x.boundjid.bare))
        watcher.do(lambda x: x.send_presence(pto=whom, ptype="subscribe"))
        watcher.sees(str(presentity.do(lambda x: x.boundjid)), "available")


class Kept(DocumentsTest):
    def test_private_storage_is_there_after_a_kill(self):
        alice = self.client(ALICE)
        self.assertEqual(text_in(alice.get(private())), "")
        alice.set(private("buy <milk/>".replace("<", "&lt;")))
        self.kill_and_start()
        alice = self.client(ALICE)
        self.assertEqual(text_in(alice.get(private())), "buy <milk/>")
        bob = self.client(BOB)
        self.assertEqual(text_in(bob.get(private())), "")
        condition, _ = bob.refused("get", private(), ALICE)
        self.assertEqual(condition, "service-unavailable")

    def test_a_vcard_is_for_everybody_who_is_not_blocked(self):
        alice, bob = self.client(ALICE), self.client(BOB)
        alice.set(vcard("Alice Liddell"))
        answer = bob.get(f"<vCard xmlns='{VCARD}'/>", ALICE)
        self.assertEqual(answer.get("from"), ALICE)
        self.assertEqual(text_in(answer), "Alice Liddell")
        alice.do(lambda x: answered(x.plugin["xep_0191"].block([BOB])))
        blocked = bob.refused("get", f"<vCard xmlns='{VCARD}'/>", ALICE)
        nobody = bob.refused("get", f"<vCard xmlns='{VCARD}'/>", NOBODY)
        alice.do(lambda x: answered(x.plugin["xep_0191"].unblock([BOB])))
        self.assertEqual(blocked[0], "service-unavailable")
        self.assertEqual(nobody[0], "service-unavailable")
        condition, _ = bob.refused("set", vcard("not she"), ALICE)
        self.assertEqual(condition, "service-unavailable")

    def test_bookmarks_are_kept_by_the_options_they_came_with(self):
        alice = self.client(ALICE)
        for room in ("a@rooms", "b@rooms", "c@rooms"):
            alice.publish(BOOKMARKS, room, bookmark(room), BOOKMARK_OPTIONS)
        self.kill_and_start()
        alice = self.client(ALICE)
        found = alice.items(BOOKMARKS)
        self.assertEqual(
            [x for x, _ in found], ["c@rooms", "b@rooms", "a@rooms"]
        )
        self.assertEqual(found[0][1].get("name"), "c@rooms")
        self.assertEqual(len(alice.items(BOOKMARKS, max_items=1)), 1)
        answer = alice.get(items_of(BOOKMARKS, ["b@rooms", "none"]))
        self.assertIn(b"b@rooms", ET.tostring(answer))
        self.assertNotIn(b"a@rooms", ET.tostring(answer))
        other = dict(BOOKMARK_OPTIONS, access_model="open")
        condition, text = alice.refused(
            "set", publishing(BOOKMARKS, "d", bookmark("d"), other)
        )
        self.assertEqual(condition, "conflict")
        self.assertIn("precondition-not-met", text)
        alice.set(
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"
            f"<retract node='{BOOKMARKS}' notify='true'>"
            "<item id='b@rooms'/></retract></pubsub>"
        )
        self.assertEqual(
            [x for x, _ in alice.items(BOOKMARKS)], ["c@rooms", "a@rooms"]
        )

    def test_a_node_is_configured_and_ends(self):
        carol = self.client(CAROL)
        owner = "http://jabber.org/protocol/pubsub#owner"
        node = "urn:example:configured"
        ask = f"<pubsub xmlns='{owner}'><configure node='{node}'/></pubsub>"
        self.assertEqual(carol.refused("get", ask)[0], "item-not-found")
        for n in range(3):
            carol.publish(node, f"i{n}", mood(n))
        self.assertEqual([x for x, _ in carol.items(node)], ["i2"])
        carol.set(
            f"<pubsub xmlns='{owner}'><configure node='{node}'>"
            "<x xmlns='jabber:x:data' type='submit'>"
            "<field var='pubsub#max_items'><value>2</value></field>"
            "<field var='pubsub#access_model'><value>open</value></field>"
            "</x></configure></pubsub>"
        )
        form = ET.tostring(carol.get(ask)).decode()
        self.assertIn("open", form)
        for n in range(3):
            carol.publish(node, f"i{n}", mood(n))
        self.assertEqual([x for x, _ in carol.items(node)], ["i2", "i1"])
        bob = self.client(BOB)
        self.assertEqual(len(bob.items(node, CAROL)), 2)
        nodes = carol.get(
            "<query xmlns='http://jabber.org/protocol/disco#items'/>", CAROL
        )
        self.assertIn(node.encode(), ET.tostring(nodes))
        carol.set(f"<pubsub xmlns='{owner}'><delete node='{node}'/></pubsub>")
        self.assertEqual(
            carol.refused("get", items_of(node))[0], "item-not-found"
        )

    def test_a_limit_is_told_and_what_is_there_stays(self):
        dave = self.client(DAVE)
        options = {"max_items": "max"}
        self.setting("documents.max", 4)
        for n in range(3):
            dave.publish("urn:example:many", f"i{n}", mood(n), options)
        condition, text = dave.refused(
            "set", publishing("urn:example:many", "i3", mood(3), options)
        )
        self.assertEqual(condition, "resource-constraint")
        self.assertIn("documents.max is 4, this makes it 5", text)
        dave.publish("urn:example:many", "i2", mood("again"), options)
        self.setting("documents.bytes_max", 500)
        condition, text = dave.refused(
            "set", publishing("urn:example:many", "i2", mood("x" * 500))
        )
        self.assertEqual(condition, "resource-constraint")
        self.assertIn("documents.bytes_max is 500", text)
        shown = self.server.admin("user", "show", DAVE)["limits"]
        self.assertEqual(shown["documents.max"], {"count": 4, "max": 4})
        self.assertGreater(shown["documents.bytes_max"]["count"], 100)

    def test_what_was_kept_goes_with_the_account(self):
        eve = "eve@example.org"
        self.server.add(eve)
        client = self.client(eve)
        client.set(vcard("Eve"))
        client.publish(MOOD, "now", mood("sly"))
        self.server.admin("user", "remove", eve)
        wait_until(lambda: client.ended, "the end of her session")
        self.server.add(eve)
        again = self.client(eve)
        self.assertEqual(
            again.refused("get", items_of(MOOD))[0], "item-not-found"
        )
        shown = self.server.admin("user", "show", eve)["limits"]
        self.assertEqual(shown["documents.max"]["count"], 0)
        self.assertEqual(shown["documents.bytes_max"]["count"], 0)


class Access(DocumentsTest):
    def test_omemo_is_found_by_a_contact_and_not_by_a_stranger(self):
        alice, bob = self.client(ALICE), self.client(BOB)
        self.befriend(bob, alice)
        devices = (
            "<list xmlns='eu.siacs.conversations.axolotl'>"
            "<device id='31415'/></list>"
        )
        keys = "".join(
            f"<preKeyPublic preKeyId='{n}'>{'A' * 44}</preKeyPublic>"
            for n in range(100)
        )
        bundle = (
            "<bundle xmlns='eu.siacs.conversations.axolotl'>"
            f"<prekeys>{keys}</prekeys></bundle>"
        )
        alice.publish(DEVICES, "current", devices)
        alice.publish(BUNDLE, "current", bundle)
        self.assertEqual(bob.items(DEVICES, ALICE)[0][1][0].get("id"), "31415")
        self.assertEqual(len(bob.items(BUNDLE, ALICE)[0][1][0]), 100)
        stranger = self.client(DAVE)
        denied = stranger.refused("get", items_of(DEVICES), ALICE)
        missing = stranger.refused("get", items_of("urn:none"), ALICE)
        nobody = stranger.refused("get", items_of(DEVICES), NOBODY)
        self.assertEqual(
            [x[0] for x in (denied, missing, nobody)], ["item-not-found"] * 3
        )
        condition, _ = bob.refused(
            "set", publishing(DEVICES, "current", devices), ALICE
        )
        self.assertEqual(condition, "forbidden")


class Notices(DocumentsTest):
    def test_who_wants_to_hear_does(self):
        alice = self.client(ALICE, "author", (MOOD,))
        other = self.client(ALICE, "other", (MOOD,))
        bob = self.client(BOB, "curious", (MOOD,))
        deaf = self.client(BOB, "deaf")
        stranger = self.client(DAVE, "stranger", (MOOD,))
        self.befriend(bob, alice)
        alice.publish(MOOD, "one", mood("happy"))
        alice.publish(MOOD, "two", mood("sad"))
        expected = [(ALICE, "one"), (ALICE, "two")]
        for client in (alice, other, bob):
            client.hears(MOOD, *expected)
        # All that they could have heard came before this.
        alice.send(f"{BOB}/deaf", "done", mtype="chat")
        alice.send(f"{DAVE}/stranger", "done", mtype="chat")
        deaf.gets("done")
        stranger.gets("done")
        self.assertEqual(deaf.notices, [])
        self.assertNotIn(ALICE, [who for who, _ in stranger.told(MOOD)])

    def test_who_comes_hears_the_last(self):
        carol, dave = self.client(CAROL), self.client(DAVE, "first")
        self.befriend(dave, carol)
        carol.publish(MOOD, "old", mood("tired"))
        carol.publish(MOOD, "new", mood("awake"))
        carol.publish(BOOKMARKS, "r", bookmark("r"), BOOKMARK_OPTIONS)
        late = self.client(DAVE, "late", (MOOD, BOOKMARKS))
        late.hears(MOOD, (CAROL, "new"))
        self.assertEqual(late.told(BOOKMARKS), [])
        own = self.client(CAROL, "own", (MOOD,))
        own.hears(MOOD, (CAROL, "new"))

    def test_an_avatar_is_found_by_its_notice(self):
        alice, bob = self.client(ALICE, "face"), self.client(
            BOB, "viewer", (METADATA,)
        )
        self.befriend(bob, alice)
        alice.publish(DATA, "f00d", f"<data xmlns='{DATA}'>aGVsbG8=</data>")
        alice.publish(
            METADATA,
            "f00d",
            f"<metadata xmlns='{METADATA}'>"
            "<info bytes='5' id='f00d' type='image/png'/></metadata>",
        )
        bob.hears(METADATA, (ALICE, "f00d"))
        self.assertEqual(bob.items(DATA, ALICE)[0][1].text, "aGVsbG8=")


if __name__ == "__main__":
    if slixmpp is None:
        print("python3-slixmpp is missing")
        sys.exit(SKIPPED)
    parley_system.main()
