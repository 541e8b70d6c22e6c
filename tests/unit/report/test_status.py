"""The page of `migrate status`."""

from __future__ import annotations

import json
from dataclasses import replace

from migrators.backends.interface import Stamp
from migrators.receipt import KeptExtracts, RunState, Status, VersionState
from migrators.report.data import as_json
from migrators.report.status import status_lines
from migrators.report.text import when

AT = "2026-11-21T02:40:25+00:00"
STATUS = Status(
    "shop",
    (
        VersionState(1, "shop_v1", exists=False),
        VersionState(2, "shop_v2", exists=True),
        VersionState(
            3,
            "shop_v3",
            exists=True,
            stamp=Stamp(3, "f", step="migrate 2to3", at=AT),
            written="written to since it was published",
        ),
    ),
    (
        RunState("20261121-020007", "migrate 2to3", "published", "finished", AT),
        RunState("20261122-020007", "migrate 3to4", "stopped", "load", AT, extract="complete"),
    ),
    "version 3 is here: migrate check 3to4, then migrate 3to4",
)


def test_status() -> None:
    """Versions, stamps, runs, and what comes next."""
    assert status_lines(STATUS) == [
        "status    shop",
        "",
        "  schema  database  made by         at",
        "  1       shop_v1   does not exist",
        "  2       shop_v2   no stamp                          to adopt it: migrate stamp 2",
        f"  3       shop_v3   2to3            {when(AT)}  written to since it was published",
        "",
        "  run              at                command       outcome",
        f"  20261121-020007  {when(AT)}  migrate 2to3  published",
        f"  20261122-020007  {when(AT)}  migrate 3to4  stopped in load; extract complete",
        "",
        "Next     version 3 is here: migrate check 3to4, then migrate 3to4",
    ]


def test_a_fence_is_shouted_about() -> None:
    """Since when, and what opens it; and what going back loses."""
    fenced = replace(STATUS.versions[1], fenced=AT)
    versions = (STATUS.versions[0], fenced, STATUS.versions[2])
    lines = status_lines(replace(STATUS, versions=versions, back=("back to 2: loses nothing",)))
    at = lines.index(f"  FENCED shop_v2, since {when(AT)}: nobody else can write to it")
    assert lines[at + 1] == "         migrate unfence 2     opens it again, as it was"
    assert "  back to 2: loses nothing" in lines


def test_extracts_that_are_kept() -> None:
    """How much room they take, and what to type."""
    lines = status_lines(replace(STATUS, extracts=KeptExtracts(2, 3_200_000_000)))
    said = "  extracts of 2 runs take 3.2 GB; to clear them: migrate discard --extracts"
    assert lines[-4:-2] == ["", said]


def test_long_commands_stay_on_the_page() -> None:
    """The directory of an extract is no news; a run that did not come far says no phase."""
    typed = "migrate verify .migrate/runs/20261121-020007/extract-2to3"
    run = RunState("20261123-020007", typed, "stopped", "begun", AT)
    lines = status_lines(Status("shop", (), (run,)))
    assert any(f"{when(AT)}  migrate verify .migrate/run...  stopped" in x for x in lines)


def test_name_and_stamp_disagree() -> None:
    """Loudly, with the line to type."""
    wrong = VersionState(3, "shop_v3", exists=True, stamp=Stamp(2, "f"), agrees=False)
    lines = status_lines(Status("shop", (wrong,)))
    assert "  STOP   shop_v3 is named for schema 3, but it says schema 2" in lines
    assert "         migrate stamp 3     compares it with schemas/v3.py" in lines


def test_as_data() -> None:
    """JSON has all of it."""
    data = json.loads(as_json(STATUS.as_dict()))
    assert [version["exists"] for version in data["versions"]] == [False, True, True]
    assert data["versions"][2]["stamp"]["version"] == 3
    assert data["runs"][1]["extract"] == "complete"


def test_hostile_names_are_inert() -> None:
    """F120: a stamp can be tampered with."""
    evil = "\x1b[2J\nDONE"
    stamp = Stamp(3, evil, step=evil, at=evil)
    status = Status(
        evil,
        (VersionState(3, evil, exists=True, stamp=stamp, agrees=False, written=evil),),
        (RunState(evil, evil, evil, evil, evil, extract=evil, staging=evil),),
        evil,
    )
    assert [line for line in status_lines(status) if not line.isprintable()] == []
