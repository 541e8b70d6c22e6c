"""Rules, run over the old rows without writing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.preflight import ruled
from tests.unit.preflight.asking import checked, only_stop, stops

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

OLD = 't("users", Column("id", Integer, primary_key=True), Column("a", Text), Column("b", Text))\n'


def users(shop: Sandbox, new: str, step: str, rows: str) -> None:
    """Lay out a table whose column `a` a rule computes."""
    shop.schema(1, OLD)
    shop.schema(2, OLD.replace('Column("a", Text)', f'Column("a", {new})'))
    shop.step(step)
    shop.create(f"INSERT INTO users VALUES {rows}")


def test_f17_what_a_rule_refuses_is_counted_and_named(shop: Sandbox) -> None:
    """The rule runs over every row, so all of them are found, over all batches."""
    users(
        shop,
        "Integer",
        "step.table(new.users).values(a=rules.integer(old.users.c.a))",
        "(1, '12', ''), (2, 'many', ''), (3, NULL, ''), (4, '', '')",
    )
    finding = only_stop(checked(shop))
    assert finding.title == "users.a is made by rules.integer in schema 2"
    assert len(finding.facts) == 1
    assert finding.facts[0].startswith("2 values refused: ")
    assert finding.facts[0].endswith("  id 2, 4")
    assert "many" not in str(finding)
    assert finding.mend[0] == "correct them in release 1, or in migrators/1to2.py:8 add one of:"


def test_a_decimal_with_more_digits_may_be_rounded(shop: Sandbox) -> None:
    """REAL money that was summed up has a tail; the way to cut it is offered."""
    key = 'Column("id", Integer, primary_key=True)'
    shop.schema(1, f't("bills", {key}, Column("total", Float))')
    shop.schema(2, f't("bills", {key}, Column("total", Numeric(10, 2)))')
    shop.step("step.table(new.bills).values(total=rules.decimal(old.bills.c.total))")
    shop.create("INSERT INTO bills VALUES (1, 0.99), (2, 0.1 + 0.2)")
    finding = only_stop(checked(shop))
    assert finding.mend[1:] == (
        '  total=rules.decimal(..., rounding="half_even")',
        "  total=rules.decimal(..., otherwise=<a value>)",
    )


def test_results_of_rules_have_to_fit(shop: Sandbox) -> None:
    """NOT NULL and length hold for what a rule gives, not for what it was given."""
    users(
        shop,
        "String(2), nullable=False",
        "step.table(new.users).values(a=rules.trim(old.users.c.a))",
        "(1, '  ab  ', ''), (2, 'abc', ''), (3, NULL, '')",
    )
    facts = sorted(only_stop(checked(shop)).facts)
    assert facts == [
        "1 value refused: is NULL in a NOT NULL column  id 3",
        "1 value refused: is longer than 2 characters   id 2",
    ]


def test_a_rule_that_takes_every_value_is_said_to_be_well(shop: Sandbox) -> None:
    """The line of what was proven counts the columns."""
    users(
        shop,
        "Integer",
        "step.table(new.users).values(a=rules.integer(old.users.c.a, otherwise=0))",
        "(1, '12', ''), (2, 'many', '')",
    )
    found = checked(shop)
    assert stops(found) == []
    assert "rules take every value: 1 column" in found.ok


def test_only_what_rules_read_is_streamed(shop: Sandbox) -> None:
    """Other columns, long texts among them, are not read again."""
    users(
        shop,
        "Integer",
        "step.table(new.users).values(a=rules.integer(old.users.c.a))",
        "(1, '1', '')",
    )
    (table,) = shop.plan().tables
    (part,) = table.parts
    narrow = ruled.narrowed(part, set())
    assert narrow is not None
    assert sorted(c.source for c in narrow.query.columns) == ["a", "id"]
    assert [o.column for o in narrow.outputs] == ["a"]


def test_values_of_a_lookup_have_to_fit(shop: Sandbox) -> None:
    """A value too long for the lookup is found, and the tables that ask it do not fail."""
    shop.schema(1, OLD)
    shop.schema(
        2,
        """
        t("tags", Column("id", Integer, primary_key=True), Column("name", String(3), unique=True))
        t("users", Column("id", Integer, primary_key=True), Column("b", Text))
        t("uses", Column("user", Integer, primary_key=True),
          Column("tag", ForeignKey("tags.id"), primary_key=True))
    """,
    )
    shop.step("""
        words = rules.split(old.users.c.a, ",")
        tags = step.lookup(new.tags, key=new.tags.c.name, of=[words])
        step.table(new.uses, source=old.users).values(user=old.users.c.id, tag=tags.id(words))
    """)
    shop.create("INSERT INTO users VALUES (1, 'ab,cd', ''), (2, 'abcd,ab', '')")
    finding = only_stop(checked(shop))
    assert finding.title.startswith("tags.name ")
    assert finding.facts[0].startswith("1 value refused: is longer than 3 characters")


def test_exploded_rows_are_left_to_a_rehearsal_where_sql_cannot_tell(shop: Sandbox) -> None:
    """How many rows a list becomes is not SQL's to know."""
    shop.schema(1, OLD)
    shop.schema(
        2,
        OLD
        + """
        \nt("uses", Column("user", ForeignKey("users.id"), primary_key=True),
             Column("tag", String(9), primary_key=True))
    """.strip(),
    )
    shop.step("""
        words = rules.split(old.users.c.a, ",")
        step.table(new.uses, source=old.users).values(user=old.users.c.id, tag=words)
    """)
    shop.create("INSERT INTO users VALUES (1, 'ab,cd', ''), (2, NULL, '')")
    found = checked(shop)
    assert stops(found) == []
    assert [f.facts for f in found.findings] == [
        ("PRIMARY KEY (user, tag)  (rules or functions compute it)",)
    ]


