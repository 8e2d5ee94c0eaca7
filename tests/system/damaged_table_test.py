#!/usr/bin/python3
"""A table of a running server turns out to be damaged: it costs those whose
records were there, and nothing but these.

    damaged_table_test.py PARLEY
"""

import os
import re
import secrets

from parley_system import ALICE, BOB, CAROL, Chat, Server, SystemTest, main
from parley_system import wait_until

IMS = 40
NEAR = 4  # IMs that may share a block


class TableTest(SystemTest):
    users = (ALICE, BOB, CAROL)

    @classmethod
    def setUpClass(cls):
        pass  # each test has a server of its own

    def setUp(self):
        """What waits for bob lies in a table."""
        self.server = Server(self.parley, users=self.users)
        self.addCleanup(self.server.remove)
        self.bodies = [secrets.token_hex(2100) for _ in range(IMS)]
        alice = Chat(self.server, ALICE)
        for n, body in enumerate(self.bodies):
            self.assertEqual(alice.send(BOB, f"m{n}", body), "stored")
        alice.quit()
        self.assertEqual(self.server.stop(), 0)
        self.server.start()

    def damage(self, text):
        """Flips a bit of what begins with this, in the table it is in."""
        folder = os.path.join(self.server.data, "store")
        found = []
        for name in os.listdir(folder):
            if not name.endswith(".sst"):
                continue
            with open(os.path.join(folder, name), "r+b") as file:
                data = file.read()
                at = data.find(text[:60].encode())
                if at >= 0:
                    file.seek(at)
                    file.write(bytes([data[at] ^ 1]))
                    found.append(name)
        self.assertGreater(len(found), 0)

    def store_health(self):
        checks = self.server.admin("troubleshoot")["checks"]
        store = next(x for x in checks if x["check"] == "store")
        return store["what"]

    def test_a_damaged_block_keeps_no_other_ims_from_their_user(self):
        self.damage(self.bodies[30])
        alice = self.chat(ALICE)
        bob = self.chat(BOB)
        bob.message(f"m{IMS - 1}")
        self.assertEqual(alice.send(BOB, "new"), "delivered")
        bob.message("new")
        came = bob.ids()
        at = [n for n in range(IMS) if f"m{n}" in came]
        self.assertEqual(came, [f"m{n}" for n in at] + ["new"])
        lost = [n for n in range(IMS) if n not in at]
        self.assertIn(30, lost)
        self.assertLessEqual(max(abs(n - 30) for n in lost), NEAR)
        # The latter once RocksDB has come upon it, too, and writes no more.
        # It may be opening its store anew at this moment.
        wait_until(
            lambda: re.search("cannot be read|is damaged", self.store_health()),
            "what is told of the damage",
        )
        # What was taken does not come again, also from beside the damage.
        bob.quit()
        again = self.chat(BOB)
        self.assertEqual(alice.send(BOB, "next"), "delivered")
        again.message("next")
        self.assertEqual(again.ids(), ["next"])


if __name__ == "__main__":
    main()
