r"""Rows that files of values have lost elsewhere: NULLs, headers, quotes, `\.`, cut files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from migrators.errors import CodeError, ExtractError
from tests.engine.journey import NOTES, inserts, numbered, quoted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.engine.journey import Journey

TEXTS = NOTES.format("Text")
LONE = 't("notes", Column("x", Text))\n'
THREE = 't("notes", Column("id", Integer, primary_key=True), Column("x", Text), Column("y", Text))'


def three(journey: Journey) -> Path:
    """Return a committed extract of two rows of `THREE`."""
    journey.schemas(THREE)
    rows = {"id": [1, 2], "x": ["left", None], "y": ["", "right"]}
    return journey.fixture(notes=pa.RecordBatch.from_pydict(rows))


def edit(source: Path, csv: str, change: Callable[[pa.Table], pa.Table]) -> None:
    """Write the one data file anew: as this text, or as Parquet changed so."""
    (file,) = (p for p in source.iterdir() if p.name != "manifest.json")
    if file.suffix == ".csv":
        file.write_text(csv, "utf-8")
    else:
        table = change(pq.read_table(file))
        plain = {"use_dictionary": False, "store_schema": False, "write_page_checksum": True}
        pq.write_table(table, file, **plain)


def test_a1_null_and_the_empty_string_stay_two_things(journey: Journey) -> None:
    """Beside each other, alone, and in a column of which all are one."""
    journey.schemas(
        't("notes", Column("id", Integer, primary_key=True), Column("x", Text),'
        ' Column("all_null", Text), Column("all_empty", Text), Column("bytes", LargeBinary))'
    )
    journey.arrives(inserts("notes", [(1, None, None, "", None), (2, "", None, "", b"")]))
    assert journey.shop.rows("SELECT count(*), count(x), count(bytes) FROM notes") == [(2, 1, 1)]


@pytest.mark.parametrize("declared", ["Text", "Integer", "LargeBinary", "Numeric(5, 2)", "Date"])
def test_a2_a_one_column_table_of_nulls_keeps_its_rows(journey: Journey, declared: str) -> None:
    """A blank line is a row where there is one column."""
    journey.schemas(f't("notes", Column("x", {declared}))')
    receipt = journey.arrives("INSERT INTO notes VALUES (NULL), (NULL), (NULL)")
    assert [(t.read, t.written) for t in receipt.tables] == [(3, 3)]
    assert journey.shop.rows("SELECT x FROM notes") == [(None,)] * 3


def test_a2_nulls_and_empty_strings_in_one_column_alone(journey: Journey) -> None:
    """First, last and in between."""
    journey.schemas(LONE)
    journey.arrives(inserts("notes", [(v,) for v in (None, "", None, "x", "", None)]))


def test_a3_words_that_others_take_for_null_are_text(journey: Journey) -> None:
    """Every spelling on pandas' list, and some more."""
    words = ["NA", "NULL", "None", "nan", "N/A", r"\N", "#N/A", "-nan", "<NA>", "null", "n/a", "~"]
    journey.schemas(TEXTS)
    journey.arrives(numbered([*words, None]))
    assert [x for _, x in journey.shop.rows("SELECT * FROM notes ORDER BY id")] == [*words, None]


def test_a4_a_row_that_is_just_backslash_dot(journey: Journey) -> None:
    """It ends no file."""
    journey.schemas(LONE)
    receipt = journey.arrives(inserts("notes", [("first",), (r"\.",), ("last",), (r"\.",)]))
    assert receipt.tables[0].written == 4


def test_a5_line_ends_quotes_bom_and_spaces_at_the_edges(journey: Journey) -> None:
    """LF, CRLF, bare CR, quotes, separators, byte order marks, spaces of all kinds."""
    texts = [
        "a\nb", "a\r\nb", "a\rb", "\n", "\r", "\r\n", '"', '""', '"a"', 'a"b', ',"', '",\n"', "a,b",
        "\ufeff", "\ufeffa", "a\ufeff", " a", "a ", " ", "\t", "\u00a0", "\u2028", "\x0b\x0c\x1f",
        "#", "'", "\\", "\\n", ";", "|", "\x85", "\x7f", "a\n\nb\n",
    ]  # fmt: skip
    journey.schemas(TEXTS + 't("alone", Column("x", Text))')
    journey.arrives(numbered(texts), inserts("alone", [(text,) for text in texts]))
    assert [x for (x,) in journey.shop.rows("SELECT x FROM notes ORDER BY id")] == texts


