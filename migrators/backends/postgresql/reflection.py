"""A live database as SQLAlchemy declares it, and SQL for what it does not model.

`freeze --from URL` asks. Partitions stand between the tables and the data; what SQLAlchemy
would write down otherwise than it is (an index with an operator class, say) is left to SQL.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from migrators.backends.postgresql import beside, objects

if TYPE_CHECKING:
    from migrators.backends.postgresql.objects import Objects

_TABLE = "CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END"
_TABLES = f"""
SELECT {_TABLE}, c.relpersistence = 'u', c.relispartition,
    CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END, c.reloptions,
    (SELECT array_agg({_TABLE.replace("c.", "p.").replace("n.", "pn.")} ORDER BY i.inhseqno)
        FROM pg_inherits AS i JOIN pg_class AS p ON p.oid = i.inhparent
        JOIN pg_namespace AS pn ON pn.oid = p.relnamespace WHERE i.inhrelid = c.oid),
    CASE WHEN c.relispartition THEN format('CREATE TABLE %I.%I PARTITION OF %s %s%s', n.nspname,
        c.relname, (SELECT i.inhparent::regclass FROM pg_inherits AS i WHERE i.inhrelid = c.oid),
        pg_get_expr(c.relpartbound, c.oid), ' PARTITION BY ' || pg_get_partkeydef(c.oid)) END,
    (SELECT spcname FROM pg_tablespace WHERE oid = c.reltablespace)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY c.oid
"""
_COLUMNS = f"""
SELECT {_TABLE}, a.attname, a.attnotnull, a.atthasdef, t.typtype, t.oid::bigint, tn.nspname,
    t.typname, a.atttypid <> t.oid, format_type(b.oid, t.typtypmod),
    (SELECT s.oid::bigint FROM pg_depend AS o JOIN pg_class AS s ON s.oid = o.objid
        JOIN pg_sequence AS q ON q.seqrelid = s.oid
        WHERE o.refobjid = c.oid AND o.refobjsubid = a.attnum AND o.deptype = 'a'
        AND o.refclassid = 'pg_class'::regclass AND o.classid = 'pg_class'::regclass
        AND s.relkind = 'S' AND s.relnamespace = c.relnamespace AND q.seqtypid = a.atttypid
        AND s.relname = c.relname || '_' || a.attname || '_seq'
        AND (q.seqstart, q.seqincrement, q.seqmin, q.seqcache, q.seqcycle) = (1, 1, 1, 1, false))
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type AS w ON w.oid = a.atttypid
JOIN pg_type AS t
    ON t.oid = CASE WHEN w.typcategory = 'A' AND w.typtype = 'b' THEN w.typelem ELSE w.oid END
JOIN pg_namespace AS tn ON tn.oid = t.typnamespace
LEFT JOIN pg_type AS b ON b.oid = t.typbasetype
WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
"""
_CONSTRAINTS = f"""
SELECT {_TABLE}, k.conname, k.contype, k.condeferrable, k.condeferred,
    k.conislocal, k.conparentid <> 0,
    format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, c.relname, k.conname,
        pg_get_constraintdef(k.oid))
FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname <> 'information_schema' AND NOT c.relispartition ORDER BY k.oid
"""
_INDEXES = f"""
SELECT {_TABLE}, x.relname, pg_get_indexdef(x.oid), m.amname = 'btree'
    AND x.reloptions IS NULL AND NOT EXISTS (SELECT FROM unnest(i.indoption) AS o WHERE o <> 0)
    AND NOT EXISTS (SELECT FROM unnest(i.indclass) AS u (oid)
        JOIN pg_opclass AS q ON q.oid = u.oid WHERE NOT q.opcdefault)
    AND NOT coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false)
    AND pg_get_indexdef(x.oid) !~ ' COLLATE '
FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid JOIN pg_am AS m ON m.oid = x.relam
JOIN pg_class AS c ON c.oid = i.indrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND NOT x.relispartition
    AND NOT EXISTS (SELECT FROM pg_constraint AS k
        WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY x.oid
"""
_LAST = """
SELECT format('ALTER SEQUENCE %s OWNED BY %s.%I', s.oid::regclass, c.oid::regclass, a.attname),
    s.oid, 0
FROM pg_depend AS o JOIN pg_class AS s ON s.oid = o.objid AND s.relkind = 'S'
JOIN pg_class AS c ON c.oid = o.refobjid
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = o.refobjsubid
WHERE o.deptype = 'a' AND o.classid = 'pg_class'::regclass AND o.refclassid = o.classid
UNION ALL
SELECT pg_get_triggerdef(g.oid), g.oid, 0 FROM pg_trigger AS g
WHERE NOT g.tgisinternal AND coalesce(to_jsonb(g) ->> 'tgparentid', '0') = '0'
UNION ALL
SELECT format('ALTER TABLE %s %s TRIGGER %I', g.tgrelid::regclass, CASE g.tgenabled
    WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, g.tgname),
    g.oid, 1
FROM pg_trigger AS g WHERE NOT g.tgisinternal AND g.tgenabled <> 'O'
UNION ALL
SELECT rtrim(pg_get_ruledef(r.oid), ';'), r.oid, 0 FROM pg_rewrite AS r
WHERE r.rulename <> '_RETURN' AND r.oid >= 16384
UNION ALL
SELECT format('ALTER TABLE %s %s RULE %I', r.ev_class::regclass, CASE r.ev_enabled
    WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, r.rulename),
    r.oid, 1
FROM pg_rewrite AS r WHERE r.rulename <> '_RETURN' AND r.oid >= 16384 AND r.ev_enabled <> 'O'
UNION ALL
SELECT format('ALTER TABLE %s %s ROW LEVEL SECURITY', c.oid::regclass, what.does), c.oid, 0
FROM pg_class AS c CROSS JOIN LATERAL (VALUES (c.relrowsecurity, 'ENABLE'),
    (c.relforcerowsecurity, 'FORCE')) AS what (so, does) WHERE what.so AND c.oid >= 16384
UNION ALL
SELECT format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', p.polname, p.polrelid::regclass,
    CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
    CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
        WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
    (SELECT string_agg(coalesce(quote_ident(r.rolname), 'PUBLIC'), ', ' ORDER BY 1)
        FROM unnest(p.polroles) AS m (oid) LEFT JOIN pg_roles AS r ON r.oid = m.oid))
    || coalesce(format(' USING (%s)', pg_get_expr(p.polqual, p.polrelid)), '')
    || CASE WHEN p.polwithcheck IS NULL THEN ''
        ELSE format(' WITH CHECK (%s)', pg_get_expr(p.polwithcheck, p.polrelid)) END, p.oid, 0
