"""A client that stays signed in whatever happens, sends at its own pace and
keeps a ledger of what was promised and what came."""

import collections
import random
import struct
import threading
import time

from parley_system import InVain
from wire_client import Closed, Refused, Wire, framed

SEND_AT_ONCE = 64


class Ledger:
    """What all participants sent, were promised and received."""

    def __init__(self):
        self.lock = threading.Lock()
        self.ims = {}  # (sender, id): Im
        self.came = set()  # (recipient, sender, id)
        self.order = collections.defaultdict(list)  # conversation: numbers
        self.problems = []
        self.counts = collections.Counter()

    def problem(self, text):
        with self.lock:
            self.problems.append(text)

    def received(self, recipient, im):
        sender = getattr(im, "from").split("/")[0]
        key = (recipient, sender, im.id)
        with self.lock:
            sent = self.ims.get((sender, im.id))
            if sent is None or sent.to != recipient or sent.body != im.body:
                self.problems.append(f"{recipient} got what nobody sent: {im}")
            elif key in self.came:
                self.counts["duplicates"] += 1
            else:
                self.came.add(key)
                self.order[sender, recipient].append(sent.number)

    def missing(self):
        """Promised and not there."""
        with self.lock:
            return [
                im
                for im in self.ims.values()
                if im.outcome in ("delivered", "stored")
                and (im.to, im.sender, im.id) not in self.came
            ]

    def waiting_for(self, user):
        """How many that were stored wait for this user."""
        with self.lock:
            return sum(
                im.to == user
                and im.outcome == "stored"
                and (im.to, im.sender, im.id) not in self.came
                for im in self.ims.values()
            )

    def open(self):
        """Without outcome."""
        with self.lock:
            return [im for im in self.ims.values() if im.outcome is None]


class Im:
    """`number` counts the IMs of one conversation."""

    def __init__(self, sender, to, number):
        self.sender = sender
        self.to = to
        self.number = number
        self.id = f"{to}-{number}"
        self.body = f"{number} for {to} " + "x" * (number % 200)
        self.outcome = None
        self.tried = False


