"""`migrate extract`: the first phase alone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from migrators import plan as plans
from migrators.errors import UsageError
from migrators.events import Emit, Planned, RunBegan, StageDone
from migrators.extract import extract
from migrators.extracts.directory import ExtractReader, ExtractWriter
from migrators.run.accounts import extent
from migrators.run.directory import new_run
from migrators.run.lock import locked
from migrators.run.personal import refuse_bare
from migrators.run.present import present

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from migrators.plan.model import Plan
    from migrators.project import Project
    from migrators.run.options import Options


def extract_only(
    project: Project,
    chain: Sequence[tuple[int, int]],
    to: Path,
    options: Options,
    *,
    emit: Emit,
) -> Path:
    """Write the extract of one step, or with old = new of a database as it is, to `to`."""
    (old, new), *further = chain
    command = f"migrate extract {old}to{new}" if old != new else f"migrate extract {old}"
    if further:
        raise UsageError("extract takes one step", hint=command)
    with locked(project, command, old):
        made = plans.make(project, old, new) if old != new else plans.make_copy(project, old)
        emit(Planned(made.computes))
        source = present(project, old)
        source.require_sound()
        run = new_run(project, command)
        emit(RunBegan(run.id))
        try:
            writer = _writer(project, to, made, options)
            began = time.monotonic()
            extract(made, source, writer, scratch=run.scratch, emit=emit, jobs=options.jobs)
            said = extent(ExtractReader.open(to, made.new).manifest)
            emit(StageDone("extract", time.monotonic() - began, (f"{said}: every row in {to}",)))
        finally:
            run.clear_scratch()
        run.say("finished", outcome="extracted")
    return to


def _writer(project: Project, to: Path, made: Plan, options: Options) -> ExtractWriter:
    """Return what writes an extract; below `fixtures/`, one that is committed."""
    if project.is_fixture(to):
        refuse_bare(project, to, made)
        return ExtractWriter(to, made.new, options.files, 0o644, committed=True)
    return ExtractWriter(to, made.new, options.files)
