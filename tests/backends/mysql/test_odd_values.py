"""Values that MySQL and MariaDB have, or would change, beside what every database holds."""

# ruff: noqa: DTZ001  naive times are what is tested

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from migrators.backends.interface import ReadColumn, ReadQuery
from migrators.errors import NotHeld, ValueRefused
from migrators.types import describe
from tests.backends.conftest import write
from tests.backends.mysql.conftest import read

if TYPE_CHECKING:
    from migrators.backends.mysql import MySQLBackend
    from tests.backends.mysql.conftest import Server

WIDEST = f"-{'9' * 35}.{'9' * 30}"
LEAP, CLOCKS_FORWARD = datetime(2024, 2, 29, 23, 59, 59), datetime(2024, 3, 31, 2, 30, 0, 123000)

READ: dict[str, tuple[str, sa.types.TypeEngine[Any], str, Any]] = {
    "float": ("FLOAT", sa.Float(), "16777217.0 / 3", 5592405.5),
    "tinyint": ("TINYINT(1)", sa.Boolean(), "1", True),
    "unsigned": ("BIGINT UNSIGNED", mysql.BIGINT(unsigned=True), "18446744073709551615", 2**64 - 1),
    "year": ("YEAR", mysql.YEAR(), "2155", 2155),
    "decimal": ("DECIMAL(65, 30)", sa.Numeric(65, 30), f"'{WIDEST}'", Decimal(WIDEST)),
    "bits": ("BIT(10)", mysql.BIT(10), "b'1000000001'", "1000000001"),
    "all bits": ("BIT(64)", mysql.BIT(64), "0xFFFFFFFFFFFFFFFF", "1" * 64),
    "set": ("SET('a','b','c')", mysql.SET("a", "b", "c"), "'c,a'", "a,c"),
    "enum": ("ENUM('x','y')", sa.Enum("x", "y"), "'y'", "y"),
    "latin1": ("VARCHAR(9) CHARACTER SET latin1", sa.String(9), "'é'", "é"),
    "char": ("CHAR(9)", sa.CHAR(9), "'a'", "a"),
    "binary": ("BINARY(3)", mysql.BINARY(3), "0x00FF", b"\x00\xff\x00"),
    "long": ("LONGTEXT", mysql.LONGTEXT(), "REPEAT('é', 70000)", "é" * 70_000),
    "whole seconds": ("DATETIME", sa.DateTime(), "'2024-02-29 23:59:59'", LEAP),
    "timestamp": ("TIMESTAMP(3)", sa.DateTime(), f"'{CLOCKS_FORWARD}'", CLOCKS_FORWARD),
    "clock": ("TIME(6)", sa.Time(), "'23:59:59.999999'", time(23, 59, 59, 999999)),
}  # fmt: skip
"""Column, declared type, SQL of a value, and what it is."""


@pytest.mark.parametrize("case", READ)
@pytest.mark.fault("B16", "B18", "B24", "B27", "B28", "B29", "D55")
def test_what_plain_sql_put_in_is_read_exactly(server: Server, case: str) -> None:
    """A value, NULL, and the empty result, by the type that a schema module declares."""
    column, declared, value, expected = READ[case]
    database = server.database(
        "shop_v1",
        "SET sql_mode = ''",
        f"CREATE TABLE t (id INT PRIMARY KEY, v {column} NULL)",
        f"INSERT INTO t VALUES (1, {value}), (2, NULL)",
    )
    (batch,) = read(database, "SELECT id, v FROM t", {"id": sa.Integer(), "v": declared})
    assert batch["v"].to_pylist() == [expected, None]
    assert str(batch["v"][0].as_py()) == str(expected)
    assert (
        read(database, "SELECT id, v FROM t WHERE id = 3", {"id": sa.Integer(), "v": declared})
        == []
    )


