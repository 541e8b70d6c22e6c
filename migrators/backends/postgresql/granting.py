"""Giving a staging database access: owners first, then rights, as statements of one transaction.

What a manifest says is not trusted: names are quoted, privileges are those that there are.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from migrators.backends.postgresql import connect, remarks, rights, sql
from migrators.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import sqlalchemy as sa

    from migrators.access import Access, Default, Grant
    from migrators.backends.postgresql.connect import Connection

_OBJECTS = f"""
SELECT * FROM (SELECT 'table', {rights.KEY}, CASE c.relkind WHEN 'v' THEN 'VIEW'
    WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
    format('%I.%I', n.nspname, c.relname),
    pg_get_userbyid(c.relowner), n.nspname
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
UNION ALL SELECT 'lone sequence', {rights.KEY}, 'SEQUENCE', format('%I.%I', n.nspname, c.relname),
    pg_get_userbyid(c.relowner), n.nspname
{rights.LONE}
UNION ALL SELECT 'sequence', {rights.KEY}, 'SEQUENCE', s.oid::regclass::text, '', n.nspname
{rights.OWNING}
UNION ALL SELECT 'schema', n.nspname, 'SCHEMA', quote_ident(n.nspname),
    pg_get_userbyid(n.nspowner), n.nspname
FROM pg_namespace AS n
UNION ALL SELECT 'routine', {rights.SIGNATURE}, 'ROUTINE', p.oid::regprocedure::text,
    pg_get_userbyid(p.proowner), n.nspname
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
UNION ALL SELECT 'type', {rights.TYPE}, CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END,
    format('%I.%I', n.nspname, t.typname), pg_get_userbyid(t.typowner), n.nspname
FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
) AS o ("on", name, kind, quoted, owner, schema)
WHERE schema !~ '^pg_' AND schema <> 'information_schema'
"""
_KINDS = {
    "VIEW": "TABLE", "MATERIALIZED VIEW": "TABLE", "FOREIGN TABLE": "TABLE", "DOMAIN": "TYPE",
}  # fmt: skip
"""What GRANT calls them."""
_PRIVILEGES = frozenset(
    (
        "SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN",
        "USAGE", "CREATE", "EXECUTE",
    )
)  # fmt: skip
_COMMENTED = f"""
SELECT {rights.KEY}, coalesce(a.attname, '') FROM pg_description AS x
JOIN pg_class AS c ON c.oid = x.objoid JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = x.objsubid AND x.objsubid > 0
WHERE x.classoid = 'pg_class'::regclass
"""
_SECURED = f"""
SELECT {rights.KEY} FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relrowsecurity
"""
_WITHOUT = """
SELECT r.rolname FROM pg_roles AS r
WHERE r.rolname = ANY (%s) AND r.rolname <> 'pg_database_owner'
    AND NOT pg_has_role(current_user, r.oid, 'MEMBER')
