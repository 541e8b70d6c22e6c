"""Many changes of one database, one after the other: which were found, which were not."""

from __future__ import annotations

import random
import sqlite3
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
import pymysql

from migrators.errors import MigrateError
from tests.mutations.changes import Table, one
from tests.mutations.subject import subject

if TYPE_CHECKING:
    from pathlib import Path

    from tests.mutations.changes import Change
    from tests.mutations.subject import Subject

TABLES = {"cells": 12, "lone": 6, "named": 4, "long": 1}
"""Tables, and how often each is changed beside the others."""
_AGAIN = 250
"""Changes after which every table is compared as it should be."""
_IMPOSSIBLE = (sqlite3.Error, psycopg.Error, pymysql.Error, OverflowError)
"""What a driver says of a value that the column does not hold: such a change is none."""


@dataclass
class Trial:
    """What became of the changes of a database.

    Attributes
    ----------
    caught, missed : by kind of change
    misnamed : list of str
        Cells whose change was found, and said to be somewhere else.
    false : list of str
        Differences that were found where there are none.
    identical : int
        Comparisons of tables that were as they should be.
    """

    kind: str
    caught: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    misnamed: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    identical: int = 0
    impossible: int = 0
    seconds: float = 0.0

    @property
    def well(self) -> bool:
        """Whether all was found, and nothing else."""
        return not (self.missed or self.misnamed or self.false)


def tried(kind: str, root: Path, count: int, seed: int) -> Trial:
    """Change a database of a kind `count` times, seeded; return what was found."""
    trial = Trial(kind)
    began = time.monotonic()
    chance = random.Random(seed)  # noqa: S311
    with subject(kind, root, seed) as found:
        tables = {name: _table(found, name) for name in TABLES}
        while sum(trial.caught.values()) + len(trial.missed) < count:
            if (sum(trial.caught.values()) + len(trial.missed)) % _AGAIN == 0:
                _identical(found, trial)
            (name,) = chance.choices(list(TABLES), list(TABLES.values()))
            _one(found, trial, name, tables[name], one(tables[name], chance))
        _identical(found, trial)
    trial.seconds = time.monotonic() - began
    return trial


def _table(found: Subject, name: str) -> Table:
    columns = found.columns(name)
    return Table(found.rows(name), tuple(columns.index(key) for key in found.keys(name)))


def _one(found: Subject, trial: Trial, name: str, table: Table, change: Change) -> None:
    """Make a change, see whether it is found, and undo it."""
    rows = list(table.rows)
    keyless = not table.keys
    left = list(rows)
    for row in change.gone:
        left.remove(row)
    before = found.meant(name)
    try:
        found.exchange(name, change.gone, [*left, *change.come] if keyless else change.come)
    except _IMPOSSIBLE:
        trial.impossible += 1
        return
    if found.meant(name) == before:  # the database holds no other value
        trial.impossible += 1
    else:
        _judged(found, trial, name, change)
    found.exchange(name, change.come, rows if keyless else change.gone)


def _judged(found: Subject, trial: Trial, name: str, change: Change) -> None:
    try:
        lines = found.differences(name)
    except MigrateError as refused:  # what is there is no value of the column at all
        lines = [refused.message]
        named = True
    else:
        named = _named(found, name, change, lines)
    told = f"{name}: {change.what}: {change.gone} -> {change.come}"
    if not lines:
        trial.missed.append(told)
        return
    trial.caught[change.what] += 1
    if not named:
        trial.misnamed.append(f"{told}: {lines}")


def _named(found: Subject, name: str, change: Change, lines: list[str]) -> bool:
    """Return whether a changed cell is said by its key and column, and nothing else is."""
    keys = found.keys(name)
    if change.column < 0 or not keys:
        return True
    columns = found.columns(name)
    (row,) = change.gone
    key = ", ".join(f"{k} {row[columns.index(k)]}" for k in keys)
    return lines == [f"{name} {key}: {columns[change.column]}"]


def _identical(found: Subject, trial: Trial) -> None:
    for name in TABLES:
        trial.identical += 1
        trial.false += found.differences(name)
