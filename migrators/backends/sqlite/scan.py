"""The SELECT that reads a query's cells for ADBC, and what it takes apart again.

ADBC infers types from the first batch, and is silently wrong where a later cell is of
another storage class. So a first row of literals pins the types, and a last column, the
guard, is 1 where every cell of the row is of a clean storage class; but for integers, of which
ADBC itself raises. In the same scan the guard costs 0.2 to 0.3 s per 2,000,000 rows x 10 columns
(read: 1.5 s); a scan of its own costs as much, and runs the step's joins twice: that is for rows
so wide that no term is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa

from migrators.backends.sqlite import sql
from migrators.backends.sqlite.cells import codec_of
from migrators.types import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrators.backends.interface import ReadColumn, ReadQuery
    from migrators.backends.sqlite.cells.model import Cells

MOST_TERMS = 2_000
"""Terms of a SELECT at most, as SQLite is usually built (limits.html, 2)."""
_TERMS = 50
"""Terms of a condition in one pair of brackets: SQLite's expressions are 1000 deep at most."""
_HEX = Kind.UUID
_MOMENTS = (Kind.TIMESTAMP, Kind.INSTANT, Kind.INTERVAL)


def clean(column: ReadColumn, cell: str) -> str:
    """Return SQL that is true where `cell` is NULL or of a clean storage class."""
    condition = codec_of(column.type).clean.replace("{x}", cell)
    return f"({condition} OR {cell} IS NULL)"


def every(conditions: Sequence[str]) -> str:
    """Join conditions with AND, in brackets that keep the expression shallow."""
    groups = [conditions[i : i + _TERMS] for i in range(0, len(conditions), _TERMS)]
    return " AND ".join(f"({' AND '.join(group)})" for group in groups) or "1"


@dataclass(frozen=True)
class Scan:
    """How a query's columns stand in the rows that SQLite returns.

    Attributes
    ----------
    query : ReadQuery
    order : tuple of str
        SQL terms to order by.
    """

    query: ReadQuery
    order: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        """The whole SELECT: pins, then the query's rows in order."""
        cells = [
            select.replace("{x}", sql.name(column.name))
            for column in self.query.columns
            for select in codec_of(column.type).selects
        ]
        if self.guarded:
            cells.append(f"CASE WHEN {self._clean} THEN 1 ELSE 0 END")
        first = ", ".join(f"{pin} AS c{i}" for i, pin in enumerate(self._pins))
        guard = ", 1 AS guard" if self.guarded else ""
        return f"SELECT {first}{guard} UNION ALL SELECT {', '.join(cells)} FROM ({self._rows})"

    @property
    def guarded(self) -> bool:
        """Whether the rows have a guard; else `unclean` is to be asked beforehand."""
        return len(self._pins) < MOST_TERMS

    @property
    def unclean(self) -> str:
        """A SELECT of one row where any cell is not of a clean storage class, else of none."""
        return f"SELECT 1 FROM ({self.query.sql}) WHERE NOT coalesce({self._clean}, 0) LIMIT 1"

    @cached_property
    def _pins(self) -> list[str]:
        return [pin for c in self.query.columns for pin in codec_of(c.type).pins]

    @property
    def _clean(self) -> str:
        quiet = [c for c in self.query.columns if not codec_of(c.type).is_loud]
        return every([clean(c, sql.name(c.name)) for c in quiet])

    @property
    def _rows(self) -> str:
        """The query, ordered. LIMIT keeps SQLite from leaving out a subquery's ORDER BY."""
        order = f" ORDER BY {', '.join(self.order)}" if self.order else ""
        return f"SELECT * FROM ({self.query.sql}){order} LIMIT -1"

    def decode(self, batch: pa.RecordBatch) -> list[Cells]:
        """Return each column of a batch, decoded."""
        found: list[Cells] = []
        arrays = batch.columns  # made anew each time: 3.5 s a batch of 1,600 columns otherwise
        at = 0
        for column in self.query.columns:
            codec = codec_of(column.type)
            found.append(codec.decode(arrays[at : at + len(codec.selects)], column.type))
            at += len(codec.selects)
        return found

    @cached_property
    def types(self) -> list[pa.DataType]:
        """The Arrow types that the pins ask for; where there is a guard, its last."""
        return [_PINNED[pin] for pin in (*self._pins, *(["0"] if self.guarded else []))]

    def stored(self, batch: pa.RecordBatch, column: int, row: int) -> object:
        """Return one cell of a batch as it is stored, for messages."""
        at = sum(len(codec_of(c.type).selects) for c in self.query.columns[:column])
        width = len(codec_of(self.query.columns[column].type).selects)
        cells = (_scalar(batch.column(i), row) for i in range(at, at + width))
        return next((cell for cell in cells if cell is not None), None)


