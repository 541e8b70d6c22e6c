"""A mapping whose rows a function of the step computes → a `Part`."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.backends.interface import ReadColumn, ReadQuery
from migrators.plan.bind import Binder, BindError
from migrators.plan.model import Constant, FunctionRef, Node, Output, Part, Read
from migrators.plan.parts import check_opaque
from migrators.types.constants import exact

if TYPE_CHECKING:
    from migrators.plan.parts import Workshop
    from migrators.step.mapping import Mapping


def function_part(shop: Workshop, mapping: Mapping) -> Part:
    """Build the part of a mapping whose rows a function of the step computes."""
    binder = Binder(shop.backend)
    select = mapping.select
    assert select is not None and mapping.function is not None  # noqa: PT018, S101
    reads = []
    for column in select.selected_columns:
        read = binder.read(column)
        reads.append(ReadColumn(str(column.key), read.type, *_table_column(column)))
    shop.carried.update(binder.carried)
    check_opaque(shop, mapping, binder)
    inner = select.subquery()
    labelled = sa.select(*(c.label(f"c{i}") for i, c in enumerate(inner.c)))
    made, outputs = _made(shop, mapping)
    columns = tuple(ReadColumn(f"c{i}", r.type, r.table, r.source) for i, r in enumerate(reads))
    return Part(
        source=None,
        query=ReadQuery(shop.sql(labelled), columns),
        outputs=outputs,
        function=FunctionRef(
            shop.path,
            mapping.function.__name__,
            _form(mapping.function),
            tuple(r.name for r in reads),
        ),
        made=made,
    )


def _table_column(column: Any) -> tuple[str, str]:
    table = getattr(column, "table", None)
    return (table.key, column.name) if isinstance(table, sa.Table) else ("", str(column.key))


def _made(shop: Workshop, mapping: Mapping) -> tuple[tuple[ReadColumn, ...], tuple[Output, ...]]:
    """Columns that the function gives: old keys where a key's type changes."""
    table = mapping.table.key
    made: list[ReadColumn] = []
    outputs: list[Output] = []
    for declared in shop.new.tables[table].stored:
        name, change = declared.name, shop.keys.of(mapping.table.c[declared.name])
        if name in mapping.given:
            node: Node = Constant(exact(mapping.given[name], declared.type), declared.type)
            how = "constant"
        else:
            given = change.old if change is not None else declared.type
            made.append(ReadColumn(name, given, table, name))
            node = Read(len(made) - 1, given)
            how = f"computed by {mapping.function.__name__}"  # type: ignore[union-attr]
            if change is not None:
                node, how = change.applied(node, declared.type), f"{how}, rekeyed"
        outputs.append(Output(name, declared.type, declared.nullable, node, how))
    return tuple(made), tuple(outputs)


def _form(function: Any) -> str:
    for parameter in inspect.signature(function).parameters.values():
        said = str(parameter.annotation)
        if "RecordBatch" in said:
            return "batches"
        return "rows" if "dict" in said else "frames"
    msg = f"{function.__name__} needs one parameter: the iterator of batches"
    raise BindError(msg)
