"""Databases of a test's own, and SQL run in them as an application would."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymysql
import pytest

from migrators.backends.interface import ReadColumn, ReadQuery
from migrators.backends.mysql import MariaDBBackend, MySQLBackend
from migrators.schema import SchemaVersion
from migrators.types import describe
from tests import servers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa
    import sqlalchemy as sa

KIND = "mysql"


@dataclass(frozen=True)
class Server:
    """The server, and a prefix for names of databases and users that are removed again."""

    own: str
    folder: Path

    def backend(self, name: str = "shop_v3", **url: Any) -> MySQLBackend:
        """Return the backend of a database, perhaps as another user."""
        return MySQLBackend(servers.server_url(KIND).set(database=self.own + name, **url))

    def mariadb(self, name: str = "shop_v3") -> MariaDBBackend:
        """Return the backend that a `mariadb://` URL gives."""
        url = self.backend(name).url.set(drivername="mariadb")
        return MariaDBBackend(url)

    def database(self, name: str = "shop_v3", *statements: str) -> MySQLBackend:
        """Create a database by plain SQL."""
        servers.create_database(KIND, self.own + name)
        self.run(name, *statements)
        return self.backend(name)

    def run(self, name: str, *statements: str) -> tuple[tuple[Any, ...], ...]:
        """Run SQL in a database, by the driver alone; return the last statement's rows."""
        url = self.backend(name).url
        connection = pymysql.connect(
            host=url.host, port=url.port or 3306, user=url.username, password=url.password or "",
            database=url.database, charset="utf8mb4", autocommit=True, ssl_disabled=True,
        )  # fmt: skip
        with connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return tuple(cursor.fetchall()) if statements and cursor.description else ()

    def admin(self, *statements: str) -> list[Any]:
        """Run SQL in no database."""
        rows: list[Any] = []
        with servers.maintenance(KIND) as connection:
            for statement in statements:
                found = connection.exec_driver_sql(statement)
                rows = list(found.all()) if found.returns_rows else []
        return rows

    def user(self, name: str, *grants: str) -> dict[str, str]:
        """Create a user; return what a URL says of it."""
        user = f"{self.own}{name}"
        self.admin(f"CREATE USER '{user}'@'%%' IDENTIFIED BY 'canary'", *(g % user for g in grants))
        return {"username": user, "password": "canary"}

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
            for (user,) in made.admin(f"SELECT user FROM mysql.user WHERE user LIKE '{own}%%'"):
                made.admin(f"DROP USER '{user}'@'%%'")


def read(
    database: MySQLBackend,
    sql: str,
    columns: dict[str, sa.types.TypeEngine[Any]],
    key: Sequence[str] = ("id",),
) -> list[pa.RecordBatch]:
    """Read a query as columns of these types."""
    described = tuple(ReadColumn(n, describe(t), "t", n) for n, t in columns.items())
    with database.snapshot(Path()) as snapshot:
        return list(snapshot.batches(ReadQuery(sql, described, (), tuple(key))))
