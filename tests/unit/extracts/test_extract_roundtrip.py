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
    Kind.SET: st.sampled_from(["", "new,a"]),
    Kind.BITS: st.text("01"),
    Kind.ARRAY: st.sampled_from(["[]", '["a,\\"b", null]', "{{1},{2}}"]),
    Kind.NATIVE: st.sampled_from(["", "'a':1 'b'", "[1,4)"]),
    Kind.JSON: st.sampled_from(["{}", "null", '{"a": "\\u0000"}']),
    Kind.BINARY: st.binary(max_size=20),
    Kind.UUID: st.binary(min_size=16, max_size=16),
    Kind.DATE: st.integers(FIRST_DAY, LAST_DAY),
    Kind.TIME: st.integers(0, 86_399_999_999),
    Kind.TIMESTAMP: MICROSECONDS,
    Kind.INSTANT: MICROSECONDS,
    Kind.INTERVAL: INT64,
}

ODD: dict[Kind, st.SearchStrategy[str]] = {
    Kind.DECIMAL: st.sampled_from(["NaN", "-Infinity", "1.500", "-0"])
    | st.from_regex(r"-?[0-9]{1,300}(\.[0-9]{1,9})?", fullmatch=True),
    Kind.DATE: st.sampled_from(["infinity", "294276-12-31", "0044-03-15 BC", "0000-00-00"]),
    Kind.TIME: st.sampled_from(["24:00:00.000000", "-838:59:59.000001", "00:00:00.000000"]),
    Kind.TIMESTAMP: st.sampled_from(["-infinity", "4713-01-01 00:00:00.000000 BC"]),
    Kind.INSTANT: st.sampled_from(["infinity", "12024-02-29 23:59:59.999999+00:00"]),
    Kind.INTERVAL: st.sampled_from(["P1M", "P-1Y2M3DT-4H5M-6.000007S", "-1000000"]),
}
"""Of columns held as text."""


def column_of(kind: Kind) -> Column:
    """Return a column of a kind."""
    if kind is Kind.DECIMAL:
        return Column(kind, ColumnType(kind, precision=13, scale=4), nullable=True)
    return Column(kind, ColumnType(kind, bits=64), nullable=True)


PAIRS: list[tuple[Column, st.SearchStrategy[Any]]] = [
    *((column_of(kind), VALUES[kind]) for kind in Kind),
    *((Column(f"odd {k}", ColumnType(k).in_text(), nullable=True), ODD[k]) for k in ODD),
    (
        Column("large", ColumnType(Kind.INTEGER, bits=64, unsigned=True), nullable=True),
        st.integers(0, 2**64 - 1),
    ),
]
COLUMNS = [column for column, _ in PAIRS]
ROWS = st.lists(st.tuples(*(st.none() | values for _, values in PAIRS)), max_size=12)


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

    def told(column: Column) -> list[str]:
        arrow = column.type.arrow
        arrow = arrow if column.type.is_text else plain.get(column.type.kind, arrow)
        return [repr(v) for v in table.column(column.name).cast(arrow).to_pylist()]

    return [told(column) for column in COLUMNS]
