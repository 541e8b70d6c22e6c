"""Writing tables into a staging database in bulk, one after the other.

They have no keys, no constraints and no indexes until the data is there (`finish`). Each is
filled in one transaction, in COPY's binary form where that is proven, else as CSV.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from migrators.backends import ledger
from migrators.backends.model import require_columns
from migrators.backends.postgresql import binary, connect, failures, feed, sql, staging
from migrators.errors import DatabaseError
from migrators.failpoints import act
from migrators.stream import ahead, cancellable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa
    import sqlalchemy as sa

    from migrators.backends.postgresql.connect import Connection
    from migrators.backends.postgresql.feed import Feed, Taken
    from migrators.schema import Column


@contextmanager
def opened(url: sa.URL, *, ledgered: bool = False) -> Iterator[Writer]:
    """Give a writer, whose session stays open from table to table.

    Parameters
    ----------
    ledgered : bool
        Whether each table that is loaded is said in the ledger.
    """
    with connect.opened(url, "writing") as connection:
        connection.execute(staging.BULK)
        yield Writer(url, connection, ledgered=ledgered)


class Writer:
    """Fills tables, in one thread at a time; of no use after an error."""

    def __init__(self, url: sa.URL, connection: Connection, *, ledgered: bool) -> None:
        self._url = url
        self._connection = connection
        self._ledgered = ledgered

    def write(
        self,
        table: str,
        columns: Sequence[Column],
        batches: Iterator[pa.RecordBatch],
        key: Sequence[str] = (),
    ) -> int:
        """Append batches to a table in one transaction; return how many rows were taken.

        Parameters
        ----------
        key : sequence of str
            Columns that name a row in messages; the first one unless given.

        Raises
        ------
        ValueRefused
            For a value that the column cannot hold exactly.
        DatabaseError
        """
        require_columns(table, columns)
        with (
            failures.told(self._url, f"writing {table}"),
            cancellable(self._connection.cancel),
        ):
            taken = feed.declared(self._connection, table)
            form = binary.form(columns, taken) or feed.text(columns)
            feeding = feed.Feed(taken, columns, batches, form, key or [columns[0].name])
            try:
                return self._copied(taken, columns, feeding)
            except psycopg.Error as error:
                raise failures.constraint(error, table) or error from error

    def _copied(self, taken: Taken, columns: Sequence[Column], feeding: Feed) -> int:
        """Empty the table in the same transaction, so that its rows are frozen as they come."""
        names = ", ".join(sql.name(c.name) for c in columns)
        alone = f"ONLY {taken.quoted}" if taken.plain else taken.quoted  # not what inherits from it
        with (
            act("table loaded"),
            connect.transaction(self._connection),
            self._connection.cursor() as cursor,
        ):
            row = cursor.execute(f"SELECT NOT EXISTS (SELECT FROM {alone})").fetchone()
            empty = row is not None and bool(row[0])
            if empty:
                cursor.execute(f"TRUNCATE {alone}")
            freeze = ", FREEZE" if empty and taken.plain else ""
            copy = f"COPY {taken.quoted} ({names}) FROM STDIN (FORMAT {feeding.form.name}{freeze})"
            with ahead(feeding.blocks()) as blocks, cursor.copy(copy) as sink:
                for block in blocks:
                    sink.write(block)
            found = cursor.rowcount
            _require_all(taken, found, feeding)
            for entry in self._entry(taken, found):
                cursor.execute(entry)
            return found

    def _entry(self, taken: Taken, rows: int) -> list[str]:
        """Return what the ledger is told in the transaction of a table's rows."""
        return [ledger.of_table(taken.table, rows, sql.text)] if self._ledgered else []


def _require_all(taken: Taken, found: int, feeding: Feed) -> None:
    if found != feeding.rows:
        raise DatabaseError(f"{taken.table}: {feeding.rows} rows were sent and {found} taken")
