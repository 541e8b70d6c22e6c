"""Every kind of value: written, read back the same, in bulk."""

# ruff: noqa: DTZ001  naive times are what is tested

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from migrators.errors import DatabaseError, ValueRefused
from tests.backends.conftest import query_of, write

if TYPE_CHECKING:
    from tests.backends.conftest import Place

MYSQL = ("mysql", "mariadb")
CLOCK = sa.Time().with_variant(mysql.TIME(fsp=6), *MYSQL)
MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), *MYSQL)
"""Plain, they keep whole seconds there; what a user's schema module has to say, too."""

VALUES: dict[str, tuple[sa.types.TypeEngine[Any], list[Any]]] = {
    "integer": (sa.BigInteger(), [0, -1, 2**53 + 1, 2**63 - 1, -(2**63), None]),
    "boolean": (sa.Boolean(), [True, False, None]),
    "float": (
        sa.Double(),
        [0.1 + 0.2, 5e-324, 1.7976931348623157e308, 1e15, 3.0, -2.5, 1e300, None],
    ),
    "decimal": (
        sa.Numeric(12, 2),
        [Decimal(t) for t in ("0.00", "0.01", "-0.01", "1.10", "9999999999.99", "5.00")] + [None],
    ),
    "decimal_15": (
        sa.Numeric(15, 5),
        [Decimal("9999999999.99999"), Decimal("-9999999999.99999"), Decimal("0.00001"), None],
    ),
    "text": (
        sa.Text(),
        ["", "NULL", "007", "1e5", " edge ", "a\r\nb", "é", "e\u0301", "\U0001f9c0", "a\tb", None],
    ),
    "enum": (sa.Enum("new", "old", name="state"), ["new", "old", None]),
    "json": (sa.JSON(), ['{"a": 1.50}', "null", '"x"', "[]", "12", "-3", "2.5", "1e+22", None]),
    "binary": (sa.LargeBinary(), [b"", bytes(range(256)), b"\0", None]),
    "uuid": (sa.Uuid(), [uuid.UUID(int=0), uuid.UUID(int=2**128 - 1), None]),
    "date": (sa.Date(), [date(1, 1, 1), date(2024, 2, 29), date(9999, 12, 31), None]),
    "time": (CLOCK, [time(0), time(23, 59, 59, 999999), time(1, 2, 3), None]),
    "timestamp": (
        MOMENT,
        [
            datetime(1, 1, 1),
            datetime(9999, 12, 31, 23, 59, 59, 999999),
            datetime(2024, 3, 31, 2, 30),
            None,
        ],
    ),
    "instant": (
        sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), *MYSQL),
        [datetime(2024, 10, 27, 0, 30, tzinfo=UTC), datetime(1969, 12, 31, 23, 0, 0, 1, UTC), None],
    ),
    "interval": (
        sa.Interval().with_variant(mysql.DATETIME(fsp=6), *MYSQL),
        [timedelta(0), timedelta(days=-1, microseconds=1), timedelta(40), None],
    ),
}


@pytest.mark.parametrize("kind", VALUES)
def test_what_is_written_is_read(place: Place, kind: str) -> None:
    """A database gives back exactly what it was given, nulls in between too."""
    declared, values = VALUES[kind]
    metadata = sa.MetaData()
    table = sa.Table(
        "t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", declared)
    )
    given = [v.bytes if isinstance(v, uuid.UUID) else v for v in values]
    ids = list(range(len(given)))
    database = place.load(metadata, {"t": {"id": ids, "v": given}})
    found = place.read(database, query_of(table))
    column = place.schema(metadata).tables["t"].column["v"].type.arrow
    assert (
        found["v"]
        .combine_chunks()
        .equals(pa.chunked_array([pa.array(given, column)]).combine_chunks())
    )


@pytest.mark.parametrize("kind", VALUES)
def test_a_column_of_nulls_keeps_its_rows_and_type(place: Place, kind: str) -> None:
    """Nulls first, or nulls only, do not change what a column is."""
    metadata = sa.MetaData()
    table = sa.Table(
        "t",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("v", VALUES[kind][0]),
    )
    database = place.load(metadata, {"t": {"id": [1, 2, 3], "v": [None, None, None]}})
    found = place.read(database, query_of(table))
    assert (found.num_rows, found["v"].null_count) == (3, 3)


def test_an_empty_table_has_types_and_no_rows(place: Place) -> None:
    """No rows are no reason to guess types."""
    metadata = sa.MetaData()
    columns = [sa.Column(f"c_{k}", t, primary_key=k == "integer") for k, (t, _) in VALUES.items()]
    table = sa.Table("t", metadata, *columns)
    database = place.load(metadata, {})
    assert place.read(database, query_of(table)).num_rows == 0


