"""What is done to a table: a change is rows that go, rows that come, and what must be named."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.mutations.values import other

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    Row = tuple[Any, ...]


@dataclass(frozen=True)
class Change:
    """Rows of a table that go and rows that come.

    Attributes
    ----------
    what : str
        Which kind of change it is.
    column : int
        The one column that differs, where the row keeps its key; else -1.
    """

    what: str
    gone: tuple[Row, ...]
    come: tuple[Row, ...]
    column: int = -1

    @property
    def changes(self) -> bool:
        """Whether anything is another than before, to the bit."""
        return sorted(map(repr, self.gone)) != sorted(map(repr, self.come))


@dataclass(frozen=True)
class Table:
    """A table as changes see it: its rows, and which columns are its key."""

    rows: Sequence[Row]
    keys: tuple[int, ...]

    @property
    def free(self) -> list[int]:
        """Columns that are not of the key."""
        return [i for i in range(len(self.rows[0])) if i not in self.keys]


def _with(row: Row, column: int, value: Any) -> Row:
    return (*row[:column], value, *row[column + 1 :])


def cell(table: Table, chance: random.Random) -> Change:
    """Another value in one cell."""
    row, column = chance.choice(table.rows), chance.choice(table.free)
    changed = _with(row, column, other(row[column], chance))
    return Change("one cell is another", (row,), (changed,), column)


def swapped_in_row(table: Table, chance: random.Random) -> Change:
    """Two cells of a row for each other."""
    row = chance.choice(table.rows)
    one, two = chance.sample(table.free, 2)
    changed = _with(_with(row, one, row[two]), two, row[one])
    return Change("two cells of a row are swapped", (row,), (changed,))


def swapped_between_rows(table: Table, chance: random.Random) -> Change:
    """A column's cells of two rows for each other."""
    one, two = chance.sample(list(table.rows), 2)
    column = chance.choice(table.free)
    come = (_with(one, column, two[column]), _with(two, column, one[column]))
    return Change("a cell is swapped between rows", (one, two), come)


def shifted(table: Table, chance: random.Random) -> Change:
    """Where one text ends and the next begins has moved: ("ab", "c") is ("a", "bc")."""
    row = chance.choice(table.rows)
    texts = [i for i in table.free if isinstance(row[i], str)][:2]
    if len(texts) < 2 or not row[texts[0]]:
        return Change("a delimiter has moved", (row,), (row,))
    one, two = texts
    changed = _with(_with(row, one, row[one][:-1]), two, row[one][-1] + row[two])
    return Change("a delimiter has moved", (row,), (changed,))


def lost(table: Table, chance: random.Random) -> Change:
    """A row is gone."""
    return Change("a row is lost", (chance.choice(table.rows),), ())


def more(table: Table, chance: random.Random) -> Change:
    """A row is there that nobody read: a copy under another key, or just twice."""
    return Change("a row is too many", (), (_anew(table, chance.choice(table.rows)),))


def lost_and_doubled(table: Table, chance: random.Random) -> Change:
    """A row is gone and another is there twice: the count is right."""
    gone, twice = chance.sample(list(table.rows), 2)
    come = _anew(table, twice) if chance.random() < 0.5 else _keyed(table, gone, twice)
    return Change("a row is lost and another doubled", (gone,), (come,))


def keys_swapped(table: Table, chance: random.Random) -> Change:
    """Two rows have each other's key."""
    one, two = chance.sample(list(table.rows), 2)
    come = (_keyed(table, one, two), _keyed(table, two, one)) if table.keys else (one, two)
    return Change("two rows have each other's key", (one, two), come)


def _keyed(table: Table, key: Row, row: Row) -> Row:
    """Return a row under another one's key."""
    return tuple(key[i] if i in table.keys else value for i, value in enumerate(row))


def _anew(table: Table, row: Row) -> Row:
    """Return a row under a key that none has."""
    for column in table.keys:
        if isinstance(row[column], int):
            row = _with(row, column, max(r[column] for r in table.rows) + 1)
    return row


CHANGES: tuple[tuple[int, Callable[[Table, random.Random], Change]], ...] = (
    (10, cell),
    (3, swapped_in_row),
    (3, swapped_between_rows),
    (2, shifted),
    (1, lost),
    (1, more),
    (3, lost_and_doubled),
    (2, keys_swapped),
)
"""Kinds of changes, and how often each is made beside the others."""


def one(table: Table, chance: random.Random) -> Change:
    """Return a change that is one; nothing else is promised of it than that."""
    weights = [weight for weight, _ in CHANGES]
    while True:
        (_, make), *_ = chance.choices(CHANGES, weights)
        change = make(table, chance)
        if change.changes:
            return replace(change)
