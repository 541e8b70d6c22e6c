"""Any rows of all kinds: both formats give back exactly what was written."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from migrators.extracts.batches import arrow_schema
from migrators.extracts.directory import format_named
from migrators.schema import Column
from migrators.types import ColumnType, Kind
from migrators.types.text import FIRST_DAY, FIRST_MICROSECOND, LAST_DAY, LAST_MICROSECOND

INT64 = st.integers(-(2**63), 2**63 - 1)
MICROSECONDS = st.integers(FIRST_MICROSECOND, LAST_MICROSECOND)
TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('",\n\r\0\\é🎉'))

VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.INTEGER: INT64,
    Kind.BOOLEAN: st.booleans(),
    Kind.FLOAT: st.floats(),
    Kind.DECIMAL: st.decimals("-999999999.9999", "999999999.9999", places=4),
    Kind.TEXT: TEXT,
    Kind.ENUM: st.sampled_from(["new", "", "a,b"]),
    Kind.JSON: st.sampled_from(["{}", "null", '{"a": "\\u0000"}']),
    Kind.BINARY: st.binary(max_size=20),
    Kind.UUID: st.binary(min_size=16, max_size=16),
    Kind.DATE: st.integers(FIRST_DAY, LAST_DAY),
    Kind.TIME: st.integers(0, 86_399_999_999),
    Kind.TIMESTAMP: MICROSECONDS,
    Kind.INSTANT: MICROSECONDS,
    Kind.INTERVAL: INT64,
}
COLUMNS = [
    Column(kind, ColumnType(kind, precision=13, scale=4) if kind is Kind.DECIMAL
           else ColumnType(kind, bits=64), nullable=True)
    for kind in Kind
]  # fmt: skip
ROWS = st.lists(st.tuples(*(st.none() | VALUES[c.type.kind] for c in COLUMNS)), max_size=12)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(ROWS, st.integers(0, 3))
def test_both_formats_hold_exactly_the_same_values(rows: list[tuple[Any, ...]], skip: int) -> None:
    """Every kind in one table, NULLs anywhere, batches that are slices."""
    arrays = [pa.array([row[i] for row in rows], c.type.arrow) for i, c in enumerate(COLUMNS)]
    batch = pa.record_batch(arrays, schema=arrow_schema(COLUMNS)).slice(skip)
    with tempfile.TemporaryDirectory() as folder:
        found = [_through(name, Path(folder), batch) for name in ("csv", "parquet")]
    expected = pa.Table.from_batches([batch])
    assert [_exactly(table) for table in found] == [_exactly(expected)] * 2
    assert [table.schema for table in found] == [expected.schema] * 2


def _through(name: str, folder: Path, batch: pa.RecordBatch) -> pa.Table:
    form = format_named(name)
    path = folder / f"t{form.suffix}"
    with form.writer(path, COLUMNS) as writer:
        writer.write(batch)
    return pa.Table.from_batches(form.batches(path, COLUMNS), arrow_schema(COLUMNS))


def _exactly(table: pa.Table) -> list[list[str]]:
    """Values as repr, which tells -0.0 from 0.0 and takes NaN for itself."""
    plain = {
        Kind.DATE: pa.int32(),
        Kind.TIME: pa.int64(),
        Kind.TIMESTAMP: pa.int64(),
        Kind.INSTANT: pa.int64(),
        Kind.INTERVAL: pa.int64(),
    }
    return [
        [
            repr(v)
            for v in table.column(c.name).cast(plain.get(c.type.kind, c.type.arrow)).to_pylist()
        ]
        for c in COLUMNS
    ]
