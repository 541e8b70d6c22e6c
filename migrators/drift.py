"""Drift: what a live database has otherwise than `schemas/vN.py` says.

Both sides are catalogues read the same way: the live database's, and that of a scratch
database freshly built from the schema. Nothing is parsed twice, so nothing that the
database itself normalises can look like a difference.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from migrators.errors import DatabaseError, MigrateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from migrators.backends.interface import Backend, Catalog, Snapshot
    from migrators.schema import SchemaVersion

    Fresh = Callable[[Backend, SchemaVersion], Catalog]
    """Gives the catalogue of a database beside another one, freshly built from a schema."""

_CONSTRAINTS = frozenset({"primary key", "unique", "foreign key", "check"})

What = Literal["missing", "extra", "differs"]
_HOLDS_DATA = frozenset({"table", "column", "virtual table"})
_ROWS = frozenset({"table", "virtual table"})
_WHEN = ("before", "between", "after")
_FILLS = r"\b(?:insert|replace)\b[^;]*?\binto\b[^;(]*?\b{}\b"
_FIRST = frozenset({"function", "type", "sequence", "extension", "schema", "collation"})
"""Kinds of objects that tables may need: SQL beside a schema makes them before the tables."""
_BESIDE = _FIRST | {
    "view", "materialized view", "statistics", "storage", "tablespace", "replica identity",
    "cluster", "event trigger", "publication", "foreign server", "operator", "operator class",
    "cast", "text search configuration", "text search dictionary", "large objects",
    "definer of", "history", "index comment",
}  # fmt: skip
"""Kinds of objects that rows mean the same without, as long as nothing of the schema's uses
them: what does is another object, and differs itself."""


_DECLARED = _CONSTRAINTS | {"table", "column", "index", "sequence"}
"""Kinds that a schema module says; others stand in the SQL beside it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that is not alike.

    Attributes
    ----------
    kind, name : str
        As in `Catalog.objects`: ("column", "users.email").
    what : "missing", "extra" or "differs"
        Seen from the live database.
    live, fresh : str
        The facts of either side; empty where it has none.
    additive : bool
        Added within the major: a notice, not drift.
    """

    kind: str
    name: str
    what: What
    live: str = ""
    fresh: str = ""
    additive: bool = False

    @property
    def said(self) -> str:
        """What it is, without the SQL of views and triggers, which may be long."""
        return f"{self.kind} {self.name}"

    @property
    def may_hold_data(self) -> bool:
        """Whether there may be rows or values that the schema does not know of; see `holding`."""
        return self.what == "extra" and self.kind in _HOLDS_DATA

    def __str__(self) -> str:
        """Say it in one sentence."""
        said = self.said
        if self.what == "missing":
            return f"{said} is missing: the schema says {self.fresh or 'that it is there'}"
        if self.what == "extra":
            return f"{said} is in the database only{_facts(self.live)}"
        return f"{said} differs: the database has {self.live}; the schema says {self.fresh}"


def compare(live: Catalog, fresh: Catalog) -> list[Difference]:
    """Return what differs, missing things first, then by kind and name.

    A further table with all that belongs to it, a further index that is not unique, a
    further view, function, type, sequence, extension or schema, a trigger on a further
    table, and a further column that is nullable or has a default are additive. A constraint
    without a name in the live database is none that differs from one with a name in the
    schema: models that leave names open are frozen with names, and the databases that they
    made have none.

    Parameters
    ----------
    live : Catalog
        Of the live database.
    fresh : Catalog
        Of one freshly built from the schema (`fresh_catalog`).
    """
    expected = dict(_unnamed(live.objects, key, facts) for key, facts in fresh.objects.items())
    found = [
        _difference(kind, name, live.objects.get((kind, name)), expected.get((kind, name)))
        for kind, name in sorted(live.objects.keys() | expected.keys())
        if live.objects.get((kind, name)) != expected.get((kind, name))
    ]
    new_tables = {d.name for d in found if d.kind in _ROWS and d.what == "extra"}
    marked = [_mark(difference, new_tables) for difference in found]
    return sorted(marked, key=lambda d: (d.what != "missing", d.kind, d.name))


def beside(fresh: Catalog, schema: SchemaVersion) -> list[tuple[str, str]]:
    """Return kind and name of tables that SQL beside a schema module makes: no step reads them.

    Parameters
    ----------
    fresh : Catalog
        Of a database freshly built from the schema.
    """
    tables = schema.metadata.tables.values()
    declared = {name.casefold() for table in tables for name in (table.key, table.name)}
    return [
        (kind, name)
        for kind, name in sorted(fresh.objects)
        if kind in _ROWS and name not in fresh.parts and name.casefold() not in declared
    ]


def filled(
    tables: Iterable[tuple[str, str]], database: Backend, snapshot: Snapshot
) -> tuple[str, ...]:
    """Return the names of those of tables, given with their kinds, that have rows."""
    return tuple(n for kind, n in tables if _has_rows(database, snapshot, kind, n))


def unfilled(names: Iterable[str], schema: SchemaVersion, database: str) -> list[str]:
    """Return those of tables that no SQL beside a schema module inserts rows into.

    Parameters
    ----------
    database : str
        Its kind.
    """
    said = "\n".join(text for when in _WHEN for text in schema.scripts(when, database))
    last = {name: re.escape(name.rpartition(".")[2]) for name in names}
    return [n for n in names if not re.search(_FILLS.format(last[n]), said, re.IGNORECASE)]


def emptied(names: Sequence[str], database: Backend, scratch: Path) -> list[str]:
    """Return those of tables that a new database has not, or without any row."""
    if not names:
        return []
    there = [key for key in database.catalog().objects if key[0] in _ROWS and key[1] in names]
    with database.snapshot(scratch) as snapshot:
        having = filled(there, database, snapshot)
    return [name for name in names if name not in having]


def _has_rows(database: Backend, snapshot: Snapshot, kind: str, name: str) -> bool:
    """Whether there is a row; also where a virtual table's module is not there to say."""
    place, _, table = name.rpartition(".")
    named = sa.table(table, schema=place or None)
    query: Any = sa.select(sa.literal_column("1")).select_from(named).limit(1)
    try:
        return bool(snapshot.rows(database.sql(query)))
    except DatabaseError:
        if kind == "virtual table":
            return True
        raise