class Participant(threading.Thread):
    """One endpoint. Sends `rate` IMs a second, spread over `peers`, while
    `sending` is set, whether or not it is connected (open loop). With
    `restless`, it cuts its connection and signs out now and then."""

    def __init__(self, schema, server, ledger, user, endpoint, **how):
        super().__init__(name=f"{user}/{endpoint}", daemon=True)
        self.schema = schema
        self.server = server
        self.ledger = ledger
        self.user = user
        self.endpoint = endpoint
        self.peers = how.get("peers", [])
        self.rate = how.get("rate", 0)
        self.restless = how.get("restless", False)
        self.random = random.Random(how.get("seed"))
        self.sending = threading.Event()
        self.over = threading.Event()
        self.mute = threading.Event()  # it acknowledges nothing
        self.calm = threading.Event()  # from now on it stays connected
        self.online = False
        self.wire = None
        self.token = None
        self.last_event = 0
        self.requests = 0
        self.window = 0
        self.unsettled = collections.OrderedDict()  # id: Im without outcome
        self.unsent = collections.deque()
        self.under_way = collections.OrderedDict()  # request: Im
        self.made = collections.Counter()
        self.credit = 0.0
        self.last_made = time.monotonic()

    def run(self):
        while not self.over.is_set():
            try:
                self.connect()
                self.online = True
                self.talk()
            except (Closed, InVain, OSError):
                time.sleep(self.random.uniform(0.01, 0.1))
            except Refused as refusal:
                reason = refusal.error.reason
                if reason not in ("server_stopping", "replaced"):
                    self.ledger.problem(f"{self.name} was told {reason}")
                time.sleep(self.random.uniform(0.01, 0.1))
            except Exception as error:
                self.ledger.problem(f"{self.name} broke: {error!r}")
                raise
            finally:
                self.online = False
                if self.wire:
                    self.wire.close()
                    self.wire = None

    def connect(self):
        self.wire = Wire(self.schema, self.server)
        if self.token:
            try:
                session = self.wire.resume(self.token, self.last_event)
            except Refused as refusal:
                if refusal.error.reason != "resume_failed":
                    raise
                self.token = None
                self.wire.authenticate(self.user, self.endpoint)
            else:
                self.take_up(session)
                return
        else:
            self.wire.sign_in(self.user, self.endpoint)
        self.begin(self.wire.session)

    def begin(self, session):
        """A new session: all without outcome is sent again, in order."""
        self.token = session.token
        self.window = session.requests.messages
        self.last_event = 0
        self.requests = 0
        self.under_way.clear()
        self.unsent = collections.deque(self.unsettled.values())
        self.ledger.counts["retries"] += sum(
            im.tried for im in self.unsettled.values()
        )

    def take_up(self, session):
        """The old session: what the server has not is sent again."""
        self.ledger.counts["resumed"] += 1
        self.window = session.requests.messages
        for request, im in self.under_way.items():
            if request > session.last_request:
                self.wire.write(self.frame_of(request, im))

    def frame_of(self, request, im):
        im.tried = True
        frame = self.schema.ClientFrame(
            request=request, send={"id": im.id, "to": im.to, "body": im.body}
        )
        return framed(frame.SerializeToString())

    def talk(self):
        ends = self.next_whim()
        while True:
            # Signing out is a request too, and needs room in the window.
            has_room = len(self.under_way) < self.window
            if self.over.is_set() and has_room:
                return self.sign_out()
            is_bored = time.monotonic() >= ends and not self.calm.is_set()
            if is_bored and has_room:
                if self.random.random() < 0.5:
                    self.ledger.counts["cut"] += 1
                    return None
                self.sign_out()
                return time.sleep(self.random.uniform(0, 0.5))
            self.read()
            self.make()
            self.send()

    def next_whim(self):
        rest = self.random.uniform(0.05, 1.5) if self.restless else 3600
        return time.monotonic() + rest

    def sign_out(self):
        self.token = None
        self.requests += 1
        self.wire.send(request=self.requests, sign_out={})
        try:
            while True:
                frame = self.wire.receive()
                self.take(frame)
                if frame.WhichOneof("kind") == "done":
                    return
                if frame.event:
                    self.wire.send(ack={"event": self.last_event})
        except Closed:
            return

    def read(self):
        """All that is there, acknowledged at once."""
        before = self.last_event
        try:
            self.take(self.wire.receive(0.02))
        except InVain:
            return
        while len(self.wire.incoming) >= 4:
            size = struct.unpack(">I", self.wire.incoming[:4])[0]
            if len(self.wire.incoming) < 4 + size:
                break
            self.take(self.wire.receive())
        if self.last_event > before and not self.mute.is_set():
            self.wire.send(ack={"event": self.last_event})

    def take(self, frame):
        if frame.event:
            if frame.event != self.last_event + 1:
                self.ledger.problem(
                    f"{self.name} got event {frame.event}"
                    f" after {self.last_event}"
                )
            self.last_event = frame.event
        kind = frame.WhichOneof("kind")
        if kind == "im":
            self.ledger.received(self.user, frame.im)
        elif kind == "outcome":
            self.settle(frame)
        elif kind == "window":
            self.window = frame.window.messages
        elif kind == "ping":
            self.wire.send(pong={"nonce": frame.ping.nonce})
        elif kind == "error":
            if frame.request:
                self.ledger.problem(f"{self.name}: {frame.error}")
            else:
                raise Refused(frame.error)

    def settle(self, frame):
        im = self.under_way.pop(frame.request, None)
        if im is None:
            self.ledger.problem(f"{self.name} got an answer too many: {frame}")
            return
        outcome = self.schema.Outcome.Kind.Name(frame.outcome.kind).lower()
        if frame.outcome.HasField("error"):
            outcome = frame.outcome.error.reason
        if outcome == "server_stopping":
            # True as well, and no reason to give up: the next session sends
            # it again.
            self.ledger.counts["sent back"] += 1
            return
        with self.ledger.lock:
            if im.outcome is not None:
                self.ledger.problems.append(f"{im.id} has two outcomes")
            im.outcome = outcome
            self.ledger.counts[outcome] += 1
        self.unsettled.pop(im.id, None)

    def make(self):
        now = time.monotonic()
        if self.sending.is_set():
            self.credit += (now - self.last_made) * self.rate
        self.last_made = now
        while self.credit >= 1:
            self.credit -= 1
            to = self.random.choice(self.peers)
            self.made[to] += 1
            im = Im(self.user, to, self.made[to])
            with self.ledger.lock:
                self.ledger.ims[self.user, im.id] = im
            self.unsettled[im.id] = im
            self.unsent.append(im)

    def send(self):
        frames = []
        while (
            self.unsent
            and len(frames) < SEND_AT_ONCE
            and len(self.under_way) < self.window
        ):
            im = self.unsent.popleft()
            self.requests += 1
            self.under_way[self.requests] = im
            frames.append(self.frame_of(self.requests, im))
        if frames:
            self.wire.write(b"".join(frames))
