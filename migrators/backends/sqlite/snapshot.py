"""One read transaction on a SQLite file, by ADBC: rows as declared, or refused by name."""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from migrators.backends.interface import Snapshot
from migrators.backends.sqlite import (
    adbc,
    batching,
    connect,
    failures,
    pieces,
    refusals,
    scan,
    source,
)
from migrators.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

    from migrators.backends.interface import ReadQuery
    from migrators.backends.sqlite.cells.model import Cells
    from migrators.errors import ValueRefused

_CACHES_KIB = 16_384
"""Page caches of all readers together: rows are read in the order in which they lie. With 64 MB
an extract of 3.3 million rows takes as long and 50 MB more, a verification 80."""
_BESIDE_MS = 200
"""How long a further reader waits for a lock: the work goes on without it, too."""


@contextmanager
def opened(path: Path, scratch: Path, busy_ms: int, readers: int = 1) -> Iterator[SQLiteSnapshot]:
    """Open a snapshot of a database, or of a private copy of it in `scratch`.

    Parameters
    ----------
    readers : int
        As many as wanted share the moment, but for a WAL that others may add to: there the
        next one could begin after another's commit, and nothing would tell.

    Raises
    ------
    DatabaseError, Locked
    """
    source.require(path)
    with source.tidied(path), ExitStack() as stack:
        with failures.told(path):
            first, *beside = _readers(path, scratch, busy_ms, readers)
        for connection in (first, *beside):
            stack.enter_context(closing(connection))
            connection.run(f"PRAGMA cache_size = -{_CACHES_KIB // max(2, 1 + len(beside))}")
        yield SQLiteSnapshot(first, path, [SQLiteSnapshot(c, path) for c in beside])


class _Waits(Exception):  # the work goes on with fewer readers
    """A writer waits for the readers to end, and keeps further ones out."""


def _readers(path: Path, scratch: Path, busy_ms: int, readers: int) -> list[adbc.Adbc]:
    place, mode = path, "ro"
    first = None if source.wal_of_another(path) else _begun(path, scratch, busy_ms)
    if first is None:
        place, mode = source.copied(path, scratch), "rw"
        first = _begun(place, scratch, busy_ms, mode)
    assert first is not None  # noqa: S101  a copy that may be written is opened or raises
    found = [first]
    try:
        while len(found) < readers and (place is not path or not _logs_ahead(first)):
            found.append(_beside(place, scratch, mode))
    except _Waits:
        pass
    except BaseException:
        for connection in found:
            connection.close()
        raise
    return found


def _logs_ahead(connection: adbc.Adbc) -> bool:
    return str(connection.table("PRAGMA journal_mode").column(0)[0].as_py()).lower() == "wal"


def _beside(path: Path, scratch: Path, mode: str) -> adbc.Adbc:
    """Return one more connection that sees what the first sees.

    While the first holds its SHARED lock nobody can commit (lockingv3.html, 3.0).
    """
    try:
        found = _begun(path, scratch, _BESIDE_MS, mode)
    except Exception as error:
        if failures.says(error, "database is locked"):
            raise _Waits from error
        raise
    if found is None:
        raise _Waits
    return found


def _begun(path: Path, scratch: Path, busy_ms: int, mode: str = "ro") -> adbc.Adbc | None:
    """Return a connection in a read transaction; None if only a copy can be read."""
    connection = adbc.Adbc(path, mode)
    try:
        for pragma in connect.pragmas(busy_ms, scratch):
            connection.run(f"PRAGMA {pragma}")
        connection.run("BEGIN")
        connection.run("SELECT count(*) FROM sqlite_master")  # takes the lock
        page = int(connection.table("PRAGMA page_size").column(0)[0].as_py())
        source.require_whole_pages(path, page)
    except Exception as error:
        connection.close()
        if mode == "ro" and source.needs_copy(error, path):
            return None
        raise
    return connection


