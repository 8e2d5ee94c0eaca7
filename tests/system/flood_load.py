#!/usr/bin/python3
"""Measures what floods do to others: the latency of IMs of innocent pairs
before and during each, and what the server holds meanwhile.

    flood_load.py PARLEY PARLEY-BENCH PROTO-FOLDER [FLOOD …] [--seconds N]
                  [--scale N] [--threads N] [--memory MIB] [--elsewhere]
                  [--together]

A fresh server for each flood. Those who flood are a process of their own that
gives way to whoever wants its CPU (SCHED_IDLE), as if they were elsewhere. They
and the innocent have the first CPU, servers the others; with --together, or if
there is but one, all share all: then the kernel may run the server where the
innocent are, who neither send nor read meanwhile. Prints a line a flood.

With --elsewhere the flood goes to a second server beside the one whose latency
is measured: what it takes of the machine's cores, it takes so, too.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys

from floods import FLOODS
from metrics_test import read
from parley_system import DOMAIN, Server

HERE = os.path.dirname(os.path.abspath(__file__))
USERS = 1001
MEBIBYTE = 1024 * 1024


class Cpus:
    """The CPUs of clients and those of servers."""

    def __init__(self, together):
        self.all = os.sched_getaffinity(0)
        self.clients = self.servers = self.all
        if not together and len(self.all) > 1:
            self.clients = {min(self.all)}
            self.servers = self.all - self.clients

    @contextlib.contextmanager
    def of_servers(self):
        """What is started meanwhile stays on those."""
        os.sched_setaffinity(0, self.servers)
        try:
            yield
        finally:
            os.sched_setaffinity(0, self.all)

    def stay_with_clients(self):
        os.sched_setaffinity(0, self.clients)

    def give_way(self):
        self.stay_with_clients()
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


class Measurement:
    def __init__(self, options, name):
        self.options = options
        self.name = name
        self.server = None
        self.flooded = None
        self.tls = FLOODS[name].tls
        self.cpus = Cpus(options.together)

    def run(self):
        config = f"/tmp/parley-flood-{os.getpid()}.toml"
        with open(config, "w", encoding="utf-8") as out:
            out.write(f"memory_mib = {self.options.memory}\n")
        users = [f"u{n:04}@{DOMAIN}" for n in range(USERS)]
        try:
            self.server = self.start(config, users)
            self.flooded = self.server
            if self.options.elsewhere:
                self.flooded = self.start(config, users)
            self.flooded.file("users", "\n".join(users))
            rows = subprocess.run(
                [self.options.bench, "users", "--count", "100"],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            self.server.admin(
                "user", "import", self.server.file("bench.csv", rows)
            )
            before = self.latency()
            during, said, highest = self.flood()
            self.tell(before, during, said, highest)
        finally:
            os.unlink(config)
            for server in {self.server, self.flooded} - {None}:
                server.remove()

    def start(self, config, users):
        with self.cpus.of_servers():
            return Server(
                self.options.parley,
                *("--config", config, "--metrics", "127.0.0.1:0"),
                *("--threads", str(self.options.threads)),
                users=users,
                plain=not self.tls,
            )

    def latency(self):
        """Of five pairs, 200 IMs a second together, from sending to reading
        and to the outcome. Told the server's process the load generator would
        wait until its memory rests, and with it most of a flood."""
        done = subprocess.run(
            [self.options.bench, "im", "--server", self.server.address]
            + ["--pairs", "5", "--rate", "200", "--rounds", "1", "--json"]
            + ["--seconds", str(self.options.seconds)]
            + (["--tls"] if self.tls else []),
            capture_output=True,
            text=True,
            timeout=300,
            preexec_fn=self.cpus.stay_with_clients,
        )
        if done.returncode not in (0, 1):
            raise SystemExit(f"{self.name}: {done.stderr}")
        return json.loads(done.stdout)

    def flood(self):
        process = subprocess.Popen(
            [sys.executable, "-B", os.path.join(HERE, "floods.py"), self.name]
            + ["--server", self.flooded.address, "--proto", self.options.proto]
            + ["--users", os.path.join(self.flooded.folder, "users")]
            + ["--seconds", str(2 * self.options.seconds + 5)]
            + ["--scale", str(self.options.scale)],
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=self.cpus.give_way,
        )
        try:
            if process.stdout.readline() != "under way\n":
                raise SystemExit(f"{self.name} does not get under way")
            during = self.latency()
            page = read(self.flooded)
            said = process.stdout.read()
        finally:
            process.kill()
            process.wait()
        return during, said, page

    def tell(self, before, during, said, page):
        line = {"flood": self.name}
        for what in ("receive_p50_us", "receive_p99_us", "outcome_p99_us"):
            one, two = (find(x, what) for x in (before, during))
            if one is None or two is None:
                line[what] = "none came"
                line["faults"] = [before["faults"], during["faults"]]
                continue
            line[what] = f"{one:.0f} → {two:.0f}"
            if what == "receive_p99_us":
                line["times"] = round(two / one, 2)
        line["held_mib"] = (
            f"{page['parley_held_bytes_highest'] / MEBIBYTE:.1f}"
            f" of {page['parley_held_bytes_max'] / MEBIBYTE:.0f}"
        )
        with open(f"/proc/{self.flooded.process.pid}/status") as status:
            peak = next(x for x in status if x.startswith("VmHWM"))
        line["peak_rss_mib"] = int(peak.split()[1]) // 1024
        line["limits"] = {
            k.split("{")[1][:-1]: int(v)
            for k, v in page.items()
            if k.startswith("parley_limits_hit_total") and v > 0
        }
        line["held_back"] = int(page["parley_reads_held_back_total"])
        line["did"] = json.loads(said.splitlines()[-1]) if said else {}
        print(json.dumps(line, ensure_ascii=False), flush=True)


def find(report, name):
    """A figure by its name, wherever the report has it."""
    if isinstance(report, dict):
        if name in report:
            value = report[name]
            return value["server"] if isinstance(value, dict) else value
        report = report.values()
    elif not isinstance(report, list):
        return None
    for x in report:
        if (found := find(x, name)) is not None:
            return found
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("parley")
    parser.add_argument("bench")
    parser.add_argument("proto")
    parser.add_argument("floods", nargs="*")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--scale", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--memory", type=int, default=256)
    parser.add_argument("--elsewhere", action="store_true")
    parser.add_argument("--together", action="store_true")
    options = parser.parse_args()
    for name in options.floods or FLOODS:
        Measurement(options, name).run()


if __name__ == "__main__":
    main()
