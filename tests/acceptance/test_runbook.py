"""The runbook: a test types each block in order, on a server; what is said is what stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import servers
from tests.acceptance.small import Small, small
from tests.markdown import Block, blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs" / "runbook.md"
_MOVES = re.compile(r"\b\d+\.\ds|\d{4}-\d\d-\d\d \d\d:\d\d|in \d+s")
_CODES = {"stale": 3}
"""Exit codes of what does not end well."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Small]:
    """The project of the page on PostgreSQL."""
    with small("postgresql", tmp_path / "shop") as made:
        yield made


def alike(text: str) -> str:
    """Take out what is another at each run, and where lines are broken."""
    return " ".join(_MOVES.sub("N", text).split())


def test_every_block_says_what_is_said(shop: Small) -> None:
    """In order; in the end version 1 has what release 2 wrote, and a fence is undone by hand."""
    for block in blocks(PAGE):
        if block.mark not in ("postgresql", "postgresql written"):
            continue
        if "written" in block.mark:
            shop.write(1, "INSERT INTO children VALUES (901, 1, 'release 1')")
        _type(shop, block)
    assert shop.rows(1, "SELECT count(*) FROM children WHERE id = 901") == [(1,)]
    shop.ran("fence", "1")
    assert not shop.may_write(1)
    _by_hand(shop, "postgresql by hand")
    assert shop.may_write(1)


@pytest.mark.server
@pytest.mark.parametrize("given", ["name", "pattern"])
def test_a_fence_of_mariadb_is_undone_by_hand(tmp_path: Path, given: str) -> None:
    """Where the right is on the name, and where it comes by a pattern: SHOW GRANTS is as before."""
    with small("mysql", tmp_path / "shop") as shop:
        if given == "name":
            account, name = f"'{shop.own}writer'@'%%'", _escaped(f"{shop.own}shop_v1")
            shop.write(1, f"REVOKE ALL ON `{shop.own}%%`.* FROM {account}", administrator=True)
            shop.write(1, f"GRANT ALL ON `{name}`.* TO {account}", administrator=True)
        before = shop.access()
        shop.ran("fence", "1")
        assert not shop.may_write(1)
        _by_hand(shop, f"mysql by hand: {given}")
        assert (shop.may_write(1), shop.access()) == (True, before)


@pytest.mark.server
@pytest.mark.parametrize(("kind", "said"), [("postgresql", "PostgreSQL"), ("mysql", "MariaDB")])
def test_lost_staging_databases_are_found_by_hand(tmp_path: Path, kind: str, said: str) -> None:
    """And no others of the project's."""
    (block,) = (block for block in blocks(PAGE) if block.mark == "by hand: staging")
    (line,) = (line for line in block.text.splitlines() if line.endswith(f"-- {said}"))
    with small(kind, tmp_path / "shop") as shop:
        servers.create_database(kind, f"{shop.own}shop_v2__loading_1")
        found = shop.rows(1, line.partition(";")[0].replace("%", "%%"))
        mine = [name for (name,) in found if name.startswith(shop.own)]
        assert mine == [f"{shop.own}shop_v2__loading_1"]


def _by_hand(shop: Small, mark: str) -> None:
    """Type a block of SQL as the server's administrator."""
    (block,) = (block for block in blocks(PAGE) if block.mark == mark)
    own = _escaped(shop.own) if shop.kind == "mysql" else shop.own
    text = block.text.replace("shop", f"{own}shop").replace("'app'", f"'{shop.own}writer'")
    for statement in text.split(";\n"):
        if statement.strip():
            shop.write(1, statement.replace("%", "%%"), administrator=True)


def _escaped(name: str) -> str:
    return name.replace("_", "\\_")


def _type(shop: Small, block: Block) -> None:
    for line, said in block.typed:
        done = shop.run(*line.split()[1:])
        heard = alike(f"{done.err}\n{done.out}".replace(shop.own, ""))
        lacking = [one for one in said if alike(one) not in heard]
        expected = next((code for word, code in _CODES.items() if word in " ".join(said)), 0)
        assert (done.code, lacking) == (expected, []), f"{PAGE}:{block.line} $ {line}\n{heard}"
