"""Opening a database read-only without changing a byte of it, or else a private copy.

SQLite must write to recover from a crash: a hot journal is rolled back, and a WAL needs
its index file. Where it may not, the file and what lies beside it are copied into a
private folder, proven to have stood still meanwhile, and the copy is recovered.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING

from migrators.backends.sqlite import connect, failures
from migrators.errors import DatabaseError, Locked, NotADatabase

if TYPE_CHECKING:
    from collections.abc import Iterator

SIDECARS = ("-wal", "-journal", "-shm")
_RECOVERED = ("", "-wal", "-journal")
"""What a copy is made of; SQLite makes the WAL's index anew."""
_ATTEMPTS = 3
RECOVER = "restore a backup, or: sqlite3 FILE .recover | sqlite3 NEW"
_WAL_VERSION = 2
_OF_VALUES = re.compile(r"^(?:NULL|NUMERIC|TEXT|non-\w+) value in ")
"""What `check` says itself, of rows."""
_UNKNOWN = re.compile(r"no such (?:collation|function|module)")
_BLOCK = 1 << 20


def beside(path: Path, suffix: str) -> Path:
    """Return the path of a file that SQLite keeps beside a database."""
    return path.with_name(path.name + suffix)


def require(path: Path) -> None:
    """Check that there is a file to open, without opening it.

    Raises
    ------
    DatabaseError
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        raise DatabaseError(
            f"{path}: there is no such database", hint="check the url and the version"
        ) from None
    except OSError as error:
        raise failures.translated(error, path) from error
    if stat.S_ISDIR(found.st_mode):
        hint = f"check the url, or move it away: mv {quote(str(path))} {quote(f'{path}.old')}"
        raise DatabaseError(f"{path}: is a directory, not a database", hint=hint)
    if not stat.S_ISREG(found.st_mode):
        raise DatabaseError(f"{path}: is not a regular file", hint="check the url")
    if found.st_size == 0:
        raise NotADatabase(f"{path}: the file is empty", hint="check the url")


def require_whole_pages(path: Path, page: int) -> None:
    """Check that a file was not cut: SQLite reads what a last page lacks as zeros.

    A WAL or journal that is not empty may mend it, and is left to.

    Raises
    ------
    DatabaseError
    """
    mending = (beside(path, suffix) for suffix in ("-wal", "-journal"))
    if path.stat().st_size % page and not any(f.exists() and f.stat().st_size for f in mending):
        raise DatabaseError(f"{path}: is corrupt: its last page is cut", hint=RECOVER)


def needs_copy(error: Exception, path: Path) -> bool:
    """Whether an error of a read-only connection means that a copy must be recovered."""
    if failures.says(error, failures.READ_ONLY):
        return True
    return failures.says(error, failures.CANNOT_OPEN) and os.access(path, os.R_OK)


def wal_of_another(path: Path) -> bool:
    """Whether reading would leave WAL files that the database's owner could not write.

    SQLite gives them the owner of the process (unless it is root, which hands them over).
    Opens the file: call it only while no snapshot of it is open.
    """
    if os.geteuid() in (0, path.stat().st_uid) or beside(path, "-shm").exists():
        return False
    with path.open("rb") as file:
        header = file.read(20)
    return len(header) == 20 and _WAL_VERSION in header[18:20]  # noqa: PLR2004  fileformat2.html 1.3


@contextmanager
def tidied(path: Path) -> Iterator[None]:
    """Leave beside a database no WAL files that were not there.

    Whoever reads a database in WAL mode makes them, and who may only read cannot remove
    them. So they are left to SQLite: to its last connection that may write, and to nobody
    while anyone else is connected. Of several in this process, which would not see each
    other's locks, the last to end does it, and the first knows what was there.
    """
    with _turn:
        reading, there = _read.get(path, (0, _wal_files(path)))
        _read[path] = (reading + 1, there)
    try:
        yield
    finally:
        with _turn:
            reading, there = _read.pop(path)
            if reading > 1:
                _read[path] = (reading - 1, there)
            elif not there and _wal_files(path):
                with suppress(sqlite3.Error):
                    settle(path)


_turn = Lock()
_read: dict[Path, tuple[int, bool]] = {}
"""Database → how many here are reading it, and whether it had WAL files before the first."""


def _wal_files(path: Path) -> bool:
    return any(beside(path, suffix).exists() for suffix in ("-wal", "-shm"))


def settle(path: Path) -> None:
    """Let SQLite remove the WAL files beside a database if nobody uses them.

    A WAL that is not empty is left alone: it would be written to the main file. With an
    empty one not a byte of that changes. Call it only while no snapshot is open.

    Raises
    ------
    sqlite3.Error
        It is no database, or somebody is writing to it.
    """
    wal = beside(path, "-wal")
    if wal.exists() and wal.stat().st_size:
        return
    with connect.plain(path, "rw", 0) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        connection.execute("ROLLBACK")


def copied(path: Path, folder: Path) -> Path:
    """Copy a database and what lies beside it; return the copy's path.

    Raises
    ------
    Locked
        If it changed while it was copied, several times over.
    """
    target = folder / "private-copy.db"
    for _ in range(_ATTEMPTS):
        before = tuple(_copy(beside(path, s), beside(target, s)) for s in _RECOVERED)
        if before == tuple(_digest(beside(path, s)) for s in _RECOVERED):
            return target
    raise Locked(f"{path}: is being written to", hint="stop what writes to it, then retry")


def _copy(source: Path, target: Path) -> str:
    """Copy one file if it is there; return the digest of what was written."""
    target.unlink(missing_ok=True)
    if not source.exists():
        return ""
    with source.open("rb") as old, os.fdopen(os.open(target, _NEW, 0o600), "wb") as new:
        shutil.copyfileobj(old, new, _BLOCK)
    return _digest(target)


_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


@contextmanager
def readable(path: Path, busy_ms: int) -> Iterator[sqlite3.Connection]:
    """Open read-only by the stdlib, or a private copy; for catalogue and stamp.

    Raises
    ------
    DatabaseError, Locked
    """
    require(path)
    with failures.told(path), tidied(path), TemporaryDirectory(prefix="migrate-") as folder:
        usable = path if opens(path, busy_ms) else copied(path, Path(folder))
        mode = "ro" if usable == path else "rw"
        with connect.plain(usable, mode, busy_ms) as connection:
            yield connection


def require_sound(path: Path, busy_ms: int) -> None:
    """Refuse a file whose pages contradict each other: SQLite reads such a one without an error.

    A page that lost some of its cells merely gives fewer rows. 100 MB take 0.3 s.

    Raises
    ------
    DatabaseError
    """
    with readable(path, busy_ms) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        try:
            found = [said for (said,) in connection.execute("PRAGMA quick_check")]
        except sqlite3.OperationalError as error:
            if not _UNKNOWN.search(str(error)):
                raise
            return  # a collation or function of the application's own: an index cannot be opened
    damage = [said for said in found if said != "ok" and not _OF_VALUES.search(said)]
    if damage:
        said = " ".join(damage[0].removeprefix("*** in database main ***").split())
        raise DatabaseError(f"{path}: is corrupt: {said}", hint=RECOVER)


def opens(path: Path, busy_ms: int) -> bool:
    """Whether a database can be read as it is, without a byte being written to it."""
    if wal_of_another(path):
        return False
    try:
        with connect.plain(path, "ro", busy_ms) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except Exception as error:
        if needs_copy(error, path):
            return False
        raise
    return True
