"""What SQLite makes of types and of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from tests.backends.sqlite.conftest import backend, run

if TYPE_CHECKING:
    from pathlib import Path


YEARS_ONLY: Any = sqlite.DATETIME(storage_format="%(year)04d")  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (sa.Numeric(20, 4), "sa.Numeric(20, 4).with_variant(sa.String(22), 'sqlite')"),
        (sa.Numeric(16, 2), "keep 15 digits"),
        (sa.UUID(), "numeric affinity"),
        (YEARS_ONLY, "storage_format"),
    ],
)
def test_a_type_that_would_lose_is_named(
    tmp_path: Path, declared: sa.types.TypeEngine[Any], said: str
) -> None:
    """What to write instead is part of the sentence."""
    assert said in (backend(tmp_path / "a.db").lint(declared) or "")


@pytest.mark.parametrize(
    "declared",
    [
        sa.Numeric(15, 2),
        sa.Numeric(20, 4).with_variant(sa.String(22), "sqlite"),
        sa.Uuid(),
        sa.UUID().with_variant(sa.CHAR(32), "sqlite"),
        sa.JSON(),
        sa.DateTime(timezone=True),
        sa.Interval(),
        sa.Float(),
        sa.Enum("a", name="e"),
        sa.Text(),
        sa.LargeBinary(),
    ],
)
def test_types_that_hold_are_left_alone(tmp_path: Path, declared: sa.types.TypeEngine[Any]) -> None:
    """No warning where nothing is lost."""
    assert backend(tmp_path / "a.db").lint(declared) is None


def test_a_collation_of_the_variant_is_left_out_too(tmp_path: Path) -> None:
    """A column that folds case here alone compares by bytes in a step."""
    folds = sa.Text().with_variant(sa.String(9, collation="NOCASE"), "sqlite")
    said = backend(tmp_path / "a.db").sql(sa.column("name", folds) == "a")
    assert said == "name COLLATE BINARY = 'a'"


METADATA = sa.MetaData()
PEOPLE = sa.Table(
    "people",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(20, collation="NOCASE")),
    sa.Column("plain", sa.Text),
)
NAME = PEOPLE.c.name
INNER = sa.select(NAME).subquery()
NESTED = sa.select(INNER.c.name).distinct().order_by(INNER.c.name)
COUNTED = sa.select(sa.func.count()).select_from(PEOPLE).group_by(NAME).order_by(NAME)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (sa.select(PEOPLE.c.id).where(NAME == "Deleted"), [(1,)]),
        (sa.select(PEOPLE.c.id).where(NAME.in_(["deleted"])), [(2,)]),
        (sa.select(NAME).distinct().order_by(NAME), [("Deleted",), ("Zoe",), ("deleted",)]),
        (COUNTED, [(1,), (1,), (1,)]),
        (sa.select(PEOPLE.c.id).where(NAME.like("d%")), [(2,)]),
        (NESTED, [("Deleted",), ("Zoe",), ("deleted",)]),
    ],
)
def test_text_compares_by_bytes(
    tmp_path: Path, query: Any, expected: list[tuple[Any, ...]]
) -> None:
    """=, IN, DISTINCT, GROUP BY, ORDER BY and LIKE tell upper from lower case."""
    path, scratch = tmp_path / "a.db", tmp_path / "scratch"
    scratch.mkdir()
    run(
        path,
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(20) COLLATE NOCASE, plain TEXT)",
        "INSERT INTO people VALUES (1, 'Deleted', 'x'), (2, 'deleted', 'x'), (3, 'Zoe', 'y')",
    )
    database = backend(path)
    with database.snapshot(scratch) as snapshot:
        found = snapshot.rows(database.sql(query))
    assert found == expected


def test_an_expression_without_collations_stays(tmp_path: Path) -> None:
    """Nothing is added where text compares by bytes already."""
    made = backend(tmp_path / "a.db").sql(PEOPLE.c.plain == "x")
    assert made == "people.plain = 'x'"
