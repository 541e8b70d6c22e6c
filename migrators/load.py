"""Extract directory → a staging database, nothing computed on the way.

Nothing of the old database is known here.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from migrators.errors import MigrateError, ValueRefused
from migrators.events import Emit, Note, StageDone, StageStarted, TableDone, TableProgress
from migrators.extracts import forms
from migrators.stream import ahead, side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from migrators.backends.interface import Backend
    from migrators.backends.model import Write
    from migrators.extracts.directory import ExtractReader
    from migrators.schema import SchemaVersion


def load(
    reader: ExtractReader,
    schema: SchemaVersion,
    staging: Backend,
    *,
    emit: Emit,
    jobs: int = 1,
    basis: str = "",
) -> int:
    """Create `staging` and load it, or go on where a load stopped; return the number of rows.

    Parameters
    ----------
    reader : ExtractReader
        A complete extract of this schema version.
    staging : Backend
        A database that does not exist yet and that nobody else knows; or one that was begun.
    jobs : int
        Tables to load at a time, where the database takes several writers.
    basis : str
        Digest of all that the rows depend on: by it the same load knows itself again. Empty
        where none is to go on with this one.

    Raises
    ------
    ExtractError
        The extract is damaged.
    ValueRefused
        The database cannot hold a value exactly.
    DatabaseError
        No room, no right.
    """
    began = time.monotonic()
    rows = {name: reader.rows(name) or 0 for name in schema.tables}
    emit(StageStarted("load", f"{len(rows)} tables", sum(rows.values()), rows))
    say_filled(reader, emit)
    there = _begun(staging, schema, basis, emit)
    left = [name for name in schema.load_order if name not in there]

    def table(name: str, write: Write, emit: Emit) -> int:
        return _table(reader, schema, name, staging, write, emit)

    def cells(name: str) -> int:
        return rows[name] * len(schema.tables[name].stored)

    with ExitStack() as stack:
        at_once = min(jobs, staging.writers, len(left))
        writers = [stack.enter_context(staging.writer()) for _ in range(at_once)]
        loaded = sum(side_by_side(left, writers, table, emit, weigh=cells)) if left else 0
    emit(StageDone("load", time.monotonic() - began, (f"every row in {staging.database}",)))
    return loaded + sum(there.values())


def _begun(staging: Backend, schema: SchemaVersion, basis: str, emit: Emit) -> dict[str, int]:
    """Create the database or go on with it; return rows by table that are there."""
    if not basis:
        staging.create(schema)
        return {}
    there = staging.begin(schema, basis)
    for name, rows in there.items():
        emit(TableDone("load", name, rows, 0.0))
    if there:
        said = f"{len(there)} of {len(schema.tables)} tables are there of the load that stopped"
        emit(Note(f"{said}; goes on with the others"))
    return there


def say_filled(reader: ExtractReader, emit: Emit) -> None:
    """Say which columns and tables a committed extract lacks, and what they are filled with."""
    for said in reader.filled:
        emit(Note(f"{said}: the schema has grown since the extract was written"))


def finish(
    reader: ExtractReader,
    schema: SchemaVersion,
    staging: Backend,
    *,
    emit: Emit,
    jobs: int = 1,
    settle: bool = True,
) -> tuple[str, ...]:
    """Build what comes after the data: indexes, keys, sequences, triggers, views, statistics.

    Parameters
    ----------
    jobs : int
        Tables at a time, where the database takes several writers.
    settle : bool
        Gather statistics.
    """
    began = time.monotonic()
    emit(StageStarted("finish", "indexes, keys, views, triggers"))
    jobs = min(jobs, staging.writers)
    facts = staging.finish(schema, dict(reader.manifest.sequences), jobs)
    if settle:
        staging.settle(jobs)
    emit(StageDone("finish", time.monotonic() - began, facts or ("",)))
    return facts


def _table(
    reader: ExtractReader,
    schema: SchemaVersion,
    name: str,
    staging: Backend,
    write: Write,
    emit: Emit,
) -> int:
    began = time.monotonic()
    sent = 0

    def counted(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        nonlocal sent
        for batch in batches:
            yield batch
            sent += len(batch)
            emit(TableProgress("load", name, len(batch)))

    table = forms.given(reader, name, staging.takes_text)
    try:
        with ahead(forms.batches(reader, table)) as batches:
            taken = write(name, table.stored, counted(batches))
    except ValueRefused as refused:
        if refused.samples:
            raise
        raise staging.explained(refused, schema, forms.batches(reader, table)) from None
    if taken != sent:
        msg = f"{name}: {sent} rows were sent, the database took {taken}"
        raise MigrateError(msg)
    emit(TableDone("load", name, taken, time.monotonic() - began))
    return taken
