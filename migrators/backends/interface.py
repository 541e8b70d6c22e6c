"""What the engine asks of a database. One `Backend` object is bound to one database.

The old database, a staging database and a published one are three `Backend` objects.
Each file beside this one has the same sections in the same order:

    1 where        name, existence, siblings
    2 catalogue    what is in it, comparable
    3 snapshot     consistent read, exact rows
    4 staging      create, or go on with what was begun: `begins.Begins`; write in bulk
    5 after        indexes, foreign keys, sequences, triggers, views, statistics
    6 stamp        which version it says it is
    7 publish      make visible, set aside, discard
    8 proofs       digest of what is stored, locks, fences: `migrators.backends.fencing.Fences`
    9 access       owners and rights, read and given: `migrators.access.HasAccess`
   10 copies       for tests, at once: `migrators.backends.copies.Copies`

Only this folder knows dialects by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa

from migrators.access import HasAccess
from migrators.backends.begins import Begins
from migrators.backends.copies import Copies
from migrators.backends.fencing import Fences
from migrators.backends.live import Looks
from migrators.backends.model import Catalog, Cut, ReadColumn, ReadQuery, Stamp, Still
from migrators.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pyarrow as pa

    from migrators.backends.model import Contents, Write
    from migrators.errors import ValueRefused
    from migrators.schema import Column, SchemaVersion
    from migrators.types import ColumnType, Kind
    from migrators.types.limits import Limits

__all__ = ["Backend", "Catalog", "Cut", "ReadColumn", "ReadQuery", "Snapshot", "Stamp", "Still"]


class Snapshot(ABC):
    """One consistent, read-only view of a database, for one thread at a time."""

    @property
    def readers(self) -> tuple[Snapshot, ...]:
        """Itself first, then others of the very same moment, each for another thread."""
        return (self,)

    def pieces(self, query: ReadQuery) -> tuple[ReadQuery, ...]:
        """Return queries whose rows, one after the other, are those of `query`, in its order.

        They are exact ranges: whatever the bounds are, each row is in one of them. So a big
        table is read by several readers. The query alone where that is not exact, or where
        it would take longer.
        """
        return (query,)

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


class Backend(HasAccess, Looks, Begins, Fences, Copies, ABC):
    """One database. Constructing it touches nothing."""

    name: ClassVar[str]
    """SQLAlchemy's name of the dialect."""
    in_place: bool = False
    """Whether it is loaded under its own name: see `inside`."""
    unchanged: ClassVar[str] = "not one row changed"
    """What an equal `digest` says, for people."""
    writers: ClassVar[int] = 1
    """Threads that may `write` at once, each another table."""
    place: ClassVar[str] = ""
    """SQL for where a row of a table is kept, which ranges of rows can be asked for by."""
    exact_casts: ClassVar[frozenset[tuple[Kind, Kind]]] = frozenset()
    """From what to what a CAST gives each value exactly, but for integers to text."""

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

    def inside(self, run: str) -> Backend:  # noqa: ARG002  a file is never in need of it
        """Return this database, there and empty, to be loaded in place by a run; stamped last.

        For servers where no database may be created. `ready` refuses one that is not there
        or not empty; `create` marks it as the run's; `write_stamp` takes the mark away;
        `discard` empties it where the mark is the run's, and never a stamped one.

        Raises
        ------
        UsageError
            Databases of this kind can always be created.
        """
        raise UsageError(
            f"{self.database}: nothing is loaded into a file that is there",
            hint="--to URL     makes a new one",
        )

    def scratch(self, folder: Path, name: str) -> Backend:  # noqa: ARG002  a server needs none
        """Return a database of this kind, to build a schema in and discard.

        A file lies in `folder`, which is private; `name` is unique to the caller.
        """
        return self.staging(name)

    def like(self, old: Backend) -> Backend:  # noqa: ARG002
        """Return this database, to be created with the encoding and order of an old one."""
        return self

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

    def copies_to_read(self) -> bool:
        """Whether a snapshot needs a private copy; call it only while none is open."""
        return False

    def limits(self, declared: sa.types.TypeEngine[Any]) -> Limits:  # noqa: ARG002
        """Return what a column of a declared type holds, where that is less than its kind."""
        from migrators.types.limits import NONE

        return NONE

    @abstractmethod
    def lint(self, declared: sa.types.TypeEngine[Any]) -> str | None:
        """Say what a declared type would lose silently here and what to write instead."""

    def unread(self, declared: sa.types.TypeEngine[Any]) -> str | None:  # noqa: ARG002
        """Say why values of a declared type cannot be read here, and what to write instead."""
        return None

    def lint_names(self, metadata: sa.MetaData) -> tuple[str, ...]:  # noqa: ARG002
        """Say which names of a schema cannot be here, or are one here; a sentence each."""
        return ()

    def same_text(self, table: sa.Table, column: str) -> Callable[[list[str]], list[Any]] | None:  # noqa: ARG002
        """Return what tells texts of a new column apart: equal keys, equal texts to its indexes.

        It takes texts to keys, one each. None where texts compare by their bytes.
        """
        return None

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
    def snapshot(self, scratch: Path, readers: int = 1) -> AbstractContextManager[Snapshot]:
        """Open one consistent snapshot; `scratch` is a private directory (0700) it may use.

        Parameters
        ----------
        readers : int
            How many threads want to read it at once, through `Snapshot.readers`. Where a
            database cannot give several the very same moment, it gives fewer.

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

    @contextmanager
    def writer(self) -> Iterator[Write]:
        """Give what does as `write` does, in one thread, until an error: it keeps sessions."""
        yield self.write

    def takes_text(self, declared: ColumnType) -> bool:  # noqa: ARG002
        """Return whether `write` takes a column held as text, and a snapshot gives it so.

        Where not, it gets Arrow's values, and a text that is none of them was refused. See
        `migrators.types`.
        """
        return False

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
    def finish(
        self, schema: SchemaVersion, sequences: dict[str, int], jobs: int = 1
    ) -> tuple[str, ...]:
        """Build what comes after the data; return facts for the report.

        Parameters
        ----------
        jobs : int
            Tables at a time, where the database takes several `writers`.

        Raises
        ------
        ValueRefused
            For rows that break a unique index or a constraint.
        """

    def settle(self, jobs: int = 1) -> None:
        """Gather statistics, of `jobs` tables at a time, where `finish` has none."""

    def prove(self, schema: SchemaVersion, scratch: Path) -> tuple[str, ...]:  # noqa: ARG002
        """Prove the references that `finish` has not; return facts for the report.

        Called in a thread of its own, while a snapshot of the same database is compared. A
        database that checks its foreign keys as it adds them has nothing left to prove.

        Raises
        ------
        ValueRefused
            For rows whose parent is missing, naming table, columns, parent and sample keys.
        """
        return ()

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
            The old database, whose owner and mode the new one takes; None: the former one's.
        """

    def recover(self) -> None:
        """Finish a publish of this name that a crash cut short; the caller holds the lock."""

    def ready(self) -> None:
        """Refuse now what `publish` would refuse after all the work, but for a taken name."""

    @abstractmethod
    def discard(self) -> None:
        """Remove this staging (or dropped) database and what belongs to it."""

    # 8 proofs --------------------------------------------------------------------------

    @abstractmethod
    def contents(self) -> Contents:
        """Digest all that is stored, by table, while no snapshot is open here."""

    def digest(self) -> str:
        """Digest all that is stored; equal: nothing was written."""
        return self.contents().digest

    def require_sound(self) -> None:
        """Refuse what is stored damaged where reading it would merely give fewer rows."""

    def held(self, project: str, command: str) -> AbstractContextManager[Still]:  # noqa: ARG002
        """Hold the lock of a project on this server; a file's project is locked already.

        What it gives raises `DatabaseError` once the lock is lost, with its connection.

        Parameters
        ----------
        project, command : str
            Whose lock, and what the holder runs: shown to who comes second.

        Raises
        ------
        Locked
            Who holds it, and since when.
        """
        return nullcontext(lambda: None)

    def partitions(self) -> dict[str, dict[str, int]]:
        """Return how many rows each partition has, by table; nothing of tables without any."""
        return {}