def test_a6_text_that_looks_like_something_else_stays_text(journey: Journey) -> None:
    """Nothing is inferred from what stands in a column."""
    texts = ["007", "true", "1e5", "2020-01-01", "1.50", "0x1F", "inf", "-0", "+1", "1_000", "[]"]
    journey.schemas(TEXTS + 't("short", Column("x", String(20), primary_key=True))')
    journey.arrives(numbered(texts), inserts("short", [(text,) for text in texts]))
    assert journey.shop.rows("SELECT DISTINCT typeof(x) FROM notes") == [("text",)]


def test_a7_columns_in_another_order_are_matched_by_name(journey: Journey) -> None:
    """In the new schema, and in a file that a person rearranged."""
    old = 't("notes", Column("id", Integer, primary_key=True), Column("x", Text), {})'
    journey.schemas(
        old.format('Column("y", Text)'),
        't("notes", Column("y", Text), Column("x", Text), Column("id", Integer, primary_key=True))',
    )
    journey.arrives(inserts("notes", [(1, "left", "right"), (2, None, "")]))
    assert journey.shop.rows("SELECT * FROM notes ORDER BY id") == [
        ("right", "left", 1),
        ("", None, 2),
    ]


def test_a7_a_rearranged_file_loads_by_name(journey: Journey) -> None:
    """A person may put the columns of a fixture in another order."""
    source = three(journey)
    edit(source, 'y,id,x\n"",1,left\nright,2,\n', lambda t: t.select(["y", "id", "x"]))
    journey.loads(source)
    assert journey.shop.rows("SELECT id, x, y FROM notes ORDER BY id") == [
        (1, "left", ""),
        (2, None, "right"),
    ]


@pytest.mark.parametrize(
    ("csv", "change", "said"),
    [
        (
            "id,x,x\n1,a,b\n",
            lambda t: t.rename_columns(["id", "x", "x"]),
            "column 'x' twice, no column 'y'",
        ),
        ("id,x\n1,a\n", lambda t: t.select(["id", "x"]), "no column 'y'"),
        ("id,x,y,z\n1,a,b,c\n", lambda t: t.append_column("z", t["x"]), "an extra column 'z'"),
        (
            "id,x,why\n1,a,b\n",
            lambda t: t.rename_columns(["id", "x", "why"]),
            "no column 'y', an extra column 'why'",
        ),
    ],
    ids=["duplicate", "missing", "extra", "misspelt"],
)
def test_a8_a_header_that_is_not_the_tables_is_refused(
    journey: Journey, csv: str, change: Callable[[pa.Table], pa.Table], said: str
) -> None:
    """Duplicate, missing, extra, misspelt: the file and the column are named."""
    source = three(journey)
    edit(source, csv, change)
    error = journey.not_loaded(source, ExtractError)
    assert error.message == f"notes.{journey.files} has {said}"


