#!/usr/bin/python3
"""Clients that ask for more than their share, each in its own way, against a
server on the loopback: bounded in number and in time.

    floods.py NAME --server HOST:PORT --users FILE --proto FOLDER
              [--seconds N] [--scale N]

`NAME` is one of FLOODS, `--users` a file with an address a line, whose
password is that of the tests. Prints `under way` when it is, and at the end
what came of it as one line of JSON.
"""

import argparse
import json
import os
import resource
import selectors
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from flood_base import Flood  # noqa: E402
from stranger_floods import BruteForce, Handshakes, SignIns, Slow  # noqa: E402
from wire_client import Closed, Refused, framed, load_schema  # noqa: E402


class OneAccount(Flood):
    """One account asks as fast as its window lets it, from three endpoints."""

    def begin(self):
        self.mine = [self.sign_in(self.users[0], f"e{n}") for n in range(3)]

    def go_on(self):
        for wire in self.mine:
            self.ask(wire, [self.fields(n) for n in range(50)])

    def somebody(self):
        return self.users[next(self.ids) % len(self.users)]

    def send(self, to, **more):
        return {"send": {"id": f"f{next(self.ids)}", "to": to, **more}}


class ToOne(OneAccount):
    """IMs to one who is not there."""

    def fields(self, _):
        return self.send(self.users[1], body="x" * 100)


class ToMany(OneAccount):
    def fields(self, _):
        return self.send(self.somebody(), body="x" * 100)


class RetryIds(OneAccount):
    """Ids without end, to itself: each is to be remembered."""

    def fields(self, _):
        return self.send(self.users[0], body="x")


class Contacts(OneAccount):
    def fields(self, n):
        contact = {"address": self.somebody(), "name": f"name {n}"}
        if n % 2:
            return {"remove_contacts": {"addresses": [self.somebody()]}}
        return {"add_contacts": {"contacts": [contact]}}


class Subscriptions(OneAccount):
    def fields(self, n):
        kind = "subscribe" if n % 4 else "unsubscribe"
        return {kind: {"to": self.somebody()}}


class Watches(OneAccount):
    def fields(self, _):
        return {"watch": {"address": self.somebody(), "seconds": 600}}


class Typing(OneAccount):
    def go_on(self):
        octets = bytearray()
        for _ in range(500):
            frame = self.schema.ClientFrame(typing={"to": self.somebody()})
            octets += framed(frame.SerializeToString())
        for wire in self.mine:
            wire.write(bytes(octets))
            self.count("typing", 500)


class Presence(OneAccount):
    def fields(self, n):
        return {"presence": {"status": f"status {next(self.ids)}"}}


class WindowFrames(OneAccount):
    """What no window stops: changes of the window, pings, empty frames."""

    def go_on(self):
        one = self.schema.ClientFrame(window={"messages": 3, "bytes": 1000})
        two = self.schema.ClientFrame(window={"messages": 4, "bytes": 1000})
        octets = framed(one.SerializeToString()) + framed(
            two.SerializeToString()
        )
        for wire in self.mine:
            wire.write(octets * 200)
            self.count("window", 400)


class BigFrames(Flood):
    """IMs at the size limit from many, to one who takes none."""

    def begin(self):
        self.silent = self.sign_in(self.users[0], "silent")
        self.senders = []
        for n in range(1, min(40 * self.scale, len(self.users))):
            self.senders.append(self.sign_in(self.users[n], "e"))
        body = "x" * 250_000
        for wire in self.senders:
            octets = bytearray()
            for _ in range(16):
                wire.requests += 1
                frame = self.schema.ClientFrame(
                    request=wire.requests,
                    send={
                        "id": f"b{next(self.ids)}",
                        "to": self.users[0],
                        "body": body,
                    },
                )
                octets += framed(frame.SerializeToString())
            wire.left = memoryview(bytes(octets))
            wire.socket.setblocking(False)
        self.last = 0

    def go_on(self):
        """Writes what the server takes."""
        for wire in self.senders:
            try:
                while wire.left:
                    n = wire.socket.send(wire.left[: 256 * 1024])
                    self.count("bytes", n)
                    wire.left = wire.left[n:]
            except (BlockingIOError, OSError):
                pass
        time.sleep(0.01)


