"""Plan and old database → a complete extract directory, inside one snapshot.

Nothing of the new database is known here; what must cross to it goes into the manifest.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from migrators import __version__
from migrators.events import Emit, StageStarted, TableDone, TableProgress
from migrators.extract.maps import read_maps
from migrators.extract.tables import Rows
from migrators.extracts.interface import BATCH_ROWS
from migrators.order import OrderCheck, in_order
from migrators.stream import ahead
from migrators.types import text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from migrators.backends.interface import Backend, ReadQuery, Snapshot
    from migrators.extracts.directory import ExtractWriter
    from migrators.extracts.interface import Manifest
    from migrators.plan.model import Plan, TablePlan

_MOST_ANSWERS = 10_000  # rows of a step.same: they stand in the manifest


def extract(
    plan: Plan, source: Backend, writer: ExtractWriter, *, scratch: Path, emit: Emit
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

    Raises
    ------
    ValueRefused
        A value would not arrive exactly.
    DatabaseError, Locked
        The old database cannot be read.
    """
    with source.snapshot(scratch) as snapshot:
        counts = _counts(plan, snapshot)
        total = sum(int(row[0]) for row in counts.values())
        emit(StageStarted("extract", f"{len(plan.tables)} tables", total))
        maps = read_maps(plan, snapshot, scratch.parent / "secret")
        done = [_table(t, snapshot, maps, counts, writer, scratch, emit) for t in _in_order(plan)]
        facts = _facts(plan, snapshot, done)
        sequences = _sequences(plan, snapshot)
        answers = {same.title: _answer(snapshot, same.old) for same in plan.sames}
    return writer.finish(
        made={
            "step": plan.name,
            "step_digest": plan.digest,
            "tool": __version__,
            "source": source.database,
            "engine": source.name,
        },
        sequences=sequences,
        answers=answers,
        accounting=facts,
    )


def _in_order(plan: Plan) -> Iterator[TablePlan]:
    """Tables in load order: parents first, as `load` will ask for them."""
    by_name = {table.name: table for table in plan.tables}
    for name in plan.new.load_order:
        if name in by_name:
            yield by_name[name]


def _counts(plan: Plan, snapshot: Snapshot) -> dict[str, tuple[Any, ...]]:
    """Answers to every part's accounting query: what will be read, and what left out."""
    counted = [p.accounting.sql for t in plan.tables for p in t.parts if p.accounting is not None]
    return {sql: snapshot.rows(sql)[0] for sql in counted}


def _table(
    table: TablePlan,
    snapshot: Snapshot,
    maps: dict[str, Any],
    counts: dict[str, tuple[Any, ...]],
    writer: ExtractWriter,
    scratch: Path,
    emit: Emit,
) -> Rows:
    began = time.monotonic()
    rows = Rows(table, snapshot, maps, counts)
    key = writer.schema.tables[table.name].primary_key
    batches = rows.batches()
    if key and not table.ordered and table.lookup is None:
        batches = in_order(batches, key, scratch, BATCH_ROWS)
    check = OrderCheck(key)
    written = told = 0
    with ahead(batches) as stream, writer.table(table.name, ordered=bool(key)) as sink:
        for batch in stream:
            check.see(batch)
            sink.write(batch)
            written += len(batch)
            emit(TableProgress("extract", table.name, rows.read - told))
            told = rows.read
    if not check.ordered:
        writer.unordered(table.name)
    emit(TableDone("extract", table.name, written, time.monotonic() - began))
    return rows


def _facts(plan: Plan, snapshot: Snapshot, done: list[Rows]) -> dict[str, Any]:
    """Accounting of rows and values, as plain data for the manifest."""
    rules: Counter[tuple[str, str, str]] = Counter()
    for rows in done:
        for (column, rule), changed in rows.changed.items():
            rules[rows.table.name, column, rule] += changed
    return {
        "tables": [asdict(receipt) for rows in done for receipt in rows.receipts],
        "rules": [[*where, changed] for where, changed in sorted(rules.items())],
        "dropped": [[d.what, d.because, _count(snapshot, d.count)] for d in plan.dropped],
        "losses": [[x.why, _count(snapshot, x.count) if x.count else None] for x in plan.losses],
    }


def _count(snapshot: Snapshot, sql: str) -> int:
    return int(snapshot.rows(sql)[0][0] or 0)


def _sequences(plan: Plan, snapshot: Snapshot) -> dict[str, int]:
    known = snapshot.sequences()
    return {new: known[old] for new, old in plan.sequences.items() if old in known}


def _answer(snapshot: Snapshot, query: ReadQuery) -> list[list[str | None]]:
    return answer(snapshot.batches(query), query)


def answer(batches: Iterator[pa.RecordBatch], query: ReadQuery) -> list[list[str | None]]:
    """Return the rows of a `step.same` as exact texts."""
    rows: list[list[str | None]] = []
    for batch in batches:
        pairs = zip(batch.columns, query.columns, strict=True)
        texts = [text.to_text(array, c.type).to_pylist() for array, c in pairs]
        rows.extend([list(row) for row in zip(*texts, strict=True)])
        if len(rows) > _MOST_ANSWERS:
            rows = rows[:_MOST_ANSWERS]
            break
    return rows
