"""The page of `migrate plan` on a live database: how much stays behind, and how long it took."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.acceptance.cheeseshop import Cheeseshop


def test_what_is_left_behind_is_counted_as_the_run_counts_it(two: Cheeseshop) -> None:
    """The plan's numbers are those of the receipt."""
    (page,) = json.loads(two.ran("plan", "2to3", "--json").out)
    said = sorted((x["because"], x["rows"]) for x in page["left_behind"])
    receipt = json.loads(two.ran("2to3", "--rehearse", "--json").out)
    left = [(x["because"], x["rows"]) for table in receipt["tables"] for x in table["left"]]
    left += [(because, held) for _, because, held in receipt["dropped"]]
    assert said == sorted(x for x in left if x[0] != "nothing to split")
    assert any(rows for _, rows in said)
    assert all(x["exact"] for x in page["left_behind"])


def test_the_time_is_that_of_the_last_rehearsal_with_the_sizes(two: Cheeseshop) -> None:
    """The database may have grown since."""
    assert "  time  " not in two.ran("plan", "2to3").out
    two.ran("2to3", "--rehearse")
    out = two.ran("plan", "2to3").out
    size = r"\d+(\.\d+)? [kM]?B"
    assert re.search(
        rf"  time       .*s, from the rehearsal of .* \({size} then, {size} now\)", out
    )
