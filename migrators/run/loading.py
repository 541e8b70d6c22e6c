"""`migrate load`, `migrate verify`, `migrate create`: a database from an extract, or empty."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, TypedDict

from migrators import drift
from migrators.access import Access
from migrators.errors import DatabaseError, Findings, VerifyMismatch
from migrators.events import Emit, Note, RunBegan, StageDone, StageStarted
from migrators.extracts.directory import ExtractReader, version_of
from migrators.load import finish, load
from migrators.receipt import PartitionRows, Receipt, StageTime
from migrators.run import access, places
from migrators.run.directory import new_run, now
from migrators.run.leftovers import discard_leftovers, others
from migrators.run.lock import locked
from migrators.run.partitions import counted
from migrators.run.publishing import publish, stamp_of, stamp_there
from migrators.run.staging import basis_of, ended, staging_for
from migrators.schema import load_schema
from migrators.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from migrators.backends.interface import Backend, Stamp
    from migrators.project import Project
    from migrators.run.directory import RunDirectory
    from migrators.run.options import Options
    from migrators.schema import SchemaVersion


def load_only(project: Project, source: Path, options: Options, *, emit: Emit) -> Receipt:
    """Load an extract, verify it, and publish the version whose shape it has.

    Parameters
    ----------
    source : Path
        An extract directory, committed or not.

    Returns
    -------
    Receipt
        "published", "rehearsed", or "already done" where the database's stamp says that
        it was loaded from this very extract.

    Raises
    ------
    ExtractError
        The extract is incomplete, damaged or of another schema.
    TargetExists
        The versioned name is taken by something else.
    """
    reader, schema = open_extract(project, source)
    if project.to:
        places.may_hold(project, schema)
    new = places.target(project, schema.version)
    job = _Loading(project, options, f"migrate load {source}", emit)
    return job.from_extract(reader, schema, new)


def create(project: Project, version: int, options: Options, *, emit: Emit) -> Receipt:
    """Make an empty database of a version, for a new installation."""
    schema = load_schema(project, version)
    new = places.target(project, version)
    job = _Loading(project, options, f"migrate create {version}", emit)
    return job.empty(schema, new)


def verify_only(project: Project, source: Path, *, emit: Emit, jobs: int = 1) -> Receipt:
    """Compare the published database with an extract, cell by cell.

    Parameters
    ----------
    jobs : int
        Tables at a time.

    Raises
    ------
    VerifyMismatch
        Naming what differs: damage, or what was written since.
    """
    reader, schema = open_extract(project, source)
    database = places.target(project, schema.version)
    command = f"migrate verify {source}"
    if not database.exists():
        raise DatabaseError(
            f"{database.database} does not exist",
            hint=f"migrate load {source}{project.option}     makes it",
        )
    with locked(project, command, made=schema.version):
        run = new_run(project, command)
        emit(RunBegan(run.id))
        started = now()
        began = time.monotonic()
        try:
            verify(reader, schema, database, scratch=run.scratch, emit=emit, jobs=jobs)
        except VerifyMismatch as differs:
            run.say("finished", outcome="differs")
            differs.hint = ("what was written since it was loaded differs, too: migrate status",)
            raise
        finally:
            run.clear_scratch()
        run.say("finished", outcome="verified")
        stage = StageTime(command, "verify", time.monotonic() - began)
        lie = counted(None, database)
        return _receipt(run, command, "verified", started, source, database, (stage,), lie)


def open_extract(project: Project, source: Path) -> tuple[ExtractReader, SchemaVersion]:
    """Open an extract with the schema module of the version that its manifest names.

    Raises
    ------
    ExtractError, ProjectError, CodeError
    """
    version = version_of(source)
    schema = load_schema(project, version)
    return ExtractReader.open(source, schema), schema


class _Asked(TypedDict):
    """What every stage is given."""

    emit: Emit
    jobs: int


@dataclass
class _Loading:
    project: Project
    options: Options
    command: str
    emit: Emit
    started: str = field(default_factory=now)
    stages: list[StageTime] = field(default_factory=list)

    def from_extract(self, reader: ExtractReader, schema: SchemaVersion, new: Backend) -> Receipt:
        digest = reader.digest
        with locked(self.project, self.command, made=schema.version) as still:
            stamp = stamp_there(new, self._again)
            done = stamp if stamp is not None and stamp.extract == digest else None
            if done and not (self.options.replace or self.options.rehearse):
                self._still_is(schema, done, new)
                return self._already(new)
            self._ready(new)
            run = new_run(self.project, self.command)
            self.emit(RunBegan(run.id))
            with ended(self.project, run):
                basis = basis_of(reader, schema)
                staging = staging_for(self.project, run, schema.version, basis)
                discard_leftovers(self.project, others(self.project, run))
                asked: _Asked = {"emit": self.emit, "jobs": self.options.jobs}
                self._timed("load", lambda: load(reader, schema, staging, basis=basis, **asked))
                self._timed("finish", lambda: finish(reader, schema, staging, **asked))
                self._timed(
                    "verify",
                    lambda: verify(reader, schema, staging, scratch=run.scratch, **asked),
                )
                still()
                return self._end(run, schema, staging, new, digest)

    def empty(self, schema: SchemaVersion, new: Backend) -> Receipt:
        with locked(self.project, self.command, made=schema.version) as still:
            stamp = stamp_there(new, self._again)
            if stamp is not None and stamp.step == self.command:
                self._still_is(schema, stamp, new)
                return self._already(new)
            self._ready(new)
            run = new_run(self.project, self.command)
            self.emit(RunBegan(run.id))
            with ended(self.project, run):
                staging = places.staging(self.project, run, schema.version)
                staging.create(schema)
                staging.finish(schema, {})
                staging.settle()
                still()
                return self._end(run, schema, staging, new, "")

    @property
    def _again(self) -> str:
        """What to type again with --replace; empty where what has the name is in nobody's way."""
        free = self.options.replace or self.options.rehearse
        return "" if free else f"{self.command}{self.project.option}"

    def _ready(self, new: Backend) -> None:
        if self.project.into:  # what a run left in it is in the way
            discard_leftovers(self.project)
        places.may_publish(self.project, new, self.options, self.command)
        discard_leftovers(self.project, but_begun=True)

    def _still_is(self, schema: SchemaVersion, stamp: Stamp, new: Backend) -> None:
        """Refuse a database that was made before its schema took in a minor's additions.

        One that the minor release has altered since is as the schema says.
        """
        if stamp.fingerprint == schema.fingerprint:
            return
        run = new_run(self.project, self.command)
        try:
            fresh = places.fresh_catalog(self.project, run, new, schema)
            found = [d for d in drift.compare(new.catalog(), fresh) if not d.additive]
        finally:
            run.clear_scratch()
        run.say("finished", outcome="stale" if found else "already done")
        if found:
            listed = "\n".join(f"  {difference}" for difference in found)
            again = f"{self.command}{self.project.option} --replace"
            raise Findings(
                f"{new.database} was made before schemas/{schema.path.name} had all that it says "
                f"now:\n{listed}",
                hint=(
                    f"{again}     sets it aside and makes it anew",
                    "or bring it there as the release does, with its rows: alembic upgrade head",
                ),
            )

    def _already(self, new: Backend) -> Receipt:
        return Receipt(
            run="",
            command=self.command,
            outcome="already done",
            started=self.started,
            finished=now(),
            old="",
            new=new.database,
            directory="",
        )

    def _timed(self, stage: str, work: object) -> None:
        began = time.monotonic()
        work()  # type: ignore[operator]
        self.stages.append(StageTime(self.command, stage, time.monotonic() - began))

    def _end(
        self, run: RunDirectory, schema: SchemaVersion, staging: Backend, new: Backend, digest: str
    ) -> Receipt:
        outcome, replaced = "rehearsed", ""
        lie = counted(None, staging)
        if not self.options.rehearse:
            began = time.monotonic()
            self.emit(StageStarted("publish"))
            stamp = stamp_of(schema, self.command, digest)
            give = partial(access.give, staging, Access(), new, new, self.emit)
            may = self.options.replace
            found = places.former(self.project, new, self.command, may_replace=may)
            replaced = publish(run, staging, new, stamp, replaces=found, give=give)
            outcome = "published"
            self.emit(StageDone("publish", time.monotonic() - began, (f"{new.database} is here",)))
            if replaced:
                self.emit(Note(f"the former {new.database} is now {replaced}"))
        made = _receipt(run, self.command, outcome, self.started, "", new, tuple(self.stages), lie)
        made = replace(made, aside=replaced)
        run.keep(made)
        run.say("finished", outcome=outcome, extract=digest)
        return made


def _receipt(
    run: RunDirectory,
    command: str,
    outcome: str,
    started: str,
    source: Path | str,
    new: Backend,
    stages: tuple[StageTime, ...],
    lie: tuple[PartitionRows, ...],
) -> Receipt:
    return Receipt(
        run=run.id,
        command=command,
        outcome=outcome,
        started=started,
        finished=now(),
        old=str(source),
        new=new.database,
        directory=str(run.path),
        stages=stages,
        partitions=lie,
    )