FROM pg_policy AS p
ORDER BY 2, 3, 1
"""
_HIGHEST = (2**15 - 1, 2**31 - 1, 2**63 - 1)


def reflect(connection: sa.Connection, metadata: sa.MetaData, leave: frozenset[str]) -> None:
    """Read the tables of every schema; partitions belong to their tables.

    Parameters
    ----------
    leave : frozenset of str
        Names of tables that are not the application's.
    """
    partitions = {row[0] for row in _rows(connection, _TABLES) if row[2]}
    schemas = sa.inspect(connection).get_schema_names()
    for schema in [None, *(s for s in schemas if s not in ("public", "information_schema"))]:

        def wanted(name: str, _: Any, schema: str | None = schema) -> bool:
            return name not in leave and (f"{schema}.{name}" if schema else name) not in partitions

        metadata.reflect(connection, schema=schema, only=wanted)
    for key in partitions & metadata.tables.keys():  # references lead to them
        metadata.remove(metadata.tables[key])


def amend(connection: sa.Connection, metadata: sa.MetaData) -> tuple[dict[str, str], list[str]]:
    """Complete reflected tables; return SQL beside them, by when it runs, and notes."""
    found = objects.read(connection)
    between = _tables(connection, metadata)
    _columns(connection, metadata, found)
    bound = _constraints(connection, metadata) + _indexes(connection, metadata)
    last = [
        text
        for text, oid, _ in _rows(connection, _LAST)
        if not (text.startswith("ALTER SEQUENCE") and ("pg_class", oid) in found.modelled)
    ]
    kept = beside.of(_rows(connection, beside.QUERY))
    found.first += beside.statements(kept, "before")
    sql = {
        "before": found.before(),
        "between": [*between, *beside.statements(kept, "between")],
        "after": [
            *bound,
            *found.after(),
            *_of_views(connection, metadata),
            *last,
            *beside.statements(kept, "after"),
        ],
    }
    notes = [f"not written down: aggregate {name}" for name in found.aggregates]
    written = {when: "\n\n".join(f"{s};" for s in said) for when, said in sql.items() if said}
    return written, [*notes, *beside.unwritten(kept)]


def _rows(connection: sa.Connection, query: str) -> list[Any]:
    return list(connection.exec_driver_sql(query.replace("%", "%%")).all())


def _tables(connection: sa.Connection, metadata: sa.MetaData) -> list[str]:
    """Say of tables what SQLAlchemy does not reflect; return the partitions' statements."""
    partitions = []
    for row in _rows(connection, _TABLES):
        key, unlogged, is_partition, by, options, parents, statement, tablespace = row
        if is_partition:
            partitions.append(statement)
        table = metadata.tables.get(key)
        if table is None:
            continue
        if unlogged:
            table._prefixes = ["UNLOGGED"]  # noqa: SLF001  as Table(prefixes=)
        said = {
            "postgresql_partition_by": by,
            "postgresql_inherits": parents[0] if parents and len(parents) == 1 else parents,
            "postgresql_tablespace": tablespace,
            "postgresql_with": dict(o.split("=", 1) for o in options) if options else None,
        }
        for option, value in said.items():
            if value:
                table.dialect_kwargs[option] = value
    return partitions


def _columns(connection: sa.Connection, metadata: sa.MetaData, found: Objects) -> None:
    enums: dict[tuple[str, int], list[sa.Column[Any]]] = {}
    for key, name, needed, has_default, kind, oid, schema, type_, is_array, base, owned in _rows(
        connection, _COLUMNS
    ):
        table = metadata.tables.get(key)
        if table is None:
            continue
        column = table.columns[name]
        if kind == "d":
            column.nullable = not needed
            if not has_default:
                column.server_default = None
            own = _domain(column.type, type_, schema, base)
            column.type = postgresql.ARRAY(own) if is_array else own
        elif kind == "e":
            enums.setdefault(("pg_type", oid), []).append(column)
        if owned and column.primary_key and isinstance(column.type, sa.Integer):
            found.modelled.add(("pg_class", owned))
            column.server_default = None
            one = len(table.primary_key.columns) == 1
            column.autoincrement = "auto" if one else True
        if column.identity is not None:
            _plain_identity(column.identity)
        if column.identity is not None or column.server_default is not None:
            column.autoincrement = "auto"
    for node, columns in enums.items():
        _enum(node, columns, found)


def _domain(found: Any, name: str, schema: str, base: str) -> Any:
    """Return a domain, which SQL before the tables makes; its type is what it is made of.

    SQLAlchemy 2.1 takes a domain of `varchar(9)[]` for one of `varchar`.
    """
    inner = found.item_type if isinstance(found, sa.ARRAY) else found
    while isinstance(inner, postgresql.DOMAIN):
        inner = inner.data_type
    item = _plain(inner.item_type if isinstance(inner, sa.ARRAY) else inner, base)
    made = postgresql.ARRAY(item) if base.endswith("[]") else item
    return postgresql.DOMAIN(name, made, schema=schema, create_type=False)


