#!/usr/bin/python3
"""Operators make, change and remove accounts on the running server, and nobody
guesses a password, or that there is an account.

    accounts_test.py PARLEY PROTO-FOLDER
"""

import base64
import hashlib
import hmac
import os
import stat
import subprocess
import time

from parley_system import ALICE, BOB, DOMAIN, NOBODY, PASSWORD
from parley_system import Server, SystemTest, main, numbers, wait_until
from wire_client import Refused, Wire, load_schema


class AccountsTest(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.schema = load_schema(cls.proto)

    def setUp(self):
        self.user = f"user{next(numbers)}@{DOMAIN}"
        self.server.add(self.user)

    def wire(self):
        wire = Wire(self.schema, self.server)
        self.addCleanup(wire.close)
        return wire

    def can_sign_in(self, user, password=PASSWORD):
        try:
            self.wire().sign_in(user, f"e{next(numbers)}", password)
            return True
        except Refused as refusal:
            self.assertEqual(refusal.error.reason, "authentication_failed")
            return False

    def refuses(self, *arguments, text=None):
        """What it says on standard error."""
        done = self.server.try_admin(*arguments, text=text)
        self.assertEqual(done.returncode, 1, done.stdout)
        return done.stderr

    def listed(self):
        return self.server.admin("user", "list")["users"]

    # -- the commands ---------------------------------------------------------

    def test_add_from_a_file_and_from_standard_input(self):
        for how, text in (
            (self.server.password_file, None),
            ("-", PASSWORD + "\nmore lines do not count\n"),
        ):
            user = f"new{next(numbers)}@{DOMAIN}"
            self.assertFalse(self.can_sign_in(user))
            self.server.admin(
                *("user", "add", user, "--password-file", how), text=text
            )
            self.assertIn(user, self.listed())
            self.assertTrue(self.can_sign_in(user))

    def test_an_address_is_prepared(self):
        user = f"Mixed{next(numbers)}@Example.ORG"
        self.server.admin(
            *("user", "add", user, "--password-file", "-"), text=PASSWORD
        )
        self.assertIn(user.lower(), self.listed())
        self.assertTrue(self.can_sign_in(user.lower()))

    def test_what_is_refused(self):
        file = self.server.password_file
        add = ("user", "add")
        self.assertIn(
            "exists", self.refuses(*add, self.user, "--password-file", file)
        )
        self.assertIn(
            "bad_address", self.refuses(*add, "none", "--password-file", file)
        )
        self.refuses(*add, NOBODY, "--password-file", "/no/such/file")
        self.refuses(*add, NOBODY, "--password-file", "-", text="\n")
        for verb in ("remove", "show"):
            self.assertIn("no_such_user", self.refuses("user", verb, NOBODY))
        self.assertIn(
            "no_such_user",
            self.refuses("user", "password", NOBODY, "--password-file", file),
        )
        self.assertNotIn(NOBODY, self.listed())

    def test_the_domain_may_be_left_out_at_a_sign_in_alone(self):
        name = self.user.split("@")[0]
        self.assertTrue(self.can_sign_in(name))
        file = self.server.password_file
        for words in (
            ("user", "add", f"new{name}", "--password-file", file),
            ("user", "password", name, "--password-file", file),
            ("user", "remove", name),
            ("user", "show", name),
        ):
            self.assertIn("is not user@domain", self.refuses(*words))
        # Which is what they are told beforehand.
        said = subprocess.run(
            [self.parley, "serve", "--help"], capture_output=True, text=True
        ).stdout
        words = " ".join(said.split())
        self.assertIn("a client may leave it out when it signs in", words)

    def test_a_changed_password(self):
        self.server.admin(
            *("user", "password", self.user, "--password-file", "-"),
            text="another one\n",
        )
        self.assertFalse(self.can_sign_in(self.user))
        self.assertTrue(self.can_sign_in(self.user, "another one"))

    def test_show_lists_the_sessions(self):
        self.assertEqual(
            self.server.admin("user", "show", self.user)["sessions"], []
        )
        self.wire().sign_in(self.user, "here")
        (shown,) = self.server.admin("user", "show", self.user)["sessions"]
        self.assertEqual(shown["endpoint"], "here")
        self.assertEqual(shown["state"], "connected")
        done = self.server.try_admin("user", "show", self.user)
        self.assertIn("here", done.stdout)

    def test_import_of_passwords_and_of_keys(self):
        n = next(numbers)
        one, two, bad = (f"{x}{n}@{DOMAIN}" for x in ("one", "two", "bad"))
        rows = (
            f"{one},with, a comma\n{two},{scram_text('ready-made')}\r\n"
            f"{self.user},taken\nnonsense,x\n\n{bad},SCRAM-SHA-256$x\n"
        )
        file = self.server.file("import.csv", rows)
        done = self.server.try_admin("user", "import", file)
        self.assertEqual(done.returncode, 1)
        self.assertIn("2 accounts made, 3 rows refused", done.stdout)
        for text in (self.user, "nonsense", bad):
            self.assertIn(text, done.stderr)
        line = self.server.admin("audit", "1")["audit"][0]
        self.assertEqual(
            (line["what"], line["to"]),
            ("user import", "2 accounts, 3 rows refused"),
        )
        self.assertTrue(self.can_sign_in(one, "with, a comma"))
        self.assertTrue(self.can_sign_in(two, "ready-made"))
        self.assertNotIn(bad, self.listed())

    def test_a_header_is_passed_over(self):
        user = f"headed{next(numbers)}@{DOMAIN}"
        file = self.server.file("rows.csv", f"User,Password\n{user},x\n")
        done = self.server.admin("user", "import", file)
        self.assertEqual(done, {"added": 1, "refused": []})

    def test_keys_that_would_cost_too_much_are_not_imported(self):
        salt = base64.b64encode(b"s" * 256).decode()
        key = base64.b64encode(b"k" * 32).decode()
        for text in (
            scram_text("x").replace("$4096:", "$1000001:"),
            scram_text("x").replace("$4096:", "$4294967295:"),
            f"SCRAM-SHA-256$4096:{salt}${key}:{key}",
        ):
            user = f"costly{next(numbers)}@{DOMAIN}"
            file = self.server.file("costly.csv", f"{user},{text}\n")
            done = self.server.try_admin("user", "import", file)
            self.assertEqual(done.returncode, 1)
            self.assertIn("at most", done.stderr)
            self.assertNotIn(user, self.listed())

    def test_what_is_done_is_in_the_audit_log(self):
        self.server.admin("user", "remove", self.user)
        log = self.server.admin("audit")["audit"]
        self.assertIn(f"user remove {self.user}", [x["what"] for x in log])

    def test_the_folder_is_its_owners_alone(self):
        def mode(*path):
            name = os.path.join(self.server.data, *path)
            return stat.S_IMODE(os.stat(name).st_mode)

        self.assertEqual(mode(), 0o700)
        self.assertEqual(mode("admin.sock"), 0o600)
        with a_server(self, plain=False) as server:
            key = os.path.join(server.data, "tls", "key.pem")
            self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600)
            for folder, folders, files in os.walk(server.data):
                for name in folders + files:
                    path = os.path.join(folder, name)
                    others = os.lstat(path).st_mode & 0o077
                    self.assertEqual(others, 0, path)

    # -- removal --------------------------------------------------------------

    def test_removal_ends_sessions_and_takes_all_along(self):
        user = self.user
        alice = self.wire().sign_in(ALICE)
        connected = self.wire().sign_in(user, "connected")
        suspended = self.wire().sign_in(user, "suspended")
        suspended.close()
        self.server.admin("user", "remove", user)
        error = connected.error()
        self.assertEqual(error.reason, "account_removed")
        self.assertEqual(error.scope, self.schema.SESSION)
        self.assertTrue(connected.is_closed())
        for wire in (connected, suspended):
            with self.assertRaises(Refused):
                self.wire().resume(wire.session.token, 0)
        self.assertFalse(self.can_sign_in(user))
        self.assertNotIn(user, self.listed())
        request = alice.send_im(user, f"im {next(numbers)}")
        self.assertEqual(alice.outcome(request), "no_such_user")

    def test_removal_rejects_what_is_in_flight(self):
        alice = self.wire().sign_in(ALICE)
        mute = self.wire().sign_in(self.user)
        self.setting("im.grace", "30s")
        request = alice.send_im(self.user, f"im {next(numbers)}")
        mute.until("im")
        self.server.admin("user", "remove", self.user)
        self.assertEqual(alice.outcome(request), "no_such_user")

    def test_a_later_account_of_the_name_starts_empty(self):
        alice = self.wire().sign_in(ALICE)
        ids = [f"im {next(numbers)}" for _ in range(5)]
        for id_ in ids:
            request = alice.send_im(self.user, id_)
            self.assertEqual(alice.outcome(request), "stored")
        self.server.admin("user", "remove", self.user)
        self.server.add(self.user)
        again = self.wire().sign_in(self.user)
        id_ = f"im {next(numbers)}"
        request = alice.send_im(self.user, id_)
        self.assertEqual(again.until("im").im.id, id_)
        again.ack()
        self.assertEqual(alice.outcome(request), "delivered")
        again.close()
        self.server.stop()
        self.server.start()
        again = self.wire().sign_in(self.user)
        again.send_im(f"{self.user}/desk", "fence")
        self.assertEqual(again.until("im").im.id, "fence")

    def test_removal_is_durable(self):
        self.server.admin("user", "remove", self.user)
        self.server.kill()
        self.server.start()
        self.assertFalse(self.can_sign_in(self.user))
        self.assertNotIn(self.user, self.listed())

    def test_kick(self):
        wire = self.wire().sign_in(self.user)
        done = self.server.admin("kick", self.user)
        self.assertEqual(done["ended"], 1)
        error = wire.error()
        self.assertEqual(error.reason, "kicked")
        self.assertEqual(error.scope, self.schema.SESSION)


