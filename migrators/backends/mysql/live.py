"""Who else is on the server, and which rights a run will miss there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pymysql
from pymysql.constants import ER

from migrators.backends.live import Live
from migrators.backends.mysql import connect, failures, rights, sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

    from migrators.backends.mysql.wire import Connection

_PEOPLE = """
SELECT user, SUBSTRING_INDEX(host, ':', 1), COUNT(*) FROM information_schema.processlist
WHERE db = %s AND id <> CONNECTION_ID() GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""
_REPLICAS = """
SELECT user, SUBSTRING_INDEX(host, ':', 1) FROM information_schema.processlist
WHERE command LIKE 'Binlog Dump%%' AND %s <> '' ORDER BY 1, 2
"""
_SEES = """
SELECT COUNT(*) FROM information_schema.user_privileges WHERE privilege_type = 'PROCESS'
AND grantee = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')
"""
_HIDDEN = ("who else is connected, and replicas, cannot be seen without the right PROCESS",)
_DENIED = (ER.TABLEACCESS_DENIED_ERROR, ER.COLUMNACCESS_DENIED_ERROR)
_NEEDED = ("SELECT", "INSERT", "DELETE", "CREATE", "DROP", "ALTER", "INDEX", "CREATE VIEW")
"""On every database that a run makes; its stamp is a view."""
_GRANTED = re.compile(r"^GRANT (?P<what>.+?) ON (?:`(?P<on>(?:[^`]|``)*)`|\*)\.\* TO ")
_ROLE = re.compile(r"^GRANT [`'][^ ]+ TO ")


def live(url: sa.URL) -> Live:
    """Return who is connected to a database, and which replicas read the binary log."""
    name = str(url.database)
    with connect.opened(url, "looking", database=False) as connection:
        people = connect.rows(connection, _PEOPLE, (name,))
        replicas = connect.rows(connection, _REPLICAS, (name,))
        ((logged,),) = connect.rows(connection, "SELECT @@log_bin")
        ((sees,),) = connect.rows(connection, _SEES)
    return Live(
        people=tuple(
            f"{user}{f' x{count}' if int(count) > 1 else ''} from {host}"
            for user, host, count in people
        ),
        followers=(
            *_HIDDEN[: 0 if sees else 1],
            *(f"replica {u} at {host} receives all that a load writes" for u, host in replicas),
        ),
        log="binary log" if int(logged) else "",
        log_share=1.0 if int(logged) else 0.0,
        sorts=True,
    )


def unreadable(url: sa.URL, tables: Sequence[str]) -> dict[str, str]:
    """Return the GRANT that is missing to read each of these tables, where one is.

    The server is asked for no row of each: its grants may come by patterns and roles.
    """
    found = {}
    with connect.opened(url, "looking") as connection:
        for table in tables:
            try:
                connect.run(connection, f"SELECT * FROM {sql.name(table)} LIMIT 0")
            except pymysql.err.MySQLError as error:
                if failures.code(error) in _DENIED:
                    place = sql.table(str(url.database), table)
                    found[table] = f"GRANT SELECT ON {place} TO {_me(connection)};"
    return found


def unmakeable(url: sa.URL) -> tuple[str, ...]:
    """Return the GRANT that lets the user make databases beside this one, unless it may.

    Nothing is said where rights come by a role, whose own grants are not among these.
    """
    name = str(url.database)
    with connect.opened(url, "looking", database=False) as connection:
        lines = [str(line) for (line,) in connect.rows(connection, "SHOW GRANTS")]
        me = _me(connection)
    if any(_ROLE.match(line) for line in lines):
        return ()
    if _rights(lines, f"{name}__loading_1").issuperset(_NEEDED):
        return ()
    pattern = sql.name(re.sub(r"([_%\\])", r"\\\1", name) + "%")
    return (f"GRANT ALL PRIVILEGES ON {pattern}.* TO {me};",)


def _rights(lines: Sequence[str], database: str) -> set[str]:
    """Return what SHOW GRANTS gives on a database: of patterns the most specific one counts."""
    everywhere: list[str] = []
    here: dict[int, list[str]] = {}
    for found in filter(None, map(_GRANTED.match, lines)):
        like = found["on"]
        given = list(_NEEDED) if "ALL PRIVILEGES" in found["what"] else found["what"].split(", ")
        if like is None:
            everywhere += given
        elif re.fullmatch(_pattern(like.replace("``", "`")), database):
            wild = re.search(r"(?<!\\)[%_]", like)
            here[wild.start() if wild else len(like)] = given
    return {*everywhere, *here.get(max(here, default=0), ())}


def _pattern(like: str) -> str:
    """Return a LIKE pattern, as grants name databases by, as a regular expression."""
    parts = re.findall(r"\\.|.", like, re.DOTALL)
    return "".join({"%": ".*", "_": "."}.get(p, re.escape(p[-1])) for p in parts)


def _me(connection: Connection) -> str:
    ((said,),) = connect.rows(connection, "SELECT CURRENT_USER()")
    return rights.quoted(str(said))
