"""Two checkouts on one server; what a server knows of what was published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.backends import backend_for
from tests.acceptance.engines import shops
from tests.acceptance.nights import ROWS, night

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
@pytest.mark.fault("G88")
def test_two_checkouts_meet_on_the_server(kind: str, tmp_path: Path) -> None:
    """Who comes second is told who holds the project, and exits with 5."""
    with shops(kind, tmp_path / "cheeseshop") as cheese:
        cheese.ran("load", str(cheese.fixtures(2)))
        database = backend_for(cheese.project.url(2))
        with database.held(cheese.project.settings.name, "migrate 2to3"):
            done = cheese.run("2to3")
        assert (done.code, done.clear) == (5, True)
        assert "migrate 2to3" in done.said
        cheese.ran("2to3")


def test_what_is_published_has_statistics(tmp_path: Path) -> None:
    """Plans are good from the first query on."""
    with night("postgresql", tmp_path / "shop") as shop:
        shop.ran("1to2")
        asked = "SELECT reltuples FROM pg_class WHERE relname = 'children'"
        assert shop.admin(asked, version=2) == [(ROWS,)]