class GuessingTest(SystemTest):
    """On servers of their own: failures are remembered by source, too."""

    @classmethod
    def setUpClass(cls):
        cls.schema = load_schema(cls.proto)

    def attempt(self, server, user, password="wrong", **how):
        """Seconds, and what the server said, all of it."""
        wire = Wire(self.schema, server, **how)
        try:
            wire.say_hello()
            began = time.monotonic()
            try:
                wire.authenticate(user, "desk", password)
                said = "signed in"
            except Refused as refusal:
                error = refusal.error
                self.retry_after_ms = error.retry_after_ms
                said = (error.reason, error.text, error.scope)
            return time.monotonic() - began, said
        finally:
            wire.close()

    def test_delays_grow_and_others_are_let_in(self):
        with a_server(self, users=(ALICE, BOB)) as server:
            for _ in range(2):
                self.attempt(server, ALICE)
            began = time.monotonic()
            times = []
            for _ in range(3):
                self.attempt(server, ALICE)
                times.append(time.monotonic() - began)
            # Three are free, then half a second, and twice as long each time,
            # counted from when the one before was let in.
            for n, least in ((1, 0.5), (2, 1.5)):
                self.assertGreaterEqual(times[n], least, times)
            # Each failure tells when the next try will be let in.
            self.assertGreater(self.retry_after_ms, 0)
            self.assertEqual(
                self.attempt(server, BOB, PASSWORD)[1], "signed in"
            )
            log = server.logged()
            self.assertIn(f"sign-in of {ALICE} from 127.0.0.1 failed", log)
            wait_until(lambda: "5 since the start" in server.logged(), "all")

    def test_an_unknown_user_is_answered_alike(self):
        answers, salts = {}, {}
        for user in (ALICE, NOBODY):
            with a_server(self, users=(ALICE,)) as server:
                salts[user] = [self.challenge(server, user) for _ in range(2)]
                answers[user] = [self.attempt(server, user) for _ in range(4)]
        known, unknown = answers[ALICE], answers[NOBODY]
        self.assertEqual([x[1] for x in known], [x[1] for x in unknown])
        self.assertGreaterEqual(unknown[3][0], 0.4)
        for user in (ALICE, NOBODY):
            first, second = salts[user]
            # As a real account's, and the same at each try.
            self.assertEqual(first, second)
            self.assertEqual(first[1], "4096")
        self.assertEqual(len(salts[ALICE][0][0]), len(salts[NOBODY][0][0]))

    def test_an_imported_account_is_answered_alike(self):
        """Its keys are not of this server's making; all accounts are such."""
        with a_server(self) as server:
            text = scram_text("x", iterations=10_000, salt_bytes=36)
            for run in ("while it runs", "after a start"):
                if run == "while it runs":
                    file = server.file("keys.csv", f"{ALICE},{text}\n")
                    server.admin("user", "import", file)
                else:
                    server.stop()
                    server.start()
                for user in (ALICE, NOBODY, BOB):
                    salt, iterations = self.challenge(server, user)
                    self.assertEqual(iterations, "10000", (run, user))
                    self.assertEqual(len(base64.b64decode(salt)), 36)

    def challenge(self, server, user):
        """Salt and iterations."""
        wire = Wire(self.schema, server)
        wire.say_hello()
        first = f"n,,n={user},r=abc".encode()
        wire.send(
            authenticate={"mechanism": "SCRAM-SHA-256", "initial": first}
        )
        text = wire.until("sasl_challenge").sasl_challenge.data.decode()
        wire.close()
        part = dict(x.split("=", 1) for x in text.split(","))
        return part["s"], part["i"]

    def test_the_third_failure_closes_the_connection(self):
        with a_server(self, users=(ALICE,)) as server:
            wire = Wire(self.schema, server)
            wire.say_hello()
            for scope in ("REQUEST", "REQUEST", "CONNECTION"):
                with self.assertRaises(Refused) as caught:
                    wire.authenticate(ALICE, "desk", "wrong")
                error = caught.exception.error
                self.assertEqual(error.scope, self.schema.Scope.Value(scope))
            self.assertTrue(wire.is_closed())
            wire.close()

    def begin_at_once(self, server, user, sources):
        """A try from each of them at the same time. Those whose turn came,
        and the errors of the others."""
        wires = [Wire(self.schema, server, source=x) for x in sources]
        for wire in wires:
            self.addCleanup(wire.close)
            wire.say_hello()
        for wire in wires:
            wire.send(
                authenticate={
                    "mechanism": "SCRAM-SHA-256",
                    "initial": f"n,,n={user},r=abc".encode(),
                }
            )
        let_in, refused = [], []
        for wire in wires:
            try:
                wire.until("sasl_challenge")
                let_in.append(wire)
            except Refused as refusal:
                refused.append(refusal.error)
        return let_in, refused

    def test_sign_ins_in_parallel_do_not_get_around_it(self):
        with a_server(self, users=(ALICE,)) as server:
            for _ in range(4):
                self.attempt(server, ALICE)
            let_in, refused = self.begin_at_once(
                server, ALICE, 200 * ["127.0.0.1"]
            )
            # Each waits twice as long as the one before, and nobody for
            # more than 20 s.
            self.assertLessEqual(len(let_in), 6)
            self.assertGreaterEqual(len(refused), 194)
            for error in refused:
                self.assertEqual(error.reason, "overloaded")
                self.assertEqual(error.scope, self.schema.REQUEST)
                self.assertGreater(error.retry_after_ms, 0)

    def test_nobody_is_kept_out_by_someone_who_guesses(self):
        with a_server(self, users=(ALICE,)) as server:
            # A few at once are let in, as when all endpoints come back.
            let_in, refused = self.begin_at_once(
                server, ALICE, 200 * ["127.0.0.1"]
            )
            self.assertLess(len(let_in), 60)
            self.assertGreater(len(refused), 100)
            # Neither where she has never been …
            said = self.attempt(server, ALICE, PASSWORD, source="127.0.0.2")
            self.assertEqual(said[1], "signed in")
            # … nor where she is known, even if many addresses guess.
            many = [f"127.0.1.{n}" for n in range(1, 100)]
            let_in, refused = self.begin_at_once(server, ALICE, many)
            self.assertLess(len(let_in), 30)
            said = self.attempt(server, ALICE, PASSWORD, source="127.0.0.2")
            self.assertEqual(said[1], "signed in")

    def test_who_leaves_after_the_challenge_has_failed_too(self):
        with a_server(self, users=(ALICE,)) as server:
            for _ in range(3):
                (wire,), _ = self.begin_at_once(server, ALICE, ["127.0.0.1"])
                wire.close()
            wait_until(lambda: "3 since the start" in server.logged(), "all")


class a_server:
    """A server for a `with`."""

    def __init__(self, test, **how):
        self.server = Server(test.parley, **how)

    def __enter__(self):
        return self.server

    def __exit__(self, *_):
        self.server.remove()


def scram_text(password, iterations=4096, salt_bytes=16):
    """Keys as in RFC 5803."""
    salt = os.urandom(salt_bytes)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client = hmac.digest(salted, b"Client Key", "sha256")
    stored = hashlib.sha256(client).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")

    def text(octets):
        return base64.b64encode(octets).decode()

    head = f"SCRAM-SHA-256${iterations}:{text(salt)}"
    return f"{head}${text(stored)}:{text(server)}"


if __name__ == "__main__":
    main()
