"""COPY's binary form, made of Arrow's buffers, beside the server's own reading of text."""

from __future__ import annotations

import random
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from migrators.backends.postgresql import binary, feed
from tests.backends.conftest import write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrators.schema import Column
    from tests.backends.postgresql.conftest import Server

ROWS = 400
WORDS = ["", "a", "it's", "äöü€", "🧀" * 9, "tab\tnew\nline", "\\N", "x" * 3000, " blanks "]
TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "smallint": sa.SmallInteger(),
    "integer": sa.Integer(),
    "bigint": sa.BigInteger(),
    "boolean": sa.Boolean(),
    "double": sa.Double(),
    "real": sa.REAL(),
    "text": sa.Text(),
    "varchar": sa.String(3000),
    "char": sa.CHAR(3),
    "enum": postgresql.ENUM("sad", "it's ok", name="mood"),
    "json": sa.JSON(),
    "jsonb": postgresql.JSONB(),
    "bytea": sa.LargeBinary(),
    "uuid": sa.Uuid(),
    "date": sa.Date(),
    "time": sa.Time(),
    "timestamp": sa.DateTime(),
    "timestamp3": postgresql.TIMESTAMP(precision=3),
    "timestamptz": sa.DateTime(timezone=True),
}
WIDTH = {"smallint": 16, "integer": 32, "bigint": 64}
DIGITS = [(1, 0), (1, 1), (4, 4), (5, 2), (9, 3), (12, 2), (18, 0), (18, 5), (18, 18), (19, 4),
          (38, 0), (38, 7), (38, 38), (39, 1), (65, 30), (76, 0), (76, 76)]  # fmt: skip


def values(kind: str, dice: random.Random) -> list[Any]:
    """Return what Arrow makes values of: the edges, and what is drawn."""
    number = dice.randrange
    if kind in WIDTH:
        edge = 2 ** (WIDTH[kind] - 1)
        return [-edge, edge - 1, -1, 0, 1, *(number(-edge, edge) for _ in range(ROWS))]
    if kind in {"double", "real"}:
        edges = [0.0, -0.0, float("inf"), float("-inf"), float("nan"), 1.5]
        return edges + [number(-(2**24), 2**24) * 2.0 ** number(-40, 40) for _ in range(ROWS)]
    if kind == "boolean":
        return [dice.random() < 0.5 for _ in range(ROWS)]
    if kind in {"text", "varchar"}:
        return [dice.choice(WORDS) for _ in range(ROWS)]
    if kind in {"bytea", "uuid"}:
        return [dice.randbytes(16 if kind == "uuid" else number(40)) for _ in range(ROWS)]
    if kind in {"char", "enum"}:
        return [dice.choice({"char": ["a  ", "äöü", "   "]}.get(kind, ["sad", "it's ok"]))
                for _ in range(ROWS)]  # fmt: skip
    if kind in {"json", "jsonb"}:
        return [f'{{"a": [{number(99)}, "ä", null]}}' for _ in range(ROWS)]
    lowest, highest, unit = {
        "date": (-719_162, 2_932_896, 1),
        "time": (0, 86_400_000_000 - 1, 1),
        "timestamp3": (-62_135_596_800_000, 253_402_300_799_999, 1000),
    }.get(kind, (-62_135_596_800_000_000, 253_402_300_799_999_999, 1))
    edges = [lowest, highest, 0, -1 if lowest else 1]
    drawn = edges + [number(lowest, highest) for _ in range(ROWS)]
    return [value * unit for value in drawn]


def array(kind: str, column: Column, dice: random.Random, nulls: float) -> pa.Array:
    """Return values as their column has them, of which some are NULL."""
    found = [None if dice.random() < nulls else value for value in values(kind, dice)]
    wanted = column.type.arrow
    if pa.types.is_temporal(wanted):
        width = pa.int32() if pa.types.is_date32(wanted) else pa.int64()
        return pa.array(found, width).cast(wanted)
    return pa.array(found, wanted)


def decimals(precision: int, scale: int, dice: random.Random, nulls: float) -> pa.Array:
    """Return numbers of all lengths, of both signs."""
    most = 10**precision - 1
    drawn = [0, 1, -1, most, -most, 10**scale if scale < precision else 5]
    drawn += [dice.randrange(10 ** dice.randrange(precision + 1)) for _ in range(ROWS)]
    digits = [(at % 2, tuple(map(int, str(abs(n)))), -scale) for at, n in enumerate(drawn)]
    made = [None if dice.random() < nulls else Decimal(given) for given in digits]
    wide = pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)
    return pa.array(made, wide)


