"""`migrate sample`: a small extract of a database or of a large extract, proven by loading it."""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from migrators import __version__, plan
from migrators.backends import scratch_backend
from migrators.errors import ExtractError, MigrateError, UsageError, ValueRefused
from migrators.events import Emit, Note, StageDone, StageStarted, silent
from migrators.extracts.directory import ExtractReader, ExtractWriter, is_complete
from migrators.load import finish, load
from migrators.personal import Replacer
from migrators.project import private_directory
from migrators.run import places
from migrators.run.directory import new_run
from migrators.run.fixtures import swap
from migrators.run.loading import open_extract
from migrators.run.lock import locked
from migrators.run.personal import personal_of
from migrators.run.present import present
from migrators.sample import Sampled, choose, of_settings, spoken, write
from migrators.sample.reading import Reading
from migrators.schema import load_schema
from migrators.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrators.backends.interface import Backend
    from migrators.project import Project
    from migrators.run.directory import RunDirectory
    from migrators.sample import Reference, Request
    from migrators.schema import SchemaVersion


_BARE = "no column is declared personal, and what is written will be committed as it is"


@dataclass(frozen=True)
class SampleOptions:
    """Where a sample goes.

    Attributes
    ----------
    to : Path or None
        The directory; `fixtures/vN` unless given.
    files : str
        "csv" or "parquet"; empty for CSV below `fixtures/`, else Parquet.
    replace : bool
        In the place of the extract that is there.
    references : tuple of str
        Virtual references, beside those of the project's settings.
    """

    to: Path | None = None
    files: str = ""
    replace: bool = False
    references: tuple[str, ...] = ()


@dataclass(frozen=True)
class SampleMade:
    """A sample that was written and loads.

    Attributes
    ----------
    replaced : mapping of (table, column) to int
        How many personal values something else stands for.
    """

    path: Path
    sampled: Sampled
    replaced: dict[tuple[str, str], int]


def sample(
    project: Project,
    source: int | Path,
    request: Request,
    options: SampleOptions,
    *,
    emit: Emit,
) -> SampleMade:
    """Write a sample and prove that it loads; what is read is not changed.

    Parameters
    ----------
    source : int or Path
        The version whose database is read, or an extract.

    Raises
    ------
    UsageError
        What was asked for is not there.
    ExtractError
        An extract is where the sample is to be.
    MigrateError
        It does not load; nothing is left of it.
    """
    if isinstance(source, int):
        schema, said = load_schema(project, source), {}
    else:
        reader, schema = open_extract(project, source)
        said = {name: reader.replaced(name) for name in schema.tables}
    to = (options.to or project.fixtures(schema.version)).resolve()
    _free(to, options)
    command = f"migrate sample {source}"
    request = replace(request, references=_references(project, schema, options, emit))
    personal = personal_of(project, schema, request.references)
    replacer = Replacer(schema, personal, project.settings.pii_key, said)
    with locked(project, command, *([source] if isinstance(source, int) else [])):
        run = new_run(project, command)
        try:
            with _read(project, source, schema, run) as database:
                job = _Sampling(project, schema, request, options, replacer, run, emit)
                made = job.made(database, to)
        finally:
            run.clear_scratch()
        run.say("finished", outcome="sampled")
    return made


def _free(to: Path, options: SampleOptions) -> None:
    """Refuse a place where something is, unless it is an extract that is to be replaced."""
    complete = is_complete(to)
    if complete and not options.replace:
        raise ExtractError(
            f"{to} holds a complete extract; nothing was overwritten",
            hint="--replace     puts the sample in its place",
        )
    if not complete and to.exists() and not (to.is_dir() and not any(to.iterdir())):
        raise ExtractError(
            f"{to} holds something that is no extract; nothing was overwritten",
            hint="give another directory, or remove this one",
        )


def _references(
    project: Project, schema: SchemaVersion, options: SampleOptions, emit: Emit
) -> tuple[Reference, ...]:
    """Return the virtual references; one of the settings may be of another version."""
    asked = (spoken(schema, text) for text in options.references)
    said = of_settings(
        schema,
        project.settings.references,
        lambda error: emit(Note(f"[tool.migrators] references: {error.message}: left out")),
    )
    return (*asked, *said)


