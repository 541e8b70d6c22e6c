"""A big table in ranges: every row once, in the order asked for, whatever the bounds are."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from migrators.backends import ranges
from migrators.backends.interface import Cut
from tests.backends.conftest import query_of

if TYPE_CHECKING:
    from migrators.backends.interface import Backend, ReadQuery
    from tests.backends.conftest import Place

METADATA = sa.MetaData()
TABLE = sa.Table(
    "Big one",
    METADATA,
    sa.Column("the id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
    sa.Column("v", sa.Text()),
)
PAIR = sa.Table(
    "pair",
    METADATA,
    sa.Column("a", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("b", sa.String(9), primary_key=True),
)
KEYS = {
    "dense": list(range(1, 2_001)),
    "with gaps, from below zero": [n * n * n for n in range(-1_000, 1_000)],
    "one far away": [*range(2_000), 2**62],
    "at both ends": [-(2**63), *range(2_000), 2**63 - 1],
}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "ROWS", 100)


def asked(database: Backend, table: sa.Table, *order: str) -> ReadQuery:
    """Return a query of a table that may be cut by the first column of its key."""
    query = replace(query_of(table, order=order), sql=database.sql(sa.select(table)))
    placed = ""
    if database.place:
        place: sa.Label[Any] = sa.literal_column(database.place).label("place")
        placed = database.sql(sa.select(table, place))
    return replace(query, cut=Cut("", table.name, query.key[0], placed))


def both(place: Place, database: Backend, query: ReadQuery) -> tuple[pa.Table, list[pa.Table]]:
    """Return a query's rows read at once, and those of each of its pieces."""

    def read(one: ReadQuery) -> pa.Table:
        return pa.Table.from_batches(list(snapshot.batches(one)), schema=query.schema)

    with database.snapshot(place.scratch) as snapshot:
        return read(query), [read(piece) for piece in snapshot.pieces(query)]


@pytest.mark.parametrize("keys", KEYS)
def test_pieces_are_the_table_in_order(place: Place, keys: str) -> None:
    """One after the other they are what is read at once, in the order of the key."""
    ids = KEYS[keys]
    database = place.load(METADATA, {"Big one": {"the id": ids, "v": [str(n) for n in ids]}})
    whole, pieces = both(place, database, asked(database, TABLE, "the id"))
    assert whole["the id"].to_pylist() == ids
    assert pa.concat_tables(pieces) == whole
    assert len(pieces) > 1


def test_pieces_are_of_a_size(place: Place) -> None:
    """Where keys are dense, no piece is much larger than it should be."""
    ids = KEYS["dense"]
    database = place.load(METADATA, {"Big one": {"the id": ids, "v": [None] * len(ids)}})
    _, pieces = both(place, database, asked(database, TABLE, "the id"))
    assert max(len(piece) for piece in pieces) <= 2 * ranges.ROWS


def test_rows_in_any_order_are_there_once(place: Place) -> None:
    """By whatever the database cuts them then."""
    ids = KEYS["with gaps, from below zero"]
    texts = [f"{n} {'x' * 50}" for n in ids]
    database = place.load(METADATA, {"Big one": {"the id": ids, "v": texts}})
    whole, pieces = both(place, database, asked(database, TABLE))
    assert pa.concat_tables(pieces).sort_by("the id") == whole.sort_by("the id")
    assert len(pieces) > 1


def test_a_small_table_is_not_cut(place: Place) -> None:
    """Nor is one without rows."""
    database = place.load(METADATA, {"Big one": {"the id": [1, 2], "v": ["a", "b"]}})
    for table in (TABLE, PAIR):
        query = asked(database, table, query_of(table).key[0])
        assert len(both(place, database, query)[1]) == 1


def test_what_is_not_ordered_by_the_leading_column_is_not_cut(place: Place) -> None:
    """Ranges of the key would come in another order than the rows are wanted in."""
    rows: dict[str, list[Any]] = {"a": list(range(500)), "b": [str(n) for n in range(500)]}
    database = place.load(METADATA, {"pair": rows})
    whole, pieces = both(place, database, asked(database, PAIR, "b"))
    assert pieces == [whole]


@given(
    bounds=st.lists(st.integers(), min_size=1, unique=True).map(sorted),
    key=st.integers(),
)
def test_each_number_is_in_one_piece(bounds: list[int], key: int) -> None:
    """Disjoint and complete whatever the bounds are: open below, and open above."""
    conditions = ranges.conditions("key", [str(b) for b in bounds])
    python: Any = [c.replace("AND", "and") for c in conditions]
    assert sum(eval(c, {"key": key}) for c in python) == 1  # noqa: S307  our own text


def test_bounds_follow_the_rows_and_not_the_numbers() -> None:
    """A hundred thousand rows below ten thousand, and one far above."""
    numbers = [n // 10 for n in range(100_000)] + [2**62]

    def between(first: int, below: int) -> int:
        return sum(first <= n < below for n in numbers)

    bounds = ranges.bounds(0, 2**62, len(numbers), 20_000, between)
    assert bounds == sorted(set(bounds))
    ends = [0, *bounds, 2**62 + 1]
    assert max(between(a, b) for a, b in pairwise(ends)) <= 20_000
    assert len(bounds) <= 12
