"""What a step recorded → a `Plan`; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.backends.interface import ReadQuery
from migrators.errors import PlanError
from migrators.plan.access import ways
from migrators.plan.account import account
from migrators.plan.bind import UNPLANNED, Binder, BindError, sentence
from migrators.plan.columns import mentioned
from migrators.plan.conserve import conserve
from migrators.plan.functions import function_part
from migrators.plan.keys import Keys, included
from migrators.plan.lint import lints
from migrators.plan.lookups import lookup_table
from migrators.plan.made import columns_new
from migrators.plan.model import (
    Apply,
    Dropped,
    KeyMapPlan,
    LossPlan,
    Part,
    Plan,
    Read,
    TablePlan,
)
from migrators.plan.parts import Problems, Workshop, table_part
from migrators.plan.pointers import conserve_references
from migrators.plan.sames import same_plans
from migrators.step.mapping import Mapping

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrators.backends.interface import Backend
    from migrators.schema import SchemaVersion
    from migrators.step import Drop, Loss, Step


def build(
    old: SchemaVersion,
    new: SchemaVersion,
    step: Step,
    *,
    path: Path,
    digest: str,
    source: Backend,
    target: Backend,
    lint: bool = True,
) -> Plan:
    """Build and check the plan of what `step` recorded.

    Parameters
    ----------
    path : Path
        Of the step, for messages.
    digest : str
        SHA-256 of the step's file.
    source, target : Backend
        Of the old and the new database; neither is opened.
    lint : bool
        Whether what the new one cannot hold at all is a problem; else ask `lints`.

    Raises
    ------
    PlanError
        With every problem and the lines to add.
    """
    problems = Problems()
    _complete(step, old, new)
    keys = _keys(step, path)
    shop = Workshop(source, new, keys, path, problems, set())
    tables = tuple(sorted(_tables(shop, step), key=lambda t: t.name))
    for said in dict.fromkeys(_unread(tables, old, source)):
        problems.add(f"{old.path.name}: {said}")
    dropped = tuple(_dropped(shop, drop) for drop in step.drops)
    sames = tuple(same_plans(shop, target, step))
    losses = tuple(LossPlan(x.why, _loss_sql(shop, x)) for x in step.losses)
    _conserve(old, new, step, shop)
    for unfit in lints(new, source, target) if lint else ():
        problems.add(f"schemas/{new.path.name}, {unfit}")
    if problems.said:
        raise problems.error(path)
    return Plan(
        old=old,
        new=new,
        path=path,
        digest=digest,
        tables=tables,
        dropped=dropped,
        key_maps=tuple(_key_maps(shop)),
        sames=sames,
        losses=losses,
        sequences=_sequences(tables, new),
        columns_carried=len(shop.carried),
        columns_new=columns_new(tables),
        random_keys=any(c.random for c in keys.changes.values()),
        ways=ways(tables, step, old),
    )


def _conserve(old: SchemaVersion, new: SchemaVersion, step: Step, shop: Workshop) -> None:
    conserve(old, new, step, shop.carried, shop.problems)
    account(step, shop.problems)
    conserve_references(step, shop.problems)


def _keys(step: Step, path: Path) -> Keys:
    try:
        return Keys(step)
    except BindError as error:
        raise PlanError([str(error)], path=path) from None


def _complete(step: Step, old: SchemaVersion, new: SchemaVersion) -> None:
    """Add the mappings that nobody needs to write: tables of the same name."""
    filled = {m.table for m in step.mappings} | {x.table for x in step.lookups}
    dropped = {drop.what for drop in step.drops}
    for name, table in new.metadata.tables.items():
        source = old.metadata.tables.get(name)
        if table not in filled and source not in dropped:
            step.mappings.append(Mapping(table, source, line=None))


def _tables(shop: Workshop, step: Step) -> Iterator[TablePlan]:
    for lookup in step.lookups:
        try:
            yield lookup_table(shop, lookup)
        except UNPLANNED as error:
            shop.problems.add(sentence(error), at=lookup.line)
    for name in shop.new.metadata.tables:
        mappings = [m for m in step.mappings if m.table.key == name]
        if mappings:
            yield from _table(shop, step, name, mappings)


def _table(shop: Workshop, step: Step, name: str, mappings: list[Mapping]) -> Iterator[TablePlan]:
    how, origin = _how(step, mappings)
    parts: list[Part] = []
    for mapping in mappings:
        try:
            parts.extend(replace(part, line=mapping.line) for part in _part(shop, mapping))
        except UNPLANNED as error:
            shop.problems.add(f"{name}: {sentence(error)}", at=mapping.line)
            # Where its columns go is not known before it is mended: none of them is lost yet.
            shop.carried.update(mentioned(mapping.source, mapping.select, *mapping.given.values()))
    ordered = len(parts) == 1 and bool(parts[0].query.order_by) and parts[0].explodes is None
    if not ordered:
        parts = [replace(p, query=replace(p.query, order_by=())) for p in parts]
    yield TablePlan(name, origin, how, mappings[0].line, tuple(parts), ordered=ordered)


def _unread(tables: tuple[TablePlan, ...], old: SchemaVersion, source: Backend) -> Iterator[str]:
    """Yield which columns that are read are of a type that cannot be."""
    for read in (c for t in tables for p in t.parts for c in p.query.columns):
        table = old.metadata.tables.get(read.table)
        column = None if table is None else table.c.get(read.source)
        if column is not None and (said := source.unread(column.type)):
            yield f"{column.table.key}.{column.name}: {said}"


def _part(shop: Workshop, mapping: Mapping) -> Iterator[Part]:
    if mapping.function is not None:
        yield function_part(shop, mapping)
    elif mapping.source is not None:
        yield table_part(shop, mapping)
    elif mapping.line is not None:
        shop.problems.add(
            f"{mapping.table.key} is new, and nothing says what fills it",
            f"step.table(new.{mapping.table.key}, source=old....)",
        )


def _how(step: Step, mappings: list[Mapping]) -> tuple[str, str]:
    first = mappings[0]
    if len(mappings) > 1:
        return "merged", ", ".join(_name(m) for m in mappings)
    if first.function is not None:
        return "batches", ", ".join(_froms(first.select))
    if first.select is not None or (
        first.source is not None and not isinstance(first.source, sa.Table)
    ):
        return "query", ", ".join(_froms(first.source))
    if first.source is None:
        return "new, empty", ""
    shared = [m for m in step.mappings if m.source is first.source]
    if len(shared) > 1 and first.table.key != _name(first):
        return "split", _name(first)
    if first.table.key != _name(first):
        return "renamed", _name(first)
    return ("changed" if first.given or first.conditions else "carried by name"), _name(first)


def _name(mapping: Mapping) -> str:
    return mapping.source.key if isinstance(mapping.source, sa.Table) else "query"


def _froms(select: Any) -> list[str]:
    from sqlalchemy.sql import visitors

    found = [t.key for t in visitors.iterate(select) if isinstance(t, sa.Table)]
    return list(dict.fromkeys(found))


def _dropped(shop: Workshop, drop: Drop) -> Dropped:
    what = drop.what
    table = what if isinstance(what, sa.Table) else what.table
    count = sa.func.count() if isinstance(what, sa.Table) else sa.func.count(what)
    name = table.key if isinstance(what, sa.Table) else f"{table.key}.{what.name}"
    select = sa.select(count).select_from(table)
    return Dropped(name, drop.because, shop.sql(select), table.key, select)


def _key_maps(shop: Workshop) -> Iterator[KeyMapPlan]:
    for change in shop.keys.changes.values():
        if change.up:
            continue
        binder = Binder(shop.backend)
        binder.read(next(iter(change.mapping.source.primary_key.columns)))  # type: ignore[union-attr]
        select = sa.select(*binder.labelled())
        condition = included(change.mapping)
        if condition is not None:
            select = select.where(condition)
        query = ReadQuery(shop.sql(select), binder.columns(), ("c0",))
        yield KeyMapPlan(change.map, change.tag, query)


def _loss_sql(shop: Workshop, loss: Loss) -> str | None:
    try:
        return None if loss.count is None else shop.sql(loss.count)
    except UNPLANNED as error:
        shop.problems.add(f"step.loss({loss.why!r}): {sentence(error)}")
        return None


def _sequences(tables: tuple[TablePlan, ...], new: SchemaVersion) -> dict[str, str]:
    """New tables whose integer key is carried as it is: numbering goes on after the old."""
    return {t.name: t.parts[0].source for t in tables if _numbered(t, new)}  # type: ignore[misc]


def _numbered(table: TablePlan, new: SchemaVersion) -> bool:
    key = new.tables[table.name].primary_key
    simple = len(table.parts) == 1 and table.lookup is None and len(key) == 1
    if not simple or table.parts[0].source is None:
        return False
    node = next(o.node for o in table.parts[0].outputs if o.column == key[0])
    reversed_key = isinstance(node, Apply) and node.rule.name == "rekey"
    return isinstance(node, Read) or reversed_key
