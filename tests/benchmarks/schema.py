"""The new schema's DDL for the peers: tables first, then indexes, views and triggers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from migrators.schema import read_schema

if TYPE_CHECKING:
    import sqlite3

    from migrators.schema import SchemaVersion


def _read(path: str) -> SchemaVersion:
    return read_schema(Path(path), int(Path(path).stem[1:]))


def shape_of(path: str) -> dict[str, list[str]]:
    """Return the columns of each table, parents first."""
    schema = _read(path)
    return {name: [c.name for c in schema.tables[name].stored] for name in schema.load_order}


def create(new: sqlite3.Connection, path: str) -> None:
    """Create the tables."""
    for table in _read(path).metadata.tables.values():
        new.execute(str(sa.schema.CreateTable(table).compile(dialect=sqlite.dialect())))


def indexes(new: sqlite3.Connection, path: str) -> None:
    """Create what comes after the data."""
    schema = _read(path)
    for table in schema.metadata.tables.values():
        for index in table.indexes:
            new.execute(str(sa.schema.CreateIndex(index).compile(dialect=sqlite.dialect())))
    for script in schema.scripts("after", "sqlite"):
        new.executescript(script)
    new.commit()
