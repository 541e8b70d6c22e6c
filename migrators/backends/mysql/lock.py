"""One run at a time on a server: a lock of a session's, which ends with it.

A lock has no room for what its holder runs, and other sessions see of one only the statement
that it is at. So the session that holds the lock is always at one, which names the command in
a comment: it sends more than anybody reads, so that it waits, and costs nothing meanwhile. When
the connection is closed, by us or by the system after a crash, the server notices at once.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrators.backends.mysql import connect, failures, sql
from migrators.errors import DatabaseError, Locked
from migrators.failpoints import act

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

    from migrators.backends.interface import Still
    from migrators.backends.mysql.wire import Connection

_PATIENCE = 1
"""Seconds: a server takes a moment to see that a connection is gone."""
_TIMES = 3
"""How often it is asked who holds the lock, and whom we ask: poolers repeat themselves."""
_TEN = " UNION ALL ".join(["SELECT 1"] * 10)
_WAITING = f"REPEAT('-', 65536) FROM ({_TEN}) AS a, ({_TEN}) AS b, ({_TEN}) AS c"
"""64 MB: more than a socket holds."""
_COMMAND = re.compile(r"/\* (.*?) \*/")


@contextmanager
def held(url: sa.URL, project: str, command: str) -> Iterator[Still]:
    """Hold the lock of a project; its session reads no rows.

    Raises
    ------
    Locked
        Saying what the holder runs, who that is, and since when.
    """
    lock = sql.text(f"migrate_{hashlib.sha256(project.encode()).hexdigest()[:48]}")
    with connect.opened(url, "locking", database=False) as connection:
        with act("server lock taken"):
            ((taken, holder),) = connect.rows(
                connection, f"SELECT GET_LOCK({lock}, {_PATIENCE}), CONNECTION_ID()"
            )
        if taken != 1:
            raise Locked(
                f"another run holds {project} on the server: {_holder(connection, lock)}",
                hint="wait for it, then type the same command again",
            )
        if any(_asked_of(connection, lock) != (holder, holder) for _ in range(_TIMES)):
            raise DatabaseError(
                f"{url.database}: a pooler that shares sessions is between us and the server; "
                "no lock holds in it",
                hint="name the server itself in the url",
            )
        said = " ".join(command.replace("*/", "* /").split())
        connection.stream(f"SELECT /* {said} */ {_WAITING}")

        def still() -> None:
            with connect.opened(url, "looking", database=False) as other:
                now = _used_by(other, lock)
            if now != holder:
                raise DatabaseError(
                    f"{url.database}: the connection is lost while holding the project's lock",
                    hint=failures.AGAIN,
                )

        yield still


def _used_by(connection: Connection, lock: str) -> int | None:
    """Return the connection that holds a lock; None where none does."""
    ((number,),) = connect.rows(connection, f"SELECT IS_USED_LOCK({lock})")
    return None if number is None else int(number)


def _asked_of(connection: Connection, lock: str) -> tuple[int | None, int]:
    """Return the connection that holds a lock, and the one that is asked."""
    query = f"SELECT IS_USED_LOCK({lock}), CONNECTION_ID()"
    ((number, own),) = connect.rows(connection, query)
    return None if number is None else int(number), int(own)


def _holder(connection: Connection, lock: str) -> str:
    found = connect.rows(
        connection,
        "SELECT id, user, host, time, info FROM information_schema.processlist "
        f"WHERE id = IS_USED_LOCK({lock})",
    )
    if not found:
        return "a session that this user may not see"
    identity, user, host, seconds, statement = found[0]
    command = _COMMAND.search(str(statement))
    runs = f"{command[1]}, " if command else ""
    return f"{runs}{user}@{host}, connection {identity}, for {seconds} s"
