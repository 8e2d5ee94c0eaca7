#!/usr/bin/python3
"""What machines read off a running server: Prometheus' page, counters that
follow what users did, whether it lives and whether it is ready.

    metrics_test.py PARLEY
"""

import http.client
import os
import re
import signal
import socket
import subprocess
import tempfile
import unittest

from parley_system import ALICE, BOB, CAROL, DAVE, NOBODY, PATIENCE, Server
from parley_system import Chat, SystemTest, main, wait_until

LINE = re.compile(
    r"^([a-z_]+)(\{([a-z_]+)=\"([^\"]*)\"\})? (\S+)$"  # one label at most
)

# defaults.hpp: metrics_clients_max.
PLACES = 16


def ask(address, path, method="GET"):
    """Status and body."""
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def read(server):
    """Every line by `name` or `name{value of its label}`."""
    status, page = ask(server.metrics, "/metrics")
    assert status == 200, status
    found = {}
    for line in page.splitlines():
        if line.startswith("#"):
            continue
        match = LINE.match(line)
        assert match, line
        name, _, _, label, value = match.groups()
        found[f"{name}{{{label}}}" if label else name] = float(value)
    return found


class MetricsTest(SystemTest):
    arguments = ("--metrics", "127.0.0.1:0")

    def setUp(self):
        # Sessions of the test before are over.
        for user in self.users:
            self.server.admin("kick", user)
        self.before = read(self.server)

    def rises(self, name, by):
        """Waits until it has grown so much since the test began."""
        wanted = self.before.get(name, 0) + by
        wait_until(
            lambda: read(self.server).get(name, 0) >= wanted,
            f"{name} to be {wanted}",
        )
        self.assertEqual(read(self.server).get(name, 0), wanted, name)

    def becomes(self, name, value):
        wait_until(
            lambda: read(self.server).get(name) == value,
            f"{name} to be {value}, not {read(self.server).get(name)}",
        )

    def test_every_family_says_what_it_is(self):
        status, page = ask(self.server.metrics, "/metrics")
        self.assertEqual(status, 200)
        names = set(re.findall(r"^# TYPE (\S+) ", page, re.MULTILINE))
        self.assertEqual(
            names, set(re.findall(r"^# HELP (\S+) \S", page, re.MULTILINE))
        )
        for name in (
            "build_info process_start_time_seconds workers sessions users "
            "connections sign_ins_total ims_total ims_rejected_total "
            "ims_forked_total im_copies_total choices_total "
            "offline_ims_total limits_hit_total ims_pending "
            "store_pending_operations passwords_waiting "
            "worker_pending_bytes commit_duration_seconds commit_operations "
            "commits_refused_total rosters subscriptions "
            "presence_notifications_total presence_coalesced_total "
            "presence_changes_held_total"
        ).split():
            self.assertIn("parley_" + name, names)
        for name in re.findall(r"^# TYPE (\S+) counter", page, re.MULTILINE):
            self.assertTrue(name.endswith("_total"), name)
        self.assertIn('le="+Inf"', page)

    def test_outcomes_copies_and_choices_are_counted(self):
        alice = self.chat(ALICE)
        desk = self.chat(BOB, "desk")
        phone = self.chat(BOB, "phone")
        self.assertEqual(alice.send(BOB), "delivered")
        self.rises("parley_ims_total{delivered}", 1)
        self.rises("parley_im_copies_total", 2)
        self.rises("parley_ims_forked_total", 1)
        self.rises("parley_choices_total{made}", 1)
        self.assertEqual(desk.send(ALICE), "delivered")
        self.rises("parley_choices_total{made}", 2)
        self.assertEqual(phone.send(ALICE), "delivered")
        self.rises("parley_choices_total{moved}", 1)
        self.assertEqual(alice.send(BOB), "delivered")
        self.rises("parley_ims_forked_total", 1)  # no further one
        phone.show("away")
        self.rises("parley_choices_total{released}", 1)
        self.assertEqual(alice.send(NOBODY), "no_such_user")
        self.rises("parley_ims_total{rejected}", 1)
        self.rises("parley_ims_rejected_total{no_such_user}", 1)

    def test_the_store_and_its_writes_are_counted(self):
        alice = self.chat(ALICE)
        self.assertEqual(alice.send(CAROL), "stored")
        self.rises("parley_offline_ims_total{stored}", 1)
        self.rises("parley_ims_total{stored}", 1)
        after = read(self.server)
        commits = "parley_commit_duration_seconds_count"
        self.assertGreater(after[commits], self.before.get(commits, 0))
        self.assertGreater(after["parley_commit_duration_seconds_sum"], 0)
        self.assertEqual(after["parley_commits_refused_total"], 0)
        carol = self.chat(CAROL)
        carol.wait_for(lambda x: x["event"] == "message")
        self.rises("parley_offline_ims_total{delivered}", 1)

    def test_a_limit_that_was_hit_is_named(self):
        self.setting("im.offline_max", 1)
        alice = self.chat(ALICE)
        self.assertEqual(alice.send(DAVE), "stored")
        self.assertEqual(alice.send(DAVE), "quota_exceeded")
        self.rises("parley_limits_hit_total{im.offline_max}", 1)

    def test_sessions_and_connections_are_told_by_state(self):
        self.becomes("parley_sessions{connected}", 0)
        chat = self.chat(ALICE)
        self.becomes("parley_sessions{connected}", 1)
        self.becomes("parley_connections{signed_in}", 1)
        self.rises("parley_sign_ins_total{right}", 1)
        chat.process.kill()
        self.becomes("parley_sessions{suspended}", 1)
        self.becomes("parley_connections{signed_in}", 0)
        self.server.admin("kick", ALICE)
        self.becomes("parley_sessions{suspended}", 0)

    def test_a_wrong_password_counts(self):
        wrong = self.server.file("wrong", "not it\n")
        subprocess.run(
            [self.parley, "chat", "--plain", "--server", self.server.address]
            + ["--user", ALICE, "--password-file", wrong]
            + ["--endpoint", "desk", "--jsonl"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
        )
        self.rises("parley_sign_ins_total{wrong}", 1)

    def test_other_paths_and_methods_are_refused(self):
        self.assertEqual(ask(self.server.metrics, "/")[0], 404)
        self.assertEqual(ask(self.server.metrics, "/metrics", "POST")[0], 405)
        status, body = ask(self.server.metrics, "/metrics", "HEAD")
        self.assertEqual((status, body), (200, ""))
        self.assertEqual(ask(self.server.metrics, "/healthz")[0], 200)
        self.assertEqual(ask(self.server.metrics, "/readyz")[0], 200)

    def connect(self):
        host, port = self.server.metrics.rsplit(":", 1)
        connection = socket.create_connection((host, int(port)), PATIENCE)
        self.addCleanup(connection.close)
        return connection

    def test_long_requests_and_many_clients_harm_nobody(self):
        long = self.connect()
        try:
            long.sendall(b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n")
            self.assertEqual(long.recv(100), b"")
        except OSError:
            pass  # it was closed with bytes unread
        silent = [self.connect() for _ in range(40)]
        for connection in silent:
            connection.close()
        wait_until(self.is_healthy, "room")

    def test_who_is_slow_makes_room(self):
        for count in (PLACES, 3 * PLACES):
            slow = [self.connect() for _ in range(count)]
            for byte in b"GET /readyz":
                for connection in slow:
                    try:
                        connection.send(bytes([byte]))
                    except OSError:
                        pass  # it had to go
                # Once in the time it takes to be there again.
                status, body = ask(self.server.metrics, "/readyz")
                self.assertEqual((status, body), (200, "ready\n"))

    def test_who_is_quick_does_not_go(self):
        quick = self.connect()
        slow = [self.connect() for _ in range(PLACES - 1)]
        for _ in range(2 * PLACES):
            quick.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertIn(b" 200 ", quick.recv(4096))
            slow.append(self.connect())

    def is_healthy(self):
        try:
            return ask(self.server.metrics, "/healthz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False


class StageTest(unittest.TestCase):
    def start(self, *arguments):
        server = Server(
            SystemTest.parley, "--metrics", "127.0.0.1:0", *arguments
        )
        self.addCleanup(server.remove)
        return server

    def test_it_is_not_ready_while_it_stops(self):
        server = self.start()
        server.add(ALICE)
        # It stops within half a second, and may be gone before it is asked.
        for _ in range(20):
            chat = Chat(server, ALICE)
            self.addCleanup(chat.end)
            self.assertEqual(ask(server.metrics, "/readyz")[0], 200)
            server.process.send_signal(signal.SIGTERM)
            answers = self.answers_until_the_end(server)
            self.assertEqual(server.process.wait(PATIENCE), 0)
            server.process.stdout.close()
            chat.end()
            if 503 in [status for status, _ in answers]:
                status, body = answers[-1]
                self.assertEqual(status, 503)
                self.assertIn("server_stopping", body)
                return
            server.start()
        self.fail("it was ready until its end")

    def answers_until_the_end(self, server):
        answers = []
        while True:
            try:
                answers.append(ask(server.metrics, "/readyz"))
            except (OSError, http.client.HTTPException):
                return answers

    def test_the_file_names_it_and_alone_may_open_it_to_others(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "parley.toml")

            def refused(text, *arguments):
                with open(file, "w", encoding="utf-8") as out:
                    out.write(text)
                done = subprocess.run(
                    [SystemTest.parley, "serve", "--config", file, "--plain"]
                    + ["--data", os.path.join(folder, "data")]
                    + ["--listen", "127.0.0.1:0", *arguments],
                    capture_output=True,
                    text=True,
                    timeout=PATIENCE,
                )
                self.assertEqual(done.returncode, 2, done.stderr)
                return done.stderr

            self.assertIn(
                "metrics_anywhere", refused("", "--metrics", "0.0.0.0:0")
            )
            self.assertIn("line 1", refused('metrics = "nowhere"\n'))
            self.assertIn("line 1", refused("trace_ims = -1\n"))
            with open(file, "w", encoding="utf-8") as out:
                out.write('metrics = "0.0.0.0:0"\nmetrics_anywhere = true\n')
            server = Server(SystemTest.parley, "--config", file)
            self.addCleanup(server.remove)
            port = server.metrics.rsplit(":", 1)[1]
            self.assertEqual(ask(f"127.0.0.1:{port}", "/healthz")[0], 200)


if __name__ == "__main__":
    main()
