"""What the engine asks of a database. One `Backend` object is bound to one database.

The old database, a staging database and a published one are three `Backend` objects.
Each file beside this one has the same sections in the same order:

    1 where        name, existence, siblings
    2 catalogue    what is in it, comparable
    3 snapshot     consistent read, exact rows
    4 staging      create, write in bulk
    5 after        indexes, foreign keys, sequences, triggers, views, statistics
    6 stamp        which version it says it is
    7 publish      make visible, set aside, discard
    8 proofs       digest of what is stored, locks

Only this folder knows dialects by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pyarrow as pa

    from migrators.errors import ValueRefused
    from migrators.schema import Column, SchemaVersion
    from migrators.types import ColumnType


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


class Snapshot(ABC):
    """One consistent, read-only view of a database, for one thread at a time."""

    @abstractmethod
    def batches(self, query: ReadQuery) -> Iterator[pa.RecordBatch]:
        """Stream rows exactly, columns named and typed as `query.columns` declare.

        Raises
        ------
        ValueRefused
            For a stored value that is not exactly of the declared type, naming the old
            table, column, how many rows and sample keys.
        """

    @abstractmethod
    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return all rows of a small query as Python values (int, float, str, bytes, None)."""

    @abstractmethod
    def sequences(self) -> dict[str, int]:
        """Highest key ever given, by table, where the database remembers one."""


class Backend(ABC):
    """One database. Constructing it touches nothing."""

    name: ClassVar[str]
    """SQLAlchemy's name of the dialect."""

    def __init__(self, url: sa.URL) -> None:
        self.url = url

    # 1 where ---------------------------------------------------------------------------

    @property
    @abstractmethod
    def database(self) -> str:
        """Its name as messages show it: a path or a database name, never a password."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether a database of this name is there (whatever it holds)."""

    @abstractmethod
    def staging(self, run: str) -> Backend:
        """The staging database of a run: `shop_v3__loading_<run>` beside this one."""

    @abstractmethod
    def aside(self, run: str) -> Backend:
        """The name a replaced version gets: `shop_v2__was_<run>` beside this one."""

    # 2 catalogue -----------------------------------------------------------------------

    @property
    @abstractmethod
    def dialect(self) -> sa.Dialect:
        """SQLAlchemy dialect used to compile SQL; needs no connection."""

    @abstractmethod
    def engine(self) -> sa.Engine:
        """A SQLAlchemy engine, sessions pinned as all of ours are; caller disposes."""

    @abstractmethod
    def catalog(self) -> Catalog:
        """Read the catalogue."""

    def engine_version(self) -> str:
        """What the database runs on, for people: "SQLite 3.40.1"."""
        return self.name

    def notes(self) -> tuple[str, ...]:
        """Plain facts that a person should know; call it only while no snapshot is open."""
        return ()

    def copies_to_read(self) -> bool:
        """Whether a snapshot needs a private copy; call it only while none is open."""
        return False

    @abstractmethod
    def lint(self, declared: sa.types.TypeEngine[Any]) -> str | None:
        """Say what a declared type would lose silently here and what to write instead."""

    @abstractmethod
    def sql(self, query: Any) -> str:
        """Compile a query or expression: literals rendered, text compared by bytes."""

    def characters(self, text: Any) -> Any:
        """Return SQL for the length of a text in characters."""
        return sa.func.length(text)

    def collated(self, text: Any, collation: str) -> Any:
        """Return SQL for a text that compares by a collation, whatever `sql` would do."""
        return sa.collate(text, collation)

    def has_nul(self, text: Any) -> Any | None:  # noqa: ARG002
        """Return SQL that is true for a text with U+0000; None where text holds none."""
        return None

    def storage(self, column: Any) -> Any | None:  # noqa: ARG002
        """Return SQL that names how a cell is stored; None where the column says it."""
        return None

    def integer_range(self, bits: int) -> tuple[int, int] | None:
        """Return the lowest and highest integer of a column; None where bits bind nothing."""
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    # 3 snapshot ------------------------------------------------------------------------

    @abstractmethod
    def snapshot(self, scratch: Path) -> AbstractContextManager[Snapshot]:
        """Open one consistent snapshot; `scratch` is a private directory (0700) it may use.

        Raises
        ------
        DatabaseError
            Missing, corrupt, not a database of this kind, unreadable.
        Locked
            A writer holds it.
        """

    # 4 staging -------------------------------------------------------------------------

    @abstractmethod
    def create(self, schema: SchemaVersion) -> None:
        """Create this (staging) database with the schema's tables, before any data."""

    @abstractmethod
    def write(
        self, table: str, columns: Sequence[Column], batches: Iterator[pa.RecordBatch]
    ) -> int:
        """Append rows in bulk to a staging table; return how many the database took.

        Raises
        ------
        ValueRefused
            For a value that the database cannot hold exactly.
        """

    def explained(
        self,
        refused: ValueRefused,
        schema: SchemaVersion,  # noqa: ARG002
        batches: Iterator[pa.RecordBatch],  # noqa: ARG002
    ) -> ValueRefused:
        """Return a refusal of `write` that names no row as one that counts and names them.

        Parameters
        ----------
        batches : iterator of pa.RecordBatch
            The table's rows once more. The staging database may be lost over it.
        """
        return refused

    # 5 after ---------------------------------------------------------------------------

    @abstractmethod
    def finish(self, schema: SchemaVersion, sequences: dict[str, int]) -> tuple[str, ...]:
        """Build what comes after the data and prove keys; return facts for the report."""

    # 6 stamp ---------------------------------------------------------------------------

    @abstractmethod
    def stamp(self) -> Stamp | None:
        """Read the stamp; None where there is none."""

    @abstractmethod
    def write_stamp(self, stamp: Stamp) -> None:
        """Write or replace the stamp (and `alembic_version` where a head is given)."""

    def alembic_heads(self) -> tuple[str, ...]:
        """Return the revisions that Alembic's table names; empty where there is none."""
        return ()

    # 7 publish -------------------------------------------------------------------------

    @abstractmethod
    def publish(
        self, staging: Backend, *, aside: Backend | None = None, like: Backend | None = None
    ) -> None:
        """Make a verified staging database visible under this name, in one act.

        Parameters
        ----------
        aside : Backend or None
            Where the version that holds the name now is set aside; None refuses then.
        like : Backend or None
            The old database, whose access (owner, mode) the new one takes; None: that of
            the version set aside, or the running user's alone.
        """

    def ready(self) -> None:  # noqa: B027  most databases have nothing to look for
        """Refuse now what `publish` would refuse after all the work, but for a taken name.

        Raises
        ------
        DatabaseError
        """

    @abstractmethod
    def discard(self) -> None:
        """Remove this staging (or dropped) database and what belongs to it."""

    # 8 proofs --------------------------------------------------------------------------

    @abstractmethod
    def digest(self) -> str:
        """Digest of all that is stored: equal means that nothing was written between.

        Call it only while no snapshot is open in this process.
        """

    @abstractmethod
    def free_bytes(self) -> int | None:
        """Room left where this database lies; None where it cannot be seen."""

    @abstractmethod
    def size_bytes(self) -> int:
        """Room that this database takes."""