def _plain(inner: Any, base: str) -> Any:
    """Return what a domain is made of, without what SQL before the tables says of it."""
    length = re.fullmatch(r"character(?: varying)?\((\d+)\)(?:\[\])?", base)
    if isinstance(inner, sa.Enum):
        return _named(inner)
    if isinstance(inner, sa.String):
        return type(inner)(int(length[1]) if length else None)
    return inner


def _enum(node: tuple[str, int], columns: list[sa.Column[Any]], found: Objects) -> None:
    """Let the tables make an enum type that nothing else needs; else SQL makes it before them."""
    inner: Any = [c.type.item_type if isinstance(c.type, sa.ARRAY) else c.type for c in columns]
    schema = inner[0].schema
    alone = not found.users(node) and all(c.table.schema == schema for c in columns)
    if alone:
        found.modelled.add(node)
    for column, kind in zip(columns, inner, strict=True):
        made: Any = _named(kind)
        if alone:
            made = sa.Enum(*kind.enums, name=kind.name, schema=schema)
        column.type = postgresql.ARRAY(made) if isinstance(column.type, sa.ARRAY) else made


def _named(kind: Any) -> Any:
    """Return an enum type that SQL before the tables makes."""
    place = kind.schema or "public"
    return postgresql.ENUM(*kind.enums, name=kind.name, schema=place, create_type=False)


def _plain_identity(identity: Any) -> None:
    """Leave out of an identity what it is without being told."""
    for option, plain in (
        ("start", (1,)),
        ("increment", (1,)),
        ("minvalue", (1,)),
        ("cache", (1,)),
    ):
        if getattr(identity, option) in plain:
            setattr(identity, option, None)
    if identity.maxvalue in _HIGHEST:
        identity.maxvalue = None


def _constraints(connection: sa.Connection, metadata: sa.MetaData) -> list[str]:
    """Say when constraints are checked; return statements of those that are not modelled."""
    sql = []
    rows = _rows(connection, _CONSTRAINTS)
    for key, name, kind, deferrable, deferred, is_local, of_partition, statement in rows:
        table = metadata.tables.get(key)
        if table is None:
            continue
        constraint: Any = next((c for c in table.constraints if c.name == name), None)
        if kind == "x":
            sql.append(statement)
        elif constraint is None:
            continue
        elif kind == "f" and of_partition:
            _forget(table, constraint)
        elif kind == "c" and not is_local:
            table.constraints.discard(constraint)
        elif deferrable:
            constraint.deferrable = True
            constraint.initially = "DEFERRED" if deferred else None
    for table in metadata.tables.values():
        for item in (table, *table.constraints, *table.indexes):
            _without_nothing(item)
    return sql


def _forget(table: sa.Table, constraint: sa.ForeignKeyConstraint) -> None:
    """Take a reference off that the server made of one to a partitioned table."""
    table.constraints.discard(constraint)
    for element in constraint.elements:
        element.parent.foreign_keys.discard(element)
        table.foreign_keys.discard(element)


def _without_nothing(item: Any) -> None:
    """Take off options that say nothing."""
    for option, value in list(item.dialect_kwargs.items()):
        if value in ([], False, {}):
            del item.dialect_kwargs[option]
        elif option == "postgresql_where" and isinstance(value, str):
            item.dialect_kwargs[option] = sa.text(value)


def _indexes(connection: sa.Connection, metadata: sa.MetaData) -> list[str]:
    """Leave to SQL the indexes that SQLAlchemy would write otherwise; return their statements."""
    sql = []
    for key, name, statement, modelled in _rows(connection, _INDEXES):
        table = metadata.tables.get(key)
        index = (
            next((i for i in table.indexes if i.name == name), None) if table is not None else None
        )
        if table is None or (index is not None and modelled):
            continue
        if index is not None:
            table.indexes.discard(index)
        sql.append(statement)
    return sql


def _of_views(connection: sa.Connection, metadata: sa.MetaData) -> list[str]:
    """Return the indexes of materialised views."""
    keys = {row[0] for row in _rows(connection, _TABLES)} | metadata.tables.keys()
    return [statement for key, _, statement, _ in _rows(connection, _INDEXES) if key not in keys]
