"""Stored cells that are not of their declared type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.errors import ValueRefused
from tests.unit.preflight.asking import checked, only_stop, seen, stops

if TYPE_CHECKING:
    from tests.sandbox import Sandbox


def table(kind: str) -> str:
    """Return a table with a column of a type."""
    key = 'Column("id", Integer, primary_key=True)'
    return f't("cells", {key}, Column("x", {kind}), Column("y", Text))'


def cells(shop: Sandbox, kind: str, rows: str, step: str = "") -> None:
    """Lay out a table that is carried by name."""
    shop.schema(1, table(kind))
    shop.schema(2, table(kind))
    shop.step(step)
    shop.create(f"INSERT INTO cells VALUES {rows}")


@pytest.mark.parametrize(
    ("kind", "bad", "reason"),
    [
        ("Integer", "'abc'", "is text where integer(32) is declared"),
        ("Integer", "1.5", "is real where integer(32) is declared"),
        ("Integer", "x'00'", "is blob where integer(32) is declared"),
        ("Text", "x'00'", "is blob where text is declared"),
        ("Boolean", "2", "is neither 0 nor 1"),
        ("Numeric(6, 2)", "1.239", "is not a decimal(6,2)"),
        ("Text", "CAST(x'ff' AS TEXT)", "is not UTF-8"),
    ],
)
def test_f80_a_cell_of_another_type_is_found(
    shop: Sandbox, kind: str, bad: str, reason: str
) -> None:
    """Whatever the extract would refuse is refused here, by key and without its value."""
    cells(shop, kind, f"(1, NULL, ''), (2, {bad}, ''), (3, {bad}, '')")
    finding = only_stop(checked(shop))
    assert finding.title.startswith("cells.x holds what is not ")
    assert finding.facts == (f"2 values: {reason}  id 2, 3",)
    assert [row[0] for row in seen(shop, finding)] == [2, 3]


def test_all_columns_of_a_table_are_found_at_once(shop: Sandbox) -> None:
    """A refused column does not hide the next one."""
    cells(shop, "Date", "(1, '2020-13-01', x'00'), (2, '2020-01-01', ''), (3, 'soon', '')")
    titles = {f.title: f.facts for f in stops(checked(shop))}
    assert titles == {
        "cells.x holds what is not date": ("2 values: is not a date (YYYY-MM-DD)  id 1, 3",),
        "cells.y holds what is not text": ("1 value: is blob where text is declared  id 1",),
    }


def test_values_are_shown_only_when_asked_for(shop: Sandbox) -> None:
    """A wrong value may still be a person's."""
    cells(shop, "Integer", "(1, 'hunter2', '')")
    assert "hunter2" not in str(checked(shop))
    assert only_stop(checked(shop, show_values=True)).facts == (
        "1 value: is text where integer(32) is declared  id 1 (hunter2)",
    )


def test_a_dropped_column_may_hold_anything(shop: Sandbox) -> None:
    """What is not read need not be right."""
    shop.schema(1, table("Integer"))
    shop.schema(2, 't("cells", Column("id", Integer, primary_key=True), Column("y", Text))')
    shop.step('step.drop(old.cells.c.x, because="never used")')
    shop.create("INSERT INTO cells VALUES (1, 'abc', '')")
    assert stops(checked(shop)) == []


def test_a_rule_over_a_wrong_cell_is_not_said_twice(shop: Sandbox) -> None:
    """The rule could not be run, and the reason has been said."""
    shop.schema(1, table("Integer"))
    shop.schema(2, table("Text"))
    shop.step("step.table(new.cells).values(x=rules.text(old.cells.c.x))")
    shop.create("INSERT INTO cells VALUES (1, 'abc', '')")
    assert only_stop(checked(shop)).title == "cells.x holds what is not integer(32)"


COERCED = {
    "a value": "step.table(new.notes).values(x=sa.type_coerce(old.notes.c.x, sa.Integer))",
    "in a rule": """
        number = sa.type_coerce(old.notes.c.x, sa.Integer)
        step.table(new.notes).values(x=rules.default(number, 0))""",
    "in a select": """
        number = sa.type_coerce(old.notes.c.x, sa.Integer).label("x")
        step.table(new.notes, source=select(old.notes.c.id, number).subquery())""",
}


@pytest.mark.parametrize("step", COERCED.values(), ids=COERCED)
def test_sql_that_gives_another_type_than_the_step_says(shop: Sandbox, step: str) -> None:
    """Known by the new column that it fills, before and in the run, with the rows' keys."""
    notes = 't("notes", Column("id", Integer, primary_key=True), Column("x", {}))'
    shop.schema(1, notes.format("Text"))
    shop.schema(2, notes.format("Integer"))
    shop.step(step)
    shop.create("INSERT INTO notes VALUES (1, '12,345'), (2, 'x'), (3, NULL)")
    finding = only_stop(checked(shop))
    keyed = "" if "select" in step else "  id 1, 2"
    assert finding.title.startswith("notes.x cannot be read as the step says")
    assert finding.facts == (f"2 values: is text where integer(32) is declared{keyed}",)
    assert "convert them by a rule of the step" in finding.mend[1]
    with pytest.raises(ValueRefused, match=r"^notes\.x: 2 rows") as caught:
        shop.migrate()
    assert caught.value.hint[1:] == finding.mend
