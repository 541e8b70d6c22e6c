"""The new rows of a part as SQL over the old database, and asking about them.

A part's projection labels old expressions with new column names. Questions about single
rows are asked of the source itself, so that the SQL that is shown is what a person would
write; questions about sets of rows are asked of subqueries.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.preflight import wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migrators.backends.interface import Backend, Snapshot
    from migrators.plan.model import Node, Part, Plan, TablePlan

_KEY = "old key: "  # as `plan.parts` labels what names a row
_CLAUSES = ("FROM", "WHERE", "GROUP BY", "HAVING", "ORDER BY", "LEFT OUTER JOIN", "UNION ALL")


@dataclass(frozen=True)
class Asker:
    """Asks the old database, through one snapshot.

    Attributes
    ----------
    old, new : Backend
        `new` is never opened; it says what its kind of database demands.
    show_values : bool
        Whether samples bear values beside keys: personal data, so not by default.
    """

    plan: Plan
    old: Backend
    new: Backend
    snapshot: Snapshot
    show_values: bool = False

    def sql(self, select: Any) -> str:
        """Compile, literals rendered."""
        return self.old.sql(select)

    def rows(self, select: Any) -> list[tuple[Any, ...]]:
        """Return all rows of a select."""
        return self.snapshot.rows(self.sql(select))

    def shown(self, select: Any) -> str:
        """Return the SQL for a person to run, on one line."""
        sql = self.sql(select).strip()
        for clause in _CLAUSES:
            sql = sql.replace(f" \n{clause} ", f" {clause} ").replace(f"\n{clause} ", f" {clause} ")
        return f"{sql};"


@dataclass(frozen=True)
class PartRows:
    """The new rows of one part that SQL alone can speak of.

    Attributes
    ----------
    projection : Select or None
        The part's, text compared by bytes. What is asked of it compares so, too.
    """

    table: TablePlan
    part: Part
    primary_key: tuple[str, ...]
    projection: sa.Select[Any] | None

    @cached_property
    def _labelled(self) -> dict[str, Any]:
        projection = self.projection
        return {} if projection is None else {c.name: c for c in projection.selected_columns}

    def has(self, names: Iterable[str]) -> bool:
        """Whether SQL alone gives all these columns."""
        return self.projection is not None and set(names) <= self.part.in_sql

    def node(self, name: str) -> Node:
        """Return how a column is computed."""
        return next(o.node for o in self.part.outputs if o.column == name)

    def expression(self, name: str) -> Any:
        """Return the old expression of a new column."""
        found = self._labelled[name]
        while isinstance(found, sa.Label):
            found = found.element
        return found

    @cached_property
    def naming(self) -> dict[str, Any]:
        """What names a row to a person: its old key, else what SQL gives of its new one."""
        old = {n.removeprefix(_KEY): n for n in self._labelled if n.startswith(_KEY)}
        new = {n: n for n in self.primary_key if n in self.part.in_sql}
        return {name: self.expression(label) for name, label in (old or new).items()}

    def select(self, columns: Sequence[Any]) -> sa.Select[Any]:
        """Return a select of expressions over the part's rows."""
        assert self.projection is not None  # noqa: S101  `has` was asked
        return self.projection.with_only_columns(*columns, maintain_column_froms=True)

    def where(self, condition: Any) -> sa.Select[Any]:
        """Return a select of the names of the rows for which a condition is true."""
        named = list(self.naming.values()) or [sa.func.count()]
        return self.select(named).where(condition)

    def sample(self, asker: Asker, condition: Any, detail: Any = None) -> tuple[str, ...]:
        """Return the names of the first rows for which a condition is true.

        Parameters
        ----------
        detail : SQL expression, optional
            Said in parentheses behind each name.
        """
        named = list(self.naming.values())
        if not named:
            return ()
        select = self.select([*named, *([] if detail is None else [detail])]).where(condition)
        rows = asker.rows(select.order_by(*named).limit(wording.SAMPLES))
        return tuple(self._name(row) for row in rows)

    def _name(self, row: tuple[Any, ...]) -> str:
        said = wording.row_name(list(self.naming), row[: len(self.naming)])
        detail = row[len(self.naming) :]
        return f"{said} ({wording.printable(detail[0])})" if detail else said


def of_table(asker: Asker, table: TablePlan) -> tuple[PartRows, ...]:
    """Return the rows of each part of a new table."""
    key = asker.plan.new.tables[table.name].primary_key
    return tuple(PartRows(table, part, key, part.projection) for part in table.parts)


def united(parts: Sequence[PartRows], columns: Sequence[str], name: str) -> sa.Subquery:
    """Return the rows of all parts as one subquery.

    Its columns are part (position among the parts), v0, v1 … (`columns`) and k0, k1 …
    (what names a row, as many as the part with the most has).
    """
    width = max((len(rows.naming) for rows in parts), default=0)
    selects = [_uniform(i, rows, columns, width) for i, rows in enumerate(parts)]
    whole = selects[0] if len(selects) == 1 else sa.union_all(*selects)
    return whole.subquery(name)


def _uniform(position: int, rows: PartRows, columns: Sequence[str], width: int) -> sa.Select[Any]:
    named = list(rows.naming.values())
    named += [sa.null()] * (width - len(named))
    return rows.select(
        [
            sa.literal_column(str(position)).label("part"),
            *(rows.expression(c).label(f"v{i}") for i, c in enumerate(columns)),
            *(key.label(f"k{i}") for i, key in enumerate(named)),
        ]
    )


def united_name(parts: Sequence[PartRows], row: Sequence[Any]) -> str:
    """Return the name of a row of `united`, given as (part, k0, k1, …)."""
    rows = parts[int(row[0])]
    keys = row[1 : 1 + len(rows.naming)]
    said = wording.row_name(list(rows.naming), keys)
    return f"{rows.part.source} {said}" if len(parts) > 1 and rows.part.source else said
