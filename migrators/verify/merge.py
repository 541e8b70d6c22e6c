"""Two streams in the same key order against each other: equal at full speed, or named by key.

Equal stretches are compared as Arrow. Where they differ both sides are read as rows for a
while: a key that both have puts them side by side again, and what came before it on one
side only is missing or too many. One row that is gone costs one small window, not the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from migrators.types import text
from migrators.verify.compare import differing_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    from migrators.schema import Table

    Row = tuple[str | None, ...]

NAMED = 20
"""Differing rows that are named in a table; the rest is not looked for."""
_FIRST, _LARGEST = 1_024, 262_144
"""Rows read side by side to find a key that both have: at first, and at most."""


@dataclass
class _Held:
    """A stream of batches of which the beginning can be looked at before it is taken."""

    source: Iterator[pa.RecordBatch]
    batches: list[pa.RecordBatch] = field(default_factory=list)

    def head(self) -> pa.RecordBatch | None:
        """Return the next batch with rows in it, or None at the end."""
        while not self.batches:
            batch = next(self.source, None)
            if batch is None:
                return None
            self.batches += [batch] if len(batch) else []
        return self.batches[0]

    def window(self, rows: int) -> list[pa.RecordBatch]:
        """Return batches of the next `rows` rows; fewer where the stream ends."""
        held = sum(map(len, self.batches))
        while held < rows and (batch := next(self.source, None)) is not None:
            self.batches += [batch] if len(batch) else []
            held += len(batch)
        found: list[pa.RecordBatch] = []
        for batch in self.batches:
            if rows > 0:
                found.append(batch.slice(0, rows))
                rows -= len(found[-1])
        return found

    def end(self) -> None:
        """Look at nothing further."""
        self.batches, self.source = [], iter(())

    def take(self, rows: int) -> None:
        """Go on after the next `rows` rows."""
        while rows:
            batch = self.batches.pop(0)
            if len(batch) > rows:
                self.batches.insert(0, batch.slice(rows))
            rows -= min(rows, len(batch))


def differences(
    extract: Iterator[pa.RecordBatch],
    database: Iterator[pa.RecordBatch],
    table: Table,
    seen: Callable[[int], None],
) -> list[str]:
    """Return a line for each row that differs, `NAMED` at most: "id 14: email".

    Parameters
    ----------
    extract, database : iterators of RecordBatch
        Both in ascending order of the primary key, columns as the table stores them.
    seen : callable
        Told how many rows of the extract were compared.
    """
    mine, other = _Held(extract), _Held(database)
    lines: list[str] = []
    while len(lines) < NAMED:
        ours, theirs = mine.head(), other.head()
        if ours is None and theirs is None:
            return lines
        rows = 0 if ours is None or theirs is None else _equal_rows(ours, theirs)
        if not rows:
            lines += _side_by_side(mine, other, table, seen)
            continue
        mine.take(rows)
        other.take(rows)
        seen(rows)
    return [*lines[:NAMED], "further rows were not compared"]


def _equal_rows(ours: pa.RecordBatch, theirs: pa.RecordBatch) -> int:
    """Return how many rows at the beginning are surely equal: all, a part, or none."""
    rows = min(len(ours), len(theirs))
    while rows and differing_columns(ours.slice(0, rows), theirs.slice(0, rows)):
        rows = rows // 4 if rows > _FIRST else 0
    return rows


def _side_by_side(
    mine: _Held, other: _Held, table: Table, seen: Callable[[int], None]
) -> list[str]:
    """Name what differs up to the last key of a window that both have, and go on after it."""
    size = _FIRST
    while True:
        ours = _rows(mine.window(size), table)
        theirs = _rows(other.window(size), table)
        both = [key for key in ours if key in theirs]
        ended = len(ours) < size and len(theirs) < size
        if both or ended or not ours or not theirs:
            break
        if size >= _LARGEST:
            mine.end()
            other.end()
            return [f"{_name(next(iter(ours)), table)}: nothing after it is in both"]
        size *= 4
    last = None if ended or not both else both[-1]
    ours, theirs = _until(ours, last), _until(theirs, last)
    mine.take(len(ours))
    other.take(len(theirs))
    seen(len(ours))
    return _named(ours, theirs, table)


def _rows(batches: Sequence[pa.RecordBatch], table: Table) -> dict[Row, Row]:
    """Return rows as exact texts by their key, in order."""
    return dict(chain.from_iterable(_texts(batch, table) for batch in batches))


def _texts(batch: pa.RecordBatch, table: Table) -> Iterator[tuple[Row, Row]]:
    names = batch.schema.names
    places = [names.index(name) for name in table.primary_key]
    columns = [
        text.to_text(array, table.column[name].type).to_pylist()
        for name, array in zip(names, batch.columns, strict=True)
    ]
    return ((tuple(row[p] for p in places), row) for row in zip(*columns, strict=True))


def _until(rows: dict[Row, Row], last: Row | None) -> dict[Row, Row]:
    """Return the rows up to a key; all of them where there is none to stop at."""
    if last is None:
        return rows
    keys = list(rows)
    return {key: rows[key] for key in keys[: keys.index(last) + 1]}


def _named(ours: dict[Row, Row], theirs: dict[Row, Row], table: Table) -> list[str]:
    names = [column.name for column in table.stored]
    lines = []
    for key in [*ours, *(k for k in theirs if k not in ours)]:
        said = _line(ours.get(key), theirs.get(key), names)
        if said:
            lines.append(f"{_name(key, table)}: {said}")
    return lines


def _name(key: Row, table: Table) -> str:
    return ", ".join(f"{c} {v}" for c, v in zip(table.primary_key, key, strict=True))


def _line(ours: Row | None, theirs: Row | None, names: Sequence[str]) -> str:
    if theirs is None:
        return "is in the extract, not in the database"
    if ours is None:
        return "is in the database, not in the extract"
    return ", ".join(n for n, a, b in zip(names, ours, theirs, strict=True) if a != b)
