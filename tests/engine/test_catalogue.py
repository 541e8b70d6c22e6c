"""`tests/CATALOGUE.md` and the tests say the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
LAST = {"A": 14, "B": 30, "C": 45, "D": 55, "E": 64, "F": 83}
"""The last case of each section; they are numbered through."""


def _rows() -> dict[str, list[str]]:
    """Return the cells of each case's row."""
    lines = (TESTS / "CATALOGUE.md").read_text("utf-8").splitlines()
    cells = [[c.strip() for c in line.strip("|").split(" | ")] for line in lines]
    return {row[0]: row for row in cells if re.fullmatch(r"[A-F]\d+", row[0])}


def _tested() -> set[str]:
    """Return the cases that have a test named after them."""
    found: set[str] = set()
    for path in sorted((TESTS / "engine").glob("test_*.py")):
        functions = ast.walk(ast.parse(path.read_text("utf-8")))
        names = [node.name for node in functions if isinstance(node, ast.FunctionDef)]
        matches = [re.match(r"test_([a-f]\d+)_", name) for name in names]
        found |= {match[1].upper() for match in matches if match}
    return found


def test_every_case_has_a_row_in_order() -> None:
    """From A1 to F83, none left out."""
    first = 1
    wanted = []
    for section, last in LAST.items():
        wanted += [f"{section}{number}" for number in range(first, last + 1)]
        first = last + 1
    assert list(_rows()) == wanted


@pytest.mark.parametrize("case", _rows())
def test_a_case_has_a_test_or_a_reason(case: str) -> None:
    """A row names its tests and they are there, or it says why SQLite cannot have it."""
    _, what, outcome, proof = _rows()[case]
    assert what
    if case in _tested():
        assert f"`test_{case.lower()}_`" in proof
        assert outcome != "–"
    else:
        assert proof.startswith("not on SQLite: ")
        assert outcome == "–"


def test_no_test_is_of_a_case_that_is_not_there() -> None:
    """A test named after a case has a row to explain it."""
    assert _tested() - set(_rows()) == set()