def holding(found: Iterable[Difference], database: Backend, scratch: Path) -> frozenset[Difference]:
    """Return what of the additions has rows or values: they would be left behind.

    Parameters
    ----------
    scratch : Path
        A private directory, for a snapshot.
    """
    asked = [d for d in additions(found) if d.may_hold_data]
    if not asked:
        return frozenset()
    with database.snapshot(scratch) as snapshot:
        return frozenset(d for d in asked if _holds(database, snapshot, d))


def _holds(database: Backend, snapshot: Snapshot, difference: Difference) -> bool:
    """Whether an addition has a row or a value; what of a name with dots is not asked has."""
    if difference.kind in _ROWS:
        return _has_rows(database, snapshot, difference.kind, difference.name)
    table, _, column = difference.name.rpartition(".")
    place, _, table = table.rpartition(".")
    if "." in place or '"' in difference.name:
        return True
    asked: Any = sa.column(column)
    named = sa.table(table, asked, schema=place or None)
    query: Any = sa.select(sa.literal_column("1")).select_from(named)
    return bool(snapshot.rows(database.sql(query.where(asked.is_not(None)).limit(1))))


def additions(found: Iterable[Difference]) -> list[Difference]:
    """Return what the live database merely has more, less what belongs to a further table."""
    added = [d for d in found if d.additive]
    tables = {d.name for d in added if d.kind in _ROWS}
    return [d for d in added if d.name.split(".", 1)[0] not in tables or d.kind in _ROWS]