_PINNED = {
    "0": pa.int64(),
    "0.0": pa.float64(),
    "''": pa.string(),
    "x''": pa.binary(),
}


def _scalar(array: pa.Array, row: int) -> object:
    """Return a cell; text as bytes, since it may not be UTF-8."""
    cell = array.slice(row, 1)
    value: object = (cell.cast(pa.binary()) if pa.types.is_string(cell.type) else cell)[0].as_py()
    return value


def plain_order(query: ReadQuery) -> tuple[str, ...]:
    """Return the terms that order by the cells as they stand, text by bytes."""
    return tuple(f"{sql.name(label)} COLLATE BINARY" for label in query.order_by)


def unlike(column: ReadColumn) -> str | None:
    """Return SQL that is true for a cell whose text does not sort as its value does.

    None for kinds whose cells always sort as their values do.
    """
    cell = sql.name(column.name)
    if column.type.kind is _HEX:
        return f"(length({cell}) <> 32 OR {cell} GLOB '*[^0-9a-f]*')"
    if column.type.kind in _MOMENTS:
        return f"substr({cell}, 11) GLOB '*[-+TZ]*'"
    if column.type.kind is Kind.DECIMAL:
        return f"typeof({cell}) = 'text'"
    return None


def value_order(query: ReadQuery) -> tuple[str, ...]:
    """Return the terms that order by value where cells are written in several forms."""
    kinds = {c.name: c.type.kind for c in query.columns}
    return tuple(
        term for label in query.order_by for term in _by_value(sql.name(label), kinds[label])
    )


def _by_value(cell: str, kind: Kind) -> tuple[str, ...]:
    if kind is _HEX:
        return (f"lower(replace({cell}, '-', ''))",)
    if kind in _MOMENTS:
        return (_seconds(cell), _fraction(cell))
    if kind is Kind.DECIMAL:
        return (f"CAST({cell} AS REAL)", f"{cell} COLLATE BINARY")
    return (f"{cell} COLLATE BINARY",)


def _seconds(cell: str) -> str:
    """SQL: seconds since the epoch, without the fraction and with the offset applied."""
    offset = (
        f"CASE WHEN {cell} GLOB '*Z' THEN 'Z' "
        f"WHEN substr({cell}, -6) GLOB '[-+][0-9][0-9]:[0-9][0-9]' THEN substr({cell}, -6) "
        f"WHEN substr({cell}, 20) GLOB '*[-+][0-9][0-9][0-9][0-9]' "
        f"THEN substr({cell}, -5, 3) || ':' || substr({cell}, -2) ELSE '' END"
    )
    return f"CAST(strftime('%s', substr({cell}, 1, 19) || {offset}) AS INTEGER)"


def _fraction(cell: str) -> str:
    """SQL: the fraction of a second; a cast takes the longest number that text begins with."""
    return f"CASE WHEN substr({cell}, 20, 1) = '.' THEN CAST(substr({cell}, 20) AS REAL) ELSE 0 END"
