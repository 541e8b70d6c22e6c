"""One moment of a database, in as many sessions as are wanted: rows as declared, or refused.

The first session's transaction exports its snapshot, and the others import it (manual,
9.27.5), so that all see the same rows.
"""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa
from psycopg import pq

from migrators.backends.interface import Snapshot
from migrators.backends.postgresql import (
    connect,
    failures,
    large_objects,
    pieces,
    positions,
    quick,
    sql,
)
from migrators.backends.postgresql.reading import Reading
from migrators.errors import DatabaseError
from migrators.stream import abandoned, cancellable

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    import sqlalchemy as sa

    from migrators.backends.interface import ReadQuery
    from migrators.backends.postgresql.adbc import Database, Session
    from migrators.backends.postgresql.connect import Connection

_ROWS, _BYTES = 65_536, 32 * 1024 * 1024
"""Of a batch, at most; but for a row that is larger by itself."""
BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


@contextmanager
def opened(url: sa.URL, road: Database, readers: int = 1) -> Iterator[PostgreSQLSnapshot]:
    """Open a snapshot that `readers` threads may read at once.

    Parameters
    ----------
    road : Database
        The quick road's, at `url`.

    Raises
    ------
    DatabaseError
    """
    with ExitStack() as stack:
        first = stack.enter_context(_begun(url))
        exported = first.execute("SELECT pg_export_snapshot()").fetchone() if readers > 1 else None
        beside = [
            PostgreSQLSnapshot(stack.enter_context(_begun(url, exported[0])), url, road, stack)
            for _ in range(readers - 1)
            if exported is not None
        ]
        yield PostgreSQLSnapshot(first, url, road, stack, beside)


@contextmanager
def _begun(url: sa.URL, snapshot: str = "") -> Iterator[Connection]:
    """Give a connection in a read transaction; it is closed, whatever it was doing."""
    with failures.told(url, "reading"):
        connection = connect.connected(url)
        try:
            connection.execute(BEGIN)
            if snapshot:
                connection.execute(f"SET TRANSACTION SNAPSHOT {sql.text(snapshot)}")
            yield connection
        finally:
            connection.close()


