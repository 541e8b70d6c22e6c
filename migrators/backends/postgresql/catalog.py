"""What a database holds besides rows, in comparable form, as the server itself writes it.

Objects in `public` have their plain name, others their schema's before it. What belongs to
an extension is the extension's; what belongs to a column (its sequence) is the column's.
Names that the server chose for constraints are none, as where a model leaves them open.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrators.backends.interface import Catalog
from migrators.backends.postgresql import beside
from migrators.backends.stamping import OURS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.backends.postgresql.connect import Connection

    Facts = Iterator[tuple[tuple[str, str], str]]

_USERS = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'"


def _free(catalog: str, oid: str) -> str:
    """SQL: an object that no extension brought along."""
    return (
        "NOT EXISTS (SELECT FROM pg_depend AS e WHERE e.deptype = 'e' "
        f"AND e.classid = '{catalog}'::regclass AND e.objid = {oid})"
    )


_CLASS = _free("pg_class", "c.oid")
_NAME = "CASE n.nspname WHEN 'public' THEN {x} ELSE n.nspname || '.' || {x} END"
_RELATION = _NAME.replace("{x}", "c.relname")
_OF_CLASS = f"JOIN pg_namespace AS n ON n.oid = c.relnamespace AND {_USERS} AND {_CLASS}"

_TABLES = f"""
SELECT {_RELATION}, c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity,
    CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END,
    pg_get_expr(c.relpartbound, c.oid),
    (SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno)
        FROM pg_inherits AS i WHERE i.inhrelid = c.oid),
    array_to_string(c.reloptions, ', ')
FROM pg_class AS c {_OF_CLASS}
WHERE c.relkind IN ('r', 'p', 'f')
"""
_TABLES_THAT_ARE_PARTS = f"SELECT {_RELATION} FROM pg_class AS c {_OF_CLASS} WHERE c.relispartition"
_COLUMNS = f"""
SELECT {_RELATION}, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated,
    CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END
FROM pg_class AS c {_OF_CLASS}
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p', 'f')
"""
_CONSTRAINTS = f"""
SELECT {_RELATION}, c.relname, k.conname, k.contype,
    coalesce((SELECT string_agg(a.attname, ', ' ORDER BY u.place)
        FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = u.number), ''),
    pg_get_constraintdef(k.oid), k.convalidated
FROM pg_constraint AS k
JOIN pg_class AS c ON c.oid = k.conrelid {_OF_CLASS}
WHERE k.contype IN ('p', 'u', 'f', 'c', 'x') AND c.relkind IN ('r', 'p', 'f')
"""
_INDEXES = f"""
SELECT {_RELATION}, pg_get_indexdef(c.oid), i.indisvalid, t.relname
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid {_OF_CLASS}
JOIN pg_class AS t ON t.oid = i.indrelid
WHERE NOT EXISTS (SELECT FROM pg_constraint AS k
    WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
"""
_VIEWS = f"""
SELECT {_RELATION}, c.relkind, pg_get_viewdef(c.oid), array_to_string(c.reloptions, ', ')
FROM pg_class AS c {_OF_CLASS}
WHERE c.relkind IN ('v', 'm')
"""
_TRIGGERS = f"""
SELECT {_RELATION}, g.tgname, pg_get_triggerdef(g.oid), g.tgenabled
FROM pg_trigger AS g
JOIN pg_class AS c ON c.oid = g.tgrelid {_OF_CLASS}
WHERE NOT g.tgisinternal
"""
_RULES = f"""
SELECT {_RELATION}, r.rulename, pg_get_ruledef(r.oid), r.ev_enabled
FROM pg_rewrite AS r
JOIN pg_class AS c ON c.oid = r.ev_class {_OF_CLASS}
WHERE r.rulename <> '_RETURN'
"""
_POLICIES = f"""
SELECT {_RELATION}, p.polname, p.polcmd, p.polpermissive,
    pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid),
    (SELECT string_agg(coalesce(r.rolname, 'public'), ', ' ORDER BY 1)
        FROM unnest(p.polroles) AS m (oid) LEFT JOIN pg_roles AS r ON r.oid = m.oid)
