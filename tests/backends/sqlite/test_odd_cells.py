"""Cells that are not what is declared: FAULTS 22, 43, 46, 48, 80, 81, 82, and forms that are."""

# ruff: noqa: DTZ001  naive times are what is tested

from __future__ import annotations

import struct
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from migrators.backends.interface import ReadColumn, ReadQuery
from migrators.backends.sqlite import scan
from migrators.backends.sqlite.cells import CODECS
from migrators.backends.sqlite.cells.model import Affinity
from migrators.errors import ValueRefused
from migrators.types import Kind, describe
from tests.backends.sqlite.conftest import backend, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Read = Callable[..., list[pa.RecordBatch]]

UTC_ZONE = sa.DateTime(timezone=True)


def query(declared: sa.types.TypeEngine[Any], order: tuple[str, ...] = ("id",)) -> ReadQuery:
    """Return a query of column v of table t."""
    columns = (
        ReadColumn("id", describe(sa.Integer()), "t", "id"),
        ReadColumn("v", describe(declared), "t", "v"),
    )
    return ReadQuery("SELECT id, v FROM t", columns, order, ("id",))


def cells(path: Path, *values: str) -> Path:
    """Make a table whose column v has no affinity, and so holds SQL literals as they are."""
    run(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
    for value in values:
        run(path, f"INSERT INTO t (v) VALUES ({value})")
    return path


ODD: list[tuple[sa.types.TypeEngine[Any], list[str], str]] = [
    (sa.Integer(), ["1", "'x'"], r"t\.v: 1 row at id 2: is text where integer\(32\) is declared$"),
    (sa.Integer(), ["1", "1.5", "x'00'"], r"t\.v: 2 rows at id 2, id 3: is blob or real"),
    (sa.Integer(), ["'1'"], "is text"),
    (sa.Text(), ["'a'", "5"], "is integer where text"),
    (sa.Text(), ["'a'", "1.5"], "is real where text"),
    (sa.Text(), ["x'41'"], "is blob where text"),
    (sa.Text(), ["'a'", "CAST(x'ff41' AS TEXT)"], r"t\.v: 1 row at id 2: is not UTF-8$"),
    (sa.Double(), ["1.5", "'1.5'"], "is text where float"),
    (sa.Double(), ["9007199254740993"], "is integer where float"),
    (sa.Double(), ["9223372036854775807"], "is integer where float"),
    (sa.LargeBinary(), ["x'00'", "'a'"], "is text where binary"),
    (sa.Boolean(), ["0", "1", "2"], "at id 3: is neither 0 nor 1$"),
    (sa.Boolean(), ["'t'"], "is text where boolean"),
    (sa.Numeric(10, 2), ["1.25", "0.125"], r"at id 2: is not a decimal\(10,2\)$"),
    (sa.Numeric(10, 2), ["0.1 + 0.2"], r"is not a decimal\(10,2\)"),
    (sa.Numeric(10, 2), ["123456789"], r"is not a decimal\(10,2\)"),
    (sa.Numeric(10, 2), ["'1,5'"], r"is not a decimal\(10,2\)$"),
    (sa.Numeric(10, 2), ["9e999"], r"is not a decimal\(10,2\)"),
    (sa.Numeric(20, 4), ["1234567890123.4567"], r"is not a decimal\(20,4\)"),
    (sa.DateTime(), ["1700000000"], "is integer where timestamp"),
    (sa.DateTime(), ["2460000.5"], "is real where timestamp"),
    (sa.DateTime(), ["'2024-01-01'"], "is not a timestamp"),
    (sa.DateTime(), ["'2023-02-30 00:00:00'"], "is not a timestamp"),
    (sa.DateTime(), ["'0000-00-00 00:00:00'"], "is not a timestamp"),
    (sa.DateTime(), ["'0000-01-01 00:00:00'"], "is not a timestamp"),
    (sa.DateTime(), ["'2024-01-01 24:00:00'"], "is not a timestamp"),
    (sa.DateTime(), ["'2024-01-01 00:00:00.1234567'"], "is not a timestamp"),
    (sa.DateTime(), ["'2024-01-01 00:00:00+02:00'"], "has a UTC offset"),
    (UTC_ZONE, ["'gestern'"], "is not an instant"),
    (sa.Date(), ["'2024-01-01 00:00:00'"], "is not a date"),
    (sa.Date(), ["'2023-00-00'"], "is not a date"),
    (sa.Time(), ["'24:00:00'"], "is not a time"),
    (sa.Time(), ["'12:00'"], "is not a time"),
    (sa.Uuid(), ["'zz'"], "is not a uuid"),
    (sa.Uuid(), ["'" + "g" * 32 + "'"], "is not a uuid"),
    (sa.Uuid(), ["x'00'"], "is blob where uuid"),
    (sa.JSON(), ["x'00'"], "is blob where json"),
    (sa.JSON(), ["9e999"], "is infinite"),
]


@pytest.mark.parametrize(("declared", "values", "said"), ODD)
def test_a_cell_that_is_not_what_is_declared_is_refused(
    tmp_path: Path, read: Read, declared: sa.types.TypeEngine[Any], values: list[str], said: str
) -> None:
    """Refused by name: table, column, count, key; the value is kept apart, for who asks."""
    with pytest.raises(ValueRefused, match=said) as caught:
        read(cells(tmp_path / "old.db", *values), query(declared))
    assert caught.value.hint
    assert caught.value.values


@pytest.mark.parametrize("terms", [2_000, 2], ids=["guarded", "no term is left for a guard"])
@pytest.mark.parametrize(
    ("declared", "values"),
    [
        (sa.Text(), ["'a'", "5"]),
        (sa.Text(), ["'a'", "x'41'"]),
        (sa.Double(), ["1.5", "9007199254740993"]),
        (sa.LargeBinary(), ["x'00'", "'a'"]),
    ],
)
def test_what_the_driver_would_convert_silently_is_refused(
    tmp_path: Path,
    read: Read,
    monkeypatch: pytest.MonkeyPatch,
    declared: sa.types.TypeEngine[Any],
    values: list[str],
    terms: int,
) -> None:
    """In the rows' own scan; or beforehand, where they are as wide as SQLite allows."""
    monkeypatch.setattr(scan, "MOST_TERMS", terms)
    with pytest.raises(ValueRefused, match=r"t\.v: 1 row at id 2: is "):
        read(cells(tmp_path / "old.db", *values), query(declared))


@pytest.mark.parametrize("declared", [sa.Integer(), sa.Boolean()])
@pytest.mark.parametrize("late", ["'x'", "'1'", "''", "1.5", "1.0", "x'00'", "x'31'", "x''"])
def test_an_odd_cell_far_down_is_counted_to_the_end(
    tmp_path: Path, read: Read, late: str, declared: sa.types.TypeEngine[Any]
) -> None:
    """One in a later batch is found, and all of them are counted: the driver raises."""
    path = tmp_path / "old.db"
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000)"
    run(
        path,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v)",
        f"INSERT INTO t {many} SELECT i, CASE WHEN i > 140000 THEN {late} ELSE 1 END FROM n",
    )
    with pytest.raises(ValueRefused, match="10000 rows at id 140001, id 140002") as caught:
        read(path, query(declared))
    assert caught.value.count == 10_000


