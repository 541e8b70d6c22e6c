"""FAULTS A1 to A13 and the awkward values, on CSV and Parquet alike."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from migrators.errors import ExtractError
from migrators.schema import Column
from migrators.types import ColumnType, Kind

if TYPE_CHECKING:
    from migrators.extracts.interface import Format

Write = Callable[..., Path]
Read = Callable[..., pa.Table]
MAX_UNSIGNED = 2**64 - 1


def column(name: str, kind: Kind, **facts: Any) -> Column:
    """Return a nullable column."""
    return Column(name, ColumnType(kind, **facts), nullable=True)


ID = column("id", Kind.INTEGER, bits=64)
TEXT = column("text", Kind.TEXT)


def same(write: Write, read: Read, column: Column, values: list[Any]) -> None:
    """Assert that values come back exactly, alone in a table and beside another column."""
    numbers = list(range(len(values)))
    expected = pa.array(values, column.type.arrow)
    alone = read(write([column], values), [column])
    assert alone.column(0).combine_chunks().equals(expected)
    row = Column("row", ID.type, nullable=False)
    beside = read(write([row, column], numbers, values), [row, column])
    assert beside.column(1).combine_chunks().equals(expected)
    assert beside.column(0).to_pylist() == numbers


def test_a1_null_is_not_the_empty_string(write: Write, read: Read) -> None:
    """Both stay what they are."""
    same(write, read, TEXT, ["", None, "", "a", None])


def test_a2_a_one_column_table_of_nulls_keeps_its_rows(write: Write, read: Read) -> None:
    """Blank lines are rows there."""
    same(write, read, TEXT, [None] * 5)
    same(write, read, column("n", Kind.INTEGER, bits=32), [None, 1, None])


def test_a3_strings_that_look_like_null(write: Write, read: Read) -> None:
    """None of them is NULL."""
    same(write, read, TEXT, ["NA", "NULL", "None", "nan", "N/A", r"\N", "null", "NaN", None])


def test_a4_a_row_that_is_just_backslash_dot(write: Write, read: Read) -> None:
    """It ends COPY's input in old PostgreSQL, and nothing here."""
    same(write, read, TEXT, ["before", r"\.", "after"])


def test_a5_line_ends_quotes_bom_and_edge_spaces(write: Write, read: Read) -> None:
    """Every character of a text stays."""
    odd = ["\n", "\r\n", "\r", '"', '""', '"a"', "a,b", " edge ", "\t", "\ufeffx", "x\n", '\n"\n']
    same(write, read, TEXT, [*odd, *(a + b for a in odd for b in odd)])


def test_a6_text_that_looks_like_another_type(write: Write, read: Read) -> None:
    """Text stays text."""
    same(write, read, TEXT, ["007", "true", "1e5", "2020-01-01", "0x1F", "1,234"])


def test_a7_column_order_differs(write: Write, read: Read) -> None:
    """Columns are matched by name and come in the order asked for."""
    path = write([ID, TEXT], [1, 2], ["a", "b"])
    assert read(path, [TEXT, ID]).to_pydict() == {"text": ["a", "b"], "id": [1, 2]}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ([ID], "an extra column 'text'"),
        ([ID, TEXT, column("more", Kind.TEXT)], "no column 'more'"),
        ([ID, column("tex", Kind.TEXT)], "no column 'tex', an extra column 'text'"),
    ],
)
def test_a8_missing_or_extra_header(
    write: Write, read: Read, asked: list[Column], says: str
) -> None:
    """Refused by name."""
    path = write([ID, TEXT], [1], ["a"])
    with pytest.raises(ExtractError, match=says):
        read(path, asked)


def test_a8_duplicate_header(write: Write, read: Read) -> None:
    """Refused by name."""
    path = write([ID, ID], [1], [2])
    with pytest.raises(ExtractError, match="column 'id' twice"):
        read(path, [ID, TEXT])


