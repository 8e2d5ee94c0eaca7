"""The moments at which the server is killed. Each is a generator: what it
does before its first `yield` has the server end, at the point that it names;
what it does after it runs against the server that was started again."""

import signal
import subprocess
import time

from faults import AFTER, BEFORE, FILES, HALF, KILL, LOG, MAKE, NAME, OTHER
from faults import SEND, SOCKET, SYNC, WRITE
from parley_system import PATIENCE, InVain, wait_until
from wire_client import Closed, Refused, Wire

IDLE = 2  # seconds; a point that was not reached by then is none

# (name, calls, stage) of a commit: before anything of it is in the log; half
# of it is; all, but not synced; synced, and nobody has been told.
COMMIT = (
    ("before the log", WRITE, BEFORE),
    ("in the log, torn", WRITE, HALF),
    ("in the log, not synced", WRITE, AFTER),
    ("after the log, before the answer", SYNC, AFTER),
)


class Points:
    """`world` has server, faults, schema, ledger, rng; `drained` are users
    who are not there, `couples` pairs that know nothing of each other yet."""

    def __init__(self, world, drained, couples):
        self.world = world
        self.server = world.server
        self.faults = world.faults
        self.rng = world.rng
        self.drained = drained
        self.couples = couples
        self.subscribed = []  # (watcher, presentity): what both were told
        self.setting = 4000  # the value of im.retry_memory, in seconds
        self.changes = 0  # of it that are in force
        self.stage = 0
        self.was_reached = False  # the latest one

    def all(self):
        return (
            self.under_load,
            self.in_a_drain,
            self.between_the_halves,
            self.in_a_settings_change,
            self.while_stopping,
            self.while_starting,
            self.at_random,
        )

    def set_first(self):
        self.server.set("im.retry_memory", f"{self.setting}s")
        self.changes = 1

    def next_stage(self):
        self.stage += 1
        return COMMIT[self.stage % len(COMMIT)]

    def kill_at(self, calls, kinds, **how):
        self.faults.arm(KILL, calls, kinds, **how)

    patience = IDLE

    def reached(self):
        """Whether the server was killed, rather than going on or ending."""
        self.was_reached = self.ends_killed()
        return self.was_reached

    def ends_killed(self):
        try:
            status = self.server.process.wait(self.patience)
        except subprocess.TimeoutExpired:
            return False
        if status not in (0, -signal.SIGKILL):
            self.world.ledger.problem(
                f"the server ended with {status}: {self.server.logged()}"
            )
        return status == -signal.SIGKILL

    # -- the points

    def under_load(self):
        """A commit of what senders and recipients make."""
        name, calls, stage = self.next_stage()
        nth = self.rng.randrange(1, 20)
        self.kill_at(calls, LOG, stage=stage, nth=nth)
        yield name

    def in_a_drain(self):
        """Some of what waits for a user is out, some is not."""
        user = self.drained.pop(0)
        self.drained.append(user)
        ledger = self.world.ledger
        wait_until(
            lambda: ledger.waiting_for(user) >= 30, f"IMs that wait for {user}"
        )
        stage = self.rng.choice((BEFORE, HALF, AFTER))
        self.kill_at(SEND, SOCKET, stage=stage, marker=f" for {user} ")
        one = self.world.participant(user, "drain", seed=self.rng.random())
        one.start()
        yield "in the middle of a drain"
        # It goes on, and leaves again at some moment.
        time.sleep(self.rng.uniform(0, 0.3))
        one.over.set()
        one.join(PATIENCE)

    def between_the_halves(self):
        """Somebody asks to watch somebody, or does so no more: the entry and
        a note are written, the other's half, then the note is forgotten."""
        watching = [x for x in self.subscribed if x.sees == {True}]
        ends = watching and self.rng.random() < 0.3
        if ends:
            couple = self.rng.choice(watching)
        else:
            couple = Couple(*self.couples.pop())
        name, calls, stage = self.next_stage()
        self.kill_at(
            calls,
            LOG,
            stage=stage,
            marker=couple.presentity,
            nth=self.rng.choice((1, 2) if ends else (1, 2, 3)),
        )
        couple.ask(self.world, "unsubscribe" if ends else "subscribe")
        yield f"between two halves: {name}"
        if not ends:
            self.subscribed.append(couple)

    def in_a_settings_change(self):
        old, new = self.setting, self.setting + 1
        name, calls, stage = self.next_stage()
        if self.rng.random() < 0.25:
            name, calls, stage = "told the operator", SEND, AFTER
            marker, kinds = '"name":"im.retry_memory"', SOCKET
        else:
            marker, kinds = "settings set im.retry_memory", LOG
        self.kill_at(calls, kinds, stage=stage, marker=marker)
        done = self.server.try_admin(
            "settings", "set", "im.retry_memory", f"{new}s"
        )
        yield f"in a settings change: {name}"
        found = self.server.admin("settings", "get", "im.retry_memory")
        value = int(found["value"].split()[0])
        told = done.returncode == 0
        # What was torn goes; what was whole stays, though nobody was told.
        # One that was not reached (the log's blocks can cut the marker in two)
        # stops nothing before somebody is told.
        is_torn = self.was_reached and stage in (BEFORE, HALF)
        expected = old if is_torn else new
        if value != expected or (told and value != new):
            self.world.ledger.problem(
                f"im.retry_memory is {value} after a kill {name}"
                f" from {old} to {new}, the operator was told: {told}"
            )
        if value == new:
            self.changes += 1
            self.setting = new

    def while_stopping(self):
        """Somewhere between SIGTERM and the end."""
        wait_until(self.world.is_busy, "the load")
        where = self.rng.randrange(4)
        if where == 0:
            name = "some answer"
            self.kill_at(SEND, SOCKET, nth=self.rng.randrange(1, 20))
        elif where == 1:
            name = "what is under way is stored"
            # Something has to be.
            self.world.mute()
            time.sleep(0.2)
            self.kill_at(SYNC, LOG, stage=self.rng.choice((BEFORE, AFTER)))
        elif where == 2:
            name = "all is settled"
            self.kill_at(NAME, OTHER)
        else:
            name = "the store closes"
            self.kill_at(NAME, LOG)
        self.server.process.send_signal(signal.SIGTERM)
        self.patience = PATIENCE
        yield f"while it stops: {name}"
        self.patience = IDLE
        self.world.mute(False)

    def while_starting(self):
        """Killed at random before this, then at a write of the opening."""
        self.server.process.kill()
        self.server.process.wait()
        self.kill_at(
            WRITE | SYNC | NAME | MAKE,
            FILES,
            stage=self.rng.choice((BEFORE, HALF, AFTER)),
            nth=self.rng.randrange(1, 45),
        )
        self.world.spawn()
        yield "while it starts"

    def at_random(self):
        self.kill_at(0, 0)
        time.sleep(self.rng.uniform(0, 0.6))
        self.server.process.kill()
        yield "at random"


class Couple:
    """A watcher and a presentity, each in no other couple."""

    def __init__(self, watcher, presentity):
        self.watcher = watcher
        self.presentity = presentity
        self.sees = {False}  # what may be so, by what was answered

    def ask(self, world, op):
        """Until the server ends, or has done all there is to do."""
        wanted = op == "subscribe"
        self.sees = self.sees | {wanted}
        try:
            wire = Wire(world.schema, world.server)
            try:
                wire.sign_in(self.watcher, "desk")
                number = wire.request(**{op: {"to": self.presentity}})
                while True:
                    if wire.receive(IDLE).request == number:
                        self.sees = {wanted}
                    wire.ack()
            finally:
                wire.close()
        except (Closed, Refused, InVain, OSError):
            pass