def test_undecodable_cells_are_counted_over_batches(tmp_path: Path, read: Read) -> None:
    """What only decoding finds is counted to the end of the table as well."""
    path = tmp_path / "old.db"
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 140000)"
    run(
        path,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v)",
        f"INSERT INTO t {many} "
        "SELECT i, CASE i % 70000 WHEN 7 THEN 'bad' ELSE '2024-01-01' END FROM n",
    )
    with pytest.raises(ValueRefused, match=r"2 rows at id 7, id 70007: is not a date \(.*\)$"):
        read(path, query(sa.Date()))


GOOD: list[tuple[sa.types.TypeEngine[Any], list[str], list[Any]]] = [
    (sa.Double(), ["1.5", "2", "9007199254740992", "9e999"], [1.5, 2.0, 2.0**53, float("inf")]),
    (
        sa.Numeric(10, 2),
        ["5", "1.25", "'3.10'"],
        [Decimal("5.00"), Decimal("1.25"), Decimal("3.10")],
    ),
    (
        sa.Numeric(20, 4),
        ["'1234567890123456.7890'", "12", "1.5", "1234567890123456"],
        [
            Decimal(d)
            for d in ("1234567890123456.7890", "12.0000", "1.5000", "1234567890123456.0000")
        ],
    ),
    (
        sa.DateTime(),
        [
            f"'{t}'"
            for t in ("2024-01-02 03:04:05", "2024-01-02T03:04:05.5", "2024-01-02 03:04:05.123456")
        ],
        [
            datetime(2024, 1, 2, 3, 4, 5),
            datetime(2024, 1, 2, 3, 4, 5, 500000),
            datetime(2024, 1, 2, 3, 4, 5, 123456),
        ],
    ),
    (
        UTC_ZONE,
        [
            f"'{t}'"
            for t in ("2024-01-02 03:04:05", "2024-01-02 03:04:05.25+02:00", "2024-01-02T03:04:05Z")
        ],
        [
            datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
            datetime(2024, 1, 2, 1, 4, 5, 250000, tzinfo=UTC),
            datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
        ],
    ),
    (sa.Time(), ["'01:02:03'", "'01:02:03.5'"], [time(1, 2, 3), time(1, 2, 3, 500000)]),
    (sa.JSON(), ["12", "1.5", "1e22", "'[1]'"], ["12", "1.5", "1e+22", "[1]"]),
    (sa.Text(), ["'a' || char(0) || 'b'", "''"], ["a\0b", ""]),
    (
        sa.Uuid(),
        ["'00112233445566778899aabbccddeeff'", "'00112233-4455-6677-8899-AABBCCDDEEFF'"],
        [bytes.fromhex("00112233445566778899aabbccddeeff")] * 2,
    ),
    (
        sa.Uuid(),
        ["'00112233-4455-6677-8899-aabbccddeeff'", "NULL"],
        [bytes.fromhex("00112233445566778899aabbccddeeff"), None],
    ),
]


