"""Loading a database in place: see `backends.in_place`. What was there stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.backends.in_place import InPlace, refuse_filled
from migrators.backends.postgresql import connect, sql
from migrators.backends.postgresql.backend import PostgreSQLBackend
from migrators.backends.postgresql.failures import NoDatabase
from migrators.backends.stamping import MARK
from migrators.errors import DatabaseError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from migrators.backends.postgresql.connect import Connection
    from migrators.schema import SchemaVersion

_OWN = """
n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
AND NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.deptype = 'e' AND e.objid = {oid}
    AND e.classid = '{catalog}'::regclass)
"""
_RELATIONS = f"""
SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
    WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END,
    format('%I.%I', n.nspname, c.relname)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
    AND {_OWN.format(oid="c.oid", catalog="pg_class")}
ORDER BY 2
"""
_ROUTINES = f"""
SELECT CASE p.prokind WHEN 'a' THEN 'AGGREGATE' WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
    format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE {_OWN.format(oid="p.oid", catalog="pg_proc")}
ORDER BY 2
"""
_TYPES = f"""
SELECT CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, format('%I.%I', n.nspname, t.typname)
FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
WHERE t.typtype IN ('e', 'd', 'r') AND {_OWN.format(oid="t.oid", catalog="pg_type")}
ORDER BY 2
"""

_COLLATIONS = f"""
SELECT format('%I.%I', n.nspname, c.collname)
FROM pg_collation AS c JOIN pg_namespace AS n ON n.oid = c.collnamespace
WHERE {_OWN.format(oid="c.oid", catalog="pg_collation")}
"""


class Inside(InPlace, PostgreSQLBackend):
    """A database that a run loads in place."""

    def create(self, schema: SchemaVersion) -> None:
        """Mark the database and create the tables."""
        from migrators.backends.postgresql import staging

        self._knows(schema)
        begin(self.url, self._run)
        staging.tables(self.url, schema, self.name)

    def ready(self) -> None:
        """Refuse a database that is not there, or not empty."""
        ready(self.url)

    def _marked(self) -> str | None:
        return marked(self.url)

    def _end(self) -> None:
        with connect.opened(self.url, "stamping") as connection:
            connection.execute(f"DROP VIEW IF EXISTS public.{MARK}")

    def _empty(self) -> None:
        empty(self.url, self._run)


def marked(url: sa.URL) -> str | None:
    """Return the run that is, or was, at work in the database."""
    try:
        with connect.opened(url, "looking") as connection:
            return _mark(connection)
    except NoDatabase:
        return None


def _mark(connection: Connection) -> str | None:
    """Return the run whose mark the database bears."""
    there = connection.execute("SELECT to_regclass(%s)", (f"public.{MARK}",)).fetchone()
    if there is None or there[0] is None:
        return None
    row = connection.execute(f"SELECT run FROM public.{MARK}").fetchone()
    return None if row is None else str(row[0])


def ready(url: sa.URL) -> None:
    """Refuse a database that is not there, or not empty.

    Raises
    ------
    DatabaseError, TargetExists
    """
    with connect.opened(url, "looking") as connection:
        _refuse_filled(connection, url)
        row = connection.execute(
            "SELECT current_user, has_schema_privilege('public', 'CREATE')"
        ).fetchone()
    if row is not None and not row[1]:
        raise DatabaseError(
            f"{row[0]} may not create tables in {url.database}",
            hint=f"as its owner: GRANT CREATE ON SCHEMA public TO {sql.name(str(row[0]))}",
        )


def _refuse_filled(connection: Connection, url: sa.URL) -> None:
    refuse_filled(str(url.database), [name for _, name in _objects(connection)])


def begin(url: sa.URL, run: str) -> None:
    """Mark an empty database as a run's.

    Raises
    ------
    TargetExists
        If it is not empty.
    """
    with connect.opened(url, "creating") as connection, connect.transaction(connection):
        _refuse_filled(connection, url)
        schemas = ", ".join(sql.text(name) for name in _schemas(connection))
        connection.execute(
            f"CREATE VIEW public.{MARK} AS SELECT {sql.text(run)}::text AS run, "
            f"ARRAY[{schemas}]::text[] AS schemas"
        )


def empty(url: sa.URL, run: str) -> None:
    """Remove all that a run made, in one transaction; nothing where the mark is not its own."""
    with connect.opened(url, "emptying") as connection, connect.transaction(connection):
        if _mark(connection) != run:
            return
        ((before,),) = connection.execute(f"SELECT schemas FROM public.{MARK}").fetchall()
        collations = [("COLLATION", name) for (name,) in connection.execute(_COLLATIONS).fetchall()]
        for kind, name in [*_objects(connection), *collations]:
            connection.execute(f"DROP {kind} IF EXISTS {name} CASCADE")
        for name in _schemas(connection):
            if name not in before:
                connection.execute(f"DROP SCHEMA {sql.name(name)} CASCADE")


def _schemas(connection: Connection) -> list[str]:
    found = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'")
    return [str(name) for (name,) in found.fetchall()]


def _objects(connection: Connection) -> list[tuple[str, str]]:
    """Return what is in a database beside schemas and extensions, as (kind, quoted name)."""
    return [
        (str(kind), str(name))
        for query in (_RELATIONS, _ROUTINES, _TYPES)
        for kind, name in connection.execute(query).fetchall()
    ]
