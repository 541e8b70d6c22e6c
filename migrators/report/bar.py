"""One line of progress, as a bar for terminals and in words for logs."""

from __future__ import annotations

from dataclasses import dataclass

from migrators.report.text import count, escape

_CELLS = 20


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage is.

    Attributes
    ----------
    started : str
        Clock time at which the stage began.
    table : str
        Whose rows were done last.
    done, total : int
        Rows of all the stage's tables; `total` is 0 where it is not known.
    seconds : float
        Since the stage began.
    """

    started: str
    stage: str
    table: str
    done: int
    total: int
    seconds: float


def bar(progress: Progress, width: int) -> str:
    """Return the line that is redrawn in place, cut to `width` columns.

    A rate, and no time of arrival: tables differ too much for one to be true.
    """
    drawn = (
        f"[{_cells(progress.done, progress.total)}] " if progress.total and progress.done else ""
    )
    rate = f"  {count(round(progress.done / progress.seconds))}/s" if progress.seconds > 1 else ""
    head = f"{progress.started}  {progress.stage:<9} {drawn}"
    line = f"{head}{words(progress)}"
    return f"{line}{rate}" if len(line + rate) <= width else line[:width]


def words(progress: Progress) -> str:
    """Return "4,113,408 of 6,310,400 rows, at releases"; the table alone where none is counted.

    The rows are those of all tables: said of one of them they would be wrong.
    """
    if not progress.done:
        return escape(progress.table)
    at = f", at {escape(progress.table)}" if progress.table else ""
    of = f" of {count(progress.total)}" if progress.total else ""
    return f"{count(progress.done)}{of} rows{at}"


def _cells(done: int, total: int) -> str:
    full = min(_CELLS, _CELLS * done // total)
    return "#" * full + "-" * (_CELLS - full)
