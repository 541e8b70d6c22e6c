"""What earlier runs left behind: staging databases to discard, extracts to use again."""

from __future__ import annotations

import hashlib
import shlex
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from migrators import __version__
from migrators.errors import MigrateError
from migrators.events import Emit, Note, silent
from migrators.extracts.directory import ExtractReader, is_complete
from migrators.failpoints import act
from migrators.run.directory import RunDirectory, all_runs, clear_unbegun
from migrators.run.places import is_there, staged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from migrators.access import Access
    from migrators.backends.interface import Backend
    from migrators.plan.model import Plan
    from migrators.project import Project


def discard_leftovers(
    project: Project,
    runs: Iterable[RunDirectory] | None = None,
    emit: Emit = silent,
    *,
    but_begun: bool = False,
) -> list[str]:
    """Remove staging databases and incomplete extracts of earlier runs; return their names.

    The caller holds the lock, so that no run of this project is still at work. Only what
    a journal of this project names is touched.

    Parameters
    ----------
    runs : iterable of RunDirectory, optional
        Whose; all of the project's unless given.
    emit : Emit
        Told of what stays, since another server is not reached. Only where the project is
        moved there is that an error.
    but_begun : bool
        Leave loads that the same command may go on with, and extracts made under a fence.
    """
    removed = []
    clear_unbegun(project)
    for run in all_runs(project) if runs is None else runs:
        for line in run.made("staging", "scratch"):
            if but_begun and line.get("basis"):
                continue
            try:
                removed.extend(_discarded(staged(project, run, line), line["database"]))
            except MigrateError as error:
                if not line.get("to") or is_there(project, line):
                    raise
                emit(Note(_stays(line, error)))
                continue  # another server, which may be gone or want a password: the next run
            run.say("gone", database=line["database"])
        if not (but_begun and any(line.get("fenced") for line in run.said("extract"))):
            removed.extend(_incomplete(run))
        run.clear_parts()
        run.clear_scratch()
    return removed


def others(project: Project, run: RunDirectory) -> list[RunDirectory]:
    """Return the project's runs but one."""
    return [other for other in all_runs(project) if other.id != run.id]


def _stays(line: Mapping[str, str], error: MigrateError) -> str:
    """Say what stays on another server, and what to type for it."""
    typed = f"migrate discard --to {shlex.quote(line['to'])}"
    return f"{line['database']} stays: {error.message}; with its password: {typed}"


def _discarded(staging: Backend, database: str) -> list[str]:
    if staging.database != database:
        return []
    there = staging.exists()
    staging.discard()  # where an empty one is none yet, the empty one goes, too
    return [database] if there else []


def _incomplete(run: RunDirectory) -> list[str]:
    """Remove the extracts that no run can use: of one that is not journalled nothing is known."""
    known = {run.extract(line["step"]) for line in run.said("extracted")}
    removed = []
    for path in run.path.glob("extract-*"):
        if path.is_dir() and not (path in known and is_complete(path)):
            with act("extract removed"):
                shutil.rmtree(path)
            removed.append(str(path))
    return removed


def take_over(
    project: Project, run: RunDirectory, step: str, wanted: str, since: str
) -> Path | None:
    """Move the unfinished extract of an earlier run here, whose finished tables still hold.

    Parameters
    ----------
    wanted : str
        Its basis.
    since : str
        When the fence was closed that stood then, and stands.
    """
    for other in others(project, run):
        for line in other.said("extract"):
            path = other.extract(step)
            same = (line["step"], line.get("basis"), line.get("fenced")) == (step, wanted, since)
            if same and path.is_dir() and not is_complete(path):
                with act("extract taken over"):
                    return path.rename(run.extract(step))
    return None


def basis(source: str, plans: Sequence[Plan], files: str, access: Access) -> str:
    """Return a digest of everything that an extract depends on.

    Parameters
    ----------
    source : str
        Digest of the old database.
    plans : sequence of Plan
        Of the chain's steps up to and with the one whose extract it is.
    access : Access
        Of the old database: a right that was given since the extract is in no digest of rows.
    """
    rights = (f"{kind} {sorted(map(str, said))}" for kind, said in access.plain().items())
    return _digest([source, __version__, files, *sorted(rights), *_said(plans)])


def steps_digest(plans: Sequence[Plan]) -> str:
    """Return a digest of what a chain's steps and schemas say."""
    return _digest(_said(plans))


def _said(plans: Sequence[Plan]) -> Iterator[str]:
    for plan in plans:
        yield from (plan.name, plan.digest, plan.old.fingerprint, plan.new.fingerprint)


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def complete_extract(project: Project, wanted: str, plan: Plan) -> ExtractReader | None:
    """Return an undamaged extract of an earlier run that has this basis."""
    for run in all_runs(project):
        for line in run.said("extracted"):
            path = run.extract(line["step"])
            if line["basis"] == wanted and is_complete(path):
                with suppress(MigrateError):
                    reader = ExtractReader.open(path, plan.new)
                    reader.check()
                    return reader
    return None
