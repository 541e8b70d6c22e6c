"""Two streams of batches against each other, bit by bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from migrators.types import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.schema import Table

_NAMED = 20  # differing rows that are named


def aligned(
    left: Iterator[pa.RecordBatch], right: Iterator[pa.RecordBatch]
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """Yield pairs of equally many rows; at the end, what only one side has beside nothing."""
    mine = other = None
    while True:
        mine, other = _filled(mine, left), _filled(other, right)
        if mine is None or other is None:
            break
        rows = min(len(mine), len(other))
        yield mine.slice(0, rows), other.slice(0, rows)
        mine, other = mine.slice(rows), other.slice(rows)
    if mine is not None:
        yield mine, mine.slice(0, 0)
    elif other is not None:
        yield other.slice(0, 0), other


def _filled(held: pa.RecordBatch | None, source: Iterator[pa.RecordBatch]) -> pa.RecordBatch | None:
    while held is None or len(held) == 0:
        held = next(source, None)
        if held is None:
            return None
    return held


def differing_columns(mine: pa.RecordBatch, other: pa.RecordBatch) -> list[str]:
    """Return the names of columns that are not equal bit by bit."""
    if len(mine) != len(other):
        return list(mine.schema.names)
    return [
        name
        for name, ours, theirs in zip(mine.schema.names, mine.columns, other.columns, strict=True)
        if not _bits(ours).equals(_bits(theirs))
    ]


def _bits(array: pa.Array) -> pa.Array:
    """Floats as their bits: -0.0 is not 0.0, and NaN is itself."""
    return array.view(pa.int64()) if pa.types.is_float64(array.type) else array


def differing_keys(mine: pa.RecordBatch, other: pa.RecordBatch, table: Table) -> list[str]:
    """Name the rows of two batches in key order that differ: key, and which columns."""
    ours, theirs = _by_key(mine, table), _by_key(other, table)
    lines = []
    for key in [*ours, *(k for k in theirs if k not in ours)]:
        line = _line(ours.get(key), theirs.get(key), mine.schema.names)
        if line:
            named = ", ".join(f"{c} {v}" for c, v in zip(table.primary_key, key, strict=True))
            lines.append(f"{named}: {line}")
        if len(lines) == _NAMED:
            break
    return lines or [f"{len(mine)} rows of the extract beside {len(other)} of the database differ"]


def _by_key(
    batch: pa.RecordBatch, table: Table
) -> dict[tuple[str | None, ...], tuple[str | None, ...]]:
    texts = [
        text.to_text(array, table.column[name].type).to_pylist()
        for name, array in zip(batch.schema.names, batch.columns, strict=True)
    ]
    places = [batch.schema.names.index(name) for name in table.primary_key]
    rows = list(zip(*texts, strict=True))
    return {tuple(row[p] for p in places): row for row in rows}


def _line(
    mine: tuple[str | None, ...] | None, other: tuple[str | None, ...] | None, names: list[str]
) -> str:
    if other is None:
        return "is not in the database where the extract has it"
    if mine is None:
        return "is in the database, not in the extract"
    return ", ".join(n for n, a, b in zip(names, mine, other, strict=True) if a != b)
