"""What a step lacks is said with the lines that a person would write."""

from __future__ import annotations

import contextlib
import itertools
import re
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from migrators import rules, types
from migrators.errors import CodeError, PlanError
from migrators.plan.bind import BindError, fitted
from migrators.plan.model import Read

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

CAMEL = """
t("Artist", Column("ArtistId", Integer, primary_key=True), Column("Name", String(20)))
t("Employee", Column("EmployeeId", Integer, primary_key=True), Column("FirstName", String(20)),
  Column("BirthDate", DateTime))
t("Customer", Column("CustomerId", Integer, primary_key=True), Column("FirstName", String(20)))
"""
SNAKE = """
t("artists", Column("id", Integer, primary_key=True), Column("name", String(20)))
t("people", Column("person_id", Integer, primary_key=True),
  Column("first_name", String(20), nullable=False), Column("birth_date", Date))
"""


def problems(shop: Sandbox, step: str, old: str = CAMEL, new: str = SNAKE) -> PlanError:
    """Return what is wrong with a step."""
    shop.schema(1, old)
    shop.schema(2, new)
    shop.step(step)
    with pytest.raises(PlanError) as caught:
        shop.plan()
    return caught.value


def test_tables_and_columns_that_are_spelled_otherwise_are_written_out(shop: Sandbox) -> None:
    """CamelCase to snake_case, plurals, `ArtistId` to `id`: one statement, ready to paste."""
    said = problems(shop, "")
    assert "Artist: no column of it is carried anywhere" in said.problems
    assert said.hint[0] == (
        "step.table(new.artists, source=old.Artist).values(\n"
        "    id=old.Artist.c.ArtistId,\n"
        "    name=old.Artist.c.Name,\n"
        ")"
    )
    assert 'step.drop(old.Artist, because="...")' not in said.hint


def test_a_table_of_two_sources_is_told_by_source(shop: Sandbox) -> None:
    """Which columns lack a value differs by source, and so do the lines."""
    said = problems(
        shop,
        """
        step.table(new.artists, source=old.Artist).values(
            id=old.Artist.c.ArtistId, name=old.Artist.c.Name)
        step.table(new.people, source=old.Employee)
        step.table(new.people, source=old.Customer)
        """,
    )
    lack = "person_id, first_name are NOT NULL and have no source, constant or default"
    assert said.problems == (
        f"people from Employee: {lack}",
        f"people from Customer: {lack}",
        "Employee: EmployeeId, FirstName, BirthDate are carried nowhere",
        "Customer: CustomerId, FirstName are carried nowhere",
    )
    assert said.hint[0] == (
        "step.table(new.people, source=old.Employee).values(\n"
        "    person_id=...,\n"
        "    first_name=old.Employee.c.FirstName,\n"
        "    birth_date=rules.date(old.Employee.c.BirthDate),\n"
        ")"
    )


def test_the_lines_are_right_as_they_stand(shop: Sandbox) -> None:
    """Pasted into the step they leave nothing to say."""
    shop.schema(1, CAMEL)
    shop.schema(2, SNAKE)
    rest = 'step.drop(old.Employee, because="x")\nstep.drop(old.Customer, because="x")\n'
    lines = problems(shop, rest).hint
    shop.step(rest + "\n".join(lines))
    assert [t.name for t in shop.plan().tables] == ["artists", "people"]


def test_a_guess_stands_beside_the_drop(shop: Sandbox) -> None:
    """Names that are only alike may be two things."""
    said = problems(
        shop,
        "",
        old='t("users", Column("id", Integer, primary_key=True), Column("mail", Text))',
        new='t("users", Column("id", Integer, primary_key=True), Column("email", Text))',
    )
    assert said.problems == ("users.mail is carried nowhere",)
    assert said.hint == (
        "step.table(new.users).values(email=old.users.c.mail)",
        'step.drop(old.users.c.mail, because="...")',
    )


def test_no_guess_is_made_across_types(shop: Sandbox) -> None:
    """A lone lost date is not offered to the only free column, a text."""
    said = problems(
        shop,
        "",
        old='t("users", Column("id", Integer, primary_key=True), Column("born", Date))',
        new='t("users", Column("id", Integer, primary_key=True), Column("email", Text))',
    )
    assert said.hint == ('step.drop(old.users.c.born, because="...")',)