@contextmanager
def _read(
    project: Project, source: int | Path, schema: SchemaVersion, run: RunDirectory
) -> Iterator[Backend]:
    """Give the database that is read; an extract becomes one, in a file of the run."""
    if isinstance(source, int):
        yield present(project, source)
        return
    reader, _ = open_extract(project, source)
    database = scratch_backend(run.scratch, "source")
    if said := next(plan.lints(schema, database, database), None):
        raise UsageError(
            f"{source} cannot be sampled as files: {said}",
            hint=f"migrate load {source}, then: migrate sample {schema.version}",
        )
    load(reader, schema, database, emit=silent)
    finish(reader, schema, database, emit=silent)
    yield database


@dataclass
class _Sampling:
    project: Project
    schema: SchemaVersion
    request: Request
    options: SampleOptions
    replacer: Replacer
    run: RunDirectory
    emit: Emit

    def made(self, database: Backend, to: Path) -> SampleMade:
        began = time.monotonic()
        self.emit(StageStarted("sample", database.database))
        committed = self.project.is_fixture(to)
        if committed and not self.replacer.personal:
            self.emit(Note(f"{_BARE}: [tool.migrators.pii] says which are"))
        place = self.run.scratch / "sample"
        mode = 0o644 if committed else 0o600
        files = self.options.files or ("csv" if committed else "parquet")
        marks = self.replacer.marks
        writer = ExtractWriter(place, self.schema, files, mode, committed=committed, replaced=marks)
        sampled = self._written(database, writer)
        total = sum(kept.rows for kept in sampled.tables.values())
        said = f"{total:,} rows of {len(sampled.tables)} tables, seed {self.request.seed}"
        self.emit(StageDone("sample", time.monotonic() - began, (said,)))
        self._prove(ExtractReader.open(place, self.schema), database)
        self._put(place, to, committed=committed)
        return SampleMade(to, sampled, dict(self.replacer.replaced))

    def _written(self, database: Backend, writer: ExtractWriter) -> Sampled:
        scratch = self.run.scratch / "chosen"
        scratch.mkdir(mode=0o700)
        made = {
            "step": f"sample {self.schema.version}",
            "tool": __version__,
            "source": database.database,
            "engine": database.name,
        }
        with database.snapshot(self.run.scratch) as snapshot:
            reading = Reading(self.schema, database, snapshot)
            sampled = choose(reading, self.request, self.replacer, scratch, emit=self.emit)
        write(sampled, writer, made, scratch=scratch, emit=self.emit)
        return sampled

    def _prove(self, reader: ExtractReader, database: Backend) -> None:
        """Load what was written, and compare every cell; where a file cannot hold it, beside."""
        proof = scratch_backend(self.run.scratch, "proof")
        beside = next(plan.lints(self.schema, proof, proof), None) is not None
        if beside:
            proof = places.staging(self.project, self.run, self.schema.version).like(database)
        work = self.run.scratch / "work"
        work.mkdir(mode=0o700)
        began = time.monotonic()
        self.emit(StageStarted("prove"))
        try:
            load(reader, self.schema, proof, emit=silent)
            finish(reader, self.schema, proof, emit=silent)
            verify(reader, self.schema, proof, sames=(), scratch=work, emit=silent)
        except MigrateError as error:
            error.hint += self._replaced_by_others(error)
            raise
        finally:
            if proof.exists():
                proof.discard()
            if beside:
                self.run.say("gone", database=proof.database)
        said = "it loads, and every cell reads back equal"
        self.emit(StageDone("prove", time.monotonic() - began, (said,)))

    def _replaced_by_others(self, error: MigrateError) -> tuple[str, ...]:
        """Return what to say of personal values, which the schema may refuse as they are now."""
        personal = self.replacer.personal
        tables = [error.table] if isinstance(error, ValueRefused) else list(personal)
        names = [f"{table}.{column}" for table in tables for column in personal.get(table, {})]
        if not names:
            return ()
        return (
            f"the values of {', '.join(names)} were replaced: where the schema refuses what stands "
            "there now,",
            f'another one may fit: "{names[0]}" = {{constant = ...}} in [tool.migrators.pii]',
        )

    @staticmethod
    def _put(place: Path, to: Path, *, committed: bool) -> None:
        private_directory(to.parent, 0o755 if committed else 0o700)
        if committed or to.exists():
            swap(place, to)
        else:
            shutil.move(place, to)
