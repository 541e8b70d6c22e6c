"""Up, back, written to, up again: which name holds what, and what each choice loses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.errors import TargetExists
from migrators.events import Event, StageDone
from migrators.run import Options, migrate
from tests import servers
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


@pytest.mark.fault("H107")
def test_what_takes_the_name_meanwhile_keeps_it(shop: Small) -> None:
    """Somebody's own, made while we loaded, is refused; what is typed then sets it aside."""

    def take(event: Event) -> None:
        if isinstance(event, StageDone) and event.stage == "verify":
            if shop.lasting:
                servers.create_database(shop.kind, str(shop.project.url(2).database))
            shop.write(2, "CREATE TABLE theirs (id INTEGER)", administrator=True)

    with pytest.raises(TargetExists, match="nothing was overwritten") as refused:
        migrate(shop.project, [(1, 2)], Options(), emit=take)
    assert refused.value.hint[0].startswith("migrate 1to2 --replace")
    assert shop.rows(2, "SELECT count(*) FROM theirs") == [(0,)]
    shop.ran("1to2", "--replace", "--yes")
    assert count(shop, 2) == ROWS
