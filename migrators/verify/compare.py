"""Two streams of batches against each other, bit by bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator


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
