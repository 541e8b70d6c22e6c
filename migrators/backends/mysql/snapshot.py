"""One consistent snapshot of a database: rows as declared, or refused by name.

`START TRANSACTION WITH CONSISTENT SNAPSHOT` holds for tables of InnoDB; what is written to
others meanwhile is noticed by the digest.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pymysql

from migrators.backends.interface import Snapshot
from migrators.backends.mysql import connect, failures, lone_sequences, pieces, sql
from migrators.backends.mysql.cells import HELD, codec_of, read_sql
from migrators.backends.mysql.columns import columns
from migrators.backends.refusals import Tally, key_names, key_text, shown
from migrators.errors import DatabaseError, NotHeld
from migrators.stream import cancellable
from migrators.types import Kind, odd

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import sqlalchemy as sa

    from migrators.backends.interface import ReadColumn, ReadQuery
    from migrators.backends.mysql.wire import Connection, Reader
    from migrators.errors import ValueRefused

_BEGIN = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
_PATIENCE = 5
"""Seconds to wait for a moment in which nobody writes."""
_NUMBERS = (Kind.INTEGER, Kind.BOOLEAN, Kind.FLOAT, Kind.DECIMAL)
_MOMENTS = (Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.INSTANT, Kind.INTERVAL)
_OWN_ORDER = frozenset({*_NUMBERS, *_MOMENTS, Kind.BINARY})
"""Kinds that the server orders as Arrow does; any other is ordered by its text's bytes."""


@contextmanager
def opened(url: sa.URL, readers: int = 1) -> Iterator[MySQLSnapshot]:
    """Open a snapshot of a database.

    Parameters
    ----------
    readers : int
        Connections that are to see the very same moment: they begin under one short lock.
        Without the right to take it (RELOAD), or where somebody holds it up, there is one.

    Raises
    ------
    DatabaseError
    """
    with ExitStack() as stack:
        first = stack.enter_context(connect.opened(url, "reading"))
        others = [stack.enter_context(connect.opened(url, "reading")) for _ in range(readers - 1)]
        if others and not _begun_together(url, [first, *others]):
            others = []
        if not others:
            connect.run(first, _BEGIN)
        yield MySQLSnapshot(first, url, tuple(MySQLSnapshot(each, url) for each in others))


def _begun_together(url: sa.URL, connections: Sequence[Connection]) -> bool:
    """Begin transactions while nobody can commit; whether that was allowed."""
    with connect.opened(url, "reading") as guard:
        connect.run(guard, f"SET SESSION lock_wait_timeout = {_PATIENCE}")
        try:
            connect.run(guard, "FLUSH TABLES WITH READ LOCK")
        except pymysql.err.MySQLError:
            return False
        for connection in connections:
            connect.run(connection, _BEGIN)
        connect.run(guard, "UNLOCK TABLES")
    return True


