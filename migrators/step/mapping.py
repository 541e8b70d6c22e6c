"""One new table and where its rows come from; what `step.table(...)` returns."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa

from migrators.step import arguments
from migrators.step.arguments import StepError
from migrators.step.keys import KeyOf
from migrators.step.labels import twice
from migrators.step.tables import line_in, meant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Condition:
    """A named condition that leaves rows out.

    Attributes
    ----------
    excluded : SQL expression
        True for rows that are left out, never NULL.
    because : str
        As the step says it.
    shown : SQL expression
        What the step wrote; `kept` tells whether it names rows that stay.
    """

    excluded: sa.ColumnElement[bool]
    because: str
    shown: sa.ColumnElement[bool]
    kept: bool


class Mapping:
    """Where the rows of one new table come from. Methods return the mapping itself.

    Attributes
    ----------
    table : Table
        New.
    source : Table, subquery or None
        Old; None where only a query or a function can fill the table.
    said_reads : tuple of Column
        What SQL text in it carries, as the step says.
    lines : dict of str to int
        The step's line that gives a column its value.
    own_grain : bool
        The step says that the rows of its select are not those of one table.
    """

    def __init__(
        self, table: sa.Table, source: sa.FromClause | None, *, line: int | None, path: str = ""
    ) -> None:
        self.table = table
        self.source = source
        self.line = line
        self.lines: dict[str, int | None] = {}
        self._path = path
        self.given: dict[str, Any] = {}
        self.conditions: list[Condition] = []
        self.select: sa.Select[Any] | sa.CompoundSelect[Any] | None = None
        self.function: Callable[..., Iterator[Any]] | None = None
        self.said_reads: tuple[sa.Column[Any], ...] = ()
        self.own_grain = False

    @property
    def is_query(self) -> bool:
        """Whether rows come from a select or a function of the user's own."""
        return self.select is not None

    def values(self, **given: Any) -> Self:
        """Give columns values: a constant, a SQL expression, or a rule.

        Parameters
        ----------
        **given
            New column name = value. A column that is not named is carried by name from
            `source`, or takes its default, or is NULL where it may be.

        Raises
        ------
        StepError
            For a name that is not a column of the table, or one given twice.
        """
        line = line_in(self._path)
        for name, value in given.items():
            if name not in self.table.c:
                msg = f"{self.table.key} has no column {name}{meant(name, self.table.c.keys())}"
                raise StepError(msg)
            if name in self.given:
                msg = f"{self.table.key}.{name} is given a value twice"
                raise StepError(msg)
            self.given[name] = value
            self.lines[name] = line
        return self

    def keep(self, only: sa.ColumnElement[bool], because: str | None) -> Self:
        """Leave out rows for which `only` is not true; see `Step.table`."""
        arguments.condition("only=", only)
        return self._leave_out(sa.not_(_is_true(only)), because, only, kept=True)

    def drop_rows(self, where: sa.ColumnElement[bool], *, because: str) -> Self:
        """Leave out rows for which `where` is true; NULL is not true, such rows stay."""
        arguments.condition("drop_rows", where)
        return self._leave_out(_is_true(where), because, where, kept=False)

    def _leave_out(
        self,
        excluded: sa.ColumnElement[bool],
        because: str | None,
        shown: sa.ColumnElement[bool],
        *,
        kept: bool,
    ) -> Self:
        if not because or not because.strip():
            msg = f'{self.table.key}: rows are left out without a reason: because="..."'
            raise StepError(msg)
        if not isinstance(self.source, sa.Table):
            msg = f"{self.table.key} has no source table whose rows could be left out"
            raise StepError(msg)
        self.conditions.append(Condition(excluded, because, shown, kept))
        return self

    def key(self, x: Any) -> KeyOf:
        """Return a value: the new primary key of the row whose old key equals `x`.

        NULL where `x` is NULL or the row is left out. Follows `step.rekey`.
        """
        return KeyOf(inputs=(x,), mapping=self)

    def query(self, select: sa.Select[Any] | sa.CompoundSelect[Any], *, rows: Any) -> Self:
        """Fill the table from any select over the old tables; labels are new columns.

        Parameters
        ----------
        select : Select or CompoundSelect
        rows : the `new` tables
            Says that the grain is the query's own: account for it with `step.same`.
        """
        del rows  # written so that a reader of the step sees it
        arguments.select("query", select)
        self._one_way(select)
        self.select = select
        self.source = select.subquery()
        return self

    def reads(self, *columns: sa.Column[Any]) -> Self:
        """Say which old columns `sa.text(...)` in this mapping carries."""
        for column in columns:
            arguments.column("reads", column)
        self.said_reads += columns
        return self

    def computed(self, function: Callable[..., Iterator[Any]], *, reads: sa.Select[Any]) -> Self:
        """Fill the table from a function over batches of `reads`.

        Parameters
        ----------
        function : callable
            A top-level generator function of the step's file. Its parameter is an
            iterator of Arrow-backed DataFrames, and it yields DataFrames with the new
            table's columns. Annotated `Iterator[pa.RecordBatch]` or `Iterator[dict]` it
            gets, and yields, record batches or rows.
        reads : Select
        """
        arguments.select("reads=", reads)
        self._one_way(reads)
        if not inspect.isfunction(function):
            msg = f"computed takes a function, not {function!r}"
            raise StepError(msg)
        if function.__qualname__ != function.__name__ or function.__name__ == "<lambda>":
            msg = f"{function.__qualname__} must be a top-level function of the step's file"
            raise StepError(msg)
        self.select = reads
        self.function = function
        return self

    def _one_way(self, select: Any) -> None:
        if self.select is not None:
            msg = f"{self.table.key} is filled by a query or function already"
            raise StepError(msg)
        if self.conditions:
            msg = f"{self.table.key}: rows of a select are left out in its own .where(...)"
            raise StepError(msg)
        if said := twice(select):
            msg = f"{self.table.key}: {said}"
            raise StepError(msg)


def _is_true(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """`condition IS TRUE`, as CASE: the same on every engine, and never NULL."""
    return sa.case((condition, sa.literal_column("1")), else_=sa.literal_column("0")) == (
        sa.literal_column("1")
    )
