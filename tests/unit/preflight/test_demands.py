"""What the new schema demands of each row alone."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.unit.preflight.asking import checked, left_to_rehearsal, only_stop, seen, stops

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

OLD = 't("users", Column("id", Integer, primary_key=True), Column("name", Text))\n'


def new(column: str, *more: str) -> str:
    """Return schema 2: users with a column of another declaration."""
    return f't("users", Column("id", Integer, primary_key=True), {", ".join([column, *more])})\n'


def people(
    shop: Sandbox, column: str, *rows: str, step: str = "", more: tuple[str, ...] = ()
) -> None:
    """Lay out the project, and an old database with rows."""
    shop.schema(1, OLD)
    shop.schema(2, new(column, *more))
    shop.step(step)
    shop.create(*(f"INSERT INTO users VALUES {row}" for row in rows))


def test_rows_that_fit_give_no_finding(shop: Sandbox) -> None:
    """A database that fits says what was proven, and stops nothing."""
    people(shop, 'Column("name", Text, nullable=False)', "(1, 'ann'), (2, '')")
    found = checked(shop)
    assert found.findings == ()
    assert not found.stops
    assert found.ok[0].endswith("shop_v1.db is schemas/v1.py")
    assert "every column is accounted for: 2 carried, 0 dropped, 0 new" in found.ok
    assert "every stored value is of its declared type" in found.ok
    assert any(line.startswith("room at ") for line in found.ok)


def test_nulls_are_counted_and_named_with_the_lines_to_type(shop: Sandbox) -> None:
    """The first five keys and how many more; the SQL shows all of them."""
    nulls = ", ".join(f"({i}, NULL)" for i in range(1, 9))
    people(shop, 'Column("name", Text, nullable=False)', nulls, "(20, 'zoe')")
    finding = only_stop(checked(shop))
    assert finding.title == "users.name is NOT NULL in schema 2"
    assert finding.facts == ("8 rows are null  id 1, 2, 3, 4, 5 and 3 more",)
    assert finding.see == "SELECT users.id FROM users WHERE users.name IS NULL;"
    assert seen(shop, finding) == [(i,) for i in range(1, 9)]
    assert finding.mend == (
        "correct them in release 1, or in migrators/1to2.py add one of:",
        '  step.table(new.users).drop_rows(old.users.c.name.is_(None), because="...")',
        "  step.table(new.users).values(name=rules.default(old.users.c.name, ...))",
        "or allow it in schemas/v2.py",
    )


@pytest.mark.parametrize("line", [1, 2])
def test_a_line_that_is_offered_mends_it(shop: Sandbox, line: int) -> None:
    """What `mend` says can be pasted into the step, the gaps filled, and the check is clean."""
    people(shop, 'Column("name", Text, nullable=False)', "(1, NULL), (2, 'bob')")
    said = only_stop(checked(shop)).mend[line].strip()
    shop.step(said.replace('"..."', '"nameless"').replace(", ...)", ", 'n.n.')"))
    assert stops(checked(shop)) == []


def test_f53_length_counts_characters_not_bytes(shop: Sandbox) -> None:
    """Five letters with accents fit where six do not; the lengths stand beside the keys."""
    people(
        shop,
        'Column("name", String(5))',
        "(1, 'äöüéñ'), (2, 'abcdef'), (3, 'äöüéñê'), (4, NULL)",
        step="step.table(new.users).values(name=sa.type_coerce(old.users.c.name, String(5)))",
    )
    shop.schema(1, OLD.replace("Text", "String(5)"))
    shop.step("")
    shop.database().unlink()
    shop.create("INSERT INTO users VALUES (1, 'äöüéñ'), (2, 'abcdef'), (3, 'äöüéñê'), (4, NULL)")
    finding = only_stop(checked(shop))
    assert finding.title == "users.name has at most 5 characters in schema 2"
    assert finding.facts == ("2 rows are longer than 5 characters  id 2 (6), 3 (6)",)
    assert finding.mend[2:] == ("or widen it in schemas/v2.py",)
    assert seen(shop, finding) == [(2,), (3,)]


def test_f59_labels_that_are_gone_are_named(shop: Sandbox) -> None:
    """A label that the new enum lacks is offered as the one to rename."""
    shop.schema(1, OLD.replace("Text", 'Enum("on", "off", "odd", name="e")'))
    shop.schema(2, new('Column("name", Enum("on", "off", name="e"))'))
    shop.step("")
    shop.create("INSERT INTO users VALUES (1, 'on'), (2, 'odd'), (3, NULL), (4, 'On')")
    finding = only_stop(checked(shop))
    assert finding.title == "users.name is one of on, off in schema 2"
    assert finding.facts == ("2 rows have another label  id 2, 4",)
    assert seen(shop, finding) == [(2,), (4,)]
    assert 'rules.enum(old.users.c.name, {"odd": "..."})' in finding.mend[1]


def test_f46_a_nul_character_is_found(shop: Sandbox) -> None:
    """Text with U+0000 is refused by the extract, so it is found here."""
    people(shop, 'Column("name", Text)', "(1, 'a' || char(0) || 'b'), (2, 'ab')")
    finding = only_stop(checked(shop))
    assert finding.facts == ("1 row has a NUL character  id 1",)
    assert "rules.scrub(old.users.c.name)" in finding.mend[1]
    assert len(finding.mend) == 2  # no declaration lets a NUL into text


def test_rows_that_the_step_leaves_out_are_not_asked(shop: Sandbox) -> None:
    """Only rows that become new rows have to fit."""
    people(
        shop,
        'Column("name", Text, nullable=False)',
        "(1, NULL), (2, 'bob')",
        step='step.table(new.users).drop_rows(old.users.c.id == 1, because="test account")',
    )
    assert stops(checked(shop)) == []


def test_expressions_are_asked_as_the_step_computes_them(shop: Sandbox) -> None:
    """A scalar subquery that finds nothing gives NULL, which the new column refuses."""
    shop.schema(1, OLD + 't("logins", Column("user", Integer), Column("at", Text))')
    shop.schema(2, new('Column("name", Text)', 'Column("last", Text, nullable=False)'))
    shop.step("""
        logins = old.logins.c
        last = select(func.max(logins.at)).where(logins.user == old.users.c.id)
        step.table(new.users).values(last=last.scalar_subquery())
        step.drop(logins.user, because="in the table's name")
        step.same("seen", old=select(func.count(logins.user.distinct())),
                  new=select(func.count(new.users.c.last)))
    """)
    shop.create(
        "INSERT INTO users VALUES (1, 'ann'), (2, 'bob')", "INSERT INTO logins VALUES (1, 'x')"
    )
    finding = only_stop(checked(shop))
    assert finding.facts == ("1 row is null  id 2",)
    assert seen(shop, finding) == [(2,)]


KEY = 'Column("id", Integer, primary_key=True)'
CHECKED = f't("users", {KEY}, Column("low", Integer), Column("high", Integer)%s)\n'


def test_f70_a_check_is_asked_of_new_columns_under_their_new_names(shop: Sandbox) -> None:
    """CHECKs are evaluated over the renamed columns; NULL passes, as in SQL."""
    shop.schema(
        1,
        f't("users", {KEY}, Column("a", Integer), Column("b", Integer))',
    )
    shop.schema(2, CHECKED % ', CheckConstraint("low <= high", name="ck_order")')
    shop.step("step.table(new.users).values(low=old.users.c.a, high=old.users.c.b)")
    shop.create("INSERT INTO users VALUES (1, 1, 2), (2, 3, 2), (3, NULL, 2), (4, 9, 0)")
    finding = only_stop(checked(shop))
    assert finding.title == "users has CHECK ck_order (low <= high) in schema 2"
    assert finding.facts == ("2 rows break it  id 2, 4",)
    assert seen(shop, finding) == [(2,), (4,)]


def test_a_check_written_as_an_expression_is_asked_too(shop: Sandbox) -> None:
    """`CheckConstraint(column > 0)` is the same as its text; a colon in it is no parameter."""
    checks = """, CheckConstraint(sa.column("low") > 0, name="ck_low"),
        CheckConstraint("high <> ':high'", name="ck_high")"""
    shop.schema(1, CHECKED % "")
    shop.schema(2, CHECKED % checks)
    shop.step("")
    shop.create("INSERT INTO users VALUES (1, 1, 2), (2, 0, 2)")
    finding = only_stop(checked(shop))
    assert finding.title == "users has CHECK ck_low (low > 0) in schema 2"
    assert finding.facts == ("1 row breaks it  id 2",)


def test_a_colon_in_a_check_means_what_the_database_is_given(shop: Sandbox) -> None:
    """With a backslash it is itself, as `freeze` writes it."""
    table = f't("users", {KEY}, Column("x", Text)%s)'
    shop.schema(1, table % "")
    shop.schema(2, table % r""", CheckConstraint(r"x <> ' \:b'", name="ck")""")
    shop.step("")
    shop.create("INSERT INTO users VALUES (1, ' :b'), (2, ' b')")
    finding = only_stop(checked(shop))
    assert finding.facts == ("1 row breaks it  id 1",)


def test_the_line_offered_for_a_check_mends_it(shop: Sandbox) -> None:
    """Where the columns keep their names, the rows that break it can be left out as offered."""
    shop.schema(1, CHECKED % "")
    shop.schema(2, CHECKED % ', CheckConstraint("low <= high")')
    shop.step("")
    shop.create("INSERT INTO users VALUES (1, 1, 2), (2, 3, 2)")
    shop.step(only_stop(checked(shop)).mend[1].strip().replace('"..."', '"upside down"'))
    assert stops(checked(shop)) == []


def test_the_line_offered_for_a_check_of_renamed_columns_mends_it(shop: Sandbox) -> None:
    """It names the old columns, and leaves alone what stands in quotes."""
    renamed = "step.table(new.users).values(low=old.users.c.a, high=old.users.c.b)\n"
    shop.schema(1, f't("users", {KEY}, Column("a", Integer), Column("b", Text))')
    new = CHECKED.replace('"high", Integer', '"high", Text')
    shop.schema(2, new % """, CheckConstraint("low < 3 OR high = '\\"low\\" x:high'")""")
    shop.step(renamed)
    shop.create("""INSERT INTO users VALUES (1, 1, 'x'), (2, 3, '"low" x:high'), (3, 4, 'low')""")
    finding = only_stop(checked(shop))
    line = finding.mend[1].replace('"..."', '"too high"')
    assert "a < 3 OR b = " in line
    shop.step(renamed + dedent(line))
    assert stops(checked(shop)) == []
    shop.migrate()
    assert shop.rows("SELECT id FROM users ORDER BY id") == [(1,), (2,)]


def test_a_check_over_what_a_rule_computes_is_left_to_a_rehearsal(shop: Sandbox) -> None:
    """SQL cannot say what a rule will give."""
    people(
        shop,
        'Column("name", Integer)',
        "(1, '7')",
        step="step.table(new.users).values(name=rules.integer(old.users.c.name))",
        more=('CheckConstraint("name > 0", name="ck_name")',),
    )
    assert left_to_rehearsal(checked(shop)) == [
        ("CHECK ck_name (name > 0)  (it reads what rules or functions compute)",)
    ]


def test_a_check_that_the_old_database_cannot_evaluate_is_left_to_a_rehearsal(
    shop: Sandbox,
) -> None:
    """A function of the application's own is no reason to fail."""
    people(
        shop,
        'Column("name", Text)',
        "(1, '7')",
        more=('CheckConstraint("nicely(name)", name="ck")',),
    )
    ((fact,),) = left_to_rehearsal(checked(shop))
    assert fact.startswith("CHECK ck (nicely(name))  (the old database cannot evaluate it: ")


