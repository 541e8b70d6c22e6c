"""What was asked of a run."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

_MOST_JOBS = 4
"""More readers wait for one another, and each holds its batches."""


def cores() -> int:
    """Return how many tables are worth reading at a time here."""
    return min(_MOST_JOBS, len(os.sched_getaffinity(0)))


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
    fresh : bool
        Use nothing that an earlier run left.
    files : str
        "parquet" or "csv".
    jobs : int
        Tables at a time.
    """

    rehearse: bool = False
    replace: bool = False
    accept_loss: bool = False
    fresh: bool = False
    files: str = "parquet"
    jobs: int = field(default_factory=cores)
