"""A major version's schema: SQLAlchemy's tables for SQL, plain data for files."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from migrators.schema import declared, model
from migrators.schema.fingerprint import fingerprint

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa

    from migrators.schema.model import Table


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
    before, between, after : mapping of str to str
        SQL that SQLAlchemy does not model: run before the tables are created, between them
        and the data (partitions), and after the data is loaded. By database name; under ""
        the text for all of them, which is run first.
    alembic_head : str or None
        Alembic revision that this file equals.
    """

    version: int
    path: Path
    metadata: sa.MetaData
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    alembic_head: str | None = None
    between: dict[str, str] = field(default_factory=dict)

    @cached_property
    def tables(self) -> dict[str, Table]:
        """Tables by name, sorted by name."""
        return declared.describe(self.metadata, self.path)

    def scripts(self, when: str, database: str) -> tuple[str, ...]:
        """Return the SQL of `when` ("before", "between", "after") for a database, in order.

        What stands for all databases runs first; empty texts are left out.
        """
        found = {"before": self.before, "between": self.between, "after": self.after}[when]
        return tuple(text for text in (found.get("", ""), found.get(database, "")) if text)

    @cached_property
    def load_order(self) -> tuple[str, ...]:
        """Names of the tables, parents first; circles broken the same way each time."""
        return model.load_order(self.tables)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (64 hex digits) of everything declared."""
        return fingerprint(self.metadata, self.before, self.after, self.between)