@pytest.mark.parametrize(("declared", "values", "expected"), GOOD)
def test_other_forms_of_a_value_are_read_exactly(
    tmp_path: Path,
    read: Read,
    declared: sa.types.TypeEngine[Any],
    values: list[str],
    expected: list[Any],
) -> None:
    """Whole numbers in float columns, decimals as text, times in each ISO form, JSON numbers."""
    (batch,) = read(cells(tmp_path / "old.db", *values), query(declared))
    assert batch["v"].to_pylist() == expected


@pytest.mark.parametrize(
    ("declared", "values", "expected"),
    [
        (
            sa.Uuid(),
            [
                "'ff" + "0" * 30 + "'",
                "'EE000000-0000-0000-0000-000000000000'",
                "'0" + "a" * 31 + "'",
            ],
            [3, 2, 1],
        ),
        (
            UTC_ZONE,
            [
                "'2024-01-01 12:00:00'",
                "'2024-01-01T13:00:00.5+02:00'",
                "'2024-01-01 11:00:00.25'",
                "'2024-01-01T11:00:00Z'",
            ],
            [4, 3, 2, 1],
        ),
    ],
)
def test_order_is_by_value_where_cells_have_several_forms(
    tmp_path: Path,
    read: Read,
    declared: sa.types.TypeEngine[Any],
    values: list[str],
    expected: list[int],
) -> None:
    """The order asked for is the values', however their text would sort."""
    (batch,) = read(cells(tmp_path / "old.db", *values), query(declared, order=("v",)))
    found = batch["v"].to_pylist()
    assert found == sorted(found)
    assert sorted(batch["id"].to_pylist()) == sorted(expected)


def test_an_expression_is_decoded_by_its_declared_type(tmp_path: Path, read: Read) -> None:
    """A step's expression is read as what it is declared to be, and refused if it is not."""
    path = cells(tmp_path / "old.db", "7")
    column = ReadColumn("half", describe(sa.Integer()), "t", "v / 2.0")
    with pytest.raises(ValueRefused, match=r"t\.v / 2\.0: 1 row at id 1: is real"):
        read(
            path,
            ReadQuery(
                "SELECT id, v / 2.0 AS half FROM t",
                (query(sa.Text()).columns[0], column),
                (),
                ("id",),
            ),
        )


