"""Sorting beyond memory: many runs, many ties, and keys that bound nothing."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from migrators import order

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 400
KEYS: dict[str, tuple[pa.DataType, list[Any]]] = {
    "ties": (pa.int64(), [1, 2]),
    "integers": (pa.int64(), list(range(-200, 200))),
    "booleans": (pa.bool_(), [True, False]),
    "texts": (pa.string(), ["", "z", "é", "\uffff", "\U0001f600", "zz"]),
    "uuids": (pa.binary(16), [bytes([n]) * 16 for n in (0, 127, 128, 255)]),
    "with NaN": (pa.float64(), [1.0, -2.0, float("nan")]),
    "with NULL": (pa.int64(), [None, 1, 2]),
    "years beyond Python": (pa.timestamp("us"), [-(10**17), 0, 10**18]),
}


@pytest.mark.parametrize("most", [3, 128])
@pytest.mark.parametrize("name", KEYS)
def test_every_row_comes_once_and_in_order(
    name: str, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs of a few rows, read a few at a time, merge to what one sort gives.

    Whether one merge takes all of them, or they have to become fewer and longer first.
    """
    monkeypatch.setattr(order, "_RUN_BYTES", 400)
    monkeypatch.setattr(order, "_MERGE_BYTES", 800)
    monkeypatch.setattr(order, "_PIECE_ROWS", 3)
    monkeypatch.setattr(order, "_MOST_RUNS", most)
    arrow, among = KEYS[name]
    choose = random.Random(7)  # noqa: S311  the same each time
    keys = pa.array(choose.choices(among, k=ROWS), arrow)
    batch = pa.record_batch({"key": keys, "n": pa.array(range(ROWS), pa.int64())})
    parts = (batch.slice(at, 7) for at in range(0, ROWS, 7))
    made = pa.Table.from_batches(order.in_order(parts, ("key", "n"), tmp_path, 50))
    comparable = pa.table({"key": order._comparable(keys), "n": batch["n"]})
    expected = comparable.sort_by([("key", "ascending"), ("n", "ascending")])
    assert expected["n"].to_pylist() == made["n"].to_pylist()
    assert list(tmp_path.iterdir()) == []
