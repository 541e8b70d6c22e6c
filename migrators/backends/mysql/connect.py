"""Connections: made from a URL, and pinned so that no setting of user or server matters.

`init_connect`, an option file or the server's own settings may give a session another time
zone, character set, SQL mode or limit. What is pinned here is set after them.
"""

from __future__ import annotations

from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from pymysql import err
from pymysql.constants import CLIENT, FIELD_TYPE

from migrators.backends.mysql import failures, options
from migrators.backends.mysql.wire import Connection
from migrators.errors import DatabaseError
from migrators.stream import cancellable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

_STRICT = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
DATA = f"{_STRICT},NO_AUTO_VALUE_ON_ZERO,NO_BACKSLASH_ESCAPES"
"""SQL mode for reading and writing rows: a backslash is a backslash, a key 0 stays 0."""
DEFINITIONS = "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
"""SQL mode for DDL: triggers and functions keep the mode that they are made in, for ever;
this is what MySQL and MariaDB come with."""

_YEAR = 31_536_000
"""Seconds: the longest time-out that the server takes."""
_PINNED = {
    "time_zone": "'+00:00'",
    "autocommit": "1",
    "sql_select_limit": "18446744073709551615",
    "sql_safe_updates": "0",
    "sql_big_selects": "1",
    "sql_auto_is_null": "0",
    "sql_notes": "1",
    "sql_warnings": "0",
    "div_precision_increment": "4",
    "foreign_key_checks": "1",
    "unique_checks": "1",
    "max_sort_length": "8192",
    "max_error_count": "64",
    "lc_time_names": "'en_US'",
    "lc_messages": "'en_US'",
    "net_read_timeout": str(_YEAR),
    "net_write_timeout": str(_YEAR),
    "wait_timeout": str(_YEAR),
    "tx_isolation": "'REPEATABLE-READ'",
    "transaction_isolation": "'REPEATABLE-READ'",
    "max_statement_time": "0",
    "max_execution_time": "0",
    "idle_transaction_timeout": "0",
    "idle_readonly_transaction_timeout": "0",
    "idle_write_transaction_timeout": "0",
    "default_storage_engine": "InnoDB",
    "information_schema_stats_expiry": "0",
    "old_mode": "''",
    "explicit_defaults_for_timestamp": "1",
    "innodb_strict_mode": "1",
    "innodb_lock_wait_timeout": "50",
    "lock_wait_timeout": "50",
}
"""What every session of ours has; a server sets those that it knows.

`max_sort_length` cuts what is ordered by: a key of InnoDB has 3,072 bytes at most.
`lc_messages` since messages are read for the row and the column that they name."""
_KNOWN = "SHOW SESSION VARIABLES WHERE variable_name IN ({})".format(
    ", ".join(f"'{name}'" for name in _PINNED)
)
_PRIVILEGED = frozenset({"explicit_defaults_for_timestamp", "lc_messages", "old_mode"})
"""Set only where they differ: a server may ask for a right."""


def _number(text: str) -> int | str:
    """Return a decimal without a fraction as an integer: sums of integers come so."""
    return text if "." in text else int(text)


_CONVERT: dict[int, Any] = {
    **dict.fromkeys(
        (
            FIELD_TYPE.TINY,
            FIELD_TYPE.SHORT,
            FIELD_TYPE.LONG,
            FIELD_TYPE.LONGLONG,
            FIELD_TYPE.INT24,
            FIELD_TYPE.YEAR,
        ),
        int,
    ),
    FIELD_TYPE.FLOAT: float,
    FIELD_TYPE.DOUBLE: float,
    FIELD_TYPE.DECIMAL: _number,
    FIELD_TYPE.NEWDECIMAL: _number,
}
"""Python values of small answers; everything else is the server's text, or bytes."""


