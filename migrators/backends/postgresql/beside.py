"""What a database has beside tables and programs: how rows are kept, and what works on them.

Rows mean the same without any of it, and an application, or its operators, may miss it. So the
catalogue tells it by name, and `freeze` writes the statement of each; of what it does not write,
a note.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrators.backends.postgresql.objects import own
from migrators.backends.postgresql.rights import KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

_OF_CLASS = f"JOIN pg_namespace AS n ON n.oid = c.relnamespace AND {own('pg_class', 'c.oid')}"
_PLACED = "format('%I.%I', n.nspname, c.relname)"


def _named(what: str, schema: str = "n.nspname") -> str:
    """SQL: the name of something in a schema, as the catalogue has it."""
    return f"CASE {schema} WHEN 'public' THEN '' ELSE {schema} || '.' END || {what}"


_STORAGE = f"""
SELECT 'storage', {KEY} || '.' || a.attname, string_agg(s.said, ', ' ORDER BY s.place), 'between',
    format('ALTER TABLE ONLY %s ', {_PLACED})
        || string_agg(format('ALTER %I %s', a.attname, s.said), ', ' ORDER BY s.place)
FROM pg_class AS c {_OF_CLASS}
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type AS t ON t.oid = a.atttypid
CROSS JOIN LATERAL (VALUES
    (1, CASE WHEN a.attstorage <> t.typstorage THEN 'SET STORAGE ' || CASE a.attstorage
        WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END
        END),
    (2, 'SET COMPRESSION ' || CASE to_jsonb(a) - 'attmissingval' ->> 'attcompression'
        WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END),
    (3, 'SET STATISTICS ' || CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END),
    (4, 'SET (' || substring(array_to_string(a.attoptions, ', ')
        FROM 'n_distinct[^,]*(?:, n_distinct[^,]*)?') || ')')
) AS s (place, said)
WHERE c.relkind IN ('r', 'p') AND s.said IS NOT NULL
GROUP BY n.nspname, c.relname, a.attname
"""
"""Servers keep words of their own among a column's options: two of them are a person's."""
_TABLESPACES = f"""
SELECT 'tablespace', {KEY}, s.spcname::text,
    'after', CASE WHEN c.relkind IN ('r', 'p') THEN '' ELSE
        format('ALTER %s %s SET TABLESPACE %I', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW'
            ELSE 'INDEX' END, {_PLACED}, s.spcname) END
FROM pg_class AS c {_OF_CLASS}
JOIN pg_tablespace AS s ON s.oid = c.reltablespace
WHERE c.relkind IN ('r', 'p', 'i', 'I', 'm')
"""
"""A table says its own, as an option."""
_IDENTITIES = f"""
SELECT 'replica identity', {KEY}, w.said, 'after',
    format('ALTER TABLE ONLY %s REPLICA IDENTITY %s', {_PLACED}, w.said)
FROM pg_class AS c {_OF_CLASS}
LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisreplident AND c.relreplident = 'i'
LEFT JOIN pg_class AS x ON x.oid = i.indexrelid
CROSS JOIN LATERAL (VALUES (CASE c.relreplident WHEN 'n' THEN 'NOTHING' WHEN 'f' THEN 'FULL'
    WHEN 'i' THEN format('USING INDEX %I', x.relname) END)) AS w (said)
WHERE c.relkind IN ('r', 'p') AND w.said IS NOT NULL
"""
_CLUSTERED = f"""
SELECT 'cluster', {KEY}, format('ON %I', x.relname), 'after',
    format('ALTER TABLE %s CLUSTER ON %I', {_PLACED}, x.relname)
FROM pg_class AS c {_OF_CLASS}
JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisclustered
JOIN pg_class AS x ON x.oid = i.indexrelid
WHERE c.relkind = 'r'
"""
_STATISTICS = f"""
SELECT 'statistics', {_named("s.stxname")}, pg_get_statisticsobjdef(s.oid), 'after',
    pg_get_statisticsobjdef(s.oid)
FROM pg_statistic_ext AS s JOIN pg_namespace AS n ON n.oid = s.stxnamespace
    AND {own("pg_statistic_ext", "s.oid")}
"""
_COLLATIONS = f"""
SELECT 'collation', {_named("k.collname")}, w.said, 'before',
    format('CREATE COLLATION %I.%I (%s)', n.nspname, k.collname, w.said)