def test_all_faults_of_a_column_are_one_finding_and_all_columns_are_said_at_once(
    shop: Sandbox,
) -> None:
    """NULL and shared values of one column stand below one another."""
    people(
        shop,
        'Column("name", Text, nullable=False)',
        "(1, NULL), (2, 'x'), (3, 'x'), (4, NULL)",
        more=('Column("age", Integer, nullable=False, default=None)', 'UniqueConstraint("name")'),
        step="step.table(new.users).values(age=sa.null().cast(sa.Integer))",
    )
    age, name = sorted(stops(checked(shop)), key=lambda f: f.title)
    assert age.facts == ("4 rows are null  id 1, 2, 3, 4",)
    assert name.title == "users.name is NOT NULL and UNIQUE in schema 2"
    assert name.facts == ("2 rows are null       id 1, 4", "2 rows share a value  id 2 = 3")


def test_values_are_shown_only_when_asked_for(shop: Sandbox) -> None:
    """Keys are not personal data, names are; control characters do not reach a terminal."""
    shop.schema(1, OLD.replace("Text", "String(3)"))
    shop.schema(2, new('Column("name", String(3))'))
    shop.step("")
    shop.create("INSERT INTO users VALUES (1, 'secret' || char(27))")
    assert "secret" not in str(checked(shop))
    (fact,) = only_stop(checked(shop, show_values=True)).facts
    assert fact == "1 row is longer than 3 characters  id 1 (secret\\x1b)"


def test_f66_hostile_names_stay_names(shop: Sandbox) -> None:
    """Quotes, SQL and reserved words in names are quoted, in questions and in lines to type."""
    odd = KEY.replace('"id"', '"id; DROP TABLE x"')
    odd = f"""t('or"der', {odd}, Column("select", Text%s))"""
    shop.schema(1, odd % "")
    shop.schema(2, odd % ", nullable=False")
    shop.step("")
    shop.create("""INSERT INTO "or""der" VALUES (4, NULL)""")
    finding = only_stop(checked(shop))
    assert finding.facts == ("1 row is null  id; DROP TABLE x 4",)
    assert seen(shop, finding) == [(4,)]
    assert """old["or\\"der"].c.select.is_(None)""" in finding.mend[1]
