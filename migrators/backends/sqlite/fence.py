"""The fence of a file: an immediate transaction, which a process of its own holds.

Who reads goes on; who writes waits for as long as it is patient. In this process the lock
would not hold: it is lost when anything here closes the file (sqlite.org/howtocorrupt.html,
2.2), as the digest does. The other one ends when its input ends, and so with this one, killed
or not: a fence of a file never stays behind.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from migrators.backends import passwords
from migrators.backends.fencing import Closed, Fence, Saved
from migrators.backends.sqlite import connect, source
from migrators.errors import DatabaseError, Locked, MigrateError

if TYPE_CHECKING:
    from pathlib import Path

_HOLDER = """
import os, sqlite3, sys
uri, patience, wal = sys.argv[1:]
try:
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=float(patience))
    connection.execute("BEGIN IMMEDIATE")
except sqlite3.Error as error:
    sys.exit(print(error, flush=True))
print("held", flush=True)
sys.stdin.read()
if os.path.exists(wal) and os.path.getsize(wal):
    os._exit(0)
connection.execute("ROLLBACK")
connection.close()
"""
"""Whoever closes a WAL last writes it to the main file. A fence changes no byte, so where the
WAL has any it ends without closing: the next to open the file goes on from there."""
_ENDS = 10
"""Seconds that the holder may take to end, which takes it a few milliseconds."""


class SQLiteFence(Fence):
    """The fence of one file."""

    lasting: ClassVar[bool] = False
    way: ClassVar[str] = "closed to writers"

    def __init__(self, path: Path, busy_ms: int) -> None:
        self._path = path
        self._busy_ms = busy_ms
        self._holder: subprocess.Popen[str] | None = None

    def before(self) -> Saved:
        """Refuse a file that a crash has left to be recovered; nothing is to be remembered."""
        source.require(self._path)
        if not source.opens(self._path, self._busy_ms):
            raise DatabaseError(
                f"{self._path}: cannot be fenced: SQLite would have to write to it first, "
                "to recover from a crash or since the file is another user's",
                hint="as its owner, once: sqlite3 FILE 'SELECT count(*) FROM sqlite_master'",
            )
        return {}

    def close(self, saved: Saved) -> Closed:  # noqa: ARG002
        """Start the holder; return when it holds the lock."""
        if self._holder is not None:
            return Closed()
        uri, wal = connect.uri(self._path, "rw"), source.beside(self._path, "-wal")
        command = [sys.executable, "-I", "-S", "-c", _HOLDER]
        self._holder = subprocess.Popen(  # noqa: S603  this interpreter, and our own words
            [*command, uri, str(self._busy_ms / 1000), str(wal)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=passwords.without(),
            start_new_session=True,  # Ctrl-C is ours to hear
        )
        said = self._holder.stdout.readline().strip() if self._holder.stdout else ""
        if said != "held":
            self._end()
            raise self._refused(said)
        return Closed()

    def _refused(self, said: str) -> MigrateError:
        if "locked" in said:
            return Locked(
                f"{self._path}: somebody is writing to it, so that it cannot be fenced",
                hint="stop what writes to it, then type the same command again",
            )
        return DatabaseError(
            f"{self._path}: cannot be fenced: {said or 'the process that holds it ended'}",
            hint="look at the rights of the file and its folder",
        )

    def closed(self, saved: Saved) -> bool:  # noqa: ARG002
        """Whether the holder lives."""
        return self._holder is not None and self._holder.poll() is None

    def holes(self, saved: Saved) -> tuple[str, ...]:
        """Say that the holder has ended."""
        return () if self.closed(saved) else ("the process that held it has ended",)

    def open(self, saved: Saved) -> tuple[str, ...]:  # noqa: ARG002
        """End the holder."""
        self._end()
        return ()

    def _end(self) -> None:
        holder, self._holder = self._holder, None
        if holder is None:
            return
        with suppress(OSError, subprocess.TimeoutExpired):
            holder.communicate(timeout=_ENDS)
        if holder.poll() is None:
            holder.kill()
            holder.wait()

    def trace(self) -> str:
        """Return which files they are, and when they last changed.

        Who holds the lock is the only one who could write by SQLite; who moves another file
        here, or copies over this one, asks for no lock.
        """
        return " ".join(map(_looks, (self._path, source.beside(self._path, "-wal"))))


def _looks(path: Path) -> str:
    try:
        found = path.stat()
    except FileNotFoundError:
        return "-"
    return f"{found.st_dev}:{found.st_ino}:{found.st_size}:{found.st_ctime_ns}"
