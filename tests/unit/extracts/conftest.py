"""Both formats, and the short way to write and read one file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from migrators.extracts.batches import arrow_schema
from migrators.extracts.directory import format_named

if TYPE_CHECKING:
    from migrators.extracts.interface import Format
    from migrators.schema import Column

Write = Callable[..., Path]
Read = Callable[..., pa.Table]


@pytest.fixture(params=["csv", "parquet"])
def form(request: pytest.FixtureRequest) -> Format:
    """Each format in turn."""
    return format_named(request.param)


@pytest.fixture
def write(form: Format, tmp_path: Path) -> Write:
    """Write lists of values, one per column, to a file; return its path."""

    def put(columns: Sequence[Column], *values: list[Any]) -> Path:
        path = tmp_path / f"t{form.suffix}"
        arrays = [pa.array(v, c.type.arrow) for v, c in zip(values, columns, strict=True)]
        with form.writer(path, columns) as writer:
            writer.write(pa.record_batch(arrays, schema=arrow_schema(columns)))
        return path

    return put


@pytest.fixture
def read(form: Format) -> Read:
    """Read a file to one table."""

    def get(path: Path, columns: Sequence[Column]) -> pa.Table:
        return pa.Table.from_batches(form.batches(path, columns), arrow_schema(columns))

    return get
