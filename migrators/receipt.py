"""The record of one run: what `run` fills, `report` shows, and `receipt.json` keeps."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """Rows of a source that a named condition left out."""

    condition: str
    because: str
    rows: int


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How many values of a new column a rule changed."""

    table: str
    column: str
    rule: str
    changed: int


@dataclass(frozen=True, slots=True)
class TableReceipt:
    """One source of one new table: read = written + left behind, unless `own_grain`.

    Attributes
    ----------
    source : str
        Old table, or "query".
    own_grain : bool
        One old row may give none or several new ones (query, batches, split, lookup).
    """

    table: str
    source: str
    read: int
    written: int
    left: tuple[LeftBehind, ...] = ()
    own_grain: bool = False


@dataclass(frozen=True, slots=True)
class StageTime:
    """How long a stage of a step took."""

    step: str
    stage: str
    seconds: float


@dataclass(frozen=True)
class Receipt:
    """One run.

    Attributes
    ----------
    command : str
        What was typed, without secrets: "migrate 2to3".
    outcome : str
        "published", "rehearsed", "already done".
    started, finished : str
        ISO 8601, UTC.
    old, new : str
        Databases as messages name them.
    losses : tuple of (why, count)
    sames : tuple of (title, answer as text)
    dropped : tuple of (what, because, values it held)
    """

    run: str
    command: str
    outcome: str
    started: str
    finished: str
    old: str
    new: str
    directory: str
    tables: tuple[TableReceipt, ...] = ()
    rules: tuple[RuleCount, ...] = ()
    stages: tuple[StageTime, ...] = ()
    dropped: tuple[tuple[str, str, int], ...] = ()
    losses: tuple[tuple[str, int | None], ...] = ()
    sames: tuple[tuple[str, str], ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)
