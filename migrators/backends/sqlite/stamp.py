"""The stamp: a view of constants, which Alembic's autogenerate never sees.

A table would be proposed for removal by every `alembic revision --autogenerate`; a view is
no part of what it compares, and any client can select from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.backends.sqlite import connect, failures, source, sql
from migrators.backends.stamping import ALEMBIC, ALEMBIC_TABLE, HEADS, READ, constants, stamp_of
from migrators.errors import DatabaseError
from migrators.failpoints import act
from migrators.guard import STAMP

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from migrators.backends.interface import Stamp


def read(path: Path, busy_ms: int) -> Stamp | None:
    """Return the stamp of a database; None where there is none.

    Raises
    ------
    DatabaseError, Locked
    """
    with source.readable(path, busy_ms) as connection:
        if _kind(connection) is None:
            return None
        row = connection.execute(READ).fetchone()
    return stamp_of(row)


def alembic_heads(path: Path, busy_ms: int) -> tuple[str, ...]:
    """Return the revisions that Alembic's table names; empty where there is none.

    Raises
    ------
    DatabaseError, Locked
    """
    with source.readable(path, busy_ms) as connection:
        if _kind(connection, ALEMBIC_TABLE) is None:
            return ()
        rows = connection.execute(HEADS).fetchall()
    return tuple(str(head) for (head,) in rows)


def _kind(connection: sqlite3.Connection, name: str = STAMP) -> str | None:
    row = connection.execute(
        "SELECT type FROM sqlite_master WHERE name = ? COLLATE NOCASE", (name,)
    ).fetchone()
    return None if row is None else str(row[0])


def write(path: Path, stamp: Stamp, busy_ms: int) -> None:
    """Write or replace the stamp, and Alembic's row where a head is given, in one transaction.

    Raises
    ------
    DatabaseError
        Also where the name is taken by a table.
    Locked
    """
    source.require(path)
    with failures.told(path, "stamping"), connect.plain(path, "rw", busy_ms) as connection:
        if _kind(connection) not in (None, "view"):
            raise DatabaseError(f"{path}: {STAMP} is a table", hint=f"rename {STAMP}")
        connection.execute("BEGIN IMMEDIATE")
        try:
            _replace(connection, stamp)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        with act("stamp written"):
            connection.execute("COMMIT")


def _replace(connection: sqlite3.Connection, stamp: Stamp) -> None:
    connection.execute(f"DROP VIEW IF EXISTS {STAMP}")
    connection.execute(f"CREATE VIEW {STAMP} AS SELECT {constants(stamp, sql.text)}")
    if stamp.alembic_head:
        connection.execute(ALEMBIC)
        connection.execute(f"DELETE FROM {ALEMBIC_TABLE}")
        connection.execute(f"INSERT INTO {ALEMBIC_TABLE} VALUES (?)", (stamp.alembic_head,))