def connected(
    url: sa.URL, mode: str = DATA, *, database: bool = True, sending: bool = False, own: bool = True
) -> Connection:
    """Return a pinned connection in autocommit; the caller closes it.

    Parameters
    ----------
    mode : str
        SQL mode: `DATA` or `DEFINITIONS`.
    database : bool
        Whether the URL's database is the session's; it need not exist otherwise.
    sending : bool
        Whether `Connection.load` may send rows. The driver itself never sends a file.
    own : bool
        Whether answers are numbers and the server's text; else what the driver makes of them.

    Raises
    ------
    DatabaseError
        No server answers, or it refuses the user.
    """
    given = options.arguments(url)
    if not database:
        given.pop("database", None)
    with failures.told(url, "connecting"):
        connection = Connection(
            **given,
            charset="utf8mb4",
            conv=_CONVERT if own else None,
            local_infile=False,
            client_flag=CLIENT.LOCAL_FILES if sending else 0,
            autocommit=True,
        )
        try:
            pin(connection, mode)
        except BaseException:
            connection.close()
            raise
    return connection


def pin(connection: Any, mode: str) -> None:
    """Set what every session of ours has, of what this server knows."""
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_select_limit = 18446744073709551615")  # holds for SHOW, too
        cursor.execute(_KNOWN)
        known = {name.lower(): str(value) for name, value in cursor.fetchall()}
        wanted = {
            name: value
            for name, value in _PINNED.items()
            if name in known and not (name in _PRIVILEGED and _same(value, known[name]))
        }
        wanted["sql_mode"] = f"'{mode}'"
        if "tx_isolation" in wanted:
            wanted.pop("transaction_isolation", None)
        cursor.execute("SET NAMES utf8mb4")
        said = ", ".join(f"SESSION {name} = {value}" for name, value in wanted.items())
        cursor.execute(f"SET {said}")


def _same(wanted: str, found: str) -> bool:
    return wanted.strip("'").lower() == {"on": "1", "off": "0"}.get(found.lower(), found.lower())


@contextmanager
def opened(
    url: sa.URL,
    doing: str = "",
    mode: str = DATA,
    *,
    database: bool = True,
    sending: bool = False,
) -> Iterator[Connection]:
    """Give a pinned connection in autocommit; what the server refuses is an error of ours."""
    connection = connected(url, mode, database=database, sending=sending)
    try:
        with failures.told(url, doing), cancellable(partial(kill, url, connection)):
            yield connection
    finally:
        connection.end()


def kill(url: sa.URL, connection: Connection) -> None:
    """End a session that another thread may be waiting for, and the statement in it."""
    _from_beside(url, f"KILL {connection.thread_id()}")


def stop(url: sa.URL, connection: Connection) -> None:
    """End the statement of a session, if one runs, and leave the session as it is."""
    _from_beside(url, f"KILL QUERY {connection.thread_id()}")


def _from_beside(url: sa.URL, statement: str) -> None:
    gone = (DatabaseError, err.MySQLError)
    with suppress(*gone), closing(connected(url, database=False)) as other:
        run(other, statement)


def is_mariadb(connection: Connection) -> bool:
    """Whether the server is MariaDB; else it is MySQL."""
    return "mariadb" in connection.get_server_info().lower()


def rows(connection: Connection, query: str, given: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return all rows of a small query.

    Parameters
    ----------
    given : tuple of str
        Literals for `%s`, quoted here.
    """
    from migrators.backends.mysql import sql

    text = query % tuple(sql.literal(value) for value in given) if given else query
    with connection.cursor() as cursor:
        cursor.execute(text)
        return list(cursor.fetchall())


def kind_of(connection: Connection, database: str, name: str) -> str | None:
    """Return "BASE TABLE" or "VIEW"; None where there is nothing of this name."""
    found = rows(
        connection,
        "SELECT table_type FROM information_schema.tables "
        "WHERE table_schema = %s AND table_name = %s",
        (database, name),
    )
    return str(found[0][0]) if found else None


def run(connection: Connection, statement: str) -> None:
    """Run a statement that returns nothing."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
