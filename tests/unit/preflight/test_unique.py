"""Primary keys and UNIQUE over all rows of a new table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.preflight.asking import checked, left_to_rehearsal, only_stop, seen, stops

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

COLUMNS = 'Column("id", Integer, primary_key=True), Column("a", Text), Column("b", Text)'
OLD = f't("pairs", {COLUMNS})\n'


def pairs(shop: Sandbox, *constraints: str, rows: str) -> None:
    """Lay out a table whose new form has constraints."""
    shop.schema(1, OLD)
    shop.schema(2, f't("pairs", {", ".join([COLUMNS, *constraints])})')
    shop.step("")
    shop.create(f"INSERT INTO pairs VALUES {rows}")


def test_shared_values_are_named_in_pairs(shop: Sandbox) -> None:
    """Which row equals which; NULL equals nothing."""
    pairs(
        shop,
        'UniqueConstraint("a")',
        rows="(1, 'x', ''), (2, NULL, ''), (3, NULL, ''), (9, 'x', ''), (4, 'y', ''), (5, 'y', ''),"
        " (6, 'y', ''), (7, 'y', '')",
    )
    finding = only_stop(checked(shop))
    assert finding.title == "pairs.a is UNIQUE in schema 2"
    assert finding.facts == ("6 rows share a value  id 1 = 9; id 4 = 5 = 6 = ...",)
    assert seen(shop, finding) == [("x", 2), ("y", 4)]


def test_uniqueness_of_several_columns(shop: Sandbox) -> None:
    """Both have to be equal; a NULL in one of them is enough to differ."""
    pairs(
        shop,
        'UniqueConstraint("a", "b")',
        rows="(1, 'x', 'y'), (2, 'x', 'z'), (3, 'x', NULL), (4, 'x', NULL), (5, 'x', 'y')",
    )
    finding = only_stop(checked(shop))
    assert finding.title == "pairs (a, b) is UNIQUE in schema 2"
    assert finding.facts == ("2 rows share a value  id 1 = 5",)


def test_d51_text_is_compared_by_bytes(shop: Sandbox) -> None:
    """Case, accents and trailing blanks make a difference, whatever a collation says."""
    shop.schema(1, OLD.replace('Column("a", Text)', 'Column("a", String(collation="NOCASE"))'))
    shop.schema(2, f't("pairs", {COLUMNS}, UniqueConstraint("a"))')
    shop.step("")
    shop.create(
        "INSERT INTO pairs VALUES (1, 'x', ''), (2, 'X', ''), (3, 'x ', ''), (4, 'é', '')",
        "INSERT INTO pairs VALUES (5, 'e', '')",
    )
    assert stops(checked(shop)) == []


@pytest.mark.parametrize(
    "folds",
    ['String(collation="NOCASE")', 'Text().with_variant(String(collation="NOCASE"), "sqlite")'],
)
def test_d51_the_collation_of_the_new_column_decides(shop: Sandbox, folds: str) -> None:
    """Where the new column folds case, so does the question."""
    shop.schema(1, f't("pairs", {COLUMNS}, UniqueConstraint("a"))')
    folded = COLUMNS.replace('Column("a", Text)', f'Column("a", {folds})')
    shop.schema(2, f't("pairs", {folded}, UniqueConstraint("a"))')
    shop.step("")
    shop.create("INSERT INTO pairs VALUES (1, 'x', ''), (2, 'X', ''), (3, 'y', '')")
    finding = only_stop(checked(shop))
    assert finding.facts == ("2 rows share a value  id 1 = 2",)
    assert [n for _, n in seen(shop, finding)] == [2]
    lines = [line.strip().replace('"..."', '"a repetition"') for line in finding.mend[1:]]
    shop.step("\n".join(lines))
    assert stops(checked(shop)) == []
    shop.migrate()
    assert shop.rows("SELECT id FROM pairs ORDER BY id") == [(1,), (3,)]


def test_the_line_that_keeps_the_first_of_each_mends_it(shop: Sandbox) -> None:
    """What is offered can be pasted into the step."""
    pairs(
        shop,
        'UniqueConstraint("a")',
        rows="(1, 'x', ''), (2, 'x', ''), (3, NULL, ''), (4, NULL, '')",
    )
    mend = only_stop(checked(shop)).mend
    lines = [line.strip().replace('"..."', '"a repetition"') for line in mend[1:]]
    shop.step("\n".join(lines))
    assert stops(checked(shop)) == []
    shop.migrate()
    assert shop.rows("SELECT id FROM pairs ORDER BY id") == [(1,), (3,), (4,)]


def test_rows_of_several_sources_collide_with_one_another(shop: Sandbox) -> None:
    """A merged table's key is asked over all of its sources, and names where rows are from."""
    one = 't("{}", Column("id", Integer, primary_key=True), Column("name", Text))\n'
    shop.schema(1, one.format("cats") + one.format("dogs"))
    shop.schema(2, one.format("pets"))
    shop.step("step.table(new.pets, source=old.cats)\nstep.table(new.pets, source=old.dogs)")
    shop.create(
        "INSERT INTO cats VALUES (1, 'a'), (2, 'b')", "INSERT INTO dogs VALUES (2, 'c'), (3, 'd')"
    )
    finding = only_stop(checked(shop))
    assert finding.title == "pets.id is PRIMARY KEY in schema 2"
    assert finding.facts == ("2 rows share a value  cats id 2 = dogs id 2",)
    assert seen(shop, finding) == [(2, 2)]