@pytest.mark.parametrize("case", READ)
@pytest.mark.fault("B16", "B18", "B24", "B27", "B28", "B29", "D55")
def test_what_is_read_is_written_the_same(server: Server, case: str) -> None:
    """Read, written into a table of the same DDL, and equal to the server's own eyes."""
    column, declared, value, _ = READ[case]
    if case == "float":
        value = "0.1"
    database = server.database(
        "shop_v1",
        f"CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v {column} NULL)",
        f"INSERT INTO t VALUES (1, {value}), (2, NULL)",
        "CREATE TABLE u LIKE t",
    )
    (batch,) = read(database, "SELECT id, v FROM t", {"id": sa.Integer(), "v": declared})
    metadata = sa.MetaData()
    sa.Table("u", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", declared))
    stored = server.schema(metadata).tables["u"].stored
    assert database.write("u", stored, iter([batch])) == 2
    (same,) = server.run(
        "shop_v1", "SELECT count(*) FROM t JOIN u ON t.id = u.id AND BINARY t.v <=> BINARY u.v"
    )
    assert same == (2,)


@pytest.mark.parametrize("value", ["2", "-1"])
def test_b27_a_truth_that_is_none_is_refused(server: Server, value: str) -> None:
    """TINYINT(1) holds any number of eight bits."""
    database = server.database(
        "shop_v1",
        "CREATE TABLE t (id INT PRIMARY KEY, v TINYINT(1))",
        f"INSERT INTO t VALUES (1, 1), (2, {value}), (3, NULL)",
    )
    with pytest.raises(ValueRefused, match=r"t\.v: 1 row at id 2: "):
        read(database, "SELECT id, v FROM t", {"id": sa.Integer(), "v": sa.Boolean()})


REFUSED: dict[str, tuple[str, sa.types.TypeEngine[Any], Any, str]] = {
    "fraction": ("DATETIME(3)", sa.DateTime(), datetime(2024, 1, 1, 0, 0, 0, 1), "finer fraction"),
    "trailing space": ("CHAR(9)", sa.CHAR(9), "a ", "ends with a space"),
    "short binary": ("BINARY(3)", sa.LargeBinary(), b"ab", "shorter than 3 bytes"),
    "single": ("FLOAT", sa.Double(), 0.1, "does not fit a FLOAT"),
    "infinity": ("DOUBLE", sa.Double(), float("inf"), "not a finite number"),
    "minus zero": ("DOUBLE", sa.Double(), -0.0, "-0.0"),
    "nan": ("DOUBLE", sa.Double(), float("nan"), "not a finite number"),
    "too large": ("SMALLINT", sa.Integer(), 32768, "out of the column's range"),
    "negative": ("INT UNSIGNED", sa.Integer(), -1, "out of the column's range"),
    "too long": ("VARCHAR(3)", sa.String(), "abcd", "does not fit|longer than"),
    "emoji": ("VARCHAR(9) CHARACTER SET utf8mb3", sa.String(), "\U0001f9c0", "character set"),
    "greek in latin1": ("VARCHAR(9) CHARACTER SET latin1", sa.String(), "λ", "character set"),
    "64 KB": ("TEXT", sa.Text(), "x" * 65_536, "does not fit|longer than"),
    "no label": ("ENUM('a')", sa.String(), "b", "does not fit"),
    "scale": ("DECIMAL(9, 1)", sa.Numeric(9, 2), Decimal("0.05"), "digits after the point"),
    "timestamp": ("TIMESTAMP", sa.DateTime(), datetime(2040, 1, 1), "no value|range"),
}  # fmt: skip
"""Column in the database, declared type, a value, and why it is not taken."""


@pytest.mark.parametrize("infile", [True, False], ids=["LOAD DATA", "INSERT"])
@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.fault("B17", "B20", "B22", "C39", "D49", "D53", "E59", "H107", "H108")
def test_what_a_column_would_change_is_refused_by_name(
    server: Server, monkeypatch: pytest.MonkeyPatch, case: str, *, infile: bool
) -> None:
    """Neither rounded, cut, padded nor clipped, whichever way the rows go in."""
    column, declared, value, reason = REFUSED[case]
    monkeypatch.setattr("migrators.backends.mysql.feed.takes_files", lambda _: infile)
    database = server.database("shop_v1", f"CREATE TABLE t (id INT PRIMARY KEY, v {column} NULL)")
    schema = _schema(server, declared)
    with pytest.raises(ValueRefused, match=rf"t\.v: 1 row.*({reason})"):
        write(database, schema, "t", {"id": [1, 2], "v": [None, value]})
    assert server.run("shop_v1", "SELECT count(*) FROM t") == ((0,),)


def _schema(server: Server, declared: sa.types.TypeEngine[Any]) -> Any:
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", declared))
    return server.schema(metadata)


TEXTS = [
    "",
    "NULL",
    "\\N",
    "\\",
    'a"b',
    "it's",
    "a,b",
    "a\nb\r\n",
    "\0",
    "\t",
    "\x1a",
    " x ",
    "é🧀",
]


@pytest.mark.parametrize("infile", [True, False], ids=["LOAD DATA", "INSERT"])
@pytest.mark.fault("D46", "D55")
def test_texts_and_bytes_of_all_sorts(
    server: Server, monkeypatch: pytest.MonkeyPatch, *, infile: bool
) -> None:
    """Quotes, backslashes, delimiters, NUL and NULL, beside bytes and a key that is 0."""
    monkeypatch.setattr("migrators.backends.mysql.feed.takes_files", lambda _: infile)
    database = server.database(
        "shop_v1",
        "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v LONGTEXT, b LONGBLOB, c BIT(4))",
    )
    metadata = sa.MetaData()
    columns: dict[str, Any] = {
        "id": sa.Integer(),
        "v": mysql.LONGTEXT(),
        "b": mysql.LONGBLOB(),
        "c": mysql.BIT(4),
    }
    sa.Table("t", metadata, *(sa.Column(n, t, primary_key=n == "id") for n, t in columns.items()))
    values: dict[str, list[Any]] = {
        "id": list(range(len(TEXTS))),
        "v": TEXTS,
        "b": [text.encode("utf-16") for text in TEXTS[:-1]] + [None],
        "c": ["0101"] * len(TEXTS),
    }
    write(database, server.schema(metadata), "t", values)
    (batch,) = read(database, "SELECT id, v, b, c FROM t ORDER BY id", columns)
    assert batch.to_pydict() == values


@pytest.mark.parametrize(
    ("column", "declared", "value"),
    [
        ("DATE", sa.Date(), "0000-00-00"),
        ("DATE", sa.Date(), "2023-00-00"),
        ("DATETIME(6)", sa.DateTime(), "0000-00-00 00:00:00.000000"),
        ("TIME(6)", sa.Time(), "-838:59:59.000000"),
        ("TIME", sa.Time(), "24:00:00.000000"),
    ],
)
@pytest.mark.fault("C38", "C41")
def test_zero_dates_and_long_times_are_held_as_text(
    server: Server, column: str, declared: sa.types.TypeEngine[Any], value: str
) -> None:
    """Named where a column of dates is asked for; exact, there and back, as text."""
    database = server.database(
        "shop_v1",
        "SET sql_mode = ''",
        f"CREATE TABLE t (id INT PRIMARY KEY, v {column})",
        f"INSERT INTO t VALUES (1, NULL), (2, '{value}')",
        "CREATE TABLE u LIKE t",
    )
    with pytest.raises(NotHeld, match=r"t\.v: 1 row at id 2: is not what") as caught:
        read(database, "SELECT id, v FROM t", {"id": sa.Integer(), "v": declared})
    assert caught.value.labels == ("v",)
    found = _held(database, declared)
    assert found["v"].to_pylist() == [None, value]
    _write_held(server, database, declared, found)
    assert server.run("shop_v1", "SELECT count(*) FROM t JOIN u USING (id) WHERE t.v <=> u.v") == (
        (2,),
    )


def _held(database: MySQLBackend, declared: sa.types.TypeEngine[Any]) -> pa.RecordBatch:
    as_text = describe(declared).in_text()
    columns = (
        ReadColumn("id", describe(sa.Integer()), "t", "id"),
        ReadColumn("v", as_text, "t", "v"),
    )
    with database.snapshot(Path()) as snapshot:
        (found,) = snapshot.batches(ReadQuery("SELECT id, v FROM t", columns, ("id",), ("id",)))
    return found


def _write_held(
    server: Server, database: MySQLBackend, declared: sa.types.TypeEngine[Any], rows: pa.RecordBatch
) -> None:
    from dataclasses import replace

    stored = _schema(server, declared).tables["t"].stored
    held = [stored[0], replace(stored[1], type=stored[1].type.in_text())]
    assert database.takes_text(held[1].type)
    assert database.write("u", held, iter([rows])) == 2


@pytest.mark.fault("C44")
def test_on_update_does_not_fire(server: Server) -> None:
    """A column that keeps the time of the last change keeps the old one."""
    database = server.database(
        "shop_v1",
        "CREATE TABLE t (id INT PRIMARY KEY, v TIMESTAMP(6) NOT NULL "
        "DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6))",
    )
    schema = _schema(server, sa.DateTime())
    write(database, schema, "t", {"id": [1], "v": [datetime(2001, 2, 3)]})
    assert server.run("shop_v1", "SELECT v FROM t") == ((datetime(2001, 2, 3),),)


@pytest.mark.fault("A14", "H96")
def test_a_row_of_several_packets(server: Server) -> None:
    """A value beyond 16 MB comes in parts; what stands before and after it is whole."""
    database = server.database(
        "shop_v1",
        "CREATE TABLE t (id INT PRIMARY KEY, v LONGBLOB)",
        "INSERT INTO t VALUES (1, 'a'), (2, REPEAT('x', 10000000)), (3, 'c')",
    )
    sql = "SELECT id, v AS a, v AS b, v AS c, v AS d FROM t ORDER BY id"
    blob = sa.LargeBinary()
    batches = read(database, sql, {"id": sa.Integer(), "a": blob, "b": blob, "c": blob, "d": blob})
    found = pa.Table.from_batches(batches)
    assert found["id"].to_pylist() == [1, 2, 3]
    for name in "abcd":
        assert found[name].to_pylist() == [b"a", b"x" * 10_000_000, b"c"]
