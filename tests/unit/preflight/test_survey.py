"""What the live database looks like, and the room there is."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

from migrators.backends import backend_for
from migrators.preflight import room
from migrators.survey import Survey, survey

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

TWO = """
t("users", Column("id", Integer, primary_key=True), Column("name", Text))
t("empty", Column("id", Integer, primary_key=True))
"""
SEEN = Survey({}, 10, 6, 13, 0, {"/runs": 100, "/data": 100}, {"/runs": 6, "/data": 13}, "SQLite")


def surveyed(shop: Sandbox, *statements: str) -> Survey:
    """Survey a database."""
    shop.schema(1, TWO)
    shop.schema(2, TWO)
    shop.step("")
    shop.create("INSERT INTO users VALUES (1, 'ann'), (2, NULL)", *statements)
    project = shop.project
    return survey(
        shop.plan(), backend_for(project.url(1)), backend_for(project.url(2)), project.runs
    )


def test_rows_bytes_and_engine(shop: Sandbox) -> None:
    """Rows by table, empty ones too; the size of the file; what reads it."""
    seen = surveyed(shop)
    assert seen.rows == {"empty": 0, "users": 2}
    assert seen.size_bytes == shop.database().stat().st_size
    assert seen.engine == f"SQLite {sqlite3.sqlite_version}"
    assert seen.notes == ("journal mode: rollback journal",)
    assert seen.extract_bytes > 0
    assert seen.target_bytes >= seen.size_bytes


def test_extract_and_target_on_one_file_system_are_added_up(shop: Sandbox) -> None:
    """There is one place, and it needs room for all of it."""
    seen = surveyed(shop)
    (needed,) = seen.needed.values()
    assert needed == sum((seen.extract_bytes, seen.target_bytes, seen.temp_bytes, seen.log_bytes))
    ((place, free),) = seen.free.items()
    assert place == str(shop.project.runs)
    assert free is not None
    assert free > needed


def test_f87_what_lies_beside_the_file_is_said(shop: Sandbox) -> None:
    """A WAL whose rows are not in the main file yet is read, and mentioned."""
    surveyed(shop)
    keeper = sqlite3.connect(shop.database())
    try:
        keeper.execute("PRAGMA journal_mode = WAL")
        keeper.execute("INSERT INTO users VALUES (3, 'new')")
        keeper.commit()
        project = shop.project
        old, new = (backend_for(project.url(v)) for v in (1, 2))
        seen = survey(shop.plan(), old, new, project.runs)
    finally:
        keeper.close()
    assert seen.rows["users"] == 3
    assert seen.notes[0] == "journal mode: WAL"
    assert "shop_v1.db-wal holds" in seen.notes[1]


def test_too_little_room_stops(shop: Sandbox) -> None:
    """How much is needed, how much is there, and how much to free."""
    (finding,) = room.findings(replace(SEEN, free={"/runs": 2, "/data": 100}))
    assert finding.level == "STOP"
    assert finding.title == "there is not enough room at /runs"
    assert finding.facts == ("about 6 B needed", "2 B free")
    assert finding.mend == ("free about 4 B at /runs",)
    assert room.fine(replace(SEEN, free={"/runs": 2, "/data": 100})) == [
        "room at /data: about 13 B of 100 B free"
    ]


def test_room_that_cannot_be_seen_is_a_note(shop: Sandbox) -> None:
    """What is not known does not stop."""
    (finding,) = room.findings(replace(SEEN, free={"/runs": 100, "/data": None}))
    assert (finding.level, finding.facts) == ("note", ("about 13 B will be needed",))


def test_sizes_are_said_for_people() -> None:
    """Two digits, decimal units."""
    said = [room.size(n) for n in (0, 999, 1000, 9_140_000_000, 41e9, 5e15)]
    assert said == ["0 B", "999 B", "1.0 kB", "9.1 GB", "41 GB", "5,000.0 TB"]
