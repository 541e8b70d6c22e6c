"""CSV files that a person, an editor or a spreadsheet changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from migrators.errors import ExtractError
from migrators.extracts import framing
from migrators.extracts.csv import Csv
from migrators.schema import Column
from migrators.types import ColumnType, Kind

if TYPE_CHECKING:
    from pathlib import Path

ID = Column("id", ColumnType(Kind.INTEGER, bits=64), nullable=False)
TEXT = Column("text", ColumnType(Kind.TEXT), nullable=True)
PAID = Column("paid", ColumnType(Kind.DECIMAL, precision=5, scale=2), nullable=True)
COLUMNS = [ID, TEXT, PAID]


def rows(path: Path, columns: list[Column] = COLUMNS) -> list[dict[str, Any]]:
    """Read all rows."""
    return [row for batch in Csv().batches(path, columns) for row in batch.to_pylist()]


def test_the_file_reads_as_documented(tmp_path: Path) -> None:
    """The exact bytes, so that a diff in git shows what changed and no more."""
    import pyarrow as pa

    path = tmp_path / "t.csv"
    text = pa.array(['Zoë "Z"', None, ""])
    paid = pa.array(["12.50", None, "0.00"]).cast(pa.decimal128(5, 2))
    with Csv().writer(path, COLUMNS) as writer:
        writer.write(pa.record_batch([pa.array([1, 2, 3]), text, paid], ["id", "text", "paid"]))
    assert path.read_text() == 'id,text,paid\n1,"Zoë ""Z""",12.50\n2,,\n3,"",0.00\n'


def test_binary_is_hexadecimal_and_empty_binary_is_quoted(tmp_path: Path) -> None:
    """NULL, empty and bytes are three things."""
    import pyarrow as pa

    blob = Column("b", ColumnType(Kind.BINARY), nullable=True)
    path = tmp_path / "t.csv"
    with Csv().writer(path, [blob]) as writer:
        writer.write(pa.record_batch([pa.array([None, b"", b"\x00\xff"], pa.binary())], ["b"]))
    assert path.read_bytes() == b'b\n\n""\n00ff\n'


def test_hand_edits_that_are_taken(tmp_path: Path) -> None:
    """Text without quotes, quoted numbers, reordered columns, fewer digits."""
    path = tmp_path / "t.csv"
    path.write_text('paid,"id",text\n1.5,"1",plain text\n,2, edge \n')
    assert [tuple(str(v) for v in row.values()) for row in rows(path)] == [
        ("1", "plain text", "1.50"),
        ("2", " edge ", "None"),
    ]


def test_an_empty_field_where_a_value_must_be(tmp_path: Path) -> None:
    """Named by its line, a text that is empty is another thing."""
    path = tmp_path / "t.csv"
    name = Column("name", ColumnType(Kind.TEXT), nullable=False)
    path.write_text('id,name\n1,"a\nb"\n2,\n')
    with pytest.raises(
        ExtractError, match=r"^t\.csv:4 name: is empty, which is NULL, and"
    ) as caught:
        rows(path, [ID, name])
    assert caught.value.hint == ('write a value there: "" is an empty text, or delete the row',)
    path.write_text('id,name\n1,"a"\n2,""\n')
    assert [row["name"] for row in rows(path, [ID, name])] == ["a", ""]
    path.write_text('id,name\n1,"a"\n,"b"\n')
    with pytest.raises(ExtractError, match=r"^t\.csv:3 id: is empty") as caught:
        rows(path, [ID, name])
    assert caught.value.hint == ("write a value there, or delete the row",)


H = "id,text,paid\n"
REFUSED = [
    ("", "t.csv:1 is missing: the file is empty"),
    ("\n", "t.csv has no column 'id'"),
    ("\ufeff" + H, "t.csv:1 begins with a byte order mark"),
    (H.replace("text", "id"), "column 'id' twice, no column 'text'"),
    (H + "1,a\n", "t.csv:2 has 2 fields, not 3"),
    (H + '1,"a\nb",\n2,b,0,\n', "t.csv:4 has 4 fields, not 3"),
    (H + "1,a,\n\n2,b,\n", "t.csv:3 is blank"),
    (H + "1,a,\n\n", "t.csv:3 is blank"),
    (H + "1,a,0", "t.csv:2 does not end in a line end"),
    (H + '1,"a\n2,b,0\n', "t.csv:2 opens a quote that nothing closes"),
    (H + '1,"a"x,0\n', "t.csv:2 has text after a closing quote"),
    (H + '1,5" pipe,0\n', "t.csv:2 has a quote inside an unquoted field"),
    (H + '1,5" pipe,0\n2,6" pipe,0\n', "t.csv:2 has a quote inside an unquoted field"),
    (H + '1,"a\n\n" ,0\n', "t.csv:4 has text after a closing quote"),
    (H.replace("\n", "\r\n") + "1,a,0\r\n", "t.csv:1 has a CR outside quotes"),
    (H + '1,,"a"\r\n', "t.csv:2 has a CR outside quotes"),
    (H + "1,a\rb,0\n", "t.csv:2 has a CR outside quotes"),
]


