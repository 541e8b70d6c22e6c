"""Real servers for tests: where they are, whether they answer, databases of a test's own.

Where none answers a test is skipped, with what to type; `MIGRATORS_REQUIRE_SERVERS=1` makes
that a failure.
"""

from __future__ import annotations

import os
import secrets
import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Server:
    """A kind of server.

    Attributes
    ----------
    variable : str
        Environment variable with the URL of a database where others may be made.
    default : str
        Its value where it is not set; the driver is named.
    start : str
        What to type for one that answers there.
    listing : str
        SQL for the names of its databases.
    force : str
        What follows DROP DATABASE, so that sessions which are left do not keep it.
    query : dict
        Of SQLAlchemy's URL. A context for TLS takes longer to make than what a test asks.
    """

    variable: str
    default: str
    driver: str
    start: str
    listing: str
    force: str = ""
    query: Mapping[str, str] = field(default_factory=dict)


SERVERS = {
    "postgresql": Server(
        "MIGRATORS_TEST_POSTGRESQL_URL",
        "postgresql://postgres@127.0.0.1:5432/postgres",
        "postgresql+psycopg",
        "docker run -d -p 5432:5432 -e POSTGRES_HOST_AUTH_METHOD=trust postgres:15",
        "SELECT datname FROM pg_database",
        " WITH (FORCE)",
    ),
    "mysql": Server(
        "MIGRATORS_TEST_MYSQL_URL",
        "mysql://root@127.0.0.1:3306/",
        "mysql+pymysql",
        "docker run -d -p 3306:3306 -e MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1 mariadb:10.11",
        "SHOW DATABASES",
        query={"ssl_disabled": "true"},
    ),
}


@cache
def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=2):
            return True
    except OSError:
        return False


def server_url(kind: str) -> sa.URL:
    """Return the URL of a server, as a person writes it; skip the test where none answers."""
    server = SERVERS[kind]
    url = sa.make_url(os.environ.get(server.variable, server.default))
    port = url.port or sa.make_url(server.default).port or 0
    if not _answers(url.host or "127.0.0.1", port):
        told = f"no {kind} server at {url.host}:{port}; start one: {server.start}"
        if os.environ.get("MIGRATORS_REQUIRE_SERVERS") == "1":
            pytest.fail(told)
        pytest.skip(told)
    return url


def driven(url: sa.URL) -> sa.URL:
    """Return a database's URL as SQLAlchemy takes it: on a server, with a driver."""
    server = SERVERS.get(url.get_backend_name())
    return url.set(drivername=server.driver).update_query_dict(server.query) if server else url


@contextmanager
def maintenance(kind: str) -> Iterator[sa.Connection]:
    """Give a connection in autocommit to the database that the server's URL names."""
    engine = sa.create_engine(
        driven(server_url(kind)), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def prefix(kind: str) -> Iterator[str]:
    """Give a prefix that no other test has; databases whose names begin so are dropped."""
    server_url(kind)
    made = f"t{secrets.token_hex(4)}_"
    try:
        yield made
    finally:
        drop_all(kind, made)


def create_database(kind: str, name: str) -> None:
    """Create an empty database."""
    with maintenance(kind) as connection:
        quote = connection.dialect.identifier_preparer.quote_identifier
        connection.exec_driver_sql(f"CREATE DATABASE {quote(name)}")


def names(kind: str) -> list[str]:
    """Return the names of a server's databases."""
    with maintenance(kind) as connection:
        return [str(n) for n in connection.exec_driver_sql(SERVERS[kind].listing).scalars()]


def drop_all(kind: str, begins: str) -> None:
    """Drop every database whose name begins so."""
    mine = [name for name in names(kind) if name.startswith(begins)]
    with maintenance(kind) as connection:
        quote = connection.dialect.identifier_preparer.quote_identifier
        for name in mine:
            connection.exec_driver_sql(f"DROP DATABASE {quote(name)}{SERVERS[kind].force}")
