"""A committed extract of a schema that has grown since: what it lacks, and what fills it.

Within a major a schema takes new tables, and new columns that are nullable or have a
default (`freeze`). Fixtures written before then have rows for the rest; the new columns
are filled as those of a database were when the minor release added them. Nothing of
this is for other extracts: those are all of production, and are made again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from migrators.errors import ExtractError
from migrators.extracts.interface import ColumnEntry, TableEntry
from migrators.plan.defaults import NoConstant, default_of
from migrators.types import constants

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from migrators.extracts.interface import Manifest
    from migrators.schema import Column, SchemaVersion


@dataclass(frozen=True)
class Growth:
    """What a schema declares and an extract does not hold.

    Attributes
    ----------
    values : mapping of table to mapping of column to Arrow scalar
        What each row gets.
    tables : tuple of str
        New tables, which are empty.
    """

    values: dict[str, dict[str, pa.Scalar]] = field(default_factory=dict)
    tables: tuple[str, ...] = ()

    @property
    def said(self) -> tuple[str, ...]:
        """What is filled, for people: "users.nick is null", "tags is empty"."""
        columns = (
            f"{table}.{column} is {repr(value.as_py()) if value.is_valid else 'null'}"
            for table, found in self.values.items()
            for column, value in found.items()
        )
        return (*columns, *(f"{table} is empty" for table in self.tables))

    def held(self, table: str, columns: Sequence[Column]) -> tuple[Column, ...]:
        """Return those of a table's columns that its files have."""
        return tuple(c for c in columns if c.name not in self.values.get(table, ()))

    def fill(
        self, table: str, columns: Sequence[Column], batches: Iterator[pa.RecordBatch]
    ) -> Iterator[pa.RecordBatch]:
        """Yield batches with all columns, in their order."""
        import pyarrow as pa

        values = self.values.get(table)
        if values is None:
            yield from batches
            return
        for batch in batches:
            arrays = [
                pa.repeat(values[c.name], len(batch)) if c.name in values else batch[c.name]
                for c in columns
            ]
            yield pa.RecordBatch.from_arrays(arrays, names=[c.name for c in columns])


def grown(path: Path, manifest: Manifest, schema: SchemaVersion) -> tuple[Manifest, Growth]:
    """Return a committed extract's manifest as of its schema now, and what fills the rest.

    Parameters
    ----------
    path : Path
        The extract, for messages.

    Raises
    ------
    ExtractError
        A new column has neither a constant default nor null: nothing says what it holds.
    """
    entries = {table.name: table for table in manifest.tables}
    values: dict[str, dict[str, Any]] = {}
    for name in sorted(schema.tables.keys() & entries.keys()):
        there = {column.name for column in entries[name].columns}
        new = [c for c in schema.tables[name].stored if c.name not in there]
        if new and there:
            values[name] = {c.name: _value(path, schema, name, c) for c in new}
            added = tuple(ColumnEntry(c.name, str(c.type)) for c in new)
            entries[name] = replace(entries[name], columns=entries[name].columns + added)
    tables = tuple(sorted(schema.tables.keys() - entries.keys()))
    for name in tables:
        columns = (ColumnEntry(c.name, str(c.type)) for c in schema.tables[name].stored)
        entries[name] = TableEntry(name, tuple(columns), ())
    found = replace(manifest, fingerprint=schema.fingerprint, tables=tuple(entries.values()))
    return found, Growth(values, tables)


def _value(path: Path, schema: SchemaVersion, table: str, column: Column) -> pa.Scalar:
    """Return what a new column holds in each row that was there before."""
    declared = schema.metadata.tables[table].c
    found = next(c for c in declared if c.name == column.name)
    try:
        given, value = default_of(found, column.type)
        if given or column.nullable:
            return constants.scalar(value if given else None, column.type)
        lacks = "has no default, and is never null"
    except (NoConstant, TypeError) as no:
        lacks = f"has no constant default: {no}"
    raise ExtractError(
        f"{path} was written before {schema.path.name} had {table}.{column.name}, which {lacks}",
        hint=f"add the column, with its values, to the file of {table} and to manifest.json",
    )
