"""Who may do what with a database, `pg_database.datacl`, brought back as it was: verbatim.

GRANT and REVOKE alone do not come back to NULL, nor always to the same order of entries. So
they make the same entries, each by who granted it, and a superuser then writes the words that
were there. For any other role NULL becomes the very same rights, spelled out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from migrators.backends.postgresql import connect, sql

if TYPE_CHECKING:
    from migrators.backends.postgresql.connect import Connection

_NOW = """
SELECT datacl::text, pg_get_userbyid(datdba), acldefault('d', datdba)::text,
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
FROM pg_database WHERE datname = %s
"""
_ENTRIES = """
SELECT r.rolname, pg_get_userbyid(a.grantor), a.privilege_type, a.is_grantable
FROM aclexplode(%s::aclitem[]) WITH ORDINALITY AS a (grantor, grantee, privilege_type,
    is_grantable, at) LEFT JOIN pg_roles AS r ON r.oid = a.grantee
ORDER BY a.at
"""
_NOBODY = "{}"
"""As text it has no dimension, and aclexplode wants one."""
_SORTED = "SELECT array_agg(a ORDER BY a::text)::text FROM unnest(%s::aclitem[]) AS a"


def restore(connection: Connection, database: str, wanted: str | None) -> tuple[str, ...]:
    """Make `datacl` what it was; return the GRANTs that this role may not repeat.

    Parameters
    ----------
    wanted : str or None
        Its text; None for NULL.
    """
    now, owner, usual, is_super = _row(connection, database)
    if now == wanted:
        return ()
    failed: list[str] = []
    with connect.transaction(connection):
        for grantee in {entry[0] for entry in _entries(connection, now or usual)}:
            named = _grantee(grantee)
            connection.execute(f"REVOKE ALL ON DATABASE {sql.name(database)} FROM {named} CASCADE")
        entries = _entries(connection, wanted or usual)
        # A right that another role passed on comes after those which let it do so.
        for entry in [e for e in entries if e[1] == owner] + [e for e in entries if e[1] != owner]:
            failed += _given(connection, database, owner, entry)
        if is_super and not failed:
            _verbatim(connection, database, wanted, usual)
    return tuple(failed)


def _row(connection: Connection, database: str) -> tuple[Any, ...]:
    row = connection.execute(_NOW, (database,)).fetchone()
    return row if row is not None else (None, "", "{}", False)


def _entries(connection: Connection, text: str) -> list[tuple[Any, ...]]:
    return [] if text == _NOBODY else connection.execute(_ENTRIES, (text,)).fetchall()


def _grantee(role: str | None) -> str:
    return "PUBLIC" if role is None else sql.name(role)


def _given(connection: Connection, database: str, owner: str, entry: tuple[Any, ...]) -> list[str]:
    """Give one right, as the role that gave it; return the statement if that may not be."""
    grantee, grantor, privilege, grantable = entry
    option = " WITH GRANT OPTION" if grantable else ""
    grant = f"GRANT {privilege} ON DATABASE {sql.name(database)} TO {_grantee(grantee)}{option}"
    connection.execute("SAVEPOINT given")
    try:
        if grantor != owner:
            connection.execute(f"SET LOCAL ROLE {sql.name(grantor)}")
        connection.execute(grant)
        if grantor != owner:
            connection.execute("RESET ROLE")
    except psycopg.errors.InsufficientPrivilege:
        connection.execute("ROLLBACK TO SAVEPOINT given")
        return [f"SET ROLE {sql.name(grantor)}; {grant};"]
    return []


def _verbatim(connection: Connection, database: str, wanted: str | None, usual: str) -> None:
    """Write the very words, once they say the same as what is there."""
    now = _row(connection, database)[0]
    same = _sorted(connection, now or usual) == _sorted(connection, wanted or usual)
    if now != wanted and same:
        connection.execute(
            "UPDATE pg_database SET datacl = %s::aclitem[] WHERE datname = %s", (wanted, database)
        )


def _sorted(connection: Connection, text: str) -> str:
    row = connection.execute(_SORTED, (text,)).fetchone()
    return str(row[0]) if row is not None else ""
