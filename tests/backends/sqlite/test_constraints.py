"""CHECKs and names of constraints, read from a CREATE TABLE."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa

from migrators.backends.sqlite.constraints import Check, checks, correct


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("a int check(a > 0), b int check (b in (1, 2))", ["a > 0", "b in (1, 2)"]),
        ("a int check (a > 0) not null unique default 3", ["a > 0"]),
        ("a int check (\n a >\n 0\n)", ["a >\n 0"]),
        ("a text default 'check (1)' check (a <> ')')", ["a <> ')'"]),
        ("a int /* check (0) */, b int -- , check (0)\n, check (b > 0)", ["b > 0"]),
        ("a int check (a > 0 -- not (all\n and a < 9)", ["a > 0  \n and a < 9"]),
        ('"check" int, [check ( b] int check ("check" > 0)', ['"check" > 0']),
        ("a int, check_b int, recheck int", []),
        ("a int check (a in (1)), check (a > 0), check (a > 0)", ["a in (1)", "a > 0", "a > 0"]),
        ("a int as (abs(a_)) stored, a_ int, CHECK (a) ON CONFLICT FAIL", ["a"]),
    ],
)
def test_conditions_as_they_are_written(body: str, found: list[str]) -> None:
    """Whatever stands beside them; SQLite itself takes each statement."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE [a check (1)] ({body})")
        ((statement,),) = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'table'")
    assert list(checks(statement)) == [Check(None, condition) for condition in found]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("constraint Positive", "Positive"),
        ('CONSTRAINT "is ""good"" "', 'is "good" '),
        ("constraint [a check (1)]", "a check (1)"),
        ("constraint `q`", "q"),
        ("constraint 'it''s'", "it's"),
        ("constraint of_another not null", None),
        ("constraint first constraint last", "last"),
    ],
)
def test_names_as_they_are_written(written: str, name: str | None) -> None:
    """In their own case, in any quotes; SQLite itself takes each statement."""
    statement = f"CREATE TABLE t (a int {written} check (a > 0))"
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(statement)
    assert list(checks(statement)) == [Check(name, "a > 0")]


def test_keys_are_named_as_in_the_text_and_nothing_else_is() -> None:
    """What reflection made of them counts for nothing; two references are told apart."""
    table = sa.Table(
        "t",
        metadata := sa.MetaData(),
        sa.Column("a", sa.Integer),
        sa.Column("b", sa.Integer),
        sa.ForeignKeyConstraint(["a"], ["u.id"], name="ck check (y < 5)"),
        sa.ForeignKeyConstraint(["a"], ["w x.id"]),
        sa.UniqueConstraint("b", name="misread"),
        sa.CheckConstraint("misread"),
    )
    for name in ("u", "w x"):
        sa.Table(name, metadata, sa.Column("id", sa.Integer, primary_key=True))
    correct(
        table,
        'create table t(a int constraint toU references u constraint W references "w x"(id), '
        "b int unique, constraint Ck check (b > 0))",
    )
    named = {
        (type(c).__name__, c.name, c.referred_table.name)
        for c in table.constraints
        if isinstance(c, sa.ForeignKeyConstraint)
    }
    assert named == {("ForeignKeyConstraint", "toU", "u"), ("ForeignKeyConstraint", "W", "w x")}
    rest = [c for c in table.constraints if isinstance(c, sa.UniqueConstraint | sa.CheckConstraint)]
    said = sorted(str(getattr(c, "sqltext", c.name)) for c in rest)
    assert said == ["None", "b > 0"]
