"""Primary keys and UNIQUE over all rows of a new table, whatever parts they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.preflight import wording
from migrators.preflight.model import Fault, Unproven
from migrators.preflight.rows import united, united_name
from migrators.schema.fingerprint import constraint_name
from migrators.types import on

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrators.plan.model import TablePlan
    from migrators.preflight.rows import Asker, PartRows

_PAIRED = 2


def faults(
    asker: Asker, table: TablePlan, parts: Sequence[PartRows], *, drifted: bool
) -> Iterator[Fault | Unproven]:
    """Yield rows that share what must be unique.

    Parameters
    ----------
    drifted : bool
        The live database lacks something of its schema, so its own unique keys prove
        nothing.
    """
    declared = asker.plan.new.tables[table.name]
    keys = [(columns, "UNIQUE") for columns in declared.uniques]
    if declared.primary_key:
        keys.insert(0, (declared.primary_key, "PRIMARY KEY"))
    for columns, kind in keys:
        yield from _one(asker, table, parts, (columns, kind), drifted=drifted)
    yield from _partial(asker, table)


def _one(
    asker: Asker,
    table: TablePlan,
    parts: Sequence[PartRows],
    key: tuple[tuple[str, ...], str],
    *,
    drifted: bool,
) -> Iterator[Fault | Unproven]:
    columns, kind = key
    lookup = table.lookup
    if not parts or (lookup is not None and {lookup.id, lookup.key} & set(columns)):
        return  # no rows; or distinct by the way a lookup is made
    if not all(rows.has(columns) and rows.part.explodes is None for rows in parts):
        because = "rules or functions compute it"
        yield Unproven(table.name, f"{kind} ({', '.join(columns)})", because)
    elif drifted or not _unique_already(asker, parts, columns):
        yield from _shared(asker, parts, columns, kind)


def _unique_already(asker: Asker, parts: Sequence[PartRows], columns: Sequence[str]) -> bool:
    """Whether the columns hold an old unique key, whose index the old database enforces."""
    part, source = parts[0].part, parts[0].part.source
    if len(parts) != 1 or source is None:
        return False
    read = [wording.carried_from(part, column) for column in columns]
    named = {r.source for r in read if r is not None and r.table == source}
    old = asker.plan.old.tables[source]
    own = [k for k in (old.primary_key, *old.uniques) if k]
    return any(named >= set(k) for k in own) and not _collated(asker, parts, columns)


def _collated(asker: Asker, parts: Sequence[PartRows], columns: Sequence[str]) -> bool:
    return any(_collation(asker, parts[0].table.name, column) for column in columns)


def _collation(asker: Asker, table: str, column: str) -> str | None:
    declared = asker.plan.new.metadata.tables[table].c[column].type
    return getattr(on(declared, asker.new.name), "collation", None)


def _shared(
    asker: Asker, parts: Sequence[PartRows], columns: Sequence[str], kind: str
) -> Iterator[Fault]:
    table = parts[0].table.name
    rows = united(parts, columns, "u")
    values = _compared(asker, table, rows, columns)
    groups = (
        sa.select(*(v.label(f"g{i}") for i, v in enumerate(values)), sa.func.count().label("n"))
        .where(*(rows.c[f"v{i}"].is_not(None) for i in range(len(columns))))
        .group_by(*values)
        .having(sa.func.count() > 1)
    )
    whole = groups.subquery("g")
    ((count, number),) = asker.rows(sa.select(sa.func.sum(whole.c.n), sa.func.count()))
    if count:
        # PRIMARY KEY and UNIQUE of one column are said beside its other demands.
        where = f"{table}.{columns[0]}" if len(columns) == 1 else f"{table} ({', '.join(columns)})"
        yield Fault(
            where=where,
            demand=f"is {kind}",
            count=int(count),
            said="rows share a value",
            samples=_pairs(asker, parts, rows, values, groups),
            see=_see(asker, parts, columns, groups),
            mend=wording.correct(asker.plan, parts[0].table, _lines(asker, parts, columns)),
            groups=int(number),
        )


def _compared(asker: Asker, table: str, rows: sa.Subquery, columns: Sequence[str]) -> list[Any]:
    """Return the values as the new database compares them: by its collation, where it has one."""
    found = []
    for i, column in enumerate(columns):
        collation = _told(asker, table, column)
        value = rows.c[f"v{i}"]
        found.append(value if collation is None else asker.old.collated(value, collation))
    return found


def _told(asker: Asker, table: str, column: str) -> str | None:
    """Return the collation by which a column's texts are told apart, where the old one has it."""
    return _collation(asker, table, column) if asker.old.name == asker.new.name else None


