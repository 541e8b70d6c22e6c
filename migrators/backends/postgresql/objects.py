"""What a database has beside tables, as the statements that make it, in an order that works.

`freeze --from URL` asks. Functions come before the tables, since defaults, checks and indexes
may use them, with bodies unread (`check_function_bodies`), as pg_dump writes them; what needs
a table to be there comes after the data.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

    Node = tuple[str, int]

_LOWEST = 16_384
"""Numbers below are the server's own objects (transam.h, FirstNormalObjectId)."""
_USERS = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'"
_OURS = "NOT IN ('migrate_stamp', 'migrate_loading', 'alembic_version')"


def own(catalog: str, oid: str) -> str:
    """SQL: no extension brought it along, and it is in no schema of the server's own."""
    return (
        f"{_USERS} AND NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.deptype = 'e' "
        f"AND e.classid = '{catalog}'::regclass AND e.objid = {oid})"
    )


_TYPES = f"""
SELECT 'pg_type', t.oid::bigint, CASE t.typtype
    WHEN 'e' THEN format('CREATE TYPE %I.%I AS ENUM (%s)', n.nspname, t.typname,
        (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
            FROM pg_enum AS e WHERE e.enumtypid = t.oid))
    WHEN 'r' THEN (SELECT format('CREATE TYPE %I.%I AS RANGE (SUBTYPE = %s%s)', n.nspname,
            t.typname, format_type(r.rngsubtype, NULL),
            CASE WHEN r.rngsubdiff <> 0 THEN ', SUBTYPE_DIFF = ' || r.rngsubdiff::regproc END)
        FROM pg_range AS r WHERE r.rngtypid = t.oid)
    WHEN 'd' THEN format('CREATE DOMAIN %I.%I AS ', n.nspname, t.typname) || concat_ws(' ',
        format_type(t.typbasetype, t.typtypmod),
        CASE WHEN t.typcollation NOT IN (0, b.typcollation)
            THEN 'COLLATE ' || t.typcollation::regcollation END,
        'DEFAULT ' || t.typdefault, CASE WHEN t.typnotnull THEN 'NOT NULL' END,
        (SELECT string_agg(format('CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)),
            ' ' ORDER BY k.conname) FROM pg_constraint AS k
            WHERE k.contypid = t.oid AND k.contype = 'c'))
    END
FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
LEFT JOIN pg_type AS b ON b.oid = t.typbasetype
WHERE t.typtype IN ('e', 'd', 'r') AND {own("pg_type", "t.oid")}
"""
_COMPOSITES = f"""
SELECT 'pg_class', c.oid::bigint, format('CREATE TYPE %I.%I AS (%s)', n.nspname, c.relname,
    (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)),
        ', ' ORDER BY a.attnum)
        FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'c' AND {own("pg_class", "c.oid")}
"""
_FUNCTIONS = f"""
SELECT 'pg_proc', p.oid::bigint, rtrim(pg_get_functiondef(p.oid), E' \\n')
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE p.prokind IN ('f', 'p', 'w') AND {own("pg_proc", "p.oid")} AND NOT EXISTS (
    SELECT FROM pg_depend AS o WHERE o.deptype = 'i' AND o.classid = 'pg_proc'::regclass
    AND o.objid = p.oid)
"""
_SEQUENCES = f"""
SELECT 'pg_class', c.oid::bigint, format('CREATE SEQUENCE %I.%I AS %s INCREMENT %s MINVALUE %s '
    'MAXVALUE %s START %s CACHE %s%s', n.nspname, c.relname, format_type(s.seqtypid, NULL),
    s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache,
    CASE WHEN s.seqcycle THEN ' CYCLE' END)
FROM pg_sequence AS s JOIN pg_class AS c ON c.oid = s.seqrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE {own("pg_class", "c.oid")} AND NOT EXISTS (SELECT FROM pg_depend AS o
    WHERE o.classid = 'pg_class'::regclass AND o.objid = c.oid AND o.deptype = 'i')
"""
_VIEWS = f"""
SELECT 'pg_class', c.oid::bigint, format('CREATE %s %I.%I%s AS %s',
    CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, n.nspname, c.relname,
    ' WITH (' || array_to_string(c.reloptions, ', ') || ')',
    btrim(pg_get_viewdef(c.oid), ' ;'))
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND c.relname {_OURS} AND {own("pg_class", "c.oid")}
"""
_AGGREGATES = f"""
SELECT p.oid::regprocedure::text
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE p.prokind = 'a' AND {own("pg_proc", "p.oid")} ORDER BY 1
"""
_DEPENDS = f"""
WITH own (class, number, owner_class, owner) AS (
    SELECT 'pg_rewrite'::regclass, oid, 'pg_class'::regclass, ev_class FROM pg_rewrite
    UNION ALL SELECT 'pg_attrdef'::regclass, oid, 'pg_class'::regclass, adrelid FROM pg_attrdef
    UNION ALL SELECT 'pg_constraint'::regclass, oid,
        CASE WHEN contypid <> 0 THEN 'pg_type'::regclass ELSE 'pg_class'::regclass END,
        CASE WHEN contypid <> 0 THEN contypid ELSE conrelid END FROM pg_constraint
    UNION ALL SELECT 'pg_type'::regclass, oid, 'pg_class'::regclass, typrelid
        FROM pg_type WHERE typrelid <> 0
    UNION ALL SELECT 'pg_type'::regclass, t.oid,
        CASE WHEN e.typrelid <> 0 THEN 'pg_class'::regclass ELSE 'pg_type'::regclass END,
        CASE WHEN e.typrelid <> 0 THEN e.typrelid ELSE e.oid END
        FROM pg_type AS t JOIN pg_type AS e ON e.oid = t.typelem WHERE t.typcategory = 'A')
SELECT DISTINCT coalesce(a.owner_class, d.classid::regclass)::text,
    coalesce(a.owner, d.objid)::bigint,
    coalesce(b.owner_class, d.refclassid::regclass)::text,
    coalesce(b.owner, d.refobjid)::bigint
FROM pg_depend AS d
LEFT JOIN own AS a ON a.class = d.classid AND a.number = d.objid
LEFT JOIN own AS b ON b.class = d.refclassid AND b.number = d.refobjid
WHERE d.objid >= {_LOWEST} AND d.refobjid >= {_LOWEST}
"""
_TABLES = "SELECT oid::bigint FROM pg_class WHERE relkind IN ('r', 'p', 'f')"
_SCHEMAS = f"""
SELECT format('CREATE SCHEMA IF NOT EXISTS %I', n.nspname)
FROM pg_namespace AS n WHERE n.nspname <> 'public' AND {own("pg_namespace", "n.oid")} ORDER BY 1
"""
_EXTENSIONS = """
SELECT format('CREATE EXTENSION IF NOT EXISTS %I WITH SCHEMA %I', e.extname, n.nspname)
FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname <> 'plpgsql' ORDER BY e.oid
"""


