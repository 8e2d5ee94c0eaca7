"""Converse.js in a headless Chromium, over WebSocket: two people who share
nothing sign in, add each other, see each other's presence, chat, go away and
get what they missed. Called with the folder of tests/system/converse, and one
to put Converse.js and pictures of the screen into."""

import filecmp
import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading

import parley_system
from browser import Browser
from line import Line
from parley_system import ALICE, BOB, CAROL, DAVE, DOMAIN, PASSWORD, Server
from parley_system import wait_until
from xmpp_fixture import SKIPPED

PROGRAMS = ("chromium", "npm")


def install(source, folder):
    """Fetches Converse.js as package-lock.json names it, unless it is there."""
    os.makedirs(folder, exist_ok=True)
    names = ("package.json", "package-lock.json")
    there = os.path.join(folder, "node_modules", "converse.js", "dist")
    _, *changed = filecmp.cmpfiles(source, folder, names, shallow=False)
    if any(changed) or not os.path.isdir(there):
        for name in names:
            shutil.copy(os.path.join(source, name), folder)
        done = subprocess.run(
            [
                *("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"),
                *("--fetch-retries=1", "--fetch-timeout=60000"),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            # An install that broke off is not taken for one that is there.
            os.remove(os.path.join(folder, names[0]))
            print(
                "skipped: npm cannot fetch Converse.js, without which there is "
                f"nothing to try in a browser: {done.stderr}"
            )
            sys.exit(SKIPPED)
    shutil.copy(os.path.join(source, "index.html"), folder)


class Site(http.server.SimpleHTTPRequestHandler):
    """The page, of another origin than the server."""

    def translate_path(self, path):
        name = path.split("?")[0]
        if name.startswith("/dist/"):
            name = "/node_modules/converse.js" + name
        return super().translate_path(name)

    def log_message(self, *_):
        pass


class Person:
    """Somebody at a page of Converse.js, in a profile of its own."""

    def __init__(self, test, address, options=""):
        self.test = test
        self.page = test.browser.page(f"{test.site}/?domain={DOMAIN}{options}")
        test.addCleanup(self.page.close)
        # Its fields are there before it heeds them.
        self.page.wait("window.is_ready")
        self.page.type("#converse-login-jid", address)
        self.page.type("#converse-login-password", PASSWORD + "\n")
        self.page.wait(
            "document.querySelector('.change-status .online') != null",
            "a sign-in",
        )

    def picture(self, name):
        self.page.picture(os.path.join(self.test.folder, f"{name}.png"))

    def add(self, other):
        self.page.click("#converse-roster .dropdown-toggle")
        self.page.click("#converse-roster .add-contact")
        modal = "converse-add-contact-modal"
        self.page.type(f"{modal} input[name=jid]", other)
        self.page.click(f"{modal} button[type=submit]")

    def accept(self):
        """Whoever asks to be a contact. Converse.js 14.0.0 does not ask back
        then, against what its source means: it calls what is not there."""
        self.page.click(".requesting-xmpp-contact .dropdown-toggle")
        self.page.click(".requesting-xmpp-contact .accept-xmpp-request")
        modal = "converse-accept-contact-request-modal"
        self.page.click(f"{modal} button[type=submit]")

    @staticmethod
    def contact(other):
        return f"#converse-roster a[data-jid='{other}']"

    def sees(self, other, status):
        self.page.wait(
            f"""document.querySelector(`{self.contact(other)}`)
              ?.closest("li").dataset.status == "{status}" """,
            f"{other} as {status}",
        )

    def show(self, status):
        self.page.click(".change-status")
        self.page.click(f".modal.show input[value={status}]")
        self.page.click(".modal.show #set-xmpp-status button[type=submit]")
        self.page.click(".modal.show .modal-footer [data-bs-dismiss=modal]")
        self.page.wait("document.querySelector('.modal.show') == null")

    def sign_out(self):
        self.page.click(".show-profile")
        self.page.click(".modal.show .btn-danger")
        self.page.click("converse-confirm-modal .btn-primary")
        self.page.wait(
            "document.querySelector('#converse-login-jid') != null",
            "the end of a session",
        )

    def open(self, other):
        # The list is put in order anew when messages come.
        self.page.click_until(
            self.contact(other),
            f"""document.querySelector("converse-chat-heading")
              ?.innerText.includes("{other}")""",
        )

    def is_told_of(self, count, other):
        """So many new messages. A chat that is opened just when its first one
        comes may stay empty: Converse.js 14.0.0 makes it twice."""
        self.page.wait(
            f"""document.querySelector(`{self.contact(other)}`)
              ?.closest("li").innerText.split(/\\s+/)
              .some(word => /^\\D?{count}$/.test(word))""",
            f"{count} new of {other}",
        )

    def say(self, text):
        self.page.type("textarea.chat-textarea", text + "\n")

    def reads(self, *texts):
        """All that was said so far, in order."""
        self.page.wait(
            f"""JSON.stringify([...document.querySelectorAll(
              ".chat-msg__text")].map(e => e.innerText.trim()))
              == JSON.stringify({json.dumps(texts)})""",
            texts,
        )


class Converse(parley_system.SystemTest):
    plain = False

    @classmethod
    def setUpClass(cls):
        missing = [p for p in PROGRAMS if not shutil.which(p)]
        if missing:
            raise AssertionError(f"missing: {missing}; ./dev test brings them")
        install(cls.source, cls.folder)
        cls.server = Server(
            cls.parley, "--xmpp-ws", "127.0.0.1:0", users=cls.users, plain=False
        )
        cls.addClassCleanup(cls.server.remove)
        cls.line = Line(cls.server.xmpp_ws)
        cls.addClassCleanup(cls.line.close)
        handler = functools.partial(Site, directory=cls.folder)
        site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=site.serve_forever, daemon=True).start()
        cls.addClassCleanup(site.server_close)
        cls.addClassCleanup(site.shutdown)
        cls.site = f"http://127.0.0.1:{site.server_port}"
        # The domain is asked for its host-meta, and nobody else is there.
        cls.browser = Browser(
            cls.folder,
            "--ignore-certificate-errors",
            f"--host-resolver-rules=MAP {DOMAIN} {cls.line.address}, "
            "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        )
        cls.addClassCleanup(cls.browser.close)

    def sessions(self, user):
        all_ = self.server.admin("sessions")["sessions"]
        return [x for x in all_ if x["user"] == user]

    def test_two_people_meet_talk_go_away_and_miss_nothing(self):
        self.setting("presence.auto_approve", "off")
        alice, bob = Person(self, ALICE), Person(self, BOB, "&subscribe_back")
        alice.add(BOB)
        alice.sees(BOB, "online")
        bob.sees(ALICE, "online")
        alice.open(BOB)
        alice.say("Hello Bob, do you see me?")
        bob.is_told_of(1, ALICE)
        bob.open(ALICE)
        bob.reads("Hello Bob, do you see me?")
        bob.say("I do. \u00bfY t\u00fa? \U0001f642")
        said = ["Hello Bob, do you see me?", "I do. \u00bfY t\u00fa? \U0001f642"]
        alice.reads(*said)
        bob.show("away")
        alice.sees(BOB, "away")
        alice.picture("1-alice-talks-to-bob-who-is-away")
        bob.picture("2-bob")
        bob.sign_out()
        alice.sees(BOB, "offline")
        alice.say("You will read this later.")
        wait_until(
            lambda: self.server.admin("sessions")["counters"]["stored"] == 1,
            "a stored IM",
        )
        alice.picture("3-alice-after-bob-has-left")
        # One message alone: of several that come at once Converse.js 14.0.0
        # shows one where the chat is new to it.
        again = Person(self, BOB)
        again.sees(ALICE, "online")
        alice.sees(BOB, "online")
        again.is_told_of(1, ALICE)
        again.open(ALICE)
        again.reads("You will read this later.")
        again.say("I have read it now.")
        alice.reads(*said, "You will read this later.", "I have read it now.")
        again.picture("4-bob-is-back")

    def test_who_asks_is_seen_once_that_was_accepted(self):
        self.setting("presence.auto_approve", "off")
        carol, bob = Person(self, CAROL), Person(self, BOB)
        carol.add(BOB)
        carol.sees(BOB, "offline")
        bob.accept()
        carol.sees(BOB, "online")

    def test_who_is_cut_off_comes_back_by_itself_and_misses_nothing(self):
        carol = self.chat(CAROL, "native")
        dave = Person(self, DAVE)
        self.addCleanup(self.line.mend)
        carol.send(DAVE, body="before")
        dave.is_told_of(1, CAROL)
        dave.open(CAROL)
        dave.reads("before")
        before = self.sessions(DAVE)
        self.line.cut()
        wait_until(
            lambda: self.sessions(DAVE)[0]["state"] == "suspended", "a cut"
        )
        for text in ("one", "two", "three"):
            carol.post(DAVE, body=text)
        self.line.mend()
        wait_until(
            lambda: self.sessions(DAVE)[0]["state"] == "connected", "a resume"
        )
        dave.reads("before", "one", "two", "three")
        dave.say("I was away")
        carol.wait_for(
            lambda x: x["event"] == "message" and x["body"] == "I was away"
        )
        dave.picture("5-dave-has-resumed")
        for key in ("endpoint", "since_ms"):
            self.assertEqual(self.sessions(DAVE)[0][key], before[0][key])


if __name__ == "__main__":
    Converse.source, Converse.folder = sys.argv[2:4]
    del sys.argv[2:4]
    parley_system.main()
