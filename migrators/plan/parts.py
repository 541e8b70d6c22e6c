"""A step's mapping → a `Part`: one compiled SELECT and how each new column comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.backends.interface import ReadQuery
from migrators.errors import PlanError
from migrators.plan.aggregates import aggregates, in_a_subquery, shown
from migrators.plan.bind import Binder, BindError, fitted, require_values
from migrators.plan.columns import mentioned
from migrators.plan.cutting import cut
from migrators.plan.defaults import NoConstant, default_of
from migrators.plan.grain import check_froms, check_grain, several
from migrators.plan.keys import included, key_expression
from migrators.plan.model import (
    Accounting,
    Apply,
    Constant,
    LeftOut,
    Node,
    Output,
    Part,
    Read,
    Widen,
)
from migrators.step.keys import DerivedKey, KeyOf, LookupId, ReversedKey, StepUuid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrators.backends.interface import Backend
    from migrators.plan.keys import Keys
    from migrators.schema import Column, SchemaVersion
    from migrators.step.mapping import Mapping


@dataclass
class Problems:
    """What is wrong with a step: each a sentence, and the lines to add."""

    said: dict[str, int | None] = field(default_factory=dict)
    """Each once, with the step's line where that is known."""
    lines: list[str] = field(default_factory=list)
    empty: dict[Mapping, list[str]] = field(default_factory=dict)
    """Columns that must be filled and are not, by mapping; `conserve` says them."""

    def add(self, sentence: str, *lines: str, at: int | None = None) -> None:
        """Remember one problem, of the step's line `at`."""
        self.said.setdefault(sentence, at)
        self.write(*lines)

    def error(self, path: Path) -> PlanError:
        """Return the error that says all of them; a single one's line stands in front."""
        if len(self.said) == 1:
            ((sentence, at),) = self.said.items()
            return PlanError([sentence], path=path, line=at, hint=self.lines)
        said = [f"line {at}: {s}" if at else s for s, at in self.said.items()]
        return PlanError(said, path=path, hint=self.lines)

    def write(self, *lines: str) -> None:
        """Remember lines to add, each once."""
        self.lines.extend(line for line in lines if line not in self.lines)


@dataclass(frozen=True)
class Workshop:
    """What every part is built with."""

    backend: Backend
    new: SchemaVersion
    keys: Keys
    path: Path
    problems: Problems
    carried: set[sa.Column[Any]]

    def sql(self, select: Any) -> str:
        """Compile for the old database, text compared by bytes, literals rendered.

        Raises
        ------
        BindError
            A parameter has no value, which would be NULL.
        sqlalchemy.exc.SQLAlchemyError
            It cannot be compiled.
        """
        require_values(select)
        return self.backend.sql(select)


def table_part(shop: Workshop, mapping: Mapping) -> Part:
    """Build the part of a mapping whose rows are those of a table or a select."""
    check_grain(mapping, shop.problems)
    binder = Binder(shop.backend)
    outputs = tuple(_outputs(shop, mapping, binder))
    key = _source_key(mapping, binder)
    if not binder.columns():  # constants alone: rows are to be counted all the same
        binder.read(sa.literal_column("1", sa.Integer()))
    select = sa.select(*binder.labelled())
    if mapping.source is not None:
        select = select.select_from(mapping.source)
    condition = included(mapping)
    for found in (x for c in mapping.conditions for x in aggregates(c.shown)):
        shop.problems.write(f"{in_a_subquery(found)}    # compare this")
        msg = f"a condition on {shown(found)} is one on all rows: ask for it in a subquery"
        raise BindError(msg)
    if condition is not None:
        select = select.where(condition)
    shop.carried.update(binder.carried)
    check_froms(select, mapping.source)
    check_opaque(shop, mapping, binder)
    projection, in_sql = _projection(shop, mapping, binder, outputs, condition)
    return Part(
        source=_source_name(mapping),
        query=ReadQuery(
            shop.sql(select),
            binder.columns(),
            _order(shop, mapping, outputs),
            key,
            cut(shop.backend, mapping.source, select, binder.columns(), key),
        ),
        outputs=outputs,
        accounting=_accounting(shop, mapping),
        explodes=exploding(shop, mapping.table.key, outputs),
        projection=projection,
        in_sql=in_sql,
        single=tuple(_single(shop, mapping, binder, outputs)),
    )


def _single(
    shop: Workshop, mapping: Mapping, binder: Binder, outputs: tuple[Output, ...]
) -> Iterator[tuple[str, str]]:
    """Yield column and SQL of what has to be asked, so that no subquery gives several rows."""
    assert mapping.source is not None  # noqa: S101  a table or a select
    for output in outputs:
        for index in sorted(set(reads(output.node))):
            expression = binder.expression(index)
            for select in several(expression, mapping.source, included(mapping)):
                yield output.column, shop.sql(select)