def test_every_column_of_exploded_rows_is_asked_of_rows_that_will_be(shop: Sandbox) -> None:
    """NULL counts only where the list has elements: an empty one makes no row."""
    shop.schema(1, OLD)
    shop.schema(
        2,
        OLD
        + """t("uses", Column("user", Integer, primary_key=True),
               Column("tag", String(9), primary_key=True), Column("of", Text, nullable=False))""",
    )
    shop.step("""
        step.table(new.uses, source=old.users).values(
            user=old.users.c.id, tag=rules.split(old.users.c.a, ","), of=old.users.c.b)
    """)
    shop.create("INSERT INTO users VALUES (1, 'ab,cd', ''), (2, NULL, NULL), (3, 'x', NULL)")
    finding = only_stop(checked(shop))
    assert finding.title.startswith("uses.of ")
    assert finding.facts == ("1 value refused: is NULL in a NOT NULL column  id 3",)


def test_a_reversed_key_that_refers_to_nothing_is_found(shop: Sandbox) -> None:
    """On the way down a UUID without a row has no number to become."""
    shop.schema(
        1,
        """
        t("users", Column("id", Uuid, primary_key=True), Column("n", Text))
        t("log", Column("id", Integer, primary_key=True), Column("who", Uuid))
    """,
    )
    shop.schema(
        2,
        """
        t("users", Column("id", Integer, primary_key=True), Column("n", Text))
        t("log", Column("id", Integer, primary_key=True), Column("who", Integer))
    """,
    )
    shop.step("step.rekey(new.users)\nstep.follows(new.log.c.who, new.users)")
    shop.create(
        f"INSERT INTO users VALUES ('{'0' * 31}1', 'ann')",
        f"INSERT INTO log VALUES (1, '{'0' * 31}1'), (2, '{'0' * 31}2')",
    )
    finding = only_stop(checked(shop))
    assert finding.facts == ("1 value refused: refers to no row  id 2",)


def test_all_reasons_of_a_column_are_found_at_once(shop: Sandbox) -> None:
    """What a rule refuses of one row hides nothing of the others."""
    users(
        shop,
        "String(2), nullable=False",
        'step.table(new.users).values(a=rules.map(old.users.c.a, {"x": "ok", "y": "long"}))',
        "(1, 'q', ''), (2, 'y', ''), (3, NULL, ''), (4, 'x', '')",
    )
    finding = only_stop(checked(shop))
    assert [" ".join(fact.split()[-2:]) for fact in finding.facts] == ["id 1", "id 3", "id 2"]


def test_rules_of_other_columns_are_run_where_one_cannot_be_read(shop: Sandbox) -> None:
    """A blob where text is declared is said; so is what a rule refuses beside it."""
    shop.schema(1, OLD)
    shop.schema(2, OLD.replace("Text", "Integer"))
    shop.step("""
        user = old.users.c
        step.table(new.users).values(a=rules.integer(user.a), b=rules.integer(user.b))
    """)
    shop.create("INSERT INTO users VALUES (1, x'00', 'many'), (2, '7', '8')")
    assert [finding.title for finding in stops(checked(shop))] == [
        "users.a holds what is not text",
        "users.b is made by rules.integer in schema 2",
    ]