@pytest.mark.fault("F81")
def test_nulls_in_the_first_batches_and_values_later(place: Place) -> None:
    """Types hold although a column's first 100,000 cells are NULL."""
    metadata = sa.MetaData()
    table = sa.Table(
        "t",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("v", sa.Text),
        sa.Column("r", sa.Double),
    )
    many = 100_000
    database = place.load(
        metadata,
        {
            "t": {
                "id": list(range(many + 1)),
                "v": [None] * many + ["x"],
                "r": [None] * many + [1.5],
            }
        },
    )
    found = place.read(database, query_of(table))
    assert (found["v"][many].as_py(), found["r"][many].as_py(), found.num_rows) == (
        "x",
        1.5,
        many + 1,
    )


def test_order_holds_over_many_batches_without_an_index(place: Place) -> None:
    """200,000 rows come in the order asked for, text by bytes, though no index has it."""
    metadata = sa.MetaData()
    table = sa.Table(
        "t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", sa.Text)
    )
    ids = list(range(200_000))
    texts = [("" if i % 3 else "Z") + format((i * 7919) % 200_003, "x") for i in ids]
    database = place.load(metadata, {"t": {"id": ids, "v": texts}})
    found = place.read(database, query_of(table, order=["v", "id"]))
    expected = sorted(zip((t.encode() for t in texts), ids, strict=True))
    assert found["id"].to_pylist() == [i for _, i in expected]


def test_a_batch_is_refused_by_column_and_key(place: Place) -> None:
    """A year that a database's dates cannot hold is refused, naming row and value."""
    metadata = sa.MetaData()
    sa.Table(
        "t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", sa.DateTime)
    )
    schema = place.schema(metadata)
    database = place.database()
    database.create(schema)
    column = schema.tables["t"].stored
    late = pa.array([0, 300_000_000_000_000_000], pa.int64()).view(pa.timestamp("us"))
    batch = pa.RecordBatch.from_arrays([pa.array([1, 2]), late], names=["id", "v"])
    with pytest.raises(ValueRefused, match=r"t\.v: 1 row at id 2: is outside of the years"):
        database.write("t", column, iter([batch]))


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("u", ["a", "a"], r"t\.u: .*UNIQUE"),
        ("n", [1, None], r"t\.n: .*NOT NULL"),
        ("c", [1, -1], r"t\.c_positive: .*CHECK"),
    ],
)
@pytest.mark.fault("F70", "H107")
def test_a_broken_constraint_is_named(
    place: Place, column: str, values: list[Any], message: str
) -> None:
    """UNIQUE, NOT NULL and CHECK refuse rows, naming table and constraint."""
    metadata = sa.MetaData()
    sa.Table(
        "t",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("u", sa.Text, unique=True),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("c", sa.Integer),
        sa.CheckConstraint("c > 0", name="c_positive"),
    )
    schema = place.schema(metadata)
    database = place.database()
    database.create(schema)
    rows: dict[str, list[Any]] = {"id": [1, 2], "u": ["x", "y"], "n": [1, 1], "c": [1, 1]}
    rows[column] = values
    with pytest.raises(ValueRefused, match=message):
        load_and_finish(database, schema, rows)


def load_and_finish(database: Any, schema: Any, rows: dict[str, list[Any]]) -> None:
    """Write one table and do what comes after: keys may be proven in either."""
    write(database, schema, "t", rows)
    database.finish(schema, {})


def test_an_error_of_the_batches_comes_through_as_it_is(place: Place) -> None:
    """What fails while batches are made is raised itself, not the driver's word for it."""
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True))
    schema = place.schema(metadata)
    database = place.database()
    database.create(schema)

    def batches() -> Any:
        yield pa.record_batch({"id": pa.array([1], pa.int64())})
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        database.write("t", schema.tables["t"].stored, batches())


def test_small_rows_are_exact(place: Place) -> None:
    """`Snapshot.rows` gives Python values."""
    database = place.load(sa.MetaData(), {})
    with database.snapshot(place.scratch) as snapshot:
        found = snapshot.rows("SELECT 1 AS a, 'it''s %' AS b, NULL AS c UNION ALL SELECT 2, '', 3")
    assert found == [(1, "it's %", None), (2, "", 3)]


def test_a_reader_may_stop_halfway(place: Place) -> None:
    """A snapshot closes although a stream of it was left."""
    metadata = sa.MetaData()
    table = sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True))
    database = place.load(metadata, {"t": {"id": list(range(200_000))}})
    with database.snapshot(place.scratch) as snapshot:
        stream = snapshot.batches(query_of(table))
        first = next(stream)
    assert first.num_rows > 0
    assert len(database.digest()) == 64


def test_a11_a_table_that_stores_no_column_is_refused(place: Place) -> None:
    """No statement says how many rows of nothing there are."""
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True))
    database, schema = place.database(), place.schema(metadata)
    database.create(schema)
    with pytest.raises(DatabaseError, match="t: a table without stored columns"):
        database.write("t", [], iter([]))
