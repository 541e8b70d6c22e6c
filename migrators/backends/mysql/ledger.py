"""The ledger of a load: see `backends.ledger`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pymysql

from migrators.backends import ledger
from migrators.backends.mysql import connect, sql
from migrators.failpoints import act

if TYPE_CHECKING:
    from collections.abc import Iterable

    import sqlalchemy as sa

    from migrators.backends.mysql.wire import Connection


@act("load begun")
def begin(url: sa.URL, basis: str) -> None:
    """Make the ledger of a load that begins; tables `A` and `a` are two parts of it."""
    with connect.opened(url, "creating", connect.DEFINITIONS) as connection:
        collation = f"CHARACTER SET utf8mb4 COLLATE {sql.BYTEWISE}"
        connect.run(connection, f"{ledger.CREATE} ENGINE = InnoDB {collation}")
        connect.run(connection, ledger.of_basis(basis, sql.text))


def loaded(url: sa.URL, basis: str) -> dict[str, int] | None:
    """Return what a load of this basis has finished; None where nothing can go on.

    Sessions of a run that was killed are ended first: they may still commit.
    """
    with connect.opened(url, "looking", database=False) as connection:
        if connect.kind_of(connection, str(url.database), ledger.LEDGER) is None:
            return None
        _end_others(connection, str(url.database))
        place = f"{sql.name(str(url.database))}.{ledger.LEDGER}"
        return ledger.loaded(
            connect.rows(connection, ledger.READ.replace(ledger.LEDGER, place)), basis
        )


def _end_others(connection: Connection, database: str) -> None:
    """End the sessions in a staging database, which is nobody's but ours."""
    query = "SELECT id FROM information_schema.processlist WHERE db = %s AND id <> CONNECTION_ID()"
    for (number,) in connect.rows(connection, query, (database,)):
        with suppress(pymysql.err.MySQLError):  # it has gone meanwhile
            connect.run(connection, f"KILL {int(number)}")


@act("tables emptied")
def empty(url: sa.URL, tables: Iterable[str]) -> None:
    """Empty tables that are to be loaded again: not every engine takes back what was begun."""
    with connect.opened(url, "emptying", connect.DEFINITIONS) as connection:
        connect.run(connection, "SET SESSION foreign_key_checks = 0")
        for table in tables:
            connect.run(connection, f"TRUNCATE TABLE {sql.name(table)}")
