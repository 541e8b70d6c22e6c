"""One table of a database against its file in the extract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from migrators.backends.interface import ReadColumn, ReadQuery
from migrators.events import Emit, TableProgress
from migrators.extracts import forms
from migrators.extracts.interface import BATCH_ROWS
from migrators.order import OrderCheck, in_order
from migrators.stream import ahead
from migrators.verify.compare import aligned, differing_columns
from migrators.verify.merge import differences
from migrators.verify.rowtext import row_texts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from migrators.backends.interface import Backend, Snapshot
    from migrators.extracts.directory import ExtractReader
    from migrators.schema import SchemaVersion, Table


class _OutOfOrder(Exception):  # a fact about the extract's rows
    """The extract's rows are not in key order: compare them sorted."""


@dataclass
class TableCheck:
    """Compares one table; `rows` is how many rows of the extract were compared.

    Its columns are of the types in which the database was given them (`extracts.forms`).
    """

    reader: ExtractReader
    schema: SchemaVersion
    table: Table
    database: Backend
    snapshot: Snapshot
    scratch: Path
    rows: int = 0

    def differences(self, emit: Emit) -> list[str]:
        """Return a line for each difference found, at most a few dozen."""
        if self.table.primary_key:
            try:
                return self._in_key_order(emit)
            except _OutOfOrder:
                self.rows = 0
        return self._as_sorted_text(emit)

    # streaming, in key order -----------------------------------------------------------

    def _in_key_order(self, emit: Emit) -> list[str]:
        with ahead(self._checked()) as ours, ahead(self._read(self.table.primary_key)) as theirs:
            found = differences(ours, theirs, self.table, lambda rows: self._seen(rows, emit))
        return [f"{self.table.name} {line}" for line in found]

    def _seen(self, rows: int, emit: Emit) -> None:
        self.rows += rows
        emit(TableProgress("verify", self.table.name, rows))

    def _checked(self) -> Iterator[pa.RecordBatch]:
        check = OrderCheck(self.table.primary_key)
        for batch in forms.batches(self.reader, self.table):
            check.see(batch)
            if not check.ordered:
                raise _OutOfOrder
            yield batch

    def _read(self, order: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
        names = [c.name for c in self.table.stored]
        for batch in self.snapshot.batches(
            read_back(self.schema, self.table, self.database, order)
        ):
            yield batch.rename_columns(names)

    # in any order ----------------------------------------------------------------------

    def _as_sorted_text(self, emit: Emit) -> list[str]:
        ours = self._sorted(forms.batches(self.reader, self.table), "ours")
        theirs = self._sorted(self._read(()), "theirs")
        with ahead(ours) as left, ahead(theirs) as right:
            for mine, other in aligned(left, right):
                self._seen(len(mine), emit)
                if differing_columns(mine, other):
                    return [f"{self.table.name}: rows differ ({len(mine)} beside {len(other)})"]
        return []

    def _sorted(self, batches: Iterator[pa.RecordBatch], side: str) -> Iterator[pa.RecordBatch]:
        place = self.scratch / side
        place.mkdir(mode=0o700, exist_ok=True)
        texts = (row_texts(batch, self.table) for batch in batches)
        return in_order(texts, ("row",), place, BATCH_ROWS)


def read_back(
    schema: SchemaVersion, table: Table, database: Backend, order: tuple[str, ...]
) -> ReadQuery:
    """Return the query that reads a table's stored columns, as the database renders them."""
    real = schema.metadata.tables[table.name]
    labels = [real.c[c.name].label(f"c{i}") for i, c in enumerate(table.stored)]
    sql = database.sql(sa.select(*labels))
    label = {c.name: f"c{i}" for i, c in enumerate(table.stored)}
    columns = tuple(ReadColumn(label[c.name], c.type, table.name, c.name) for c in table.stored)
    return ReadQuery(
        sql,
        columns,
        tuple(label[name] for name in order),
        tuple(label[name] for name in table.primary_key if name in label),
    )
