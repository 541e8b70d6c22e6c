"""Files that somebody made to do harm: bombs, forged sizes, code in metadata.

What a manifest's digests are worth against their own author is nothing, so these files are read
as if they were right.
"""

from __future__ import annotations

import pickle
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from migrators.errors import ExtractError
from migrators.extracts.parquet import Parquet
from migrators.schema import Column
from migrators.types import ColumnType, Kind

REPOSITORY = Path(__file__).parents[3]
TEXT = Column("text", ColumnType(Kind.TEXT), nullable=True)
PLAIN: dict[str, Any] = {
    "store_schema": False, "use_dictionary": False, "write_page_checksum": True,
    "compression": "zstd", "write_statistics": False,
}  # fmt: skip
PAGE = 4
"""Where the header of the first page begins, behind the magic."""


def read(path: Path) -> list[Any]:
    """Read a file's only column."""
    return [row for b in Parquet().batches(path, [TEXT]) for row in b.column(0).to_pylist()]


def written(path: Path, table: pa.Table, **options: Any) -> Path:
    """Write a table as another program would."""
    pq.write_table(table, path, **(PLAIN | options))
    return path


@pytest.mark.parametrize(("codec", "times"), [("zstd", 5_000), ("gzip", 500)])
def test_i114_a_column_that_unpacks_to_many_times_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: str, times: int
) -> None:
    """Said by its sizes before a byte of it is unpacked."""
    monkeypatch.setattr("migrators.extracts.footer.MAX_GROUP_BYTES", 2**24)  # a sixteenth
    texts = pa.array(["x" * 2**18]).take(pa.array([0] * 65))
    packed = {"compression": codec, "data_page_size": 2**30}
    path = written(tmp_path / "t.parquet", pa.table({"text": texts}), **packed)
    assert texts.nbytes > times * path.stat().st_size
    held = pa.total_allocated_bytes()
    with pytest.raises(ExtractError, match=r"row group 0 claims \d+ bytes in several rows"):
        read(path)
    assert pa.total_allocated_bytes() <= held


def test_i114_one_long_row_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value may be longer than a group of rows may."""
    monkeypatch.setattr("migrators.extracts.footer.MAX_GROUP_BYTES", 2**24)
    path = tmp_path / "t.parquet"
    with Parquet().writer(path, [TEXT]) as writer:
        writer.write(pa.record_batch({"text": ["short", "x" * (2**25), "short"]}))
    assert [len(text) for text in read(path)] == [5, 2**25, 5]


def _forged(path: Path, at: int, value: int) -> None:
    """Write another number of two bytes over one in a page's header (a zigzag varint)."""
    whole = bytearray(path.read_bytes())
    assert whole[at] & 0x80, "the number has two bytes"
    assert not whole[at + 1] & 0x80
    whole[at : at + 2] = bytes([value * 2 & 0x7F | 0x80, value * 2 >> 7])
    path.write_bytes(whole)


@pytest.mark.parametrize("value", [0, 100, 8_000])
@pytest.mark.parametrize("field", ["unpacked", "packed"])
def test_i114_a_page_that_says_another_size_than_the_footer(
    tmp_path: Path, field: str, value: int
) -> None:
    """No checksum covers a page's header: what it claims would be given the memory."""
    texts = [f"{i * i * 7_919 % 10_007}" for i in range(300)]
    path = written(tmp_path / "t.parquet", pa.table({"text": texts}))
    assert read(path) == texts
    start = path.read_bytes()[PAGE : PAGE + 8]
    assert (start[0], start[2], start[5]) == (0x15, 0x15, 0x15)  # three i32, one after the other
    _forged(path, PAGE + {"unpacked": 3, "packed": 6}[field], value)
    with pytest.raises(ExtractError, match="damaged"):
        read(path)


def test_h102_a_page_without_its_checksum(tmp_path: Path) -> None:
    """Nothing would see another byte in it."""
    path = written(tmp_path / "t.parquet", pa.table({"text": ["a"]}), write_page_checksum=False)
    with pytest.raises(ExtractError, match="damaged: the page at byte 4 is not as pages are"):
        read(path)


def test_i114_a_number_without_end(tmp_path: Path) -> None:
    """A footer of nothing but continued bytes: refused at the tenth, not after an hour."""
    path = tmp_path / "t.parquet"
    size = 2**22
    path.write_bytes(b"PAR1\x15" + b"\xff" * size + struct.pack("<I", size + 1) + b"PAR1")
    with pytest.raises(ExtractError, match="its footer cannot be read"):
        read(path)


class _Touch:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self._path,))


class _Foreign(pa.ExtensionType):  # type: ignore[misc]
    """An extension type; reading one back calls its class."""

    called = False

    def __init__(self) -> None:
        super().__init__(pa.string(), "tests.foreign")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage: pa.DataType, serialized: bytes) -> _Foreign:
        cls.called = True
        return cls()


@pytest.mark.parametrize("where", ["file", "column"])
def test_i113_a_pickle_is_never_loaded(tmp_path: Path, where: str) -> None:
    """In the file's metadata or in a column's: refused, unread."""
    canary = tmp_path / "canary"
    bad = {b"PY": pickle.dumps(_Touch(canary)), b"ARROW:extension:name": b"arrow.py_extension_type"}
    field = pa.field("text", pa.string(), metadata=bad if where == "column" else None)
    declared = pa.schema([field], metadata=bad if where == "file" else None)
    table = pa.table([pa.array(["a"])], schema=declared)
    path = written(tmp_path / "t.parquet", table, store_schema=True)
    with pytest.raises(ExtractError, match="carries metadata that no extract has"):
        read(path)
    assert not canary.exists()


def test_i113_an_extension_type_is_never_called(tmp_path: Path) -> None:
    """Though this process knows it."""
    array = pa.ExtensionArray.from_storage(_Foreign(), pa.array(["a"]))
    path = written(tmp_path / "t.parquet", pa.table({"text": array}), store_schema=True)
    pa.register_extension_type(_Foreign())
    try:
        _Foreign.called = False
        with pytest.raises(ExtractError, match="carries metadata that no extract has"):
            read(path)
        assert not _Foreign.called
    finally:
        pa.unregister_extension_type("tests.foreign")


_LINE = """
import resource, sys
from pathlib import Path
from migrators.errors import ExtractError
from migrators.extracts.csv import Csv
from migrators.schema import Column
from migrators.types import ColumnType, Kind
from tests.damage import peak

resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
columns = [Column("text", ColumnType(Kind.TEXT), nullable=True)]
try:
    print(sum(b.num_rows for b in Csv().batches(Path(sys.argv[1]), columns)))
except ExtractError as error:
    print(error.message)
print(peak())
"""


@pytest.mark.parametrize(
    ("filled", "says"),
    [
        (b"", "has more than 268435456 bytes in one record"),
        (b",", "has more than 16777216 quotes, or commas and line ends, in one record"),
        (b'"', "has more than 16777216 quotes, or commas and line ends, in one record"),
    ],
    ids=["nothing", "commas", "quotes"],
)
def test_i114_a_line_of_two_gigabytes(tmp_path: Path, filled: bytes, says: str) -> None:
    """Refused where a record would be too long, within a bound of memory, in a few seconds."""
    path = tmp_path / "t.csv"
    with path.open("wb") as file:
        file.write(b"text\n" + filled * 2**25)
        file.truncate(2**31)  # sparse: the rest takes no room
    done = subprocess.run(
        [sys.executable, "-c", _LINE, str(path)],
        cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    said, peak = done.stdout.splitlines()
    assert said == f"t.csv:2 {says}"
    assert int(peak) < 1_500 * 2**20
