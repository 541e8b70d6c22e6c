"""How much room a database takes; the project's lock."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrators.backends.postgresql import connect, failures, sql
from migrators.errors import DatabaseError, Locked
from migrators.failpoints import act

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

    from migrators.backends.interface import Still
    from migrators.backends.postgresql.connect import Connection

_LOCK = "SELECT pg_try_advisory_lock({space}, hashtext({project}))"
_SPACE = 0x6D69_6772
"""The first half of the lock's number: `migr`. The second is the project's name's hash."""
_STILL = """
SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted
    AND pid = pg_backend_pid() AND classid = {space}
    AND objid = hashtext({project})::bit(32)::bigint AND objsubid = 2)
"""
_TRIES = 3
"""A pooler may give a session the same one of the server's by chance."""
_HOLDER = """
SELECT a.application_name, a.usename, a.backend_start FROM pg_locks AS l
JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = {space}
    AND l.objid = hashtext({project})::bit(32)::bigint AND l.objsubid = 2
"""


def size_bytes(url: sa.URL) -> int:
    """Return what the database takes on the server's disk, 0 where there is none."""
    with connect.maintenance(url, "looking") as connection:
        row = connection.execute(
            "SELECT pg_database_size(oid) FROM pg_database WHERE datname = %s",
            (url.database,),
        ).fetchone()
    return 0 if row is None else int(row[0])


@contextmanager
def held(url: sa.URL, project: str, command: str) -> Iterator[Still]:
    """Hold a project's lock in the maintenance database, as long as the session lives.

    Raises
    ------
    Locked
        Who holds it, and since when.
    DatabaseError
        A pooler is between, in which no session's lock holds.
    """
    shown = f"migrate {project}: {command}"
    with connect.maintenance(url, "locking", application_name=shown[: sql.LONGEST_NAME]) as session:
        _refuse_pooled(url, session)
        names = {"space": _SPACE, "project": sql.text(project)}
        with act("server lock taken"):
            row = session.execute(_LOCK.format(**names)).fetchone()
        if row is None or not row[0]:
            raise _taken(session, project, names)

        def still() -> None:
            with failures.told(url, "holding the project's lock"):
                row = session.execute(_STILL.format(**names)).fetchone()
            if row is None or not row[0]:
                raise DatabaseError(
                    f"{url.database}: the project's lock is lost", hint=failures.AGAIN
                )

        yield still


def _refuse_pooled(url: sa.URL, session: Connection) -> None:
    """Refuse a pooler that gives each transaction whichever of the server's sessions is free.

    Every pooler tells its clients numbers of its own. One in session mode passes: there nobody
    else is given the server's session that we have.

    Raises
    ------
    DatabaseError
    """
    own = _number(session)
    if session.info.backend_pid == own:
        return
    for _ in range(_TRIES):
        with connect.maintenance(url, "looking") as other, connect.transaction(other):
            if _number(other) == own or _number(session) != own:
                raise DatabaseError(
                    f"{url.database}: a pooler that shares sessions is between us and the server; "
                    "no lock holds in it, nor what a session is set to",
                    hint="name the server itself in the url",
                )


def _number(session: Connection) -> int:
    """Return the number of the server's session that a statement is given to."""
    row = session.execute("SELECT pg_backend_pid()").fetchone()
    return 0 if row is None else int(row[0])


def _taken(session: Connection, project: str, names: dict[str, object]) -> Locked:
    row = session.execute(_HOLDER.format(**names)).fetchone()
    who = f"{row[0]}, as {row[1]}, since {row[2]:%Y-%m-%d %H:%M:%S} UTC" if row else "another run"
    return Locked(
        f"another run holds {project} on this server: {who}",
        hint="wait for it, or look at it with: migrate status",
    )