def reads(node: Node) -> Iterator[int]:
    """Yield which columns of its part's query a node reads."""
    if isinstance(node, Read):
        yield node.index
    for of in (node.of,) if isinstance(node, Widen) else getattr(node, "args", ()):
        yield from reads(of)


def _source_name(mapping: Mapping) -> str | None:
    return mapping.source.key if isinstance(mapping.source, sa.Table) else None


def _source_key(mapping: Mapping, binder: Binder) -> tuple[str, ...]:
    if not isinstance(mapping.source, sa.Table):
        return ()
    kept = set(binder.carried)  # naming a row in messages does not carry its key
    reads = [binder.read(column) for column in mapping.source.primary_key.columns]
    binder.carried = kept
    return tuple(f"c{read.index}" for read in reads)


def check_opaque(shop: Workshop, mapping: Mapping, binder: Binder) -> None:
    """Add a problem for SQL text of which nobody says what it reads."""
    if binder.opaque and not mapping.said_reads:
        shop.problems.add(
            f"{mapping.table.key}: SQL text cannot be analysed: say what it reads",
            f"step.table(new.{mapping.table.key}).reads(old.<table>.c.<column>, ...)",
        )
    for column in mapping.said_reads:
        shop.carried.add(column)


# one output per new column -----------------------------------------------------------------


def _outputs(shop: Workshop, mapping: Mapping, binder: Binder) -> Iterator[Output]:
    for declared in shop.new.tables[mapping.table.key].stored:
        column = mapping.table.c[declared.name]
        binder.filling = f"{mapping.table.key}.{declared.name}"
        try:
            yield _output(shop, mapping, binder, column, declared)
        except BindError as error:
            at = mapping.lines.get(declared.name, mapping.line)
            shop.problems.add(f"{mapping.table.key}.{declared.name}: {error}", at=at)
            binder.carried.update(mentioned(mapping.given.get(declared.name)))


def _output(
    shop: Workshop, mapping: Mapping, binder: Binder, column: sa.Column[Any], declared: Column
) -> Output:
    value, how = _value(shop, mapping, column, declared)
    _check_aggregate(shop, declared.name, value)
    if isinstance(value, KeyOf):
        node = _key_value(mapping, binder, value, declared)
    else:
        node = binder.bind(value, declared.type)
    change = shop.keys.of(column)
    if change is not None:
        node = change.applied(node, declared.type)
    node = _checked(shop, mapping, column, fitted(node, declared.type))
    how = how if change is None else f"{how}, rekeyed"
    return Output(declared.name, declared.type, declared.nullable, node, how)


def _check_aggregate(shop: Workshop, name: str, value: Any) -> None:
    for found in aggregates(value):
        shop.problems.write(f"{name}={in_a_subquery(found)},")
        msg = f"{shown(found)} makes one row of all: ask for it in a subquery"
        raise BindError(msg)


def _key_value(mapping: Mapping, binder: Binder, key: KeyOf, declared: Column) -> Node:
    """Bind a key. What it asks of rows that are left out is not carried, only `x` is."""
    from migrators.plan.columns import carried

    binder.check_casts(key.inputs[0])
    kept = binder.carried | set(carried(key.inputs[0]))
    node = binder.bind(key_expression(key, mapping), declared.type)
    binder.carried = kept
    return node


def _checked(shop: Workshop, mapping: Mapping, column: sa.Column[Any], node: Node) -> Node:
    if isinstance(node, Constant) and node.value is None and not column.nullable:
        shop.problems.empty.setdefault(mapping, []).append(column.name)
    return node


def _value(
    shop: Workshop, mapping: Mapping, column: sa.Column[Any], declared: Column
) -> tuple[Any, str]:
    if column.name in mapping.given:
        value = mapping.given[column.name]
        return value, _how(value, column)
    if mapping.source is not None and column.name in mapping.source.c:
        return mapping.source.c[column.name], "carried"
    return _default(shop, column, declared)


_RULES_OF_STEPS: dict[type, str] = {KeyOf: "key", LookupId: "lookup", StepUuid: "step.uuid"}


def _how(value: Any, column: sa.Column[Any]) -> str:
    from migrators.rules.base import Rule

    if isinstance(value, Rule):
        return _RULES_OF_STEPS.get(type(value), f"rules.{value.name}")
    if isinstance(value, sa.Column):
        return "carried" if value.name == column.name else f"from {value.name}"
    return "expression" if isinstance(value, sa.sql.ClauseElement) else "constant"


