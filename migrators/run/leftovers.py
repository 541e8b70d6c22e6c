"""What earlier runs left behind: staging databases to discard, extracts to use again."""

from __future__ import annotations

import shlex
import shutil
from typing import TYPE_CHECKING

from migrators.errors import MigrateError
from migrators.events import Emit, Note, silent
from migrators.extracts.directory import ExtractReader, is_complete
from migrators.failpoints import act
from migrators.run.directory import RunDirectory, all_runs, clear_unbegun
from migrators.run.places import is_there, staged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from migrators.backends.interface import Backend
    from migrators.plan.model import Plan
    from migrators.project import Project
    from migrators.run.basis import Basis


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
    project: Project, run: RunDirectory, step: str, wanted: Basis, since: str
) -> Path | None:
    """Move the unfinished extract of an earlier run here, whose finished tables still hold.

    Parameters
    ----------
    wanted : Basis
    since : str
        When the fence was closed that stood then, and stands.
    """
    for other in others(project, run):
        for line in other.said("extract"):
            path = other.extract(step)
            same = (line["step"], line.get("basis"), line.get("fenced")) == (
                step,
                wanted.digest,
                since,
            )
            if same and path.is_dir() and not is_complete(path):
                with act("extract taken over"):
                    return path.rename(run.extract(step))
    return None


def complete_extract(
    project: Project, wanted: Basis, plan: Plan, since: str, emit: Emit
) -> ExtractReader | None:
    """Return an undamaged extract of an earlier run that has this basis, and say so.

    Where there is none it is said why the last one is not used.

    Parameters
    ----------
    since : str
        As `take_over` wants it, which comes next.
    """
    why = _unused(project, wanted, plan.name, since)
    for run in all_runs(project):
        for line in run.said("extracted"):
            path = run.extract(line["step"])
            if line["basis"] == wanted.digest and is_complete(path):
                try:
                    reader = ExtractReader.open(path, plan.new)
                    reader.check()
                except MigrateError as error:
                    why = f"that of run {run.id} is damaged: {error.message}"
                    continue
                emit(Note(f"{plan.verb}: the extract of an earlier run is complete; used again"))
                return reader
    if why:
        emit(Note(f"{plan.verb}: extracted anew: {why}"))
    return None


def _unused(project: Project, wanted: Basis, step: str, since: str) -> str:
    """Say what the latest extract of a step lacks; empty where there is none, or it was cleared."""
    for run in all_runs(project):
        begun = [line for line in run.said("extract") if line["step"] == step]
        if not begun:
            continue
        finished = any(line["step"] == step for line in run.said("extracted"))
        if not finished and not (since and begun[-1].get("fenced") == since):
            return f"that of run {run.id} was not finished"
        changed = wanted.changed(begun[-1].get("of", {}))
        there = run.extract(step).is_dir()
        return f"{changed} since run {run.id}" if changed and there else ""
    return ""
