"""Values that Arrow's types do not hold, or a column would change: refused by name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from migrators.backends.interface import ReadColumn, ReadQuery
from migrators.errors import DatabaseError, ValueRefused
from migrators.types import describe
from migrators.types.odd import odd_form
from tests.backends.conftest import write
from tests.backends.postgresql.conftest import read

if TYPE_CHECKING:
    from tests.backends.postgresql.conftest import Server

ZONED = sa.DateTime(timezone=True)

REFUSED: list[tuple[str, sa.types.TypeEngine[Any], str, str]] = [
    ("timestamp", sa.DateTime(), "infinity", "years 0001 to 9999"),
    ("timestamp", sa.DateTime(), "10000-01-01", "years 0001 to 9999"),
    ("timestamp", sa.DateTime(), "0044-03-15 BC", "years 0001 to 9999"),
    ("timestamptz", ZONED, "-infinity", "years 0001 to 9999"),
    ("timestamptz", ZONED, "9999-12-31 23:00:00-08", "years 0001 to 9999"),
    ("date", sa.Date(), "infinity", "years 0001 to 9999"),
    ("date", sa.Date(), "5874897-12-31", "years 0001 to 9999"),
    ("time", sa.Time(), "24:00:00", "not a time of day"),
    ("numeric", sa.Numeric(12, 2), "NaN", "not a decimal"),
    ("numeric", sa.Numeric(12, 2), "1.239", "not a decimal"),
    ("numeric", sa.Numeric(12, 2), "12345678901", "not a decimal"),
    ("numeric", sa.Numeric(50, 2), "1.239", "not a decimal"),
    ("numeric", sa.Integer(), "9223372036854775808", "not an integer"),
    ("interval", sa.Interval(), "1 mon", "not days and a time"),
    ("interval", sa.Interval(), "1 year", "not days and a time"),
    ("interval", sa.Interval(), "36:00:00", "not days and a time"),
    ("interval", sa.Interval(), "-00:00:01", "not days and a time"),
    ("timestamptz", sa.DateTime(), "2024-01-01", "without zone"),
    ("timestamp", ZONED, "2024-01-01", "with zone"),
    ("text", sa.Boolean(), "yes", "neither true nor false"),
    ("text", sa.Uuid(), "x", "not a UUID"),
]


@pytest.mark.parametrize(("kind", "declared", "value", "reason"), REFUSED)
@pytest.mark.fault("C33", "C34")
def test_what_no_type_of_arrow_holds_is_refused(
    server: Server, kind: str, declared: sa.types.TypeEngine[Any], value: str, reason: str
) -> None:
    """Table, column, key, value and how many of them, whatever stands around it."""
    good = "NULL"
    database = server.database(
        "shop_v3",
        f"CREATE TABLE t (id int, v {kind})",
        f"INSERT INTO t VALUES (1, {good}), (2, '{value}'), (3, NULL), (4, '{value}')",
    )
    with pytest.raises(ValueRefused, match=reason) as refused:
        read(database, "SELECT id, v FROM t ORDER BY id", {"id": sa.Integer(), "v": declared})
    found = refused.value
    assert (found.table, found.column, found.count) == ("t", "v", 2)
    assert [key for key, _ in found.samples] == ["id 2", "id 4"]


def test_refused_values_are_counted_over_all_batches(server: Server) -> None:
    """A hundred thousand rows apart, and still two of them."""
    database = server.database(
        "shop_v3",
        "CREATE TABLE t AS SELECT i AS id, CASE WHEN i IN (7, 150000) THEN 'infinity'"
        " ELSE timestamp '2024-01-01' END AS v FROM generate_series(1, 200000) AS i",
    )
    with pytest.raises(ValueRefused, match=r"t\.v: 2 rows at id 7, id 150000"):
        read(database, "SELECT id, v FROM t ORDER BY id", {"id": sa.Integer(), "v": sa.DateTime()})


@pytest.mark.fault("D48")
def test_text_that_is_not_utf8_is_refused(server: Server) -> None:
    """A database without an encoding holds any byte."""
    server.admin(
        f"CREATE DATABASE \"{server.own}ascii\" TEMPLATE template0 ENCODING SQL_ASCII LOCALE 'C'"
    )
    server.run(
        "ascii", "CREATE TABLE t (id int, v text)", r"INSERT INTO t VALUES (1, E'a'), (2, E'\xff')"
    )
    with pytest.raises(DatabaseError, match="character not in repertoire"):
        read(server.backend("ascii"), "SELECT id, v FROM t", {"id": sa.Integer(), "v": sa.Text()})


KEPT: list[tuple[str, sa.types.TypeEngine[Any], list[str]]] = [
    ("float8", sa.Double(), ["NaN", "Infinity", "-Infinity", "-0", "5e-324", "0.1"]),
    ("real", sa.Double(), ["0.1", "3.4028235e+38", "-0", "NaN"]),
    ("numeric(50,10)", sa.Numeric(50, 10), ["0.0000000001", "-" + "9" * 40 + ".9999999999"]),
    ("interval", sa.Interval(), ["3 days 04:05:06.000007", "-1 days +23:59:59.999999"]),
    ("text", sa.Text(), [r"\.", "a\n\\.\nb", "\\", "\r", '"', "''", "\x01", "x\u2028y", ""]),
    ("char(3)", sa.CHAR(3), ["ab ", "abc", "é  "]),
    ("bytea", sa.LargeBinary(), [r"\x", r"\x00ff5c2e0a"]),
    ("jsonb", sa.JSON(), ['{"a": 1e400, "b": [1.50, null]}']),
    ("json", sa.JSON(), ['{"a":1,  "a":2}', r'"\u0000"']),
]


@pytest.mark.parametrize(("kind", "declared", "values"), KEPT)
@pytest.mark.fault("B18", "B22", "B23", "B24", "D47", "D52", "D55", "E58")
def test_odd_values_arrive_as_the_server_itself_writes_them(
    server: Server, kind: str, declared: sa.types.TypeEngine[Any], values: list[str]
) -> None:
    """Put in by plain SQL, read, written into another database, compared as its text."""
    server.database("old", f"CREATE TABLE t (id int PRIMARY KEY, v {kind})")
    with server.connected("old") as connection:
        for i, value in enumerate(values):
            connection.execute(f"INSERT INTO t VALUES ({i}, %s::{kind})".encode(), (value,))
        connection.execute("INSERT INTO t VALUES (99, NULL)")
    batches = read(
        server.backend("old"), "SELECT id, v FROM t", {"id": sa.Integer(), "v": declared}
    )
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", declared))
    new, schema = server.backend("new"), server.schema(metadata)
    new.create(schema)
    if kind == "jsonb":
        server.run("new", "ALTER TABLE t ALTER v TYPE jsonb")
    if kind == "real":
        server.run("new", "ALTER TABLE t ALTER v TYPE real")
    new.write("t", schema.tables["t"].stored, iter(batches))
    text = "SELECT id, v::text, octet_length(v::text) FROM t ORDER BY id"
    assert server.run("old", text) == server.run("new", text)
    assert len(server.run("new", text)) == len(values) + 1


@pytest.mark.fault("C31")
def test_a_time_without_its_zone_is_the_same_instant(server: Server) -> None:
    """Instants travel in UTC, also around a change of the clock."""
    database = server.database(
        "shop_v3",
        "CREATE TABLE t (id int, v timestamptz)",
        "SET TimeZone = 'Europe/Berlin'",
        "INSERT INTO t VALUES (1, '2024-10-27 02:30:00+02'), (2, '2024-10-27 02:30:00+01')",
    )
    (batch,) = read(database, "SELECT id, v FROM t ORDER BY id", {"id": sa.Integer(), "v": ZONED})
    assert [str(v) for v in batch["v"].to_pylist()] == [
        "2024-10-27 00:30:00+00:00",
        "2024-10-27 01:30:00+00:00",
    ]


CHANGED: list[tuple[sa.types.TypeEngine[Any], str, Any, Any, str]] = [
    (sa.Text(), "text", "ok", "a\0b", "NUL"),
    (sa.String(3), "varchar(3)", "abc", "abc ", "longer than 3"),
    (sa.CHAR(3), "char(3)", "abc", "ab", "not 3 characters"),
    (sa.Double(), "real", 0.5, 0.1, "not exactly a real"),
    (sa.Integer(), "integer", 2**31 - 1, 2**31, "outside of integer"),
    (sa.SmallInteger(), "smallint", -(2**15), 2**15, "outside of smallint"),
    (sa.DateTime(), "timestamp(3)", 1000, 1001, "more digits than timestamp"),
    (sa.Time(), "time(0)", 1_000_000, 1, "more digits than time"),
    (sa.Numeric(5, 3), "numeric(5,2)", "1.230", "1.239", "more digits than numeric"),
    (sa.JSON(), "jsonb", '{"a": 1}', r'"\u0000"', "refused by the server"),
]


@pytest.mark.parametrize(("declared", "column", "good", "bad", "reason"), CHANGED)
@pytest.mark.fault("B17", "B20", "C39", "D46", "D53", "H107")
def test_what_a_column_would_change_is_refused(
    server: Server,
    declared: sa.types.TypeEngine[Any],
    column: str,
    good: Any,
    bad: Any,
    reason: str,
) -> None:
    """The server would round, pad or cut it with success."""
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", declared))
    database, schema = server.backend(), server.schema(metadata)
    database.create(schema)
    server.run("shop_v3", f"ALTER TABLE t ALTER v TYPE {column} USING NULL")
    arrow = schema.tables["t"].column["v"].type.arrow

    def batch(*values: Any) -> pa.RecordBatch:
        number = pa.types.is_temporal(arrow)
        cells = pa.array(values, pa.int64()).cast(arrow) if number else _decimals(values, arrow)
        ids = pa.array(range(1, len(values) + 1), pa.int64())
        return pa.RecordBatch.from_arrays([ids, cells], names=["id", "v"])

    with pytest.raises(ValueRefused, match=rf"t\.v: .*{reason}"):
        database.write("t", schema.tables["t"].stored, iter([batch(good, None, bad)]))
    assert server.run("shop_v3", "SELECT count(*) FROM t") == [(0,)]
    database.write("t", schema.tables["t"].stored, iter([batch(good, None)]))
    assert server.run("shop_v3", "SELECT count(*), count(v) FROM t") == [(2, 1)]


def _decimals(values: tuple[Any, ...], arrow: pa.DataType) -> pa.Array:
    return pa.array(values).cast(arrow) if pa.types.is_decimal(arrow) else pa.array(values, arrow)


def test_rows_may_be_added_in_several_writes(server: Server) -> None:
    """The first write empties the table, the next ones do not."""
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True))
    database, schema = server.backend(), server.schema(metadata)
    database.create(schema)
    assert write(database, schema, "t", {"id": [1, 2]}) == 2
    assert write(database, schema, "t", {"id": [3]}) == 1
    assert server.run("shop_v3", "SELECT sum(id) FROM t") == [(6,)]


@pytest.mark.fault("E57")
def test_types_of_this_server_alone_travel_as_its_text(server: Server) -> None:
    """The server's own text of a type that no other has comes back the same."""
    database = server.database(
        "shop_v3",
        "CREATE TABLE t (id int, v int4range, w inet)",
        "INSERT INTO t VALUES (1, '[1,5)', '10.0.0.1/8'), (2, 'empty', NULL)",
    )
    columns: dict[str, sa.types.TypeEngine[Any]]
    columns = {"id": sa.Integer(), "v": postgresql.INT4RANGE(), "w": postgresql.INET()}
    (batch,) = read(database, "SELECT * FROM t ORDER BY id", columns)
    assert batch["v"].to_pylist() == ["[1,5)", "empty"]
    assert batch["w"].to_pylist() == ["10.0.0.1/8", None]