ORDER BY 1
"""


class _Object:
    """Something in the new database: what it is called in statements, and whose it is."""

    def __init__(self, kind: str, quoted: str, owner: str, schema: str) -> None:
        self.kind = kind
        self.quoted = quoted
        self.owner = owner
        self.schema = schema

    @property
    def granted(self) -> str:
        return f"{_KINDS.get(self.kind, self.kind)} {self.quoted}"


Objects = dict[tuple[str, str], list[_Object]]


def missing(url: sa.URL, access: Access) -> tuple[str, ...]:
    """Return the statements that let the connected role give a database this access."""
    roles = {owner.role for owner in access.owners} | {each.owner for each in access.defaults}
    with connect.maintenance(url, "looking") as connection:
        found = connection.execute(_WITHOUT, (sorted(roles),)).fetchall()
        own = connection.execute("SELECT current_user").fetchone()
    me = sql.name(own[0]) if own else "CURRENT_USER"
    return tuple(f"GRANT {sql.name(role)} TO {me};" for (role,) in found)


def give(url: sa.URL, access: Access) -> tuple[str, ...]:
    """Give the database access; return what it has no object for.

    Raises
    ------
    DatabaseError
    """
    with connect.opened(url, "granting") as connection:
        objects = _objects(connection)
        _require_policies(connection, url, access)
        try:
            with connect.transaction(connection):
                _owners(connection, access, objects)
                _rights(connection, access, objects)
                _comments(connection, access, objects)
                ended = tuple(remarks.give(connection, access.remarks))
        except psycopg.errors.InsufficientPrivilege as error:
            raise DatabaseError(
                f"{url.database}: the rights of the old database cannot be given: "
                f"{error.diag.message_primary}",
                hint=missing(url, access) or ("do it as a superuser",),
            ) from error
        except psycopg.errors.UndefinedObject as error:
            raise DatabaseError(
                f"{url.database}: the rights of the old database cannot be given: "
                f"{error.diag.message_primary}"
            ) from error
    return (*_left(access, objects), *ended)


def _objects(connection: Connection) -> Objects:
    found: Objects = {}
    for on, name, *facts in connection.execute(_OBJECTS):
        found.setdefault((on, name), []).append(_Object(*facts))
    return found


def _require_policies(connection: Connection, url: sa.URL, access: Access) -> None:
    """Refuse a table that would show all rows to who saw some."""
    there = {name for (name,) in connection.execute(_SECURED)}
    bare = sorted(set(access.secured) - there)
    if bare:
        raise DatabaseError(
            f"{url.database}: policies hid rows of what {', '.join(bare)} was made of, and "
            f"{'they have' if len(bare) > 1 else 'it has'} no row security",
            hint="write row security and policies into the schema's SQL after the data",
        )


def _owners(connection: Connection, access: Access, objects: Objects) -> None:
    for owner in sorted(access.owners, key=lambda o: o.on != "schema"):
        for found in objects.get((owner.on, owner.name), ()):
            if found.owner != owner.role:
                with _may_create(connection, owner.role, found.schema):
                    connection.execute(
                        f"ALTER {found.kind} {found.quoted} OWNER TO {sql.name(owner.role)}"
                    )


@contextmanager
def _may_create(connection: Connection, role: str, schema: str) -> Iterator[None]:
    """Let a role have things in a schema while it is given one: only superusers need not ask."""
    row = connection.execute(
        "SELECT has_schema_privilege(%s, %s, 'CREATE')", (role, schema)
    ).fetchone()
    if row is None or row[0]:
        yield
        return
    right = f"CREATE ON SCHEMA {sql.name(schema)}"
    connection.execute(f"GRANT {right} TO {sql.name(role)}")
    yield
    connection.execute(f"REVOKE {right} FROM {sql.name(role)}")


def _rights(connection: Connection, access: Access, objects: Objects) -> None:
    for closed in access.closed:
        for found in objects.get(closed, ()):
            connection.execute(f"REVOKE ALL ON {found.granted} FROM PUBLIC")
    for grant in access.grants:
        on = "table" if grant.on == "column" else grant.on
        for found in objects.get((on, grant.name), ()):
            connection.execute(_statement(grant, found))
    for statement in _defaults(access.defaults):
        connection.execute(statement)


def _statement(grant: Grant, found: _Object) -> str:
    column = f" ({sql.name(grant.column)})" if grant.column else ""
    return (
        f"GRANT {_privilege(grant.privilege)}{column} ON {found.granted} "
        f"TO {_role(grant.grantee)}{_option(grantable=grant.grantable)}"
    )


def _defaults(given: Sequence[Default]) -> Iterator[str]:
    """Yield statements; what is said of a kind of objects without a schema is said in full."""
    for owner, objects in sorted({(d.owner, d.objects) for d in given if not d.schema}):
        yield f"{_whose(owner, '')} REVOKE ALL ON {_kind(objects)} FROM PUBLIC"
    for each in given:
        yield (
            f"{_whose(each.owner, each.schema)} GRANT {_privilege(each.privilege)} "
            f"ON {_kind(each.objects)} TO {_role(each.grantee)}{_option(grantable=each.grantable)}"
        )


def _whose(owner: str, schema: str) -> str:
    place = f" IN SCHEMA {sql.name(schema)}" if schema else ""
    return f"ALTER DEFAULT PRIVILEGES FOR ROLE {sql.name(owner)}{place}"


def _kind(objects: str) -> str:
    if objects not in rights.OBJECTS.values():
        raise DatabaseError(f"there are no default rights on {objects!r}")
    return objects


def _privilege(name: str) -> str:
    if name not in _PRIVILEGES:
        raise DatabaseError(f"{name!r} is no privilege")
    return name


def _role(name: str) -> str:
    return sql.name(name) if name else "PUBLIC"


def _option(*, grantable: bool) -> str:
    return " WITH GRANT OPTION" if grantable else ""


def _comments(connection: Connection, access: Access, objects: Objects) -> None:
    """Write the comments that the new schema has none in the place of."""
    said = set(connection.execute(_COMMENTED).fetchall())
    for comment in access.comments:
        for found in objects.get(("table", comment.name), ()):
            if (comment.name, comment.column) in said:
                continue
            what = f"{found.kind} {found.quoted}"
            if comment.column:
                what = f"COLUMN {found.quoted}.{sql.name(comment.column)}"
            connection.execute(f"COMMENT ON {what} IS {sql.text(comment.text)}")


def _left(access: Access, objects: Objects) -> Iterator[str]:
    """Say whose rights on views, routines and the like end with them."""
    owners = {(o.on, o.name): o.role for o in access.owners}
    gone: dict[tuple[str, str], set[str]] = {}
    for grant in access.grants:
        place = grant.on, grant.name
        there = grant.on in ("column", "sequence") or place in objects
        if not there and grant.grantee != owners.get(place):
            gone.setdefault(place, set()).add(grant.grantee or "everybody")
    for (on, name), roles in sorted(gone.items()):
        yield f"there is no {on} {name}: the rights of {', '.join(sorted(roles))} on it end"
