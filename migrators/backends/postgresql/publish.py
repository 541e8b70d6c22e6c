"""Making a staging database visible under its name: renames in one transaction, or none.

`ALTER DATABASE … RENAME` needs that nobody is connected, so that it is done from another
database; sessions that have just ended are waited for by the server itself (5 s).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from migrators.backends.postgresql import access, connect, sql
from migrators.backends.server import LOADING
from migrators.errors import DatabaseError, Locked, TargetExists
from migrators.failpoints import act

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa

    from migrators.backends.postgresql.connect import Connection

_CONNECTED = """
SELECT DISTINCT usename, application_name, CASE WHEN backend_type IS NULL
    THEN 'an address that this role may not see'
    ELSE coalesce(client_addr::text, 'this machine') END
FROM pg_stat_activity
WHERE datname = %s AND pid <> pg_backend_pid() AND usename IS NOT NULL
    AND coalesce(backend_type, 'client backend') = 'client backend'
ORDER BY 1, 2, 3
"""
_SHOWN = 5


def exists(connection: Connection, database: str) -> bool:
    """Whether the server has a database of this name."""
    found = connection.execute("SELECT FROM pg_database WHERE datname = %s", (database,))
    return found.fetchone() is not None


def connected(connection: Connection, database: str) -> list[str]:
    """Return who is connected to a database: "shop (gunicorn) from 10.0.0.7"."""
    return [
        f"{role}{f' ({application})' if application else ''} from {client}"
        for role, application, client in connection.execute(_CONNECTED, (database,))
    ]


def publish(
    url: sa.URL,
    staging: str,
    aside: str | None,
    like: str | None,
    unfenced: Mapping[str, Any] | None = None,
) -> None:
    """Make `staging` visible as the URL's database; what is there goes to `aside`.

    Parameters
    ----------
    like : str or None
        Whose owner, rights and settings it takes; None: of the one set aside.
    unfenced : mapping or None
        What the fence of `like` remembers.

    Raises
    ------
    TargetExists
        If the name is taken and there is no `aside`.
    Locked
        Somebody is connected to a database that is to be renamed; they are named.
    """
    name = url.database or ""
    with connect.maintenance(url, "publishing") as connection:
        if aside is None and exists(connection, name):
            raise TargetExists(f"{name}: exists already; nothing was overwritten")
        model = like or (name if aside is not None else None)
        with act("names changed"), connect.transaction(connection):
            found = None if model is None else access.read(connection, model, unfenced)
            access.give(connection, staging, found)
            if aside is not None:
                _rename(connection, name, aside)
            _rename(connection, staging, name)


def _rename(connection: Connection, old: str, new: str) -> None:
    try:
        connection.execute(f"ALTER DATABASE {sql.name(old)} RENAME TO {sql.name(new)}")
    except psycopg.errors.ObjectInUse as error:
        connection.execute("ROLLBACK")
        raise in_use(connection, old, "cannot be renamed") from error


def in_use(connection: Connection, database: str, what: str) -> Locked:
    """Return the error that names who is connected."""
    people = connected(connection, database)
    shown = "; ".join(people[:_SHOWN]) + ("; and others" if len(people) > _SHOWN else "")
    return Locked(
        f"{database} {what}: connected to it {'are' if len(people) > 1 else 'is'} "
        f"{shown or 'somebody who has just left'}",
        hint="close these connections, then type the same command again",
    )


def ready(url: sa.URL) -> None:
    """Refuse beforehand what `publish` would refuse.

    Raises
    ------
    DatabaseError
        The role may not create databases.
    Locked
        Somebody is connected to the version that would be set aside.
    """
    name = url.database or ""
    with connect.maintenance(url, "looking") as connection:
        row = connection.execute(
            "SELECT rolname, rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        if row is not None and not row[1]:
            raise DatabaseError(
                f"{row[0]} may not create databases",
                hint=f"as a superuser: ALTER ROLE {sql.name(row[0])} CREATEDB",
            )
        if connected(connection, name):
            raise in_use(connection, name, "is in use and cannot be set aside")


@act("staging removed")
def discard(url: sa.URL) -> None:
    """Remove a database; from a staging one our own sessions that are left are ended.

    Raises
    ------
    Locked
        Somebody is connected.
    """
    name = url.database or ""
    force = " WITH (FORCE)" if LOADING in name else ""
    with connect.maintenance(url, "removing") as connection:
        try:
            connection.execute(f"DROP DATABASE IF EXISTS {sql.name(name)}{force}")
        except psycopg.errors.ObjectInUse as error:
            raise in_use(connection, name, "cannot be removed") from error
