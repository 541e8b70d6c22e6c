"""How much a step leaves behind: exactly where that is quick, about where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.backends import backend_for
from migrators.survey import left, survey
from migrators.survey.left import Left

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

OLD = """
t("users", Column("id", Integer, primary_key=True), Column("name", Text), Column("fax", Text))
t("notes", Column("by", Integer), Column("text", Text))
t("logs", Column("id", Integer, primary_key=True))
"""
NEW = """
t("users", Column("id", Integer, primary_key=True), Column("name", Text))
t("notes", Column("by", Integer), Column("text", Text))
"""
STEP = """
user = old.users.c
step.table(new.users).drop_rows(user.id <= 300, because="old").drop_rows(
    user.id <= 400, because="not so old"
)
step.table(new.notes, only=old.notes.c.text.is_not(None), because="empty")
step.drop(user.fax, because="no faxes")
step.drop(old.logs, because="no logs")
"""
USERS = (
    "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
    "INSERT INTO users SELECT i, 'x', iif(i % 4 = 0, 'fax', NULL) FROM n"
)


@pytest.fixture
def filled(shop: Sandbox) -> Sandbox:
    """A thousand users, of whom 400 go; every fourth has a fax."""
    shop.schema(1, OLD)
    shop.schema(2, NEW)
    shop.step(STEP)
    shop.create(
        USERS, "INSERT INTO notes VALUES (1, NULL), (2, 'a')", "INSERT INTO logs VALUES (1), (2)"
    )
    return shop


def looked_at(shop: Sandbox, seconds: float = 60) -> dict[str, Left]:
    """Survey the old database; return what is left behind, by reason."""
    project = shop.project
    old, new = (backend_for(project.url(version)) for version in (1, 2))
    seen = survey(shop.plan(), old, new, project.runs, seconds=seconds)
    return {x.because: x for x in seen.left}


def test_small_tables_are_counted(filled: Sandbox) -> None:
    """Rows by condition, the second without those of the first; values of a dropped column."""
    found = looked_at(filled)
    assert {why: (x.count, x.exact) for why, x in found.items()} == {
        "old": (300, True),
        "not so old": (100, True),
        "empty": (1, True),
        "no faxes": (250, True),
        "no logs": (2, True),
    }
    assert found["no faxes"].what == "users.fax"


def test_they_are_the_numbers_of_the_run(filled: Sandbox) -> None:
    """What the plan says is what the receipt says."""
    found = looked_at(filled)
    receipt = filled.migrate()
    ran = {x.because: x.rows for table in receipt.tables for x in table.left}
    ran |= {because: held for _, because, held in receipt.dropped}
    assert {why: x.count for why, x in found.items()} == ran


def test_large_tables_are_estimated(filled: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """By windows over the key; where there is none, nothing is guessed."""
    monkeypatch.setattr(left, "_COUNTED", 1)
    monkeypatch.setattr(left, "_WINDOW", 8)
    found = looked_at(filled)
    assert {why: (x.count, x.exact) for why, x in found.items()} == {
        "old": (300, False),
        "not so old": (100, False),
        "empty": (None, True),
        "no faxes": (250, False),
        "no logs": (2, True),
    }


def test_an_estimate_reads_its_windows_only(
    filled: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows between them do not count: 160 of the thousand are looked at."""
    monkeypatch.setattr(left, "_COUNTED", 1)
    monkeypatch.setattr(left, "_WINDOW", 8)
    filled.sql("UPDATE users SET fax = NULL", "UPDATE users SET fax = 'x' WHERE id % 50 < 5")
    assert looked_at(filled)["no faxes"].count == 0


def test_one_row_far_away_leaves_windows_empty(
    filled: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sample of no rows tells nothing, and is not told."""
    monkeypatch.setattr(left, "_COUNTED", 1)
    filled.sql("INSERT INTO users VALUES (9000000000000000000, 'far', NULL)")
    assert looked_at(filled)["old"] == Left("users, users.id <= 300", "old")


def test_no_time_no_count(filled: Sandbox) -> None:
    """`check` looks at the room only; the plan gives up after its seconds."""
    assert {x.count for x in looked_at(filled, seconds=0).values()} == {None}


def test_a_table_that_is_another_does_not_stop_the_page(filled: Sandbox) -> None:
    """Drift is for `check` to say."""
    filled.sql("ALTER TABLE users DROP COLUMN fax", "DROP TABLE logs")
    found = looked_at(filled)
    assert (found["no faxes"].count, found["no logs"].count, found["old"].count) == (
        None,
        None,
        300,
    )
