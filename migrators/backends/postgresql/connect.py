"""Connections: made from a URL, and pinned so that no setting of a role or server matters.

`ALTER ROLE … SET` and `ALTER DATABASE … SET` hold for every session, ours too: another
DateStyle, another search_path, a timeout. What is pinned here is set after them.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import pq

from migrators.backends import passwords
from migrators.backends.postgresql import failures, sql
from migrators.backends.postgresql.language import DRIVER
from migrators.backends.server import CONNECTS
from migrators.stream import cancellable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

Connection = psycopg.Connection[Any]

MAINTENANCE = ("postgres", "template1")
"""Databases that are there on every server, to connect to while another one is renamed."""
_NO_DATABASE = "3D000"
AT_ONCE = "-c statement_timeout=0"
"""Where a role's time-out is too short for the statement that lifts it. Not always said:
a pooler takes no options."""

_PINNED = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "iso_8601",
    "lc_monetary": "C",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "xmlbinary": "base64",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "search_path": "public",
    "row_security": "off",  # a policy that would hide rows is an error instead
    "statement_timeout": "0",
    "lock_timeout": "50s",  # as long as the other server waits: then it is said who holds it
    "idle_in_transaction_session_timeout": "0",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    "session_replication_role": "origin",
    "check_function_bodies": "on",
    "default_tablespace": "",
    "quote_all_identifiers": "off",
    "transform_null_equals": "off",
    "client_min_messages": "warning",
}


def arguments(url: sa.URL) -> dict[str, Any]:
    """Return what libpq is given for a URL; several hosts and TLS options pass through.

    A password that neither the URL nor `MIGRATE_PASSWORD` gives, libpq looks for itself: in
    `PGPASSWORD`, then `~/.pgpass`.
    """
    driver: Any = DRIVER
    _, found = driver.create_connect_args(url)
    password = passwords.given()
    if password is not None:
        found.setdefault("password", password)
    ours: dict[str, Any] = {"application_name": "migrate"}
    if "PGCONNECT_TIMEOUT" not in os.environ and "service" not in found:
        ours["connect_timeout"] = CONNECTS
    return {**ours, **found, "client_encoding": "UTF8"}


NO_TIMEOUT = "SET statement_timeout = 0"
"""Comes first, by itself: what pins the rest takes longer."""


PINNING = "SELECT " + ", ".join(
    f"CASE WHEN current_setting({sql.text(name)}, true) <> {sql.text(value)}"
    f" THEN set_config({sql.text(name)}, {sql.text(value)}, false) END"
    for name, value in _PINNED.items()
)
"""Sets what the server knows and has otherwise: session_replication_role takes a superuser."""


def pin(connection: Connection) -> None:
    """Set what every session of ours has, whatever role, database or server say."""
    connection.execute(NO_TIMEOUT)
    connection.execute(PINNING)


def connected(url: sa.URL, **settings: Any) -> Connection:
    """Return a pinned connection in autocommit; the caller closes it.

    Parameters
    ----------
    **settings
        Of libpq, in place of the URL's: `dbname`, `application_name`.

    Raises
    ------
    DatabaseError
        No server answers, or it refuses the role.
    """
    with failures.told(url, "connecting"):
        given = {**arguments(url), **settings}
        try:
            return _pinned(given)
        except psycopg.errors.QueryCanceled:
            return _pinned({**given, "options": f"{given.get('options', '')} {AT_ONCE}"})


def _pinned(given: dict[str, Any]) -> Connection:
    connection = psycopg.connect(**given, autocommit=True)
    try:
        pin(connection)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def opened(url: sa.URL, doing: str = "", **settings: Any) -> Iterator[Connection]:
    """Give a pinned connection in autocommit; what the server refuses is an error of ours."""
    connection = connected(url, **settings)
    with failures.told(url, doing), connection, cancellable(connection.cancel):
        yield connection


@contextmanager
def maintenance(url: sa.URL, doing: str = "", **settings: Any) -> Iterator[Connection]:
    """Give a connection to a database that is not renamed: `postgres`, else `template1`."""
    connection = _maintenance(url, **settings)
    with failures.told(url, doing), connection:
        yield connection


def _maintenance(url: sa.URL, **settings: Any) -> Connection:
    first, second = MAINTENANCE
    try:
        return connected(url, dbname=first, **settings)
    except failures.NoDatabase:
        return connected(url, dbname=second, **settings)


@contextmanager
def transaction(connection: Connection, begin: str = "BEGIN") -> Iterator[None]:
    """Run what is inside in one transaction of a connection in autocommit."""
    connection.execute(begin)
    try:
        yield
    except BaseException:
        if connection.pgconn.status == pq.ConnStatus.OK:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
