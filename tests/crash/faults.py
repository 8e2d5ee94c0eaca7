"""Faults of the real server, at chosen calls: what faults.cpp, preloaded into
it, is told to do."""

import errno
import mmap
import os
import struct
import tempfile

SIZE = 768
HEAD = struct.Struct("=IIIIIiQ")  # armed, action, calls, kinds, stage, …
SEEN = struct.Struct("=QI")  # at 32: calls that fitted, whether it fired
MARKER, FOLDER, WHERE = 48, 256, 512

KILL, FAIL, HANG = 1, 2, 3
# Calls: bytes into a file, a sync, a file opened for writing, names and
# lengths of files, bytes into a socket.
WRITE, SYNC, MAKE, NAME, SEND = 1, 2, 4, 8, 16
# What is written to.
LOG, TABLE, OTHER, SOCKET = 1, 2, 4, 8
FILES = LOG | TABLE | OTHER
BEFORE, HALF, AFTER = 0, 1, 2


class Faults:
    """`library` is faults.cpp, built. A server started with `environment`
    does what this says, at once, until it says otherwise."""

    def __init__(self, library):
        self.file = tempfile.NamedTemporaryFile(prefix="parley-faults-")
        self.file.write(b"\0" * SIZE)
        self.file.flush()
        self.memory = mmap.mmap(self.file.fileno(), SIZE)
        self.environment = {
            "LD_PRELOAD": library,
            "PARLEY_FAULTS": self.file.name,
            # A sanitizer wants to be the first library otherwise.
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")
            + ":verify_asan_link_order=0",
        }
        self.folder = None  # the server's data folder

    def arm(self, action, calls, kinds, **how):
        """From now on. With KILL: at the `nth` call that fits, `stage` of it;
        with FAIL: each fails with `error`; with HANG: each waits. `marker`:
        only what writes it fits, or the sync after it."""
        self.disarm()
        marker = how.get("marker", "").encode()
        self.memory[MARKER:FOLDER] = marker.ljust(FOLDER - MARKER, b"\0")
        folder = os.fsencode(self.folder) + b"/"
        self.memory[FOLDER:WHERE] = folder.ljust(WHERE - FOLDER, b"\0")
        struct.pack_into("=I", self.memory, 44, len(marker))
        HEAD.pack_into(
            self.memory,
            0,
            0,
            action,
            calls,
            kinds,
            how.get("stage", BEFORE),
            how.get("error", 0),
            how.get("nth", 1),
        )
        struct.pack_into("=I", self.memory, 0, 1)

    def disarm(self):
        struct.pack_into("=I", self.memory, 0, 0)
        SEEN.pack_into(self.memory, 32, 0, 0)

    @property
    def seen(self):
        return SEEN.unpack_from(self.memory, 32)[0]

    @property
    def fired(self):
        """Whether the process was ended by the last wish."""
        return bool(SEEN.unpack_from(self.memory, 32)[1])

    def fill_disk(self):
        """No room: nothing grows."""
        self.arm(FAIL, WRITE | MAKE, FILES, error=errno.ENOSPC)

    def make_read_only(self):
        calls = WRITE | MAKE | NAME
        self.arm(FAIL, calls, FILES, error=errno.EROFS)

    def break_syncs(self):
        self.arm(FAIL, SYNC, FILES, error=errno.EIO)

    def break_tables(self):
        self.arm(FAIL, WRITE | SYNC | MAKE, TABLE, error=errno.EIO)

    def refuse_logs(self, error=errno.ENOSPC):
        """No new log; what is open goes on, and tables are made."""
        self.arm(FAIL, MAKE, LOG, error=error)

    def break_disk(self):
        self.arm(FAIL, WRITE | SYNC | MAKE | NAME, FILES, error=errno.EIO)

    def stall_disk(self):
        self.arm(HANG, WRITE | SYNC, FILES)

    def close(self):
        self.memory.close()
        self.file.close()
