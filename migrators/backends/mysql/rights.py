"""Who may do what with a database: rights on it, its tables, columns and routines; and giving them.

Rights name databases, and stay with the name: what is set aside takes none along, and a new
version of the same name has those of the former one. Accounts are written `user@host`, and a
role, which has no host, `role@`. Definers of routines, views and triggers are in their text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pymysql

from migrators.access import Access, Grant
from migrators.backends.mysql import connect, failures, sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import sqlalchemy as sa

    from migrators.backends.mysql.wire import Connection

_PRIVILEGES = frozenset(
    (
        "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "REFERENCES", "INDEX", "ALTER",
        "CREATE TEMPORARY TABLES", "LOCK TABLES", "EXECUTE", "CREATE VIEW", "SHOW VIEW",
        "CREATE ROUTINE", "ALTER ROUTINE", "EVENT", "TRIGGER", "DELETE HISTORY",
        "DELETE VERSIONING ROWS", "SHOW CREATE ROUTINE",
    )
)  # fmt: skip
_DATABASES = """
SELECT grantee, privilege_type, is_grantable = 'YES', table_schema
FROM information_schema.schema_privileges
"""
_TABLES = """
SELECT grantee, privilege_type, is_grantable = 'YES', table_name
FROM information_schema.table_privileges WHERE table_schema = %s
"""
_COLUMNS = """
SELECT grantee, privilege_type, is_grantable = 'YES', table_name, column_name
FROM information_schema.column_privileges WHERE table_schema = %s
"""
_ROUTINES = """
SELECT concat("'", user, "'@'", host, "'"), proc_priv, routine_type, routine_name
FROM mysql.procs_priv WHERE db = %s
"""
_MINE = """
SELECT privilege_type, '%%' FROM information_schema.user_privileges
WHERE is_grantable = 'YES' AND grantee = %s
UNION ALL SELECT privilege_type, table_schema FROM information_schema.schema_privileges
WHERE is_grantable = 'YES' AND grantee = %s
"""
MODE = "CONCAT('NO_BACKSLASH_ESCAPES' /*M! , ',NO_AUTO_CREATE_USER' */)"
"""A GRANT to an account that is gone must fail; by default MariaDB makes one, without password."""
_DENIED = (1044, 1142, 1143, 1227)
_ROUTINE_KINDS = ("FUNCTION", "PROCEDURE")


def read(url: sa.URL) -> Access:
    """Return the rights on a database, as far as the connected account may see them."""
    with connect.opened(url, "reading rights", database=False) as connection:
        return Access(grants=tuple(sorted(grants(connection, str(url.database)))))


def grants(connection: Connection, database: str) -> Iterator[Grant]:
    """Yield the rights on a database and what is in it, of whatever pattern."""
    for grantee, privilege, option, pattern in on_databases(connection):
        if privilege in _PRIVILEGES and matches(str(pattern), database):
            yield Grant("database", "", "", privilege, account_of(grantee), bool(option))
    for grantee, privilege, option, table in connect.rows(connection, _TABLES, (database,)):
        if privilege in _PRIVILEGES:
            yield Grant("table", table, "", privilege, account_of(grantee), bool(option))
    for grantee, privilege, option, table, column in connect.rows(
        connection, _COLUMNS, (database,)
    ):
        yield Grant("column", table, column, privilege, account_of(grantee), bool(option))
    yield from _routines(connection, database)


def on_databases(connection: Connection) -> list[tuple[Any, ...]]:
    """Return every right on whole databases: grantee, privilege, option, the name's pattern."""
    return connect.rows(connection, _DATABASES)


def _routines(connection: Connection, database: str) -> Iterator[Grant]:
    if not sees_all(connection):
        return
    for grantee, privileges, kind, name in connect.rows(connection, _ROUTINES, (database,)):
        given = [privilege.upper() for privilege in str(privileges).split(",")]
        for privilege in given:
            if privilege in _PRIVILEGES:
                account = account_of(grantee)
                yield Grant("routine", f"{kind} {name}", "", privilege, account, "GRANT" in given)


