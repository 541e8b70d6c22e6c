"""Columns held as text: how an extract's rows are given to a database, and compared with it.

A database that takes such a column gets the text; any other gets Arrow's values, and a text
that is none of them is refused by name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from migrators.errors import ValueRefused
from migrators.types.text import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migrators.extracts.directory import ExtractReader
    from migrators.schema import Column, Table
    from migrators.types import ColumnType

_SAMPLES = 5


def given(reader: ExtractReader, name: str, takes_text: Callable[[ColumnType], bool]) -> Table:
    """Return a table whose columns are of the types in which a database is given them.

    Parameters
    ----------
    takes_text : callable
        `Backend.takes_text` of the database.
    """
    table = reader.schema.tables[name]
    held = {c.name: c.type for c in reader.columns(name)}

    def column(declared: Column) -> Column:
        type_ = held.get(declared.name, declared.type)
        taken = type_.as_text and (declared.type.as_text or takes_text(type_))
        return replace(declared, type=type_ if taken else declared.type)

    return replace(table, columns=tuple(column(c) for c in table.columns))


def batches(reader: ExtractReader, table: Table) -> Iterator[pa.RecordBatch]:
    """Read a table's rows in the types of its columns, which `given` has chosen.

    Raises
    ------
    ExtractError
        As `ExtractReader.batches`.
    ValueRefused
        For texts that are no values of the type that the database takes.
    """
    held = reader.columns(table.name)
    pairs = list(zip(held, table.stored, strict=True))
    if all(there.type == wanted.type for there, wanted in pairs):
        yield from reader.batches(table.name)
        return
    for batch in reader.batches(table.name):
        arrays = [
            _read(table, wanted, batch, held)
            if there.type.as_text and not wanted.type.as_text
            else batch[there.name]
            for there, wanted in pairs
        ]
        yield pa.RecordBatch.from_arrays(arrays, names=[c.name for c in table.stored])


def _read(
    table: Table, column: Column, batch: pa.RecordBatch, held: tuple[Column, ...]
) -> pa.Array:
    values, bad = from_text(batch[column.name], column.type)
    if not bad.true_count:
        return values
    rows = pc.indices_nonzero(bad)
    raise ValueRefused(
        table.name,
        column.name,
        f"is no {column.type.kind} that this database holds",
        count=len(rows),
        samples=[(_key(table, batch, held, row), "") for row in rows[:_SAMPLES].to_pylist()],
        hint="correct the rows where they come from, or give the column a rule in the step",
    )


def _key(table: Table, batch: pa.RecordBatch, held: tuple[Column, ...], row: int) -> str:
    types = {c.name: c.type for c in held}
    return ", ".join(
        f"{name} {to_text(batch[name].slice(row, 1), types[name])[0].as_py()}"
        for name in table.primary_key
    )
