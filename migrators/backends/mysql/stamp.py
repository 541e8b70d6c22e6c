"""The stamp: a view of constants, which Alembic's autogenerate never sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.backends.mysql import connect, sql
from migrators.backends.stamping import ALEMBIC, ALEMBIC_TABLE, HEADS, READ, constants, stamp_of
from migrators.errors import DatabaseError
from migrators.failpoints import act
from migrators.guard import STAMP

if TYPE_CHECKING:
    import sqlalchemy as sa

    from migrators.backends.interface import Stamp


def read(url: sa.URL) -> Stamp | None:
    """Return the stamp of a database; None where there is none.

    Raises
    ------
    DatabaseError
    """
    with connect.opened(url, "reading the stamp") as connection:
        if connect.kind_of(connection, str(url.database), STAMP) is None:
            return None
        (row,) = connect.rows(connection, READ)
    return stamp_of(row)


def alembic_heads(url: sa.URL) -> tuple[str, ...]:
    """Return the revisions that Alembic's table names; empty where there is none.

    Raises
    ------
    DatabaseError
    """
    with connect.opened(url, "reading") as connection:
        if connect.kind_of(connection, str(url.database), ALEMBIC_TABLE) is None:
            return ()
        found = connect.rows(connection, HEADS)
    return tuple(str(head) for (head,) in found)


def write(url: sa.URL, stamp: Stamp) -> None:
    """Write or replace the stamp, and Alembic's row where a head is given; the stamp last.

    Raises
    ------
    DatabaseError
        Also where the name is taken by a table.
    """
    with connect.opened(url, "stamping") as connection:
        if connect.kind_of(connection, str(url.database), STAMP) not in (None, "VIEW"):
            raise DatabaseError(f"{url.database}: {STAMP} is a table", hint=f"rename {STAMP}")
        if stamp.alembic_head:
            connect.run(connection, ALEMBIC)
            connect.run(connection, "START TRANSACTION")
            connect.run(connection, f"DELETE FROM {ALEMBIC_TABLE}")
            head = sql.text(stamp.alembic_head)
            connect.run(connection, f"INSERT INTO {ALEMBIC_TABLE} VALUES ({head})")
            connect.run(connection, "COMMIT")
        with act("stamp written"):
            connect.run(connection, statement(stamp))


def statement(stamp: Stamp) -> str:
    """Return what makes the view."""
    selected = constants(stamp, sql.text)
    return f"CREATE OR REPLACE SQL SECURITY INVOKER VIEW {STAMP} AS SELECT {selected}"
