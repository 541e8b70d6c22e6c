"""The runbook: a test types each block in order, on a server; what is said is what stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

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
    page = [block for block in blocks(PAGE) if block.mark.startswith("postgresql")]
    typed, by_hand = page[:-1], page[-1]
    assert by_hand.mark == "postgresql by hand"
    for block in typed:
        if "written" in block.mark:
            shop.write(1, "INSERT INTO children VALUES (901, 1, 'release 1')")
        _type(shop, block)
    assert shop.rows(1, "SELECT count(*) FROM children WHERE id = 901") == [(1,)]
    shop.ran("fence", "1")
    assert not shop.may_write(1)
    for statement in by_hand.text.replace("shop", f"{shop.own}shop").split(";\n"):
        if statement.strip():
            shop.write(1, statement.replace("%", "%%"), administrator=True)
    assert shop.may_write(1)


def _type(shop: Small, block: Block) -> None:
    for line, said in block.typed:
        done = shop.run(*line.split()[1:])
        heard = alike(f"{done.err}\n{done.out}".replace(shop.own, ""))
        lacking = [one for one in said if alike(one) not in heard]
        expected = next((code for word, code in _CODES.items() if word in " ".join(said)), 0)
        assert (done.code, lacking) == (expected, []), f"{PAGE}:{block.line} $ {line}\n{heard}"
