"""What has been chosen: rows on disk, and in memory the keys by which others refer to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from migrators.project import private_file
from migrators.types.joined import joined, keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from migrators.schema import Column


@dataclass
class KeptTable:
    """The chosen rows of one table.

    Attributes
    ----------
    columns : tuple of Column
        As its rows are held.
    identity : tuple of str
        Columns that tell its rows apart: the primary key, or all.
    replaced : callable
        Replaces a batch's personal values: what is on disk never has them.
    known : mapping of columns to keys
        By each key that something refers to.
    """

    columns: tuple[Column, ...]
    identity: tuple[str, ...]
    path: Path
    replaced: Callable[[pa.RecordBatch], pa.RecordBatch]
    rows: int = 0
    known: dict[tuple[str, ...], set[str]] = field(default_factory=dict)
    _own: set[str] = field(default_factory=set)
    _writer: pa.ipc.RecordBatchFileWriter | None = None

    def add(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Keep those rows that are not there yet, and return them."""
        new = self.unseen(batch)
        if not len(new):
            return new
        self._own.update(self._names(new).to_pylist())
        for names, there in self.known.items():
            there.update(self.keys(new, names).drop_null().to_pylist())
        self._write(self.replaced(new))
        self.rows += len(new)
        return new

    def unseen(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return those rows that are not there yet, each once."""
        own = self._names(batch).to_pylist()
        first = {key: row for row, key in reversed(list(enumerate(own)))}
        fresh = [key not in self._own and first[key] == row for row, key in enumerate(own)]
        return batch.filter(pa.array(fresh, pa.bool_()))

    def keys(self, batch: pa.RecordBatch, names: Sequence[str]) -> pa.Array:
        """Return each row's key of some columns; NULL where it refers to nothing."""
        types = {c.name: c.type for c in self.columns}
        return keys([batch[n] for n in names], [types[n] for n in names])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield all that was kept, personal values replaced; nothing is added afterwards."""
        if self._writer is None:
            return
        self._writer.close()
        with pa.OSFile(str(self.path), "rb") as file:
            reader = pa.ipc.open_file(file)
            for at in range(reader.num_record_batches):
                yield reader.get_batch(at)

    def _names(self, batch: pa.RecordBatch) -> pa.Array:
        types = {c.name: c.type for c in self.columns}
        return joined([batch[n] for n in self.identity], [types[n] for n in self.identity])

    def _write(self, batch: pa.RecordBatch) -> None:
        if self._writer is None:
            self._writer = pa.ipc.new_file(private_file(self.path), batch.schema)
        self._writer.write_batch(batch)


def distinct(
    batch: pa.RecordBatch, found: pa.Array, names: Sequence[str]
) -> dict[str, tuple[Any, ...]]:
    """Return the values of each distinct key of some rows; `found` is the key of each."""
    rows = {key: row for row, key in enumerate(found.to_pylist()) if key is not None}
    some = pa.array(list(rows.values()), pa.int64())
    values = [pc.take(batch[name], some).to_pylist() for name in names]
    return dict(zip(rows, zip(*values, strict=True), strict=True))