class MySQLSnapshot(Snapshot):
    """A read-only transaction on one connection: one result at a time."""

    def __init__(
        self, connection: Connection, url: sa.URL, others: tuple[MySQLSnapshot, ...] = ()
    ) -> None:
        self._connection = connection
        self._url = url
        self._others = others

    @property
    def readers(self) -> tuple[Snapshot, ...]:
        """Return this one, and those that began with it."""
        return (self, *self._others)

    def pieces(self, query: ReadQuery) -> tuple[ReadQuery, ...]:
        """Return ranges of the table's key; see the interface."""
        with failures.told(self._url, "reading"):
            return pieces.pieces(self._connection, query)

    def batches(self, query: ReadQuery) -> Iterator[pa.RecordBatch]:
        """Stream rows; see the interface."""
        schema = query.schema
        stop = partial(connect.stop, self._url, self._connection)
        with self._told(query), cancellable(stop):
            reader = self._connection.stream(sent(query))
            try:
                for texts in _texts(reader):
                    decoded = _decoded(query, reader, texts)
                    if any(bad is not None for _, bad in decoded):
                        raise self._counted(query, reader, texts, decoded)
                    yield pa.RecordBatch.from_arrays([v for v, _ in decoded], schema=schema)
            finally:
                if self._connection.open and not reader.ended:  # left halfway: it may be long yet
                    stop()
                    with suppress(pymysql.err.MySQLError):
                        reader.drain()

    @contextmanager
    def _told(self, query: ReadQuery) -> Iterator[None]:
        table = next((c.table for c in query.columns if c.table), "")
        try:
            with failures.told(self._url, f"reading {table}".strip()):
                yield
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            raise DatabaseError(
                f"{self._url.database}: {table} cannot be read: {error}",
                hint="please report this, with the table's definition",
            ) from error

    def _counted(
        self,
        query: ReadQuery,
        reader: Reader,
        texts: Sequence[pa.Array],
        decoded: Sequence[tuple[pa.Array, pa.Array | None]],
    ) -> ValueRefused:
        """Count the refused cells of the first column that has any, to the end of the table."""
        at = next(i for i, (_, bad) in enumerate(decoded) if bad is not None)
        column = query.columns[at]
        tally = Tally(
            column.table,
            column.source or column.name,
            f"is not what {column.type} holds exactly",
        )
        holds = column.type.kind in HELD
        while True:
            bad = decoded[at][1]
            if bad is not None:
                tally.add(bad, _namer(query, texts, at))
                holds = holds and _is_held(column, texts[at].filter(bad))
            found = next(_texts(reader), None)
            if found is None:
                return NotHeld.of(tally.error(), column.name) if holds else tally.error()
            texts, decoded = found, _decoded(query, reader, found)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return all rows of a small query."""
        with failures.told(self._url, "reading"):
            if self._connection.reading is not None and not self._connection.reading.ended:
                raise RuntimeError("a result of this snapshot is not read to its end")
            return connect.rows(self._connection, sql)

    def sequences(self) -> dict[str, int]:
        """Return the key last given, of tables with AUTO_INCREMENT, and of sequences."""
        database = str(self._url.database)
        sequences = lone_sequences.given(self._connection, database)
        return counters(self._connection, database) | sequences


def counters(connection: Connection, database: str) -> dict[str, int]:
    """Return the key last given by table; information_schema tells the next one."""
    found = connect.rows(
        connection,
        "SELECT table_name, auto_increment FROM information_schema.tables "
        "WHERE table_schema = %s AND auto_increment IS NOT NULL "
        "AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')",
        (database,),
    )
    return {str(table): int(following) - 1 for table, following in found if int(following) > 1}


def sent(query: ReadQuery) -> str:
    """Return what is sent: cells as the codecs want them, rows in the order asked for."""
    outer = [_cell(column) for column in query.columns]
    bare = all(read_sql(c.type, "") == "" for c in query.columns)
    if bare and not query.order_by:
        return query.sql
    order = f" ORDER BY {', '.join(_order(query))}" if query.order_by else ""
    return f"SELECT {', '.join(outer)} FROM ({query.sql}) AS q{order}"


def _cell(column: ReadColumn) -> str:
    own = f"q.{sql.name(column.name)}"
    rendered = read_sql(column.type, own)
    return own if rendered == own else f"{rendered} AS {sql.name(column.name)}"


def _order(query: ReadQuery) -> Iterator[str]:
    kinds = {c.name: c.type.kind for c in query.columns}
    for label in query.order_by:
        own = f"q.{sql.name(label)}"
        yield own if kinds[label] in _OWN_ORDER else sql.by_bytes(own)


def _texts(reader: Reader) -> Iterator[list[pa.BinaryArray]]:
    for block in reader.blocks():
        yield list(columns(block, len(reader.fields)))


def _decoded(
    query: ReadQuery, reader: Reader, texts: Sequence[pa.BinaryArray]
) -> list[tuple[pa.Array, pa.Array | None]]:
    if len(texts) != len(query.columns):
        raise pa.ArrowInvalid(f"{len(texts)} columns came, {len(query.columns)} are declared")
    return [
        codec_of(column.type).read(cells, column.type, field.type_code)
        for column, cells, field in zip(query.columns, texts, reader.fields, strict=True)
    ]


def _is_held(column: ReadColumn, cells: pa.BinaryArray) -> bool:
    """Whether a column held as text takes cells that Arrow's type does not hold."""
    texts = odd.normal(cells.cast(pa.string()), column.type)
    return not pc.any(odd.odd_form(texts, column.type), min_count=0).as_py()


def _namer(query: ReadQuery, texts: Sequence[pa.BinaryArray], at: int) -> Any:
    """Return a function that names row i of a batch: its key, and its cell as the server has it."""
    labels = [c.name for c in query.columns]
    places = [labels.index(label) for label in query.key if label in labels]

    def sample(row: int) -> tuple[str, str]:
        values = [texts[place][row].as_py() for place in places]
        return key_text(key_names(query), values), shown(texts[at][row].as_py())

    return sample
