"""A database's own access and settings: read from one, given to another.

Owner, rights on the database, and what `ALTER DATABASE` and `ALTER ROLE … IN DATABASE` set.
The rights on what is in it are another matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrators.backends.postgresql import sql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrators.backends.postgresql.connect import Connection

_DATABASE = """
SELECT d.oid, pg_get_userbyid(d.datdba), d.datacl::text, d.datconnlimit,
    shobj_description(d.oid, 'pg_database')
FROM pg_database AS d WHERE d.datname = %s
"""
_RIGHTS = """
SELECT a.privilege_type, a.is_grantable, coalesce(quote_ident(r.rolname), 'PUBLIC')
FROM aclexplode(%s::aclitem[]) AS a LEFT JOIN pg_roles AS r ON r.oid = a.grantee
WHERE a.grantee = 0 OR r.oid IS NOT NULL
"""
_SETTINGS = """
SELECT r.rolname, s.setconfig
FROM pg_db_role_setting AS s LEFT JOIN pg_roles AS r ON r.oid = s.setrole
WHERE s.setdatabase = %s AND (s.setrole = 0 OR r.oid IS NOT NULL)
ORDER BY r.rolname
"""
_LISTS = frozenset(
    {"search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries"}
)
"""Settings whose value is a list of names: quoted whole, it would be one name."""


@dataclass(frozen=True)
class Access:
    """Who owns a database, who may do what with it, and what holds in its sessions.

    Attributes
    ----------
    rights : tuple of (privilege, grantable, quoted grantee), or None
        None: as the server gives them to a new database.
    settings : tuple of (role or None, "name=value")
    """

    owner: str
    rights: tuple[tuple[str, bool, str], ...] | None
    limit: int
    comment: str | None
    settings: tuple[tuple[str | None, str], ...]


def read(
    connection: Connection, database: str, unfenced: Mapping[str, Any] | None = None
) -> Access | None:
    """Return the access of a database; None where there is none of this name.

    Parameters
    ----------
    unfenced : mapping or None
        What its fence remembers: who may connect otherwise.
    """
    row = connection.execute(_DATABASE, (database,)).fetchone()
    if row is None:
        return None
    oid, owner, acl, limit, comment = row
    acl = acl if unfenced is None else unfenced["acl"]
    rights = None if acl is None else tuple(_explode(connection, acl))
    settings = tuple(
        (role, setting)
        for role, config in connection.execute(_SETTINGS, (oid,))
        for setting in config
    )
    return Access(owner, rights, limit, comment, settings)


def _explode(connection: Connection, acl: str) -> list[Any]:
    """Return the entries of an ACL; an empty one, as text, has no dimension, and is refused."""
    return [] if acl == "{}" else connection.execute(_RIGHTS, (acl,)).fetchall()


def give(connection: Connection, database: str, access: Access | None) -> None:
    """Give a database this access; None: what the server gives a new one."""
    named = sql.name(database)
    rights = None if access is None else access.rights
    if access is not None:
        connection.execute(f"ALTER DATABASE {named} OWNER TO {sql.name(access.owner)}")
        connection.execute(f"ALTER DATABASE {named} CONNECTION LIMIT {access.limit}")
        if access.comment is not None:
            said = sql.text(access.comment)
            connection.execute(f"COMMENT ON DATABASE {named} IS {said}")
        for role, setting in access.settings:
            connection.execute(_setting(named, role, setting))
    if rights is None:
        connection.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {named} TO PUBLIC")
        return
    for privilege, grantable, grantee in rights:
        option = " WITH GRANT OPTION" if grantable else ""
        connection.execute(f"GRANT {privilege} ON DATABASE {named} TO {grantee}{option}")


def _setting(named: str, role: str | None, setting: str) -> str:
    name, _, value = setting.partition("=")
    what = f"ALTER DATABASE {named}"
    if role is not None:
        what = f"ALTER ROLE {sql.name(role)} IN DATABASE {named}"
    shown = value if name.lower() in _LISTS else sql.text(value)
    quoted = ".".join(sql.name(part) for part in name.split("."))
    return f"{what} SET {quoted} = {shown or sql.text('')}"