FROM pg_collation AS k
JOIN pg_namespace AS n ON n.oid = k.collnamespace AND {own("pg_collation", "k.oid")}
CROSS JOIN LATERAL (VALUES (to_jsonb(k))) AS j (row)
CROSS JOIN LATERAL (VALUES (concat_ws(', ',
    CASE k.collprovider WHEN 'i' THEN 'PROVIDER = icu' WHEN 'b' THEN 'PROVIDER = builtin' END,
    CASE WHEN k.collprovider = 'c' THEN format('LC_COLLATE = %L, LC_CTYPE = %L', k.collcollate,
        k.collctype) ELSE format('LOCALE = %L',
        coalesce(j.row ->> 'colllocale', j.row ->> 'colliculocale', k.collcollate)) END,
    CASE WHEN NOT k.collisdeterministic THEN 'DETERMINISTIC = false' END,
    CASE WHEN j.row ->> 'collicurules' <> '' THEN format('RULES = %L', j.row ->> 'collicurules') END
))) AS w (said)
"""
_NO_STATEMENT = "NULL, NULL"
_WATCHERS = f"""
SELECT 'event trigger', e.evtname, concat_ws(', ', e.evtevent, e.evtfoid::regproc::text,
    array_to_string(e.evttags, ', '), nullif('enabled ' || e.evtenabled::text, 'enabled O')),
    {_NO_STATEMENT}
FROM pg_event_trigger AS e WHERE NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.deptype = 'e'
    AND d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid)
UNION ALL SELECT 'publication', p.pubname, CASE WHEN p.puballtables THEN 'all tables' ELSE
    (SELECT string_agg(r.prrelid::regclass::text, ', ' ORDER BY r.prrelid::regclass::text)
        FROM pg_publication_rel AS r WHERE r.prpubid = p.oid) END, {_NO_STATEMENT}
FROM pg_publication AS p
UNION ALL SELECT 'foreign server', s.srvname, w.fdwname::text, {_NO_STATEMENT}
FROM pg_foreign_server AS s JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw
"""
_WORDS = f"""
SELECT 'operator', {_named("o.oprname")} || format('(%s, %s)', nullif(o.oprleft, 0)::regtype,
    nullif(o.oprright, 0)::regtype), o.oprcode::text, {_NO_STATEMENT}
FROM pg_operator AS o JOIN pg_namespace AS n ON n.oid = o.oprnamespace
    AND {own("pg_operator", "o.oid")} WHERE o.oprcode <> 0
UNION ALL SELECT 'operator class', {_named("k.opcname")}, m.amname::text, {_NO_STATEMENT}
FROM pg_opclass AS k JOIN pg_am AS m ON m.oid = k.opcmethod
JOIN pg_namespace AS n ON n.oid = k.opcnamespace AND {own("pg_opclass", "k.oid")}
UNION ALL SELECT 'cast', format('%s to %s', k.castsource::regtype, k.casttarget::regtype),
    concat_ws(', ', k.castcontext, k.castmethod, nullif(k.castfunc, 0)::regprocedure::text),
    {_NO_STATEMENT}
FROM pg_cast AS k WHERE k.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend AS d
    WHERE d.deptype IN ('e', 'i') AND d.classid = 'pg_cast'::regclass AND d.objid = k.oid)
UNION ALL SELECT 'text search configuration', {_named("k.cfgname")}, '', {_NO_STATEMENT}
FROM pg_ts_config AS k JOIN pg_namespace AS n ON n.oid = k.cfgnamespace
    AND {own("pg_ts_config", "k.oid")}
UNION ALL SELECT 'text search dictionary', {_named("k.dictname")}, coalesce(k.dictinitoption, ''),
    {_NO_STATEMENT}
FROM pg_ts_dict AS k JOIN pg_namespace AS n ON n.oid = k.dictnamespace
    AND {own("pg_ts_dict", "k.oid")}
"""
_LARGE = f"""
SELECT 'large objects', format('(%s)', count(*)), '', {_NO_STATEMENT}
FROM pg_largeobject_metadata HAVING count(*) > 0
"""
_ALL = (
    _STORAGE, _TABLESPACES, _IDENTITIES, _CLUSTERED, _STATISTICS, _COLLATIONS, _WATCHERS, _WORDS,
    _LARGE,
)  # fmt: skip
QUERY = " UNION ALL ".join(_ALL)
"""Rows of `Beside`."""


@dataclass(frozen=True)
class Beside:
    """One of them; `statement` makes it, `when` says at which time, where one is known.

    Attributes
    ----------
    when : str or None
        "before", "between" or "after", as the files beside a schema module.
    """

    kind: str
    name: str
    facts: str
    when: str | None
    statement: str | None


def of(rows: Iterable[Any]) -> list[Beside]:
    """Return what `QUERY` gives, in a fixed order."""
    return sorted((Beside(*row) for row in rows), key=lambda b: (b.kind, b.name))


def statements(found: Iterable[Beside], when: str) -> list[str]:
    """Return the statements that run at a time."""
    return [each.statement for each in found if each.when == when and each.statement]


def unwritten(found: Iterable[Beside]) -> Iterator[str]:
    """Say what no statement is known for."""
    for each in found:
        if each.statement is None:
            yield f"not written down: {each.kind} {each.name}"
