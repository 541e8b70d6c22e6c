"""Batches as COPY takes them, checked against the column's own type before they are sent.

The server rounds into numeric(5,2), pads into char(n), cuts blanks beyond varchar(n) and
drops microseconds beyond timestamp(3), all with success. So what a column would change is
refused here, by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from migrators.backends import refusals
from migrators.backends.postgresql import arrays, sql
from migrators.backends.postgresql.cells import codec
from migrators.errors import DatabaseError
from migrators.types import Kind
from migrators.types.fit import HAS_NUL, has_nul, misfits, out_of_range
from migrators.types.text import outside_years

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migrators.backends.postgresql.connect import Connection
    from migrators.schema import Column
    from migrators.types import ColumnType

    Checks = Iterator[tuple[str, pa.Array]]

_HEADLESS = csv.WriteOptions(include_header=False)
_BITS = {"smallint": 16, "integer": 32}
_MICROSECOND_DIGITS = 6
_DECLARED = """
SELECT n.nspname, c.relname, c.relkind,
    a.attname, (
        WITH RECURSIVE base (oid, modifier) AS (
            SELECT a.atttypid, a.atttypmod
            UNION ALL
            SELECT t.typbasetype, t.typtypmod
            FROM base JOIN pg_type AS t USING (oid) WHERE t.typtype = 'd')
        SELECT ARRAY[format_type(b.oid, b.modifier), t.typtype::text]
        FROM base AS b JOIN pg_type AS t USING (oid) WHERE t.typtype <> 'd'), a.attnotnull
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND c.relname = ANY(%(names)s)
    AND ((n.nspname = 'public' AND c.relname = %(key)s) OR n.nspname || '.' || c.relname = %(key)s)
ORDER BY n.nspname <> 'public', a.attnum
"""


@dataclass(frozen=True)
class Taken:
    """A table as the server has it.

    Attributes
    ----------
    table : str
        Its key in the metadata.
    place : tuple of str
        Its schema and name.
    quoted : str
        Both in SQL.
    plain : bool
        Not partitioned: COPY may freeze its rows.
    types : mapping of column to type, as the server writes it: `numeric(12,2)`; of a domain,
        what it is a domain of: the server rounds and pads there as well
    enums : frozenset of str
        Columns of enum types.
    needed : frozenset of str
        Columns that are NOT NULL.
    """

    table: str
    place: tuple[str, str]
    quoted: str
    plain: bool
    types: dict[str, str]
    enums: frozenset[str]
    needed: frozenset[str]


def declared(connection: Connection, table: str) -> Taken:
    """Return how the server declares a table.

    Raises
    ------
    DatabaseError
        There is none.
    """
    parts = table.split(".")
    names = [".".join(parts[at:]) for at in range(len(parts))]  # what an index finds
    rows = connection.execute(_DECLARED, {"key": table, "names": names}).fetchall()
    if not rows:
        raise DatabaseError(f"{table}: there is no such table in the staging database")
    schema, name, kind, *_ = rows[0]
    own = [row for row in rows if row[:2] == (schema, name)]
    return Taken(
        table,
        (schema, name),
        f"{sql.name(schema)}.{sql.name(name)}",
        kind == "r",
        {row[3]: row[4][0] for row in own},
        frozenset(row[3] for row in own if row[4][1] == "e"),
        frozenset(row[3] for row in own if row[5]),
    )


@dataclass(frozen=True)
class Form:
    """How rows are written for COPY.

    Attributes
    ----------
    name : str
        What COPY calls it.
    encode : callable
        Gives a batch's bytes.
    begins, ends : bytes
        What stands before and after all rows.
    """

    name: str
    encode: Callable[[pa.RecordBatch], pa.Buffer]
    begins: bytes = b""
    ends: bytes = b""


def text(columns: Sequence[Column]) -> Form:
    """Return the form that every type has: the server's text, in CSV."""

    def encode(batch: pa.RecordBatch) -> pa.Buffer:
        sink = pa.BufferOutputStream()
        if batch.num_rows:
            arrays = [codec(c.type).encode(batch.column(i)) for i, c in enumerate(columns)]
            named = pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)
            csv.write_csv(named, sink, _HEADLESS)
        return sink.getvalue()

    return Form("csv", encode)


