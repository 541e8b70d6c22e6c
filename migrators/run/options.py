"""What was asked of a run."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from migrators.project import Project

_MOST_JOBS = 4
"""Unless asked for: more wait for one another, and each holds its batches."""


def cores() -> int:
    """Return how many tables are worth working on at a time here."""
    return min(_MOST_JOBS, len(os.sched_getaffinity(0)))


def jobs_of(project: Project) -> int:
    """Return how many tables at a time a project asks for, else `cores`."""
    return project.settings.jobs or cores()


@dataclass(frozen=True, slots=True)
class Options:
    """Flags of a run.

    Attributes
    ----------
    rehearse : bool
        Everything but the publish; the staging database is discarded.
    replace : bool
        Set an existing version aside instead of refusing.
    accept_loss : bool
        Go on although a downgrade loses what it declares.
    fence : bool
        Keep writers out of the old database from before the snapshot.
    accept_unfenced : bool
        Publish although the old database was written to meanwhile.
    fresh : bool
        Use nothing that an earlier run left.
    files : str
        "parquet" or "csv".
    jobs : int
        Tables at a time.
    until : datetime or None
        When it has to be done: it stops by itself before it publishes.
    """

    rehearse: bool = False
    replace: bool = False
    accept_loss: bool = False
    fence: bool = False
    accept_unfenced: bool = False
    fresh: bool = False
    files: str = "parquet"
    jobs: int = field(default_factory=cores)
    until: datetime | None = None
