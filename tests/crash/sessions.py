"""Sessions of a role on a server: which there are, and ending them as a server that falls over."""

from __future__ import annotations

import time
from contextlib import closing, suppress
from typing import Any

import psycopg
import pymysql
import sqlalchemy as sa

_OF = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE usename = %s",
    "mysql": "SELECT id FROM information_schema.processlist WHERE user = %s",
}
_MOMENT = 5.0
"""Seconds: a server takes a while to see that nobody is there any more."""
REFUSED = (psycopg.Error, pymysql.err.MySQLError)
_END = {"postgresql": "SELECT pg_terminate_backend({})", "mysql": "KILL {}"}


def connected(url: str) -> Any:
    """Return a connection in autocommit by the driver alone."""
    made = sa.make_url(url)
    if made.get_backend_name() == "postgresql":
        return psycopg.connect(url, autocommit=True)
    return pymysql.connect(
        host=made.host or "127.0.0.1",
        port=made.port or 3306,
        user=made.username,
        password=made.password or "",
        database=made.database or None,
        charset="utf8mb4",
        autocommit=True,
        ssl_disabled=True,
    )


def asked(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement; return its rows."""
    with closing(connected(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def of(url: str, role: str) -> list[int]:
    """Return the sessions of a role."""
    with closing(connected(url)) as connection, connection.cursor() as cursor:
        cursor.execute(_OF[_kind(url)], (role,))
        return [int(number) for (number,) in cursor.fetchall()]


def still(url: str, role: str) -> list[int]:
    """Return the sessions of a role that do not end by themselves, given a moment."""
    until = time.monotonic() + _MOMENT
    while (found := of(url, role)) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def end(url: str, role: str) -> None:
    """End every session of a role."""
    found = of(url, role)
    with closing(connected(url)) as connection, connection.cursor() as cursor:
        for number in found:
            with suppress(pymysql.err.OperationalError):  # it has ended by itself
                cursor.execute(_END[_kind(url)].format(number))


def _kind(url: str) -> str:
    return sa.make_url(url).get_backend_name()