@pytest.mark.parametrize("width", [900, 1_999, 2_000])
def test_a_very_wide_table_is_read(tmp_path: Path, read: Read, width: int) -> None:
    """The guard's condition stays shallow; where it is a term too many it is asked beforehand."""
    names = [f"c{i}" for i in range(width)]
    path = tmp_path / "old.db"
    run(
        path,
        f"CREATE TABLE t ({', '.join(f'{n} INTEGER' for n in names)})",
        "INSERT INTO t (c0) VALUES (1)",
    )
    columns = tuple(ReadColumn(n, describe(sa.Integer()), "t", n) for n in names)
    (batch,) = read(path, ReadQuery("SELECT * FROM t", columns))
    assert (batch.num_columns, batch["c0"].to_pylist()) == (width, [1])
    run(path, f"UPDATE t SET c{width - 1} = 'x'")
    with pytest.raises(ValueRefused, match=rf"t\.c{width - 1}: 1 row.* is text"):
        read(path, ReadQuery("SELECT * FROM t", columns))


def test_odd_names_are_only_names(tmp_path: Path, read: Read) -> None:
    """Quotes, braces and SQL in a label are inert."""
    path = tmp_path / "old.db"
    odd = 'a"b{x}; DROP TABLE t --'
    quoted = '"' + odd.replace('"', '""') + '"'
    run(path, f"CREATE TABLE t ({quoted} TEXT)", "INSERT INTO t VALUES ('v')")
    (batch,) = read(
        path,
        ReadQuery(
            f"SELECT {quoted} FROM t", (ReadColumn(odd, describe(sa.Text()), "t", odd),), (odd,)
        ),
    )
    assert batch.to_pylist() == [{odd: "v"}]


@pytest.mark.parametrize(
    ("kind", "values", "affinity", "said"),
    [
        (sa.Double(), [float("nan")], Affinity.REAL, "NaN"),
        (sa.Double(), [-0.0], Affinity.REAL, "negative zero"),
        (sa.JSON(), ["1.0"], Affinity.NUMERIC, "would become a number"),
        (sa.JSON(), ["1e400"], Affinity.NUMERIC, "would become a number"),
        (sa.JSON(), ["9223372036854775808"], Affinity.NUMERIC, "would become a number"),
        (sa.JSON(), [" 12"], Affinity.NUMERIC, "would become a number"),
        (sa.Text(), ["007"], Affinity.NUMERIC, "would become a number"),
        (sa.Uuid(), [b"\x11" * 16], Affinity.NUMERIC, "would become a number"),
        (
            sa.Numeric(20, 4),
            [Decimal("1234567890123.4567")],
            Affinity.NUMERIC,
            "more than 15 digits",
        ),
    ],
)
def test_what_sqlite_would_change_is_refused_when_written(
    kind: sa.types.TypeEngine[Any], values: list[Any], affinity: Affinity, said: str
) -> None:
    """NaN, a zero's sign, numbers in text of numeric affinity, long decimals: refused."""
    declared = describe(kind)
    found = CODECS[declared.kind].encode(pa.array(values, declared.arrow), declared, affinity)
    assert found.refused is not None
    assert (found.refused.to_pylist(), said in found.reason) == ([True], True)


def test_a_negative_zero_survives_without_affinity() -> None:
    """A column without a declared type keeps the sign, so it is bound."""
    declared = describe(sa.Double())
    found = CODECS[Kind.FLOAT].encode(pa.array([-0.0]), declared, Affinity.BLOB)
    assert found.refused is None
    assert struct.pack("<d", found.values[0].as_py()) == struct.pack("<d", -0.0)


