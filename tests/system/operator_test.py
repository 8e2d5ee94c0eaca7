#!/usr/bin/python3
"""What an operator types, and what comes back: the words of the command line,
files of settings and of accounts, several operators at once, and texts of
users that would like to command the operator's terminal.

    operator_test.py PARLEY PROTO-FOLDER
"""

import json
import os
import re
import resource
import socket
import stat
import subprocess
import tempfile
import time

from parley_system import ALICE, BOB, DOMAIN, PASSWORD, PATIENCE, Chat
from parley_system import SystemTest, Server, free_port, main, numbers
from parley_system import wait_until
from wire_client import Wire, load_schema

STOPPED_WITHIN = 10  # seconds
TITLE = "\x1b]0;owned\x07"


def cpu_seconds(pid):
    """Of all threads of a process, so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def admin_connection(server):
    """A bare connection to the admin socket."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE)
    connection.connect(os.path.join(server.data, "admin.sock"))
    return connection


def ask(connection, **request):
    connection.sendall(json.dumps(request).encode() + b"\n")
    return json.loads(connection.makefile("r", encoding="utf-8").readline())


class WordsTest(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.schema = load_schema(cls.proto)

    def run_admin(self, *words, status, text=None):
        """Both outputs, if it ends so."""
        done = self.server.try_admin(*words, text=text)
        self.assertEqual(done.returncode, status, (words, done))
        return done.stdout + done.stderr

    # -- the words ------------------------------------------------------------

    def test_a_bad_value_is_refused_with_the_range(self):
        for value in ("-1", "-10", "31", "soon", "1,5"):
            said = self.run_admin(
                *("settings", "set", "im.grace", value), status=1
            )
            self.assertIn(f"'{value}'", said)
            self.assertIn("100 ms to 30 s", said)

    def test_wrong_words_are_told(self):
        for words in (
            ("audit", "abc"),
            ("audit", "0"),
            ("audit", "-3"),
            ("audit", "3x"),
            ("audit", "99999999999999999999"),
            ("audit", "1", "2"),
            ("sessions", "all"),
            ("user",),
            ("user", "frobnicate", ALICE),
            ("user", "add", ALICE),
            ("-x",),
            ("--frobnicate",),
            (),
        ):
            self.assertIn("parley admin:", self.run_admin(*words, status=2))

    def test_a_comma_is_part_of_its_word(self):
        user = f"a,b{next(numbers)}@{DOMAIN}"
        self.run_admin(
            *("user", "add", user, "--password-file", "-"),
            status=0,
            text=PASSWORD,
        )
        chat = self.chat(user)
        self.assertEqual(chat.quit(), 0)

    def test_files_that_are_none(self):
        for file in ("/", "/no/such/file"):
            said = self.run_admin("user", "import", file, status=1)
            self.assertIn("cannot read", said)
            said = self.run_admin(
                *("user", "add", f"x@{DOMAIN}", "--password-file", file),
                status=1,
            )
            self.assertIn("cannot read", said)

    # -- accounts -------------------------------------------------------------

    def test_names_that_could_not_sign_in_are_refused(self):
        ascii_user = f"plain{next(numbers)}@{DOMAIN}"
        for name in ("😀", "₹", "a😀b"):
            user = f"{name}@{DOMAIN}"
            said = self.run_admin(
                *("user", "add", user, "--password-file", "-"),
                status=1,
                text=PASSWORD,
            )
            self.assertIn("SASLprep", said)
            rows = self.server.file("rows", f"{user},x\n{ascii_user},x\n")
            said = self.run_admin("user", "import", rows, status=1)
            self.assertIn(f"line 1, {user}: bad_address", said)
            self.assertNotIn(user, self.server.admin("user", "list")["users"])

    def test_names_and_passwords_in_many_scripts_sign_in(self):
        for name, password in (
            ("grüße", "pässwörd"),
            ("Ολγα", "κωδικός"),
            ("你好", "密码"),
            # From right to left, which may not stand beside the domain.
            ("דוד", "סיסמה"),
            ("سلام", "pass 😀"),
        ):
            user = f"{name}@{DOMAIN}"
            self.run_admin(
                *("user", "add", user, "--password-file", "-"),
                status=0,
                text=password + "\n",
            )
            file = self.server.file("its-password", password + "\n")
            chat = self.chat(user, "desk", "--password-file", file)
            self.assertEqual(chat.quit(), 0)

    def test_an_import_reads_csv(self):
        a, b, c, d = (f"csv{next(numbers)}@{DOMAIN}" for _ in range(4))
        rows = (
            f'{a},"pa,ss"\n"{b}","say ""hi"""\r\n{c},un,quoted\n'
            f'{d},"x"y\n{a},again\nlonely\n'
        )
        file = self.server.file("rows.csv", rows)
        done = self.server.try_admin("user", "import", file, "--json")
        self.assertEqual(done.returncode, 1)
        said = json.loads(done.stdout)
        self.assertEqual(said["added"], 3)
        self.assertEqual(
            [(x["line"], x["user"], x["reason"]) for x in said["refused"]],
            [
                (4, d, "bad_request"),
                (5, a, "exists"),
                (6, "lonely", "bad_request"),
            ],
        )
        # What was refused is told without its password.
        self.assertNotIn("again", done.stdout)
        for user, password in (
            (a, "pa,ss"),
            (b, 'say "hi"'),
            (c, "un,quoted"),
        ):
            file = self.server.file("its-password", password + "\n")
            chat = self.chat(user, "desk", "--password-file", file)
            self.assertEqual(chat.quit(), 0)

    def test_what_is_no_utf_8_is_no_password(self):
        user = f"latin{next(numbers)}@{DOMAIN}"
        file = os.path.join(self.server.folder, "latin")
        for text, words in (
            (b"gr\xfc\xdfe\n", ("user", "add", user, "--password-file", file)),
            (user.encode() + b",gr\xfc\xdfe\n", ("user", "import", file)),
        ):
            with open(file, "wb") as out:
                out.write(text)
            self.assertIn("UTF-8", self.run_admin(*words, status=1))

    # -- the operator's terminal ----------------------------------------------

    def test_users_do_not_command_the_operators_terminal(self):
        wire = Wire(self.schema, self.server)
        self.addCleanup(wire.close)
        software = f"evil{TITLE}\x7f\u009b2J\n"
        wire.send(
            hello={"version_min": 1, "version_max": 1, "software": software}
        )
        wire.read_magic()
        wire.until("welcome")
        wire.authenticate(BOB, "desk")
        said = [
            self.run_admin("sessions", status=0),
            self.run_admin("sessions", "--json", status=0),
            self.run_admin("user", "show", BOB, status=0),
        ]
        for text in said:
            self.assertIn("evil", text)
        rows = self.server.file("evil.csv", f"{TITLE},x\n{TITLE}@{DOMAIN},x\n")
        said.append(self.run_admin("user", "import", rows, status=1))
        said.append(self.run_admin("user", "show", TITLE, status=1))
        said.append(
            self.run_admin("settings", "set", "im.grace", TITLE, status=1)
        )
        said.append(self.run_admin("settings", "get", TITLE, status=1))
        for text in said:
            for command in ("\x1b", "\x07", "\x7f", "\u009b"):
                self.assertNotIn(command, text)

    # -- several operators ----------------------------------------------------

    def test_silent_operators_hold_up_nobody(self):
        silent = [admin_connection(self.server) for _ in range(30)]
        for n, connection in enumerate(silent):
            self.addCleanup(connection.close)
            if n % 2:
                connection.sendall(b'{"op":')
        self.assertIn(ALICE, self.server.admin("user", "list")["users"])
        silent[1].sendall(b'"user.list"}\n')
        file = silent[1].makefile("r", encoding="utf-8")
        self.assertIn(ALICE, json.loads(file.readline())["users"])

    def test_an_operator_that_does_not_read_holds_up_nobody(self):
        lazy = admin_connection(self.server)
        self.addCleanup(lazy.close)
        lazy.settimeout(1)
        try:
            while True:
                lazy.sendall(b'{"op":"settings.list"}\n' * 100)
        except socket.timeout:
            pass  # nothing more is taken from it
        self.assertIn(ALICE, self.server.admin("user", "list")["users"])

    def test_more_operators_than_there_is_room_for(self):
        silent = [admin_connection(self.server) for _ in range(100)]
        for connection in silent:
            self.addCleanup(connection.close)
        self.assertIn(ALICE, self.server.admin("user", "list")["users"])

    def test_lines_that_are_none_and_several_at_once(self):
        connection = admin_connection(self.server)
        self.addCleanup(connection.close)
        self.assertEqual(ask(connection, op=7)["error"], "bad_request")
        self.assertEqual(ask(connection, op="x")["error"], "unknown_request")
        connection.sendall(b'nonsense\n{"op":"user.list"}\n')
        connection.shutdown(socket.SHUT_WR)
        lines = connection.makefile("r", encoding="utf-8").readlines()
        self.assertEqual(json.loads(lines[0])["error"], "bad_request")
        self.assertIn(ALICE, json.loads(lines[1])["users"])

    def test_without_descriptors_it_waits_and_does_not_spin(self):
        server = Server(self.parley, users=(ALICE,))
        self.addCleanup(server.remove)
        pid = server.process.pid
        limit = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        used = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, limit[1]))
        waiting = admin_connection(server)
        self.addCleanup(waiting.close)
        waiting.sendall(b'{"op":"user.list"}\n')
        time.sleep(0.5)
        before = cpu_seconds(pid)
        time.sleep(2)
        self.assertLess(cpu_seconds(pid) - before, 1)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)
        line = waiting.makefile("r", encoding="utf-8").readline()
        self.assertIn(ALICE, json.loads(line)["users"])

    def test_a_stop_breaks_an_import_off(self):
        server = Server(self.parley)
        self.addCleanup(server.remove)
        connection = admin_connection(server)
        self.addCleanup(connection.close)
        # More than a minute of hashing.
        rows = [[f"u{n}@{DOMAIN}", "secret"] for n in range(30_000)]
        began_cpu = cpu_seconds(server.process.pid)
        line = json.dumps({"op": "user.import", "rows": rows}) + "\n"
        connection.sendall(line.encode())
        wait_until(
            lambda: cpu_seconds(server.process.pid) - began_cpu > 0.5,
            "the import",
        )
        began = time.monotonic()
        self.assertEqual(server.stop(), 0)
        self.assertLess(time.monotonic() - began, STOPPED_WITHIN)
        # What was under way is not done by halves.
        server.start()
        self.assertEqual(server.admin("user", "list")["users"], [])

    def test_an_import_that_is_cut_off_says_what_is_done(self):
        server = Server(self.parley)
        self.addCleanup(server.remove)
        rows = "".join(f"u{n}@{DOMAIN},secret\n" for n in range(30_000))
        admin = subprocess.Popen(
            [self.parley, "admin", "--data", server.data]
            + ["user", "import", server.file("rows", rows)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(
            lambda: server.admin("user", "list")["users"], "the first part"
        )
        self.assertEqual(server.stop(), 0)
        _, said = admin.communicate(timeout=PATIENCE)
        self.assertEqual(admin.returncode, 1)
        told = r"\((\d+) accounts? made before; go on from line (\d+)\)"
        made, line = map(int, re.search(told, said).groups())
        self.assertEqual(line, made + 1)
        server.start()
        self.assertEqual(len(server.admin("user", "list")["users"]), made)


class StartTest(SystemTest):
    """Servers that are to fail, or not."""

    @classmethod
    def setUpClass(cls):
        pass

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="parley-start-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.data = os.path.join(self.folder, "data")

    def refused(self, *arguments, status):
        """What it says on standard error."""
        done = subprocess.run(
            [self.parley, "serve", "--plain", *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        self.assertEqual(done.returncode, status, (arguments, done))
        self.assertEqual(done.stdout, "")
        return done.stderr

    def serve(self, *arguments, listen="127.0.0.1:0", lines=1):
        """The first lines of one that starts; it is stopped afterwards."""
        process = subprocess.Popen(
            [self.parley, "serve", "--data", self.data, "--listen", listen]
            + list(arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            said = [process.stdout.readline() for _ in range(lines)]
            for line in said:
                self.assertTrue(line.startswith("ready "), said)
            return [self.can_connect(line.split()[1]) for line in said]
        finally:
            process.terminate()
            self.assertEqual(process.wait(PATIENCE), 0)
            process.stdout.close()

    def can_connect(self, where):
        host, port = where.rsplit(":", 1)
        address = (host.strip("[]"), int(port))
        socket.create_connection(address, PATIENCE).close()
        return address

    def mode(self, *path):
        return stat.S_IMODE(os.stat(os.path.join(self.data, *path)).st_mode)

    # -- the file and the words -----------------------------------------------

    def test_what_is_wrong_in_the_file_is_told_with_its_line(self):
        file = os.path.join(self.folder, "parley.toml")
        for line, text in (
            (1, "listen = 5"),
            (2, 'plain = true\nlisten = ["127.0.0.1:0", 7]'),
            (1, 'listen = "nowhere"'),
            (3, 'domain = "x"\n# colours\ncolour = "red"'),
            (1, 'plain = "yes"'),
            (1, "data = 1"),
            (1, "threads = 0"),
            (1, "threads = 1.0"),
            (1, "threads = 9223372036854775807"),
            (1, "spin_us = -1"),
            (2, "plain = true\ndomain = ["),
        ):
            with open(file, "w", encoding="utf-8") as out:
                out.write(text + "\n")
            said = self.refused(
                *("--data", self.data, "--config", file), status=2
            )
            self.assertIn(f"{file}, line {line}: ", said, text)
        self.assertFalse(os.path.exists(self.data))

    def test_the_file_says_what_the_command_line_does_not(self):
        file = os.path.join(self.folder, "parley.toml")
        with open(file, "w", encoding="utf-8") as out:
            out.write('listen = ["127.0.0.1:0", "127.0.0.1:0"]\nplain = true\n')
        process = subprocess.Popen(
            [self.parley, "serve", "--data", self.data, "--config", file],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        lines = [process.stdout.readline() for _ in range(2)]
        process.terminate()
        self.assertEqual(process.wait(PATIENCE), 0)
        process.stdout.close()
        for line in lines:
            self.assertTrue(line.startswith("ready 127.0.0.1:"), lines)

    def test_wrong_words_of_the_command_line(self):
        for words in (
            ("--log", "verbose"),
            ("--log", ""),
            ("--listen", "nowhere"),
            ("--threads", "-1"),
        ):
            self.refused(
                *("--data", self.data, "--listen", "127.0.0.1:0", *words),
                status=2,
            )

    def test_a_name_is_listened_on_at_all_of_its_addresses(self):
        port = free_port()
        expected = []
        for *_, address in socket.getaddrinfo(
            "localhost", port, type=socket.SOCK_STREAM
        ):
            with socket.socket(
                socket.AF_INET6 if ":" in address[0] else socket.AF_INET
            ) as probe:
                try:
                    probe.bind((address[0], 0))
                    expected.append(address[:2])
                except OSError:
                    pass  # this machine does not have it
        found = self.serve(
            "--plain", listen=f"localhost:{port}", lines=len(expected)
        )
        self.assertEqual(sorted(found), sorted(expected))
        found = self.serve(
            "--plain", listen="localhost:0", lines=len(expected)
        )
        self.assertEqual(len({port for _, port in found}), 1)

    # -- the data folder ------------------------------------------------------

    def test_other_peoples_folders_are_left_alone(self):
        os.mkdir(self.data, 0o755)
        os.chmod(self.data, 0o755)
        with open(os.path.join(self.data, "thesis"), "w") as out:
            out.write("x")
        said = self.refused(
            *("--data", self.data, "--listen", "127.0.0.1:0"), status=1
        )
        self.assertIn(self.data, said)
        self.assertIn("holds other things", said)
        self.assertEqual(self.mode(), 0o755)
        self.assertEqual(os.listdir(self.data), ["thesis"])
        os.remove(os.path.join(self.data, "thesis"))
        self.serve("--plain")
        self.assertEqual(self.mode(), 0o700)

    def test_a_data_folder_is_made_private_again(self):
        self.data = os.path.join(self.folder, "two", "deep") + "/"
        self.serve("--plain")
        os.chmod(self.data, 0o755)
        with open(os.path.join(self.data, "notes"), "w") as out:
            out.write("x")
        self.serve("--plain")
        self.assertEqual(self.mode(), 0o700)

    def test_a_file_is_no_folder(self):
        with open(self.data, "w") as out:
            out.write("x")
        said = self.refused(
            *("--data", self.data, "--listen", "127.0.0.1:0"), status=1
        )
        self.assertIn("is no folder", said)

    def test_a_key_without_a_certificate_blocks_no_start(self):
        tls = os.path.join(self.data, "tls")
        self.serve()
        with open(os.path.join(tls, "key.pem"), encoding="utf-8") as file:
            key = file.read()
        os.remove(os.path.join(tls, "cert.pem"))
        self.serve()
        with open(os.path.join(tls, "key.pem.old"), encoding="utf-8") as file:
            self.assertEqual(file.read(), key)
        self.assertTrue(os.path.exists(os.path.join(tls, "cert.pem")))


if __name__ == "__main__":
    main()
