"""A frozen `Plan`: what `plan` gives, and all that `extract`, `load` and `report` need of it.

Plain data, but for the two SQLAlchemy selects a part keeps for `check` to ask more
questions of. Making one reads no database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from migrators.access import Ways

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa

    from migrators.backends.interface import ReadColumn, ReadQuery
    from migrators.rules.base import Rule
    from migrators.schema import SchemaVersion
    from migrators.types import ColumnType


@dataclass(frozen=True, slots=True)
class Read:
    """The value of column `index` of the part's query."""

    index: int
    type: ColumnType


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value in every row, as its Python value."""

    value: Any
    type: ColumnType


@dataclass(frozen=True, slots=True)
class Widen:
    """An exact implicit widening (`types.fit.widen`) of `of` to `type`.

    Integers of 64 bits with and without a sign become each other as far as they fit.
    """

    of: Node
    type: ColumnType


@dataclass(frozen=True, slots=True)
class Apply:
    """A bound rule over other nodes; `type` is what it gives, `target` the new column's."""

    rule: Rule
    args: tuple[Node, ...]
    type: ColumnType
    target: ColumnType


Node = Read | Constant | Widen | Apply


@dataclass(frozen=True, slots=True)
class Output:
    """One new column and how it is computed.

    Attributes
    ----------
    how : str
        For people: "carried", "renamed", "rules.integer", "constant", "default", "NULL".
    """

    column: str
    type: ColumnType
    nullable: bool
    node: Node
    how: str


@dataclass(frozen=True, slots=True)
class FunctionRef:
    """A top-level function of the step's file.

    Attributes
    ----------
    form : str
        "frames", "batches" or "rows": what it takes and yields.
    columns : tuple of str
        Names of the query's columns as the function sees them.
    """

    path: Path
    name: str
    form: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A named condition: SQL of the rows that are left out, and why, as the step says it.

    `shown` is what the step wrote; `kept` tells whether that names the rows that stay.
    """

    text: str
    because: str
    shown: Any = field(default=None, compare=False, repr=False)
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Accounting:
    """One query that counts the source's rows, in all and left out by each condition.

    Its single row is (read, left out by conditions[0], by conditions[1] but not [0], …).
    `total` counts all of them and nothing else, which is cheap; `select` is what `sql` was
    compiled of, for asking a part of the rows only.
    """

    sql: str
    total: str
    conditions: tuple[LeftOut, ...]
    select: sa.Select[Any] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Part:
    """Rows of one new table from one source.

    Attributes
    ----------
    source : str or None
        Old table, None for a query over several.
    query : ReadQuery
    outputs : tuple of Output
        One per stored new column, in declared order. With `function` they compute from
        the function's columns (`made`), not from the query's.
    function : FunctionRef or None
    made : tuple of ReadColumn
        Columns that the function must give, with the types it must give them in.
    accounting : Accounting or None
        None where the grain is the query's own.
    explodes : Apply or None
        The list-valued node whose elements become rows.
    projection : Select
        New columns that SQL alone gives, labelled with their names; for `check`.
    in_sql : frozenset of str
        Which columns those are.
    single : tuple of (column, SQL)
        Each counts rows for which a subquery of the column's value gives several values.
    line : int or None
        Where the step speaks of it.
    """

    source: str | None
    query: ReadQuery
    outputs: tuple[Output, ...]
    function: FunctionRef | None = None
    made: tuple[ReadColumn, ...] = ()
    accounting: Accounting | None = None
    explodes: Apply | None = None
    projection: sa.Select[Any] | None = field(default=None, compare=False)
    in_sql: frozenset[str] = frozenset()
    single: tuple[tuple[str, str], ...] = ()
    line: int | None = None


@dataclass(frozen=True)
class LookupPlan:
    """A lookup table: distinct values of the parts' single output, then keys.

    Attributes
    ----------
    key, id : str
        New columns that take value and key.
    id_type : ColumnType
        integer or uuid.
    others : tuple of Output
        Constant nodes of further columns.
    """

    key: str
    id: str
    id_type: ColumnType
    others: tuple[Output, ...]


@dataclass(frozen=True)
class TablePlan:
    """One new table.

    Attributes
    ----------
    name : str
    origin : str
        For people: "packages", "packages.keywords".
    how : str
        "carried by name", "renamed", "split", "lookup", "query", "batches" …
    line : int or None
        Of the step.
    parts : tuple of Part
    lookup : LookupPlan or None
    ordered : bool
        The old server can give the rows in order of the new key; otherwise they are
        sorted on the way.
    """

    name: str
    origin: str
    how: str
    line: int | None
    parts: tuple[Part, ...]
    lookup: LookupPlan | None = None
    ordered: bool = False


@dataclass(frozen=True)
class KeyMapPlan:
    """Old keys that must be read first: those that `ReversedKey` cannot reverse."""

    name: str
    tag: str
    query: ReadQuery


@dataclass(frozen=True, slots=True)
class Dropped:
    """An old table or column that goes nowhere; `count` asks how many values it held.

    `table` is the old table; `select` is what `count` was compiled of.
    """

    what: str
    because: str
    count: str
    table: str = ""
    select: sa.Select[Any] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class SamePlan:
    """`step.same`: SQL for the old database; the new one's select is compiled by `verify`."""

    title: str
    old: ReadQuery
    new: sa.Select[Any] = field(compare=False)


@dataclass(frozen=True, slots=True)
class LossPlan:
    """A declared loss; `count` is SQL that gives one number, or None."""

    why: str
    count: str | None


@dataclass(frozen=True)
class Plan:
    """All of one step, checked.

    Attributes
    ----------
    tables : tuple of TablePlan
        Sorted by name; lookups are computed before the others need them.
    sequences : mapping of new table to old table
        Whose position goes on.
    columns_carried, columns_new : int
        For the one line of `check` that says that every column is accounted for.
    random_keys : bool
        Whether a secret of the run is needed.
    ways : Ways
        What became of which table: access follows it.
    """

    old: SchemaVersion
    new: SchemaVersion
    path: Path
    digest: str
    tables: tuple[TablePlan, ...]
    dropped: tuple[Dropped, ...] = ()
    key_maps: tuple[KeyMapPlan, ...] = ()
    sames: tuple[SamePlan, ...] = ()
    losses: tuple[LossPlan, ...] = ()
    sequences: dict[str, str] = field(default_factory=dict)
    columns_carried: int = 0
    columns_new: int = 0
    random_keys: bool = False
    ways: Ways = field(default_factory=Ways)

    @property
    def name(self) -> str:
        """`2to3`; `3` where a database is taken as it is."""
        if self.old.version == self.new.version:
            return str(self.old.version)
        return f"{self.old.version}to{self.new.version}"

    @property
    def verb(self) -> str:
        """What of `migrate` does it: `2to3`, `copy 3`."""
        return f"copy {self.name}" if self.old.version == self.new.version else self.name

    @property
    def computes(self) -> bool:
        """Whether functions of the step are called while it runs."""
        return bool(self.computed)

    @property
    def computed(self) -> frozenset[str]:
        """New tables that functions of the step fill: `check` does not know their rows."""
        return frozenset(t.name for t in self.tables if any(p.function for p in t.parts))

    @property
    def is_downgrade(self) -> bool:
        """Whether it goes back."""
        return self.new.version < self.old.version