def test_a9_a_file_cut_at_any_byte(write: Write, read: Read, form: Format) -> None:
    """Refused; a CSV cut between two records is whole, its manifest knows of the others."""
    path = write([ID, TEXT], [1, 2, 3], ['a\n"b', "", None])
    whole = path.read_bytes()
    taken = []
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        try:
            taken.append(read(path, [ID, TEXT]).num_rows)
        except ExtractError:
            continue
    assert taken == ([0, 1, 2] if form.name == "csv" else [])


def test_a10_an_empty_table(write: Write, read: Read) -> None:
    """Its types and its no rows are kept."""
    found = read(write([ID, TEXT], [], []), [ID, TEXT])
    assert (found.num_rows, found.schema.types) == (0, [pa.int64(), pa.string()])


def test_a11_a_table_without_stored_columns(form: Format, tmp_path: Path, read: Read) -> None:
    """Refused when writing and when reading: its count would be lost."""
    with pytest.raises(ExtractError, match="the table stores no column"):
        form.writer(tmp_path / "t", [])
    (tmp_path / "t").write_bytes(b"\n\n")
    with pytest.raises(ExtractError, match="the table stores no column"):
        read(tmp_path / "t", [])


def test_a12_ragged_rows_cannot_be_written(form: Format, tmp_path: Path) -> None:
    """A batch of other columns is refused; what is ragged by hand: test_csv_by_hand."""
    with (
        pytest.raises(ExtractError, match="is not what is declared"),
        form.writer(tmp_path / "t", [ID, TEXT]) as writer,
    ):
        writer.write(pa.record_batch([pa.array([1])], names=["id"]))
    assert list(tmp_path.iterdir()) == []


def test_a13_formulas(write: Write, read: Read) -> None:
    """They are text like any other."""
    same(write, read, TEXT, ["=cmd|' /C calc'!A0", "-1", "@x", "+1"])


def test_b15_nullable_bigint_beyond_2_to_the_53(write: Write, read: Read) -> None:
    """No float is in between."""
    same(write, read, ID, [2**53 + 1, None, -(2**63), 2**63 - 1])


def test_b18_decimals_of_up_to_76_digits(write: Write, read: Read) -> None:
    """Any scale."""
    wide = column("d", Kind.DECIMAL, precision=76, scale=76)
    same(write, read, wide, [Decimal("0." + "9" * 76), Decimal("-1E-76"), None])
    whole = column("d", Kind.DECIMAL, precision=76)
    same(write, read, whole, [Decimal("9" * 76), Decimal(MAX_UNSIGNED)])
    same(write, read, column("d", Kind.DECIMAL, precision=5, scale=2), [Decimal("-999.99")])


def test_b22_b23_doubles(write: Write, read: Read) -> None:
    """Signed zero, subnormals, infinities, and NaN beside NULL."""
    values = [-0.0, 0.0, 5e-324, 1.7976931348623157e308, float("inf"), float("-inf"), 0.1 + 0.2]
    same(write, read, column("f", Kind.FLOAT), values)
    odd = column("f", Kind.FLOAT)
    found = read(write([odd], [None, float("nan"), -0.0]), [odd])
    assert repr(found.column(0).to_pylist()) == "[None, nan, -0.0]"


@pytest.mark.parametrize("kind", [Kind.DATE, Kind.TIMESTAMP, Kind.INSTANT])
@pytest.mark.parametrize("edge", ["before", "after"])
def test_c36_c37_years_outside_1_to_9999(write: Write, kind: Kind, edge: str) -> None:
    """Refused when written: nothing else could read them."""
    day = {"before": -719_163, "after": 2_932_897}[edge]
    value = day if kind is Kind.DATE else day * 86_400_000_000
    with pytest.raises(ExtractError, match="t: is not in the years 0001 to 9999"):
        write([column("t", kind)], [value])


