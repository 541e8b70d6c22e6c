"""Plan and old database → a complete extract directory, inside one snapshot.

Nothing of the new database is known here; what must cross to it goes into the manifest.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrators import __version__
from migrators.access import carry
from migrators.backends.model import LONE
from migrators.errors import NotHeld
from migrators.events import Emit, Note, StageStarted, TableDone, TableProgress, silent
from migrators.extract.answers import old_answers, settled
from migrators.extract.held import as_held, in_text
from migrators.extract.maps import read_maps
from migrators.extract.pieces import Idle
from migrators.extract.tables import Done, Rows
from migrators.extracts.interface import BATCH_ROWS
from migrators.order import OrderCheck, in_order
from migrators.stream import ahead, side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from migrators.access import Access
    from migrators.backends.interface import Backend, Snapshot
    from migrators.extracts.directory import ExtractWriter
    from migrators.extracts.interface import Manifest
    from migrators.plan.model import Plan, TablePlan


def extract(
    plan: Plan,
    source: Backend,
    writer: ExtractWriter,
    *,
    scratch: Path,
    emit: Emit,
    jobs: int = 1,
    access: Access | None = None,
) -> Manifest:
    """Write the extract of one step.

    Parameters
    ----------
    source : Backend
        The old database; opened once, read in one snapshot, never changed.
    writer : ExtractWriter
        Of an empty directory.
    scratch : Path
        Private directory (0700) for what does not fit in memory.
    jobs : int
        Tables, or ranges of a big one, to read at a time, where the database gives several
        readers one moment.
    access : Access, optional
        Who may do what with the old tables; what the old database says unless given.

    Raises
    ------
    ValueRefused
        A value would not arrive exactly.
    DatabaseError, Locked
        The old database cannot be read.
    """
    carried, _ = carry(source.access() if access is None else access, plan.ways)
    with source.snapshot(scratch, jobs) as snapshot:
        counts = _totals(plan, snapshot)
        total = sum(int(counts[sql][0]) for sql in _counted(plan))  # one is read for each
        emit(StageStarted("extract", f"{len(plan.tables)} tables", total, _by_table(plan, counts)))
        answers, maps = _beforehand(plan, snapshot, scratch.parent / "secret")
        done = _tables(plan, snapshot, _Work(maps, counts, writer, scratch), emit)
        facts = _facts(plan, snapshot, done)
        sequences = _sequences(plan, snapshot)
    return writer.finish(
        made={
            "step": plan.name,
            "step_digest": plan.digest,
            "tool": __version__,
            "source": source.database,
            "engine": source.name,
        },
        sequences=sequences,
        answers=settled(answers),
        accounting=facts,
        access=carried.plain(),
    )


def _beforehand(plan: Plan, snapshot: Snapshot, secret: Path) -> tuple[dict[str, Any], ...]:
    """Return the old answers and the maps, each from a reader of its own where there are two.

    The answers come first: where there are too many, that is said at once.
    """
    wanted: list[Callable[..., dict[str, Any]]]
    wanted = [old_answers, partial(read_maps, secret=secret)]

    def read(ask: Callable[..., dict[str, Any]], reader: Snapshot, _: Emit) -> dict[str, Any]:
        return ask(plan, reader)

    return tuple(side_by_side(wanted, snapshot.readers[: len(wanted)], read, silent))


def _tables(plan: Plan, snapshot: Snapshot, work: _Work, emit: Emit) -> list[Done]:
    """Write every table; a reader that finds none left helps where a big one is read.

    Those that an earlier run has finished are there.
    """
    there = {name: Done.of(name, facts) for name, facts in work.writer.kept.items()}
    if there:
        emit(Note(f"{len(there)} of {len(plan.tables)} tables are there of the run that stopped"))
    tables = [table for table in _in_order(plan) if table.name not in there]
    done = [*there.values(), *_written(tables, snapshot, work, emit)]
    at = {name: number for number, name in enumerate(plan.new.load_order)}
    return sorted(done, key=lambda table: at[table.table])


def _written(
    tables: Sequence[TablePlan], snapshot: Snapshot, work: _Work, emit: Emit
) -> list[Done]:
    if len(snapshot.readers) == 1:
        return [work.table(table, snapshot, emit) for table in tables]
    idle = Idle(len(tables))

    def write(table: TablePlan | None, reader: Snapshot, told: Emit) -> Done | None:
        if table is None:
            idle.lend(reader)
            return None
        try:
            return replace(work, idle=idle).table(table, reader, told)
        finally:
            idle.through()

    helping = [None] * len(snapshot.readers)
    done = side_by_side([*tables, *helping], snapshot.readers, write, emit)
    return [table for table in done if table is not None]


def _in_order(plan: Plan) -> list[TablePlan]:
    """Tables in load order: parents first, as `load` will ask for them."""
    by_name = {table.name: table for table in plan.tables}
    return [by_name[name] for name in plan.new.load_order if name in by_name]


def _totals(plan: Plan, snapshot: Snapshot) -> dict[str, tuple[Any, ...]]:
    """How many rows each part's source has; what is left out is counted beside the reading."""
    return {sql: snapshot.rows(sql)[0] for sql in dict.fromkeys(_counted(plan))}


