"""The page of `migrate plan`, with and without a database."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from migrators.backends.interface import ReadQuery
from migrators.plan.model import (
    Accounting,
    Dropped,
    KeyMapPlan,
    LeftOut,
    LossPlan,
    Part,
    Plan,
    SamePlan,
    TablePlan,
)
from migrators.report.data import as_json
from migrators.report.plan import Places, plan_data, plan_lines, sql_lines, took
from migrators.report.text import WIDTH, when
from migrators.schema import SchemaVersion
from migrators.survey import Survey
from migrators.survey.left import Left

PLACES = Places("data/shop_v2.db", "data/shop_v3.db", ".migrate")
SURVEY = Survey(
    rows={"packages": 91_328, "users": 9, "audit": 44},
    size_bytes=12_000_000,
    extract_bytes=7_200_000,
    target_bytes=15_600_000,
    temp_bytes=0,
    free={"/srv": 41_000_000_000},
    needed={"/srv": 22_800_000},
    engine="SQLite 3.40.1",
    notes=("the journal is a WAL",),
    left=(
        Left("packages, status = 'deleted'", "purged", 3_118, exact=False),
        Left("audit", "no longer kept", 44),
    ),
)


def _schema(version: int) -> SchemaVersion:
    return SchemaVersion(version, Path(f"schemas/v{version}.py"), sa.MetaData())


def _query(sql: str) -> ReadQuery:
    return ReadQuery(sql, ())


def _plan(name: str = "projects", because: str = "purged") -> Plan:
    purged = Accounting("SELECT 1,\n2", "SELECT 1", (LeftOut("status = 'deleted'", because),))
    return Plan(
        old=_schema(2),
        new=_schema(3),
        path=Path("migrators/2to3.py"),
        digest="d",
        tables=(
            TablePlan(
                name,
                "packages",
                "renamed",
                31,
                (Part("packages", _query("SELECT a\nFROM packages"), (), accounting=purged),),
            ),
            TablePlan("totals", "users", "query", 40, (Part(None, _query("SELECT 2"), ()),)),
            TablePlan("users", "users", "carried by name", None, (Part("users", _query("u"), ()),)),
        ),
        dropped=(Dropped("audit", "no longer kept", "SELECT count(*) FROM audit"),),
        key_maps=(KeyMapPlan("m", "t", _query("SELECT id FROM users")),),
        sames=(SamePlan("downloads in all", _query("SELECT sum(d)"), sa.select(sa.literal(1))),),
        losses=(LossPlan("maintainers", "SELECT 17"), LossPlan("order", None)),
    )


def test_without_a_database() -> None:
    """The same page, sizes blank; and it says that none was read."""
    assert plan_lines(_plan(), PLACES, None) == [
        "plan 2to3    data/shop_v2.db -> data/shop_v3.db",
        "",
        "  reads      data/shop_v2.db       one snapshot; nothing in it is changed",
        "  writes     .migrate              the extract",
        "  builds     a staging database    seen by nobody",
        "  publishes  data/shop_v3.db       one rename, last",
        "",
        "  new table  made from  rows, about  how",
        "  projects   packages                renamed  2to3.py:31",
        "  totals     users                   query  2to3.py:40",
        "  1 more                             carried by name  (--all)",
        "",
        "  left behind                   how many  because",
        "  packages, status = 'deleted'            purged",
        "  audit                                   no longer kept",
        "",
        "  loses, only with --accept-loss; counted before anything runs",
        "    maintainers",
        "    order",
        "",
        "  must be the same on both sides",
        "    downloads in all",
        "",
        "No database was read; nothing was written.    Next: migrate check 2to3",
    ]


def test_with_a_database() -> None:
    """Rows where one row gives one; room per place."""
    lines = plan_lines(_plan(), PLACES, SURVEY)
    assert lines[0] == "plan 2to3    data/shop_v2.db -> data/shop_v3.db    SQLite 3.40.1"
    assert "  room       /srv                 about 23 MB  of 41 GB free" in lines
    assert "  note       the journal is a WAL" in lines
    assert "  projects   packages        91,328  renamed  2to3.py:31" in lines
    assert "  totals     users                   query  2to3.py:40" in lines
    assert "  1 more                          9  carried by name  (--all)" in lines
    assert "  packages, status = 'deleted'  about 3,118  purged" in lines
    assert "  audit                                  44  no longer kept" in lines
    assert lines[-1].startswith("The old database was only read; nothing was written.")


def test_all_tables() -> None:
    """`--all` names those that are carried."""
    lines = plan_lines(_plan(), PLACES, None, whole=True)
    assert "  users      users                   carried by name" in lines


def test_a_past_run_gives_the_time() -> None:
    """From a receipt, never guessed."""
    places = Places("a", "b", "c", took="41m 12s, from the run of 2026-11-14 02:00 (rehearsed)")
    assert f"  time       {places.took}" in plan_lines(_plan(), places, None)


def test_the_time_names_the_sizes_then_and_now() -> None:
    """A run of half the database says little of the whole; what is not known is not said."""
    begun = datetime(2026, 11, 14, 2, tzinfo=UTC)
    ended = begun + timedelta(minutes=41)
    start = f"41m 00s, from the rehearsal of {when(begun.isoformat())}"
    then, now = 38 * 10**9, 39 * 10**9
    assert took(begun, ended, "rehearsed", then, now) == f"{start} (38 GB then, 39 GB now)"
    assert took(begun, ended, "rehearsed", then, None) == f"{start} (38 GB then)"
    assert took(begun, ended, "rehearsed", None, now) == start
    assert "from the run of" in took(begun, ended, "published", then, now)


def test_what_was_not_counted_is_said() -> None:
    """A blank would look like nothing."""
    survey = replace(SURVEY, left=(Left("packages.note", "gone"),))
    assert "  packages.note  not counted  gone" in plan_lines(_plan(), PLACES, survey)


def test_every_statement() -> None:
    """Under what it is for, to be copied."""
    assert sql_lines(_plan()) == [
        "-- keys of m",
        "SELECT id FROM users;",
        "",
        "-- projects, from packages",
        "SELECT a",
        "FROM packages;",
        "",
        "-- projects, rows left behind",
        "SELECT 1,",
        "2;",
        "",
        "-- totals, from users",
        "SELECT 2;",
        "",
        "-- users, from users",
        "u;",
        "",
        "-- audit, dropped",
        "SELECT count(*) FROM audit;",
        "",
        "-- same: downloads in all",
        "SELECT sum(d);",
        "",
        "-- loss: maintainers",
        "SELECT 17;",
    ]


def test_as_data() -> None:
    """JSON has all of the page."""
    data = json.loads(as_json(plan_data(_plan(), PLACES, SURVEY)))
    assert [table["name"] for table in data["tables"]] == ["projects", "totals", "users"]
    assert [table["rows"] for table in data["tables"]] == [91_328, None, 9]
    assert [(x["what"], x["rows"], x["exact"]) for x in data["left_behind"]] == [
        ("packages, status = 'deleted'", 3_118, False),
        ("audit", 44, True),
    ]
    assert data["left_behind"][1]["because"] == "no longer kept"
    assert data["losses"] == ["maintainers", "order"]
    assert data["survey"]["engine"] == "SQLite 3.40.1"
    assert json.loads(as_json(plan_data(_plan(), PLACES, None)))["survey"] is None


def test_the_page_keeps_to_ninety_columns() -> None:
    """A long reason is wrapped under its column."""
    lines = plan_lines(_plan(because="because of a reason " * 10), PLACES, SURVEY)
    assert max(len(line) for line in lines) <= WIDTH


def test_hostile_names_are_inert() -> None:
    """F120: no name, reason or statement reaches the terminal as a command."""
    evil = "\x1b[2J\rDONE"
    lines = [
        *plan_lines(_plan(evil, evil), Places(evil, evil, evil, evil), SURVEY, whole=True),
        *sql_lines(_plan(evil)),
    ]
    assert [line for line in lines if "\x1b" in line or "\r" in line or "\n" in line] == []
