"""What the engine says while it works; `cli` and `report` decide how it looks.

A stage takes `emit: Emit` and calls it with frozen events; it never prints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Event:
    """Root of all events."""


@dataclass(frozen=True, slots=True)
class StageStarted(Event):
    """A stage begins.

    Attributes
    ----------
    stage : str
        "extract", "load", "finish", "verify", "publish" …
    about : str
        What it does, for people: "14 tables, 9.1 GB".
    total : int
        Units of progress in all (rows), 0 where it is not known.
    tables : mapping of str to int
        Those of each table, where they are known.
    """

    stage: str
    about: str = ""
    total: int = 0
    tables: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableProgress(Event):
    """`rows` further rows of `table` are done in `stage`."""

    stage: str
    table: str
    rows: int


@dataclass(frozen=True, slots=True)
class TableDone(Event):
    """A table is complete in `stage`."""

    stage: str
    table: str
    rows: int
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class StageDone(Event):
    """A stage is complete.

    Attributes
    ----------
    said : tuple of str
        Facts worth a line each: "every row in shop_v3__loading".
    """

    stage: str
    seconds: float
    said: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Note(Event):
    """Something that a person should know and that stops nothing."""

    text: str


@dataclass(frozen=True, slots=True)
class Planned(Event):
    """The steps have been read, and what there is to do is known.

    Attributes
    ----------
    computes : bool
        Whether functions of a step will be called.
    """

    computes: bool


@dataclass(frozen=True, slots=True)
class RunBegan(Event):
    """Nothing was in the way: what follows is kept under this name.

    Attributes
    ----------
    run : str
        "20261121-020007".
    """

    run: str


Emit = Callable[[Event], None]


def silent(_event: Event) -> None:
    """Ignore an event: the `emit` of callers who do not listen."""
