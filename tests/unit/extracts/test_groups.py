"""Equal rows give equal files, whatever batches they come in."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from migrators.extracts import parquet
from migrators.extracts.parquet import Parquet
from migrators.schema import Column
from migrators.types import ColumnType, Kind

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = [
    Column("id", ColumnType(Kind.INTEGER, bits=64), nullable=False),
    Column("text", ColumnType(Kind.TEXT), nullable=True),
    Column("flag", ColumnType(Kind.BOOLEAN), nullable=True),
    Column("uuid", ColumnType(Kind.UUID), nullable=True),
    Column("bytes", ColumnType(Kind.BINARY), nullable=True),
]


def rows(count: int) -> pa.RecordBatch:
    """Return rows of very different weight, with NULLs among them."""
    choose = random.Random(5)  # noqa: S311  the same each time
    texts = [choose.choice([None, "", "é" * choose.randrange(2_000)]) for _ in range(count)]
    values = [
        range(count),
        texts,
        [choose.choice([True, False, None]) for _ in range(count)],
        [choose.choice([None, bytes([n % 256]) * 16]) for n in range(count)],
        [None if text is None else text.encode() for text in texts],
    ]
    arrays = [pa.array(v, c.type.arrow) for v, c in zip(values, COLUMNS, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, names=[c.name for c in COLUMNS])


@pytest.mark.parametrize("size", [1, 7, 250, 599])
def test_the_file_is_the_same_in_batches_of_any_size(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Groups end where rows are many, or heavy, or where one alone is too heavy."""
    monkeypatch.setattr(parquet, "BATCH_ROWS", 100)
    monkeypatch.setattr(parquet, "PIECE_BYTES", 3_000)
    batch = rows(600)
    files = []
    for name, step in (("whole", len(batch)), ("cut", size)):
        with Parquet().writer(tmp_path / f"{name}.parquet", COLUMNS) as writer:
            for at in range(0, len(batch), step):
                writer.write(batch.slice(at, step))
        files.append((tmp_path / f"{name}.parquet").read_bytes())
    assert files[0] == files[1]
    assert pa.Table.from_batches(Parquet().batches(tmp_path / "cut.parquet", COLUMNS)) == (
        pa.Table.from_batches([batch])
    )
