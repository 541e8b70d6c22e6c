"""Who holds a lock that was waited for in vain."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from migrators.errors import MigrateError

if TYPE_CHECKING:
    import sqlalchemy as sa

_HOLDERS = """
SELECT coalesce(c.relname, 'the database'), l.mode, a.usename, a.application_name,
    coalesce(host(a.client_addr), 'this machine'), a.pid,
    coalesce(extract(epoch FROM clock_timestamp() - a.xact_start)::int, 0)
FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
JOIN pg_database AS d ON d.datname = current_database()
LEFT JOIN pg_class AS c ON c.oid = l.relation AND l.database = d.oid AND c.oid >= 16384
WHERE l.granted AND (c.relkind IN ('r', 'p', 'm', 'S') OR l.locktype = 'object' AND l.objid = d.oid
        AND l.classid = 'pg_database'::regclass)
    AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
    AND (a.usename, a.application_name) IS DISTINCT FROM
        (current_user, current_setting('application_name'))
ORDER BY l.mode LIKE 'Access%' DESC, a.xact_start, 1 LIMIT 5
"""
"""Without our own: what these hold is of the work that waits. 16384 is the first of a user's."""
_PATIENCE = 3
"""Seconds: who is connecting waits for a database that is being renamed, too."""


def seen(url: sa.URL) -> list[str]:
    """Return who holds strong locks in a database, as far as this role may see it."""
    from migrators.backends.postgresql import connect

    found: list[tuple[object, ...]] = []
    with (
        suppress(MigrateError),
        connect.opened(url, "looking", connect_timeout=_PATIENCE) as connection,
    ):
        found = connection.execute(_HOLDERS).fetchall()
    return [
        f"{table}: {mode} of {role}{f' ({name})' if name else ''} from {client}, process {pid}, "
        f"for {seconds} s"
        for table, mode, role, name, client, pid, seconds in found
    ]