@dataclass
class Objects:
    """Statements by what they make; `modelled` are left out: the tables make them.

    Attributes
    ----------
    first : list of str
        Schemas and extensions.
    made : mapping of object to statement
        In an order in which they can be made.
    needs : mapping of object to the objects that it needs
    tables : set of objects
    aggregates : list of str
        Which no statement is known for.
    """

    first: list[str]
    made: dict[Node, str]
    needs: dict[Node, set[Node]]
    tables: set[Node]
    aggregates: list[str]
    modelled: set[Node] = field(default_factory=set)

    def before(self) -> list[str]:
        """Return what is made before the tables."""
        late = self._late()
        early = [s for node, s in self.made.items() if node not in late | self.modelled]
        bodies = ["SET check_function_bodies = off"] if any("FUNCTION" in s for s in early) else []
        return [*self.first, *bodies, *early]

    def after(self) -> list[str]:
        """Return what is made after the data."""
        late = self._late()
        return [s for node, s in self.made.items() if node in late - self.modelled]

    def users(self, node: Node) -> set[Node]:
        """Return the objects before the tables that need another one."""
        late = self._late()
        return {n for n in self.made if node in self.needs.get(n, ()) and n not in late}

    def _late(self) -> set[Node]:
        """Return what needs a table, or something that does."""
        late: set[Node] = set()
        for node, statement in self.made.items():  # in order, so that one pass is enough
            is_view = statement.startswith(("CREATE VIEW", "CREATE MATERIALIZED VIEW"))
            is_sequence = statement.startswith("CREATE SEQUENCE")  # owned by a table at the end
            needy = bool(self.needs.get(node, set()) & (self.tables | late))
            if is_view or (needy and not is_sequence):
                late.add(node)
        return late


def read(connection: sa.Connection) -> Objects:
    """Return the objects of a database."""
    made: dict[Node, str] = {}
    for query in (_TYPES, _COMPOSITES, _SEQUENCES, _FUNCTIONS, _VIEWS):
        made |= {(kind, oid): text for kind, oid, text in _rows(connection, query)}
    needs: dict[Node, set[Node]] = {}
    for kind, oid, of, other in _rows(connection, _DEPENDS):
        if (kind, oid) != (of, other):
            needs.setdefault((kind, oid), set()).add((of, other))
    return Objects(
        [text for query in (_SCHEMAS, _EXTENSIONS) for (text,) in _rows(connection, query)],
        {node: made[node] for node in _ordered(made, needs)},
        needs,
        {("pg_class", oid) for (oid,) in _rows(connection, _TABLES)},
        [name for (name,) in _rows(connection, _AGGREGATES)],
    )


def _rows(connection: sa.Connection, query: str) -> Iterator[Any]:
    yield from connection.exec_driver_sql(query.replace("%", "%%")).all()


def _ordered(made: dict[Node, str], needs: dict[Node, set[Node]]) -> list[Node]:
    """Return objects after what they need, older ones first; in circles by age alone."""
    aged = sorted(made, key=lambda node: node[1])
    sorter = TopologicalSorter({n: sorted(needs.get(n, set()) & made.keys()) for n in aged})
    try:
        return list(sorter.static_order())
    except CycleError:
        return aged
