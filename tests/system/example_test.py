#!/usr/bin/python3
"""The Python client that was made from protocol/README.md works against a real
server: alice writes to bob, bob sees it, alice learns that it was delivered.

    example_test.py PARLEY EXAMPLE.py PROTO-FOLDER
"""
import os
import select
import signal
import subprocess
import sys
import tempfile
import time

# Generous: a loaded machine is slow, a right server is not.
PATIENCE = 60
PYTHON = "/usr/bin/python3"
TEXT = "Grüße from Python, в одну строку 🙂"

parley, example, proto_folder = sys.argv[1:]
started = []


def start(*command, **how):
    # Without a buffer, in which select would not see a line.
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, bufsize=0, **how
    )
    started.append(process)
    return process


def line_of(process, beginning):
    """The next line that begins so; the ones before it are passed over."""
    deadline = time.monotonic() + PATIENCE
    while True:
        left = deadline - time.monotonic()
        ready, _, _ = select.select([process.stdout], [], [], max(left, 0))
        assert ready, f"{process.args}: no line {beginning!r} in {PATIENCE} s"
        line = process.stdout.readline().decode()
        assert line, f"{process.args}: ended before a line {beginning!r}"
        if line.startswith(beginning):
            return line.rstrip("\n")


def run(folder):
    # In ASCII: the example does without SASLprep.
    passwords = {"alice": "wonder land", "bob": "yes we can"}
    for name, password in passwords.items():
        with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
            file.write(password + "\n")
    subprocess.run(
        ["protoc", f"--python_out={folder}", "-I", proto_folder, "parley.proto"],
        check=True,
        timeout=PATIENCE,
    )

    data = f"{folder}/data"
    server = start(
        *(parley, "serve", "--data", data, "--listen", "127.0.0.1:0"),
        *("--domain", "example.org"),
    )
    host, port = line_of(server, "ready ").split()[1].rsplit(":", 1)
    for name in passwords:
        subprocess.run(
            [parley, "admin", "--data", data, "user", "add"]
            + [f"{name}@example.org", "--password-file", f"{folder}/{name}"],
            check=True,
            timeout=PATIENCE,
        )

    def client(name, password_of, *im):
        with open(f"{folder}/{password_of}", encoding="utf-8") as password:
            return start(
                *(PYTHON, example, host, port, f"{data}/tls/cert.pem"),
                *(f"{name}@example.org", *im),
                stdin=password,
                stderr=subprocess.STDOUT,
                env=dict(os.environ, PYTHONPATH=folder, PYTHONIOENCODING="utf-8"),
            )

    bob = client("bob", "bob")
    assert line_of(bob, "ready ").startswith("ready bob@example.org/")
    alice = client("alice", "alice", "bob@example.org", TEXT)
    assert line_of(bob, "from ") == f"from alice@example.org: {TEXT}"
    assert line_of(alice, "delivered").strip() == "delivered"
    assert alice.wait(PATIENCE) == 0

    nobody = client("alice", "alice", "nobody@example.org", TEXT)
    assert line_of(nobody, "rejected") == "rejected no_such_user"
    assert nobody.wait(PATIENCE) == 0

    intruder = client("alice", "bob", "bob@example.org", TEXT)
    line_of(intruder, "authentication_failed")
    assert intruder.wait(PATIENCE) != 0

    # Who is away gets it later, out of the store.
    bob.kill()
    bob.wait(PATIENCE)
    again = client("alice", "alice", "bob@example.org", "are you there?")
    assert line_of(again, "stored").strip() == "stored"
    assert again.wait(PATIENCE) == 0
    bob = client("bob", "bob")
    assert line_of(bob, "from ") == "from alice@example.org: are you there?"

    server.send_signal(signal.SIGTERM)
    assert server.wait(PATIENCE) == 0


with tempfile.TemporaryDirectory() as scratch:
    try:
        run(scratch)
    finally:
        for one in started:
            if one.poll() is None:
                one.kill()
                one.wait()
print("the example works")
