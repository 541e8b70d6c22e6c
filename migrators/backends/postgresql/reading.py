"""The COPY that reads a query, and its rows as Arrow: parsed whole, or refused by cell.

The server sends a message per row (manual, 55.2.6), so that blocks are cut at rows whatever
their values hold; how many were parsed is compared with how many it says it sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import csv

from migrators.backends import refusals
from migrators.backends.postgresql import sql
from migrators.backends.postgresql.cells import codec, decoded, parsed_as
from migrators.errors import NotHeld

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migrators.backends.interface import ReadQuery
    from migrators.errors import ValueRefused
    from migrators.types import ColumnType


def select(query: ReadQuery, render: Callable[[ColumnType], str]) -> str:
    """Return the SELECT of a query's cells, as they are rendered, in its order.

    Parameters
    ----------
    render : callable
        A column's type → SQL over `{x}`.
    """
    types = {c.name: c.type for c in query.columns}
    cells = ", ".join(
        f"{render(c.type).replace('{x}', sql.name(c.name))} AS c{i}"
        for i, c in enumerate(query.columns)
    )
    order = ", ".join(
        codec(types[label]).order.replace("{x}", f"q.{sql.name(label)}") for label in query.order_by
    )
    ordered = f" ORDER BY {order}" if order else ""
    inner = query.sql.strip().rstrip(";")
    return f"SELECT {cells} FROM (\n{inner}\n) AS q{ordered}"


@dataclass(frozen=True)
class Reading:
    """How a query is asked, and how its rows are parsed."""

    query: ReadQuery

    @property
    def sql(self) -> str:
        """The whole COPY."""
        asked = select(self.query, lambda declared: codec(declared).render)
        return f"COPY ({asked}) TO STDOUT (FORMAT csv)"

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema that batches have, made once."""
        return self.query.schema

    def batch(self, block: bytes) -> pa.RecordBatch:
        """Return a block's rows.

        Raises
        ------
        pa.ArrowInvalid
            A cell is not of its column's type; `refused` names it.
        """
        table = _parsed(block, [parsed_as(c.type) for c in self.query.columns])
        arrays = [
            decoded(_whole(table.column(i)), c.type) for i, c in enumerate(self.query.columns)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def refused(self, block: bytes, rest: Iterator[bytes]) -> ValueRefused | None:
        """Return the refusal of the first column that cannot be read, counted to the end.

        None where each column alone can be read, so that something else is wrong.
        """
        texts = _texts(block, len(self.query.columns))
        at = next((i for i, t in enumerate(texts) if not self._reads(i, t.to_pylist())), None)
        if at is None:
            return None
        column = self.query.columns[at]
        what = codec(column.type).what
        tally = refusals.Tally(column.table, column.source or column.name, what)
        self._count(tally, at, texts)
        for further in rest:
            self._count(tally, at, _texts(further, len(self.query.columns)))
        return self._held(at, tally.error())

    def _held(self, at: int, refused: ValueRefused) -> ValueRefused:
        """Say of a column of Arrow's type that it may be asked for as text instead."""
        column = self.query.columns[at]
        if column.type.as_text or not column.type.may_be_text:
            return refused
        return NotHeld.of(refused, column.name)

    def _count(self, tally: refusals.Tally, at: int, texts: Sequence[pa.Array]) -> None:
        bad = self._unread(at, texts[at].to_pylist(), 0)
        if not bad:
            return
        labels = [c.name for c in self.query.columns]
        key = [labels.index(label) for label in self.query.key]
        named = refusals.key_names(self.query)

        def sample(row: int) -> tuple[str, str]:
            values = [texts[i][row].as_py() for i in key]
            return refusals.key_text(named, values), refusals.shown(texts[at][row].as_py())

        rows = set(bad)
        tally.add(pa.array([i in rows for i in range(len(texts[at]))]), sample)

    def _unread(self, at: int, texts: Sequence[bytes | None], first: int) -> list[int]:
        """Return the places of texts that cannot be read, by halves: most can."""
        if self._reads(at, texts):
            return []
        if len(texts) == 1:
            return [first]
        half = len(texts) // 2
        return [
            *self._unread(at, texts[:half], first),
            *self._unread(at, texts[half:], first + half),
        ]

    def _reads(self, at: int, texts: Sequence[bytes | None]) -> bool:
        """Whether every text of a column can be read."""
        declared = self.query.columns[at].type
        block = b"".join(_quoted(text) for text in texts)
        try:
            decoded(_whole(_parsed(block, [parsed_as(declared)]).column(0)), declared)
        except (pa.ArrowInvalid, ValueError):
            return False
        return True


def _quoted(text: bytes | None) -> bytes:
    return b"\n" if text is None else b'"' + text.replace(b'"', b'""') + b'"\n'


def _parsed(block: bytes, types: Sequence[pa.DataType]) -> pa.Table:
    """Parse rows without a header: an unquoted empty field is NULL, a quoted one is a text."""
    names = [str(i) for i in range(len(types))]
    return csv.read_csv(
        pa.BufferReader(block),
        csv.ReadOptions(column_names=names, use_threads=False, block_size=len(block) + 1),
        csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        csv.ConvertOptions(
            column_types=dict(zip(names, types, strict=True)),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )


def _texts(block: bytes, columns: int) -> list[pa.Array]:
    """Return every cell as the server wrote it; as bytes, since it may not be UTF-8."""
    table = _parsed(block, [pa.binary()] * columns)
    return [_whole(column) for column in table.columns]


def _whole(column: pa.ChunkedArray) -> pa.Array:
    found = column.combine_chunks()
    return found if isinstance(found, pa.Array) else found.chunk(0)
