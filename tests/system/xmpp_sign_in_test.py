"""Sign-in, binding or resumption and what else a session begins with, asked for
at once (XEP-0388, XEP-0386), against the server.

    xmpp_sign_in_test.py PARLEY
"""

import re

import parley_system
from parley_system import ALICE, BOB
from xmpp_fixture import Raw, XmppServer


class SignIn(parley_system.SystemTest):
    plain = False

    @classmethod
    def setUpClass(cls):
        cls.server = XmppServer(
            cls.parley, "--threads", "2", users=cls.users, plain=False
        )
        cls.addClassCleanup(cls.server.remove)

    def test_all_is_asked_for_at_once(self):
        binding = (
            "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>"
            "<bind xmlns='urn:xmpp:bind:0'><tag>Raw</tag>"
            "<enable xmlns='urn:xmpp:sm:3' resume='true'/>"
            "<enable xmlns='urn:xmpp:carbons:2'/></bind>"
        )

        def stream(*wishes, **how):
            x = Raw(self.server.xmpp, ALICE, wishes="".join(wishes), **how)
            self.addCleanup(x.close)
            return x

        alice = stream(binding)
        self.assertRegex(
            alice.answer,
            f"<authorization-identifier>{ALICE}/Raw/[^<]*"
            "</authorization-identifier><bound xmlns='urn:xmpp:bind:0'>"
            "<enabled .*</bound></success><stream:features>",
        )
        token = re.search(" id='([^']*)'", alice.answer)[1]
        endpoint = re.search("/(Raw/[^<]*)<", alice.answer)[1]
        alice.say("<presence/>")
        alice.hear("<presence")
        bob = self.chat(BOB)
        bob.post(ALICE, body="one")
        alice.hear("<body>one</body>")
        alice.close()
        resuming = (
            "<resume xmlns='urn:xmpp:sm:3' previd='{}' h='0'/>".format
        )
        # Whoever knows the token has to know the password.
        wrong = stream(resuming(token), password="another")
        self.assertIn("<not-authorized", wrong.answer)
        alice = stream(resuming(token), binding)
        self.assertRegex(
            alice.answer,
            f"{ALICE}/{endpoint}</authorization-identifier><resumed ",
        )
        alice.hear("<body>one</body>")
        alice.say("<presence><show>away</show></presence>")
        alice.hear("<show>away</show>")
        # What cannot be resumed is bound, and by the same client's name.
        alice = stream(resuming(token[::-1]), binding)
        self.assertRegex(
            alice.answer,
            f"{ALICE}/{endpoint}</authorization-identifier>"
            "<failed .*</failed><bound ",
        )


if __name__ == "__main__":
    parley_system.main()
