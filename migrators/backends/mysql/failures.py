"""What the server says when something is wrong, as errors of ours: its error number decides.

The numbers are the manual's ("Server Error Message Reference"); 2000 and more are the
client's.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pymysql
from pymysql.constants import CR, ER

from migrators.errors import DatabaseError, Locked, MigrateError, NoServer, TargetExists

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa


class NoDatabase(DatabaseError):
    """The server answers, and has no database of this name."""


_GRANT = "let an administrator GRANT what is missing"
AGAIN = "look at the server's log, then type the same command again"
_ENDED = "look at the server's log, and for room on its disk, then type the same command again"
"""A MariaDB that has no room to take rows back ends itself."""
_RETRY = "wait for it, then type the same command again"

_FULL = (DatabaseError, "no room left on the server's disk", "free some room there")
_KNOWN: dict[int, tuple[type[MigrateError], str, str]] = {
    ER.BAD_DB_ERROR: (NoDatabase, "does not exist", "check the url"),
    ER.DB_CREATE_EXISTS: (TargetExists, "exists already", "migrate discard"),
    ER.ACCESS_DENIED_ERROR: (
        DatabaseError,
        "the server refuses the user or the password",
        "check the url, MIGRATE_PASSWORD or ~/.my.cnf",
    ),
    1698: (
        DatabaseError,
        "the server refuses the user or the password",
        "check the url, MIGRATE_PASSWORD or ~/.my.cnf",
    ),
    ER.DBACCESS_DENIED_ERROR: (DatabaseError, "a right is missing", _GRANT),
    ER.TABLEACCESS_DENIED_ERROR: (DatabaseError, "a right is missing", _GRANT),
    ER.COLUMNACCESS_DENIED_ERROR: (DatabaseError, "a right is missing", _GRANT),
    ER.SPECIFIC_ACCESS_DENIED_ERROR: (DatabaseError, "a right is missing", _GRANT),
    ER.DISK_FULL: _FULL,
    ER.RECORD_FILE_FULL: _FULL,
    ER.CON_COUNT_ERROR: (
        DatabaseError,
        "the server takes no more connections",
        "close some of them",
    ),
    ER.LOCK_WAIT_TIMEOUT: (Locked, "is locked by another session", _RETRY),
    ER.LOCK_DEADLOCK: (Locked, "is locked by another session, which waits for us", _RETRY),
    ER.NET_PACKET_TOO_LARGE: (
        DatabaseError,
        "a row is longer than the server's max_allowed_packet",
        "SET GLOBAL max_allowed_packet = 1073741824     on the server, then again",
    ),
    ER.QUERY_INTERRUPTED: (DatabaseError, "a statement was cancelled on the server", AGAIN),
    ER.OPTION_PREVENTS_STATEMENT: (
        DatabaseError,
        "the server takes no writes",
        "check the url, and the server's read_only",
    ),
    ER.TABLE_DEF_CHANGED: (
        DatabaseError,
        "a table was altered or emptied while it was read",
        "let nobody alter it, then type the same command again",
    ),
    ER.OUT_OF_SORTMEMORY: (DatabaseError, "the server is out of memory for a sort", AGAIN),
    ER.SERVER_SHUTDOWN: (DatabaseError, "the server is stopping", AGAIN),
    1969: (DatabaseError, "a statement took longer than the server allows", AGAIN),
    3024: (DatabaseError, "a statement took longer than the server allows", AGAIN),
}
_KILLED = 1927
"""MariaDB's, for a statement of a session that was ended."""
_LOST = (CR.CR_SERVER_LOST, CR.CR_SERVER_GONE_ERROR, 2055, 0, _KILLED)
_SESSION = (
    *_LOST,
    ER.LOCK_WAIT_TIMEOUT,
    ER.LOCK_DEADLOCK,
    ER.QUERY_INTERRUPTED,
    ER.SERVER_SHUTDOWN,
    ER.DISK_FULL,
    ER.RECORD_FILE_FULL,
    ER.OUT_OF_SORTMEMORY,
    1969,
    3024,
)
_NO_ROOM = re.compile(r"\b(?:errno|errcode|error):? ?(?:28|135)\b", re.IGNORECASE)
"""How a statement that makes a file says it: by a number that says what could not be made."""
_OF_DATA = (1062, 1169, 1292, 1300, 1366, 1411, 1525, 1526, 1586, 1690, 1761, 1762, 4025)
"""Errors that a row brings about; the server quotes what stands in it."""
_VALUE = re.compile(
    r"(entry|record|string:|value:|value for|out of range in) "
    r"(?:'.*'|\S+)(?= for key| for column| for function| would | at row |$)"
)
_UNREACHED = (CR.CR_CONN_HOST_ERROR, CR.CR_CONNECTION_ERROR, CR.CR_UNKNOWN_HOST)
_PORT = 3306


