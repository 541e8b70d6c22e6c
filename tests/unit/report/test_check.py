"""The page of `migrate check`."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from migrators.preflight.model import Check, Finding, Level
from migrators.report.check import check_data, check_lines
from migrators.report.data import as_json
from migrators.report.text import clock

AT = datetime(2026, 11, 21, 14, 2, 11, tzinfo=UTC)
_LEVELS: tuple[Level, ...] = ("STOP", "note", "rehearsal")
CHECK = Check(
    ok=("shop_v2 is schemas/v2.py",),
    findings=(
        Finding(
            "STOP",
            "recruits.email is NOT NULL in schema 3",
            ("287 rows are null  id 14, 15 and 285 more",),
            "select id from recruits where email is null;",
            ("correct them in release 2, or in migrators/2to3.py:4 add one of:", "  step.drop()"),
        ),
        Finding("note", "the index ix_a is not in the schema", ("it is left behind",)),
        Finding("rehearsal", "keywords are computed", mend=("migrate 2to3 --rehearse",)),
    ),
    seconds=112.0,
)


def test_findings() -> None:
    """What is well, what would stop it, what only a rehearsal proves; then each with its mend."""
    assert check_lines(CHECK, "2to3", "shop_v2", at=AT) == [
        f"check 2to3    shop_v2, live, read only                       {clock(AT)}",
        "",
        "  ok     shop_v2 is schemas/v2.py",
        "  STOP   1 finding, below",
        "  note   the index ix_a is not in the schema",
        "           it is left behind",
        "  later  keywords are computed",
        "           migrate 2to3 --rehearse",
        "",
        "1  recruits.email is NOT NULL in schema 3",
        "     287 rows are null  id 14, 15 and 285 more",
        "   see    select id from recruits where email is null;",
        "   mend   correct them in release 2, or in migrators/2to3.py:4 add one of:",
        "            step.drop()",
        "",
        "1 finding in 1m 52s. Nothing was changed. Exit 3.",
    ]


def test_long_facts_stay_on_the_page() -> None:
    """Keys of two tables may be many words."""
    fact = "16 rows share a value  " + "; ".join(f"Employee {n} = Customer {n}" for n in range(9))
    found = Check((), (Finding("STOP", "people.id is PRIMARY KEY", (fact,)),), 1.0)
    lines = check_lines(found, "1to2", "shop", at=AT)
    assert max(map(len, lines)) <= 90
    assert "         " in [line[:9] for line in lines]


def test_nothing_found() -> None:
    """And what comes next."""
    lines = check_lines(Check(("a",), (), 2.0), "2to3", "shop_v2", at=AT)
    assert lines[-2:] == [
        "Nothing found that would stop it, in 2.0s. Nothing was changed.",
        "Next     migrate 2to3 --rehearse",
    ]


def test_as_data() -> None:
    """Levels, facts and mends are kept apart."""
    data = json.loads(as_json(check_data(CHECK, "2to3", "shop_v2", ["3to4"])))
    assert [finding["level"] for finding in data["findings"]] == ["STOP", "note", "rehearsal"]
    assert (data["step"], data["database"], data["later"]) == ("2to3", "shop_v2", ["3to4"])


def test_hostile_values_are_inert() -> None:
    """F120: whatever a finding quotes."""
    evil = "\x1b[2J\x9b\u202e"
    found = Check((evil,), tuple(Finding(x, evil, (evil,), evil, (evil,)) for x in _LEVELS), 1.0)
    lines = check_lines(found, evil, evil, at=AT)
    assert [line for line in lines if not line.isprintable()] == []
