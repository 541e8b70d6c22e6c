"""What a Parquet file of an extract is, and what is refused although it is Parquet."""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from migrators.errors import ExtractError
from migrators.extracts import batches as extract_batches
from migrators.extracts.interface import BATCH_ROWS
from migrators.extracts.parquet import Parquet
from migrators.schema import Column
from migrators.types import ColumnType, Kind

if TYPE_CHECKING:
    from pathlib import Path

ID = Column("id", ColumnType(Kind.INTEGER, bits=64), nullable=False)
TEXT = Column("text", ColumnType(Kind.TEXT), nullable=True)
PLAIN: dict[str, Any] = {"store_schema": False, "use_dictionary": False}


def read(path: Path, columns: list[Column]) -> list[pa.RecordBatch]:
    """Read a file."""
    return list(Parquet().batches(path, columns))


def written(path: Path, table: pa.Table, **options: Any) -> Path:
    """Write a table as another program would."""
    pq.write_table(table, path, **(PLAIN | options))
    return path


@pytest.mark.fault("H109")
def test_small_batches_are_joined_and_large_ones_cut(tmp_path: Path) -> None:
    """Row groups of `BATCH_ROWS` rows, whatever comes."""
    path = tmp_path / "t.parquet"
    with Parquet().writer(path, [ID]) as writer:
        for size in (10, 20, 150_000, 5):
            writer.write(pa.record_batch({"id": pa.array(range(size))}))
    footer = pq.read_metadata(path)
    groups = [footer.row_group(i).num_rows for i in range(footer.num_row_groups)]
    assert sum(groups) == 150_035
    assert max(groups) <= BATCH_ROWS
    assert len(groups) <= 5
    assert writer.entry.rows == 150_035


@pytest.mark.fault("H109")
def test_heavy_rows_make_small_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounded memory: a group weighs about `PIECE_BYTES`, and groups are read one by one."""
    from migrators.extracts import parquet

    monkeypatch.setattr(extract_batches, "PIECE_BYTES", 10_000)
    monkeypatch.setattr(parquet, "PIECE_BYTES", 10_000)
    path = tmp_path / "t.parquet"
    texts = [f"{i}".rjust(1_000) for i in range(100)]
    with Parquet().writer(path, [TEXT]) as writer:
        writer.write(pa.record_batch({"text": texts}))
    found = read(path, [TEXT])
    assert max(batch.nbytes for batch in found) <= 20_000
    assert [text for batch in found for text in batch.column(0).to_pylist()] == texts


@pytest.mark.parametrize(
    ("array", "column"),
    [
        (pa.array([1], pa.int32()), ID),
        (pa.array([1.0]), ID),
        (pa.array(["1"]), ID),
        (pa.array([b"a"]), TEXT),
        (pa.array([[1]]), ID),
        (pa.array([1], pa.timestamp("ns")), Column("x", ColumnType(Kind.TIMESTAMP), nullable=True)),
        (pa.array([1], pa.timestamp("us")), Column("x", ColumnType(Kind.INSTANT), nullable=True)),
    ],
)
def test_b25_another_type_is_refused(tmp_path: Path, array: pa.Array, column: Column) -> None:
    """C33, C40: no cast, however harmless it looks."""
    path = written(tmp_path / "t.parquet", pa.table({column.name: array}))
    with pytest.raises(ExtractError, match=f"t.parquet.*({column.name}: is|damaged|columns)"):
        read(path, [column])


def test_i113_metadata_is_refused_unread(tmp_path: Path) -> None:
    """Extension types and pickles come in the Arrow schema that a file may carry."""
    table = pa.table({"id": pa.array([1])})
    path = written(tmp_path / "t.parquet", table, store_schema=True)
    with pytest.raises(ExtractError, match="carries metadata that no extract has"):
        read(path, [ID])


def test_i114_a_dictionary_is_refused(tmp_path: Path) -> None:
    """One long text repeated by number: a megabyte in the file, a terabyte in memory."""
    table = pa.table({"text": ["x" * 1_000] * 1_000})
    path = written(tmp_path / "t.parquet", table, use_dictionary=True)
    with pytest.raises(ExtractError, match="row group 0 has a dictionary"):
        read(path, [TEXT])


def test_i114_a_row_group_of_too_many_rows(tmp_path: Path) -> None:
    """Two million NULLs are a few bytes."""
    table = pa.table({"id": pa.nulls(2**21, pa.int64())})
    path = written(tmp_path / "t.parquet", table, row_group_size=2**21)
    with pytest.raises(ExtractError, match="row group 0 claims 2097152 rows"):
        read(path, [ID])


def test_i114_forged_length_of_the_footer(tmp_path: Path) -> None:
    """Larger than the file, and negative."""
    path = written(tmp_path / "t.parquet", pa.table({"id": pa.array([1])}))
    whole = path.read_bytes()
    for forged in (0, len(whole), 2**31 - 1, 2**32 - 1):
        path.write_bytes(whole[:-8] + struct.pack("<I", forged) + b"PAR1")
        with pytest.raises(ExtractError, match="does not end as a Parquet file"):
            read(path, [ID])


def test_every_flipped_bit_of_a_footer_is_survived(tmp_path: Path) -> None:
    """Pyarrow alone ends the process on some of them (26.0): an error, or the same rows."""
    path = tmp_path / "t.parquet"
    with Parquet().writer(path, [ID, TEXT]) as writer:
        writer.write(pa.record_batch({"id": pa.array([1, 2]), "text": ["a", None]}))
    whole = path.read_bytes()
    footer = len(whole) - 8 - struct.unpack("<I", whole[-8:-4])[0]
    wrong = []
    for bit in range(footer * 8, len(whole) * 8):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        try:
            found = [row for batch in read(path, [ID, TEXT]) for row in batch.to_pylist()]
        except ExtractError:
            continue
        if found != [{"id": 1, "text": "a"}, {"id": 2, "text": None}]:
            wrong.append(bit)
    assert wrong == []


def test_rubbish_is_refused(tmp_path: Path) -> None:
    """Random bytes between the right ends."""
    chance = random.Random(3)  # noqa: S311
    path = tmp_path / "t.parquet"
    for size in [*range(40), 1_000, 10_000]:
        noise = chance.randbytes(size)
        path.write_bytes(b"PAR1" + noise + struct.pack("<I", size) + b"PAR1")
        with pytest.raises(ExtractError, match="damaged"):
            read(path, [ID])
