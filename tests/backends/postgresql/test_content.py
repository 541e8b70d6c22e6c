"""The digest of what is stored: the same of the same rows, another one of a changed bit."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from migrators.backends.postgresql import content

if TYPE_CHECKING:
    from tests.backends.postgresql.conftest import Server

TYPES = {
    "boolean": ("false", "true"),
    "smallint": ("1", "2"),
    "integer": ("1", "-2"),
    "bigint": ("1", "4294967296"),
    "int8": ("-1", "4294967295"),
    "oid": ("1", "2"),
    "numeric(12,2)": ("1.00", "-1.00"),
    "numeric(9)": ("'NaN'", "NULL"),
    "numeric": ("1.0", "1.00"),
    "real": ("0.0", "'-0'::real"),
    "double precision": ("0.0", "'-0'::float8"),
    "text": ("'a'", "'a '"),
    "varchar(9)": ("''", "NULL"),
    "char(3)": ("'a'", "'b'"),
    "bpchar": ("'a '::bpchar", "'a'::bpchar"),
    'text COLLATE "no_case"': ("'a'", "'A'"),
    "bytea": (r"'\x00'", r"'\x0000'"),
    "date": ("'2020-01-01'", "'2020-01-02'"),
    "time": ("'00:00'", "'24:00'"),
    "timetz": ("'12:00+00'", "'13:00+01'"),
    "timestamp": ("'2000-01-01 00:00:00.000001'", "'2000-01-01 01:11:34.967296'"),
    "timestamptz": ("'2000-01-01 00:00:00.000001Z'", "'2000-01-01 01:11:34.967296Z'"),
    "interval": ("'1 day'", "'24 hours'"),
    "uuid": ("'00000000-0000-0000-0000-000000000000'", "'00000000-0000-0000-0000-000000000001'"),
    "json": ("'{}'", "'{ }'"),
    "jsonb": ("'1.0'", "'1.00'"),
    "xml": ("'<a/>'", "'<a></a>'"),
    "float8[]": ("'{0}'", "'{-0}'"),
    "mood": ("'glad'", "'sad'"),
    "score": ("0.0", "'-0'::float8"),
    "point": ("'(0,0)'", "'(-0,0)'"),
}
BEFORE = """
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE DOMAIN score AS float8;
CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)
"""


@pytest.mark.parametrize("since", [content._BY_RECORD, 10**9], ids=["by record", "by text"])
def test_what_changes_is_seen(server: Server, monkeypatch: pytest.MonkeyPatch, since: int) -> None:
    """Also where the type calls both equal; what is written again as it was is the same."""
    monkeypatch.setattr(content, "_BY_RECORD", since)
    columns = ", ".join(f"c{i} {declared}" for i, declared in enumerate(TYPES))
    values = ", ".join(before for before, _ in TYPES.values())
    old = server.database(
        "shop_v2",
        BEFORE,
        f"CREATE TABLE t (id int, {columns})",
        f"INSERT INTO t VALUES (2, {values})",
        "INSERT INTO t VALUES (1), (3)",
    )
    first = old.digest()
    server.run("shop_v2", "UPDATE t SET id = id", "VACUUM FULL t")
    assert old.digest() == first
    for i, (declared, (before, after)) in enumerate(TYPES.items()):
        server.run("shop_v2", f"UPDATE t SET c{i} = {after} WHERE id = 2")
        assert old.digest() != first, declared
        server.run("shop_v2", f"UPDATE t SET c{i} = {before} WHERE id = 2")
        assert old.digest() == first, declared


def test_rows_alone_count(server: Server) -> None:
    """Of a table without columns there is no more to say; one that was dropped is none."""
    old = server.database(
        "shop_v2", "CREATE TABLE t (gone int, a int)", "ALTER TABLE t DROP gone",
        "CREATE TABLE nothing ()", "INSERT INTO t VALUES (1)",
    )  # fmt: skip
    first = old.digest()
    server.run("shop_v2", "INSERT INTO nothing DEFAULT VALUES")
    second = old.digest()
    server.run("shop_v2", "INSERT INTO t VALUES (1)")
    assert len({first, second, old.digest()}) == 3


def test_values_that_rows_exchange_are_seen(server: Server) -> None:
    """One column's, of every pair of rows: what adds up to the same is not the same."""
    old = server.database(
        "shop_v2",
        "CREATE TABLE t (id int PRIMARY KEY, owner int, name text, at timestamp, t int)",
        "INSERT INTO t SELECT i, i * 7, 'n' || i, '2020-01-01'::timestamp + i * '1 h'::interval, 0 "
        "FROM generate_series(1, 7) AS i",
    )
    first = old.digest()
    exchange = (
        "UPDATE t SET {c} = other.{c} FROM t AS other "
        "WHERE t.id IN ({a}, {b}) AND other.id IN ({a}, {b}) AND t.id <> other.id"
    )
    for a, b in itertools.combinations(range(1, 8), 2):
        for column in ("owner", "name", "at"):
            server.run("shop_v2", exchange.format(c=column, a=a, b=b))
            assert old.digest() != first, (column, a, b)
            server.run("shop_v2", exchange.format(c=column, a=a, b=b))
    assert old.digest() == first


def test_what_a_session_keeps_for_itself_is_not_read(server: Server) -> None:
    """A temporary table, which nobody else may read."""
    old = server.database("shop_v2", "CREATE TABLE t (t text)", "INSERT INTO t VALUES ('a')")
    first = old.digest()
    with server.connected("shop_v2") as other:
        other.execute("CREATE TEMPORARY TABLE own AS SELECT 1 AS a")
        assert old.digest() == first
