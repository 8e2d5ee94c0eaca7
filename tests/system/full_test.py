#!/usr/bin/python3
"""More connections than there is room for harm neither the disk nor those who
are in.

    full_test.py PARLEY PROTO-FOLDER
"""

import os
import shutil
import tempfile

from parley_system import ALICE, BOB, CAROL, DOMAIN
from parley_system import Server, SystemTest, main, numbers, wait_until
from wire_client import Closed, Refused, Wire, load_schema


class FullTest(SystemTest):
    """A server that may open few descriptors, half of which are for it."""

    DESCRIPTORS = 200
    ROOM = 100

    @classmethod
    def setUpClass(cls):
        cls.schema = load_schema(cls.proto)

    def start(self, **how):
        folder = tempfile.mkdtemp(prefix="parley-system-")
        self.addCleanup(shutil.rmtree, folder)
        parley = os.path.join(folder, "parley")
        with open(parley, "w", encoding="utf-8") as out:
            out.write(
                f"#!/bin/sh\nulimit -n {self.DESCRIPTORS}\n"
                f"exec '{os.path.abspath(self.parley)}' \"$@\"\n"
            )
        os.chmod(parley, 0o700)
        server = Server(parley, users=(ALICE, BOB, CAROL), **how)
        self.addCleanup(server.remove)
        return server

    def strangers(self, server, n, **how):
        """From so many addresses that each has its share."""
        return [
            self.wire(server, source=f"127.0.0.{2 + i % 20}", **how)
            for i in range(n)
        ]

    def wire(self, server, **how):
        wire = Wire(self.schema, server, **how)
        self.addCleanup(wire.close)
        return wire

    def test_who_finds_no_room_is_told_and_the_others_go_on(self):
        server = self.start()
        alice = self.wire(server).sign_in(ALICE)
        idle = self.strangers(server, self.ROOM - 1)
        for wire in idle:
            wire.read_magic()
        for _ in range(3 * self.ROOM):  # by and by, or together
            wire = self.wire(server, magic=None)
            try:
                wire.read_magic()
                error = wire.error()
            except Closed:
                continue  # there is not even room for a word
            self.assertEqual(error.reason, "too_many_connections")
            self.assertEqual(error.scope, self.schema.CONNECTION)
            self.assertEqual(error.limit, self.ROOM)
            self.assertGreater(error.retry_after_ms, 0)
        # The disk, the operators and who is in do not notice.
        for n in range(20):
            request = alice.send_im(BOB, f"im {n}")
            self.assertEqual(alice.outcome(request), "stored")
        server.add(f"more@{DOMAIN}")
        idle.pop().close()
        wait_until(lambda: self.gets_in(server), "room")
        self.assertLess(server.logged().count("turned away"), 50)

    def test_strangers_of_one_address_leave_room_for_all_others(self):
        server = self.start()
        silent = [
            self.wire(server, source="127.0.0.2", magic=None)
            for _ in range(2 * self.ROOM)
        ]
        for n in range(self.ROOM // 10):
            self.wire(server).sign_in(BOB, f"e{n}").close()
        for wire in silent:
            wire.close()
        wait_until(
            lambda: self.gets_in(server, source="127.0.0.2"), "room"
        )

    def gets_in(self, server, **how):
        wire = self.wire(server, **how)
        try:
            wire.sign_in(CAROL, f"e{next(numbers)}")
        except (Refused, Closed, OSError):
            return False
        finally:
            wire.close()
        return True

    def test_where_tls_is_spoken_there_is_no_word(self):
        server = self.start(plain=False)
        idle = self.strangers(server, self.ROOM, magic=None)
        wire = self.wire(server, magic=None)
        self.assertTrue(wire.is_closed())
        self.assertEqual(wire.incoming, b"")
        for wire in idle:
            wire.close()
        wait_until(lambda: self.gets_in_by_tls(server), "room")

    def gets_in_by_tls(self, server):
        try:
            self.wire(server, tls=True).sign_in(CAROL, f"e{next(numbers)}")
        except (Closed, OSError):
            return False
        return True


if __name__ == "__main__":
    main()
