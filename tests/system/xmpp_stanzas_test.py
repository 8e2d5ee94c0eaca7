"""Extensions of XMPP, stanza by stanza: each file in stanzas/ is a script of
what clients send and receive (stanza_scripts.py), run against a server."""

import glob
import os
import unittest

import parley_system
from stanza_scripts import Script
from xmpp_fixture import XmppServer

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stanzas")


class Stanzas(parley_system.SystemTest):
    plain = False

    def run_script(self, path):
        server = XmppServer(self.parley, users=self.users, plain=False)
        self.addCleanup(server.remove)
        Script(path).run(server)

    def test_a_script_that_expects_something_else_fails(self):
        server = XmppServer(self.parley, users=self.users, plain=False)
        self.addCleanup(server.remove)
        for wrong in (
            "<iq type='result' id='2' to='{}' from='example.org'/>",
            "<iq type='result' id='1' to='{}'/>",
            "<iq type='result' id='1' to='{}' from='example.org'><x/></iq>",
            "<iq type='result' id='1' to='{}' from='example.org'>x</iq>",
            "<message/>",
        ):
            path = server.file(
                "wrong",
                "Alice is alice@example.org/desk\n"
                "Alice sends\n  <iq type='get' id='1' to='example.org'>"
                "<ping xmlns='urn:xmpp:ping'/></iq>\n"
                f"Alice receives\n  {wrong}\n",
            )
            with self.assertRaisesRegex(AssertionError, "wrong:4.*there came"):
                Script(path).run(server)


def add(path):
    name = os.path.splitext(os.path.basename(path))[0]
    setattr(
        Stanzas,
        f"test_{name}",
        lambda self: self.run_script(path),
    )


for file in sorted(glob.glob(os.path.join(FOLDER, "*.txt"))):
    add(file)

if __name__ == "__main__":
    parley_system.main()