FROM pg_policy AS p
JOIN pg_class AS c ON c.oid = p.polrelid {_OF_CLASS}
"""
_FUNCTIONS = f"""
SELECT {_NAME.replace("{x}", "p.proname")}
    || '(' || pg_get_function_identity_arguments(p.oid) || ')',
    CASE WHEN p.prokind IN ('f', 'p', 'w') THEN pg_get_functiondef(p.oid) ELSE
        (SELECT concat_ws(', ', g.aggtransfn::text, g.aggfinalfn::text, g.agginitval)
            FROM pg_aggregate AS g WHERE g.aggfnoid = p.oid) END
FROM pg_proc AS p
JOIN pg_namespace AS n ON n.oid = p.pronamespace AND {_USERS} AND {_free("pg_proc", "p.oid")}
"""
_TYPES = f"""
SELECT {_NAME.replace("{x}", "t.typname")}, t.typtype,
    CASE t.typtype
        WHEN 'e' THEN (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
            FROM pg_enum AS e WHERE e.enumtypid = t.oid)
        WHEN 'd' THEN concat_ws(', ', format_type(t.typbasetype, t.typtypmod),
            CASE WHEN t.typnotnull THEN 'not null' END, 'default ' || t.typdefault,
            (SELECT string_agg(pg_get_constraintdef(k.oid), ', ' ORDER BY k.conname)
                FROM pg_constraint AS k WHERE k.contypid = t.oid AND k.contype = 'c'))
        WHEN 'c' THEN (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod),
            ', ' ORDER BY a.attnum) FROM pg_attribute AS a
            WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
        WHEN 'r' THEN (SELECT format_type(r.rngsubtype, NULL) FROM pg_range AS r
            WHERE r.rngtypid = t.oid) END
FROM pg_type AS t
JOIN pg_namespace AS n ON n.oid = t.typnamespace AND {_USERS} AND {_free("pg_type", "t.oid")}
LEFT JOIN pg_class AS c ON c.oid = t.typrelid
WHERE t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c')
"""
_SEQUENCES = f"""
SELECT {_RELATION}, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmax, s.seqmin,
    s.seqcycle
FROM pg_sequence AS s
JOIN pg_class AS c ON c.oid = s.seqrelid {_OF_CLASS}
WHERE NOT EXISTS (SELECT FROM pg_depend AS o WHERE o.classid = 'pg_class'::regclass
    AND o.objid = c.oid AND o.deptype IN ('a', 'i') AND o.refobjsubid > 0)
"""
_EXTENSIONS = "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'"
_SCHEMAS = f"SELECT n.nspname FROM pg_namespace AS n WHERE {_USERS} AND n.nspname <> 'public'"

_TYPE_KINDS = {"e": "enum", "d": "domain", "c": "composite", "r": "range of"}
_PERSISTENCE = {"u": "unlogged", "t": "temporary", "p": ""}
_CONSTRAINT_KINDS = {
    "p": "primary key", "u": "unique", "f": "foreign key", "c": "check", "x": "exclusion",
}  # fmt: skip
_IDENTITY = {"a": "generated always as identity", "d": "generated by default as identity"}
_CHOSEN = re.compile(r"(?:pkey|key|fkey|check|excl)\d*$")


def read(connection: Connection) -> Catalog:
    """Return the catalogue of an open database."""
    objects: dict[tuple[str, str], str] = {}
    for part in _PARTS:
        for key, facts in part(connection):
            objects[_next(objects, key)] = facts
    parts = connection.execute(_TABLES_THAT_ARE_PARTS).fetchall()
    return Catalog(objects, frozenset(name for (name,) in parts))


def _next(objects: dict[tuple[str, str], str], key: tuple[str, str]) -> tuple[str, str]:
    """Return a key that is not taken: two equal constraints are two objects."""
    kind, name = key
    again = 2
    while key in objects:
        key = (kind, f"{name} ({again})")
        again += 1
    return key


def _told(*facts: str | None) -> str:
    return ", ".join(" ".join(fact.split()) for fact in facts if fact)


def _tables(connection: Connection) -> Facts:
    for (
        name,
        kind,
        persistence,
        secured,
        forced,
        key,
        bound,
        parents,
        options,
    ) in connection.execute(_TABLES):
        if name not in OURS:
            yield (
                ("table", name),
                _told(
                    _PERSISTENCE[persistence],
                    "foreign" if kind == "f" else None,
                    "row security" if secured else None,
                    "row security is forced" if forced else None,
                    key and f"partition by {key}",
                    parents and f"of {parents}",
                    bound,
                    options,
                ),
            )


def _columns(connection: Connection) -> Facts:
    for table, name, kind, needed, default, identity, generated, collation in connection.execute(
        _COLUMNS
    ):
        if table not in OURS:
            yield (
                ("column", f"{table}.{name}"),
                _told(
                    kind,
                    "not null" if needed else None,
                    _computed(default, generated),
                    _IDENTITY.get(identity),
                    collation and f"collate {collation}",
                ),
            )


def _computed(expression: str | None, generated: str) -> str | None:
    if expression is None:
        return None
    stored = {"s": "stored", "v": "virtual"}.get(generated)
    return f"generated as ({expression}) {stored}" if stored else f"default {expression}"


def _constraints(connection: Connection) -> Facts:
    rows = connection.execute(_CONSTRAINTS).fetchall()
    bare = {row[0] for row in rows if row[3] == "p"}
    for table, relation, name, letter, columns, text, valid in sorted(rows):
        if table in OURS:
            continue
        kind = _CONSTRAINT_KINDS[letter]
        named = "" if _is_chosen(relation, name) else f"named {name}"
        said = columns if letter == "p" else text
        shown = {
            "p": table,
            "c": f"{table}.{name if named else text}",
        }.get(letter, f"{table}({columns})")
        unproven = None if valid or "NOT VALID" in text else "not valid"
        yield (kind, shown), _told(said, unproven, named)
    for (_, table), _facts in list(_tables(connection)):
        if table not in bare:
            yield ("primary key", table), ""


def _is_chosen(table: str, name: str) -> bool:
    """Whether a constraint's name is one that the server gave it (ChooseConstraintName)."""
    begins = name.startswith(f"{table}_") or (len(name.encode()) > 60 and "_" in name)  # noqa: PLR2004
    return begins and bool(_CHOSEN.search(name))


