"""Rights of a version that is not there yet: kept in its staging database until it is.

A right on a table does not go where RENAME TABLE takes the table, so rights are given when
the tables have their names, last of all: `publish` and what finishes it after a crash do so.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from migrators.access import Access
from migrators.backends.mysql import connect, rights, sql
from migrators.errors import DatabaseError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from migrators.backends.mysql.wire import Connection

KEPT = "migrate_access"
_THERE = """
SELECT table_name FROM information_schema.tables WHERE table_schema = %s
UNION ALL SELECT routine_name FROM information_schema.routines WHERE routine_schema = %s
"""


def keep(url: sa.URL, access: Access, *, in_place: bool) -> tuple[str, ...]:
    """Keep rights in a staging database; give them at once where it has its name already.

    Returns
    -------
    tuple of str
        What the new version has no object for; whose rights were not seen.

    Raises
    ------
    DatabaseError
    """
    if bad := rights.refused(access):
        raise DatabaseError(f"{bad[0].privilege!r} on {bad[0].on!r} is no right")
    name = str(url.database)
    with connect.opened(url, "granting", database=False) as connection:
        there = {str(x) for (x,) in connect.rows(connection, _THERE, (name, name))}
        left = rights.gone(access, there)
        known = Access(
            tuple(g for g in access.grants if g.on == "database" or _object(g.name) in there)
        )
        if in_place:
            require(name, give(connection, name, known.plain()))
        else:
            place = sql.table(name, KEPT)
            connect.run(connection, f"CREATE TABLE {place} (access LONGTEXT NOT NULL)")
            text = sql.literal(json.dumps(known.plain()))
            connect.run(connection, f"INSERT INTO {place} VALUES ({text})")
        if not rights.sees_all(connection):
            left.append("the rights of other accounts were not seen: GRANT SELECT ON mysql.* shows")
    return tuple(left)


def _object(name: str) -> str:
    kind, _, rest = name.partition(" ")
    return rest if kind in ("FUNCTION", "PROCEDURE") and rest else name


def kept(connection: Connection, staging: str) -> dict[str, Any]:
    """Return what a staging database keeps; nothing where it keeps none."""
    if connect.kind_of(connection, staging, KEPT) is None:
        return {}
    ((text,),) = connect.rows(connection, f"SELECT access FROM {sql.table(staging, KEPT)}")
    return dict(json.loads(text))


def give(connection: Connection, name: str, access: Any) -> list[tuple[str, str]]:
    """Give a database that has its name what was kept; return what failed, and why."""
    return rights.give(connection, name, Access.of(access or {}))


def require(name: str, failed: list[tuple[str, str]]) -> None:
    """Refuse what failed; the database is there, stamped, and complete but for that.

    Raises
    ------
    DatabaseError
        With the statements to type.
    """
    if failed:
        raise DatabaseError(
            f"{name} is there; {len(failed)} of its rights could not be given: {failed[0][1]}",
            hint=tuple(statement for statement, _ in failed),
        )
