"""The stamp: a view of constants, which Alembic's autogenerate never sees. All may read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.backends.postgresql import connect, sql
from migrators.backends.stamping import ALEMBIC, ALEMBIC_TABLE, HEADS, READ, constants, stamp_of
from migrators.errors import DatabaseError
from migrators.failpoints import act
from migrators.guard import STAMP

if TYPE_CHECKING:
    import sqlalchemy as sa

    from migrators.backends.interface import Stamp
    from migrators.backends.postgresql.connect import Connection


def _kind(connection: Connection, name: str) -> str | None:
    """Return what has this name in `public`: r for a table, v for a view."""
    row = connection.execute(
        "SELECT relkind FROM pg_class WHERE relname = %s AND relnamespace = 'public'::regnamespace",
        (name,),
    ).fetchone()
    return None if row is None else str(row[0])


def read(url: sa.URL) -> Stamp | None:
    """Return the stamp of a database; None where there is none.

    Raises
    ------
    DatabaseError
    """
    with connect.opened(url, "reading the stamp") as connection:
        if _kind(connection, STAMP) != "v":
            return None
        row = connection.execute(READ).fetchone()
    return None if row is None else stamp_of(row)


def alembic_heads(url: sa.URL) -> tuple[str, ...]:
    """Return the revisions that Alembic's table names; empty where there is none."""
    with connect.opened(url, "reading") as connection:
        if _kind(connection, ALEMBIC_TABLE) is None:
            return ()
        rows = connection.execute(HEADS).fetchall()
    return tuple(str(head) for (head,) in rows)


def write(url: sa.URL, stamp: Stamp) -> None:
    """Write or replace the stamp, and Alembic's row where a head is given, in one transaction.

    Raises
    ------
    DatabaseError
        Also where the name is taken by a table.
    """
    with connect.opened(url, "stamping") as connection:
        if _kind(connection, STAMP) not in (None, "v"):
            raise DatabaseError(f"{url.database}: {STAMP} is a table", hint=f"rename {STAMP}")
        with act("stamp written"), connect.transaction(connection):
            _replace(connection, stamp)


def _replace(connection: Connection, stamp: Stamp) -> None:
    connection.execute(f"DROP VIEW IF EXISTS {STAMP}")
    selected = constants(stamp, lambda value: f"{sql.text(value)}::text")
    connection.execute(f"CREATE VIEW {STAMP} AS SELECT {selected}")
    connection.execute(f"GRANT SELECT ON {STAMP} TO PUBLIC")
    if stamp.alembic_head:
        connection.execute(ALEMBIC)
        connection.execute(f"DELETE FROM {ALEMBIC_TABLE}")
        connection.execute(f"INSERT INTO {ALEMBIC_TABLE} VALUES (%s)", (stamp.alembic_head,))


def text(connection: Connection) -> tuple[object, ...]:
    """Return the stamp's view and Alembic's revisions as they stand, for a digest."""
    view = connection.execute(
        "SELECT pg_get_viewdef(oid) FROM pg_class WHERE relname = %s "
        "AND relnamespace = 'public'::regnamespace AND relkind = 'v'",
        (STAMP,),
    ).fetchone()
    return (view,)