HELD_AS_TEXT: list[tuple[str, sa.types.TypeEngine[Any], list[str]]] = [
    ("numeric", sa.Numeric(), ["NaN", "1.50", "-0.00000000000000000001", "9" * 90]),
    ("date", sa.Date(), ["infinity", "-infinity", "5874897-12-31", "0044-03-15 BC", "2024-02-29"]),
    ("time", sa.Time(), ["24:00:00", "00:00:00.1", "23:59:59.999999"]),
    ("timestamp", sa.DateTime(), ["infinity", "294276-12-31 23:59:59.5", "4713-01-01 00:00:00 BC"]),
    ("timestamptz", ZONED, ["-infinity", "10000-01-01 00:00:00.1+00", "0044-03-15 01:00:00+00 BC"]),
    ("interval", postgresql.INTERVAL(), ["1 mon -1 days +00:00:01.5", "36:00:00", "-00:00:01"]),
]


@pytest.mark.parametrize(("kind", "declared", "values"), HELD_AS_TEXT)
@pytest.mark.fault("B19", "B21", "C35", "C36", "C37", "C41", "C42")
def test_a_column_held_as_text_arrives_as_it_was(
    server: Server, kind: str, declared: sa.types.TypeEngine[Any], values: list[str]
) -> None:
    """Infinity, 24:00, months: in the forms that `types.odd` takes, and back."""
    server.database("old", f"CREATE TABLE t (id int PRIMARY KEY, v {kind})")
    for i, value in enumerate(values):
        server.run("old", f"INSERT INTO t VALUES ({i}, '{value}')")
    kept = describe(declared).in_text()
    query = ReadQuery(
        "SELECT id, v FROM t",
        (ReadColumn("id", describe(sa.Integer())), ReadColumn("v", kept)),
    )
    with server.backend("old").snapshot(server.folder) as snapshot:
        batches = list(snapshot.batches(query))
    assert not pc.any(odd_form(batches[0]["v"], kept)).as_py()
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", declared))
    new, schema = server.backend("new"), server.schema(metadata)
    assert new.takes_text(describe(declared))
    new.create(schema)
    columns = [
        replace(c, type=t)
        for c, t in zip(schema.tables["t"].stored, (describe(sa.Integer()), kept), strict=True)
    ]
    new.write("t", columns, iter(batches))
    text = "SELECT id, v::text FROM t ORDER BY id"
    assert server.run("old", text) == server.run("new", text)