@pytest.mark.parametrize(("text", "says"), REFUSED)
def test_what_is_refused_and_where(tmp_path: Path, text: str, says: str) -> None:
    """A8, A9, A12, B20, I120: with file, true line and column; no value, which may be personal."""
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode())
    with pytest.raises(ExtractError, match=says):
        rows(path)


UNLIKE = [
    (H + '1,"a\nb",0\n2,"",\nx,,\n', r"t.csv:5 id: is not an integer of 64 bits", "'x'"),
    (H + '1,"a\n\n\n",1e2\n', r"t.csv:5 paid: is not a decimal\(5,2\)", "'1e2'"),
    (H + '1,,""\n', r"t.csv:2 paid: is not a decimal\(5,2\)", "''"),
    (H + " 1,,\n", "t.csv:2 id: is not an integer", "' 1'"),
    (H + "1,,1.239\n", r"t.csv:2 paid: is not a decimal\(5,2\)", "'1.239'"),
    (H + "\x1b[31m,,\n", "t.csv:2 id: is not an integer", r"'\x1b[31m'"),
]


@pytest.mark.parametrize(("text", "says", "value"), UNLIKE)
def test_what_is_no_value_is_not_in_the_message(
    tmp_path: Path, text: str, says: str, value: str
) -> None:
    """A8, B20, I120: file, line and column are; the value, escaped, is for who asks to see it."""
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode())
    with pytest.raises(ExtractError, match=says) as refused:
        rows(path)
    assert refused.value.values == (value,)
    assert value not in refused.value.message


def test_d48_bytes_that_are_not_utf_8(tmp_path: Path) -> None:
    """Refused with the line; the bytes are for who asks to see them."""
    path = tmp_path / "t.csv"
    path.write_bytes(H.encode() + b'1,"a\n",\n2,caf\xe9,\n')
    with pytest.raises(ExtractError, match=r"t.csv:4 is not UTF-8$") as refused:
        rows(path)
    assert refused.value.values == ("636166e9",)


def test_a_character_cut_between_two_fields_is_not_utf_8(tmp_path: Path) -> None:
    """Two broken halves do not make a whole, though they are next to each other in memory."""
    path = tmp_path / "t.csv"
    other = Column("other", ColumnType(Kind.TEXT), nullable=True)
    path.write_bytes(b"text,other\na\xc3,\xa9b\n")
    with pytest.raises(ExtractError, match=r"t.csv:2 is not UTF-8$") as refused:
        rows(path, [TEXT, other])
    assert refused.value.values == ("61c3",)


def test_blocks_of_any_size_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a block ends: in a quote, between two, in a character, in a line end."""
    path = tmp_path / "t.csv"
    text = H + '1,"a""b\r\n,""",1\n2,"","0.5"\n3,é,\n' + '4,"""",\n' * 3
    path.write_bytes(text.encode())
    whole = rows(path)
    for size in range(1, 40):
        monkeypatch.setattr(framing, "BLOCK_BYTES", size)
        assert rows(path) == whole
    path.write_bytes((text + "x,,\n").encode())
    with pytest.raises(ExtractError, match=r"t.csv:9 id: is not an integer"):
        rows(path)


def test_i114_a_line_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused once it is longer than a record may be, not read to its end."""
    monkeypatch.setattr(framing, "MAX_RECORD_BYTES", 2**16)
    monkeypatch.setattr(framing, "BLOCK_BYTES", 2**12)
    path = tmp_path / "t.csv"
    path.write_bytes(H.encode() + b"1," + b"x" * 2**20)
    with pytest.raises(ExtractError, match=r"t.csv:2 has more than 65536 bytes in one record"):
        rows(path)


def test_a14_a_record_that_could_not_be_read_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer has the reader's limit, and leaves nothing behind."""
    import pyarrow as pa

    monkeypatch.setattr(framing, "MAX_RECORD_BYTES", 100)
    with (
        pytest.raises(ExtractError, match="a record of more than 100 bytes"),
        Csv().writer(tmp_path / "t.csv", [TEXT]) as writer,
    ):
        writer.write(pa.record_batch([pa.array(["x" * 100])], ["text"]))
    assert list(tmp_path.iterdir()) == []
