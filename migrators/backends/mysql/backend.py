"""The MySQL and MariaDB backends: a database on a server. The sections are interface.py's."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

import sqlalchemy as sa
from sqlalchemy.dialects.mysql.base import MySQLDialect
from sqlalchemy.dialects.mysql.mariadb import MariaDBDialect
from sqlalchemy.pool import NullPool

from migrators.backends.mysql import (
    catalog,
    connect,
    facts,
    language,
    live,
    lock,
    proofs,
    publish,
    sql,
)
from migrators.backends.mysql import limits as column_limits
from migrators.backends.mysql import stamp as stamps
from migrators.backends.server import Server
from migrators.types import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pyarrow as pa

    from migrators.access import Access, HasAccess
    from migrators.backends.fencing import Fence
    from migrators.backends.interface import Backend, Catalog, Snapshot, Stamp, Still
    from migrators.backends.live import Live
    from migrators.backends.model import Contents, Write
    from migrators.errors import ValueRefused
    from migrators.schema import Column, SchemaVersion
    from migrators.types import ColumnType
    from migrators.types.limits import Limits


class MySQLBackend(Server):
    """A database of a MySQL or MariaDB server, reached by a `mysql://` URL.

    Parameters
    ----------
    url : sqlalchemy.URL
        `mysql://user@host/database`; TLS and other options of the driver pass through.

    Raises
    ------
    UsageError
        For a URL that names no database, or one whose name is too long.
    """

    name: ClassVar[str] = "mysql"
    driver: ClassVar[str] = "pymysql"
    clones: ClassVar[bool] = False
    ahead: ClassVar[int] = 1
    _dialect: ClassVar[type[MySQLDialect]] = MySQLDialect
    exact_casts: ClassVar[frozenset[tuple[Kind, Kind]]] = frozenset(
        {(Kind.ENUM, Kind.TEXT), (Kind.TEXT, Kind.BINARY)}
    )

    def __init__(self, url: sa.URL) -> None:
        super().__init__(url)
        self._like = self.database
        self._unfenced: Mapping[str, Any] | None = None

    # 1 where ---------------------------------------------------------------------------

    @staticmethod
    def _too_long(name: str) -> str:
        return f"{sql.LONGEST_NAME} characters" if len(name) > sql.LONGEST_NAME else ""

    def exists(self) -> bool:
        """Whether there is a database of this name with anything in it.

        An empty one, which an administrator has made, is one to load into.
        """
        from migrators.backends.mysql import staging

        with connect.opened(self.url, "looking", database=False) as connection:
            return staging.holds_anything(connection, self.database)

    def inside(self, run: str) -> MySQLBackend:
        """Return this database, to be loaded in place; see `inside`."""
        from migrators.backends.mysql.inside import Inside, InsideMariaDB

        cls = InsideMariaDB if isinstance(self, MariaDBBackend) else Inside
        return cls(self.url, run)

    def like(self, old: Backend) -> Self:
        """Return this database, to be created with another's character set and collation."""
        if not isinstance(old, MySQLBackend):
            return self
        made = type(self)(self.url)
        made._like = old.database  # noqa: SLF001  another of the same
        return made

    def _sibling(self, marker: str) -> Self:
        return super()._sibling(marker).like(self)

    # 2 catalogue -----------------------------------------------------------------------

    @property
    def dialect(self) -> sa.Dialect:
        """SQLAlchemy's dialect, as the URL says; another style would double percent signs."""
        return self._dialect(paramstyle="named")

    def engine(self) -> sa.Engine:
        """Return an engine whose sessions are pinned."""

        def connected() -> Any:
            connection = connect.connected(self.url, connect.DEFINITIONS, own=False)
            connection.autocommit(False)
            return connection

        bare = sa.URL.create(f"{self.name}+pymysql", database=self.database)
        return sa.create_engine(bare, creator=connected, poolclass=NullPool)

    def catalog(self) -> Catalog:
        """Read the catalogue."""
        return catalog.read(self.url)

    def engine_version(self) -> str:
        """Return "MariaDB 10.11.19"."""
        return facts.version(self.url)

    def notes(self) -> tuple[str, ...]:
        """Return character set and collation, and what a snapshot does not hold for."""
        return facts.notes(self.url)

    def live(self) -> Live:
        """Return who else is there; see `live.live`."""
        return live.live(self.url)

    def unreadable(self, tables: Sequence[str]) -> dict[str, str]:
        """Return the GRANT missing to read each table; see `live.unreadable`."""
        return live.unreadable(self.url, tables)

    def unmakeable(self) -> tuple[str, ...]:
        """Return what lets the role make databases; see `live.unmakeable`."""
        return live.unmakeable(self.url)

    def limits(self, declared: sa.types.TypeEngine[Any]) -> Limits:
        """Return what a column of a type holds; see `limits.limits`."""
        return column_limits.limits(declared, self.dialect)

    def lint(self, declared: sa.types.TypeEngine[Any]) -> str | None:
        """Say what a type would lose; see `language.lint`."""
        return language.lint(declared, self.dialect)

    def unread(self, declared: sa.types.TypeEngine[Any]) -> str | None:
        """Say what to declare geometry as; see `language.unread`."""
        return language.unread(declared, self.dialect)

    def lint_names(self, metadata: sa.MetaData) -> tuple[str, ...]:
        """Say which names are too long, or one, and which defaults could not be published."""
        from migrators.backends.mysql import lone_sequences, naming

        return (*naming.refused(metadata), *lone_sequences.refused(metadata))

    def same_text(self, table: sa.Table, column: str) -> Callable[[list[str]], list[Any]]:
        """Return what gives texts the keys of the column's collation; see `collating`."""
        from migrators.backends.mysql import collating

        return collating.same_text(self.url, self.dialect, table.c[column], self._like)

    def sql(self, query: Any) -> str:
        """Compile a query, text compared by bytes; see `language.sql`."""
        return language.sql(query)

    def characters(self, text: Any) -> Any:
        """Return SQL for the length of a text in characters."""
        return sa.func.char_length(text)

    def has_nul(self, text: Any) -> Any:
        """Return SQL that is true for a text with U+0000."""
        return sa.func.locate(sa.literal_column("CHAR(0)"), text) > 0

    # 3 snapshot ------------------------------------------------------------------------

    @contextmanager
    def snapshot(self, scratch: Path, readers: int = 1) -> Iterator[Snapshot]:  # noqa: ARG002
        """Open a read-only transaction; the server sorts, so `scratch` stays empty."""
        from migrators.backends.mysql import snapshot

        with snapshot.opened(self.url, readers) as found:
            yield found

    # 4 staging -------------------------------------------------------------------------

    def create(self, schema: SchemaVersion) -> None:
        """Create the database and its tables; see `staging.create`."""
        from migrators.backends.mysql import staging

        scripts = self._scripts(schema, "before")
        staging.create(self.url, schema, self.dialect, scripts, self._like)
        staging.between(self.url, self._scripts(schema, "between"))

    def _loaded(self, basis: str) -> dict[str, int] | None:
        from migrators.backends.mysql import ledger

        return ledger.loaded(self.url, basis)

    def _begin(self, basis: str) -> None:
        from migrators.backends.mysql import ledger

        ledger.begin(self.url, basis)

    def _go_on(self, schema: SchemaVersion, loaded: dict[str, int]) -> None:
        from migrators.backends.mysql import ledger

        ledger.empty(self.url, [name for name in schema.tables if name not in loaded])

    def _scripts(self, schema: SchemaVersion, when: str) -> tuple[str, ...]:
        """Return the schema's own SQL for this database; MariaDB runs MySQL's if it has none."""
        return schema.scripts(when, self.name)

    def write(
        self, table: str, columns: Sequence[Column], batches: Iterator[pa.RecordBatch]
    ) -> int:
        """Append rows; see `staging.write`."""
        with self.writer() as write:
            return write(table, columns, batches)

    @contextmanager
    def writer(self) -> Iterator[Write]:
        """Keep a session open from table to table."""
        from migrators.backends.mysql import staging

        with connect.opened(self.url, "writing", sending=True) as connection:
            yield partial(staging.write, self.url, connection, ledgered=self.ledgered)

    def takes_text(self, declared: ColumnType) -> bool:
        """Return whether a column held as text is taken: one of dates and times is."""
        from migrators.backends.mysql import cells

        return declared.kind in cells.HELD

    def explained(
        self, refused: ValueRefused, schema: SchemaVersion, batches: Iterator[pa.RecordBatch]
    ) -> ValueRefused:
        """Name the rows that the server refused by number; see `broken.explained`."""
        from migrators.backends.mysql import broken

        return broken.explained(refused, schema, batches)

    # 5 after ---------------------------------------------------------------------------

    def finish(
        self, schema: SchemaVersion, sequences: dict[str, int], jobs: int = 1
    ) -> tuple[str, ...]:
        """Do what comes after the data; see `finish.finish`."""
        from migrators.backends.mysql import finish

        scripts = self._scripts(schema, "after")
        return finish.finish(self.url, schema, sequences, self.dialect, scripts, jobs)

    def settle(self, jobs: int = 1) -> None:  # noqa: ARG002  one statement takes many tables
        """ANALYZE; see `finish.settle`."""
        from migrators.backends.mysql import finish

        finish.settle(self.url)

    def prove(self, schema: SchemaVersion, scratch: Path) -> tuple[str, ...]:  # noqa: ARG002
        """Prove every foreign key; see `foreign_keys.prove`."""
        from migrators.backends.mysql import foreign_keys, snapshot

        with snapshot.opened(self.url) as found:
            return foreign_keys.prove(found.rows, schema.metadata)

    # 6 stamp ---------------------------------------------------------------------------

    def stamp(self) -> Stamp | None:
        """Read the stamp."""
        return stamps.read(self.url)

    def write_stamp(self, stamp: Stamp) -> None:
        """Write or replace the stamp."""
        stamps.write(self.url, stamp)

    def alembic_heads(self) -> tuple[str, ...]:
        """Read Alembic's table."""
        return stamps.alembic_heads(self.url)

    # 7 publish -------------------------------------------------------------------------

    def publish(
        self,
        staging: Backend,
        *,
        aside: Backend | None = None,
        like: Backend | None = None,  # noqa: ARG002  grants name databases
    ) -> None:
        """Move the staging database's tables to this name; see `publish.publish`."""
        publish.publish(self.url, staging.database, aside.database if aside else None)

    def recover(self) -> None:
        """Finish a publish that a crash cut short; see `publish.recover`."""
        publish.recover(self.url)

    def discard(self) -> None:
        """Drop the database."""
        publish.discard(self.url)

    # 8 proofs --------------------------------------------------------------------------

    def fence(self) -> Fence:
        """Return the fence; see `fence`."""
        from migrators.backends.mysql.fence import MySQLFence

        return MySQLFence(self.url)

    def unfenced(self, saved: Mapping[str, Any]) -> None:
        """Let `access` give the rights of before the fence."""
        self._unfenced = saved

    def contents(self) -> Contents:
        """Digest every table and the catalogue; see `proofs.contents`."""
        return proofs.contents(self.url)

    def held(self, project: str, command: str) -> AbstractContextManager[Still]:
        """Hold the project's lock on the server; see `lock.held`."""
        return lock.held(self.url, project, command)

    def partitions(self) -> dict[str, dict[str, int]]:
        """Count the rows of every partition; see `partitions.counted`."""
        from migrators.backends.mysql import partitions

        return partitions.counted(self.url)

    def size_bytes(self) -> int:
        """Room that tables and indexes take, as the server knows it."""
        return proofs.size_bytes(self.url)

    # 9 access --------------------------------------------------------------------------

    def same_roles(self, other: HasAccess) -> bool:
        """Whether another database is on the same server."""
        return isinstance(other, MySQLBackend) and all(
            getattr(self.url, part) == getattr(other.url, part) for part in ("host", "port")
        )

    def access(self) -> Access:
        """Read who may do what; see `rights.read`."""
        from migrators.backends.mysql import fence, rights

        found = rights.read(self.url)
        if self._unfenced is None:
            return found
        return replace(found, grants=fence.before(self._unfenced))

    def missing_rights(self, access: Access) -> tuple[str, ...]:
        """Return the GRANTs that an administrator types; see `rights.missing`."""
        from migrators.backends.mysql import rights

        return rights.missing(self.url, access)

    def give_access(self, access: Access) -> tuple[str, ...]:
        """Keep what is given when the tables have their names; see `granting.keep`."""
        from migrators.backends.mysql import granting

        return granting.keep(self.url, access, in_place=self.in_place)

    # 10 copies -------------------------------------------------------------------------

    def rewind(self, template: Self) -> bool:
        """Fill a copy again; see `copies.rewind`."""
        from migrators.backends.mysql import copies

        return copies.rewind(self.url, template.database)

    def _password(self) -> str | None:
        from migrators.backends.mysql import options

        return (options.arguments(self.url).get("password") or b"").decode() or None


class MariaDBBackend(MySQLBackend):
    """A database of a MariaDB server, reached by a `mariadb://` URL."""

    name: ClassVar[str] = "mariadb"
    _dialect: ClassVar[type[MySQLDialect]] = MariaDBDialect

    def _scripts(self, schema: SchemaVersion, when: str) -> tuple[str, ...]:
        own = schema.scripts(when, self.name) != schema.scripts(when, "")
        return schema.scripts(when, self.name if own else MySQLBackend.name)