def test_a_constant_that_is_no_label_is_told_the_labels(shop: Sandbox) -> None:
    """The labels are what the person needs to see."""
    shop.schema(1, 't("users", Column("id", Integer, primary_key=True))')
    shop.schema(
        2,
        't("users", Column("id", Integer, primary_key=True),'
        ' Column("kind", Enum("guest", "member"), nullable=False))',
    )
    shop.step('step.table(new.users).values(kind="gest")')
    with pytest.raises(PlanError) as caught:
        shop.plan()
    assert caught.value.problems == (
        "users.kind: 'gest' is not a value that enum(6) holds exactly: one of guest, member",
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("old.Artits", "schema 1 has no table Artits; did you mean Artist?"),
        ("old.Artist.c.Nmae", "Artist has no column Nmae; did you mean Name?"),
        (
            "step.table(new.artists, source=old.Artist).values(naem=1)",
            "artists has no column naem; did you mean name?",
        ),
        ("step.tabel(new.artists)", "'Step' object has no attribute 'tabel'; did you mean table?"),
        ("rules.intger(1)", "no attribute 'intger'; did you mean integer?"),
        ("foo()", "NameError: name 'foo' is not defined"),
    ],
)
def test_a_misspelt_name_is_told_with_its_line(shop: Sandbox, line: str, said: str) -> None:
    """Table, column, verb, rule: what was meant, and where."""
    shop.schema(1, CAMEL)
    shop.schema(2, SNAKE)
    shop.step(line)
    with pytest.raises(CodeError) as caught:
        shop.plan()
    assert said in caught.value.message
    assert caught.value.line == 8


TYPES = (
    sa.Integer(), sa.Boolean(), sa.Float(), sa.Numeric(10, 2), sa.Text(),
    sa.Enum("a", "b", name="e"), sa.JSON(), sa.LargeBinary(), sa.Uuid(), sa.Date(), sa.Time(),
    sa.DateTime(), sa.DateTime(timezone=True), sa.Interval(), ARRAY(sa.Integer()),
)  # fmt: skip


def test_each_rule_that_a_message_names_is_there() -> None:
    """From any type to any other: the rule to write exists, and keys are no rule's work."""
    named = set()
    for own, target in itertools.permutations((types.describe(t) for t in TYPES), 2):
        with contextlib.suppress(BindError):
            fitted(Read(0, own), target)
            continue
        with pytest.raises(BindError) as caught:
            fitted(Read(0, own), target)
        named |= set(re.findall(r"rules\.(\w+)", str(caught.value)))
    assert named <= set(rules.__all__)
    assert {"integer", "map", "uuid", "timestamp"} <= named


KEYED = 't("users", Column("id", {0}, primary_key=True), Column("state", {1}))'


@pytest.mark.parametrize(
    ("old", "new", "step"),
    [
        (("Integer", "Integer"), ("Uuid", 'Enum("on", "off", name="s")'), {1: "on", 0: "off"}),
        (("Uuid", 'Enum("on", "off", name="s")'), ("Integer", "Integer"), {"on": 1, "off": 0}),
    ],
    ids=["up", "down"],
)
def test_what_is_said_of_keys_and_labels_is_what_the_plan_takes(
    shop: Sandbox, old: tuple[str, str], new: tuple[str, str], step: dict[object, object]
) -> None:
    """Integers and UUIDs: rekey; numbers and labels: a map. Those lines plan."""
    said = str(problems(shop, "", KEYED.format(*old), KEYED.format(*new)))
    assert "write step.rekey(new.<its table>)" in said
    assert "write rules.map(...)" in said
    shop.step(
        f"step.rekey(new.users)\nstep.table(new.users).values("
        f"state=rules.map(old.users.c.state, {step!r}))"
    )
    assert shop.plan()


def test_a_long_expression_of_no_known_type_is_said_once(shop: Sandbox) -> None:
    """On one line; what is to be written repeats a short one only."""
    name = "old.users.c.id"
    subquery = f"select(func.group_concat({name})).where({name} > 5, {name} < 7).scalar_subquery()"
    users = 't("users", Column("id", Integer, primary_key=True), Column("n", Text))'
    said = problems(shop, f"step.table(new.users).values(n={subquery})", users, users)
    assert "sa.type_coerce(..., sa.Integer())" in str(said)
    assert "\\n" not in str(said)
    said = problems(shop, f"step.table(new.users).values(n=func.odd({name}))", users, users)
    assert "sa.type_coerce(odd(users.id), sa.Integer())" in str(said)
