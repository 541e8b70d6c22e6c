"""What SQLite says when something is wrong, as errors of ours.

The stdlib and ADBC wrap the same messages of SQLite's (sqlite3ErrStr) in different
exceptions, ADBC without the code; so the message decides.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrators.errors import DatabaseError, Locked, MigrateError, NotADatabase, ValueRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READ_ONLY = "attempt to write a readonly database"
"""Opened read-only, a hot journal, or a WAL without a writable folder, ends so."""
CANNOT_OPEN = "unable to open database file"
_CONSTRAINT = re.compile(r"(UNIQUE|NOT NULL|CHECK|FOREIGN KEY) constraint failed(?:: (.*))?")

_KNOWN: tuple[tuple[str, type[MigrateError], str, str], ...] = (
    ("database is locked", Locked, "is locked by a writer", "stop what writes to it, then retry"),
    ("database table is locked", Locked, "is locked by a writer", "stop what writes to it"),
    ("file is not a database", NotADatabase, "is not a SQLite database", "check the url"),
    (
        "malformed",
        DatabaseError,
        "is corrupt",
        "restore a backup, or: sqlite3 FILE .recover | sqlite3 NEW",
    ),
    ("database or disk is full", DatabaseError, "no room left on its disk", "free some room"),
    ("No space left", DatabaseError, "no room left on its disk", "free some room"),
    ("disk I/O error", DatabaseError, "its disk cannot be read or written", "look at the disk"),
    (READ_ONLY, DatabaseError, "is read-only", "check the rights of the file and its folder"),
    (CANNOT_OPEN, DatabaseError, "cannot be opened", "check the rights of file and folder"),
    ("failed to open", DatabaseError, "cannot be opened", "check the rights of file and folder"),
    (
        "Permission denied",
        DatabaseError,
        "permission denied",
        "check the rights of the file and its folder",
    ),
    ("Read-only file system", DatabaseError, "lies on a read-only disk", "mount it writable"),
)

_NO_MEMORY = ("Cannot allocate memory", "out of memory")
_MORE = "allow more: about six times the largest value, beside 400 MB"
"""Measured with values of 500 and of 999 MB: 2.98 and 5.84 GB."""


def says(error: BaseException, message: str) -> bool:
    """Whether SQLite's message is part of what the driver raised."""
    return message in str(error)


def translated(error: Exception, path: Path, doing: str = "") -> MigrateError:
    """Return the error of ours that a driver's exception means.

    Parameters
    ----------
    doing : str
        What was tried, for messages that are not among the known: "reading t".
    """
    if isinstance(error, MigrateError):
        return error
    if isinstance(error, MemoryError) or any(says(error, sign) for sign in _NO_MEMORY):
        return DatabaseError(
            f"{path}: {doing or 'the work'} takes more memory than there is", hint=_MORE
        )
    for message, kind, what, hint in _KNOWN:
        if says(error, message):
            return kind(f"{path}: {what}", hint=hint)
    said = " ".join(str(error).split())
    return DatabaseError(f"{path}: {doing + ': ' if doing else ''}{said}")


def constraint(error: Exception, table: str) -> ValueRefused | None:
    """Return the refusal that a broken constraint means; None for any other error."""
    match = _CONSTRAINT.search(str(error))
    if not match:
        return None
    kind, subject = match[1], (match[2] or "").strip()
    if kind == "CHECK":
        return ValueRefused(table, subject, f"breaks CHECK {subject}")
    columns = ", ".join(part.rpartition(".")[2] for part in subject.split(", "))
    told = {"UNIQUE": "is there twice (UNIQUE)", "NOT NULL": "is NULL (NOT NULL)"}
    return ValueRefused(table, columns, told.get(kind, f"breaks {kind}"))


@contextmanager
def told(path: Path, doing: str = "") -> Iterator[None]:
    """Raise what a driver raises inside as an error of ours."""
    try:
        yield
    except MigrateError:
        raise
    except Exception as error:
        known = _is_driver_error(error)
        if not known:
            raise
        raise translated(error, path, doing) from error


def _is_driver_error(error: Exception) -> bool:
    """Whether it comes from sqlite3, ADBC, Arrow or the file system, not from our code."""
    module = type(error).__module__.partition(".")[0]
    return module in ("sqlite3", "adbc_driver_manager", "pyarrow") or isinstance(
        error, OSError | MemoryError
    )