def like_text(server: Server, columns: Mapping[str, sa.types.TypeEngine[Any]], made: Any) -> None:
    """Write batches in both forms; the server's own text of them is to be the same."""
    metadata = sa.MetaData()
    for name in ("binary", "text"):
        key = sa.Column("row", sa.Integer, primary_key=True)
        given = [sa.Column(f"c_{name}", kind.copy() if hasattr(kind, "copy") else kind)
                 for name, kind in columns.items()]  # fmt: skip
        sa.Table(name, metadata, key, *given)
    database, schema = server.backend(), server.schema(metadata)
    database.create(schema)
    stored = schema.tables["binary"].stored
    batches = list(made(stored))
    with server.connected("shop_v3") as connection:
        for name in ("binary", "text"):
            taken = feed.declared(connection, name)
            form = binary.form(stored, taken) if name == "binary" else feed.text(stored)
            assert form is not None
            feeding = feed.Feed(taken, stored, iter(batches), form, ["row"])
            copy = f'COPY "{name}" FROM STDIN (FORMAT {form.name})'
            with connection.cursor() as cursor:
                with cursor.copy(copy) as sink:
                    for block in feeding.blocks():
                        sink.write(block)
                assert cursor.rowcount == feeding.rows == sum(len(batch) for batch in batches)
        for column in stored:
            differing = connection.execute(
                f'SELECT b.row, b."{column.name}"::text, t."{column.name}"::text '
                'FROM "binary" AS b FULL JOIN "text" AS t USING (row) '
                f'WHERE b."{column.name}"::text IS DISTINCT FROM t."{column.name}"::text'
            ).fetchall()
            assert differing == [], column.name


def pieces(batch: pa.RecordBatch) -> list[pa.RecordBatch]:
    """Return slices: buffers that begin anywhere; one is empty."""
    cuts = [0, 1, 8, 8, 131, len(batch)]
    return [batch.slice(low, high - low) for low, high in pairwise(cuts)]


@pytest.mark.parametrize("nulls", [0.0, 0.3, 1.0])
@pytest.mark.fault("A4", "A7", "C31", "C36")
def test_every_type_arrives_as_its_text_does(server: Server, nulls: float) -> None:
    dice = random.Random(f"types {nulls}")  # noqa: S311

    def made(stored: Any) -> list[pa.RecordBatch]:
        arrays = [array(kind, column, dice, nulls)[:ROWS]
                  for kind, column in zip(TYPES, stored[1:], strict=True)]  # fmt: skip
        numbers = pa.array(range(ROWS), pa.int64())
        names = [column.name for column in stored]
        return pieces(pa.RecordBatch.from_arrays([numbers, *arrays], names=names))

    like_text(server, TYPES, made)


@pytest.mark.parametrize("nulls", [0.0, 0.3])
def test_decimals_of_every_length_arrive_as_their_text_does(server: Server, nulls: float) -> None:
    dice = random.Random(f"decimals {nulls}")  # noqa: S311
    columns = {f"{p}_{s}": sa.Numeric(p, s) for p, s in DIGITS}

    def made(stored: Any) -> list[pa.RecordBatch]:
        arrays = [decimals(*digits, dice, nulls) for digits in DIGITS]
        numbers = pa.array(range(len(arrays[0])), pa.int64())
        names = [column.name for column in stored]
        return pieces(pa.RecordBatch.from_arrays([numbers, *arrays], names=names))

    like_text(server, columns, made)


def test_a_number_of_more_digits_than_its_type_is_not_cut(server: Server) -> None:
    """Arrow does not look how many digits a decimal has."""
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("n", sa.Numeric(4, 2)))
    database, schema = server.backend(), server.schema(metadata)
    database.create(schema)
    (column,) = schema.tables["t"].stored
    number = pa.py_buffer((10**9).to_bytes(16, "little"))
    odd = pa.Array.from_buffers(column.type.arrow, 1, [None, number])
    with server.connected("shop_v3") as connection:
        form = binary.form([column], feed.declared(connection, "t"))
    assert form is not None
    with pytest.raises(pa.ArrowInvalid, match="more digits than"):
        form.encode(pa.RecordBatch.from_arrays([odd], names=["n"]))


def test_rows_are_frozen_as_they_come(server: Server) -> None:
    """VACUUM finds nothing to do."""
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True))
    database, schema = server.backend(), server.schema(metadata)
    database.create(schema)
    assert write(database, schema, "t", {"id": list(range(5000))}) == 5000
    with server.connected("shop_v3") as connection:
        connection.execute("ANALYZE t")
        found = connection.execute(
            "SELECT relpages > 0, relpages = relallvisible FROM pg_class WHERE relname = 't'"
        ).fetchone()
    assert found == (True, True)
