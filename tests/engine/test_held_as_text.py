"""Columns with a value that Arrow's type does not hold go as text, whole, and the manifest says so.

SQLite stores any text in a column of dates and its backend refuses what is none. A server's
backend says `NotHeld` instead, and takes the column as text: so does SQLite's in this file,
between real files with real rows.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from migrators.backends.sqlite.backend import SQLiteBackend
from migrators.backends.sqlite.snapshot import SQLiteSnapshot
from migrators.errors import ExtractError, NotHeld, ValueRefused
from migrators.events import silent
from migrators.extracts.directory import ExtractReader, ExtractWriter
from migrators.run import Options, extract_only
from migrators.schema import Column, load_schema
from migrators.testing import seed
from migrators.types import ColumnType, Kind
from tests.engine.journey import NOTES, named, numbered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrators.backends.interface import ReadQuery
    from tests.engine.journey import Journey

DATES = ["infinity", "2024-02-29", None, "294276-12-31", "0044-03-15 BC"]
IN_TEXT = ColumnType(Kind.DATE, as_text=True)


@pytest.fixture
def like_a_server(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let SQLite's backend answer for dates as a server's does."""
    plain = SQLiteSnapshot.batches

    def batches(self: SQLiteSnapshot, query: ReadQuery) -> Iterator[pa.RecordBatch]:
        try:
            yield from plain(self, query)
        except ValueRefused as error:
            found = [c for c in query.columns if c.source == error.column]
            if not found or not found[0].type.may_be_text or found[0].type.as_text:
                raise
            held = NotHeld(
                error.table, error.column, error.reason, count=error.count, samples=error.samples
            )
            held.labels = (found[0].name,)
            raise held from None

    def takes_text(_self: SQLiteBackend, declared: ColumnType) -> bool:
        return declared.kind is Kind.DATE

    monkeypatch.setattr(SQLiteSnapshot, "batches", batches)
    monkeypatch.setattr(SQLiteBackend, "takes_text", takes_text)
    return monkeypatch


def forms(path: Path, table: str = "notes") -> dict[str, str]:
    """Return how the manifest says that a table's columns are held."""
    manifest = json.loads((path / "manifest.json").read_text("utf-8"))
    [found] = [t for t in manifest["tables"] if t["name"] == table]
    return {c["name"]: c.get("form", "native") for c in found["columns"]}


@pytest.mark.usefixtures("like_a_server")
def test_c35_infinity_arrives_where_it_can_be(journey: Journey) -> None:
    """Beside ordinary dates and NULL, and years of six digits, every cell as it was."""
    journey.schemas(NOTES.format("Date"))
    journey.arrives(numbered(DATES))


@pytest.mark.usefixtures("like_a_server")
def test_the_manifest_says_which_columns_are_text(journey: Journey) -> None:
    """Only those that need it; the other table's dates are dates."""
    journey.schemas(NOTES.format("Date") + 't("calm", Column("id", Date, primary_key=True))')
    journey.shop.create(numbered(DATES), "INSERT INTO calm VALUES ('2024-02-29')")
    path = journey.extract()
    assert forms(path) == {"id": "native", "x": "text"}
    assert forms(path, "calm") == {"id": "native"}


@pytest.mark.usefixtures("like_a_server")
def test_a_test_starts_from_a_column_that_is_text(journey: Journey) -> None:
    """Committed fixtures are held to their types, and these values to the forms of text."""
    journey.schemas(NOTES.format("Date"))
    journey.shop.create(numbered(DATES))
    place = journey.shop.project.fixtures(1)
    extract_only(journey.shop.project, [(1, 1)], place, Options(), emit=silent)
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    seed(engine, place)
    with engine.connect() as connection:
        found = connection.execute(sa.text("SELECT x FROM notes ORDER BY id")).scalars().all()
    assert found == DATES


@pytest.mark.usefixtures("like_a_server")
def test_a_key_may_be_text(journey: Journey) -> None:
    """Rows keep one order, and are compared by it."""
    journey.schemas('t("days", Column("day", Date, primary_key=True), Column("x", Integer))')
    journey.arrives("INSERT INTO days VALUES ('infinity', 1), ('2024-02-29', 2), ('-infinity', 3)")