def _default(shop: Workshop, column: sa.Column[Any], declared: Column) -> tuple[Any, str]:
    try:
        found, value = default_of(column, declared.type)
    except NoConstant as error:
        if column.nullable:
            return None, "NULL"
        table = column.table.name
        shop.problems.add(
            f"{table}.{column.name}: its default {error} gives another value each time",
            f"step.table(new.{table}).values({column.name}=...)    # step.now, step.uuid(...)",
        )
        return sa.null().cast(column.type), "missing"
    return (value, "default") if found else (None, "NULL")


# order, accounting, exploding --------------------------------------------------------------


def _order(shop: Workshop, mapping: Mapping, outputs: tuple[Output, ...]) -> tuple[str, ...]:
    """Labels whose order is the new key's; empty where only sorting on the way gives it."""
    by_name = {output.column: output for output in outputs}
    labels = []
    for name in shop.new.tables[mapping.table.key].primary_key:
        index = _monotone(by_name[name].node) if name in by_name else None
        if index is None:
            return ()
        labels.append(f"c{index}")
    return tuple(labels)


def _monotone(node: Node) -> int | None:
    """Index of the column whose order is this node's, if there is one."""
    if isinstance(node, Read):
        return node.index
    if isinstance(node, Widen):
        return _monotone(node.of)
    derived = isinstance(node, Apply) and isinstance(node.rule, DerivedKey)
    if derived and not node.rule.random:  # type: ignore[union-attr]
        return _monotone(node.args[0])  # type: ignore[union-attr]
    return None


def _accounting(shop: Workshop, mapping: Mapping) -> Accounting | None:
    if not isinstance(mapping.source, sa.Table):
        return None
    counts: list[Any] = [sa.func.count()]
    earlier: list[sa.ColumnElement[bool]] = []
    for condition in mapping.conditions:
        here = sa.and_(condition.excluded, *(sa.not_(e) for e in earlier))
        counts.append(sa.func.count(sa.case((here, sa.literal_column("1")))))
        earlier.append(condition.excluded)
    select = sa.select(*counts).select_from(mapping.source)
    texts = tuple(LeftOut(_shown(shop, c), c.because, c.shown, c.kept) for c in mapping.conditions)
    total = sa.select(sa.func.count()).select_from(mapping.source)
    return Accounting(shop.sql(select), shop.sql(total), texts, select)


def _shown(shop: Workshop, condition: Any) -> str:
    shown = sa.not_(condition.shown) if condition.kept else condition.shown
    return " ".join(shop.sql(shown).split())


def exploding(shop: Workshop, table: str, outputs: tuple[Output, ...]) -> Apply | None:
    """Return the list-valued node whose elements become rows, if there is one."""
    found: list[Apply] = []
    for output in outputs:
        found.extend(node for node in _nodes(output.node) if node.rule.explodes)
    if any(node != found[0] for node in found):
        shop.problems.add(f"{table}: two different rules.split give rows; one may")
    return found[0] if found else None


def _nodes(node: Node) -> Iterator[Apply]:
    if isinstance(node, Widen):
        yield from _nodes(node.of)
    elif isinstance(node, Apply):
        yield node
        for argument in node.args:
            yield from _nodes(argument)


# what SQL alone can say of the new rows ----------------------------------------------------


def _projection(
    shop: Workshop,
    mapping: Mapping,
    binder: Binder,
    outputs: tuple[Output, ...],
    condition: sa.ColumnElement[bool] | None,
) -> tuple[sa.Select[Any] | None, frozenset[str]]:
    columns = []
    for output in outputs:
        expression = _in_sql(binder, mapping.table.c[output.column], output.node)
        if expression is not None:
            columns.append(expression.label(output.column))
    if not columns or mapping.source is None:
        return None, frozenset()
    select = sa.select(*columns, *_row_key(mapping)).select_from(mapping.source)
    if condition is not None:
        select = select.where(condition)
    del shop
    return select, frozenset(column.name for column in columns)


def _row_key(mapping: Mapping) -> list[Any]:
    """Return the old key, labelled so that a finding can name rows: `old key: id`."""
    if not isinstance(mapping.source, sa.Table):
        return []
    return [c.label(f"old key: {c.name}") for c in mapping.source.primary_key.columns]


def _in_sql(binder: Binder, column: sa.Column[Any], node: Node) -> Any:
    if isinstance(node, Read):
        return binder.expression(node.index)
    if isinstance(node, Widen):
        return _in_sql(binder, column, node.of)
    if isinstance(node, Constant):
        return sa.null() if node.value is None else sa.literal(node.value, column.type)
    if isinstance(node.rule, DerivedKey | ReversedKey):
        return _in_sql(binder, column, node.args[0])  # one to one: as good as the new key
    return None