def test_decimals_of_every_digit_are_written_as_the_application_writes_them(tmp_path: Path) -> None:
    """The double that is bound is the one that float(Decimal) gives, for random decimals."""
    import random

    rng = random.Random(5)  # noqa: S311  a seed, not a secret
    declared = describe(sa.Numeric(15, 6))
    values = [Decimal(rng.randrange(-(10**15) + 1, 10**15)).scaleb(-6) for _ in range(20_000)]
    encoded = CODECS[Kind.DECIMAL].encode(
        pa.array(values, declared.arrow), declared, Affinity.NUMERIC
    )
    assert encoded.values.to_pylist() == [float(v) for v in values]
    nulls = pa.nulls(len(values), pa.string())
    decoded = CODECS[Kind.DECIMAL].decode([encoded.values, nulls], declared)
    assert (decoded.refused, decoded.values.to_pylist()) == (None, values)


@pytest.mark.parametrize(
    ("kind", "affinity", "values"),
    [
        (sa.Numeric(9, 3), Affinity.NUMERIC, [None, Decimal("1.500"), None, Decimal("-2.250")]),
        (sa.Uuid(), Affinity.TEXT, [None, b"\1" * 16, None, b"\2" * 16]),
        (sa.DateTime(), Affinity.NUMERIC, [None, datetime(2024, 1, 1), None, datetime(1, 1, 1)]),
        (sa.Boolean(), Affinity.NUMERIC, [None, True, False, None]),
    ],
)
def test_slices_with_nulls_keep_their_places(
    kind: sa.types.TypeEngine[Any], affinity: Affinity, values: list[Any]
) -> None:
    """Arrays that begin in the middle of their buffers encode and decode the same."""
    declared = describe(kind)
    codec = CODECS[declared.kind]
    part = pa.array(values * 5, declared.arrow).slice(3, 11)
    bound = codec.encode(part, declared, affinity).values.slice(2, 7)
    beside = [pa.nulls(7, pa.string())] if declared.kind is Kind.DECIMAL else []
    decoded = codec.decode([bound, *beside], declared)
    assert (decoded.refused, decoded.values.to_pylist()) == (None, part.to_pylist()[2:9])


def test_what_is_written_is_what_sqlalchemy_writes_and_reads(tmp_path: Path) -> None:
    """An application reads our cells, and we read its cells, of every type."""
    import uuid
    from datetime import date, timedelta

    metadata = sa.MetaData()
    values: dict[str, tuple[Any, Any]] = {
        "b": (sa.Boolean(), True),
        "n": (sa.Numeric(12, 2), Decimal("12.30")),
        "f": (sa.Double(), 0.1),
        "s": (sa.String(9), "x"),
        "j": (sa.JSON(), {"a": [1, None]}),
        "l": (sa.LargeBinary(), b"\0\1"),
        "u": (sa.Uuid(), uuid.UUID(int=7)),
        "d": (sa.Date(), date(2024, 2, 29)),
        "t": (sa.Time(), time(1, 2, 3, 4)),
        "ts": (sa.DateTime(), datetime(2024, 1, 2, 3, 4, 5, 6)),
        "i": (sa.Interval(), timedelta(days=3, microseconds=5)),
    }
    table = sa.Table(
        "t",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        *[sa.Column(k, v[0]) for k, v in values.items()],
    )
    path, scratch = tmp_path / "app.db", tmp_path / "scratch"
    scratch.mkdir()
    database = backend(path)
    engine = database.engine()
    metadata.create_all(engine)
    row = {"id": 1, **{k: v[1] for k, v in values.items()}}
    with engine.begin() as connection:
        connection.execute(table.insert().values(row))
    columns = tuple(ReadColumn(c.name, describe(c.type), "t", c.name) for c in table.columns)
    with database.snapshot(scratch) as snapshot:
        (batch,) = snapshot.batches(ReadQuery("SELECT * FROM t", columns, ("id",), ("id",)))
    from migrators.schema import SchemaVersion

    schema = SchemaVersion(1, tmp_path / "v1.py", metadata)
    ours = backend(tmp_path / "ours.db")
    ours.create(schema)
    ours.write("t", schema.tables["t"].stored, iter([batch]))
    read_back = ours.engine()
    with read_back.connect() as connection:
        assert connection.execute(sa.select(table)).mappings().one() == row
        stored = "SELECT " + ", ".join(f"typeof({c}), quote({c})" for c in row) + " FROM t"
        with engine.connect() as theirs:
            assert connection.exec_driver_sql(stored).all() == theirs.exec_driver_sql(stored).all()
