"""What the command promises of itself where an engine stands behind it: JSON, dry runs, codes."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.cheeseshop import finished

if TYPE_CHECKING:
    from tests.acceptance.cheeseshop import Cheeseshop

# JSON ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        ("status", {"project", "versions", "runs", "next"}),
        ("check 2to3", {"findings"}),
        ("2to3", {"outcome", "run", "tables", "stages", "rules", "dropped"}),
        ("2to3 --rehearse", {"outcome", "run", "tables"}),
        ("2to4", {"outcome", "run", "tables"}),
        ("load fixtures/v3", {"outcome", "run", "new"}),
        ("verify fixtures/v2", {"outcome", "run", "stages"}),
    ],
)
def test_json_is_one_object_on_stdout(two: Cheeseshop, typed: str, keys: set[str]) -> None:
    """Whatever is told meanwhile goes to stderr; the keys that programs read are there."""
    words = [w.replace("fixtures", f"{two.root}/fixtures") for w in typed.split()]
    data = json.loads(two.ran(*words, "--json").out)
    assert isinstance(data, dict)
    assert keys - data.keys() == set()


@pytest.mark.parametrize("typed", ["plan 2to3", "plan 2to4", "2to3 --dry-run", "2to4 --dry-run"])
def test_json_of_a_plan_has_a_page_a_step(two: Cheeseshop, typed: str) -> None:
    """One for 2to3, two for 2to4."""
    data = json.loads(two.ran(*typed.split(), "--json").out)
    assert len(data) == int("2to4" in typed) + 1


def test_json_of_a_receipt_accounts_for_every_row(two: Cheeseshop) -> None:
    """What was read is what was written and left behind, unless a source has its own grain."""
    data: dict[str, Any] = json.loads(two.ran("2to3", "--json").out)
    kept = [t for t in data["tables"] if not t["own_grain"]]
    assert len(kept) > 10
    for table in kept:
        left = sum(x["rows"] for x in table["left"])
        assert table["read"] == table["written"] + left, table


def test_json_and_an_error(two: Cheeseshop) -> None:
    """Nothing on stdout that a program could take for a result."""
    two.database(2).unlink()
    done = two.run("2to3", "--json")
    assert (done.code, done.out) == (1, "")


# what writes nothing ---------------------------------------------------------------------

LOOKING = (
    "2to3 --dry-run",
    "2to4 --dry-run --json",
    "2to3 --replace --yes --dry-run",
    "3to2 --dry-run",
    "plan 2to3",
    "plan 2to3 --sql",
    "plan 3to2 --all",
    "check 2to3",
    "status",
)


@pytest.mark.parametrize("typed", LOOKING)
def test_looking_writes_nothing(three: Cheeseshop, typed: str) -> None:
    """Not a byte in the project, nor a file: with databases of both versions there."""
    before = three.files()
    three.ran(*typed.split())
    assert three.files() == before


@pytest.mark.parametrize("typed", ["2to3 --dry-run", "plan 1to4", "status"])
def test_looking_at_a_project_without_databases(cheese: Cheeseshop, typed: str) -> None:
    """No folder is made either."""
    before = sorted(cheese.root.rglob("*"))
    cheese.ran(*typed.split())
    assert sorted(cheese.root.rglob("*")) == before


# exit codes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("2to3", 0),
        ("load fixtures/v1", 0),
        ("3to4", 0),
        ("1to2", 1),
        ("load fixtures/v9", 1),
        ("2to9", 2),
        ("2to3 --nonsense", 2),
        ("3to2", 3),
        ("verify changed", 4),
    ],
)
def test_exit_codes_of_the_process(three: Cheeseshop, typed: str, code: int) -> None:
    """As `--help` lists them; seen from outside, and never with a traceback."""
    place = three.root / "changed"
    if "changed" in typed:
        three.ran("extract", "3", "--to", str(place), "--format", "csv")
        three.sql(3, "UPDATE users SET name = 'changed'")
    words = [w.replace("fixtures/", f"{three.root}/fixtures/") for w in typed.split()]
    words = [str(place) if w == "changed" else w for w in words]
    done = finished(three.start(*words))
    assert (done.code, done.clear) == (code, True), done.said


def test_output_without_a_terminal_has_no_escape_codes(two: Cheeseshop) -> None:
    """A log file stays readable; `NO_COLOR` or not."""
    done = finished(two.start("2to3", environment={"TERM": "xterm-256color"}))
    assert done.code == 0
    assert "\x1b" not in done.out + done.err
    assert "\r" not in done.out + done.err


def test_the_project_is_found_from_any_folder_below(
    two: Cheeseshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-C` a subfolder, or being there."""
    below = two.root / "fixtures" / "v2"
    two.ran("-C", str(below), "2to3")
    monkeypatch.chdir(below)
    two.ran("-C", os.curdir, "status")
    assert two.databases() == ["cheeseshop_v2.db", "cheeseshop_v3.db"]
