"""`schemas/vN.py` → a frozen `SchemaVersion` with its fingerprint.

Rooms that handle SQL use `metadata`; rooms that handle files use `tables`, which is plain
data. A fingerprint depends on what is declared, not on the file's layout nor on
SQLAlchemy's version.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators import types
from migrators.errors import CodeError

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from migrators.types import ColumnType


@dataclass(frozen=True, slots=True)
class Column:
    """One column as declared.

    Attributes
    ----------
    generated : bool
        Computed by the database itself; never extracted, never written.
    """

    name: str
    type: ColumnType
    nullable: bool
    generated: bool = False


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`columns` of this table refer to `target_columns` of `target` (a table's key)."""

    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """One table as declared, as plain data.

    Attributes
    ----------
    name : str
        Key in `metadata.tables`: "users", or "schema.users".
    columns : tuple of Column
        In declared order.
    primary_key : tuple of str
        Empty for a table without one.
    """

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    uniques: tuple[tuple[str, ...], ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()

    @cached_property
    def stored(self) -> tuple[Column, ...]:
        """Columns that an extract holds: all but the generated ones."""
        return tuple(c for c in self.columns if not c.generated)

    @cached_property
    def column(self) -> dict[str, Column]:
        """Columns by name."""
        return {c.name: c for c in self.columns}


@dataclass(frozen=True)
class SchemaVersion:
    """A major version's schema.

    Attributes
    ----------
    version : int
    path : Path
        The module file.
    metadata : sqlalchemy.MetaData
        Its tables; never changed.
    before, after : mapping of str to str
        SQL that SQLAlchemy does not model, per database name: run before the tables are
        created, and after the data is loaded.
    alembic_head : str or None
        Alembic revision that this file equals.
    """

    version: int
    path: Path
    metadata: sa.MetaData
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    alembic_head: str | None = None

    @cached_property
    def tables(self) -> dict[str, Table]:
        """Tables by name, sorted by name."""
        return {name: _table(self.metadata.tables[name], self.path) for name in sorted(self.metadata.tables)}

    @cached_property

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (64 hex digits) of everything declared."""
        raise NotImplementedError
