"""`step.lookup` → a table plan: one part per source of values, and how keys are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.backends.interface import ReadQuery
from migrators.plan.bind import Binder, BindError, fitted
from migrators.plan.defaults import NoConstant, default_of
from migrators.plan.grain import check_froms
from migrators.plan.model import Constant, LookupPlan, Node, Output, Part, TablePlan
from migrators.plan.parts import exploding
from migrators.types import Kind
from migrators.types.constants import exact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.plan.parts import Workshop
    from migrators.schema import Column
    from migrators.step import Lookup


def lookup_table(shop: Workshop, lookup: Lookup) -> TablePlan:
    """Build the plan of a lookup table.

    Raises
    ------
    BindError
    """
    declared = shop.new.tables[lookup.table.key]
    identity = _identity(shop, lookup)
    value = declared.column[lookup.key.name]
    parts = tuple(_part(shop, lookup.table.key, of, value) for of in lookup.of)
    others = tuple(_others(lookup, declared.stored, {identity.name, value.name}))
    plan = LookupPlan(value.name, identity.name, identity.type, others)
    origin = ", ".join(dict.fromkeys(_origin(part) for part in parts))
    return TablePlan(lookup.table.key, origin, "lookup", lookup.line, parts, plan)


def _identity(shop: Workshop, lookup: Lookup) -> Column:
    declared = shop.new.tables[lookup.table.key]
    if len(declared.primary_key) != 1:
        msg = f"{declared.name}: a lookup table has a primary key of one column"
        raise BindError(msg)
    identity = declared.column[declared.primary_key[0]]
    if identity.type.kind not in (Kind.INTEGER, Kind.UUID):
        msg = f"{declared.name}.{identity.name}: a lookup's key is an integer or a uuid"
        raise BindError(msg)
    return identity


def _part(shop: Workshop, table: str, of: Any, value: Column) -> Part:
    binder = Binder(shop.backend)
    binder.filling = f"{table}.{value.name}"
    node = fitted(binder.bind(of, value.type), value.type)
    shop.carried.update(filter(_is_alone, binder.carried))
    select = sa.select(*binder.labelled()).distinct()
    check_froms(select, None)
    output = Output(value.name, value.type, value.nullable, node, "lookup")
    source = next(iter(sorted(c.table.key for c in binder.carried)), None)
    return Part(
        source,
        ReadQuery(shop.sql(select), binder.columns()),
        (output,),
        explodes=exploding(shop, value.name, (output,)),
    )


def _is_alone(column: sa.Column[Any]) -> bool:
    """Whether a value stands in one row only, so that a list of values carries all of it.

    Of others the list tells what there was, not whose it was: that is for `id(...)` to say.
    """
    of = [c for c in column.table.constraints if isinstance(c, sa.UniqueConstraint)]
    keys = [column.table.primary_key, *of]
    return bool(column.unique) or any(list(key.columns) == [column] for key in keys)


def _origin(part: Part) -> str:
    return ", ".join(f"{c.table}.{c.source}" for c in part.query.columns if c.table)


def _others(lookup: Lookup, stored: tuple[Column, ...], taken: set[str]) -> Iterator[Output]:
    for column in stored:
        if column.name in taken:
            continue
        if column.name in lookup.others:
            value = lookup.others[column.name]
        else:
            value = _default(lookup.table.c[column.name], column)
        if value is None and not column.nullable:
            msg = f"{lookup.table.key}.{column.name} is NOT NULL: .values({column.name}=...)"
            raise BindError(msg)
        node: Node = Constant(exact(value, column.type), column.type)
        yield Output(column.name, column.type, column.nullable, node, "constant")


def _default(column: sa.Column[Any], declared: Column) -> Any:
    try:
        return default_of(column, declared.type)[1]
    except NoConstant:
        return None
