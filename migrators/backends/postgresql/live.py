"""Who else is on the server, and which rights a run will miss there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.backends.live import Live
from migrators.backends.postgresql import connect, sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

_WAL_SHARE = 1.15
"""Rows and indexes go through the WAL once, with what it says of each page."""
_PEOPLE = """
SELECT usename, application_name, CASE WHEN backend_type IS NULL
    THEN 'an address that this role may not see'
    ELSE coalesce(client_addr::text, 'this machine') END,
    count(*)
FROM pg_stat_activity
WHERE datname = %s AND pid <> pg_backend_pid() AND usename IS NOT NULL
    AND coalesce(backend_type, 'client backend') = 'client backend'
GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3
"""
_REPLICAS = """
SELECT coalesce(nullif(application_name, ''), 'unnamed'),
    coalesce(client_addr::text, 'this machine')
FROM pg_stat_replication ORDER BY 1, 2
"""
_SLOTS = "SELECT slot_name, slot_type, database, active FROM pg_replication_slots ORDER BY 1"
_UNREADABLE = """
SELECT n.nspname, c.relname, has_schema_privilege(n.oid, 'USAGE')
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND CASE n.nspname WHEN 'public' THEN c.relname::text
        ELSE n.nspname || '.' || c.relname END = ANY (%s)
    AND (NOT has_schema_privilege(n.oid, 'USAGE') OR NOT has_table_privilege(c.oid, 'SELECT')
        AND EXISTS (
            SELECT FROM pg_attribute AS a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                AND NOT has_column_privilege(c.oid, a.attnum, 'SELECT')
        ))
"""


def live(url: sa.URL) -> Live:
    """Return who is connected to a database, and whom the server sends its WAL to."""
    with connect.maintenance(url, "looking") as connection:
        people = connection.execute(_PEOPLE, (url.database,)).fetchall()
        replicas = connection.execute(_REPLICAS).fetchall()
        slots = connection.execute(_SLOTS).fetchall()
    return Live(
        people=tuple(_person(*row) for row in people),
        followers=(
            *(f"replica {name} at {client} receives all that a load writes"
              for name, client in replicas),
            *(_slot(*row) for row in slots),
        ),
        log="WAL",
        log_share=_WAL_SHARE,
        sorts=True,
    )  # fmt: skip


def _person(role: str, application: str, client: str, count: int) -> str:
    times = f" x{count}" if count > 1 else ""
    named = f"{application}{times} ({role})" if application else f"{role}{times}"
    return f"{named} from {client}"


def _slot(name: str, kind: str, database: str | None, active: bool) -> str:  # noqa: FBT001
    of = f" of {database}" if database else ""
    if active:
        return f"{kind} slot {name}{of} is sent what a load writes"
    return f"{kind} slot {name}{of} is not read from: the server keeps all WAL of a load for it"


def unreadable(url: sa.URL, tables: Sequence[str]) -> dict[str, str]:
    """Return the GRANT that is missing to read each of these tables, where one is."""
    with connect.opened(url, "looking") as connection:
        found = connection.execute(_UNREADABLE, (list(tables),)).fetchall()
        me = sql.name(connection.info.user)
    said = {}
    for schema, table, usage in found:
        key = table if schema == "public" else f"{schema}.{table}"
        use = "" if usage else f"GRANT USAGE ON SCHEMA {sql.name(schema)} TO {me}; "
        said[key] = f"{use}GRANT SELECT ON {sql.name(schema)}.{sql.name(table)} TO {me};"
    return said


def unmakeable(url: sa.URL) -> tuple[str, ...]:
    """Return what lets the role create databases, unless it may."""
    with connect.maintenance(url, "looking") as connection:
        row = connection.execute(
            "SELECT rolname FROM pg_roles "
            "WHERE rolname = current_user AND NOT rolcreatedb AND NOT rolsuper"
        ).fetchone()
    return () if row is None else (f"ALTER ROLE {sql.name(row[0])} CREATEDB;",)
