"""The stamp: a view of constants, which Alembic's autogenerate never sees. All may read it."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from migrators.backends.interface import Stamp
from migrators.backends.postgresql import connect, sql
from migrators.errors import DatabaseError
from migrators.guard import STAMP

if TYPE_CHECKING:
    import sqlalchemy as sa

    from migrators.backends.postgresql.connect import Connection

ALEMBIC_TABLE = "alembic_version"
_COLUMNS = tuple(field.name for field in fields(Stamp))
_ALEMBIC = (
    f"CREATE TABLE IF NOT EXISTS {ALEMBIC_TABLE} (version_num VARCHAR(32) NOT NULL, "
    f"CONSTRAINT {ALEMBIC_TABLE}_pkc PRIMARY KEY (version_num))"
)
"""As Alembic itself creates it."""


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
        row = connection.execute(f"SELECT {', '.join(_COLUMNS)} FROM {STAMP}").fetchone()
    if row is None:
        return None
    version, *texts = row
    return Stamp(int(version), *(str(t) for t in texts))


def alembic_heads(url: sa.URL) -> tuple[str, ...]:
    """Return the revisions that Alembic's table names; empty where there is none."""
    with connect.opened(url, "reading") as connection:
        if _kind(connection, ALEMBIC_TABLE) is None:
            return ()
        rows = connection.execute(f"SELECT version_num FROM {ALEMBIC_TABLE} ORDER BY 1").fetchall()
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
        with connect.transaction(connection):
            _replace(connection, stamp)


def _replace(connection: Connection, stamp: Stamp) -> None:
    values = [getattr(stamp, column) for column in _COLUMNS]
    shown = (str(v) if isinstance(v, int) else f"{sql.text(v)}::text" for v in values)
    constants = ", ".join(f"{v} AS {c}" for v, c in zip(shown, _COLUMNS, strict=True))
    connection.execute(f"DROP VIEW IF EXISTS {STAMP}")
    connection.execute(f"CREATE VIEW {STAMP} AS SELECT {constants}")
    connection.execute(f"GRANT SELECT ON {STAMP} TO PUBLIC")
    if stamp.alembic_head:
        connection.execute(_ALEMBIC)
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
