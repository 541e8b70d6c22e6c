"""`migrate check 1to4`: what is proven of a chain before the night, and what cannot be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.acceptance.cheeseshop import Cheeseshop


@pytest.fixture
def one(cheese: Cheeseshop) -> Cheeseshop:
    """A shop with a database of version 1."""
    cheese.ran("load", str(cheese.fixtures(1)))
    return cheese


def _words(text: str) -> str:
    return " ".join(text.split())


def test_a_chain_says_which_rows_it_checked(one: Cheeseshop) -> None:
    """The first step's; of the others the plans, and what proves their rows."""
    said = _words(one.ran("check", "1to4").out)
    assert said.startswith("check 1to4 ")
    assert "ok every column is accounted for: 69 carried" in said
    assert "ok 2to3 too: every column is accounted for: 88 carried, 1 dropped, 3 new" in said
    assert "ok 3to4 too: every column is accounted for" in said
    assert "later the rows of 2to3 and 3to4 were not checked, only those of 1to2" in said
    assert "Next migrate 1to4 --rehearse" in said


def test_a_step_alone_speaks_of_no_others(one: Cheeseshop) -> None:
    """Nothing is left to a chain."""
    said = _words(one.ran("check", "1to2").out)
    assert "too:" not in said
    assert "were not checked" not in said


def test_a_chain_as_data(one: Cheeseshop) -> None:
    """The steps whose rows were not asked are named."""
    said = json.loads(one.ran("check", "1to4", "--json").out)
    assert (said["step"], said["later"]) == ("1to4", ["2to3", "3to4"])


def test_a_later_step_that_loses_a_column_is_found_before_the_night(one: Cheeseshop) -> None:
    """Its plan is made, though no database is there for it."""
    step = one.root / "migrators" / "3to4.py"
    text = step.read_text("utf-8")
    line = next(x for x in text.splitlines() if 'step.drop(old["DownloadLog"]' in x)
    step.write_text(text.replace(line, ""), "utf-8")
    one.refused("check", "1to4", code=2, words=["3to4.py", "DownloadLog"])


def test_what_a_step_loses_is_said_and_counted(three: Cheeseshop) -> None:
    """The run would ask for --accept-loss: check says so, and stops nothing."""
    said = _words(three.ran("check", "3to2").out)
    assert "3to2 loses what schema 2 cannot hold; --accept-loss says yes" in said
    assert "Next migrate 3to2 --rehearse --accept-loss" in said
    notes = json.loads(three.ran("check", "3to2", "--json").out)["findings"]
    (lost,) = [f for f in notes if "cannot hold" in f["title"]]
    assert all(fact.rsplit(": ", 1)[1].replace(",", "").isdigit() for fact in lost["facts"])
