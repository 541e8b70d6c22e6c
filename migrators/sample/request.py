"""What was asked of a sample."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migrators.config import nearest
from migrators.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from migrators.sample.references import Reference
    from migrators.schema import SchemaVersion

ROWS = 100
MOST = 10_000
"""Rows of a table, unless asked for: a mistake in a condition is no copy of production."""


@dataclass(frozen=True)
class Request:
    """A sample to be made.

    Attributes
    ----------
    rows : int
        Of each table that the sample begins with.
    seed : int
        Another one chooses other rows.
    tables : tuple of str
        Those that it begins with; empty for all, or for those of `where`.
    where : mapping of table to SQL
        Conditions, in the database's own language, on the rows that it begins with.
    most : mapping of table to int
        Rows at most; "" is every other table's. Rows that others refer to are taken beyond it.
    children : int
        How many times rows are followed to those that refer to them.
    references : tuple of Reference
        That the schema does not state.
    """

    rows: int = ROWS
    seed: int = 0
    tables: tuple[str, ...] = ()
    where: Mapping[str, str] = field(default_factory=dict)
    most: Mapping[str, int] = field(default_factory=dict)
    children: int = 0
    references: tuple[Reference, ...] = ()

    def limit(self, table: str) -> int:
        """Return how many rows of a table may be chosen."""
        return self.most.get(table, self.most.get("", MOST))

    def roots(self, schema: SchemaVersion) -> tuple[str, ...]:
        """Return the tables that the sample begins with, parents first.

        Raises
        ------
        UsageError
            A table that was named is not there.
        """
        named = {*self.tables, *self.where}
        known(schema, (*named, *(name for name in self.most if name)))
        return tuple(name for name in schema.load_order if not named or name in named)


def known(schema: SchemaVersion, names: Iterable[str]) -> None:
    """Refuse a table that the schema has not.

    Raises
    ------
    UsageError
    """
    for name in names:
        if name not in schema.tables:
            raise UsageError(
                f"schema {schema.version} has no table `{name}`",
                hint=nearest(name, schema.tables),
            )
