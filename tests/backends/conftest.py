"""Databases for the suite: a further one joins by a further parameter of `place`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from migrators.backends import backend_for
from migrators.backends.interface import ReadColumn, ReadQuery
from migrators.schema import SchemaVersion
from migrators.types import describe
from tests import servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from migrators.backends.interface import Backend


@dataclass(frozen=True)
class Place:
    """Where a test's databases lie.

    Attributes
    ----------
    url : callable
        Name of a database → its URL.
    scratch : Path
        A private directory.
    """

    url: Callable[[str], sa.URL]
    scratch: Path
    folder: Path

    def database(self, name: str = "shop_v3") -> Backend:
        """Return a database of this name; nothing is created."""
        return backend_for(self.url(name))

    def empty(self, name: str) -> Backend:
        """Return a database that is there and holds nothing; a file comes with its first table."""
        url = self.url(name)
        if url.get_backend_name() in servers.SERVERS:
            servers.create_database(url.get_backend_name(), url.database or "")
        return backend_for(url)

    def schema(self, metadata: sa.MetaData, **sql: Any) -> SchemaVersion:
        """Return metadata as schema version 3."""
        return SchemaVersion(3, self.folder / "v3.py", metadata, **sql)

    def read(self, database: Backend, query: ReadQuery) -> pa.Table:
        """Read a query as one table."""
        with database.snapshot(self.scratch) as snapshot:
            return pa.Table.from_batches(list(snapshot.batches(query)), schema=schema_of(query))

    def load(
        self, metadata: sa.MetaData, rows: dict[str, dict[str, list[Any]]], **sql: Any
    ) -> Backend:
        """Create, fill and finish a database."""
        database = self.database()
        schema = self.schema(metadata, **sql)
        database.create(schema)
        for table, values in rows.items():
            write(database, schema, table, values)
        database.finish(schema, {})
        return database


def write(
    database: Backend, schema: SchemaVersion, table: str, values: dict[str, list[Any]]
) -> int:
    """Write rows given as Python values by column."""
    columns = [c for c in schema.tables[table].stored if c.name in values]
    arrays = [pa.array(values[c.name], c.type.arrow) for c in columns]
    batch = pa.RecordBatch.from_arrays(arrays, names=[c.name for c in columns])
    return database.write(table, columns, iter([batch]))


def query_of(table: sa.Table, *, order: Sequence[str] | None = None) -> ReadQuery:
    """Return a query of a whole table, ordered by its key."""
    key = tuple(c.name for c in table.primary_key)
    return ReadQuery(
        str(sa.select(table)),
        tuple(ReadColumn(c.name, describe(c.type), table.name, c.name) for c in table.columns),
        key if order is None else tuple(order),
        key,
    )


def schema_of(query: ReadQuery) -> pa.Schema:
    """Return the Arrow schema that a query's batches have."""
    return query.schema


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give each test databases of its own, of each kind."""
    scratch = tmp_path / "scratch"
    scratch.mkdir(mode=0o700)
    if request.param not in servers.SERVERS:
        yield Place(lambda n: _file(request.param, tmp_path / f"{n}.db"), scratch, tmp_path)
        return
    server = servers.server_url(request.param)
    with servers.prefix(request.param) as own:
        yield Place(lambda name: server.set(database=f"{own}{name}"), scratch, tmp_path)


def _file(kind: str, path: Path) -> sa.URL:
    return sa.URL.create(kind, database=str(path))