@pytest.mark.usefixtures("like_a_server")
def test_every_source_of_the_column_gives_text(journey: Journey) -> None:
    """One of two tables has the value; the other's dates are written as text beside it."""
    old = NOTES.format("Date") + NOTES.replace("notes", "more").format("Date")
    step = """
        step.table(new.notes)
        step.table(new.notes, source=old.more).values(id=old.more.c.id + 100)
        """
    journey.schemas(old, NOTES.format("Date"), step)
    journey.converts(numbered(["infinity", None]), numbered(["2024-02-29"], "more"))
    expected = [(1, "infinity"), (2, None), (101, "2024-02-29")]
    assert journey.shop.rows("SELECT id, x FROM notes ORDER BY id") == expected


@pytest.mark.usefixtures("like_a_server")
def test_a_rule_needs_the_value_as_it_is(journey: Journey) -> None:
    """What is computed from the column cannot be: the value is refused by name."""
    journey.schemas(
        NOTES.format("Date"),
        NOTES.format("Text"),
        "step.table(new.notes).values(x=rules.text(old.notes.c.x))",
    )
    error = journey.refused(ValueRefused, numbered(DATES))
    assert named(error)[:2] == ("notes", "x")
    assert error.count == 3


def test_c35_infinity_is_refused_by_a_database_that_holds_none(
    journey: Journey, like_a_server: pytest.MonkeyPatch
) -> None:
    """By table, column and key, before anything is visible."""
    journey.schemas(NOTES.format("Date"))
    journey.shop.create(numbered(DATES))
    path = journey.extract()
    like_a_server.undo()
    error = journey.not_loaded(path, ValueRefused)
    assert named(error) == ("notes", "x", 3, ["id 1", "id 4", "id 5"])
    assert error.reason == "is no date that this database holds"


def in_text(journey: Journey, texts: list[str | None]) -> Path:
    """Write an extract of schema 2 whose column x is held as text."""
    schema = load_schema(journey.shop.project, 2)
    columns = (schema.tables["notes"].column["id"], Column("x", IN_TEXT, nullable=True))
    path = journey.shop.root / "extract"
    writer = ExtractWriter(path, schema, journey.files)
    with writer.table("notes", ordered=True, columns=columns) as sink:
        arrays = [pa.array(range(1, len(texts) + 1), pa.int64()), pa.array(texts, pa.string())]
        sink.write(pa.RecordBatch.from_arrays(arrays, names=["id", "x"]))
    writer.finish()
    return path


def test_text_that_arrow_holds_after_all_is_loaded(journey: Journey) -> None:
    """A database that takes no text gets the dates, and is compared with them."""
    journey.schemas(NOTES.format("Date"))
    journey.loads(in_text(journey, ["2024-02-29", None, "0001-01-01"]))
    expected = [("2024-02-29",), (None,), ("0001-01-01",)]
    assert journey.shop.rows("SELECT x FROM notes ORDER BY id") == expected


def test_the_reader_gives_what_the_manifest_says(journey: Journey) -> None:
    """Strings, where the declared type is a date."""
    journey.schemas(NOTES.format("Date"))
    path = in_text(journey, ["infinity"])
    reader = ExtractReader.open(path, load_schema(journey.shop.project, 2))
    assert reader.columns("notes")[1].type == IN_TEXT
    assert [b["x"].to_pylist() for b in reader.batches("notes")] == [["infinity"]]


def test_i119_a_number_is_never_said_to_be_text(journey: Journey) -> None:
    """A manifest is not trusted: only kinds that may be text may be."""
    journey.schemas(NOTES.format("Date"))
    path = in_text(journey, ["infinity"]) / "manifest.json"
    said: dict[str, Any] = json.loads(path.read_text("utf-8"))
    del said["sha256"]
    said["tables"][0]["columns"][0]["form"] = "text"
    path.write_text(json.dumps(said), "utf-8")
    with pytest.raises(ExtractError, match="is never held as text"):
        ExtractReader.open(path.parent, load_schema(journey.shop.project, 2))
