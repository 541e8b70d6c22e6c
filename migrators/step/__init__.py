"""What a step sees: `migrate(step, old, new)` calls methods of `Step` with real tables.

A `Step` only records; `plan` checks that everything is accounted for and compiles it.
Nothing here touches a database, and nothing is global.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.step import arguments
from migrators.step.arguments import StepError
from migrators.step.keys import LookupId, StepUuid
from migrators.step.labels import twice
from migrators.step.mapping import Condition, Mapping
from migrators.step.tables import Tables, line_in, meant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

__all__ = ["Drop", "Lookup", "Loss", "Mapping", "Rekey", "Same", "Step", "StepError", "Tables"]


@dataclass(frozen=True)
class Drop:
    """A table or column that goes nowhere, and why."""

    what: sa.Table | sa.Column[Any]
    because: str


@dataclass(frozen=True)
class Same:
    """Two questions whose answers must be equal, asked of the old and the new database."""

    title: str
    old: sa.Select[Any]
    new: sa.Select[Any]


@dataclass(frozen=True)
class Loss:
    """What a downgrade loses; refused without `--accept-loss`, said with its count."""

    why: str
    count: sa.Select[Any] | None


@dataclass(frozen=True)
class Rekey:
    """A table whose primary key changes type; references follow."""

    table: sa.Table
    random: bool


@dataclass
class Lookup:
    """A new table made of the distinct values of old columns; see `Step.lookup`."""

    table: sa.Table
    key: sa.Column[Any]
    of: tuple[Any, ...]
    line: int | None
    others: dict[str, Any] = field(default_factory=dict)

    def id(self, x: Any) -> LookupId:
        """Return a rule: the key of the row that holds text `x`; NULL stays NULL.

        Parameters
        ----------
        x : expression or rule
            Of kind text; its values are among those of `of`, or the run is refused.
        """
        return LookupId(inputs=(x,), lookup=self.table.key)

    def values(self, **constants: Any) -> Lookup:
        """Give the table's further columns constants.

        Raises
        ------
        StepError
            For a name that is not a column of the table.
        """
        for name in constants:
            if name not in self.table.c:
                msg = f"{self.table.key} has no column {name}{meant(name, self.table.c.keys())}"
                raise StepError(msg)
        self.others.update(constants)
        return self


class Step:
    """Records what `migrate(step, old, new)` declares.

    Attributes
    ----------
    now : datetime
        When the run began, UTC; the same wherever the step uses it.
    """

    def __init__(self, old: Tables, new: Tables, *, now: datetime, path: str) -> None:
        self.now = now
        self._old = old
        self._new = new
        self._path = path
        self.mappings: list[Mapping] = []
        self.lookups: list[Lookup] = []
        self.drops: list[Drop] = []
        self.rekeys: list[Rekey] = []
        self.follow: dict[sa.Column[Any], sa.Table] = {}
        self.sames: list[Same] = []
        self.losses: list[Loss] = []
        self.grants: dict[str, tuple[str, ...]] = {}

    def table(
        self,
        new: sa.Table,
        *,
        source: sa.FromClause | None = None,
        only: sa.ColumnElement[bool] | None = None,
        because: str | None = None,
        rows: Any = None,
    ) -> Mapping:
        """Return the mapping that fills `new`; called again, the same one.

        Parameters
        ----------
        new : Table
            Of the new schema.
        source : Table or subquery, optional
            Old table (or select over old tables) whose rows become rows of `new`, columns
            of the same name carried; the old table of the same name unless given. A new
            table may be filled from several sources: call once for each.
        only : SQL condition, optional
            Rows for which it is not true (false or NULL) are left out and counted.
        because : str
            Why; required with `only`.
        rows : the `new` tables, optional
            Says that the grain is the select's own, where `source` is one that joins
            tables, merges rows or leaves some out: account for it with `step.same`.
        """
        self._new.own(new, "step.table")
        arguments.source("source=", source)
        if isinstance(source, sa.Table):
            self._old.own(source, "source=")
        known = self._known(new, source)
        if known is None:
            source = self._old.get(new.key) if source is None else source
            if said := twice(source):
                msg = f"{new.key}: {said}"
                raise StepError(msg)
            known = Mapping(new, source, line=line_in(self._path), path=self._path)
            self.mappings.append(known)
        if only is not None:
            known.keep(only, because)
        if rows is not None:
            _require_select(known)
            known.own_grain = True
        return known

    def _known(self, new: sa.Table, source: sa.FromClause | None) -> Mapping | None:
        """The mapping meant: without `source` the only one there is."""
        of_table = [m for m in self.mappings if m.table is new]
        if source is None and len(of_table) > 1:
            msg = f"{new.key} has several sources: step.table(new.{new.key}, source=...)"
            raise StepError(msg)
        found = [m for m in of_table if source is None or m.source is source]
        return found[0] if found else None

    def drop(self, what: sa.Table | sa.Column[Any], *, because: str) -> None:
        """Say that an old table or column goes nowhere, and why."""
        arguments.table_or_column("step.drop", what)
        arguments.text("step.drop", because)
        self.drops.append(Drop(what, because))

    def lookup(self, new: sa.Table, *, key: sa.Column[Any], of: Sequence[Any]) -> Lookup:
        """Fill `new` with the distinct values of old columns, one row each.

        Parameters
        ----------
        new : Table
            A single integer or Uuid primary key and `key`; further columns need a
            default, a constant (`.values(...)`) or to be nullable.
        key : Column
            Text column of `new` that takes the values.
        of : sequence of expressions or rules
            Where the values come from, `rules.split` included. NULL gives no row.

        Returns
        -------
        Lookup
            Its `id(x)` is the value for columns that refer to a row. Integer keys are
            1…n in byte order of the values, UUIDs are derived from them: the same
            extract results whenever the values are the same.
        """
        self._new.own(new, "step.lookup")
        arguments.column("key=", key)
        for values in of:
            arguments.value("of=", values)
        found = Lookup(new, key, tuple(of), line_in(self._path))
        self.lookups.append(found)
        return found

    def rekey(self, *tables: sa.Table, random: bool = False) -> None:
        """Change the primary key's type of `tables`; declared foreign keys follow.

        Integer to Uuid derives an order-preserving, reversible UUID of version 8 from
        table and key; Uuid to integer reverses it, and numbers rows that were never
        derived after the highest. `random=True` gives UUIDs that cannot be guessed,
        from a secret that stays in the run directory.
        """
        for table in tables:
            self._new.own(table, "step.rekey")
            self.rekeys.append(Rekey(table, random))

    def follows(self, column: sa.Column[Any], table: sa.Table) -> None:
        """Say that `column` refers to `table` though no foreign key declares it."""
        arguments.column("step.follows", column)
        self._new.own(table, "step.follows")
        self.follow[column] = table

    def uuid(self, table: sa.Table, x: Any) -> StepUuid:
        """Return a rule: a UUID derived from `table` and the integer or text `x`."""
        arguments.table("step.uuid", table, "new")
        return StepUuid(inputs=(x,), tag=table.key)

    def same(self, title: str, *, old: sa.Select[Any], new: sa.Select[Any]) -> None:
        """Require that two selects give equal rows on the old and the new database."""
        arguments.select("old=", old)
        arguments.select("new=", new)
        if any(title == known.title for known in self.sames):
            msg = f"step.same({title!r}) stands twice"
            raise StepError(msg)
        if said := twice(old) or twice(new):
            msg = f"step.same({title!r}): {said}"
            raise StepError(msg)
        self.sames.append(Same(title, old, new))

    def loss(self, why: str, *, count: sa.Select[Any] | None = None) -> None:
        """Declare what a downgrade cannot carry; `count` asks the old database how much."""
        arguments.text("step.loss", why)
        if count is not None:
            arguments.select("count=", count)
        self.losses.append(Loss(why, count))

    def grant(
        self,
        new: sa.Table,
        *,
        like: sa.Table | Sequence[sa.Table] | None,
        because: str | None = None,
    ) -> None:
        """Say whose rights a new table takes, where that is not clear by itself.

        Parameters
        ----------
        like : old table, several of them, or None
            Who may read or write one of them may read or write `new`; the owner is the
            first one's. None: nobody but the owner.
        because : str
            Why; required with None.
        """
        self._new.own(new, "step.grant")
        tables = (like,) if isinstance(like, sa.Table) else tuple(like or ())
        for table in tables:
            self._old.own(table, "like=")
        if not tables:
            arguments.text("step.grant", because)
        if new.key in self.grants:
            msg = f"step.grant(new.{new.key}) stands twice"
            raise StepError(msg)
        self.grants[new.key] = tuple(table.key for table in tables)


def _require_select(mapping: Mapping) -> None:
    if isinstance(mapping.source, sa.Table):
        msg = f"{mapping.table.key}: rows=new is for a select: the rows of a table are counted"
        raise StepError(msg)


__all__ += ["Condition"]
