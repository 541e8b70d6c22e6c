"""The order of a sample: rows to begin with, what they refer to, what refers to them.

Rows that are referred to are taken whatever the limits are, so that the result always loads. A
circle of references ends by itself, since a row is kept once.
"""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from migrators.backends.refusals import key_text
from migrators.errors import DatabaseError, NotHeld, ValueRefused
from migrators.events import Emit, Note, TableProgress
from migrators.sample.chance import Lowest, hashes
from migrators.sample.kept import KeptTable, distinct
from migrators.sample.references import references_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from migrators.personal import Replacer
    from migrators.sample.reading import Reading, Values
    from migrators.sample.references import Reference
    from migrators.sample.request import Request

_SAMPLES = 5


@dataclass(frozen=True)
class Sampled:
    """What was chosen.

    Attributes
    ----------
    tables : mapping of table to KeptTable
    begun, parents, children : mapping of table to int
        How many rows were chosen to begin with, because others refer to them, and because
        they refer to others.
    """

    tables: dict[str, KeptTable]
    begun: Counter[str]
    parents: Counter[str]
    children: Counter[str]


def choose(
    reading: Reading, request: Request, replacer: Replacer, scratch: Path, *, emit: Emit
) -> Sampled:
    """Choose the rows of a sample.

    Parameters
    ----------
    replacer : Replacer
        Of personal values.
    scratch : Path
        A private directory, which is to stay until the rows are written.

    Raises
    ------
    UsageError
        A table that was asked for is not there.
    ValueRefused
        A row refers to one that is not there, although the schema says that it is.
    """
    roots = request.roots(reading.schema)
    while True:
        place = scratch / f"rows{sum(map(len, reading.held.values()))}"
        place.mkdir(mode=0o700)
        try:
            return _Closure(reading, request, replacer, place, emit).run(roots)
        except NotHeld as refused:
            replacer.replaced.clear()
            emit(Note(f"{refused.table}.{refused.column} is held as text: {refused.reason}"))


