"""What passes between the engine and a database: queries, a catalogue, a stamp."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa

from migrators.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from migrators.schema import Column
    from migrators.types import ColumnType

Write = Callable[[str, "Sequence[Column]", "Iterator[pa.RecordBatch]"], int]
"""Appends rows to a table: its name, its columns, batches; returns how many were taken."""
Still = Callable[[], None]
"""Asks whether a lock is held still; raises `DatabaseError` where it is not."""


LONE = "sequence:"
"""What the name of a sequence of no table begins with, among positions by table."""


def lone(sequences: Mapping[str, int]) -> dict[str, int]:
    """Return the positions of sequences of no table, by their names."""
    found = sequences.items()
    return {name.removeprefix(LONE): at for name, at in found if name.startswith(LONE)}


@dataclass(frozen=True, slots=True)
class Taken:
    """A sequence that an application takes a column's values from; nothing in the database does."""

    schema: str | None
    name: str
    table: sa.Table
    column: str


def taken(metadata: sa.MetaData) -> Iterator[Taken]:
    """Yield what declares `Column(…, sa.Sequence(…))`, but for sequences that count down."""
    for table in metadata.tables.values():
        for column in table.columns:
            found = column.default
            if not isinstance(found, sa.Sequence) or found.optional or (found.increment or 1) < 0:
                continue
            yield Taken(found.schema, found.name, table, column.name)


def not_carried(sequences: Mapping[str, int]) -> str:
    """Say which sequences of no table have no place here, and where they stood."""
    stood = ", ".join(f"{name} (at {position:,})" for name, position in sorted(sequences.items()))
    return f"not there, or starts anew: sequence {stood}" if stood else ""


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
class Cut:
    """How a query can be read in ranges: its rows are rows of one table, each computed alone.

    Attributes
    ----------
    schema, table : str
        The table's; no schema is the database's own.
    key : str
        Label of the leading column of its primary key, if that is an integer; or empty.
    placed : str
        The query's SQL with one more column, `place`: where the database keeps the row, as
        `Backend.place` says; or empty.
    """

    schema: str
    table: str
    key: str = ""
    placed: str = ""


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
    cut : Cut or None
        None where the query is to be read whole.
    """

    sql: str
    columns: tuple[ReadColumn, ...]
    order_by: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    cut: Cut | None = None

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
    parts : frozenset of str
        Tables whose rows are read as those of another: partitions.
    """

    objects: dict[tuple[str, str], str] = field(default_factory=dict)
    parts: frozenset[str] = field(default=frozenset(), compare=False)


CATALOGUE = "its catalogue"
"""What is not a table, in `Contents`."""


@dataclass(frozen=True, slots=True)
class Contents:
    """All that a database holds at one moment: equal where nothing was written.

    Attributes
    ----------
    parts : mapping of name to digest
        A table's name, quoted, or `CATALOGUE`; a database that is known as a whole has one part,
        `""`.
    """

    parts: Mapping[str, str]

    @property
    def digest(self) -> str:
        """SHA-256 over all parts."""
        return hashlib.sha256(repr(sorted(self.parts.items())).encode()).hexdigest()

    def differs(self, other: Contents) -> list[str]:
        """Return the names of the parts that are not the same in another moment."""
        names = sorted({*self.parts, *other.parts})
        return [n for n in names if n and self.parts.get(n) != other.parts.get(n)]


def require_columns(table: str, columns: Sequence[Column]) -> None:
    """Refuse to load a table that stores no column: no statement says how many rows it has.

    Raises
    ------
    DatabaseError
    """
    if not columns:
        raise DatabaseError(f"{table}: a table without stored columns cannot be loaded")
