"""Tables as plain data: what rooms that handle files and rows need of a declaration."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    uniques : tuple of tuple of str
        Columns that are unique together, by constraint or by a whole-table index.
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


def load_order(tables: dict[str, Table]) -> tuple[str, ...]:
    """Return table names, parents before children.

    A reference to the table itself does not count. Where references go in a circle, the
    table that waits for the fewest others goes first (then by name), so the order is the
    same each time.
    """
    waits = {
        name: {key.target for key in table.foreign_keys} & set(tables) - {name}
        for name, table in tables.items()
    }
    order: list[str] = []
    while waits:
        first = min(waits, key=lambda name: (len(waits[name]), name))
        del waits[first]
        for others in waits.values():
            others.discard(first)
        order.append(first)
    return tuple(order)
