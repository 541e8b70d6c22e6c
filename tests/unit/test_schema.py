"""Schema modules: what is read, what is refused, and what a fingerprint depends on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from migrators.errors import CodeError, ProjectError
from migrators.project import Project
from migrators.schema import ForeignKey, SchemaVersion, load_schema
from migrators.types import Kind

PROJECTS = Path(__file__).parents[1] / "projects"


def _load(name: str, version: int = 1) -> SchemaVersion:
    return load_schema(Project.find(PROJECTS / name, environment={}), version)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("syntax_error", "v1.py:4: SyntaxError"),
        ("import_error", "v1.py:4: ModuleNotFoundError"),
        ("raises", "v1.py:5: ZeroDivisionError"),
        ("no_metadata", "v1.py: defines no `metadata`"),
        ("wrong_metadata", "v1.py: `metadata` is no sa.MetaData"),
        ("no_tables", "v1.py: `metadata` has no tables"),
        ("unsupported_type", "v1.py: t.price: NullType() is not a type that an extract can hold"),
        ("dangling_key", "v1.py: t.u_id refers to u.id, which is not in this file"),
        ("misnamed_sql", "v1.afterwards.sql: is neither SQL before the tables nor after"),
    ],
)
def test_broken_schemas(name: str, said: str) -> None:
    """Each broken file is named with what is wrong, exit code 2."""
    with pytest.raises(CodeError) as caught:
        _load(name)
    assert said in caught.value.message
    assert caught.value.exit_code == 2


def test_missing_schema() -> None:
    """The error says which schemas there are and how one is made."""
    with pytest.raises(ProjectError, match=r"no schemas/v9\.py; there are schemas 1, 2, 3, 4"):
        _load("gap", 9)


def test_sql_beside_and_alembic_head(tmp_path: Path) -> None:
    """SQL for all databases stands under "", that for one under its name."""
    (tmp_path / "pyproject.toml").write_text('[tool.migrators]\nname = "x"\n')
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "v2.py").write_text(
        'import sqlalchemy as sa\nalembic_head = "71ab"\nmetadata = sa.MetaData()\n'
        'sa.Table("t", metadata, sa.Column("id", sa.Integer))\n'
    )
    names = ("v2.before", "v2.after", "v2.before.postgresql", "v2.after.sqlite", "v2.between")
    for name in names:
        (tmp_path / "schemas" / f"{name}.sql").write_text(f"-- {name}\n")
    found = load_schema(Project.find(tmp_path, environment={}), 2)
    assert found.before == {"": "-- v2.before\n", "postgresql": "-- v2.before.postgresql\n"}
    assert found.after == {"": "-- v2.after\n", "sqlite": "-- v2.after.sqlite\n"}
    assert found.between == {"": "-- v2.between\n"}
    assert found.alembic_head == "71ab"
    for name in ("v2.after", "v2.between"):
        (tmp_path / "schemas" / f"{name}.sql").write_text("-- other\n")
        again = load_schema(Project.find(tmp_path, environment={}), 2)
        assert again.fingerprint != found.fingerprint
        (tmp_path / "schemas" / f"{name}.sql").write_text(f"-- {name}\n")


def _version(*tables: tuple[Any, ...], **more: Any) -> SchemaVersion:
    metadata = sa.MetaData()
    for name, *parts in tables:
        sa.Table(name, metadata, *parts)
    return SchemaVersion(1, Path("v1.py"), metadata, **more)


def test_tables_as_plain_data() -> None:
    """Columns in declared order; keys, uniques and references by name."""
    found = _version(
        ("u", sa.Column("id", sa.Integer, primary_key=True)),
        (
            "t",
            sa.Column("b", sa.Numeric(12, 2), nullable=False),
            sa.Column("a", sa.Integer, sa.ForeignKey("u.id"), unique=True),
            sa.Column("c", sa.Integer, sa.Computed("a + 1")),
            sa.Index("ix", "a", "b", unique=True),
            sa.Index("part", "b", unique=True, sqlite_where=sa.text("a > 1")),
        ),
    ).tables["t"]
    assert [c.name for c in found.columns] == ["b", "a", "c"]
    assert [c.name for c in found.stored] == ["b", "a"]
    assert found.column["b"].type.kind is Kind.DECIMAL
    assert not found.column["b"].nullable
    assert found.primary_key == ()
    assert found.uniques == (("a",), ("a", "b"))
    assert found.foreign_keys == (ForeignKey(("a",), "u", ("id",)),)


def _key(name: str, *targets: str) -> tuple[Any, ...]:
    keys: list[Any] = [sa.Column(f"{t}_id", sa.ForeignKey(f"{t}.id")) for t in targets]
    return (name, sa.Column("id", sa.Integer, primary_key=True), *keys)


def test_load_order_has_parents_first() -> None:
    """Children come after their parents; a reference to itself does not count (F68)."""
    found = _version(_key("a", "b", "a"), _key("b", "c"), _key("c"), _key("d"))
    assert found.load_order == ("c", "b", "a", "d")


def test_load_order_breaks_circles() -> None:
    """A circle is broken the same way each time, without a warning (F69)."""
    edges = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]
    for order in (edges, edges[::-1]):
        assert _version(*(_key(*edge) for edge in order)).load_order == ("a", "c", "b", "d")


def _one(*parts: Any, **options: Any) -> str:
    metadata = sa.MetaData()
    sa.Table("t", metadata, *parts, **options)
    return SchemaVersion(1, Path("v1.py"), metadata).fingerprint


def test_fingerprint_ignores_order_of_tables() -> None:
    """Tables may be declared in any order."""
    one = _version(_key("a", "b"), _key("b")).fingerprint
    assert one == _version(_key("b"), _key("a", "b")).fingerprint
    assert len(one) == 64


def test_fingerprint_counts_order_of_columns() -> None:
    """Columns may not."""
    first = _one(sa.Column("a", sa.Integer), sa.Column("b", sa.Integer))
    assert first != _one(sa.Column("b", sa.Integer), sa.Column("a", sa.Integer))


def test_fingerprint_is_fixed() -> None:
    """The same on every version of SQLAlchemy: a stamp must hold for years."""
    found = _one(
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("e", sa.Enum("x", "y", name="e"), nullable=False, server_default="x"),
        sa.Column("v", sa.Text().with_variant(mysql.LONGTEXT(), "mysql")),
        sa.CheckConstraint("id > 0", name="ck"),
    )
    assert found == "83bda4539e823a385a485cc9541a6fa24e1bf4a1bae3ad30acac361f903a59d5"


@pytest.mark.parametrize(
    "other",
    [
        [sa.Column("c", sa.String(41), nullable=False)],
        [sa.Column("c", sa.String(40))],
        [sa.Column("d", sa.String(40), nullable=False)],
        [sa.Column("c", sa.String(40), nullable=False, server_default="x")],
        [sa.Column("c", sa.String(40), nullable=False, primary_key=True)],
        [sa.Column("c", sa.String(40), sa.Computed("1"), nullable=False)],
        [sa.Column("c", sa.String(40, collation="NOCASE"), nullable=False)],
        [sa.Column("c", sa.String(40).with_variant(mysql.LONGTEXT(), "mysql"), nullable=False)],
        [sa.Column("c", sa.Enum("a", "b", name="e"), nullable=False)],
        [sa.Column("c", sa.String(40), nullable=False, unique=True)],
        [sa.Column("c", sa.String(40), nullable=False, index=True)],
        [sa.Column("c", sa.String(40), nullable=False), sa.CheckConstraint("c > 'a'")],
        [sa.Column("c", sa.String(40), nullable=False), sa.UniqueConstraint("c", name="u")],
    ],
)
def test_fingerprint_counts(other: list[Any]) -> None:
    """Everything declared of a table counts."""
    base = _one(sa.Column("c", sa.String(40), nullable=False))
    assert base != _one(*other)


def test_fingerprint_counts_variants_and_labels() -> None:
    """Arguments of a variant, labels of an enum and options of a table count."""

    def variant(fsp: int) -> str:
        declared = sa.DateTime().with_variant(mysql.DATETIME(fsp=fsp), "mysql")
        return _one(sa.Column("c", declared))

    assert variant(6) == variant(6)
    assert variant(6) != variant(3)
    assert _one(sa.Column("c", sa.Enum("a", "b"))) != _one(sa.Column("c", sa.Enum("b", "a")))
    plain = _one(sa.Column("c", sa.Integer))
    assert plain != _one(sa.Column("c", sa.Integer), sqlite_strict=True)


def test_fingerprint_ignores_the_application() -> None:
    """A default that the application computes is not the database's."""
    plain = _one(sa.Column("c", sa.Integer))
    assert plain == _one(sa.Column("c", sa.Integer, default=3))
