"""The SQLite backend: one file is one database. The sections are interface.py's."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import NullPool

from migrators.backends import where
from migrators.backends.interface import Backend, Catalog, Snapshot, Stamp
from migrators.backends.live import Live
from migrators.backends.model import Contents
from migrators.backends.sqlite import (
    catalog,
    connect,
    language,
    proofs,
    publish,
    source,
)
from migrators.backends.sqlite import limits as column_limits
from migrators.backends.sqlite import stamp as stamps
from migrators.backends.sqlite.facts import Facts
from migrators.backends.sqlite.parts import BESIDE, Parts
from migrators.errors import UsageError
from migrators.types import Kind

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    from migrators.backends.fencing import Fence
    from migrators.errors import ValueRefused
    from migrators.schema import Column, SchemaVersion
    from migrators.types.limits import Limits

_LONGEST_NAME = 255
"""Bytes in a file name, on the file systems in use (NAME_MAX)."""
_PATIENCE = 5.0
"""Seconds to wait for a lock; `?timeout=` in the URL says otherwise, as in SQLAlchemy."""

_PART = 0.5
"""Of a new file's size, about what is in its part when the two are joined, at most."""


class SQLiteBackend(Facts, Backend):
    """A SQLite file.

    Parameters
    ----------
    url : sqlalchemy.URL
        `sqlite:///path`, perhaps with `?timeout=seconds`.

    Raises
    ------
    UsageError
        For a URL that names no file.
    """

    name: ClassVar[str] = "sqlite"
    writers: ClassVar[int] = 2
    unchanged: ClassVar[str] = "not one byte changed"
    exact_casts: ClassVar[frozenset[tuple[Kind, Kind]]] = frozenset({(Kind.TEXT, Kind.BINARY)})

    def __init__(self, url: sa.URL) -> None:
        super().__init__(url)
        if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
            raise UsageError(
                f"{url.render_as_string()}: names no file", hint="write sqlite:///path/to/file.db"
            )
        self.path = Path(url.database)
        self._snapshots = 0
        self._made: Parts | None = None

    # 1 where ---------------------------------------------------------------------------

    @property
    def database(self) -> str:
        """The file's path."""
        return str(self.path)

    def exists(self) -> bool:
        """Whether anything has this name."""
        return self.path.exists() or self.path.is_symlink()

    def staging(self, run: str) -> SQLiteBackend:
        """Return the staging file of a run, beside this one."""
        return self._sibling(f"__loading_{run}")

    def aside(self, run: str) -> SQLiteBackend:
        """Return the file that a replaced version becomes, beside this one."""
        return self._sibling(f"__was_{run}")

    def scratch(self, folder: Path, name: str) -> SQLiteBackend:
        """Return a file in a private folder."""
        return type(self)(where.scratch(self.name, folder, name))

    def _sibling(self, marker: str) -> SQLiteBackend:
        name = f"{self.path.stem}{marker}{self.path.suffix}"
        if len(f"{name}-journal".encode()) > _LONGEST_NAME:
            raise UsageError(
                f"{name}: is longer than {_LONGEST_NAME} bytes with its journal",
                hint="choose a shorter name for the database",
            )
        return type(self)(self.url.set(database=str(self.path.with_name(name))))

    @property
    def _busy_ms(self) -> int:
        return int(float(str(self.url.query.get("timeout", _PATIENCE))) * 1000)

    def _closed(self) -> Path:
        """Return the path for work that opens the file, which a snapshot must not see.

        A programming error, not a user's: it would drop the snapshot's locks unnoticed.
        """
        if self._snapshots:
            raise RuntimeError(f"{self.path}: a snapshot is open in this process")
        return self.path

    # 2 catalogue -----------------------------------------------------------------------

    @property
    def dialect(self) -> sa.Dialect:
        """SQLAlchemy's SQLite dialect."""
        return sqlite.dialect()

    def engine(self) -> sa.Engine:
        """Return an engine whose sessions are pinned; not for use while a snapshot is open."""
        path = self._closed()

        def connected() -> sqlite3.Connection:
            connection = connect.opened(path, "rwc", self._busy_ms)
            connection.isolation_level = "DEFERRED"  # SQLAlchemy begins and ends transactions
            return connection

        return sa.create_engine(self.url.set(query={}), creator=connected, poolclass=NullPool)

    def catalog(self) -> Catalog:
        """Read the catalogue, of a private copy where the file needs recovery."""
        with source.readable(self._closed(), self._busy_ms) as connection:
            return catalog.read(connection, self.dialect)

    def limits(self, declared: sa.types.TypeEngine[Any]) -> Limits:
        """Return what a column of a type holds; see `limits.limits`."""
        return column_limits.limits(declared, self.dialect)

    def lint(self, declared: sa.types.TypeEngine[Any]) -> str | None:
        """Say what a type would lose; see `language.lint`."""
        return language.lint(declared, self.dialect)

    def sql(self, query: Any) -> str:
        """Compile a query without the collations of its columns; see `language.sql`."""
        return language.sql(query)

    # 3 snapshot ------------------------------------------------------------------------

    @contextmanager
    def snapshot(self, scratch: Path, readers: int = 1) -> Iterator[Snapshot]:
        """Open a read transaction; `scratch` takes sorts, and a copy where one is needed."""
        from migrators.backends.sqlite import snapshot

        with snapshot.opened(self._closed(), scratch, self._busy_ms, readers) as found:
            self._snapshots += 1
            try:
                yield found
            finally:
                self._snapshots -= 1

    # 4 staging -------------------------------------------------------------------------

    def create(self, schema: SchemaVersion) -> None:
        """Create the file and its tables; see `staging.create`."""
        from migrators.backends.sqlite import staging

        create = partial(staging.create, schema=schema, dialect=self.dialect, busy_ms=self._busy_ms)
        create(self.path)
        self._made = Parts.of(self.path)
        if not schema.scripts("between", self.name):  # it may have made triggers
            self._made.allow(partial(create, self._made.part))

    def write(
        self, table: str, columns: Sequence[Column], batches: Iterator[pa.RecordBatch]
    ) -> int:
        """Append rows; see `staging.write`."""
        from migrators.backends.sqlite import staging

        self._closed()
        files = self._files
        with files.writing() as path:
            rows = staging.write(path, table, columns, batches)
            files.wrote(path, table, rows)
        return rows

    @property
    def _files(self) -> Parts:
        """The file, and where this object made it, what is written at once with it."""
        return self._made or Parts.of(self.path)

    def explained(
        self, refused: ValueRefused, schema: SchemaVersion, batches: Iterator[pa.RecordBatch]
    ) -> ValueRefused:
        """Count and name the rows that break a constraint; see `broken.explained`."""
        from migrators.backends.sqlite import broken

        self._closed()
        again = source.beside(self.path, BESIDE[1])  # the staging file may be written to yet
        return broken.explained(again, refused, schema, batches, self.dialect, self._busy_ms)

    # 5 after ---------------------------------------------------------------------------

    def finish(
        self,
        schema: SchemaVersion,
        sequences: dict[str, int],
        jobs: int = 1,  # noqa: ARG002  two files are finished at once, one is not
    ) -> tuple[str, ...]:
        """Do what comes after the data; see `finish.finish`."""
        from migrators.backends.sqlite import finish

        self._closed()
        return finish.finish(self._files, schema, sequences, self.dialect, self._busy_ms)

    def prove(self, schema: SchemaVersion, scratch: Path) -> tuple[str, ...]:
        """Prove every foreign key; see `foreign_keys.prove`."""
        from migrators.backends.sqlite import foreign_keys, snapshot

        with snapshot.opened(self.path, scratch, self._busy_ms) as found:
            return foreign_keys.prove(found.rows, schema.metadata)

    # 6 stamp ---------------------------------------------------------------------------

    def stamp(self) -> Stamp | None:
        """Read the stamp."""
        return stamps.read(self._closed(), self._busy_ms)

    def write_stamp(self, stamp: Stamp) -> None:
        """Write or replace the stamp."""
        stamps.write(self._closed(), stamp, self._busy_ms)

    def alembic_heads(self) -> tuple[str, ...]:
        """Read Alembic's table."""
        return stamps.alembic_heads(self._closed(), self._busy_ms)

    # 7 publish -------------------------------------------------------------------------

    def publish(
        self, staging: Backend, *, aside: Backend | None = None, like: Backend | None = None
    ) -> None:
        """Link the staging file to this name; see `publish.publish`."""
        publish.publish(
            _path(staging),
            self._closed(),
            _path(aside) if aside else None,
            like.path if isinstance(like, SQLiteBackend) else None,
            self._busy_ms,
        )

    def recover(self) -> None:
        """Take back a set-aside name that a crash left beside this one; see `publish.recover`."""
        publish.recover(self.path)

    def ready(self) -> None:
        """Refuse files beside the name; see `publish.ready`."""
        publish.ready(self._closed())

    def discard(self) -> None:
        """Remove the file and what lies beside it."""
        publish.discard(self._closed())

    # 8 proofs --------------------------------------------------------------------------

    def live(self) -> Live:
        """Return what a load takes besides the file: see `parts`."""
        return Live(log_share=_PART)

    def fence(self) -> Fence:
        """Return the fence of the file; see `fence`."""
        from migrators.backends.sqlite.fence import SQLiteFence

        return SQLiteFence(self._closed(), self._busy_ms)

    def contents(self) -> Contents:
        """Digest main file and WAL."""
        return Contents({"": proofs.digest(self._closed())})

    def require_sound(self) -> None:
        """Have SQLite look at every page; see `source.require_sound`."""
        source.require_sound(self._closed(), self._busy_ms)

    def free_bytes(self) -> int | None:
        """Room in the folder."""
        return proofs.free_bytes(self.path)

    def size_bytes(self) -> int:
        """Size of the files."""
        return proofs.size_bytes(self.path)

    # 10 copies -------------------------------------------------------------------------

    @classmethod
    def for_tests(cls, url: sa.URL, folder: Path) -> SQLiteBackend:  # noqa: ARG003
        """Return a file in the folder, whatever file the URL names."""
        return cls(where.scratch(cls.name, folder, "test"))

    @classmethod
    def fill(cls, engine: sa.Engine, load: Callable[[Any], None]) -> None:
        """Fill the empty database of an engine, in memory or not; see `copies.fill`."""
        from migrators.backends.sqlite import copies

        copies.fill(engine, lambda file: load(cls(where.scratch(cls.name, *file))))

    def application_url(self) -> sa.URL:
        """Return the URL."""
        return self.url

    def application_engine(self) -> sa.Engine:
        """Return an engine whose commits do not wait for the disk."""
        engine = super().application_engine()
        sa.event.listen(engine, "connect", _unsynchronised)
        return engine

    def copy_of(self, template: SQLiteBackend) -> None:
        """Copy a file that nobody writes to."""
        shutil.copyfile(template.path, self.path)

    def in_memory(self) -> sqlite3.Connection:
        """Return a connection to a copy in memory, for whichever thread has a turn."""
        from migrators.backends.sqlite import copies

        return copies.in_memory(self.path)


def _unsynchronised(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")


def _path(backend: Backend) -> Path:
    """Return the path of another backend, which must be of this kind too."""
    if not isinstance(backend, SQLiteBackend):
        raise TypeError(f"{backend.name} is not {SQLiteBackend.name}")
    return backend.path
