#!/usr/bin/python3
"""Changes settings, and measures how long that takes: a process of its own,
which nothing but the machine delays.

    timed_operator.py PARLEY FOLDER

Reads lines WAY NAME VALUE. WAY is `command`, the command line with its process,
or `request`, one straight to the server's socket. Answers each with the seconds
that it took; ends at the first that fails, with the reason on standard error.
"""

import subprocess
import sys
import time
import types

from operator_test import admin_connection, ask
from parley_system import PATIENCE


def command(server, name, value):
    # With a pipe the end is seen at once, without one in steps of 50 ms.
    subprocess.run(
        [server.parley, "admin", "--data", server.data]
        + ["settings", "set", name, value],
        stdout=subprocess.PIPE,
        timeout=PATIENCE,
        check=True,
    )


def request(server, name, value):
    with admin_connection(server) as connection:
        answer = ask(connection, op="settings.set", name=name, value=value)
    if "error" in answer:
        raise SystemExit(str(answer))


def main():
    server = types.SimpleNamespace(parley=sys.argv[1], data=sys.argv[2])
    ways = {"command": command, "request": request}
    for line in sys.stdin:
        way, name, value = line.split()
        begin = time.monotonic()
        ways[way](server, name, value)
        print(time.monotonic() - begin, flush=True)


if __name__ == "__main__":
    main()