def _counted(plan: Plan) -> list[str]:
    """Return what counts each part's source, a part at a time."""
    return [p.accounting.total for t in plan.tables for p in t.parts if p.accounting is not None]


def _by_table(plan: Plan, counts: Mapping[str, tuple[Any, ...]]) -> dict[str, int]:
    """How many rows are read for each new table, where all of its parts are counted."""
    parts = {t.name: [p.accounting for p in t.parts] for t in plan.tables}
    return {
        name: sum(int(counts[each.total][0]) for each in asked if each is not None)
        for name, asked in parts.items()
        if asked and None not in asked
    }


@dataclass(frozen=True)
class _Work:
    """Writes one table after the other; what they share."""

    maps: dict[str, Any]
    counts: dict[str, tuple[Any, ...]]
    writer: ExtractWriter
    scratch: Path
    idle: Idle | None = None

    def table(self, table: TablePlan, snapshot: Snapshot, emit: Emit) -> Done:
        """Write the file of one table, once more where a column has to be held as text."""
        while True:
            rows = Rows(table, snapshot, self.maps, self.counts, self.idle)
            try:
                self._write(rows, emit)
            except NotHeld as refused:
                if rows.reading is None:
                    raise
                table = in_text(table, rows.reading, refused)
                emit(TableProgress("extract", table.name, -rows.told))
            else:
                return rows.done

    def _write(self, rows: Rows, emit: Emit) -> None:
        table = rows.table
        began = time.monotonic()
        declared = self.writer.schema.tables[table.name]
        key = declared.primary_key
        check = OrderCheck(key)
        written = 0
        with (
            tempfile.TemporaryDirectory(dir=self.scratch) as own,
            ahead(self._sorted(rows, key, Path(own))) as stream,
            self.writer.table(
                table.name, ordered=bool(key), columns=as_held(table, declared.stored)
            ) as sink,
        ):
            for batch in stream:
                check.see(batch)
                sink.write(batch)
                written += len(batch)
                emit(TableProgress("extract", table.name, rows.read - rows.told))
                rows.told = rows.read
        if not check.ordered:
            self.writer.unordered(table.name)
        self.writer.keep(table.name, rows.done.facts())
        emit(TableDone("extract", table.name, written, time.monotonic() - began))

    def _sorted(self, rows: Rows, key: tuple[str, ...], own: Path) -> Iterator[pa.RecordBatch]:
        if key and not rows.table.ordered and rows.table.lookup is None:
            return in_order(rows.batches(), key, own, BATCH_ROWS)
        if not key and self.writer.committed:  # or the same rows would differ in git each time
            whole = [c.name for c in self.writer.schema.tables[rows.table.name].stored]
            return in_order(rows.batches(), whole, own, BATCH_ROWS)
        return rows.batches()


def _facts(plan: Plan, snapshot: Snapshot, done: list[Done]) -> dict[str, Any]:
    """Accounting of rows and values, as plain data for the manifest."""
    rules: Counter[tuple[str, str, str]] = Counter()
    for table in done:
        for (column, rule), changed in table.changed.items():
            rules[table.table, column, rule] += changed
    return {
        "tables": [asdict(receipt) for table in done for receipt in table.receipts],
        "rules": [[*where, changed] for where, changed in sorted(rules.items())],
        "dropped": [[d.what, d.because, _count(snapshot, d.count)] for d in plan.dropped],
        "losses": [[x.why, _count(snapshot, x.count) if x.count else None] for x in plan.losses],
    }


def _count(snapshot: Snapshot, sql: str) -> int:
    return int(snapshot.rows(sql)[0][0] or 0)


def _sequences(plan: Plan, snapshot: Snapshot) -> dict[str, int]:
    known = snapshot.sequences()
    of_tables = {new: known[old] for new, old in plan.sequences.items() if old in known}
    return of_tables | {name: at for name, at in known.items() if name.startswith(LONE)}