def sees_all(connection: Connection) -> bool:
    """Whether the connected account sees the rights of others."""
    try:
        connect.rows(connection, "SELECT 1 FROM mysql.procs_priv LIMIT 1")
    except pymysql.err.MySQLError as error:
        if error.args[0] not in _DENIED:
            raise
        return False
    return True


def matches(pattern: str, database: str) -> bool:
    r"""Return whether rights on `pattern` are rights on a database: `%`, `_`, and `\_`."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    said = "".join(wild.get(part) or re.escape(part.removeprefix("\\")) for part in parts)
    return re.fullmatch(said, database, re.DOTALL | re.IGNORECASE) is not None


def account_of(grantee: str) -> str:
    """Return `user@host` of what the server writes as `'user'@'host'`."""
    user, _, host = str(grantee).rpartition("'@'")
    return f"{user.removeprefix(chr(39))}@{host.removesuffix(chr(39))}"


# giving ------------------------------------------------------------------------------------


def missing(url: sa.URL, access: Access) -> tuple[str, ...]:
    """Return the statements that let the connected account give a database these rights."""
    database = str(url.database)
    with connect.opened(url, "looking", database=False) as connection:
        wanted = {grant.privilege for grant in _further(connection, database, access)}
        ((account,),) = connect.rows(connection, "SELECT current_user()")
        user, _, host = str(account).rpartition("@")
        me = f"'{user}'@'{host}'"
        mine = connect.rows(connection, _MINE, (me, me))
    has = {privilege for privilege, pattern in mine if matches(str(pattern), database)}
    lacks = sorted(wanted - has)
    pattern = sql.name(database.replace("_", "\\_"))
    return (f"GRANT {', '.join(lacks)} ON {pattern}.* TO {me} WITH GRANT OPTION;",) if lacks else ()


def _further(connection: Connection, database: str, access: Access) -> list[Grant]:
    there = set(grants(connection, database))
    return [grant for grant in access.grants if grant not in there]


def give(connection: Connection, database: str, access: Access) -> list[tuple[str, str]]:
    """Give a database rights; return the statements that failed, and why."""
    connect.run(connection, f"SET SESSION sql_mode = {MODE}")
    failed = []
    for grant in _further(connection, database, access):
        statement = _statement(database, grant)
        try:
            connect.run(connection, statement)
        except pymysql.err.MySQLError as error:
            failed.append((f"{statement};", failures.said(error)))
    return failed


def refused(access: Access) -> Sequence[Grant]:
    """Return what is no right: a manifest may say anything."""
    return [
        grant
        for grant in access.grants
        if grant.privilege not in _PRIVILEGES
        or (grant.on == "routine" and grant.name.partition(" ")[0] not in _ROUTINE_KINDS)
        or grant.on not in ("database", "table", "column", "routine")
    ]


def _statement(database: str, grant: Grant) -> str:
    option = " WITH GRANT OPTION" if grant.grantable else ""
    column = f" ({sql.name(grant.column)})" if grant.column else ""
    return (
        f"GRANT {grant.privilege}{column} ON {place(database, grant)} "
        f"TO {quoted(grant.grantee)}{option}"
    )


def place(database: str, grant: Grant) -> str:
    """Return what a GRANT of a right is ON."""
    if grant.on == "database":  # where `_` and `%` would be any character
        literal = re.sub(r"([_%\\])", r"\\\1", database)
        return f"{sql.name(literal)}.*"
    kind, _, name = grant.name.partition(" ") if grant.on == "routine" else ("", "", grant.name)
    return f"{kind} {sql.table(database, name)}".strip()


def quoted(account: str) -> str:
    """Quote an account, or a role."""
    user, _, host = account.rpartition("@")
    return f"{sql.text(user)}@{sql.text(host)}" if host else sql.text(user)


def gone(access: Access, there: Iterable[str]) -> list[str]:
    """Say whose rights on views and routines end with them."""
    names = set(there)
    lost: dict[str, set[str]] = {}
    for grant in access.grants:
        name = grant.name.partition(" ")[2] if grant.on == "routine" else grant.name
        if grant.on in ("table", "routine") and name not in names:
            lost.setdefault(name, set()).add(grant.grantee)
    return [
        f"there is no {name}: the rights of {', '.join(sorted(who))} on it end"
        for name, who in sorted(lost.items())
    ]
