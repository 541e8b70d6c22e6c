"""Which columns hold a key whose type changes, and the SQL that finds a row's new key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql.util import ClauseAdapter

from migrators.plan.bind import BindError
from migrators.plan.model import Apply, Node
from migrators.step.keys import DerivedKey, KeyOf, ReversedKey
from migrators.types import ColumnType, Kind, describe

if TYPE_CHECKING:
    from migrators.step import Step
    from migrators.step.mapping import Mapping


@dataclass(frozen=True)
class Change:
    """A key that changes type.

    Attributes
    ----------
    old : ColumnType
        Type of the old key.
    tag : str
        Name of the table on the side of the UUIDs.
    up : bool
        integer → uuid; otherwise uuid → integer.
    """

    table: sa.Table
    mapping: Mapping
    old: ColumnType
    tag: str
    up: bool
    random: bool

    @property
    def map(self) -> str:
        """Name of the map of keys that cannot be reversed."""
        return f"keys of {self.table.key}"

    def applied(self, node: Node, target: ColumnType) -> Node:
        """Wrap a node that still gives the old key."""
        old = Kind.INTEGER if self.up else Kind.UUID
        if node.type.kind is not old or target.kind is old:
            return node
        if self.up:
            return Apply(DerivedKey((), tag=self.tag, random=self.random), (node,), target, target)
        return Apply(ReversedKey((), tag=self.tag, map=self.map), (node,), target, target)


class Keys:
    """All changes of keys of one step.

    Raises
    ------
    BindError
        For a `rekey` that makes no sense.
    """

    def __init__(self, step: Step) -> None:
        self._follow = step.follow
        self._mappings = step.mappings
        self.changes = {r.table: self._change(r.table, random=r.random) for r in step.rekeys}

    def _change(self, table: sa.Table, *, random: bool) -> Change:
        sources = [m for m in self._mappings if m.table is table]
        if len(sources) != 1 or not isinstance(sources[0].source, sa.Table):
            msg = (
                f"step.rekey({table.key}): a table filled from exactly one old table has an old key"
            )
            raise BindError(msg)
        old, new = (describe(_key(t).type) for t in (sources[0].source, table))
        kinds = (old.kind, new.kind)
        if kinds not in {(Kind.INTEGER, Kind.UUID), (Kind.UUID, Kind.INTEGER)}:
            msg = f"step.rekey({table.key}): goes from {old} to {new}; integer to uuid or back"
            raise BindError(msg)
        up = new.kind is Kind.UUID
        tag = table.key if up else sources[0].source.key
        return Change(table, sources[0], old, tag, up, random)

    def of(self, column: sa.Column[Any]) -> Change | None:
        """Return the change that a new column follows, by foreign key, `follows` or itself."""
        return self._of(column, frozenset())

    def _of(self, column: sa.Column[Any], seen: frozenset[sa.Column[Any]]) -> Change | None:
        if column in self._follow:
            return self._of(_key(self._follow[column]), seen | {column})  # wherever that goes
        for key in sorted(column.foreign_keys, key=lambda k: (k.column.table.key, k.column.name)):
            if key.column is not column and key.column not in seen:
                found = self._of(key.column, seen | {column})
                if found is not None:
                    return found
        table = column.table
        is_key = column.primary_key and table in self.changes
        return self.changes[table] if is_key else None


def _key(table: sa.Table) -> sa.Column[Any]:
    columns = list(table.primary_key.columns)
    if len(columns) != 1:
        msg = f"{table.key} has a primary key of {len(columns)} columns where one is needed"
        raise BindError(msg)
    return columns[0]


def included(mapping: Mapping) -> sa.ColumnElement[bool] | None:
    """Return the condition under which a source row becomes a new row; None for always."""
    kept = [sa.not_(c.excluded) for c in mapping.conditions]
    return sa.and_(*kept) if kept else None


def key_expression(key: KeyOf, asking: Mapping) -> sa.ColumnElement[Any]:
    """Return SQL for the old-typed key of the row that `mapping.key(x)` names.

    Parameters
    ----------
    asking : Mapping
        Whose value it is: where `x` is the source's own key no subquery is needed.

    Raises
    ------
    BindError
    """
    mapping, x = key.mapping, key.inputs[0]
    if not isinstance(x, sa.sql.ColumnElement):
        msg = "key(...) takes a SQL expression"
        raise BindError(msg)
    if not isinstance(mapping.source, sa.Table):
        msg = f"{mapping.table.key} has no old table whose keys could be asked for"
        raise BindError(msg)
    value, own = _value_of_key(mapping), _key(mapping.source)
    condition = included(mapping)
    if asking.source is mapping.source and x is own:
        return value if condition is None else sa.case((condition, value))
    if condition is None and value is own:
        return x  # the key itself, carried
    return _looked_up(mapping.source, own, value, condition, x)


def _value_of_key(mapping: Mapping) -> Any:
    new = _key(mapping.table)
    value = mapping.given.get(new.name, mapping.source.c.get(new.name))  # type: ignore[union-attr]
    if not isinstance(value, sa.sql.ColumnElement):
        msg = f"{mapping.table.key}.{new.name} is not made by SQL: its keys cannot be asked for"
        raise BindError(msg)
    return value


def _looked_up(
    source: sa.Table,
    own: sa.Column[Any],
    value: Any,
    condition: sa.ColumnElement[bool] | None,
    x: sa.ColumnElement[Any],
) -> sa.ColumnElement[Any]:
    alias = source.alias()
    adapt = ClauseAdapter(alias).traverse
    wanted = [adapt(own) == x] + ([] if condition is None else [adapt(condition)])
    return sa.select(adapt(value)).where(*wanted).scalar_subquery()
