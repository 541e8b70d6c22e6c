"""What is frozen of a live database can be made on another kind as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite

from migrators.backends.portable import portable

if TYPE_CHECKING:
    Type = sa.types.TypeEngine[Any]

DIALECTS = {
    "mysql": mysql.dialect(),
    "mariadb": mysql.dialect(is_mariadb=True),
    "postgresql": postgresql.dialect(),  # type: ignore[no-untyped-call]
    "sqlite": sqlite.dialect(),
}
FOLDING = mysql.VARCHAR(9, charset="utf8mb3", collation="utf8mb3_general_ci")


@pytest.mark.parametrize(
    ("kind", "found", "plain"),
    [
        ("mysql", FOLDING, sa.String(9)),
        ("mariadb", FOLDING, sa.String(9)),
        ("mysql", mysql.CHAR(3, collation="utf8mb4_bin"), sa.CHAR(3)),
        ("mysql", mysql.MEDIUMTEXT(), sa.Text()),
        ("mysql", mysql.LONGBLOB(), sa.LargeBinary()),
        ("mysql", mysql.VARBINARY(9), sa.LargeBinary(9)),
        ("mysql", mysql.DATETIME(fsp=3), sa.DateTime()),
        ("postgresql", postgresql.CITEXT(), sa.Text()),
        ("sqlite", sa.NVARCHAR(40), sa.String(40)),
        ("sqlite", sa.NCHAR(2), sa.CHAR(2)),
        ("sqlite", sa.CLOB(), sa.Text()),
    ],
)
def test_a_name_that_others_do_not_know_is_a_variant(kind: str, found: Type, plain: Type) -> None:
    """Here it is what it was, there what everybody has."""
    made = portable(found, DIALECTS[kind])
    here, there = DIALECTS[kind], sa.engine.default.DefaultDialect()
    assert made.compile(dialect=here) == found.compile(dialect=here)
    assert repr(made) == repr(plain)
    assert made.compile(dialect=there) == plain.compile(dialect=there)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("mysql", mysql.BINARY(4)),  # filled up with zeros: no generic type says so
        ("mysql", mysql.INTEGER(unsigned=True)),
        ("mysql", mysql.ENUM("a", collation="utf8mb4_bin")),
        ("mysql", sa.String(9)),
        ("postgresql", sa.Text(collation="C")),  # somebody's choice, to be made there, too
        ("postgresql", sa.VARCHAR(9, collation="C")),
        ("postgresql", postgresql.DOMAIN("code", sa.VARCHAR(5))),
        ("sqlite", sa.NVARCHAR(9, collation="NOCASE")),
        ("sqlite", sa.TIMESTAMP()),
    ],
)
def test_what_a_generic_type_would_lose_stays(kind: str, found: Type) -> None:
    """`check --to` says what to write for it, where another kind has none."""
    assert portable(found, DIALECTS[kind]) is found
