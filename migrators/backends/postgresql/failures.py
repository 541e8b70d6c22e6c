"""What the server says when something is wrong, as errors of ours.

SQLSTATE decides (manual, appendix A); a connection that never came about has none.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from migrators.errors import (
    DatabaseError,
    Locked,
    MigrateError,
    NoServer,
    TargetExists,
    ValueRefused,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa


class NoDatabase(DatabaseError):
    """The server answers, and has no database of this name."""


_GRANT = "let its owner, or a superuser, GRANT what is missing"
AGAIN = "look at the server's log, then type the same command again"

_REPEATED = re.compile(
    r"^connection (?:failed|is bad): connection to server (?:at|on) .*? failed: "
    r"| Is the server running [^?]*\?$"
)
"""What libpq says around the cause: the place and the question, which we say ourselves."""

_KNOWN: dict[str, tuple[type[MigrateError], str, str]] = {
    "28P01": (
        DatabaseError,
        "the server refuses the password",
        "check the url, MIGRATE_PASSWORD or ~/.pgpass",
    ),
    "28000": (DatabaseError, "the server refuses the role", "check the url, and pg_hba.conf"),
    "3D000": (NoDatabase, "does not exist", "check the url"),
    "42501": (DatabaseError, "a right is missing", _GRANT),
    "42P04": (TargetExists, "exists already", "migrate discard"),
    "53100": (DatabaseError, "no room left on the server's disk", "free some room there"),
    "53200": (DatabaseError, "the server is out of memory", AGAIN),
    "53300": (DatabaseError, "the server takes no more connections", "close some of them"),
    "40P01": (Locked, "is locked by another session, which waits for us", "type it again"),
    "57014": (DatabaseError, "a statement was cancelled on the server", AGAIN),
    "57P01": (DatabaseError, "the server ended the connection", AGAIN),
    "57P02": (DatabaseError, "the server crashed", AGAIN),
    "57P03": (DatabaseError, "the server is starting or stopping", "wait, then type it again"),
    "57P05": (DatabaseError, "the server ended an idle connection", AGAIN),
    "25006": (DatabaseError, "the server takes no writes: it is a standby", "check the url"),
}
_LOST = "08"
_NOT_HAD = "55P03"
"""A lock, within `lock_timeout`."""
_SESSION = (_LOST, "40", "53", _NOT_HAD, "57")
"""Connection, deadlock, resources, locks, an operator: nothing that a statement says."""
_CONSTRAINTS = {
    "23505": "is there more than once (UNIQUE)",
    "23502": "is NULL (NOT NULL)",
    "23514": "breaks CHECK {name}",
    "23503": "breaks FOREIGN KEY {name}",
    "23P01": "overlaps another row (EXCLUDE {name})",
}
_DATA = ("22", "23")
"""Classes of errors that a row brings about: data exceptions, broken constraints."""
_COPY = re.compile(r"^COPY .+?, line \d+, column (?P<column>.+?)(?::|$)", re.MULTILINE)


def where(url: sa.URL) -> str:
    """Return how messages name a database: its name, never a password."""
    return url.database or ""


def translated(error: psycopg.Error, url: sa.URL, doing: str = "") -> MigrateError:
    """Return the error of ours that the driver's means.

    Parameters
    ----------
    doing : str
        What was tried: "reading t".
    """
    state = error.sqlstate or error.diag.sqlstate or ""
    said = _said(error)
    if not state:
        return _unconnected(error, url, doing)
    while_doing = f" while {doing}" if doing else ""
    if state == _NOT_HAD:
        return _locked(url, while_doing, said)
    if state in _KNOWN:
        kind, what, hint = _KNOWN[state]
        return kind(f"{where(url)}: {what}{while_doing}: {said}", hint=hint)
    if state.startswith(_LOST):
        return DatabaseError(f"{where(url)}: the connection is lost{while_doing}", hint=AGAIN)
    return DatabaseError(f"{where(url)}: {doing + ': ' if doing else ''}{said}")


def of_session(error: psycopg.Error) -> bool:
    """Whether an error tells of the session or the server: the statement has nothing to mend."""
    return not error.sqlstate or error.sqlstate.startswith(_SESSION)


def _locked(url: sa.URL, while_doing: str, said: str) -> Locked:
    from migrators.backends.postgresql import holders

    who = holders.seen(url)
    return Locked(
        f"{where(url)}: is locked by another session{while_doing}: {'; '.join(who) or said}",
        hint="wait until that has ended, or end it, then type the same command again",
    )


def _kind(error: psycopg.Error) -> str:
    """Return a data error in words that hold no value: "untranslatable character"."""
    words = re.sub(r"(?<!^)([A-Z])", r" \1", type(error).__name__).lower()
    return f"{words} (SQLSTATE {error.sqlstate})"


def _said(error: psycopg.Error) -> str:
    """Return the server's own words, but of a data error, which quotes values."""
    if (error.sqlstate or "").startswith(_DATA):
        return _kind(error)
    parts = (error.diag.message_primary or str(error), error.diag.message_detail)
    return " ".join(" ".join(part.split()) for part in parts if part)


def _unconnected(error: psycopg.Error, url: sa.URL, doing: str) -> MigrateError:
    """Tell what libpq alone says: it gives no SQLSTATE for a connection that fails."""
    said = " ".join(str(error).split())
    if 'database "' in said and "does not exist" in said:
        return NoDatabase(f"{where(url)} does not exist", hint="check the url")
    if "permission denied for database" in said:
        return DatabaseError(f"{where(url)}: a right is missing while {doing}: {said}", hint=_GRANT)
    if 'role "' in said or "pg_hba.conf" in said:
        return DatabaseError(
            f"{where(url)}: the server refuses {url.username or 'the role'}: {said}",
            hint="check the url, and pg_hba.conf on the server",
        )
    if "password" in said:
        return DatabaseError(
            f"{where(url)}: the server refuses the password of {url.username or 'the role'}",
            hint="check the url, MIGRATE_PASSWORD or ~/.pgpass",
        )
    if isinstance(error, psycopg.OperationalError) and doing != "connecting":
        while_doing = f" while {doing}" if doing else ""
        return DatabaseError(
            f"{where(url)}: the connection is lost{while_doing}: {said}", hint=AGAIN
        )
    place = f"{url.host or 'localhost'}:{url.port or 5432}"
    return NoServer(
        f"{where(url)}: no connection to the server at {place}: {_REPEATED.sub('', said)}",
        hint="is it running, and is the url right?",
    )


def constraint(error: psycopg.Error, table: str) -> ValueRefused | None:
    """Return the refusal that a row's error means; None for any other error."""
    state = error.sqlstate or ""
    if not state.startswith(_DATA):
        return None
    named = error.diag.constraint_name or ""
    if state in _CONSTRAINTS:
        subject = error.diag.column_name or named
        return ValueRefused(table, subject, _CONSTRAINTS[state].format(name=named))
    context = _COPY.search(error.diag.context or "")
    column = context["column"] if context else error.diag.column_name or "a value"
    return ValueRefused(table, column.strip('"'), f"is refused by the server: {_kind(error)}")


@contextmanager
def told(url: sa.URL, doing: str = "") -> Iterator[None]:
    """Raise what the driver raises inside as an error of ours."""
    try:
        yield
    except psycopg.Error as error:
        raise translated(error, url, doing) from error
