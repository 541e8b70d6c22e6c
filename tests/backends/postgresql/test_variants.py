"""An enum that is another type on some databases, in the statements of a staging database."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from migrators.backends.postgresql import ddl
from migrators.backends.postgresql.language import lint

LABELS = ("new", "old")


def statements(declared: sa.types.TypeEngine[str]) -> list[str]:
    """Return what creates a table of one column."""
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("v", declared))
    return [" ".join(text.split()) for text in ddl.before(metadata, 150_000)]


def test_an_enum_that_is_text_here_is_text_and_no_type() -> None:
    """SQLAlchemy's copy of an Enum has forgotten its variants."""
    for enum in (sa.Enum(*LABELS, name="state"), mysql.ENUM(*LABELS)):
        made = statements(enum.with_variant(sa.Text(), "postgresql"))
        assert made == ["CREATE TABLE t ( v TEXT )"]


def test_an_enum_of_another_database_is_an_enum_here() -> None:
    """Its type is created once, before the table."""
    own = postgresql.ENUM(*LABELS, name="state")
    made = statements(mysql.ENUM(*LABELS).with_variant(own, "postgresql"))
    assert made == ["CREATE TYPE state AS ENUM ('new', 'old')", "CREATE TABLE t ( v state )"]


def test_an_enum_that_is_text_elsewhere_is_an_enum_here() -> None:
    """A variant of another database changes nothing."""
    made = statements(sa.Enum(*LABELS, name="state").with_variant(sa.Text(), "sqlite"))
    assert made == ["CREATE TYPE state AS ENUM ('new', 'old')", "CREATE TABLE t ( v state )"]


def test_a_type_of_another_database_is_named_with_what_to_write() -> None:
    """Before anything is created; an unnamed enum, too."""
    assert lint(mysql.BIT(3)) == (
        "BIT(length=3) is no type of PostgreSQL: "
        "write .with_variant(postgresql.BIT(3), 'postgresql'), "
        "and above: from sqlalchemy.dialects import postgresql"
    )
    assert "has no name, as PostgreSQL's enums have" in str(lint(sa.Enum(*LABELS)))
    assert lint(sa.Enum(*LABELS).with_variant(sa.Text(), "postgresql")) is None
