"""How many columns of the new schema are new: what no single old column fills."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

OLD = """
t("users", Column("id", Integer, primary_key=True), Column("first", Text), Column("last", Text))
"""
ROOM = 'step.drop(old.users.c.last, because="short")'


@pytest.mark.parametrize(
    ("column", "step", "new"),
    [
        ('Column("first", Text), Column("last", Text)', "", 0),
        (
            'Column("name", Text)',
            f"step.table(new.users).values(name=old.users.c.first)\n{ROOM}",
            0,
        ),
        (
            'Column("first", Integer)',
            f"step.table(new.users).values(first=rules.integer(old.users.c.first))\n{ROOM}",
            0,
        ),
        (
            'Column("first", Text), Column("last", Text), Column("tier", Text)',
            'step.table(new.users).values(tier="basic")',
            1,
        ),
        (
            'Column("both", Text)',
            "step.table(new.users).values("
            'both=old.users.c.first + sa.literal(" ") + old.users.c.last)',
            1,
        ),
        (
            'Column("both", JSON)',
            "step.table(new.users).values("
            "both=rules.json_object(a=old.users.c.first, b=old.users.c.last))",
            1,
        ),
        (
            'Column("first", Text), Column("last", Text), Column("tier", Text)',
            "users = old.users.c\n"
            "step.table(new.users).query(select("
            "users.id, users.first, users.last, users.first.label('tier')), rows=new)\n"
            "step.same('users', old=select(func.count(users.id)), "
            "new=select(func.count(new.users.c.id)))",
            4,
        ),
    ],
    ids=["carried", "renamed", "rule", "constant", "expression", "several", "query"],
)
def test_new_columns(shop: Sandbox, column: str, step: str, new: int) -> None:
    """Renamed and converted ones are old; constants, expressions and queries make new ones."""
    shop.schema(1, OLD)
    shop.schema(2, f't("users", Column("id", Integer, primary_key=True), {column})')
    shop.step(step)
    assert shop.plan().columns_new == new
