"""In-band registration (XEP-0077): off unless the setting is on; accounts that
strangers make can sign in, and not too many come from one place."""

import os
import subprocess
import tempfile
import unittest

import parley_system
from metrics_test import read
from parley_system import ALICE, DOMAIN, PASSWORD, numbers, wait_until
from xmpp_fixture import Raw, XmppServer

# As many as one source may ask for in an hour.
TRIES = 5


class Stranger(Raw):
    """Nobody has signed in."""

    def sign_in(self, user, password):
        pass

    def wants(self, name, password=PASSWORD):
        self.say(
            "<iq type='set' id='r'><query xmlns='jabber:iq:register'>"
            f"<username>{name}</username><password>{password}</password>"
            "</query></iq>"
        )
        return self.hear("<iq [^>]*id='r'(/>|>.*?</iq>)")[0]


class Registration(parley_system.SystemTest):
    plain = False

    def setUp(self):
        self.start()

    def start(self, **how):
        self.server = XmppServer(
            self.parley,
            *("--metrics", "127.0.0.1:0"),
            users=self.users,
            plain=False,
            **how,
        )
        self.addCleanup(self.server.remove)

    def stranger(self):
        x = Stranger(self.server.xmpp, "")
        self.addCleanup(x.close)
        return x

    def allow(self):
        self.server.set("account.registration", "on")

    def test_it_is_off(self):
        stranger = self.stranger()
        stranger.say(
            "<iq type='get' id='r'><query xmlns='jabber:iq:register'/></iq>"
        )
        stranger.hear("<not-authorized")
        self.allow()
        allowed = self.stranger()
        # Switched off again it is refused to who came before.
        self.server.set("account.registration", "off")
        self.assertIn("<forbidden", allowed.wants("eve"))
        self.assertEqual(
            self.server.try_admin("user", "show", f"eve@{DOMAIN}").returncode,
            1,
        )

    def test_an_account_is_made_once_and_signs_in(self):
        self.allow()
        self.assertIn("<conflict", self.stranger().wants("alice"))
        self.assertIn("type='result'", self.stranger().wants("eve"))
        self.assertIn("<conflict", self.stranger().wants("Eve", "other"))
        eve = Raw(self.server.xmpp, f"eve@{DOMAIN}")
        self.addCleanup(eve.close)
        eve.bind("desk")
        eve.say("<presence/>")
        eve.hear("<presence")
        alice = self.chat(ALICE)
        self.assertEqual(alice.send(f"eve@{DOMAIN}", "m", "hi"), "delivered")
        lines = self.server.admin("audit")["audit"]
        self.assertTrue(
            any(
                x["who"] == "registration" and "eve" in x["what"]
                for x in lines
            ),
            lines,
        )

    def test_a_source_makes_so_many_and_no_more(self):
        self.allow()
        for i in range(TRIES):
            self.assertIn("type='result'", self.stranger().wants(f"eve{i}"))
        refused = "parley_limits_hit_total{registrations}"
        self.assertEqual(read(self.server)[refused], 0)
        self.assertIn("<policy-violation", self.stranger().wants("mallory"))
        wait_until(lambda: read(self.server)[refused] == 1, refused)

    @unittest.skipUnless(os.geteuid() == 0, "only root can mount a small disk")
    def test_a_full_disk_is_told_as_one(self):
        disk = tempfile.mkdtemp(prefix="parley-disk-")
        self.addCleanup(os.rmdir, disk)
        mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "none", disk]
        if subprocess.run(mount, capture_output=True).returncode != 0:
            self.skipTest("no small disk")
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=True)
        self.start(data=os.path.join(disk, "data"))
        self.allow()
        with open(os.path.join(disk, "ballast"), "wb", 0) as out:
            try:
                while True:
                    out.write(bytes(4096))
            except OSError:
                pass
        # The last page of the store's log has room still.
        wait_until(
            lambda: self.server.try_admin(
                *("settings", "set", "im.rate", str(next(numbers) + 1))
            ).returncode,
            "a full disk",
        )
        said = self.stranger().wants("eve")
        self.assertIn("<internal-server-error", said)
        self.assertIn("store_failed", said)
        self.assertNotIn("read", said)


if __name__ == "__main__":
    parley_system.main()
