#!/usr/bin/python3
"""Changes settings, and measures how long that takes: a process of its own,
which nothing but the machine delays.

    timed_operator.py PARLEY FOLDER

Reads lines WAY NAME VALUE. WAY is `command`, the command line with its process,
or `request`, one straight to the server's socket. Answers each with the seconds
that it took; ends at the first that fails, with the reason on standard error.
"""

import json
import os
import socket
import subprocess
import sys
import time

PATIENCE = 60  # seconds


def command(parley, folder, name, value):
    # With a pipe the end is seen at once, without one in steps of 50 ms.
    subprocess.run(
        [parley, "admin", "--data", folder, "settings", "set", name, value],
        stdout=subprocess.PIPE,
        timeout=PATIENCE,
        check=True,
    )


def request(_, folder, name, value):
    asked = {"op": "settings.set", "name": name, "value": value}
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(PATIENCE)
        server.connect(os.path.join(folder, "admin.sock"))
        server.sendall(json.dumps(asked).encode() + b"\n")
        with server.makefile() as answers:
            answer = answers.readline()
    if "error" in json.loads(answer):
        raise SystemExit(answer)


def main():
    ways = {"command": command, "request": request}
    for line in sys.stdin:
        way, name, value = line.split()
        begin = time.monotonic()
        ways[way](*sys.argv[1:], name, value)
        print(time.monotonic() - begin, flush=True)


if __name__ == "__main__":
    main()
