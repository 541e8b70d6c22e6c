"""What steps declare to lose, of the step that is checked and of those after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.preflight import with_later
from tests.unit.preflight.asking import checked

if TYPE_CHECKING:
    from migrators.preflight import Check
    from tests.sandbox import Sandbox

USERS = 't("users", Column("id", Integer, primary_key=True), Column("name", Text))\n'
LOSES = (
    'step.loss("nicknames", count=select(func.count()).select_from(old.users))\nstep.loss("moods")'
)


@pytest.fixture
def chain(shop: Sandbox) -> Sandbox:
    """Schemas 1 to 3, a database of version 1 with two rows, and steps that say nothing."""
    for version in (1, 2, 3):
        shop.schema(version, USERS)
    shop.step("")
    shop.step("", "2to3")
    shop.create("INSERT INTO users VALUES (1, 'ann'), (2, 'bob')")
    return shop


def _notes(found: Check) -> list[tuple[str, tuple[str, ...]]]:
    return [(f.title, f.facts) for f in found.findings if f.level == "note"]


def test_losses_are_counted_and_stop_nothing(chain: Sandbox) -> None:
    """The run asks for --accept-loss."""
    chain.step(LOSES)
    found = checked(chain)
    assert not found.stops
    title = "1to2 loses what schema 2 cannot hold; --accept-loss says yes"
    assert _notes(found) == [(title, ("nicknames: 2", "moods"))]


def test_losses_of_a_later_step_are_said_without_counts(chain: Sandbox) -> None:
    """What they will be counted in is not there yet."""
    chain.step(LOSES, "2to3")
    found = with_later(checked(chain), chain.plan(1, 2), [chain.plan(2, 3)])
    title = "2to3 loses what schema 3 cannot hold; --accept-loss says yes"
    assert _notes(found) == [(title, ("nicknames", "moods"))]
    assert "2to3 too: every column is accounted for: 2 carried, 0 dropped, 0 new" in found.ok


def test_a_step_alone_has_no_later_ones(chain: Sandbox) -> None:
    """The check is what it was."""
    found = checked(chain)
    assert with_later(found, chain.plan(), []) is found
