"""Scripts of stanzas: what clients send and receive, told as text.

    # A line that explains.
    Alice is alice@example.org/desk
    Alice sends
      <message to='bob@example.org'><body>hi</body></message>
    Bob receives
      <message from='alice@example.org/desk' to='bob@example.org'>
        <body>hi</body>
      </message>

Clients speak for themselves: nothing is sent or answered but what the script
says, save for the sign-in. `Alice is available` sends her first presence, and
she reads up to it; `Alice breaks off` cuts her connection, `Alice leaves` ends
her stream. `Alice connects as alice@example.org` signs in and binds nothing.

What is received is the next stanza that came, and the same: elements,
attributes, text, order. `{name}` as a value stands for any text, and for the
same one wherever the script says it again, `{}` for any. Blanks between
elements are nothing."""

import codecs
import re
import xml.etree.ElementTree as ET

from parley_system import PATIENCE
from xmpp_fixture import Raw

CLIENT = "jabber:client"
HEADER = f"<x xmlns='{CLIENT}' xmlns:stream='http://etherx.jabber.org/streams'>"


class Person(Raw):
    """A client that reads one stanza at a time."""

    def __init__(self, server, jid):
        self.jid = jid
        user, _, resource = jid.partition("/")
        super().__init__(server.xmpp, user)
        self.parser = None
        self.depth = 0
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        if resource:
            self.bind(resource)
            self.hear("</iq>")

    def next(self):
        """The next element of the stream."""
        if self.parser is None:
            self.parser = ET.XMLPullParser(["start", "end"])
            self.parser.feed(HEADER)
        while True:
            for kind, element in self.parser.read_events():
                self.depth += 1 if kind == "start" else -1
                if kind == "end" and self.depth == 1:
                    return element
            self.parser.feed(self.unread or self.more())
            self.unread = ""

    def more(self):
        self.socket.settimeout(PATIENCE)
        octets = self.socket.recv(65536)
        if not octets:
            raise AssertionError(f"{self.jid} was cut off")
        return self.decoder.decode(octets)


def plain(element):
    """As nested tuples, without blanks between elements."""

    def text(x):
        return x if x and x.strip() else ""

    return (
        element.tag,
        dict(element.attrib),
        text(element.text),
        [(plain(c), text(c.tail)) for c in element],
    )


class Script:
    """One file; its names are bound as it goes on."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.lines = file.read().splitlines()
        self.path = path
        self.names = {}
        self.people = {}

    def steps(self):
        """Line number, what is said, and the XML below it."""
        step = None
        for number, line in enumerate(self.lines, 1):
            if line.startswith("#") or not line.strip():
                continue
            if line[0].isspace():
                step[2] += line.strip() + "\n"
            else:
                if step:
                    yield step
                step = [number, line.strip(), ""]
        if step:
            yield step

    def run(self, server):
        try:
            for number, said, xml in self.steps():
                try:
                    self.do(server, said, xml)
                except (AssertionError, OSError, ET.ParseError) as why:
                    raise AssertionError(
                        f"{self.path}:{number}: {said}: {why}"
                    ) from why
        finally:
            for person in self.people.values():
                person.close()

    def do(self, server, said, xml):
        name, _, deed = said.partition(" ")
        if "@" in deed:
            self.people[name] = Person(server, deed.split()[-1])
            return
        who = self.people[name]
        if deed == "sends":
            who.say(self.filled(xml))
        elif deed == "receives":
            for wanted in ET.fromstring(HEADER + xml + "</x>"):
                got = who.next()
                if not self.fits(plain(wanted), plain(got)):
                    raise AssertionError(
                        "there came " + ET.tostring(got, encoding="unicode")
                    )
        elif deed == "is available":
            who.say("<presence/>")
            while who.next().tag != f"{{{CLIENT}}}presence":
                pass
        elif deed == "breaks off":
            who.close()
        elif deed == "leaves":
            who.say("</stream:stream>")
            who.hear("</stream:stream>")
            who.close()
        else:
            raise AssertionError("this is no step of a script")

    def filled(self, xml):
        return re.sub(r"\{(\w+)\}", lambda m: self.names[m[1]], xml)

    def same(self, wanted, got):
        """A text that may have names in it."""
        pattern = ""
        bound = []
        for part in re.split(r"(\{\w*\})", wanted):
            if not re.fullmatch(r"\{\w*\}", part):
                pattern += re.escape(part)
            elif part[1:-1] in self.names:
                pattern += re.escape(self.names[part[1:-1]])
            else:
                bound.append(part[1:-1])
                pattern += "(.*)"
        found = re.fullmatch(pattern, got, re.DOTALL)
        if found:
            self.names.update(
                (n, v) for n, v in zip(bound, found.groups()) if n
            )
        return bool(found)

    def fits(self, wanted, got):
        tag, attributes, text, children = wanted
        return (
            tag == got[0]
            and attributes.keys() == got[1].keys()
            and all(self.same(v, got[1][k]) for k, v in attributes.items())
            and self.same(text, got[2])
            and len(children) == len(got[3])
            and all(
                self.fits(c, g) and self.same(tail, rest)
                for (c, tail), (g, rest) in zip(children, got[3])
            )
        )


__all__ = ["Script"]
