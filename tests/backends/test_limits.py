"""Limits are the servers' own: what is said to fit comes back, and what is not does not."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from migrators.backends.mysql import language
from migrators.backends.mysql import limits as mysql_limits
from migrators.backends.postgresql import limits as postgresql_limits
from migrators.backends.sqlite import limits as sqlite_limits
from migrators.types import Kind, describe
from migrators.types.limits import beyond
from migrators.types.text import from_text
from tests import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.types import ColumnType

LIMITS = {
    "sqlite": sqlite_limits.limits,
    "postgresql": postgresql_limits.limits,
    "mysql": mysql_limits.limits,
}
STAMP = "2024-02-29 01:02:03"

CASES: list[tuple[str, sa.types.TypeEngine[Any], list[str], list[str]]] = [
    ("postgresql", sa.SmallInteger(), ["-32768", "32767"], ["-32769", "32768"]),
    ("postgresql", sa.Integer(), ["-2147483648", "2147483647"], ["-2147483649", "2147483648"]),
    ("postgresql", postgresql.OID(), ["0", "4294967295"], ["4294967296"]),
    ("postgresql", sa.REAL(), ["0.5", "16777216.0"], ["0.1", "16777217.0", "1e+300"]),
    ("postgresql", sa.Float(24), ["0.5"], ["0.1"]),
    ("postgresql", sa.Float(), ["0.1", "1e+300"], []),
    ("postgresql", sa.String(3), ["é🎉 ", ""], ["abcd", "a\0"]),
    ("postgresql", sa.CHAR(3), ["abc", "a", ""], ["abcd", "a "]),
    ("postgresql", sa.Text(), ["a "], ["a\0"]),
    ("postgresql", postgresql.TIMESTAMP(precision=3), [f"{STAMP}.123000"], [f"{STAMP}.123400"]),
    ("postgresql", postgresql.TIME(precision=0), ["01:02:03.000000"], ["01:02:03.100000"]),
    ("postgresql", sa.DateTime(), [f"{STAMP}.123456"], []),
    ("mysql", mysql.TINYINT(), ["-128", "127"], ["-129", "128"]),
    ("mysql", mysql.TINYINT(unsigned=True), ["0", "255"], ["256"]),
    ("mysql", mysql.MEDIUMINT(), ["-8388608", "8388607"], ["8388608"]),
    ("mysql", mysql.BIGINT(unsigned=True), ["0", "18446744073709551615"], []),
    ("mysql", sa.Integer(), ["2147483647"], ["2147483648"]),
    ("mysql", mysql.YEAR(), ["2155", "1901"], ["2156"]),
    ("mysql", mysql.DOUBLE(), ["0.1", "0.0"], ["nan", "inf"]),
    ("mysql", mysql.TINYTEXT(), ["a" * 255, "é" * 127], ["a" * 256, "é" * 128]),
    ("mysql", mysql.TEXT(), ["a" * 65535], ["a" * 65536]),
    ("mysql", sa.String(3), ["é🎉 "], ["abcd"]),
    ("mysql", sa.CHAR(3), ["abc", "a"], ["abcd", "a "]),
    ("mysql", mysql.VARCHAR(3, charset="utf8mb3"), ["é"], ["🎉"]),
    ("mysql", sa.VARBINARY(2), ["0001", ""], ["000102"]),
    ("mysql", sa.BINARY(2), ["0001"], ["000102", "00"]),
    ("mysql", mysql.TINYBLOB(), ["00" * 255], ["00" * 256]),
    ("mysql", mysql.DATETIME(fsp=3), [f"{STAMP}.123000"], [f"{STAMP}.123400"]),
    ("mysql", sa.DateTime(), [f"{STAMP}.000000"], [f"{STAMP}.100000"]),
    ("mysql", mysql.TIME(fsp=6), ["01:02:03.123456"], []),
    ("mysql", mysql.TIMESTAMP(fsp=6), ["1970-01-01 00:00:00.000001", "2038-01-19 03:14:07.999999"],
     ["1970-01-01 00:00:00.000000", "2038-01-19 03:14:08.000000"]),
]  # fmt: skip


@contextmanager
def column(kind: str, declared: sa.types.TypeEngine[Any]) -> Iterator[sa.Connection]:
    """Give a connection to a database with a table t of one column v."""
    with servers.prefix(kind) as own:
        servers.create_database(kind, own)
        url = servers.driven(servers.server_url(kind)).set(database=own)
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        try:
            with engine.connect() as connection:
                if kind == "mysql":
                    connection.exec_driver_sql(
                        "SET sql_mode = 'STRICT_ALL_TABLES', time_zone = '+00:00'"
                    )
                metadata = sa.MetaData()
                sa.Table("t", metadata, sa.Column("v", declared)).create(connection)
                yield connection
        finally:
            engine.dispose()


def keeps(connection: sa.Connection, given: str, type_: ColumnType) -> bool:
    """Whether the server gives back the value of a text."""
    written = f"'{given}'"
    if type_.kind is Kind.BINARY:
        written = f"x'{given}'"
    connection.exec_driver_sql("DELETE FROM t")
    try:
        connection.exec_driver_sql(f"INSERT INTO t VALUES ({written})")
    except (sa.exc.DBAPIError, ValueError):
        return False
    found = connection.exec_driver_sql(_read(connection, type_)).scalar_one()
    shown = found.hex() if isinstance(found, bytes) else str(found)
    (kept, _), (value, _) = (from_text(pa.array([text]), type_) for text in (shown, given))
    return bool(kept.equals(value))


def _read(connection: sa.Connection, type_: ColumnType) -> str:
    if connection.dialect.name == "mysql":
        return "SELECT v FROM t" if type_.kind is Kind.BINARY else "SELECT CAST(v AS CHAR) FROM t"
    return f"SELECT v::{'float8' if type_.kind is Kind.FLOAT else 'text'} FROM t"


@pytest.mark.parametrize(("kind", "declared", "good", "bad"), CASES)
@pytest.mark.fault("B17", "C39", "D53", "D55")
def test_limits_are_the_servers_own(
    kind: str, declared: sa.types.TypeEngine[Any], good: list[str], bad: list[str]
) -> None:
    """B17, B20, B22, C39, D46, D49, D52, D53, D55: both sides of each limit, on a server."""
    type_ = describe(declared)
    with column(kind, declared) as connection:
        limits = LIMITS[kind](declared, connection.dialect)
        for given, fits in [*((g, True) for g in good), *((b, False) for b in bad)]:
            values, odd = from_text(pa.array([given]), type_)
            assert not odd[0].as_py(), given
            assert (not beyond(values, type_, limits)) is fits, given[:40]
            assert keeps(connection, given, type_) is fits, given[:40]


@pytest.mark.parametrize(
    ("declared", "good", "bad"),
    [
        (sa.Numeric(20, 2), "1.50", "12345678901234567.89"),
        (sa.Numeric(20, 2).with_variant(sa.String(30), "sqlite"), "12345678901234567.89", ""),
        (mysql.BIGINT(unsigned=True).with_variant(sa.BigInteger(), "sqlite"), "7", str(2**63)),
        (sa.SmallInteger(), "70000", ""),
        (sa.Float(), "inf", "nan"),
        (sa.Float(), "0.0", "-0.0"),
    ],
)
def test_limits_of_sqlite(declared: sa.types.TypeEngine[Any], good: str, bad: str) -> None:
    """B16, B18: decimals are doubles unless they are text; widths bind nothing."""
    dialect = sa.create_engine("sqlite://").dialect
    type_, limits = describe(declared), sqlite_limits.limits(declared, dialect)
    assert beyond(from_text(pa.array([good]), type_)[0], type_, limits) == []
    assert not bad or beyond(from_text(pa.array([bad]), type_)[0], type_, limits)


def test_no_zero_is_negative_in_mysql() -> None:
    """B22: the server takes -0.0 for 0.0, which nothing shows but the sign."""
    declared = mysql.DOUBLE()
    limits = mysql_limits.limits(declared, mysql.dialect())
    (found,) = beyond(pa.array([0.0, -0.0, None]), describe(declared), limits)
    assert (found[0], found[1].to_pylist()) == (
        "is -0.0, which would become 0.0",
        [False, True, False],
    )


def test_a_decimal_without_precision_is_none_of_mysql() -> None:
    """B18: it would be DECIMAL(10, 0), which rounds; a DECIMAL of the dialect's own says so."""
    said = language.lint(sa.Numeric(), mysql.dialect())
    assert said is not None
    assert "makes it DECIMAL(10, 0): declare sa.Numeric(p, s)" in said
    assert language.lint(mysql.DECIMAL(), mysql.dialect()) is None