class PostgreSQLSnapshot(Snapshot):
    """A read transaction; what it reads is as of its first query."""

    def __init__(
        self,
        connection: Connection,
        url: sa.URL,
        road: Database,
        roads: ExitStack,
        beside: Sequence[PostgreSQLSnapshot] = (),
    ) -> None:
        self._connection = connection
        self._url = url
        self._road = road
        self._roads = roads
        self._beside = beside

    @property
    def readers(self) -> tuple[PostgreSQLSnapshot, ...]:
        """Return this one, and those that share its moment."""
        return (self, *self._beside)

    def pieces(self, query: ReadQuery) -> tuple[ReadQuery, ...]:
        """Return ranges of the table's key, or of where its rows lie; see the interface."""
        with failures.told(self._url, "reading"), self._goes_on():
            return pieces.pieces(self._connection, query)

    def batches(self, query: ReadQuery) -> Iterator[pa.RecordBatch]:
        """Stream rows; see the interface."""
        with failures.told(self._url, "reading"):
            large_objects.refuse(self._connection, query)
        if not (
            quick.reads(query) and (yield from self._quick(quick.QuickReading(query, self._enums)))
        ):
            yield from self._parsed(Reading(query))

    @cached_property
    def _enums(self) -> frozenset[str]:
        with failures.told(self._url, "reading"):
            return quick.enums(self._connection)

    def _quick(self, reading: quick.QuickReading) -> Generator[pa.RecordBatch, None, bool]:
        """Yield all by the quick road and return True; False where it takes the first not."""
        begun = False
        try:
            with (
                self._goes_on_quickly(),
                cancellable(self._adbc.cancel),
                self._adbc.batches(reading.sql) as given,
            ):
                if not reading.takes(given.schema):
                    return False
                for batch in given:
                    for made in reading.batches(batch):
                        begun = True
                        yield made
        except (quick.Odd, psycopg.Error, pa.ArrowException, OSError) as error:
            if not begun and not abandoned():
                return False
            for _ in () if abandoned() else self._parsed(Reading(reading.query)):
                pass  # says by name what is odd
            raise DatabaseError(
                f"{self._url.database}: what the server sent cannot be read"
            ) from error
        return True

    @contextmanager
    def _goes_on_quickly(self) -> Iterator[None]:
        """Keep the quick road's transaction usable, as `_goes_on` does the other's."""
        self._adbc.run("SAVEPOINT stream")
        try:
            yield
        except BaseException:
            with suppress(psycopg.Error):  # the connection is lost: said by what was raised
                self._adbc.run("ROLLBACK TO SAVEPOINT stream")
            raise
        self._adbc.run("RELEASE SAVEPOINT stream")

    @cached_property
    def _adbc(self) -> Session:
        """A connection of the quick road, in this moment."""
        row = self._connection.execute("SELECT pg_export_snapshot()").fetchone()
        made = self._road.session()
        self._roads.enter_context(closing(made))
        made.run(BEGIN, f"SET TRANSACTION SNAPSHOT {sql.text(row[0] if row else '')}")
        return made

    def _parsed(self, reading: Reading) -> Iterator[pa.RecordBatch]:
        blocks = self._blocks(reading.sql)
        try:
            with failures.told(self._url, "reading"):
                for block in blocks:
                    try:
                        batch = reading.batch(block)
                    except (pa.ArrowInvalid, ValueError) as error:
                        raise reading.refused(block, blocks) or DatabaseError(
                            f"{self._url.database}: what the server wrote cannot be read: {error}"
                        ) from error
                    yield batch
        finally:
            blocks.close()

    def _blocks(self, copy: str) -> Any:
        """Yield blocks of whole rows; their number is what the server says."""
        lines = 0
        with (
            self._goes_on(),
            cancellable(self._connection.cancel),
            self._connection.cursor() as cursor,
            cursor.copy(copy) as rows,
        ):
            block, held, size = [], 0, 0
            for row in rows:
                block.append(row)
                held, size = held + 1, size + len(row)
                if held >= _ROWS or size >= _BYTES:
                    yield b"".join(block)
                    lines += held
                    block, held, size = [], 0, 0
            sent = cursor.rowcount
            lines += held
            if block:
                yield b"".join(block)
        if lines != sent:
            raise DatabaseError(f"{lines} rows came, {sent} were sent")

    @contextmanager
    def _goes_on(self) -> Iterator[None]:
        """Keep the transaction usable, and its moment, when a query fails or is left halfway."""
        self._connection.execute("SAVEPOINT stream")
        try:
            yield
        except BaseException:
            if self._connection.pgconn.status == pq.ConnStatus.OK:
                self._connection.execute("ROLLBACK TO SAVEPOINT stream")
            raise
        self._connection.execute("RELEASE SAVEPOINT stream")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return all rows of a small query; what is no number, truth or bytes as text."""
        with (
            failures.told(self._url, "reading"),
            self._goes_on(),
            self._connection.cursor() as cursor,
        ):
            return exact_rows(cursor.execute(sql))

    def sequences(self) -> dict[str, int]:
        """Return the highest number that each table's sequence has given."""
        with failures.told(self._url, "reading"):
            return positions.given(self._connection)


def exact_rows(cursor: psycopg.Cursor[Any]) -> list[tuple[Any, ...]]:
    """Return a result's rows from the server's own text."""
    found = cursor.pgresult
    if found is None:
        return []
    types = [found.ftype(i) for i in range(found.nfields)]
    return [
        tuple(_value(found.get_value(row, i), oid) for i, oid in enumerate(types))
        for row in range(found.ntuples)
    ]


_INTEGERS = frozenset((20, 21, 23, 26))
_FLOATS = frozenset((700, 701))
_BOOLEAN, _BYTEA, _NUMERIC = 16, 17, 1700
"""Numbers of built-in types, the same on every server (pg_type.dat)."""


def _value(cell: bytes | None, oid: int) -> Any:
    if cell is None:
        return None
    if oid == _BYTEA:
        return bytes.fromhex(cell[2:].decode())
    said = cell.decode("utf-8", "backslashreplace")
    if oid in _INTEGERS or (oid == _NUMERIC and said.lstrip("-").isdecimal()):
        return int(said)
    if oid in _FLOATS:
        return float(said)
    return int(said == "t") if oid == _BOOLEAN else said