def mends(found: Iterable[Difference], schema: SchemaVersion, database: str) -> tuple[str, ...]:
    """Return what to do where a live database is not its schema, a line each.

    Parameters
    ----------
    database : str
        Its kind, as in the names of the files that stand beside a schema module.
    """
    version, file = schema.version, f"schemas/{schema.path.name}"
    lines = [f"bring the database to what {file} says, in release {version};"]
    beside: dict[str, list[str]] = {}
    for difference in found:
        when = "before" if difference.kind in _FIRST else "after"
        sql = f"schemas/v{version}.{when}.{database}.sql"
        where = file if difference.kind in _DECLARED else sql
        beside.setdefault(where, []).append(difference.said)
    if beside.pop(file, None):
        lines.append(f"or, where the database is right, correct {file}")
    for where, names in beside.items():
        lines.append(f"or, where the database is right, say so in {where}: {', '.join(names)}")
    return tuple(lines)


def fresh_catalog(database: Backend, schema: SchemaVersion, scratch_dir: Path) -> Catalog:
    """Return the catalogue of a database freshly built from a schema.

    Parameters
    ----------
    database : Backend
        Of the kind, and on the server, where it is built; not touched itself.
    schema : SchemaVersion
    scratch_dir : Path
        A private directory; the scratch database is removed again.
    """
    return built_catalog(database.scratch(scratch_dir, scratch_name()), schema)


def ground(old: Backend, new: Backend) -> Backend:
    """Return what a database that the old one is compared with is made beside, or in.

    Beside the old one; where that may not be, as on a managed server, at the new one's place if
    it is of the same kind.

    Parameters
    ----------
    old, new : Backend
        `new` in place (`Backend.inside`) where it is an empty database that is there.
    """
    elsewhere = new.name == old.name and new.url != old.url
    free = elsewhere and old.unmakeable() and not new.unmakeable() and is_free(new)
    return new if free else old


def is_free(new: Backend) -> bool:
    """Whether something may be made at the place of a new database: one in place is empty."""
    if new.in_place:
        try:
            new.ready()
        except MigrateError:
            return False
    return True


def scratch_name() -> str:
    """Return a name for a scratch database that no other has."""
    return f"fresh_{secrets.token_hex(4)}"


def built_catalog(scratch: Backend, schema: SchemaVersion) -> Catalog:
    """Build a schema in a scratch database, read its catalogue and discard it."""
    try:
        scratch.create(schema)
        scratch.finish(schema, {})
        return scratch.catalog()
    finally:
        scratch.discard()  # also one that is empty yet


def _unnamed(
    live: Mapping[tuple[str, str], str], key: tuple[str, str], facts: str
) -> tuple[tuple[str, str], str]:
    """Return an object of the schema without its name where the live one has none."""
    kind, name = key
    named = re.search(r"(?:^|, )named (.+)$", facts)
    if kind not in _CONSTRAINTS or named is None:
        return key, facts
    bare = facts[: named.start()]
    table = name.removesuffix(f".{named[1]}")
    nameless = (kind, f"{table}.{bare}" if kind == "check" else name)
    return (nameless, bare) if live.get(nameless) == bare else (key, facts)


def _difference(kind: str, name: str, live: str | None, fresh: str | None) -> Difference:
    if live is None:
        return Difference(kind, name, "missing", fresh=fresh or "")
    if fresh is None:
        return Difference(kind, name, "extra", live=live)
    return Difference(kind, name, "differs", live, fresh)


def _mark(difference: Difference, new_tables: set[str]) -> Difference:
    """Return the difference, marked where the database merely has more."""
    if difference.what != "extra" or not _is_addition(difference, new_tables):
        return difference
    return Difference(difference.kind, difference.name, "extra", difference.live, additive=True)


def _is_addition(difference: Difference, new_tables: set[str]) -> bool:
    """Whether rows that the schema knows of mean the same with it as without it."""
    kind, facts = difference.kind, difference.live.lower()
    if any(difference.name == t or difference.name.startswith(f"{t}.") for t in new_tables):
        return True
    if kind == "column":
        return "not null" not in facts or "default" in facts
    return kind in _BESIDE or (kind == "index" and "unique" not in facts)


def _facts(facts: str) -> str:
    return f": {facts}" if facts else ""
