"""The record of one run, and where a project stands: what `run` fills and `report` shows.

A `Receipt` is kept as `receipt.json` in the run's directory; a `Status` is made anew
each time it is asked for.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrators.backends.interface import Stamp


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
    step: str = ""


@dataclass(frozen=True, slots=True)
class TableReceipt:
    """One source of one new table: read = written + left behind, unless `own_grain`.

    Attributes
    ----------
    source : str
        Old table, or "query".
    own_grain : bool
        One old row may give none or several new ones (query, batches, split, lookup).
    step : str
        "2to3": a chain accounts for the rows of each of its steps.
    """

    table: str
    source: str
    read: int
    written: int
    left: tuple[LeftBehind, ...] = ()
    own_grain: bool = False
    step: str = ""


@dataclass(frozen=True, slots=True)
class PartitionRows:
    """How many rows a partition of a table has; None where there is none of the name.

    Attributes
    ----------
    old, new : int or None
        In the database that was read, and in the one that was made.
    """

    table: str
    partition: str
    old: int | None
    new: int | None


@dataclass(frozen=True, slots=True)
class StageTime:
    """How long a stage of a step took."""

    step: str
    stage: str
    seconds: float


@dataclass(frozen=True, slots=True)
class FenceReceipt:
    """A database that was closed to others.

    Attributes
    ----------
    since, until : str
        ISO 8601, UTC; `until` is empty where it is closed still.
    by : str
        Who closed it: "root@db1".
    ended : tuple of (name, int)
        Sessions that were ended, by application, else by role.
    passing : tuple of str
        Who was let in all the same.
    """

    database: str
    since: str
    by: str
    ended: tuple[tuple[str, int], ...] = ()
    passing: tuple[str, ...] = ()
    until: str = ""


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
    aside : str
        What the version that had the name before is called now; empty where none had.
    unknown : tuple of str
        Views, indexes and the like of the old database that its schema does not say: they
        stay behind.
    fence : FenceReceipt or None
        What kept writers out of the old database meanwhile.
    written : str
        That the old database was written to meanwhile, where that was accepted.
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
    partitions: tuple[PartitionRows, ...] = ()
    aside: str = ""
    unknown: tuple[str, ...] = ()
    fence: FenceReceipt | None = None
    written: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class VersionState:
    """One schema version's database, as it is now.

    Attributes
    ----------
    database : str
        Its name as messages show it.
    stamp : Stamp or None
        What it says it is; None where it says nothing or is not there.
    agrees : bool
        Name and stamp say the same; True where there is no database.
    written : str
        What was written since it was published, for people; empty where that is not known.
    unreadable : str
        Why it cannot be read; empty where it can.
    aside : tuple of str
        Former databases of the version that are still there, the latest first.
    fenced : str
        Since when it is closed to others, ISO 8601, UTC; empty where it is open.
    """

    version: int
    database: str
    exists: bool
    stamp: Stamp | None = None
    agrees: bool = True
    written: str = ""
    unreadable: str = ""
    aside: tuple[str, ...] = ()
    fenced: str = ""


@dataclass(frozen=True, slots=True)
class RunState:
    """One run of the project, from its journal.

    Attributes
    ----------
    command : str
        What was typed, without secrets.
    outcome : str
        As in `Receipt`, or "stopped" or "running".
    phase : str
        The last stage it came to.
    at : str
        When that was, ISO 8601, UTC.
    extract, staging : str
        What is left of it, for people: "complete, will be used again", "unfinished";
        empty where nothing is.
    to : str
        The URL of where it made its database, without secrets; empty for the project's own.
    """

    id: str
    command: str
    outcome: str
    phase: str
    at: str
    extract: str = ""
    staging: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True)
class KeptExtracts:
    """Complete extracts in run directories.

    Attributes
    ----------
    runs : int
        That hold any.
    size : int
        Bytes of their files.
    """

    runs: int = 0
    size: int = 0


@dataclass(frozen=True)
class Status:
    """Where a project stands.

    Attributes
    ----------
    versions : tuple of VersionState
        Ascending.
    runs : tuple of RunState
        The latest last.
    next : str
        What the next command would do, with the line to type.
    extracts : KeptExtracts
    back : tuple of str
        What going back to an earlier version would lose, with the line to type.
    """

    project: str
    versions: tuple[VersionState, ...]
    runs: tuple[RunState, ...] = ()
    next: str = ""
    extracts: KeptExtracts = field(default_factory=KeptExtracts)
    back: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)
