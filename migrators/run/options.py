"""What was asked of a run."""

from __future__ import annotations

from dataclasses import dataclass


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
    """

    rehearse: bool = False
    replace: bool = False
    accept_loss: bool = False
    fresh: bool = False
    files: str = "parquet"