def test_a9_an_extract_cut_at_any_byte_is_refused(journey: Journey) -> None:
    """Its manifest says how long each file is, and what is in it."""
    journey.schemas(TEXTS)
    journey.shop.create(numbered(["a", None, "", 'say "so"', "two\nlines"]))
    source = journey.extract()
    file = source / f"notes.{journey.files}"
    whole = file.read_bytes()
    for size in range(0, len(whole), max(1, len(whole) // 40)):
        file.write_bytes(whole[:size])
        error = journey.not_loaded(source, ExtractError)
        assert f"{size} bytes instead of {len(whole)}" in error.message
    file.write_bytes(whole)
    journey.loads(source)


def test_a9_a_fixture_cut_anywhere_but_between_rows_is_refused(journey: Journey) -> None:
    """A committed file has no digest; CSV that ends at a line end is a smaller file, and good."""
    source = three(journey)
    file = source / f"notes.{journey.files}"
    whole = file.read_bytes()
    ends = {i for i in range(1, len(whole)) if whole[:i].endswith(b"\n")}
    good = ends if journey.files == "csv" else set()
    for size in sorted(set(range(0, len(whole), max(1, len(whole) // 60))) - good):
        file.write_bytes(whole[:size])
        error = journey.not_loaded(source, ExtractError)
        assert file.name in error.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('id,x,y\n1,"left,"",""\n', "opens a quote that nothing closes"),
        ('id,x,y\n1,"left\n2,b,c\n', "opens a quote that nothing closes"),
        ('id,x,y\n1,"left" over,b\n', "has text after a closing quote"),
        ('id,x,y\n1,5" pipe,b\n', "has a quote inside an unquoted field"),
    ],
)
def test_a9_an_unterminated_quote_is_refused_with_its_line(
    journey: Journey, text: str, said: str
) -> None:
    """Of CSV only: Parquet knows no quotes, and its damaged page is refused by checksum."""
    source = three(journey)
    file = source / f"notes.{journey.files}"
    if journey.files == "parquet":
        raw = bytearray(file.read_bytes())
        raw[raw.index(b"left")] ^= 1
        file.write_bytes(raw)
        said = "notes.parquet"
    else:
        file.write_text(text)
    assert said in journey.not_loaded(source, ExtractError).message


def test_a10_an_empty_table_keeps_its_types_and_its_no_rows(journey: Journey) -> None:
    """Types are the schema's, in the files and in the database, whatever rows there are."""
    journey.schemas(
        't("notes", Column("id", Integer, primary_key=True), Column("x", Text), Column("y", Uuid),'
        ' Column("d", Numeric(10, 2)), Column("t", DateTime), Column("b", LargeBinary))'
    )
    receipt = journey.arrives()
    assert [(t.table, t.read, t.written) for t in receipt.tables] == [("notes", 0, 0)]
    types = "SELECT name, type FROM pragma_table_xinfo('notes')"
    assert journey.shop.rows(types, 2) == journey.shop.rows(types, 1)
    source = journey.extract()
    if journey.files == "csv":
        assert (source / "notes.csv").read_text() == "id,x,y,d,t,b\n"
    else:
        found = pq.read_schema(source / "notes.parquet").types
        decimal, moment = pa.decimal128(10, 2), pa.timestamp("us")
        assert found == [pa.int64(), pa.string(), pa.binary(16), decimal, moment, pa.binary()]
    manifest = json.loads((source / "manifest.json").read_text())
    assert [(f["rows"]) for t in manifest["tables"] for f in t["files"]] == [0]


@pytest.mark.parametrize(
    "table",
    ['t("nothing")', 't("nothing", Column("x", Integer, sa.Computed("1 + 1")))'],
    ids=["no columns", "all generated"],
)
def test_a11_a_table_without_stored_columns_is_refused(journey: Journey, table: str) -> None:
    """SQLite has no such table, old or new; the schema that asks for one is refused by name."""
    journey.schemas(TEXTS, TEXTS + table)
    error = journey.refused(CodeError, numbered(["a"]))
    assert error.message == "v2.py: nothing has no column that is stored"


@pytest.mark.parametrize(
    ("csv", "line"),
    [("id,x,y\n1,a\n", 2), ("id,x,y\n1,a,b\n2,a,b,c\n", 3), ("id,x,y\n1,a,b\n\n", 3)],
    ids=["short", "long", "blank"],
)
def test_a12_a_ragged_row_is_refused(journey: Journey, csv: str, line: int) -> None:
    """CSV names the line; Parquet cannot be ragged, but rows may be missing from a column."""
    source = three(journey)
    if journey.files == "csv":
        edit(source, csv, lambda t: t)
        assert f"notes.csv:{line} " in journey.not_loaded(source, ExtractError).message
    else:
        file = source / "notes.parquet"
        raw = file.read_bytes()
        file.write_bytes(raw[:4] + raw[20:])  # the first column's rows
        assert "notes.parquet" in journey.not_loaded(source, ExtractError).message


def test_a13_formulas_and_signs_are_text(journey: Journey) -> None:
    """What a spreadsheet would run or reckon."""
    texts = ["=cmd|'/C calc'!A0", "-1", "@x", "+1+1", "=1+1", "\t=1", "-", "=", "@", "%0A", "'=1"]
    journey.schemas(TEXTS)
    journey.arrives(numbered(texts))


@pytest.mark.parametrize("size", [1_000_000, 9_000_000])
def test_a14_a_long_field_arrives_whole(journey: Journey, size: int) -> None:
    """Longer than a block of either format; a gigabyte is more than a test should take."""
    journey.schemas(NOTES.format("LargeBinary") + 't("texts", Column("x", Text))')
    receipt = journey.converts(
        f"INSERT INTO notes VALUES (1, randomblob({size})), (2, x'')",
        f"INSERT INTO texts VALUES (replace(hex(zeroblob({size} / 2)), '00', 'é\"'))",
    )
    assert receipt.tables[0].written == 2
    pair = [journey.shop.rows(f"SELECT x FROM {quoted(t)}", v) for t in ("notes", "texts")
            for v in (1, 2)]  # fmt: skip
    assert (pair[0], pair[2]) == (pair[1], pair[3])


def test_a14_a_record_past_the_limit_of_csv_is_refused(
    journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it would be written, with what to do; Parquet takes it. The limit is lowered."""
    from migrators.extracts import framing

    monkeypatch.setattr(framing, "BLOCK_BYTES", 1_000)
    monkeypatch.setattr(framing, "MAX_RECORD_BYTES", 5_000)
    journey.schemas(TEXTS)
    journey.shop.create(numbered(["short", "long" * 2_000]))
    if journey.files == "parquet":
        journey.goes()
        return
    error = journey.stops(ExtractError)
    assert error.message == "notes.csv: a record of more than 5000 bytes"
    assert "Parquet" in " ".join(error.hint)