def code(error: BaseException) -> int:
    """Return the error's number; 0 where it has none."""
    first = error.args[0] if error.args else 0
    return first if isinstance(first, int) else 0


def said(error: BaseException) -> str:
    """Return the error's text in one line, without the value that it may quote."""
    text = error.args[1] if len(error.args) > 1 else error
    return without_value(code(error), str(text))


def without_value(number: int, text: str) -> str:
    """Return what the server says in one line; of a data error, without the value."""
    line = " ".join(text.split())
    return _VALUE.sub(r"\1 ...", line) if number in _OF_DATA else line


def of_session(error: BaseException) -> bool:
    """Whether an error tells of the session or the server: the statement has nothing to mend."""
    return code(error) in _SESSION or _full(error)


def _full(error: BaseException) -> bool:
    """Whether it was for want of room, whatever the statement could not do."""
    return code(error) not in _OF_DATA and bool(_NO_ROOM.search(said(error)))


def translated(error: Exception, url: sa.URL, doing: str = "") -> MigrateError:
    """Return the error of ours that the driver's means.

    Parameters
    ----------
    doing : str
        What was tried: "reading t".
    """
    place, number = url.database or "", code(error)
    while_doing = f" while {doing}" if doing else ""
    if number in _UNREACHED:
        return NoServer(
            f"{place}: no connection to the server at {url.host or 'localhost'}:"
            f"{url.port or _PORT}: {said(error)}",
            hint="is it running, and is the url right?",
        )
    if number in _LOST:
        return DatabaseError(f"{place}: the connection is lost{while_doing}", hint=_ENDED)
    if number in _KNOWN or _full(error):
        kind, what, hint = _KNOWN.get(number, _FULL)
        return kind(f"{place}: {what}{while_doing}: {said(error)}", hint=hint)
    return DatabaseError(f"{place}: {doing + ': ' if doing else ''}{said(error)}")


@contextmanager
def told(url: sa.URL, doing: str = "") -> Iterator[None]:
    """Raise what the driver raises inside as an error of ours."""
    try:
        yield
    except (pymysql.err.MySQLError, OSError) as error:
        raise translated(error, url, doing) from error
    except RuntimeError as error:
        if _FILE_ASKED not in str(error):
            raise
        raise DatabaseError(
            f"{url.database}: the server asks for a file of this machine; nothing was sent",
            hint="do not trust this server",
        ) from error


_FILE_ASKED = "Received LOAD_LOCAL packet"
"""What the driver says when a server answers any statement with the wish for a file."""
ROW = re.compile(r" at row (\d+)$")
COLUMN = re.compile(r"[Cc]olumn '(.+?)'|for column (?:`[^`]*`\.)*`([^`]+)`")
CONSTRAINT = re.compile(r"CONSTRAINT `(.+?)` failed|[Cc]heck constraint '(.+?)'")
DUPLICATE = re.compile(r"Duplicate entry '.*' for key '(.+)'$", re.DOTALL)
