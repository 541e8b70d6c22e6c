"""Who may do what with what is in a database: owners, rights, default rights, comments.

Names are as in the catalogue: a table's is its key in the metadata. Policies, row security and
storage parameters are in the catalogue and belong to the schema module; here is only of which
tables policies hide rows, so that no new table shows more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.access import Access, Comment, Default, Grant, Owner
from migrators.backends.postgresql import remarks
from migrators.guard import STAMP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.backends.postgresql.connect import Connection

_USERS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
_FREE = (
    "NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = '{catalog}'::regclass "
    "AND d.objid = {oid} AND d.deptype = 'e')"
)
KEY = "CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END"
"""A relation's name as the metadata has it."""
_RELATIONS = f"""
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace AND {_USERS}
    AND {_FREE.format(catalog="pg_class", oid="c.oid")}
"""
_TABLES = f"{_RELATIONS} WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND {KEY} <> '{STAMP}'"
OWNING = """
FROM pg_class AS s
JOIN pg_depend AS o ON o.classid = 'pg_class'::regclass AND o.objid = s.oid
    AND o.refclassid = 'pg_class'::regclass AND o.refobjsubid > 0 AND o.deptype IN ('a', 'i')
JOIN pg_class AS c ON c.oid = o.refobjid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE s.relkind = 'S'
"""
"""Sequences `s` of the columns of tables `c`; they have their table's owner."""
LONE = f"""
{_RELATIONS} WHERE c.relkind = 'S' AND NOT EXISTS (SELECT FROM pg_depend AS o
    WHERE o.classid = 'pg_class'::regclass AND o.objid = c.oid
    AND o.refclassid = 'pg_class'::regclass AND o.refobjsubid > 0 AND o.deptype IN ('a', 'i'))
"""
SIGNATURE = (
    "CASE n.nspname WHEN 'public' THEN p.proname ELSE n.nspname || '.' || p.proname END "
    "|| '(' || pg_get_function_identity_arguments(p.oid) || ')'"
)
_ROUTINES = f"""
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace AND {_USERS}
    AND {_FREE.format(catalog="pg_proc", oid="p.oid")}
"""
TYPE = "CASE n.nspname WHEN 'public' THEN t.typname ELSE n.nspname || '.' || t.typname END"
_TYPES = f"""
FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace AND {_USERS}
    AND {_FREE.format(catalog="pg_type", oid="t.oid")}
LEFT JOIN pg_class AS k ON k.oid = t.typrelid
WHERE t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND k.relkind = 'c')
"""
_SCHEMAS = f"FROM pg_namespace AS n WHERE {_USERS}"

_COLUMNS = _TABLES.replace(
    "WHERE",
    "JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE",
)
_ACLS = (
    ("table", f"SELECT {KEY}, '', c.relacl {_TABLES}"),
    ("column", f"SELECT {KEY}, a.attname, a.attacl {_COLUMNS}"),
    ("sequence", f"SELECT {KEY}, '', s.relacl {OWNING} AND {_USERS}"),
    ("lone sequence", f"SELECT {KEY}, '', c.relacl {LONE}"),
    ("schema", f"SELECT n.nspname, '', n.nspacl {_SCHEMAS}"),
    ("routine", f"SELECT {SIGNATURE}, '', p.proacl {_ROUTINES}"),
    ("type", f"SELECT {TYPE}, '', t.typacl {_TYPES}"),
)
_OWNERS = (
    ("table", f"SELECT {KEY}, pg_get_userbyid(c.relowner) {_TABLES}"),
    ("lone sequence", f"SELECT {KEY}, pg_get_userbyid(c.relowner) {LONE}"),
    ("schema", f"SELECT n.nspname, pg_get_userbyid(n.nspowner) {_SCHEMAS}"),
    ("routine", f"SELECT {SIGNATURE}, pg_get_userbyid(p.proowner) {_ROUTINES}"),
    ("type", f"SELECT {TYPE}, pg_get_userbyid(t.typowner) {_TYPES}"),
)
_EXPLODED = """
SELECT x.name, x.part, a.privilege_type, coalesce(r.rolname, ''), bool_or(a.is_grantable)
FROM ({acls}) AS x (name, part, acl), aclexplode(x.acl) AS a
LEFT JOIN pg_roles AS r ON r.oid = a.grantee
WHERE a.grantee = 0 OR r.oid IS NOT NULL
GROUP BY 1, 2, 3, 4
"""
_CLOSED = "SELECT x.name FROM ({acls}) AS x (name, part, acl) WHERE x.acl IS NOT NULL"
_BY_DEFAULT_OPEN = ("schema", "routine", "type")
"""Everybody has rights on these, unless they are taken away."""
_COMMENTED = """
JOIN pg_description AS x ON x.classoid = 'pg_class'::regclass AND x.objoid = c.oid
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = x.objsubid AND x.objsubid > 0
WHERE"""
_COMMENTS = (
    f"SELECT {KEY}, coalesce(a.attname, ''), x.description {_TABLES.replace('WHERE', _COMMENTED)}"
)
_DEFAULTS = """
SELECT pg_get_userbyid(d.defaclrole), coalesce(n.nspname, ''), d.defaclobjtype::text,
    a.privilege_type, coalesce(r.rolname, ''), bool_or(a.is_grantable)
FROM pg_default_acl AS d LEFT JOIN pg_namespace AS n ON n.oid = d.defaclnamespace,
    aclexplode(d.defaclacl) AS a LEFT JOIN pg_roles AS r ON r.oid = a.grantee
WHERE a.grantee = 0 OR r.oid IS NOT NULL
GROUP BY 1, 2, 3, 4, 5
"""
OBJECTS = {"r": "TABLES", "S": "SEQUENCES", "f": "FUNCTIONS", "T": "TYPES", "n": "SCHEMAS"}
_SECURED = f"SELECT {KEY} {_TABLES} AND c.relrowsecurity"


def read(connection: Connection) -> Access:
    """Return the access of an open database."""
    return Access(
        grants=tuple(sorted(_grants(connection))),
        owners=tuple(
            sorted(Owner(on, *row) for on, query in _OWNERS for row in connection.execute(query))
        ),
        comments=tuple(sorted(Comment(*row) for row in connection.execute(_COMMENTS))),
        defaults=tuple(sorted(_defaults(connection))),
        closed=tuple(sorted(_closed(connection))),
        secured=tuple(sorted(name for (name,) in connection.execute(_SECURED))),
        remarks=tuple(sorted(remarks.read(connection))),
    )


def _grants(connection: Connection) -> Iterator[Grant]:
    for on, query in _ACLS:
        for row in connection.execute(_EXPLODED.format(acls=query)):
            yield Grant(on, *row)


def _defaults(connection: Connection) -> Iterator[Default]:
    for owner, schema, objects, privilege, grantee, grantable in connection.execute(_DEFAULTS):
        yield Default(owner, schema, OBJECTS[objects], privilege, grantee, grantable)


def _closed(connection: Connection) -> Iterator[tuple[str, str]]:
    for on, query in _ACLS:
        if on in _BY_DEFAULT_OPEN:
            for (name,) in connection.execute(_CLOSED.format(acls=query)):
                yield on, name
