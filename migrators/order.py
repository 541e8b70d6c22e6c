"""Rows in the order of their key: checked as they pass, or sorted within bounded memory.

The sort is an external merge: runs that fit the budget are sorted and kept as Arrow IPC
files; a merge takes from every run the rows that cannot be preceded by any unread one.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from migrators.project import private_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_RUN_BYTES = 12 * 1024 * 1024  # sorting needs twice that for a moment
_MERGE_BYTES = 12 * 1024 * 1024  # of all runs together, in a merge
_PIECE_ROWS = 1_024  # of a run, at least, in a merge
_MOST_RUNS = 128  # in a merge: 128 pieces of 200-byte rows are 26 MB


class OrderCheck:
    """Tells whether batches come in strictly ascending order of their key columns."""

    def __init__(self, key: Sequence[str]) -> None:
        self._key = tuple(key)
        self._last: pa.RecordBatch | None = None
        self.ordered = bool(key)

    def see(self, batch: pa.RecordBatch) -> None:
        """Look at the next batch."""
        if not self.ordered or len(batch) == 0:
            return
        keys = batch.select(list(self._key))
        if self._last is not None:
            keys = pa.Table.from_batches([self._last, keys]).combine_chunks().to_batches()[0]
        self.ordered = _ascending(keys)
        self._last = keys.slice(len(keys) - 1)


def _ascending(keys: pa.RecordBatch) -> bool:
    if len(keys) < 2:  # noqa: PLR2004
        return True
    before: Any = pa.scalar(False)
    equal: Any = pa.scalar(True)
    for column in keys.columns:
        comparable = _comparable(column)
        left, right = comparable.slice(0, len(keys) - 1), comparable.slice(1)
        before = pc.or_(before, pc.and_(equal, pc.less(left, right)))
        equal = pc.and_(equal, pc.equal(left, right))
    return bool(pc.all(before, skip_nulls=False).as_py())


def _comparable(column: pa.Array) -> pa.Array:
    fixed = pa.types.is_fixed_size_binary(column.type)
    return column.cast(pa.binary()) if fixed else column


def in_order(
    batches: Iterator[pa.RecordBatch], key: Sequence[str], scratch: Path, rows: int
) -> Iterator[pa.RecordBatch]:
    """Yield the same rows in ascending order of `key`; text and uuid by bytes.

    Parameters
    ----------
    scratch : Path
        A private directory for sorted runs; they are removed when the rows are through.
    rows : int
        Rows of a batch at most.
    """
    runs: list[Path] = []
    try:
        last: pa.Table | None = None
        for table in _runs(batches):
            if last is not None:
                runs.append(_spill(_sorted(last, key), scratch / f"run{len(runs)}.arrow"))
            last = table
        if last is not None and not runs:
            yield from _sorted(last, key).to_batches(max_chunksize=rows)
        elif last is not None:
            runs.append(_spill(_sorted(last, key), scratch / f"run{len(runs)}.arrow"))
            del last
            yield from _merge(_few(runs, key, scratch), key)
    finally:
        for path in runs:
            path.unlink(missing_ok=True)


def _runs(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        held.append(batch)
        size += batch.nbytes
        if size >= _RUN_BYTES:
            yield pa.Table.from_batches(held)
            held, size = [], 0
    if held:
        yield pa.Table.from_batches(held)


def _sorted(table: pa.Table, key: Sequence[str]) -> pa.Table:
    keys = pa.table({str(i): _comparable_chunks(table[name]) for i, name in enumerate(key)})
    order = pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in keys.column_names])
    return table.take(order).combine_chunks()


def _comparable_chunks(column: pa.ChunkedArray) -> pa.ChunkedArray:
    fixed = pa.types.is_fixed_size_binary(column.type)
    return column.cast(pa.binary()) if fixed else column


def _spill(table: pa.Table, path: Path) -> Path:
    with pa.OSFile(private_file(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=_PIECE_ROWS)
    return path


def _few(runs: list[Path], key: Sequence[str], scratch: Path) -> list[Path]:
    """Merge runs into longer ones until one merge can hold a piece of each."""
    made = 0
    while len(runs) > _MOST_RUNS:
        group, runs[:_MOST_RUNS] = runs[:_MOST_RUNS], []
        path = scratch / f"merged{made}.arrow"
        runs.append(path)
        made += 1
        merged = _merge(group, key)
        first = next(merged)
        with (
            pa.OSFile(private_file(path), "wb") as sink,
            pa.ipc.new_file(sink, first.schema) as writer,
        ):
            for batch in chain([first], merged):
                writer.write_table(pa.Table.from_batches([batch]), max_chunksize=_PIECE_ROWS)
        for old in group:
            old.unlink()
    return runs


class _Run:
    """A sorted run, read a batch at a time."""

    def __init__(self, path: Path) -> None:
        self._file = pa.OSFile(str(path), "rb")
        self._reader = pa.ipc.open_file(self._file)
        self._next = 0
        self.held = self._reader.schema.empty_table()

    def load(self, size: int = 0) -> None:
        """Read on until `size` bytes are held, one more piece at least; nothing at the end."""
        pieces: list[pa.RecordBatch] = []
        while not self.ended and (not pieces or size > 0):
            pieces.append(self._reader.get_batch(self._next))
            size -= pieces[-1].nbytes
            self._next += 1
        if pieces:
            self.held = pa.concat_tables([self.held, pa.Table.from_batches(pieces)])

    @property
    def ended(self) -> bool:
        """Whether everything of it has been read."""
        return bool(self._next >= self._reader.num_record_batches)

    def close(self) -> None:
        self._reader = None
        self._file.close()


def _merge(paths: Sequence[Path], key: Sequence[str]) -> Iterator[pa.RecordBatch]:
    runs = [_Run(path) for path in paths]
    share = _MERGE_BYTES // len(runs)
    try:
        while True:
            for run in runs:
                if len(run.held) == 0:
                    run.load(share)
            live = [run for run in runs if len(run.held)]
            if not live:
                return
            ready = _ready(live, key)
            if len(ready):
                yield from _sorted(ready, key).to_batches()
    finally:
        for run in runs:
            run.close()


def _ready(live: list[_Run], key: Sequence[str]) -> pa.Table:
    """Take the rows that no unread row can precede; read on where there are none.

    NaN and NULL stand last in a run, so that a run held up to them bounds nothing.
    """
    open_ends = [run for run in live if not run.ended]
    if not open_ends:
        return pa.concat_tables([_taken(run, len(run.held)) for run in live])
    lasts = [_first_key(run.held, key, -1) for run in open_ends]
    bounds = [last for last in lasts if last == last and last is not None]  # noqa: PLR0124  NaN
    pivot = min(bounds, default=None)
    counts = [_below(run.held, key, pivot) for run in live]
    if not any(counts):
        for run, last in zip(open_ends, lasts, strict=True):
            if pivot is None or last == pivot:
                run.load()
    return pa.concat_tables([_taken(r, n) for r, n in zip(live, counts, strict=True)])


def _taken(run: _Run, count: int) -> pa.Table:
    taken, run.held = run.held.slice(0, count), run.held.slice(count)
    return taken


def _first_key(table: pa.Table, key: Sequence[str], row: int) -> Any:
    cell = table[key[0]][row]
    if pa.types.is_timestamp(cell.type):  # Arrow holds years that Python does not
        return cell.value
    return cell.as_py()


def _below(table: pa.Table, key: Sequence[str], pivot: Any) -> int:
    """Rows whose first key column is smaller than the pivot: they stand first."""
    column = table[key[0]]
    below = pc.less(_comparable_chunks(column), pa.scalar(pivot, _comparable_type(column.type)))
    return int(pc.sum(below).as_py() or 0)


def _comparable_type(arrow: pa.DataType) -> pa.DataType:
    return pa.binary() if pa.types.is_fixed_size_binary(arrow) else arrow
