"""The PostgreSQL backend: a database on a server. The sections are interface.py's."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from migrators.backends import passwords
from migrators.backends.postgresql import (
    catalog,
    connect,
    content,
    facts,
    language,
    live,
    proofs,
    publish,
    sql,
)
from migrators.backends.postgresql import limits as column_limits
from migrators.backends.postgresql import stamp as stamps
from migrators.backends.server import Server
from migrators.types import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pyarrow as pa

    from migrators.access import Access, HasAccess
    from migrators.backends.fencing import Fence
    from migrators.backends.interface import Backend, Catalog, Snapshot, Stamp, Still
    from migrators.backends.live import Live
    from migrators.backends.model import Contents, Write
    from migrators.backends.postgresql.adbc import Database
    from migrators.schema import Column, SchemaVersion
    from migrators.types import ColumnType
    from migrators.types.limits import Limits


class PostgreSQLBackend(Server):
    """A database of a PostgreSQL server.

    Parameters
    ----------
    url : sqlalchemy.URL
        `postgresql://role@host/database`; TLS and other options of libpq pass through.

    Raises
    ------
    UsageError
        For a URL that names no database, or one whose name is too long.
    """

    name: ClassVar[str] = "postgresql"
    place: ClassVar[str] = "ctid"
    exact_casts: ClassVar[frozenset[tuple[Kind, Kind]]] = frozenset({(Kind.ENUM, Kind.TEXT)})
    """Text as bytea would be read for escapes."""
    driver: ClassVar[str] = "psycopg"
    aborts: ClassVar[bool] = True

    def __init__(self, url: sa.URL, like: Backend | None = None) -> None:
        super().__init__(url)
        self._like = like if isinstance(like, PostgreSQLBackend) else None
        self._keys: dict[str, tuple[str, ...]] = {}
        self._unfenced: Mapping[str, Any] | None = None

    # 1 where ---------------------------------------------------------------------------

    @staticmethod
    def _too_long(name: str) -> str:
        return f"{sql.LONGEST_NAME} bytes" if len(name.encode()) > sql.LONGEST_NAME else ""

    def exists(self) -> bool:
        """Whether the server has a database of this name."""
        with connect.maintenance(self.url, "looking") as connection:
            return publish.exists(connection, self.database)

    def inside(self, run: str) -> PostgreSQLBackend:
        """Return this database, to be loaded in place; see `inside`."""
        from migrators.backends.postgresql.inside import Inside

        return Inside(self.url, run)

    def scratch(self, folder: Path, name: str) -> PostgreSQLBackend:  # noqa: ARG002
        """Return a database to discard, of the same encoding and locale."""
        return self.staging(name).like(self)

    def like(self, old: Backend) -> Self:
        """Return this database, to be created with encoding, locale and tablespace of another."""
        return type(self)(self.url, old)

    # 2 catalogue -----------------------------------------------------------------------

    @property
    def dialect(self) -> sa.Dialect:
        """SQLAlchemy's PostgreSQL dialect."""
        return language.DIALECT

    def engine(self) -> sa.Engine:
        """Return an engine whose sessions are pinned."""

        def connected() -> connect.Connection:
            connection = connect.connected(self.url)
            connection.autocommit = False
            return connection

        bare = sa.URL.create("postgresql+psycopg", database=self.database)
        return sa.create_engine(bare, creator=connected, poolclass=NullPool)

    def catalog(self) -> Catalog:
        """Read the catalogue."""
        with connect.opened(self.url, "reading the catalogue") as connection:
            return catalog.read(connection)

    def engine_version(self) -> str:
        """Return "PostgreSQL 15.20"."""
        with connect.maintenance(self.url, "looking") as connection:
            return facts.version(connection)

    def notes(self) -> tuple[str, ...]:
        """Return encoding and locale."""
        with connect.maintenance(self.url, "looking") as connection:
            return facts.notes(connection, self.database)

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
        return language.lint(declared)

    def lint_names(self, metadata: sa.MetaData) -> tuple[str, ...]:
        """Say which names are too long; see `language.lint_names`."""
        return language.lint_names(metadata)

    def sql(self, query: Any) -> str:
        """Compile a query, text compared by bytes; see `language.sql`."""
        return language.sql(query)

    # 3 snapshot ------------------------------------------------------------------------

    @contextmanager
    def snapshot(self, scratch: Path, readers: int = 1) -> Iterator[Snapshot]:  # noqa: ARG002
        """Open read transactions of one moment; the server sorts, so `scratch` stays empty."""
        from migrators.backends.postgresql import snapshot

        with snapshot.opened(self.url, self._road, readers) as found:
            yield found

    # 4 staging -------------------------------------------------------------------------

    def create(self, schema: SchemaVersion) -> None:
        """Create the database and its tables; see `staging.create`."""
        from migrators.backends.postgresql import staging

        self._knows(schema)
        said = facts.UTF8
        if self._like is not None:
            old = self._like.url
            said = facts.locale(old) + facts.tablespace(old, self.url)
        staging.create(self.url, schema, self.name, said)

    def _knows(self, schema: SchemaVersion) -> None:
        """Keep what holds for the tables that were made of a schema."""
        self._keys = {name: table.primary_key for name, table in schema.tables.items()}
        self.__dict__.pop("_road", None)  # types may be others

    @cached_property
    def _road(self) -> Database:
        """The quick road: its sessions read types once."""
        from migrators.backends.postgresql.adbc import Database

        return Database(self.url)

    def _loaded(self, basis: str) -> dict[str, int] | None:
        from migrators.backends.postgresql import ledger

        return ledger.loaded(self.url, basis)

    def _begin(self, basis: str) -> None:
        from migrators.backends.postgresql import ledger

        ledger.begin(self.url, basis)

    def _go_on(self, schema: SchemaVersion, loaded: dict[str, int]) -> None:  # noqa: ARG002
        self._knows(schema)  # what was not committed is not there

    def write(
        self, table: str, columns: Sequence[Column], batches: Iterator[pa.RecordBatch]
    ) -> int:
        """Append rows; see `writing.Writer`."""
        with self.writer() as write:
            return write(table, columns, batches)

    @contextmanager
    def writer(self) -> Iterator[Write]:
        """Keep sessions open from table to table; see `writing.opened`."""
        from migrators.backends.postgresql import writing

        with writing.opened(self.url, ledgered=self.ledgered) as made:
            yield lambda table, columns, batches: made.write(
                table, columns, batches, self._keys.get(table, ())
            )

    def takes_text(self, declared: ColumnType) -> bool:
        """Whether a column may be held as text: the server reads its own forms."""
        return declared.may_be_text

    # 5 after ---------------------------------------------------------------------------

    def finish(
        self, schema: SchemaVersion, sequences: dict[str, int], jobs: int = 1
    ) -> tuple[str, ...]:
        """Do what comes after the data, references proven; see `finish.finish`."""
        from migrators.backends.postgresql import finish

        return finish.finish(self.url, schema, sequences, self.name, jobs)

    def settle(self, jobs: int = 1) -> None:
        """VACUUM and ANALYZE; see `finish.settle`."""
        from migrators.backends.postgresql import finish

        finish.settle(self.url, jobs)

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
        self, staging: Backend, *, aside: Backend | None = None, like: Backend | None = None
    ) -> None:
        """Rename the staging database to this name; see `publish.publish`."""
        model = like if isinstance(like, PostgreSQLBackend) else None
        publish.publish(
            self.url,
            staging.database,
            aside.database if aside else None,
            None if model is None else model.database,
            None if model is None else model._unfenced,  # noqa: SLF001  another of the same
        )

    def ready(self) -> None:
        """Refuse a role without the right, and people connected; see `publish.ready`."""
        publish.ready(self.url)

    def discard(self) -> None:
        """Drop the database."""
        publish.discard(self.url)

    # 8 proofs --------------------------------------------------------------------------

    def fence(self) -> Fence:
        """Return the fence; see `fence`."""
        from migrators.backends.postgresql.fence import PostgreSQLFence

        return PostgreSQLFence(self.url)

    def unfenced(self, saved: Mapping[str, Any]) -> None:
        """Give who may connect, not whom the fence lets in, to what is made like this."""
        self._unfenced = saved

    def contents(self) -> Contents:
        """Digest catalogue and rows; see `content.contents`."""
        return content.contents(self.url)

    def held(self, project: str, command: str) -> AbstractContextManager[Still]:
        """Hold an advisory lock in the maintenance database."""
        return proofs.held(self.url, project, command)

    def partitions(self) -> dict[str, dict[str, int]]:
        """Count the rows of every partition; see `partitions.counted`."""
        from migrators.backends.postgresql import partitions

        return partitions.counted(self.url)

    def size_bytes(self) -> int:
        """Size of the database."""
        return proofs.size_bytes(self.url)

    # 9 access --------------------------------------------------------------------------

    def same_roles(self, other: HasAccess) -> bool:
        """Whether another database is on the same server."""
        return isinstance(other, PostgreSQLBackend) and all(
            getattr(self.url, part) == getattr(other.url, part) for part in ("host", "port")
        )

    def access(self) -> Access:
        """Read who may do what; see `rights.read`."""
        from migrators.backends.postgresql import rights

        with connect.opened(self.url, "reading rights") as connection:
            return rights.read(connection)

    def missing_rights(self, access: Access) -> tuple[str, ...]:
        """Return the GRANTs that an administrator types; see `granting.missing`."""
        from migrators.backends.postgresql import granting

        return granting.missing(self.url, access)

    def give_access(self, access: Access) -> tuple[str, ...]:
        """Give this staging database access; see `granting.give`."""
        from migrators.backends.postgresql import granting

        return granting.give(self.url, access)

    # 10 copies -------------------------------------------------------------------------

    def copy_of(self, template: Self) -> None:
        """Clone a database that nobody is connected to."""
        with connect.maintenance(self.url, "copying") as connection:
            names = sql.name(self.database), sql.name(template.database)
            connection.execute("CREATE DATABASE {} TEMPLATE {}".format(*names))

    def _password(self) -> str | None:
        return self.url.password or passwords.given()