@dataclass
class _Closure:
    reading: Reading
    request: Request
    replacer: Replacer
    place: Path
    emit: Emit
    begun: Counter[str] = field(default_factory=Counter)
    parents: Counter[str] = field(default_factory=Counter)
    children: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.references = references_of(self.reading.schema, self.request.references)
        self.tables = {
            name: self._empty(at, name) for at, name in enumerate(self.reading.schema.load_order)
        }
        for reference in self.references:
            self.tables[reference.target].known[reference.target_columns] = set()

    def _empty(self, at: int, name: str) -> KeptTable:
        columns = self.reading.columns(name)
        key = self.reading.schema.tables[name].primary_key
        stored = tuple(c.name for c in columns)
        identity = key if key and set(key) <= set(stored) else stored
        replaced = partial(self.replacer.batch, name, columns=columns)
        return KeptTable(columns, identity, self.place / f"{at}.arrow", replaced)

    def run(self, roots: Sequence[str]) -> Sampled:
        level = {name: list(self._begin(name)) for name in roots}
        self._close(level)
        for _ in range(self.request.children):
            level = self._followed(level)
            self._close(level)
        return Sampled(self.tables, self.begun, self.parents, self.children)

    # rows to begin with ----------------------------------------------------------------

    def _begin(self, name: str) -> Iterator[pa.RecordBatch]:
        """Choose rows of a table: by their keys first, where rows can be asked for by them."""
        count = min(self.request.rows, self.request.limit(name))
        if not count:
            return
        kept, where = self.tables[name], self.request.where.get(name, "")
        stored = [c.name for c in kept.columns]
        narrow = len(kept.identity) < len(stored) and self.reading.askable(name, kept.identity)
        only = kept.identity if narrow else ()
        try:
            found = self._lowest(name, count, self.reading.all(name, where, only))
        except DatabaseError as error:
            if where:
                columns = ", ".join(c.name for c in kept.columns)
                error.hint += (f"the condition is SQL of this database; {name} has {columns}",)
            raise
        if not narrow or not found:
            yield from self._keep(name, found, self.begun)
            return
        wanted: dict[str, Values] = {}
        for batch in found:
            wanted |= distinct(batch, kept.keys(batch, kept.identity), kept.identity)
        yield from self._keep(name, self.reading.by_key(name, kept.identity, wanted), self.begun)

    def _lowest(
        self, name: str, count: int, batches: Iterable[pa.RecordBatch]
    ) -> list[pa.RecordBatch]:
        kept = self.tables[name]
        types = {c.name: c.type for c in kept.columns}
        lowest = Lowest(count)
        for batch in batches:
            own = [batch[n] for n in kept.identity]
            found = hashes(own, [types[n] for n in kept.identity], self.request.seed)
            lowest.see(batch, found)
            self.emit(TableProgress("sample", name, len(batch)))
        rows = lowest.rows()
        return [] if rows is None else rows.to_batches()

    def _keep(
        self, name: str, batches: Iterable[pa.RecordBatch], counts: Counter[str]
    ) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            new = self.tables[name].add(batch)
            if len(new):
                counts[name] += len(new)
                yield new

    # what they refer to ----------------------------------------------------------------

    def _close(self, level: dict[str, list[pa.RecordBatch]]) -> None:
        """Keep the rows that rows refer to, and those that these refer to, until none is left."""
        waiting = {name: list(batches) for name, batches in level.items()}
        while waiting:
            name, batches = waiting.popitem()
            for reference in self.references:
                if reference.table != name:
                    continue
                for batch in batches:
                    found = self._referred(reference, batch)
                    if found:
                        waiting.setdefault(reference.target, []).extend(found)

    def _referred(self, reference: Reference, batch: pa.RecordBatch) -> list[pa.RecordBatch]:
        child, parent = self.tables[reference.table], self.tables[reference.target]
        there = parent.known[reference.target_columns]
        every = distinct(batch, child.keys(batch, reference.columns), reference.columns)
        wanted = {key: values for key, values in every.items() if key not in there}
        if not wanted:
            return []
        found = self.reading.by_key(reference.target, reference.target_columns, wanted)
        kept = list(self._keep(reference.target, found, self.parents))
        self._all_there(reference, batch, {key for key in wanted if key not in there})
        return kept

    def _all_there(self, reference: Reference, batch: pa.RecordBatch, lost: set[str]) -> None:
        """Say which rows refer to none; the schema's own reference would not load so."""
        if not lost:
            return
        child = self.tables[reference.table]
        found = child.keys(batch, reference.columns).to_pylist()
        rows = [row for row, key in enumerate(found) if key in lost]
        said = f"refers to a row of {reference.target} that is not there"
        if not reference.stated:
            counted = "1 row" if len(rows) == 1 else f"{len(rows)} rows"
            self.emit(Note(f"{reference}: {counted}: {said}"))
            return
        raise ValueRefused(
            reference.table,
            ", ".join(reference.columns),
            said,
            count=len(rows),
            samples=[
                (
                    self._named(child, batch, row, reference.table),
                    key_text(reference.columns, refers),
                )
                for row in rows[:_SAMPLES]
                for refers in [[batch[name][row].as_py() for name in reference.columns]]
            ],
            hint=f"mend them, or leave them out: --where {shlex.quote(self._leading(reference))}",
        )

    def _named(self, child: KeptTable, batch: pa.RecordBatch, row: int, table: str) -> str:
        """Return how a row is named: by its key, as far as that is not personal."""
        personal = self.replacer.personal.get(table, {})
        key = self.reading.schema.tables[table].primary_key
        names = [name for name in child.identity if name in key and name not in personal]
        return key_text(names, [batch[name][row].as_py() for name in names])

    def _leading(self, reference: Reference) -> str:
        """Return the condition that a row's reference leads somewhere, where it is one of SQL."""
        if len(reference.columns) > 1:
            return f"{reference.table}=..."
        quote = self.reading.database.dialect.identifier_preparer.quote
        own, target, its = map(
            quote, (*reference.columns, reference.target, *reference.target_columns)
        )
        return f"{reference.table}={own} IN (SELECT {its} FROM {target})"

    # what refers to them ---------------------------------------------------------------

    def _followed(self, level: dict[str, list[pa.RecordBatch]]) -> dict[str, list[pa.RecordBatch]]:
        """Keep rows that refer to those of a level; of one table as many as it may have."""
        following: dict[str, list[pa.RecordBatch]] = {}
        for reference in self.references:
            child = reference.table
            room = self.request.limit(child) - self.begun[child] - self.children[child]
            batches = level.get(reference.target, [])
            if room <= 0 or not batches:
                continue
            found = self._lowest(child, room, self._referring(reference, batches))
            kept = list(self._keep(child, found, self.children))
            following.setdefault(child, []).extend(kept)
        return following

    def _referring(
        self, reference: Reference, batches: Iterable[pa.RecordBatch]
    ) -> Iterator[pa.RecordBatch]:
        parent, child = self.tables[reference.target], self.tables[reference.table]
        wanted: dict[str, Values] = {}
        for batch in batches:
            keys = parent.keys(batch, reference.target_columns)
            wanted |= distinct(batch, keys, reference.target_columns)
        found = self.reading.referring(reference.table, reference.columns, wanted)
        yield from (child.unseen(batch) for batch in found)
