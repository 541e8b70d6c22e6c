"""Database against extract, cell by cell, by another road than the load took.

Every row is read back as the database renders it and compared bit by bit. Where both
sides come in key order they are compared as they stream; where they do not (tables without
a key, files that people edited) both are sorted as text first, within bounded memory.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from migrators.errors import VerifyMismatch
from migrators.events import Emit, StageDone, StageStarted, TableDone
from migrators.extracts import forms
from migrators.stream import ahead
from migrators.verify.answers import differing_answers
from migrators.verify.table import TableCheck

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from migrators.backends.interface import Backend
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
) -> int:
    """Compare a loaded database with its extract; return the number of cells compared.

    Raises
    ------
    VerifyMismatch
        Naming the tables, columns and keys that differ.
    ValueRefused
        For rows whose parent is missing.
    """
    began = time.monotonic()
    total = sum(reader.rows(name) or 0 for name in schema.tables)
    emit(StageStarted("verify", f"{len(schema.tables)} tables", total))
    found: list[str] = []
    cells = 0
    with _proof(database, schema, scratch) as proof, database.snapshot(scratch) as snapshot:
        for name in schema.tables:
            table = forms.given(reader, name, database.takes_text)
            check = TableCheck(reader, schema, table, database, snapshot, scratch)
            began_table = time.monotonic()
            found.extend(check.differences(emit))
            cells += check.rows * len(table.stored)
            emit(TableDone("verify", name, check.rows, time.monotonic() - began_table))
        found.extend(differing_answers(reader.manifest.answers, sames, database, snapshot))
        if found:
            raise VerifyMismatch(_message(database, found), hint=_HINT)
        proven = [fact for facts in proof for fact in facts]
    emit(StageDone("verify", time.monotonic() - began, _facts(sames, proven)))
    return cells


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
