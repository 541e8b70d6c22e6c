"""Foreign keys: children without parents."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from tests.unit.preflight.asking import checked, left_to_rehearsal, only_stop, seen, stops

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

OWNERS = 't("owners", Column("id", {0}, primary_key=True), Column("name", Text))\n'
KEY = 'Column("id", Integer, primary_key=True)'
PETS = 't("pets", ' + KEY + ', Column("owner", {0}, ForeignKey("owners.id")){1})\n'
ROWS = (
    "INSERT INTO owners VALUES (1, 'ann'), (2, 'bob')",
    "INSERT INTO pets VALUES (10, 1), (11, NULL), (12, 7), (13, 2), (14, 8)",
)


def schema(key: str = "Integer", more: str = "") -> str:
    """Return owners and pets."""
    return OWNERS.format(key) + PETS.format(key, more)


def test_f70_orphans_are_found_though_the_old_database_took_them(shop: Sandbox) -> None:
    """SQLite enforces foreign keys only where a connection asks for it."""
    shop.schema(1, schema())
    shop.schema(2, schema())
    shop.step("")
    shop.create(*ROWS)
    finding = only_stop(checked(shop))
    assert finding.title == "pets.owner refers to owners.id in schema 2"
    assert finding.facts == ("2 rows refer to no row of owners  id 12, 14",)
    assert seen(shop, finding) == [(12,), (14,)]
    assert finding.see == (
        "SELECT pets.id FROM pets WHERE (pets.owner NOT IN (SELECT owners.id FROM owners));"
    )
    owner, owners = "old.pets.c.owner", "sa.select(old.owners.c.id)"
    assert finding.mend == (
        "correct them in release 1, or in migrators/1to2.py add one of:",
        "  step.table(new.pets).drop_rows(\n"
        f'      old.pets.c.owner.not_in({owners}), because="...",\n'
        "  )",
        "  step.table(new.pets).values(\n"
        f"      owner=sa.case((old.pets.c.owner.in_({owners}), {owner})),\n"
        "  )",
    )
    for line in finding.mend[1:]:
        shop.step(textwrap.dedent(line).replace('"..."', '"strays"'))
        assert stops(checked(shop)) == []


def test_a_parent_that_the_step_leaves_out_is_missed(shop: Sandbox) -> None:
    """The new parents count, not the old ones."""
    shop.schema(1, schema())
    shop.schema(2, schema())
    shop.step('step.table(new.owners).drop_rows(old.owners.c.name == "bob", because="left")')
    shop.create(*ROWS)
    finding = only_stop(checked(shop))
    assert finding.facts == ("3 rows refer to no row of owners  id 12, 13, 14",)
    assert seen(shop, finding) == [(12,), (13,), (14,)]


OWNER = "old.owners.c"
LEFT_OUT = {
    f'{OWNER}.name == "bob"': f'({OWNER}.name == "bob").is_not(True)',
    f"{OWNER}.id == 2": f"({OWNER}.id == 2).is_not(True)",
    f'{OWNER}.name.in_(["bob", "b\\"b"])': f'({OWNER}.name.in_(["bob", "b\\"b"])).is_not(True)',
    f"({OWNER}.name.like('b%')) & ({OWNER}.id != 1)": (
        f'(({OWNER}.name.like("b%")) & ({OWNER}.id != 1)).is_not(True)'
    ),
    f"{OWNER}.name.is_not(None) & ({OWNER}.id == 2)": (
        f"(({OWNER}.name.is_not(None)) & ({OWNER}.id == 2)).is_not(True)"
    ),
    f"func.upper({OWNER}.name) == 'BOB'": "(upper(owners.name) = 'BOB') IS NOT TRUE",
    "sa.text(\"owners.name LIKE 'b%'\")": "(owners.name LIKE 'b%') IS NOT TRUE",
}


@pytest.mark.parametrize("where", LEFT_OUT)
def test_the_mend_repeats_what_leaves_parents_out(shop: Sandbox, where: str) -> None:
    """Each line, typed as it is, mends it; rows whose condition is NULL stay on both sides."""
    shop.schema(1, schema())
    shop.schema(2, schema())
    step = f'step.table(new.owners).drop_rows({where}, because="left")\n'
    shop.step(step)
    shop.create(*ROWS, "INSERT INTO owners VALUES (3, NULL)", "INSERT INTO pets VALUES (15, 3)")
    finding = only_stop(checked(shop))
    assert finding.facts == ("3 rows refer to no row of owners  id 12, 13, 14",)
    assert LEFT_OUT[where] in finding.mend[1]
    for line in finding.mend[1:]:
        shop.step(step + textwrap.dedent(line).replace('"..."', '"strays"'))
        assert stops(checked(shop)) == []
    shop.migrate()
    assert (15, 3) in shop.rows("SELECT id, owner FROM pets")


def test_the_mend_repeats_which_parents_stay(shop: Sandbox) -> None:
    """A condition of `only` is one of rows that stay: NULL leaves out."""
    shop.schema(1, schema())
    shop.schema(2, schema())
    for only in (f'{OWNER}.name != "bob"', f"func.lower({OWNER}.name) != 'bob'"):
        step = f'step.table(new.owners, only={only}, because="left")\n'
        shop.step(step)
        shop.database().unlink(missing_ok=True)
        shop.create(*ROWS, "INSERT INTO owners VALUES (3, NULL)", "INSERT INTO pets VALUES (15, 3)")
        finding = only_stop(checked(shop))
        assert finding.facts == ("4 rows refer to no row of owners  id 12, 13, 14, 15",)
        for line in finding.mend[1:]:
            shop.step(step + textwrap.dedent(line).replace('"..."', '"strays"'))
            assert stops(checked(shop)) == []


def test_changed_keys_are_compared_by_their_old_values(shop: Sandbox) -> None:
    """`rekey` changes both sides alike."""
    shop.schema(1, schema())
    shop.schema(2, schema("Uuid"))
    shop.step("step.rekey(new.owners)")
    shop.create(*ROWS)
    assert only_stop(checked(shop)).facts == ("2 rows refer to no row of owners  id 12, 14",)


def test_a_reference_to_the_table_itself(shop: Sandbox) -> None:
    """Parents and children are the same rows."""
    tree = f't("nodes", {KEY}, Column("up", Integer, ForeignKey("nodes.id")))'
    shop.schema(1, tree)
    shop.schema(2, tree)
    shop.step("")
    shop.create("INSERT INTO nodes VALUES (1, NULL), (2, 1), (3, 9)")
    finding = only_stop(checked(shop))
    assert finding.facts == ("1 row refers to no row of nodes  id 3",)
    assert seen(shop, finding) == [(3,)]
    for line in finding.mend[1:]:
        shop.step(textwrap.dedent(line).replace('"..."', '"strays"'))
        assert stops(checked(shop)) == []


def test_a_reference_of_several_columns(shop: Sandbox) -> None:
    """All columns have to agree; a NULL in one refers to nothing."""
    both = (
        't("boxes", Column("x", Integer, primary_key=True),'
        ' Column("y", Integer, primary_key=True))\n'
        f't("items", {KEY}, Column("x", Integer), Column("y", Integer),'
        ' ForeignKeyConstraint(["x", "y"], ["boxes.x", "boxes.y"]))'
    )
    shop.schema(1, both)
    shop.schema(2, both)
    shop.step("")
    shop.create(
        "INSERT INTO boxes VALUES (1, 2)",
        "INSERT INTO items VALUES (1, 1, 2), (2, 2, 1), (3, NULL, 9)",
    )
    finding = only_stop(checked(shop))
    assert finding.title == "items.(x, y) refers to boxes.(x, y) in schema 2"
    assert finding.facts == ("1 row refers to no row of boxes  id 2",)


def test_references_to_a_lookup_are_proven_by_how_it_is_made(shop: Sandbox) -> None:
    """A lookup holds every value that is looked up in it."""
    shop.schema(1, 't("users", Column("id", Integer, primary_key=True), Column("city", Text))')
    shop.schema(
        2,
        """
        t("cities", Column("id", Integer, primary_key=True), Column("name", Text, unique=True))
        t("users", Column("id", Integer, primary_key=True), Column("city", ForeignKey("cities.id")))
    """,
    )
    shop.step("""
        city = old.users.c.city
        cities = step.lookup(new.cities, key=new.cities.c.name, of=[city])
        step.table(new.users).values(city=cities.id(city))
    """)
    shop.create("INSERT INTO users VALUES (1, 'Rome'), (2, NULL), (3, 'Rome')")
    found = checked(shop)
    assert found.findings == ()
    assert "rules take every value: 2 columns" in found.ok


def test_references_that_a_function_computes_are_left_to_a_rehearsal(shop: Sandbox) -> None:
    """Tables of functions say once what is not known of them."""
    shop.schema(1, schema())
    shop.schema(
        2,
        schema() + f't("tags", {KEY}, Column("pet", ForeignKey("pets.id")))',
    )
    shop.step(
        "step.table(new.tags).computed(tags, reads=select(old.pets.c.id))",
        before="def tags(batches):\n    yield from batches\n",
    )
    shop.create(ROWS[0])
    assert left_to_rehearsal(checked(shop)) == [
        (
            "every value fits  (tags computes them)",
            "PRIMARY KEY (id)  (rules or functions compute it)",
            "pet refers to pets.id  (rules or functions compute it)",
        )
    ]