def test_f70_a_null_primary_key_is_found(shop: Sandbox) -> None:
    """SQLite takes NULL in a primary key that is not INTEGER; the extract would not."""
    text_key = 't("notes", Column("key", String(9), primary_key=True), Column("v", Text))'
    shop.schema(1, text_key)
    shop.schema(2, text_key)
    shop.step("")
    shop.create()
    shop.sql(
        "DROP TABLE notes",
        "CREATE TABLE notes (key VARCHAR(9), v TEXT, PRIMARY KEY (key))",
        "INSERT INTO notes VALUES (NULL, 'x'), ('k', 'y')",
    )
    finding = next(f for f in stops(checked(shop)) if f.title.startswith("notes.key"))
    assert finding.title == "notes.key is NOT NULL in schema 2"
    assert finding.facts == ("1 row is null  key NULL",)


def test_a_computed_key_is_left_to_a_rehearsal(shop: Sandbox) -> None:
    """Two texts may become one number."""
    shop.schema(1, 't("nums", Column("id", Text, primary_key=True))')
    shop.schema(2, 't("nums", Column("id", Integer, primary_key=True))')
    shop.step("step.table(new.nums).values(id=rules.integer(old.nums.c.id))")
    shop.create("INSERT INTO nums VALUES ('1'), ('01')")
    found = checked(shop)
    assert stops(found) == []
    assert left_to_rehearsal(found) == [("PRIMARY KEY (id)  (rules or functions compute it)",)]
    assert found.findings[0].mend == ("migrate 1to2 --rehearse",)


def test_a_unique_index_over_some_rows_is_left_to_a_rehearsal(shop: Sandbox) -> None:
    """Partial indexes are not asked, and that is said."""
    pairs(
        shop,
        'Index("ux", "a", unique=True, sqlite_where=sa.text("b = 1"))',
        rows="(1, 'x', 1), (2, 'x', 2)",
    )
    assert left_to_rehearsal(checked(shop)) == [
        ("unique index ux  (it covers expressions or a part of the rows)",)
    ]


def test_a_changed_key_is_as_unique_as_the_old_one(shop: Sandbox) -> None:
    """`rekey` is one to one, so nothing is left to a rehearsal."""
    shop.schema(1, 't("users", Column("id", Integer, primary_key=True), Column("n", Text))')
    shop.schema(2, 't("users", Column("id", Uuid, primary_key=True), Column("n", Text))')
    shop.step("step.rekey(new.users)")
    shop.create("INSERT INTO users VALUES (1, 'x'), (2, 'x')")
    assert checked(shop).findings == ()
