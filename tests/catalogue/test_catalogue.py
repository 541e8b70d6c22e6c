"""`tests/CATALOGUE.md` and the tests say the same."""

from __future__ import annotations

import pytest

from tests.catalogue import page
from tests.catalogue.covered import Covered, covered, covered_by, is_whole


@pytest.fixture(scope="module")
def found(request: pytest.FixtureRequest) -> Covered:
    """What all tests cover: those that are run, where these are all."""
    session = request.session
    return covered_by(session.items) if is_whole(session) else covered()


@pytest.mark.xdist_group("catalogue")
def test_every_case_has_a_row_in_order() -> None:
    """From A1 to I120, none left out, each told and with an outcome."""
    rows = page.rows()
    assert list(rows) == page.cases()
    assert [row.case for row in rows.values() if not (row.what and row.outcome)] == []


@pytest.mark.xdist_group("catalogue")
def test_every_case_has_a_test_or_a_reason(found: Covered) -> None:
    """On each database; `python -m tests.catalogue` writes the columns."""
    rows = page.rows()
    said = {case: page.states(row, found) for case, row in rows.items()}
    assert {case: states for case, states in said.items() if page.MISSING in states} == {}
    assert {c: s for c, s in said.items() if s != rows[c].states} == {}


@pytest.mark.xdist_group("catalogue")
def test_no_test_is_of_a_case_that_is_not_there(found: Covered) -> None:
    """A test named after a case has a row to explain it."""
    assert set(found) - set(page.cases()) == set()
