"""Fences that stand, as the project's journals tell, and as their databases show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from migrators.receipt import FenceReceipt
from migrators.run.directory import all_runs

if TYPE_CHECKING:
    from migrators.backends.interface import Backend
    from migrators.project import Project


@dataclass(frozen=True)
class Standing:
    """A fence that a journal says was begun, and not opened.

    Attributes
    ----------
    saved : dict
        What undoes it.
    receipt : FenceReceipt
        Since when, and by whom.
    rehearsal : bool
        A rehearsal closed it, and opens it at its end.
    complete : bool
        It was closed; otherwise a run was stopped between the intent and the deed.
    """

    database: str
    saved: dict[str, Any]
    receipt: FenceReceipt
    rehearsal: bool = False
    complete: bool = False


def standing(project: Project, database: str) -> Standing | None:
    """Return the fence of a database that journals of the project tell of, if one stands.

    They are read in the order in which they were written, which is not that of their times
    where a clock was set back.
    """
    said = [
        line
        for run in reversed(list(all_runs(project)))
        for line in run.journal()
        if line["what"] in ("fence", "fenced", "unfenced") and line.get("database") == database
    ]
    found: Standing | None = None
    for line in said:
        if line["what"] == "unfenced":
            found = None
        elif line["what"] == "fence" and found is None:
            receipt = FenceReceipt(database, line["at"], line["by"])
            found = Standing(database, line["saved"], receipt, bool(line.get("rehearsal")))
        elif line["what"] == "fenced" and found is not None:
            ended, passing = tuple(map(tuple, line["ended"])), tuple(line["passing"])
            told = replace(found.receipt, ended=ended, passing=passing)
            found = replace(found, receipt=told, complete=True)
    return found


def since(project: Project, database: Backend) -> str:
    """Return since when a database is closed, ISO 8601; empty where it is open."""
    found = standing(project, database.database)
    if found is None or not database.fence().closed(found.saved):
        return ""
    return found.receipt.since