class Feed:
    """Encodes batches in a form; `rows` is how many were.

    Parameters
    ----------
    form : Form
    key : sequence of str
        Columns that name a row in messages: the server has no keys before the data.
    """

    def __init__(
        self,
        taken: Taken,
        columns: Sequence[Column],
        batches: Iterator[pa.RecordBatch],
        form: Form,
        key: Sequence[str],
    ) -> None:
        self.rows = 0
        self.form = form
        self._key = key
        self._taken = taken
        self._columns = columns
        self._batches = batches

    def blocks(self) -> Iterator[pa.Buffer | bytes]:
        """Yield all that is sent; a thread does so ahead of the server.

        Raises
        ------
        ValueRefused
            For a value that its column would change, or not take.
        """
        yield self.form.begins
        for batch in self._checked():
            yield self.form.encode(batch)
        yield self.form.ends

    def _checked(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches, which their columns take as they are."""
        expected = [(c.name, c.type.arrow) for c in self._columns]
        for batch in self._batches:
            if [(f.name, f.type) for f in batch.schema] != expected:
                raise TypeError(f"{self._taken.table}: {batch.schema} is not {expected}")
            for at, column in enumerate(self._columns):
                self._require(column, batch, at)
            self.rows += batch.num_rows
            yield batch

    def _require(self, column: Column, batch: pa.RecordBatch, at: int) -> None:
        if column.name not in self._taken.types:
            raise DatabaseError(f"{self._taken.table}.{column.name}: there is no such column")
        values = batch.column(at)
        if column.name in self._taken.needed and values.null_count:
            self._refuse(column, batch, at, ("is NULL (NOT NULL)", values.is_null()))
        checks = _misfits(values, column.type, self._taken.types[column.name])
        if column.name in self._taken.enums:
            checks = chain(checks, misfits(values, column.type, nullable=True))
        for reason, mask in checks:
            if pc.any(mask, min_count=0).as_py():
                self._refuse(column, batch, at, (reason, mask.fill_null(False)))

    def _refuse(
        self, column: Column, batch: pa.RecordBatch, at: int, why: tuple[str, pa.Array]
    ) -> None:
        reason, mask = why
        names = [c.name for c in self._columns]
        key = [name for name in self._key if name in names]

        def sample(row: int) -> tuple[str, str]:
            values = [_shown(batch.column(names.index(name)), row) for name in key]
            return refusals.key_text(key, values), _shown(batch.column(at), row)

        tally = refusals.Tally(self._taken.table, column.name, reason)
        tally.add(mask, sample)
        raise tally.error()


def _shown(values: pa.Array, row: int) -> str:
    """Return a value for a message; Arrow holds years that Python does not."""
    try:
        return refusals.shown(values[row].as_py())
    except (OverflowError, ValueError):
        return str(values.slice(row, 1).view(pa.int64())[0].as_py())


def _misfits(values: pa.Array, kind: ColumnType, column: str) -> Checks:
    """Yield each reason for which a column would not take values as they are."""
    if kind.is_text:
        yield HAS_NUL, has_nul(values)
        if kind.as_text and kind.kind in _UNKNOWN:
            unknown = pc.match_substring_regex(values, _UNKNOWN[kind.kind])
            yield f"is no {kind.kind} that PostgreSQL knows", unknown
        yield from _text_misfits(values, column)
        if kind.kind is Kind.ARRAY:
            yield "is not an array as an extract writes it", arrays.odd(values)
    elif pa.types.is_temporal(values.type) and kind.kind in _DATED:
        yield "is outside of the years 0001 to 9999", outside_years(values)
    if kind.kind is Kind.INTEGER and column in _BITS:
        yield f"is outside of {column}", out_of_range(values, _BITS[column])
    if column == "real":
        yield "is not exactly a real", _unlike(values, values.cast(pa.float32(), safe=False))
    yield from _cut(values, kind, column)


_DATED = (Kind.DATE, Kind.TIMESTAMP, Kind.INSTANT)
_ZERO = r"\A(0+-|[0-9]+-00|[0-9]+-[0-9]+-00)"
_UNKNOWN = dict.fromkeys(_DATED, _ZERO) | {
    Kind.TIME: r"\A(-|24:.*[1-9]|2[5-9]|[3-9][0-9]|[0-9]{3})"
}
"""What other servers hold as text: a year, month or day 0, a time of more than a day."""


def _text_misfits(values: pa.Array, column: str) -> Checks:
    match = re.fullmatch(r"character( varying)?\((\d+)\)", column)
    if match is None:
        return
    limit = int(match[2])
    length = pc.utf8_length(values)
    if match[1]:
        yield f"is longer than {limit} characters", pc.greater(length, limit)
    else:
        yield f"is not {limit} characters, to which {column} pads", pc.not_equal(length, limit)


def _unlike(values: pa.Array, narrow: pa.Array) -> pa.Array:
    """Return where a float is another one after it was narrowed; NaN stays NaN."""
    back = narrow.cast(pa.float64())
    both = pc.and_(pc.is_nan(values), pc.is_nan(back))
    return pc.and_not(pc.not_equal(values, back), both)


def _cut(values: pa.Array, kind: ColumnType, column: str) -> Checks:
    """Yield what a column of fewer digits would round."""
    digits = re.match(r"(?:timestamp|time|numeric)\((?:\d+,)?(\d+)\)", column)
    if digits is None:
        return
    kept = int(digits[1])
    reason = f"has more digits than {column}"
    if kind.as_text:
        yield reason, pc.match_substring_regex(values, rf"\.[0-9]{{{kept}}}[0-9]*[1-9]")
    elif pa.types.is_decimal(values.type) and kind.scale > kept:
        yield reason, pc.not_equal(values, pc.round(values, ndigits=kept).cast(values.type))
    elif pa.types.is_timestamp(values.type) or pa.types.is_time(values.type):
        number = values.cast(pa.int64())
        unit = 10 ** (_MICROSECOND_DIGITS - kept)
        yield reason, pc.not_equal(number, pc.multiply(pc.divide(number, unit), unit))
