"""How long the extracts of finished runs are kept: each is all of production in files.

Cleared is when a run has come to its end, and when `migrate discard --extracts` is typed.
Journals and receipts stay; so does whatever an extract was loaded into.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from migrators.errors import of_system
from migrators.events import Note
from migrators.extracts import manifest
from migrators.extracts.directory import is_complete
from migrators.failpoints import act
from migrators.receipt import KeptExtracts
from migrators.run.directory import all_runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from migrators.events import Emit
    from migrators.project import Project
    from migrators.run.directory import RunDirectory


def kept(project: Project) -> KeptExtracts:
    """Return how many runs hold complete extracts, and the bytes of their files."""
    held = [list(_complete(run)) for run in all_runs(project)]
    return KeptExtracts(sum(map(bool, held)), sum(_size(path) for run in held for path in run))


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):  # a run that ends at this moment clears it
        return sum(file.stat().st_size for file in path.iterdir())
    return 0


def clear_old(project: Project, *, emit: Emit) -> None:
    """Remove the extracts of all runs but the latest ones that hold any.

    The caller holds the lock and is done with its own. How many runs stay is the
    project's `keep_extracts`. A failure is said, and changes nothing of the run's outcome.
    """
    holding = [run for run in all_runs(project) if any(_complete(run))]
    try:
        clear(holding[project.settings.keep_extracts :])
    except OSError as error:
        said = of_system(error, project.runs)
        emit(Note(f"an old extract stays, which could not be removed: {said}"))


def clear(runs: Iterable[RunDirectory]) -> list[str]:
    """Remove the complete extracts of runs; return their directories."""
    removed = []
    for run in runs:
        for path in list(_complete(run)):
            run.say("cleared", extract=path.name)
            remove(path)
            removed.append(str(path))
    return removed


@act("extract removed")
def remove(path: Path) -> None:
    """Remove an extract, its manifest first: cut short, what is left is incomplete."""
    (path / manifest.FILE).unlink()
    shutil.rmtree(path)


def _complete(run: RunDirectory) -> Iterator[Path]:
    return (path for path in sorted(run.path.glob("extract-*")) if is_complete(path))
