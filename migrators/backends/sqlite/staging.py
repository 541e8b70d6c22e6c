"""Creating a staging file and writing tables into it in bulk.

The file is nobody else's and is thrown away after a crash, so there is no journal and no
fsync until the end (`finish`). Primary keys are inline, and rows come in their order; all
other indexes come after the data.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pyarrow as pa

from migrators.backends.model import require_columns
from migrators.backends.sqlite import (
    adbc,
    connect,
    failures,
    naming,
    refusals,
    source,
    sql,
    uniques,
)
from migrators.backends.sqlite.cells import codec_of
from migrators.backends.sqlite.cells.model import Affinity, affinity
from migrators.errors import DatabaseError, TargetExists, ValueRefused
from migrators.failpoints import act
from migrators.project import private_directory
from migrators.stream import ahead

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import sqlalchemy as sa

    from migrators.backends.sqlite.cells.model import Cells
    from migrators.schema import Column, SchemaVersion

_BULK = (
    "journal_mode = OFF",
    "synchronous = OFF",
    "locking_mode = EXCLUSIVE",
    "foreign_keys = OFF",
)
_CACHE_KIB = 8_192
"""Of a connection that writes rows in the order of their key, which only ever appends."""


def create(path: Path, schema: SchemaVersion, dialect: sa.Dialect, busy_ms: int) -> None:
    """Create the file (0600) with `before` SQL and the tables, with primary keys only.

    Raises
    ------
    TargetExists
        If there is a file of that name.
    DatabaseError
        Among others for names that SQLite cannot hold.
    """
    if wrong := list(naming.refused(schema.metadata)):
        raise DatabaseError("\n".join(wrong), hint=f"mend {schema.path.name}")
    with failures.told(path, "creating"):
        private_directory(path.parent)
        try:
            with act("staging made"):
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            raise TargetExists(f"{path}: exists already", hint="migrate discard") from None
        with connect.plain(path, "rw", busy_ms) as connection:
            bulk(connection)
            for script in schema.scripts("before", dialect.name):
                run_script(connection, path, script, "before the tables")
            connection.execute("BEGIN")
            connection.execute("PRAGMA user_version = 0")  # writes the first page, tables or not
            statements = uniques.statements(schema.metadata, dialect)
            for table, statement in zip(schema.metadata.tables, statements, strict=True):
                _create_table(connection, path, table, statement)
            with act("staging tables made"):
                connection.execute("COMMIT")
            for script in schema.scripts("between", dialect.name):
                run_script(connection, path, script, "between the tables and the data")


def _create_table(connection: sqlite3.Connection, path: Path, table: str, statement: str) -> None:
    try:
        connection.execute(statement)
    except connection.OperationalError as error:
        raise DatabaseError(f"{path}: cannot create {table}: {error}") from error


def bulk(connection: sqlite3.Connection) -> None:
    """Set a connection for work on a staging file, which may be lost in a crash."""
    for pragma in _BULK:
        connection.execute(f"PRAGMA {pragma}")


def run_script(connection: sqlite3.Connection, path: Path, script: str, when: str) -> None:
    """Run the statements of a schema's own SQL.

    Raises
    ------
    DatabaseError
        Naming the statement.
    """
    for statement in sql.statements(script):
        try:
            connection.execute(statement)
        except connection.Error as error:
            begins = " ".join(statement.split())[:80]
            raise DatabaseError(
                f"{path}: the SQL that comes {when} fails: {error}: {begins}",
                hint="mend the .sql file that stands beside the schema module",
            ) from error


def write(
    path: Path, table: str, columns: Sequence[Column], batches: Iterator[pa.RecordBatch]
) -> int:
    """Append batches to a table in one transaction; return how many rows were taken.

    Raises
    ------
    ValueRefused
        For a value that SQLite cannot hold exactly, or a broken constraint.
    DatabaseError
    """
    require_columns(table, columns)
    source.require(path)
    with failures.told(path, f"writing {table}"):
        connection = adbc.Adbc(path, "rw")
        try:
            return _write(connection, table, columns, batches)
        finally:
            connection.close()


def _write(
    connection: adbc.Adbc,
    table: str,
    columns: Sequence[Column],
    batches: Iterator[pa.RecordBatch],
) -> int:
    for pragma in (*_BULK, f"cache_size = -{_CACHE_KIB}"):
        connection.run(f"PRAGMA {pragma}")
    feed = _Feed(table, columns, _declared(connection, table), batches)
    names = ", ".join(sql.name(c.name) for c in columns)
    marks = ", ".join("?" * len(columns))
    connection.run("BEGIN")
    try:
        with connection.cursor() as cursor, ahead(feed.encoded()) as encoded:
            cursor.run_many(
                f"INSERT INTO {sql.name(table)} ({names}) VALUES ({marks})", feed.reader(encoded)
            )
    except Exception as error:
        if feed.failed is not None:
            raise feed.failed from None
        raise failures.constraint(error, table) or error from error
    taken = int(connection.table("SELECT total_changes() AS n")["n"][0].as_py())
    with act("table loaded"):
        connection.run("COMMIT")
    if taken != feed.rows:
        raise DatabaseError(f"{table}: {feed.rows} rows were sent and {taken} taken")
    return taken


def _declared(connection: adbc.Adbc, table: str) -> _Declared:
    found = connection.table(f"SELECT name, type, pk FROM pragma_table_xinfo({sql.text(table)})")
    rows = found.to_pylist()
    if not rows:
        raise DatabaseError(f"{table}: there is no such table in the staging database")
    key = sorted((row["pk"], row["name"]) for row in rows if row["pk"])
    return {row["name"]: affinity(row["type"] or "") for row in rows}, tuple(n for _, n in key)


_Declared = tuple[dict[str, Affinity], tuple[str, ...]]


class _Feed:
    """Encodes batches while ADBC takes them; keeps what failed, since C passes text only."""

    def __init__(
        self,
        table: str,
        columns: Sequence[Column],
        declared: _Declared,
        batches: Iterator[pa.RecordBatch],
    ) -> None:
        self.rows = 0
        self.failed: BaseException | None = None
        self._table = table
        self._columns = columns
        self._affinities, self._key = declared
        self._batches = batches

    def reader(self, encoded: Iterator[pa.RecordBatch]) -> pa.RecordBatchReader:
        """Return the encoded batches as a stream."""
        fields = [(c.name, self._bound(c)) for c in self._columns]
        return pa.RecordBatchReader.from_batches(pa.schema(fields), self._kept(encoded))

    def _bound(self, column: Column) -> pa.DataType:
        """The Arrow type that is bound: an empty array, encoded, has it."""
        return self._encode(column, pa.array([], column.type.arrow)).values.type

    def _encode(self, column: Column, values: pa.Array) -> Cells:
        kind = self._affinities.get(column.name)
        if kind is None:
            raise DatabaseError(f"{self._table}.{column.name}: there is no such column")
        return codec_of(column.type).encode(values, column.type, kind)

    def encoded(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches as SQLite's cells; a thread does so ahead of the inserts."""
        expected = [(c.name, c.type.arrow) for c in self._columns]
        for batch in self._batches:
            self._require(batch, expected)
            arrays = [self._exact(c, batch, i) for i, c in enumerate(self._columns)]
            self.rows += batch.num_rows
            yield pa.RecordBatch.from_arrays(arrays, names=[c.name for c in self._columns])

    def _kept(self, encoded: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Keep what fails where ADBC asks for batches: an error of theirs, or Ctrl-C."""
        try:
            yield from encoded
        except GeneratorExit:  # closed by the driver, which has failed itself
            raise
        except BaseException as error:
            self.failed = error
            raise

    def _require(self, batch: pa.RecordBatch, expected: list[tuple[str, pa.DataType]]) -> None:
        """Check that columns stand as announced: what is bound is told by position alone."""
        if [(f.name, f.type) for f in batch.schema] != expected:
            raise TypeError(f"{self._table}: {batch.schema} is not {expected}")

    def _exact(self, column: Column, batch: pa.RecordBatch, at: int) -> pa.Array:
        cells = self._encode(column, batch.column(at))
        if cells.refused is not None:
            raise self._refusal(column, batch, at, cells)
        return cells.values

    def _refusal(
        self, column: Column, batch: pa.RecordBatch, at: int, cells: Cells
    ) -> ValueRefused:
        labels = [c.name for c in self._columns]
        key = [name for name in self._key if name in labels]

        def sample(row: int) -> tuple[str, str]:
            values = [batch.column(labels.index(name))[row].as_py() for name in key]
            return refusals.key_text(key, values), _shown(batch.column(at), row)

        tally = refusals.Tally(self._table, column.name, cells.reason)
        assert cells.refused is not None  # noqa: S101  the caller looked
        tally.add(cells.refused, sample)
        return tally.error()


def _shown(values: pa.Array, row: int) -> str:
    """Return a value for a message; Arrow holds years that Python does not."""
    try:
        return refusals.shown(values[row].as_py())
    except (OverflowError, ValueError):
        return str(values.slice(row, 1).view(pa.int64())[0].as_py())
