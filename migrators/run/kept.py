"""Databases beside a run: each has a file that names it, from before it is made till it is gone.

Tests make them, and `migrate check`, which has no journal. Whoever uses a database holds a lock
on its file, which the operating system frees with the process. So what a killed process left is
found by the next one, and what another uses, at this moment, is let alone. Another folder's process
has other files, and may mean the same database of a server: what is whole is whole for all, and
what one alone may use is locked on the server, too.
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from migrators.errors import DatabaseError, Locked, NoServer
from migrators.project import private_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from migrators.backends.interface import Backend

KEPT = 12
"""Whole databases that are kept for the next run, of one server; the latest used ones."""
_COMPLETE = b"complete"
_PATIENCE = 60
"""Seconds until what a killed run had asked a server for is there, or never will be."""
_AGAIN, _AGAIN_THERE = 0.01, 0.1
_SUFFIX = ".made"


class Entry:
    """The file of one database, locked; `made` is the database.

    Parameters
    ----------
    path : Path
    handle : int
        Of the file, with an exclusive lock.
    """

    def __init__(self, path: Path, handle: int, made: Backend) -> None:
        self._path, self._handle = path, handle
        self._lock = ExitStack()
        self.made = made

    @property
    def complete(self) -> bool:
        """Whether the database was made to its end."""
        return os.pread(self._handle, len(_COMPLETE), 0) == _COMPLETE

    @property
    def may_come(self) -> bool:
        """Whether a server may be at work on it yet, for a client that was killed just now."""
        age = time.time() - self._path.stat().st_mtime
        return not self.complete and age < _PATIENCE and not self.made.exists()

    def make(self, fill: Callable[[Backend], None]) -> None:
        """Make the database, in place of what a killed run has begun; remove it on any error."""
        try:
            os.ftruncate(self._handle, 0)
            self.made.discard()
            fill(self.made)
            os.pwrite(self._handle, _COMPLETE, 0)
        except NoServer:
            self.release()  # the next run removes what there may be: it is not waited for again
            raise
        except BaseException:
            self.remove()
            raise

    def alone(self) -> bool:
        """Take the lock that nobody else may have beside it, unless somebody has one."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return os.fstat(self._handle).st_nlink > 0

    def alone_there(self) -> bool:
        """Take the lock on the server as well, unless a process of another folder has it."""
        try:
            self._lock.enter_context(self.made.held(self.made.database, "tests"))
        except Locked:
            return False
        return True

    def adopt(self) -> bool:
        """Return whether another folder's process has made it to its end: it is stamped last."""
        if not self.made.exists() or self.made.stamp() is None:
            return False
        os.pwrite(self._handle, _COMPLETE, 0)
        return True

    def whole(self, fill: Callable[[Backend], None]) -> bool:
        """Make the database, unless it is whole; or return that another folder's process does."""
        if self.adopt():
            return True
        if not self.alone_there():
            return False
        if not self.adopt():  # it was made while the lock was waited for
            self.make(fill)
        self._lock.close()
        return True

    def share(self) -> None:
        """Go on with a lock that others may have as well."""
        fcntl.flock(self._handle, fcntl.LOCK_SH)

    def release(self) -> None:
        """Use it no more; it stays."""
        self._lock.close()
        os.close(self._handle)

    def remove(self) -> None:
        """Remove the database, then the file."""
        try:
            self.made.discard()
            self._path.unlink(missing_ok=True)
        finally:
            self.release()


class Kept:
    """The databases that are made beside one of a server, or in one folder.

    Parameters
    ----------
    folder : Path
        Where the files are; made if it is not there.
    base : Backend
        What databases are named after.

    Raises
    ------
    DatabaseError
        The folder can be neither made nor written to.
    """

    def __init__(self, folder: Path, base: Backend) -> None:
        self.base = base
        shown = base.url._replace(password=None).render_as_string(hide_password=False)
        self._folder = folder
        self._begins = hashlib.sha256(shown.encode()).hexdigest()[:8]
        try:
            private_directory(folder)
        except OSError as error:
            raise DatabaseError(
                f"{folder}: {error.strerror}",
                hint="make it writable, or set MIGRATE_RUNS to a directory that is",
            ) from None

    def take(self, name: str) -> Entry:
        """Return a database's entry, alone; wait for who makes or uses it."""
        return self._locked(name, fcntl.LOCK_EX)

    def shared(self, name: str, fill: Callable[[Backend], None]) -> Entry:
        """Return a database's entry, which others may use as well; made if it is not there.

        Who makes it is waited for, and who uses it is not.

        Raises
        ------
        DatabaseError
            It is gone while others use it.
        """
        began = time.monotonic()
        while time.monotonic() - began < _PATIENCE:
            entry = self._locked(name, fcntl.LOCK_SH)  # waits for who makes it
            if entry.complete and entry.made.exists():
                return entry
            if not entry.alone():
                entry.release()
                time.sleep(_AGAIN)  # another one looks at it as well
            elif entry.whole(fill):
                entry.share()
                return entry
            else:
                entry.release()
                time.sleep(_AGAIN_THERE)
                began = time.monotonic()  # whoever makes it holds the server's lock until then
        raise DatabaseError(
            f"{self.base.staging(name).database} was removed while tests use it",
            hint="end those tests, and run these again",
        )

    def _locked(self, name: str, how: int) -> Entry:
        while True:
            handle = self._opened(name)
            fcntl.flock(handle, how)
            if os.fstat(handle).st_nlink:
                os.utime(handle)
                return self._entry(name, handle)
            os.close(handle)  # removed while we waited

    def take_one(self, name: str) -> Entry:
        """Return the first of `name_0`, `name_1` and so on that nobody uses, alone."""
        for number in itertools.count():
            handle = self._opened(f"{name}_{number}")
            with suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(handle).st_nlink:
                    os.utime(handle)
                    entry = self._entry(f"{name}_{number}", handle)
                    if entry.alone_there():
                        return entry
            os.close(handle)
        raise AssertionError

    def _opened(self, name: str) -> int:
        while True:
            try:
                return os.open(self._path(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except FileNotFoundError:  # who used the folder last has removed it
                private_directory(self._folder)

    def _path(self, name: str) -> Path:
        return self._folder / f"{self._begins}-{name}{_SUFFIX}"

    def _entry(self, name: str, handle: int) -> Entry:
        return Entry(self._path(name), handle, self.base.staging(name))

    def sweep(self) -> None:
        """Remove what runs left that are no more, and whole databases not used lately."""
        whole = 0
        for entry in list(self._abandoned()):
            whole += entry.complete
            if entry.complete and whole <= KEPT:
                entry.release()
            elif entry.may_come:
                entry.made.discard()  # one that is empty does not count as there
                entry.release()
            elif entry.alone_there():
                entry.remove()
            else:
                entry.release()

    def _abandoned(self) -> Iterator[Entry]:
        """Yield entries that nobody uses, the latest used first, each locked."""
        found = list(self._folder.glob(f"{self._begins}-*{_SUFFIX}"))
        for path in sorted(found, key=_used, reverse=True):
            name = path.name.removeprefix(f"{self._begins}-").removesuffix(_SUFFIX)
            with suppress(OSError):
                handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    os.close(handle)
                    continue
                yield self._entry(name, handle)


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