def _indexes(connection: Connection) -> Facts:
    for name, text, valid, table in connection.execute(_INDEXES):
        if table not in OURS:
            yield ("index", name), _told(text, None if valid else "not valid")


def _views(connection: Connection) -> Facts:
    for name, kind, text, options in connection.execute(_VIEWS):
        if name not in OURS:
            yield ("view" if kind == "v" else "materialized view", name), _told(text, options)


def _triggers(connection: Connection) -> Facts:
    for table, name, text, enabled in connection.execute(_TRIGGERS):
        state = None if enabled == "O" else f"enabled {enabled}"
        yield ("trigger", f"{table}.{name}"), _told(text, state)


def _rules(connection: Connection) -> Facts:
    for table, name, text, enabled in connection.execute(_RULES):
        state = None if enabled == "O" else f"enabled {enabled}"
        yield ("rule", f"{table}.{name}"), _told(text, state)


def _policies(connection: Connection) -> Facts:
    for table, name, command, permissive, using, check, roles in connection.execute(_POLICIES):
        yield (
            ("policy", f"{table}.{name}"),
            _told(command, None if permissive else "restrictive", using, check, roles),
        )


def _functions(connection: Connection) -> Facts:
    for name, text in connection.execute(_FUNCTIONS):
        yield ("function", name), _told(text)


def _types(connection: Connection) -> Facts:
    for name, kind, text in connection.execute(_TYPES):
        yield ("type", name), _told(f"{_TYPE_KINDS[kind]} {text}")


def _sequences(connection: Connection) -> Facts:
    for name, kind, start, by, highest, lowest, cycles in connection.execute(_SEQUENCES):
        yield (
            ("sequence", name),
            _told(
                kind, f"from {start} by {by}, {lowest} to {highest}", "cycles" if cycles else None
            ),
        )


def _extensions(connection: Connection) -> Facts:
    for (name,) in connection.execute(_EXTENSIONS):
        yield ("extension", name), ""


def _schemas(connection: Connection) -> Facts:
    for (name,) in connection.execute(_SCHEMAS):
        yield ("schema", name), ""


def _beside(connection: Connection) -> Facts:
    for each in beside.of(connection.execute(beside.QUERY)):
        yield (each.kind, each.name), _told(each.facts)


_PARTS = (
    _schemas,
    _extensions,
    _types,
    _sequences,
    _tables,
    _columns,
    _constraints,
    _indexes,
    _views,
    _triggers,
    _rules,
    _policies,
    _functions,
    _beside,
)