def _pairs(
    asker: Asker,
    parts: Sequence[PartRows],
    rows: sa.Subquery,
    values: Sequence[Any],
    groups: sa.Select[Any],
) -> tuple[str, ...]:
    """Return "id 201 = 950" for the first few shared values."""
    width = max(len(r.naming) for r in parts)
    if not width:
        return ()
    few = groups.order_by(sa.func.min(rows.c.k0)).limit(wording.SAMPLES).subquery("few")
    same = sa.and_(*(v == few.c[f"g{i}"] for i, v in enumerate(values)))
    named = [rows.c.part, *(rows.c[f"k{i}"] for i in range(width))]
    shared = [few.c[f"g{i}"] for i in range(len(values))]
    select = sa.select(*shared, *named).select_from(rows.join(few, same)).order_by(*named)
    found: dict[tuple[Any, ...], list[str]] = {}
    for row in asker.rows(select.limit(100 * wording.SAMPLES)):
        at = row[: len(values)]
        found.setdefault(at, []).append(united_name(parts, row[len(values) :]))
    return tuple(_said(asker, at, names) for at, names in found.items())


def _said(asker: Asker, values: tuple[Any, ...], names: list[str]) -> str:
    first, *others = names
    head = first.split(" ", 1)[0] + " "
    short = [o.removeprefix(head) if "," not in first else o for o in others[:_PAIRED]]
    more = " = ..." if len(others) > _PAIRED else ""
    shown = ", ".join(wording.printable(v) for v in values) if asker.show_values else ""
    return " = ".join([first, *short]) + more + (f" ({shown})" if shown else "")


def _see(
    asker: Asker, parts: Sequence[PartRows], columns: Sequence[str], groups: sa.Select[Any]
) -> str:
    if len(parts) > 1:
        return asker.shown(groups)
    rows = parts[0]
    values = []
    for column in columns:
        value, collation = rows.expression(column), _told(asker, rows.table.name, column)
        values.append(value if collation is None else asker.old.collated(value, collation))
    select = rows.select([*values, sa.func.count()])
    select = select.where(*(value.is_not(None) for value in values))
    return asker.shown(select.group_by(*values).having(sa.func.count() > 1))


def _lines(asker: Asker, parts: Sequence[PartRows], columns: Sequence[str]) -> tuple[str, ...]:
    """Return how to keep the first row of each value, where keys and values are columns."""
    part = parts[0].part
    read = [wording.carried_from(part, column) for column in columns]
    names = [r.source for r in read if r is not None]
    if len(parts) > 1 or part.source is None or len(names) < len(columns):
        return ()
    key = asker.plan.old.tables[part.source].primary_key
    if len(key) != 1 or not all(name.isidentifier() for name in (*names, *key)):
        return ()
    old = wording.table_path("old", part.source)
    table = parts[0].table.name
    same = [
        _same(f"first.c.{name}", f"{old}.c.{name}", _told(asker, table, column))
        for name, column in zip(names, columns, strict=True)
    ]
    earlier = ", ".join([*same, f"first.c.{key[0]} < {old}.c.{key[0]}"])
    mapping = wording.mapping(parts[0].table, part)
    return (
        f"first = {old}.alias()    # keeps the first row of each value",
        f'{mapping}.drop_rows(sa.exists().where({earlier}), because="...")',
    )


def _same(one: str, other: str, collation: str | None) -> str:
    """Return the condition of a step that two texts are one to the new database."""
    if collation is None:
        return f"{one} == {other}"
    return f'sa.collate({one}, "{collation}") == sa.collate({other}, "{collation}")'


def _partial(asker: Asker, table: TablePlan) -> Iterator[Unproven]:
    """Yield unique indexes over expressions or a part of the rows."""
    plain = {frozenset(key) for key in asker.plan.new.tables[table.name].uniques}
    for index in asker.plan.new.metadata.tables[table.name].indexes:
        names = frozenset(e.name for e in index.expressions if isinstance(e, sa.Column))
        if index.unique and table.parts and names not in plain:
            said = f"unique index {constraint_name(index)}"
            yield Unproven(table.name, said, "it covers expressions or a part of the rows")
