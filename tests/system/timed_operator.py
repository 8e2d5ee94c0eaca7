#!/usr/bin/python3
"""Changes settings, and measures how long that takes: a process of its own,
which nothing but the machine delays.

    timed_operator.py PARLEY FOLDER

Reads lines NAME VALUE, changes each by the command line, and then says the same
once more straight to the server's socket. Answers each line with two times in
seconds: that of the command with its process, and that of the server alone.
"""

import json
import os
import socket
import subprocess
import sys
import time


def command(parley, folder, name, value):
    subprocess.run(
        [parley, "admin", "--data", folder, "settings", "set", name, value],
        stdout=subprocess.DEVNULL,
        check=True,
    )


def request(folder, name, value):
    asked = {"op": "settings.set", "name": name, "value": value}
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(os.path.join(folder, "admin.sock"))
        server.sendall(json.dumps(asked).encode() + b"\n")
        answer = server.makefile().readline()
    if "error" in json.loads(answer):
        raise SystemExit(answer)


def timed(do, *arguments):
    begin = time.monotonic()
    do(*arguments)
    return time.monotonic() - begin


def main():
    parley, folder = sys.argv[1:]
    for line in sys.stdin:
        name, value = line.split()
        took = timed(command, parley, folder, name, value)
        alone = timed(request, folder, name, value)
        print(took, alone, flush=True)


if __name__ == "__main__":
    main()
