"""`migrate fixtures 2to3`: committed fixtures go through the very step that production runs."""

from __future__ import annotations

import secrets
import shutil
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from migrators import plan as plans
from migrators.backends import kind_of, scratch_backend, where
from migrators.errors import MigrateError, ProjectError, UsageError
from migrators.events import Emit, StageDone, silent
from migrators.extract import extract
from migrators.extracts.atomic import PART
from migrators.extracts.directory import ExtractReader, ExtractWriter
from migrators.load import finish, load, say_filled
from migrators.run.directory import new_run
from migrators.run.kept import Kept
from migrators.run.lock import locked
from migrators.run.personal import carried_marks
from migrators.schema import load_schema
from migrators.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import sqlalchemy as sa

    from migrators.backends.interface import Backend
    from migrators.project import Project
    from migrators.schema import SchemaVersion

FIXTURE_NOW = datetime(2000, 1, 1, tzinfo=UTC)
"""What `step.now` is for fixtures: the same rows each time, so that nothing churns in git."""


def upgrade_fixtures(project: Project, old: int, new: int, *, emit: Emit, on: str = "") -> Path:
    """Write `fixtures/vNEW` from `fixtures/vOLD` by the step, and prove that it loads.

    Parameters
    ----------
    on : str
        URL of the server that the scratch databases are made on; files where it is empty.

    Returns
    -------
    Path
        The new fixtures' directory.

    Raises
    ------
    ProjectError
        There are no old fixtures, or no step.
    MigrateError
        As for a migration; the former new fixtures stay as they were.
    """
    source, target = project.fixtures(old), project.fixtures(new)
    command = f"migrate fixtures {old}to{new}"
    if not source.is_dir():
        raise ProjectError(f"there is no fixtures/v{old}", hint=f"migrate extract {old} --to ...")
    with locked(project, command):
        run = new_run(project, command)
        try:
            kept = kept_at(project, project.moved(on).target(old)) if on else None
            made = carried(project, source, old, new, scratch=run.scratch, emit=emit, kept=kept)
            swap(made, target)
        except MigrateError as error:
            if not on and _is_served(project, old):
                error.hint += (f"{command} --on {where.SERVER}     runs the step on a server",)
            raise
        finally:
            run.clear_scratch()
        run.say("finished", outcome="written")
    return target


def kept_at(project: Project, url: sa.URL) -> Kept:
    """Return where scratch databases, and those of tests, are made beside a URL's.

    What a killed process left there is removed.
    """
    kept = Kept(project.testing, kind_of(url).for_tests(url, project.testing))
    kept.sweep()
    return kept


def carried(
    project: Project,
    source: Path,
    old: int,
    new: int,
    *,
    scratch: Path,
    emit: Emit,
    kept: Kept | None = None,
) -> Path:
    """Take fixtures through a step, in scratch databases, and prove that they load.

    Parameters
    ----------
    source : Path
        Fixtures of the old version.
    scratch : Path
        A private directory that the caller removes.
    kept : Kept, optional
        Where the scratch databases are made; as files in `scratch` unless given.

    Returns
    -------
    Path
        The new fixtures, below `scratch`.

    Raises
    ------
    MigrateError
        As for a migration.
    """
    schema = load_schema(project, old)
    reader = ExtractReader.open(source, schema)
    say_filled(reader, emit)
    with (
        _scratch(kept, scratch, schema) as database,
        _scratch(kept, scratch, load_schema(project, new)) as after,
    ):
        _load(reader, database)
        database.prove(schema, scratch)
        return _carried(project, reader, (database, after), new, scratch=scratch, emit=emit)


@contextmanager
def _scratch(kept: Kept | None, folder: Path, schema: SchemaVersion) -> Iterator[Backend]:
    """Give a database that is not there yet, and is not there afterwards.

    Raises
    ------
    UsageError
        It would be a file, which cannot hold the schema.
    """
    if kept is None:
        made = scratch_backend(folder, f"v{schema.version}")  # the folder goes, whatever happens
        if said := next(plans.lints(schema, made, made), ""):
            raise UsageError(f"schemas/{schema.path.name} cannot be in a file: {said}")
        yield made
        return
    entry = kept.take(f"f_{secrets.token_hex(6)}")
    try:
        yield entry.made
    finally:
        entry.remove()


def _carried(
    project: Project,
    reader: ExtractReader,
    databases: tuple[Backend, Backend],
    new: int,
    *,
    scratch: Path,
    emit: Emit,
) -> Path:
    (database, after), old = databases, reader.schema.version
    plan = plans.make(project, old, new, now=FIXTURE_NOW, source=database, target=after)
    place = scratch / "fixtures"
    marks = carried_marks(project, reader, plan)
    writer = ExtractWriter(place, plan.new, "csv", 0o644, committed=True, replaced=marks)
    work = scratch / "work"
    work.mkdir(mode=0o700)
    began = time.monotonic()
    extract(plan, database, writer, scratch=work, emit=emit)
    emit(StageDone("extract", time.monotonic() - began, (f"every row of fixtures/v{old}",)))
    written = ExtractReader.open(place, plan.new)
    _load(written, after)
    verify(written, plan.new, after, sames=(), scratch=work, emit=silent)
    return place


def _is_served(project: Project, version: int) -> bool:
    """Whether the project's own database is on a server, of whose kind a step may be."""
    return project.has_url(version) and not where.is_file(project.url(version).get_backend_name())


def _load(reader: ExtractReader, database: Backend) -> None:
    schema = reader.schema
    load(reader, schema, database, emit=silent)
    finish(reader, schema, database, emit=silent)


def swap(made: Path, target: Path) -> None:
    """Put the new files in the old ones' place: all are on disk before one gets its name."""
    target.mkdir(parents=True, exist_ok=True)
    new = [target / file.name for file in sorted(made.iterdir())]
    try:
        for file in new:
            shutil.copy(made / file.name, _part(file))
    except OSError:
        for file in new:
            _part(file).unlink(missing_ok=True)
        raise
    for file in new:
        _part(file).replace(file)
    for file in set(target.iterdir()) - set(new):
        if file.suffix in {".csv", ".parquet", PART}:
            file.unlink()


def _part(file: Path) -> Path:
    return file.with_name(file.name + PART)
