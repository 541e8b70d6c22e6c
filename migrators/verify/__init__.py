"""Database against extract, cell by cell, by another road than the load took.

Every row is read back as the database renders it and compared bit by bit. Where both
sides come in key order they are compared as they stream; where they do not (tables without
a key, files that people edited) both are sorted as text first, within bounded memory.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from migrators.errors import VerifyMismatch
from migrators.events import Emit, StageDone, StageStarted, TableDone
from migrators.extracts import forms
from migrators.stream import ahead, side_by_side
from migrators.verify.answers import differing_answers
from migrators.verify.table import TableCheck

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from migrators.backends.interface import Backend, Snapshot
    from migrators.extracts.directory import ExtractReader
    from migrators.plan.model import SamePlan
    from migrators.schema import SchemaVersion


def verify(
    reader: ExtractReader,
    schema: SchemaVersion,
    database: Backend,
    *,
    sames: Sequence[SamePlan] = (),
    scratch: Path,
    emit: Emit,
    jobs: int = 1,
) -> int:
    """Compare a loaded database with its extract; return the number of cells compared.

    Parameters
    ----------
    jobs : int
        Tables to compare at a time, where the database gives several readers one moment.

    Raises
    ------
    VerifyMismatch
        Naming the tables, columns and keys that differ.
    ValueRefused
        For rows whose parent is missing.
    """
    began = time.monotonic()
    rows = {name: reader.rows(name) or 0 for name in schema.tables}
    emit(StageStarted("verify", f"{len(rows)} tables", sum(rows.values()), rows))

    def table(name: str, snapshot: Snapshot, emit: Emit) -> tuple[int, list[str]]:
        with tempfile.TemporaryDirectory(dir=scratch) as own:
            given = forms.given(reader, name, database.takes_text)
            check = TableCheck(reader, schema, given, database, snapshot, Path(own))
            return _compared(check, emit)

    def weight(name: str) -> int:
        return (reader.rows(name) or 0) * len(schema.tables[name].stored)

    with _proof(database, schema, scratch) as proof, database.snapshot(scratch, jobs) as snapshot:
        names = list(schema.tables)
        compared = side_by_side(names, snapshot.readers, table, emit, weigh=weight)
        found = [line for _, lines in compared for line in lines]
        found.extend(differing_answers(reader.manifest.answers, sames, database, snapshot))
        if found:
            raise VerifyMismatch(_message(database, found), hint=_HINT)
        proven = [fact for facts in proof for fact in facts]
    emit(StageDone("verify", time.monotonic() - began, _facts(sames, proven)))
    return sum(cells for cells, _ in compared)


def _compared(check: TableCheck, emit: Emit) -> tuple[int, list[str]]:
    """Return how many cells of a table were compared, and a line for each difference."""
    began = time.monotonic()
    found = check.differences(emit)
    emit(TableDone("verify", check.table.name, check.rows, time.monotonic() - began))
    return check.rows * len(check.table.stored), found


def _proof(
    database: Backend, schema: SchemaVersion, scratch: Path
) -> AbstractContextManager[Iterator[tuple[str, ...]]]:
    """Prove the references beside the comparison: a database answers, Arrow compares."""
    return ahead(database.prove(schema, scratch) for _ in range(1))


_HINT = (
    "the old database is unchanged, and nothing was published",
    "please report this: a database gave back something else than it was given",
)


def _message(database: Backend, found: list[str]) -> str:
    shown = "\n".join(f"  {line}" for line in found[:20])
    more = f"\n  and {len(found) - 20} more" if len(found) > 20 else ""  # noqa: PLR2004
    return f"{database.database} differs from the extract:\n{shown}{more}"


def _facts(sames: Sequence[SamePlan], proven: Sequence[str]) -> tuple[str, ...]:
    said = ["every cell read back: equal"]
    if sames:
        said.append(f"{len(sames)} of {len(sames)} statements agree")
    return ("; ".join(said), *proven)
