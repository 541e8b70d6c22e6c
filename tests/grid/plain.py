"""The databases without the engine: plain SQL in, the server's own text out."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
import pymysql

from migrators.types import Kind
from tests import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

    from migrators.types import ColumnType

Texts = dict[int, str | None]
"""By key."""


class Plain(Protocol):
    """A connection that runs SQL as it stands."""

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement; return its rows."""
        ...


class _PostgreSQL:
    def __init__(self, url: sa.URL) -> None:
        self.link = psycopg.connect(
            host=url.host, port=url.port, user=url.username, password=url.password,
            dbname=url.database, autocommit=True,
            options="-c TimeZone=UTC -c synchronous_commit=off",
        )  # fmt: skip

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        cursor = self.link.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


class _MySQL:
    def __init__(self, url: sa.URL) -> None:
        self.link = pymysql.connect(
            host=url.host, port=url.port or 3306, user=url.username, password=url.password or "",
            database=url.database, autocommit=True, charset="utf8mb4", ssl_disabled=True,
            init_command="SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,"
            "NO_BACKSLASH_ESCAPES'",
        )  # fmt: skip

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        with self.link.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())


class _SQLite:
    def __init__(self, url: sa.URL) -> None:
        self.link = sqlite3.connect(url.database or "", isolation_level=None)
        self.link.execute("PRAGMA synchronous = OFF")

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        return self.link.execute(sql).fetchall()


_KINDS: dict[str, Any] = {"postgresql": _PostgreSQL, "mysql": _MySQL, "sqlite": _SQLite}


@contextmanager
def opened(url: sa.URL) -> Iterator[Plain]:
    """Give a plain connection to a database."""
    made = _KINDS[url.get_backend_name()](url)
    try:
        yield made
    finally:
        made.link.close()


@contextmanager
def databases(database: str, folder: Any) -> Iterator[Any]:
    """Give a function from a name to the URL of a database that is dropped in the end."""
    import sqlalchemy as sa

    if database not in servers.SERVERS:
        yield lambda name: sa.URL.create(database, database=str(folder / f"{name}.db"))
        return
    server = servers.server_url(database)
    if database == "mysql":  # making a context for TLS takes longer than a table does
        server = server.update_query_dict({"ssl_disabled": "true"})
    with servers.prefix(database) as own:
        yield lambda name: server.set(database=f"{own}{name}")


def literal(database: str, declared: ColumnType, name: str, text: str) -> str:
    """Return the SQL literal of an edge value, as a person would type it."""
    kind = declared.kind
    quoted = "'" + text.replace("'", "''") + "'"
    if kind is Kind.BINARY:
        return f"'\\x{text}'" if database == "postgresql" else f"x'{text}'"
    if kind is Kind.BITS and database == "mysql":
        return f"b'{text}'"
    if kind is Kind.INTERVAL:
        return _span(database, int(text))
    if kind is Kind.INSTANT and database == "postgresql":
        return f"'{text}+00'"
    if kind is Kind.UUID and name == "CHAR(32)":
        return quoted.replace("-", "")
    if kind is Kind.BOOLEAN and database == "sqlite":
        return "1" if text == "true" else "0"
    if kind is Kind.DECIMAL and database == "sqlite":
        return text
    if kind in (Kind.INTEGER, Kind.BOOLEAN, Kind.FLOAT):
        return f"({text})" if database != "sqlite" else text
    return quoted


def _span(database: str, microseconds: int) -> str:
    if database == "postgresql":
        days, rest = divmod(microseconds, 86_400_000_000)
        return f"'{days} days {rest} microseconds'"
    from datetime import datetime, timedelta

    moment = datetime(1970, 1, 1) + timedelta(microseconds=microseconds)  # noqa: DTZ001  the epoch
    return f"'{moment.isoformat(' ', 'microseconds')}'"


def rendering(database: str, declared: ColumnType) -> str:
    """Return SQL over `v` whose value is the server's own text of a cell, all of it."""
    if (
        database == "postgresql"
    ):  # a cast to text would drop the blanks of CHAR, and /32 is put to INET
        cell = "v::float8" if declared.kind is Kind.FLOAT else "v"
        return f"CASE WHEN num_nulls(v) = 0 THEN concat({cell}) END"
    if database == "sqlite":
        return (
            "CASE typeof(v) WHEN 'text' THEN 'text ' || hex(v) WHEN 'blob' THEN 'blob ' || hex(v) "
            "WHEN 'null' THEN NULL ELSE typeof(v) || ' ' || quote(v) END"
        )
    made = {Kind.BINARY: "HEX(v)", Kind.BITS: "BIN(v + 0)", Kind.FLOAT: "CAST(v * 1e0 AS CHAR)"}
    return made.get(declared.kind, "CAST(v AS CHAR)")


def texts(link: Plain, table: str, expression: str) -> Texts:
    """Return what a server says of every row of a table."""
    rows = link.run(f"SELECT id, {expression} FROM {table}")
    return {int(key): None if text is None else str(text) for key, text in rows}