@pytest.mark.fault("F65")
def test_a_name_that_would_be_cut_is_said(server: Server) -> None:
    """63 bytes are kept, not characters."""
    metadata = sa.MetaData()
    sa.Table("t" * 63, metadata, sa.Column("é" * 32, sa.Integer, primary_key=True))
    (said,) = server.backend().lint_names(metadata)
    assert said.startswith("é" * 32)


@pytest.mark.fault("E59")
def test_a_label_that_an_enum_has_not_is_refused_by_name(server: Server) -> None:
    """Before it is sent: the server's error would quote it. Others go in and out."""
    mood = postgresql.ENUM("sad", "it's ok", name="mood")
    metadata = sa.MetaData()
    table = sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True))
    table.append_column(sa.Column("m", mood))
    database, schema = server.backend(), server.schema(metadata)
    database.create(schema)
    with pytest.raises(ValueRefused, match=r"t\.m: .*at id 2: is none of sad, it's ok"):
        write(database, schema, "t", {"id": [1, 2], "m": ["sad", "Sad"]})
    good: dict[str, list[Any]] = {"id": [1, 2, 3], "m": ["it's ok", None, "sad"]}
    assert write(database, schema, "t", good) == 3
    found = read(database, "SELECT id, m FROM t", {"id": sa.Integer(), "m": mood})
    assert pa.Table.from_batches(found).to_pydict() == good
