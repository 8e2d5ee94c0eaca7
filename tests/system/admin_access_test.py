#!/usr/bin/python3
"""Only the server's user and root operate it, by every command that there is; a
new one fails here until it is listed. Skipped (exit status 77) for anybody but
root.

    admin_access_test.py PARLEY
"""

import json
import os
import pwd
import subprocess
import sys

from operator_test import admin_connection, ask
from parley_system import BOB, DOMAIN, PATIENCE, Server, SystemTest, main

SKIPPED = 77  # CMakeLists.txt tells it to ctest
STRANGER = "nobody"  # a user of this machine who is not the server's
OTHER = "daemon"

# Every command of the admin socket, so that it would be carried out.
COMMANDS = {
    "audit": {"max": 10},
    "contacts.export": {},
    "contacts.import": {"rows": [[BOB, f"victim@{DOMAIN}", "", "", "none"]]},
    "kick": {"user": BOB},
    "sessions": {},
    "settings.list": {},
    "settings.set": {"name": "im.grace", "value": "3s"},
    "trace": {"id": "i"},
    "troubleshoot": {},
    "user.add": {"user": f"new@{DOMAIN}", "password": "x"},
    "user.import": {"rows": [[f"other@{DOMAIN}", "x"]]},
    "user.list": {},
    "user.password": {"user": BOB, "password": "y"},
    "user.remove": {"user": f"victim@{DOMAIN}"},
    "user.show": {"user": BOB},
}

# Asks each on a connection of its own, which is what a stranger would do.
ASKING = """
import json, socket, sys
said = {}
for op, fields in json.loads(sys.argv[2]).items():
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(sys.argv[1])
        connection.sendall(json.dumps({"op": op, **fields}).encode() + b"\\n")
    except OSError as error:
        said[op] = type(error).__name__
    try:
        connection.shutdown(socket.SHUT_WR)
        line = connection.makefile("rb").readline()
        said[op] = json.loads(line) if line else said.get(op, "closed")
    except OSError as error:
        said.setdefault(op, type(error).__name__)
    connection.close()
print(json.dumps(said))
"""


class OpenServer(Server):
    """In a folder that everybody can enter."""

    def start(self):
        os.chmod(self.folder, 0o755)
        super().start()


class AdminAccessTest(SystemTest):
    users = (BOB, f"victim@{DOMAIN}")

    def asked_by(self, user, server):
        """What the server says to each command."""
        done = subprocess.run(
            ["/usr/bin/python3", "-c", ASKING]
            + [os.path.join(server.data, "admin.sock"), json.dumps(COMMANDS)],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
            user=user,
            group=pwd.getpwnam(user).pw_gid,
            extra_groups=[],
            cwd="/",
        )
        return json.loads(done.stdout)

    def open_to_all(self, server):
        """As somebody might who wants to help."""
        os.chmod(server.folder, 0o777)
        os.chmod(server.data, 0o777)
        os.chmod(os.path.join(server.data, "admin.sock"), 0o666)

    def is_refused(self, answers):
        self.assertEqual(set(answers), set(COMMANDS))
        for op, answer in answers.items():
            # Closed before the request could be written, or told why.
            if isinstance(answer, dict):
                self.assertEqual(answer.get("error"), "not_authorised", op)
                self.assertEqual(set(answer), {"error", "text"}, op)
            else:
                self.assertIn(
                    answer, ("BrokenPipeError", "ConnectionResetError"), op
                )

    def test_the_commands_are_those_of_this_test(self):
        connection = admin_connection(self.server)
        self.addCleanup(connection.close)
        said = ask(connection, op="what is there?")
        self.assertEqual(said["error"], "unknown_request")
        names = said["text"].split("there are ")[1].split()
        self.assertEqual(names, sorted(COMMANDS))

    def test_the_folder_keeps_strangers_out(self):
        os.chmod(self.server.folder, 0o777)
        for user in (STRANGER, OTHER):
            for op, said in self.asked_by(user, self.server).items():
                self.assertEqual(said, "PermissionError", op)

    def test_where_it_was_opened_the_server_refuses_each_command(self):
        server = Server(self.parley, users=self.users)
        self.addCleanup(server.remove)
        self.open_to_all(server)
        before = self.asked_by("root", server)
        for op, said in before.items():
            self.assertNotIn("error", said, op)
        server.admin("settings", "set", "im.grace", "9s")
        log = server.admin("audit")["audit"]
        accounts = server.admin("user", "list")["users"]
        self.is_refused(self.asked_by(STRANGER, server))
        self.assertEqual(server.admin("audit")["audit"], log)
        self.assertEqual(server.admin("user", "list")["users"], accounts)

    def test_its_own_user_and_root_operate_it_and_nobody_else(self):
        server = OpenServer(self.parley, "--user", STRANGER, users=self.users)
        self.addCleanup(server.remove)
        self.open_to_all(server)
        for user in (STRANGER, "root"):
            said = self.asked_by(user, server)
            self.assertIn(BOB, said["user.list"]["users"], user)
        self.is_refused(self.asked_by(OTHER, server))


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: only root can be somebody else")
        sys.exit(SKIPPED)
    main()
