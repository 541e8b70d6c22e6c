"""Foreign keys: children whose parent would not be there, found by anti-join."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.plan.model import Apply, Widen
from migrators.preflight import spelling, wording
from migrators.preflight.model import Fault, Unproven
from migrators.preflight.rows import of_table, united, united_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrators.backends.interface import ReadColumn
    from migrators.plan.model import Node, Part, TablePlan
    from migrators.preflight.rows import Asker, PartRows
    from migrators.schema import ForeignKey


def faults(
    asker: Asker, table: TablePlan, children: Sequence[PartRows]
) -> Iterator[Fault | Unproven]:
    """Yield rows of a new table that refer to no row, by each of its foreign keys."""
    for key in asker.plan.new.tables[table.name].foreign_keys:
        yield from _one(asker, table, children, key)


def _one(
    asker: Asker, table: TablePlan, children: Sequence[PartRows], key: ForeignKey
) -> Iterator[Fault | Unproven]:
    parent = next((t for t in asker.plan.tables if t.name == key.target), None)
    if not children or parent is None or _by_lookup(children, parent, key):
        return
    parents = of_table(asker, parent)
    # A NULL refers to nothing, and not every database compares a bare one with a number.
    children = [r for r in children if not any(_is_null(r, c) for c in key.columns)]
    if not children:
        return
    because = _unknown(children, parents, key)
    demand = f"{_names(key.columns)} refers to {key.target}.{_names(key.target_columns)}"
    if because:
        yield Unproven(table.name, demand, because)
        return
    exploded = any(rows.part.explodes is not None for rows in children)
    for fault in _orphans(asker, children, parents, key):
        # Rows whose list is empty become no rows, so they may have been counted for nothing.
        said = f"{wording.counted(fault.count, fault.said)}, unless their lists are empty"
        yield Unproven(table.name, demand, said) if exploded else fault


def _names(columns: Sequence[str]) -> str:
    return columns[0] if len(columns) == 1 else f"({', '.join(columns)})"


def _by_lookup(children: Sequence[PartRows], parent: TablePlan, key: ForeignKey) -> bool:
    """Whether the references are ids of a lookup: they are found in it or refused."""
    if parent.lookup is None or key.target_columns != (parent.lookup.id,):
        return False
    return all(_lookup_of(rows.node(key.columns[0])) == parent.name for rows in children)


def _lookup_of(node: Node) -> str | None:
    while isinstance(node, Widen):
        node = node.of
    return getattr(node.rule, "lookup", None) if isinstance(node, Apply) else None


def _unknown(children: Sequence[PartRows], parents: Sequence[PartRows], key: ForeignKey) -> str:
    """Say why SQL alone cannot compare the two sides; empty where it can."""
    if not all(rows.has(key.columns) for rows in children):
        return "rules or functions compute it"
    exploding = any(rows.part.explodes is not None for rows in parents)
    if exploding or not all(rows.has(key.target_columns) for rows in parents):
        return f"rules or functions compute {key.target}"
    for mine, theirs in zip(key.columns, key.target_columns, strict=True):
        tags = {wording.rekeyed(r.node(mine)) for r in children}
        tags |= {wording.rekeyed(r.node(theirs)) for r in parents}
        if len(tags) > 1:
            return "the two sides are keyed in different ways"
    return ""


def _is_null(rows: PartRows, column: str) -> bool:
    return rows.has([column]) and isinstance(rows.expression(column), sa.sql.elements.Null)


def _orphans(
    asker: Asker, children: Sequence[PartRows], parents: Sequence[PartRows], key: ForeignKey
) -> Iterator[Fault]:
    child = united(children, key.columns, "c")
    mine = [child.c[f"v{i}"] for i in range(len(key.columns))]
    lost = sa.and_(*(column.is_not(None) for column in mine))
    source: Any = child
    if parents:
        parent = united(parents, key.target_columns, "p")
        theirs = [parent.c[f"v{i}"] for i in range(len(mine))]
        same = sa.and_(*(p == c for p, c in zip(theirs, mine, strict=True)))
        source = child.outerjoin(parent, same)
        lost = sa.and_(lost, theirs[0].is_(None))
    ((count,),) = asker.rows(sa.select(sa.func.count()).select_from(source).where(lost))
    if count:
        target = f"{key.target}.{_names(key.target_columns)}"
        rows = children[0]
        yield Fault(
            where=f"{rows.table.name}.{_names(key.columns)}",
            demand=f"refers to {target}",
            count=int(count),
            said=f"rows refer to no row of {key.target}",
            samples=_samples(asker, children, child, source, lost),
            see=_short(asker, children, parents, key)
            or asker.shown(sa.select(*_named(children, child)).select_from(source).where(lost)),
            mend=wording.correct(asker.plan, rows.table, _lines(asker, children, parents, key)),
        )


def _short(
    asker: Asker, children: Sequence[PartRows], parents: Sequence[PartRows], key: ForeignKey
) -> str:
    """Return the SQL as a person writes it, where one column of one source refers to one."""
    if not len(children) == len(parents) == len(key.columns) == 1:
        return ""
    mine = children[0].expression(key.columns[0])
    theirs = parents[0].expression(key.target_columns[0])
    kept = parents[0].select([theirs]).correlate(None)
    if not getattr(theirs, "primary_key", False):
        kept = kept.where(theirs.is_not(None))  # one NULL, and NOT IN is true of nothing
    return asker.shown(children[0].where(mine.not_in(kept)))


def _named(children: Sequence[PartRows], child: sa.Subquery) -> list[Any]:
    width = max(len(rows.naming) for rows in children)
    keys = [child.c[f"k{i}"] for i in range(width)]
    return [child.c.part, *keys] if len(children) > 1 or not keys else keys


def _samples(
    asker: Asker, children: Sequence[PartRows], child: sa.Subquery, source: Any, lost: Any
) -> tuple[str, ...]:
    width = max(len(rows.naming) for rows in children)
    if not width:
        return ()
    named = [child.c.part, *(child.c[f"k{i}"] for i in range(width))]
    shown = [child.c.v0] if asker.show_values else []
    select = sa.select(*named, *shown).select_from(source).where(lost).order_by(*named)
    rows = asker.rows(select.limit(wording.SAMPLES))
    return tuple(
        united_name(children, row) + (f" ({wording.printable(row[-1])})" if shown else "")
        for row in rows
    )


def _lines(
    asker: Asker, children: Sequence[PartRows], parents: Sequence[PartRows], key: ForeignKey
) -> tuple[str, ...]:
    """Return how to leave the rows out, or how to let them refer to nothing."""
    rows = children[0]
    mine = wording.carried_from(rows.part, key.columns[0])
    plain = len(children) == len(parents) == len(key.columns) == 1 and mine is not None
    if not plain or mine is None:
        return ()
    theirs = wording.carried_from(parents[0].part, key.target_columns[0])
    if theirs is None:
        return ()
    old, there = wording.column_path(mine.table, mine.source), _there(theirs, parents[0].part)
    there += ".correlate(None)" if mine.table == theirs.table else ""
    mapping = wording.mapping(rows.table, rows.part)
    lines = [f'{mapping}.drop_rows({old}.not_in({there}), because="...")']
    nullable = asker.plan.new.tables[rows.table.name].column[key.columns[0]].nullable
    if nullable and "sa.text(" not in there:  # SQL text that a value holds says what it reads
        lines.append(
            mapping + wording.values(key.columns[0], f"sa.case(({old}.in_({there}), {old}))")
        )
    return tuple(lines)


def _there(key: ReadColumn, part: Part) -> str:
    """Return a select of the keys of the parents that the step does not leave out."""
    return f"sa.select({wording.column_path(key.table, key.source)}){spelling.kept(part)}"
