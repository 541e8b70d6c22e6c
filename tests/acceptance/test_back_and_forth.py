"""Up, back, written to, up again: which name holds what, and what each choice loses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.engines import ENGINES
from tests.acceptance.small import ROWS, Small, small

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=ENGINES)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Small]:
    """A project with a database of version 1."""
    with small(str(request.param), tmp_path / "shop") as made:
        yield made


def count(shop: Small, version: int) -> int:
    """Return how many children a version has."""
    return int(shop.rows(version, "SELECT count(*) FROM children")[0][0])


def add(shop: Small, version: int, number: int) -> None:
    """Write as the application does."""
    shop.write(version, f"INSERT INTO children VALUES ({number}, 1, 'new')")


def test_rolled_back_and_up_again(shop: Small) -> None:
    """Stale until `--replace`, which sets the former version 2 aside with what it has."""
    shop.ran("1to2", "--fence")
    status = shop.ran("status").said
    assert "back to 1: loses nothing" in status
    assert ("first: migrate unfence 1" in status) is shop.lasting
    shop.ran("unfence", "1")
    add(shop, 2, 901)
    assert "back to 1: what was written to" in shop.ran("status").said
    add(shop, 1, 902)
    done = shop.run("1to2")
    assert (done.code, done.clear) == (3, True)
    assert "stale" in done.said
    assert "--replace" in done.said
    assert count(shop, 2) == ROWS + 1
    shop.ran("1to2", "--replace", "--yes")
    assert [row[0] for row in shop.rows(2, "SELECT id FROM children WHERE id > 900")] == [902]
    status = shop.ran("status").said
    assert "the former" in status
    assert "__was_" in status


def test_down_again_carries_back_what_was_written(shop: Small) -> None:
    """`2to1` sets version 1 aside; what the former one alone has is there under its new name."""
    shop.ran("1to2", "--fence")
    add(shop, 2, 903)
    status = shop.ran("status").said
    assert "migrate 2to1 carries it" in status
    shop.ran("2to1", "--yes", "--accept-loss")
    assert count(shop, 1) == ROWS + 1
    assert shop.may_write(1)
    status = shop.ran("status").said
    assert "the former" in status
    assert "FENCED" not in status