def test_the_edges_of_time(write: Write, read: Read) -> None:
    """The first and the last of each kind."""
    same(write, read, column("d", Kind.DATE), [date(1, 1, 1), date(9999, 12, 31), None])
    same(write, read, column("t", Kind.TIME), [time(0), time(23, 59, 59, 999999), None])
    first, last = "0001-01-01", "9999-12-31 23:59:59.999999"
    edges = [datetime.fromisoformat(first), datetime.fromisoformat(last), None]
    same(write, read, column("t", Kind.TIMESTAMP), edges)
    aware = [e and e.replace(tzinfo=UTC) for e in edges]
    same(write, read, column("t", Kind.INSTANT), aware)
    same(write, read, column("i", Kind.INTERVAL), [0, -(2**63), 2**63 - 1, None])


def test_c41_24_o_clock(form: Format, tmp_path: Path) -> None:
    """Refused, not turned into midnight."""
    at = column("t", Kind.TIME)
    with (
        pytest.raises(ExtractError, match="not within the acceptable range"),
        form.writer(tmp_path / "t", [at]) as writer,
    ):
        writer.write(pa.record_batch([pa.array([86_400_000_000], at.type.arrow)], names=["t"]))


def test_d46_a_nul_in_text(write: Write, read: Read) -> None:
    """Kept: whether a database can hold it is the backend's to say."""
    same(write, read, TEXT, ["a\0b", "\0"])


def test_d48_bytes_that_are_not_utf_8(form: Format, tmp_path: Path) -> None:
    """Refused when written, naming the column."""
    array = pa.array([b"ok", b"\xff\xfe"]).view(pa.string())
    with (
        pytest.raises(ExtractError, match=r"text: .*UTF8"),
        form.writer(tmp_path / "t", [TEXT]) as writer,
    ):
        writer.write(pa.record_batch([array], names=["text"]))


def test_d49_d54_text_by_bytes(write: Write, read: Read) -> None:
    """Emoji; composed and decomposed; joiners; right to left."""
    same(write, read, TEXT, ["🎉", "é", "e\u0301", "👨\u200d👩", "\u202eabc", "שלום", "\u2028"])


def test_d55_blobs(write: Write, read: Read) -> None:
    """Empty is not NULL, and every byte is itself."""
    blob = column("b", Kind.BINARY)
    same(write, read, blob, [b"", None, bytes(range(256)), b"\0", b'\n\r,"'])
    same(write, read, column("u", Kind.UUID), [bytes(16), b"\xff" * 16, None])


def test_f65_names_of_columns(write: Write, read: Read) -> None:
    """Reserved, quoted, with newline, dot, comma, emoji, 64 bytes, or nothing at all."""
    names = ["select", "A", "a", 'q"q', "n\nn", "a.b", "a,b", "🎉", "x" * 64, "", " ", "\ufeffx"]
    columns = [column(name, Kind.TEXT) for name in names]
    found = read(write(columns, *([[name] for name in names])), columns[::-1])
    assert found.column_names == names[::-1]
    assert [found.column(i)[0].as_py() for i in range(len(names))] == names[::-1]


def test_h102_any_flipped_bit_of_a_parquet_file(tmp_path: Path) -> None:
    """Page checksums: what is read is what was written, or nothing is."""
    from migrators.extracts.parquet import Parquet

    values = pa.record_batch({"id": pa.array(range(200)), "text": [f"row {i}" for i in range(200)]})
    path = tmp_path / "t.parquet"
    with Parquet().writer(path, [ID, TEXT]) as writer:
        writer.write(values)
    whole = path.read_bytes()
    chance = random.Random(1)  # noqa: S311
    wrong = []
    for _ in range(400):
        bit = chance.randrange(len(whole) * 8)
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        try:
            found = pa.Table.from_batches(Parquet().batches(path, [ID, TEXT]), values.schema)
        except ExtractError:
            continue
        if not found.equals(pa.Table.from_batches([values])):
            wrong.append(bit)
    assert wrong == []
