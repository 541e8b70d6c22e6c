"""Which rows: those whose keys hash lowest.

A hash of the key itself, so that the same rows are chosen whichever database they are in, and
whatever order it gives them in; and so that a row which is added displaces one other at most.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrators.types import Kind
from migrators.types.joined import joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from migrators.types import ColumnType

    Hashes = NDArray[np.uint64]

_BYTES = 2**20
"""Of text that are hashed at once: eight times as much memory for a moment."""
_CHARACTERS = 4_096
"""Of a row without a key that count: beyond them two rows are alike."""
_SOME = 4_096
"""Rows that are held before the lowest are looked for."""


def hashes(arrays: Sequence[pa.Array], types: Sequence[ColumnType], seed: int) -> Hashes:
    """Return a number for each row, evenly spread, of nothing but its values and the seed."""
    start = _mixed(np.array([seed & (2**64 - 1)], np.uint64))
    plain = types[0].kind is Kind.INTEGER and not types[0].as_text
    if len(arrays) == 1 and plain and not arrays[0].null_count:
        return _mixed(arrays[0].to_numpy().astype(np.int64).view(np.uint64) ^ start)
    texts = pc.utf8_slice_codeunits(joined(arrays, types), 0, _CHARACTERS)
    return _mixed(_sums(texts) ^ start)


def _mixed(numbers: Hashes) -> Hashes:
    """Spread bits (the finaliser of SplitMix64, Steele, Lea and Flood 2014)."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _sums(texts: pa.Array) -> Hashes:
    """Return a number for each text: its bytes, each times one of its place."""
    size = max(1, int(pc.sum(pc.binary_length(texts)).as_py() or 0))
    step = max(1, len(texts) * _BYTES // size)
    parts = [_some(texts.slice(at, step)) for at in range(0, len(texts), step)]
    return np.concatenate([np.zeros(0, np.uint64), *parts])


def _some(texts: pa.Array) -> Hashes:
    lengths = pc.binary_length(texts).to_numpy().astype(np.int64)
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)[:-1]])
    first = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset]
    data = np.frombuffer(texts.buffers()[2], np.uint8)[first : first + int(lengths.sum())]
    places = np.arange(len(data)) - np.repeat(starts, lengths)
    factors = _mixed(np.arange(int(lengths.max(initial=0)), dtype=np.uint64)) | np.uint64(1)
    return np.add.reduceat((data.astype(np.uint64) + np.uint64(1)) * factors[places], starts)


@dataclass
class Lowest:
    """The `count` rows of many that hash lowest, of equal ones one; holds about twice as many.

    Attributes
    ----------
    seen : int
        How many rows there were.
    """

    count: int
    seen: int = 0
    _rows: list[pa.RecordBatch] = field(default_factory=list)
    _hashes: list[Hashes] = field(default_factory=list)
    _limit: np.uint64 | None = None

    def see(self, batch: pa.RecordBatch, found: Hashes) -> None:
        """Look at some rows, and the hash of each."""
        self.seen += len(batch)
        if self._limit is not None:
            low = np.flatnonzero(found < self._limit)
            batch, found = batch.take(pa.array(low)), found[low]
        if len(found):
            self._rows.append(batch)
            self._hashes.append(found)
        if sum(map(len, self._hashes)) > 2 * self.count + _SOME:
            self._lowest()

    def rows(self) -> pa.Table | None:
        """Return them; None where there was none."""
        self._lowest()
        return pa.Table.from_batches(self._rows) if self._rows else None

    def _lowest(self) -> None:
        if not self._rows:
            return
        every = np.concatenate(self._hashes)
        low = np.sort(np.unique(every, return_index=True)[1][: self.count])
        table = pa.Table.from_batches(self._rows).take(pa.array(low)).combine_chunks()
        self._rows, self._hashes = table.to_batches(), [every[low]]
        if len(low) == self.count:
            self._limit = every[low].max(initial=0)