class Unread(Flood):
    """Asks for lists and pings, and reads nothing."""

    def begin(self):
        self.mine = []
        owner = self.sign_in(self.users[0], "owner")
        groups = [f"{n} " + "g" * 200 for n in range(30)]
        contacts = [
            {"address": user, "name": "n" * 200, "groups": groups}
            for user in self.users[1:151]
        ]
        for n in range(0, len(contacts), 30):
            part = contacts[n : n + 30]
            self.ask(owner, [{"add_contacts": {"contacts": part}}])
        owner.close()
        for n in range(9 * self.scale):
            wire = self.sign_in(self.users[0], f"e{n % 9}")
            frames = b""
            for _ in range(50):
                wire.requests += 1
                frame = self.schema.ClientFrame(
                    request=wire.requests, list_contacts={}
                )
                frames += framed(frame.SerializeToString())
            wire.socket.setblocking(False)
            self.push(wire, frames)
            self.mine.append(wire)
        self.pings = framed(b"\x32\x02\x08\x01") * 1000

    def push(self, wire, octets):
        try:
            self.count("bytes", wire.socket.send(octets))
        except (BlockingIOError, OSError):
            pass

    def go_on(self):
        for wire in self.mine:
            self.push(wire, self.pings)
        time.sleep(0.01)


class Broadcasts(Flood):
    """To a thousand users with ten endpoints each, a hundredth of them for
    each unit of scale; half of the endpoints take nothing, the others read but
    acknowledge nothing. A sender that the server ends comes again."""

    def begin(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.sender = None
        self.to = self.users[1 : 1 + 10 * self.scale]
        self.poll = selectors.DefaultSelector()
        for user in self.to:
            for n in range(9):
                wire = self.sign_in(user, f"e{n}")
                wire.socket.setblocking(False)
                if n % 2:
                    self.poll.register(wire.socket, selectors.EVENT_READ, wire)

        threading.Thread(target=self.read, daemon=True).start()

    def go_on(self):
        broadcast = {"to": self.to, "body": "x" * 30_000}
        try:
            self.sender = self.sender or self.sign_in(self.users[0], "sender")
            self.ask(
                self.sender,
                [
                    {"broadcast": {"id": f"b{next(self.ids)}", **broadcast}}
                    for _ in range(20)
                ],
            )
        except (Closed, Refused, OSError) as error:
            self.count(str(error)[:60])
            self.sender = None
            time.sleep(0.5)

    def read(self):
        while True:
            for key, _ in self.poll.select(0.1):
                try:
                    if key.fileobj.recv(1 << 20):
                        continue
                except BlockingIOError:
                    continue
                except OSError:
                    pass
                self.poll.unregister(key.fileobj)


FLOODS = {
    "unread": Unread,
    "slow": Slow,
    "handshakes": Handshakes,
    "to_one": ToOne,
    "to_many": ToMany,
    "typing": Typing,
    "presence": Presence,
    "contacts": Contacts,
    "subscriptions": Subscriptions,
    "watches": Watches,
    "windows": WindowFrames,
    "sign_ins": SignIns,
    "brute_force": BruteForce,
    "big_frames": BigFrames,
    "retry_ids": RetryIds,
    "broadcasts": Broadcasts,
}


class Address:
    """Where a server is, as Wire wants to know."""

    def __init__(self, text):
        self.host, port = text.rsplit(":", 1)
        self.port = int(port)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=FLOODS)
    parser.add_argument("--server", required=True)
    parser.add_argument("--users", required=True)
    parser.add_argument("--proto", required=True)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--scale", type=int, default=1)
    options = parser.parse_args()
    if not options.server.startswith(("127.", "localhost")):
        parser.error("loopback only")
    with open(options.users, encoding="utf-8") as lines:
        users = lines.read().split()
    flood = FLOODS[options.name](
        load_schema(options.proto), Address(options.server), users,
        options.scale,
    )
    try:
        flood.begin()
        print("under way", flush=True)
        end = time.monotonic() + min(options.seconds, 120)
        while time.monotonic() < end:
            flood.go_on()
    except (Closed, Refused, OSError) as error:
        flood.done["ended"] = str(error)[:200]
    finally:
        flood.end()
    print(json.dumps(flood.done), flush=True)


if __name__ == "__main__":
    main()
