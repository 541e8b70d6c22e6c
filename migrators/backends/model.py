"""What passes between the engine and a database: queries, a catalogue, a stamp."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from migrators.types import ColumnType

Still = Callable[[], None]
"""Asks whether a lock is held still; raises `DatabaseError` where it is not."""


@dataclass(frozen=True, slots=True)
class ReadColumn:
    """A column of a query's result: its label, and the type its values must have.

    Attributes
    ----------
    table, source : str
        Where it comes from, for messages: old table and column (or new ones).
    """

    name: str
    type: ColumnType
    table: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class ReadQuery:
    """One SELECT, compiled for the database, without an ORDER BY of its own.

    Attributes
    ----------
    sql : str
        Literals rendered; its columns are labelled and stand as `columns` do.
    columns : tuple of ReadColumn
    order_by : tuple of str
        Labels to order by, ascending, text by bytes; empty for any order.
    key : tuple of str
        Labels of the columns that name a row in messages (the old primary key).
    """

    sql: str
    columns: tuple[ReadColumn, ...]
    order_by: tuple[str, ...] = ()
    key: tuple[str, ...] = ()

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema that its batches have."""
        import pyarrow as pa

        return pa.schema([pa.field(c.name, c.type.arrow) for c in self.columns])


@dataclass(frozen=True, slots=True)
class Stamp:
    """The row in a database that says what it is. Times are ISO 8601, UTC."""

    version: int
    fingerprint: str
    step: str = ""
    extract: str = ""
    tool: str = ""
    at: str = ""
    alembic_head: str = ""


@dataclass(frozen=True)
class Catalog:
    """What a database holds besides rows, in comparable form.

    Attributes
    ----------
    objects : mapping of (kind, name) to facts
        kind is "table", "column", "primary key", "unique", "foreign key", "check",
        "index", "trigger", "view" …; name is qualified ("users.email"); facts is a
        normalised, order-free text. Two databases are alike when these are equal. The
        stamp and Alembic's table are not in it.
    """

    objects: dict[tuple[str, str], str] = field(default_factory=dict)
