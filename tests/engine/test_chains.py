"""What a chain of steps owes that one step owes: losses, reasons and counts of every step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.errors import Findings
from migrators.events import Note
from migrators.report.accounting import accounting_lines
from migrators.run import Options, migrate

if TYPE_CHECKING:
    from migrators.events import Event
    from tests.sandbox import Sandbox

_TABLE = """
t("cheese", Column("id", Integer, primary_key=True), Column("name", Text), Column("note", Text))
"""
_BARE = 't("cheese", Column("id", Integer, primary_key=True), Column("name", Text))'


@pytest.fixture
def chain(shop: Sandbox) -> Sandbox:
    """Three schemas: the first step leaves a row behind, the second loses the notes."""
    for version, body in ((1, _TABLE), (2, _TABLE), (3, _BARE)):
        shop.schema(version, body)
    shop.step('step.table(new.cheese).drop_rows(old.cheese.c.id == 1, because="mouldy")')
    shop.step(
        """
        step.table(new.cheese).values(name=rules.trim(old.cheese.c.name))
        step.drop(old.cheese.c.note, because="no room")
        step.loss("notes", count=select(func.count(old.cheese.c.note)))
        """,
        "2to3",
    )
    shop.create("INSERT INTO cheese VALUES (1, 'Brie', 'x'), (2, ' Gouda', 'y'), (3, 'Edam', 'z')")
    return shop


def test_a_loss_in_a_later_step_is_refused_before_anything_is_written(chain: Sandbox) -> None:
    """Which cannot be counted yet, but must be accepted all the same."""
    with pytest.raises(Findings, match=r"migrate 1to3 loses what schema 3 cannot hold:\n  notes$"):
        chain.migrate(1, 3)
    assert not chain.database(3).exists()
    assert chain.migrate(1, 3, accept_loss=True).losses == (("notes", 2),)


def test_every_step_is_accounted_for(chain: Sandbox) -> None:
    """Rows left behind on the way, and values changed, are in the receipt with their step."""
    receipt = chain.migrate(1, 3, accept_loss=True)
    assert [(t.step, t.read, t.written) for t in receipt.tables] == [("1to2", 3, 2), ("2to3", 2, 2)]
    assert [(rule.step, rule.changed) for rule in receipt.rules if rule.changed] == [("2to3", 1)]
    assert receipt.dropped == (("cheese.note", "no room", 2),)
    assert accounting_lines(receipt) == [
        "  1to2",
        "  source -> new  read  =  written  +  left behind",
        "  cheese            3           2               1  mouldy",
        "",
        "  2to3",
        "  all tables    written = read; nothing rejected anywhere",
    ]


def test_a_chain_says_which_step_it_is_at(chain: Sandbox) -> None:
    """The stages of two steps have the same names."""
    said: list[Event] = []
    project = chain.project
    migrate(project, project.chain(1, 3), Options(accept_loss=True), emit=said.append)
    notes = [event.text for event in said if isinstance(event, Note)]
    assert notes == ["1to2, step 1 of 2", "2to3, step 2 of 2"]