class SQLiteSnapshot(Snapshot):
    """A read transaction. Its file is opened by nobody else in this process meanwhile."""

    def __init__(
        self, connection: adbc.Adbc, path: Path, beside: Sequence[SQLiteSnapshot] = ()
    ) -> None:
        self._connection = connection
        self._path = path
        self._beside = beside

    @property
    def readers(self) -> tuple[SQLiteSnapshot, ...]:
        """Return this one, and those that began beside it."""
        return (self, *self._beside)

    def pieces(self, query: ReadQuery) -> tuple[ReadQuery, ...]:
        """Return ranges of the table's rowid; see the interface."""
        return pieces.pieces(query, self.rows, self._size)

    def batches(self, query: ReadQuery) -> Iterator[pa.RecordBatch]:
        """Stream rows; see the interface."""
        reading = scan.Scan(query, self._order(query))
        _require_room(reading)
        if not reading.guarded and self.rows(reading.unclean):
            raise self._refused(reading)
        schema = query.schema
        doing = f"reading {query.columns[0].table}".rstrip()
        with failures.told(self._path, doing), closing(self._cells(reading)) as batches:
            for batch in batches:
                decoded = reading.decode(batch)
                if any(cells.refused is not None for cells in decoded):
                    raise _counted(reading, batch, decoded, batches)
                arrays = [cells.values for cells in decoded]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _order(self, query: ReadQuery) -> tuple[str, ...]:
        """Return the order's SQL: by the cells, or by value if they are of several forms."""
        columns = {c.name: c for c in query.columns}
        odd = [u for label in query.order_by if (u := scan.unlike(columns[label]))]
        if odd and self.rows(f"SELECT 1 FROM ({query.sql}) WHERE {' OR '.join(odd)} LIMIT 1"):
            return scan.value_order(query)
        return scan.plain_order(query)

    def _cells(self, reading: scan.Scan) -> Generator[pa.RecordBatch]:
        """Yield batches of clean cells, the guard taken off."""
        first = True
        rows_of_one = batching.batch_rows(reading, self.rows, self._size)
        with self._connection.cursor() as cursor:
            try:
                for batch in cursor.batches(reading.sql, rows_of_one):
                    rows = batch.slice(1) if first else batch
                    self._check(reading, rows, batch.schema)
                    first = False
                    if rows.num_rows:
                        yield rows
            except (OSError, pa.ArrowException) as error:
                raise self._refusal(reading.query) or error from error

    def _check(self, reading: scan.Scan, batch: pa.RecordBatch, schema: pa.Schema) -> None:
        """Raise unless every cell of a batch is of a clean storage class."""
        clean = schema.types == reading.types
        if clean and reading.guarded:
            clean = pc.min(batch.column(batch.num_columns - 1)).as_py() in (1, None)
        if not clean:
            raise self._refused(reading, f"read as {schema.types}, not as {reading.types}")

    def _refused(self, reading: scan.Scan, otherwise: str = "") -> Exception:
        return self._refusal(reading.query) or pa.ArrowTypeError(otherwise)

    def _refusal(self, query: ReadQuery) -> ValueRefused | None:
        return refusals.wrong_class(query, self.rows)

    @cached_property
    def _size(self) -> int:
        pages, size = (self.rows(f"SELECT * FROM pragma_{x}") for x in ("page_count", "page_size"))
        return int(pages[0][0]) * int(size[0][0])

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return all rows of a small query; each cell travels as bytes with its class."""
        with failures.told(self._path, "reading"):
            return _exact_rows(self._connection, sql.strip().rstrip(";"))

    def sequences(self) -> dict[str, int]:
        """Return what sqlite_sequence remembers: tables with AUTOINCREMENT only."""
        if not self.rows("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"):
            return {}
        return dict(self.rows("SELECT name, max(seq) FROM sqlite_sequence GROUP BY name"))


def _require_room(reading: scan.Scan) -> None:
    terms, columns = len(reading.types), reading.query.columns
    if terms > scan.MOST_TERMS:
        raise DatabaseError(
            f"{columns[0].table}: to read {len(columns)} columns at once takes {terms} terms of a "
            f"SELECT, and SQLite has {scan.MOST_TERMS}: decimals and JSON take two each",
            hint="declare some as sa.Text or sa.Float in the old schema module, and convert them "
            "in the step with a rule",
        )


def _counted(
    reading: scan.Scan,
    batch: pa.RecordBatch,
    decoded: Sequence[Cells],
    rest: Iterator[pa.RecordBatch],
) -> ValueRefused:
    """Count the refused cells of the first column that has any, to the end of the table."""
    at = next(i for i, cells in enumerate(decoded) if cells.refused is not None)
    column = reading.query.columns[at]
    tally = refusals.Tally(column.table, column.source or column.name, decoded[at].reason)
    while True:
        cells = decoded[at]
        if cells.refused is not None:
            tally.add(cells.refused, _namer(reading, batch, at))
        found = next(rest, None)
        if found is None:
            return tally.error()
        batch, decoded = found, reading.decode(found)


def _namer(reading: scan.Scan, batch: pa.RecordBatch, at: int) -> Any:
    """Return a function that names row i of a batch: its key, and its cell as stored."""
    labels = [c.name for c in reading.query.columns]
    key = [label for label in reading.query.key if label in labels]

    def sample(row: int) -> tuple[str, str]:
        values = [reading.stored(batch, labels.index(label), row) for label in key]
        named = refusals.key_names(reading.query)
        return refusals.key_text(named, values), refusals.shown(reading.stored(batch, at, row))

    return sample


def _exact_rows(connection: adbc.Adbc, query: str) -> list[tuple[Any, ...]]:
    names = connection.table(f"SELECT * FROM ({query}) LIMIT 0").column_names
    cells = [f"c{i}" for i in range(len(names))]
    pins = ", ".join(f"'' AS t{c}, x'' AS {c}" for c in cells)
    selects = ", ".join(f"typeof({c}), {_as_bytes(c)}" for c in cells)
    found = connection.table(
        f"WITH q({', '.join(cells)}) AS ({query}) SELECT {pins} UNION ALL SELECT {selects} FROM q"
    )
    columns = [column.to_pylist() for column in found.columns]
    encoding = connection.table("PRAGMA encoding").column(0)[0].as_py()
    values = [
        [_value(kind, cell, encoding) for kind, cell in zip(kinds[1:], raw[1:], strict=True)]
        for kinds, raw in zip(columns[0::2], columns[1::2], strict=True)
    ]
    return list(zip(*values, strict=True))


def _as_bytes(cell: str) -> str:
    text = f"CASE typeof({cell}) WHEN 'real' THEN printf('%!.17g', {cell}) ELSE {cell} END"
    return f"CAST({text} AS BLOB)"


def _value(kind: str, cell: bytes | None, encoding: str) -> Any:
    """Return a cell's value; a cast to bytes gives text, and digits, in the file's encoding."""
    if cell is None or kind == "blob":
        return cell
    try:
        said = cell.decode(encoding)
    except UnicodeDecodeError:
        return cell
    return _NUMBER[kind](said) if kind in _NUMBER else said


_NUMBER: dict[str, Any] = {"integer": int, "real": float}
