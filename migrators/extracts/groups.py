"""Rows into groups by what they are, whatever batches they come in: equal rows, equal files.

How a server's rows fall into batches hangs on its network, and on how many read a table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterator


class Groups:
    """Collects rows until there are `rows` of them, or they weigh about `size`.

    Parameters
    ----------
    rows : int
        Of a group at most.
    size : int
        Bytes of a group's values at most, but for a row that is heavier by itself.
    """

    def __init__(self, rows: int, size: int) -> None:
        self._most, self._size = rows, size
        self._empty()

    def _empty(self) -> None:
        self._held: list[pa.RecordBatch] = []
        self._rows = self._at_most = 0
        self._weighed = self._weight = 0

    def add(self, batch: pa.RecordBatch) -> Iterator[pa.Table]:
        """Take rows; yield the groups that are full, each of one chunk a column.

        One chunk: Parquet begins no page amid a chunk's rows where it would amid others'.
        """
        while batch.num_rows:
            fitting = self._fitting(batch)
            if fitting:
                self._held.append(batch.slice(0, fitting))
            batch = batch.slice(fitting)
            if batch.num_rows:
                yield self.rest()

    def rest(self) -> pa.Table:
        """Return the rows that are held, and hold none."""
        held = self._held
        self._empty()
        return pa.Table.from_batches(held).combine_chunks()

    @property
    def is_empty(self) -> bool:
        """Whether no rows are held."""
        return not self._held

    def _fitting(self, batch: pa.RecordBatch) -> int:
        """Return how many rows of a batch the group still takes, and count them as its own."""
        rows = batch.slice(0, self._most - self._rows)
        if self._at_most + _at_most(rows) > self._size:
            room = self._size - self._exactly()
            rows = rows.slice(0, max(_first(rows, room), 0 if self._held else 1))
        self._rows += rows.num_rows
        self._at_most += _at_most(rows)
        return int(rows.num_rows)

    def _exactly(self) -> int:
        """Return what the rows weigh; that takes longer to tell than what they may weigh."""
        self._weight += sum(_weight(held) for held in self._held[self._weighed :])
        self._weighed = len(self._held)
        return self._weight


def _first(rows: pa.RecordBatch, room: int) -> int:
    """Return how many of the first rows weigh at most `room`."""
    each = pa.repeat(pa.scalar(_fixed(rows), pa.int64()), rows.num_rows)
    for lengths in _lengths(rows):
        each = pc.add(each, lengths)
    return int(pc.sum(pc.less_equal(pc.cumulative_sum(each), room)).as_py() or 0)


def _at_most(rows: pa.RecordBatch) -> int:
    """Return what rows do not weigh more than: Arrow holds as much, and truths in bits."""
    return int(rows.nbytes) + int(rows.num_rows * rows.num_columns)


def _weight(rows: pa.RecordBatch) -> int:
    lengths = sum(int(pc.sum(n).as_py() or 0) for n in _lengths(rows))
    return _fixed(rows) * int(rows.num_rows) + lengths


def _lengths(rows: pa.RecordBatch) -> Iterator[pa.Array]:
    for column in rows.columns:
        if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
            yield pc.fill_null(pc.binary_length(column).cast(pa.int64()), 0)


def _fixed(rows: pa.RecordBatch) -> int:
    """Return the bytes of a row beside its texts."""
    return sum(_width(field.type) for field in rows.schema)


def _width(arrow: pa.DataType) -> int:
    try:
        return max(1, int(arrow.bit_width) // 8)
    except ValueError:  # of any length
        return 4
