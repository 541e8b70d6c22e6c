"""Databases of a test's own, and SQL run in them as an application would."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from migrators.backends.interface import ReadColumn, ReadQuery
from migrators.backends.postgresql import PostgreSQLBackend
from migrators.schema import SchemaVersion
from migrators.types import describe
from tests import servers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa
    import sqlalchemy as sa

KIND = "postgresql"


@dataclass(frozen=True)
class Server:
    """The server, and a prefix for names of databases and roles that are removed again."""

    own: str
    folder: Path

    def backend(self, name: str = "shop_v3", **url: Any) -> PostgreSQLBackend:
        """Return the backend of a database, perhaps as another role."""
        return PostgreSQLBackend(servers.server_url(KIND).set(database=self.own + name, **url))

    def database(self, name: str = "shop_v3", *statements: str) -> PostgreSQLBackend:
        """Create a database by plain SQL."""
        servers.create_database(KIND, self.own + name)
        self.run(name, *statements)
        return self.backend(name)

    def connected(self, name: str) -> psycopg.Connection[Any]:
        """Return a connection of the application's; the caller closes it."""
        url = self.backend(name).url.set(drivername=KIND)
        return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)

    def run(self, name: str, *statements: str) -> list[Any]:
        """Run SQL in a database; return the last statement's rows."""
        rows: list[Any] = []
        with self.connected(name) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
                rows = cursor.fetchall() if cursor.description else []
        return rows

    def admin(self, *statements: str) -> list[Any]:
        """Run SQL in the maintenance database, as a superuser."""
        rows: list[Any] = []
        with servers.maintenance(KIND) as connection:
            for statement in statements:
                found = connection.exec_driver_sql(statement)
                rows = list(found.all()) if found.returns_rows else []
        return rows

    def role(self, name: str, options: str = "LOGIN") -> str:
        """Create a role; return its name."""
        self.admin(f'CREATE ROLE "{self.own}{name}" {options}')
        return f"{self.own}{name}"

    def schema(self, metadata: sa.MetaData, **sql: Any) -> SchemaVersion:
        """Return metadata as schema version 3."""
        return SchemaVersion(3, self.folder / "v3.py", metadata, **sql)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server, and names of one's own on it."""
    with servers.prefix(KIND) as own:
        made = Server(own, tmp_path)
        try:
            yield made
        finally:
            databases = f"SELECT datname FROM pg_database WHERE datname LIKE '{own}%%'"
            for (name,) in made.admin(databases):
                made.admin(f'DROP DATABASE "{name}" WITH (FORCE)')
            for (name,) in made.admin(f"SELECT rolname FROM pg_roles WHERE rolname LIKE '{own}%%'"):
                made.admin(f'DROP ROLE "{name}"')


def read(
    database: PostgreSQLBackend,
    sql: str,
    columns: dict[str, sa.types.TypeEngine[Any]],
    key: Sequence[str] = ("id",),
) -> list[pa.RecordBatch]:
    """Read a query as columns of these types."""
    described = tuple(ReadColumn(n, describe(t), "t", n) for n, t in columns.items())
    with database.snapshot(Path()) as snapshot:
        return list(snapshot.batches(ReadQuery(sql, described, (), tuple(key))))
