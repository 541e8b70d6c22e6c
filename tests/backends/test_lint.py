"""What is said of a declared type holds: what passes is made there, and what is said mends it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.types import UserDefinedType

from migrators.backends import backend_for
from migrators.plan import lints
from migrators.schema import SchemaVersion
from tests import servers
from tests.grid.declared import DATABASES, declared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.backends.interface import Backend

    Type = sa.types.TypeEngine[Any]

GENERIC: list[Type] = [
    sa.NVARCHAR(9), sa.NCHAR(3), sa.BLOB(), sa.CLOB(), sa.BINARY(3), sa.VARBINARY(3), sa.DOUBLE(),
    sa.DOUBLE_PRECISION(), sa.REAL(), sa.FLOAT(), sa.DATETIME(), sa.TIMESTAMP(), sa.DECIMAL(5, 2),
    sa.TEXT(), sa.CHAR(3), sa.Unicode(3), sa.UnicodeText(), sa.JSON(), sa.String(), sa.Uuid(),
]  # fmt: skip
"""SQLAlchemy writes those in capitals as they are, whether a database knows them or not."""
_CALL = re.compile(
    r"\.with_variant\((?P<type>.*?\)), (?P<names>'[a-z]+'(?:, '[a-z]+')*)\)"
    r"(?:, and above: (?P<above>.*))?"
)


def types(of: str) -> Iterator[Type]:
    """Yield types that SQLAlchemy knows; enums and those taught to it are made by somebody."""
    for each in GENERIC if of == "generic" else declared(of):
        if not isinstance(each, UserDefinedType | sa.Enum):
            yield each


def nowhere(kind: str) -> Backend:
    """Return a backend that is not connected."""
    return backend_for(sa.URL.create(kind, host="none", database="none.db"))


@pytest.mark.parametrize(
    ("kind", "of"),
    [(kind, of) for kind in servers.SERVERS for of in (*DATABASES, "generic") if kind != of],
)
def test_a_type_of_which_nothing_is_said_is_one_there(kind: str, of: str) -> None:
    """A table of all of them: the server knows each. Its own ones are made by the grid."""
    target, table = nowhere(kind), sa.Table("t", sa.MetaData())
    for each in types(of):
        plain = not getattr(each, "collation", None)  # those are said of two databases: below
        if plain and target.lint(each) is None:
            table.append_column(sa.Column(f"c{len(table.c)}", each))
    with servers.prefix(kind) as own:
        servers.create_database(kind, own)
        url = servers.driven(servers.server_url(kind)).set(database=own)
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.execute(sa.schema.CreateTable(table))
        engine.dispose()
    assert len(table.c) > len(GENERIC) // 2


@pytest.mark.parametrize("kind", [*DATABASES, "mariadb"])
def test_what_is_said_to_write_can_be_typed_and_mends_it(kind: str) -> None:
    """Each `.with_variant(...)`, in a module that imports SQLAlchemy and what is said."""
    target, typed = nowhere(kind), 0
    for each in (one for of in (*DATABASES, "generic") for one in types(of)):
        call = _CALL.search(target.lint(each) or "")
        if call is None:
            continue
        scope: dict[str, Any] = {}
        exec(f"import sqlalchemy as sa\n{call['above'] or ''}", scope)  # noqa: S102
        assert "sa.dialects" not in call["type"]  # there only where something else imports it
        mended = each.with_variant(eval(call["type"], scope), *eval(f"[{call['names']}]"))  # noqa: S307
        assert target.lint(mended) is None, f"{each!r}: {call[0]}"
        typed += 1
    assert typed > len(DATABASES)


@pytest.mark.parametrize(
    ("declared", "source", "target", "write"),
    [
        (sa.String(9, collation="NOCASE"), "sqlite", "postgresql", "sa.String(9)"),
        (sa.CHAR(2, collation="NOCASE"), "sqlite", "mysql", "sa.CHAR(2)"),
        (sa.Text(collation="C"), "postgresql", "sqlite", "sa.Text()"),
        (mysql.VARCHAR(9, collation="utf8mb4_bin"), "mysql", "sqlite", "sa.String(9)"),
        (sa.String(9, collation="utf8mb4_bin"), "mysql", "mariadb", ""),
        (mysql.VARCHAR(9, collation="utf8mb4_bin"), "postgresql", "mysql", ""),
        (sa.String(9, collation="C"), "postgresql", "postgresql", ""),
        (sa.String(9).with_variant(sa.String(9, "C"), "postgresql"), "mysql", "postgresql", ""),
        (sa.String(9), "mysql", "postgresql", ""),
    ],
)
def test_a_collation_of_another_kind_is_named(
    declared: Type, source: str, target: str, write: str
) -> None:
    """It is none there, unless somebody wrote what it is to be there."""
    schema = SchemaVersion(1, Path("v1.py"), sa.MetaData())
    sa.Table("t", schema.metadata, sa.Column("v", declared))
    said = list(lints(schema, nowhere(source), nowhere(target)))
    assert [f"write .with_variant({write}, '{target}')" in each for each in said] == (
        [True] if write else []
    )
