"""`migrate 2to3`, `migrate 1to4`: the main job."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from migrators import plan as plans
from migrators.access import Access
from migrators.backends import where
from migrators.backends.model import Contents
from migrators.errors import Findings, UsageError, ValueRefused
from migrators.events import Emit, Note, Planned, RunBegan, StageDone, StageStarted
from migrators.extract import extract
from migrators.extracts.directory import ExtractReader, ExtractWriter
from migrators.load import finish, load
from migrators.receipt import Receipt, StageTime
from migrators.run import deadline, fencing, places
from migrators.run.access import captured, give
from migrators.run.accounts import answer, extent, receipt_parts
from migrators.run.basis import Basis, steps_digest
from migrators.run.directory import new_run, now
from migrators.run.fitting import carries, fits, still_filled
from migrators.run.journal import asked, journalled, said
from migrators.run.leftovers import complete_extract, discard_leftovers, others, take_over
from migrators.run.lock import locked
from migrators.run.partitions import counted
from migrators.run.present import present
from migrators.run.publishing import already_published, publish, stamp_for
from migrators.run.retention import clear_old
from migrators.run.staging import basis_of, ended, gone, staging_for
from migrators.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from migrators.backends.interface import Backend, Still
    from migrators.extracts.interface import Manifest
    from migrators.plan.model import Plan
    from migrators.project import Project
    from migrators.run.deadline import Watch
    from migrators.run.options import Options
    from migrators.schema import SchemaVersion


def migrate(
    project: Project,
    chain: Sequence[tuple[int, int]],
    options: Options,
    *,
    emit: Emit,
    at: datetime | None = None,
) -> Receipt:
    """Run the steps of a chain and publish its last version.

    Parameters
    ----------
    chain : sequence of (old, new)
        As `Project.chain` gives it.
    at : datetime, optional
        What `step.now` is; the present unless given.

    Returns
    -------
    Receipt
        Its outcome is "published", "rehearsed" or "already done".

    Raises
    ------
    MigrateError
        See the tree in `errors`; the old database is untouched and the versioned name
        absent, or as it was.
    """
    end = chain[-1][1]
    command = f"migrate {chain[0][0]}to{end}"
    at = at or datetime.now(UTC)
    own = [old for old, _ in chain] if project.to else [v for step in chain for v in step]
    places.refuse_itself(project, chain[0][0], end)
    with (
        _watched(project, command, options, emit) as watch,
        locked(project, command, *own, made=end) as still,
    ):
        steps = [
            plans.make(project, old, new, now=at, **_target(project, new, end))
            for old, new in chain
        ]
        _may_hold(project, steps[-1].new, command)
        watch(Planned(any(plan.computes for plan in steps)))
        return _Migration(project, steps, options, command, watch, still, watch.in_time).run()


def _watched(
    project: Project, command: str, options: Options, emit: Emit
) -> AbstractContextManager[Watch]:
    known = deadline.expected(project, command) if options.until else []
    return deadline.kept(options.until, emit, known)


def _target(project: Project, new: int, end: int) -> dict[str, Any]:
    """Return what a step's plan is made for; of another place, `_may_hold` asks."""
    if new != end:
        return {}
    return {"target": places.target(project, end), "lint": not project.to}


def _may_hold(project: Project, schema: SchemaVersion, command: str) -> None:
    """Refuse what another place cannot hold; of the project's own that is an error of the plan."""
    if project.to:
        check = project.check(command.rsplit(maxsplit=1)[-1])
        places.may_hold(project, schema, f"{check}     tells all")


def copy(project: Project, version: int, options: Options, *, emit: Emit) -> Receipt:
    """Make the database of a version once more, where the project's `to` says.

    Returns
    -------
    Receipt
        As `migrate`.

    Raises
    ------
    UsageError
        There is no other place.
    MigrateError
        As `migrate`.
    """
    command = f"migrate copy {version}"
    if not project.to:
        raise UsageError("copy needs a place", hint=f"{command} --to {where.SERVER}_v{version}")
    places.refuse_itself(project, version, version)
    with (
        _watched(project, command, options, emit) as watch,
        locked(project, command, version, made=version) as still,
    ):
        plan = plans.make_copy(project, version, **_target(project, version, version))
        _may_hold(project, plan.new, command)
        watch(Planned(plan.computes))
        return _Migration(project, [plan], options, command, watch, still, watch.in_time).run()


@dataclass
class _Migration:
    """One run of a chain; the order of its methods is the order of events."""

    project: Project
    plans: list[Plan]
    options: Options
    command: str
    emit: Emit
    still_locked: Still
    in_time: Callable[[], None]
    started: str = field(default_factory=now)
    stages: list[StageTime] = field(default_factory=list)
    manifests: list[tuple[str, Manifest]] = field(default_factory=list)
    access: Access = field(default_factory=Access)
    unknown: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    guard: fencing.Guard = field(default_factory=fencing.Guard)
    written: str = ""
    source: Contents = field(default_factory=lambda: Contents({}))

    def run(self) -> Receipt:
        old = present(self.project, self.plans[0].old.version)
        new = places.target(self.project, self.plans[-1].new.version)
        fenced = fencing.wanted(self.project, old, self.options)
        known = not (self.options.replace or self.options.rehearse)
        self.source = Contents({}) if fenced and not (known and new.exists()) else old.contents()
        if known:
            facts = {"source": self.source.digest, "steps": steps_digest(self.plans)}
            done = already_published(self.project, self.command, new, facts)
            if done is not None:
                discard_leftovers(self.project)  # of a run that was stopped after it published
                return done
        self._may_publish(new)
        discard_leftovers(self.project, but_begun=not self.options.fresh)
        run = new_run(self.project, self.command)
        self.emit(RunBegan(run.id))
        self.place = run
        run.say("asked", **asked(self.options), steps=list(said(self.plans)))
        self.emit = journalled(run, self.emit)
        fence = fencing.fenced(self.project, run, old, self.options, self.emit)
        with ended(self.project, run), fence as self.guard:
            self.source = old.contents() if fenced else self.source
            schema = self.plans[0].old
            fresh = places.old_catalog(self.project, run, old, self.plans)
            self.unknown = fits(old, schema, fresh, run.scratch, self._check(), self.emit)
            self.beside = carries(old, new, run.scratch, fresh, self.plans[0], self._check())
            self._may_lose(old)
            self.access = captured(self.plans, old, new, self.command)
            reader, staging = self._steps(old)
            receipt = self._end(reader, staging, old, new)
            clear_old(self.project, emit=self.emit)
            return receipt

    # before anything is written --------------------------------------------------------

    def _may_publish(self, new: Backend) -> None:
        if self.project.into:  # what a run left in it is in the way
            discard_leftovers(self.project)
        aside = places.sets_aside(self.project, self.plans)
        places.may_publish(self.project, new, self.options, self.command, may_set_aside=aside)

    def _check(self, plan: Plan | None = None) -> str:
        return self.project.check((plan or self.plans[0]).name)

    def _may_lose(self, old: Backend) -> None:
        lossy = [plan for plan in self.plans if plan.losses]
        if not lossy or self.options.accept_loss:
            return
        with old.snapshot(self.place.scratch) as snapshot:
            counts: list[int | None] = [
                None if loss.count is None else int(snapshot.rows(loss.count)[0][0] or 0)
                for loss in self.plans[0].losses
            ]
        # What a later step of a chain loses cannot be counted before its old database is there.
        losses = [loss for plan in lossy for loss in plan.losses]
        counts += [None] * (len(losses) - len(counts))
        listed = "\n".join(
            f"  {loss.why}" + ("" if count is None else f": {count}")
            for loss, count in zip(losses, counts, strict=True)
        )
        raise Findings(
            f"{self.command} loses what schema {lossy[0].new.version} cannot hold:\n{listed}",
            hint=f"{self.command}{self.project.option} --accept-loss     if that may be lost",
        )

    # the steps of the chain ------------------------------------------------------------

    def _steps(self, old: Backend) -> tuple[ExtractReader, Backend]:
        database, before = old, self.access
        wanted = [
            Basis.of(self.source.digest, self.plans[: index + 1], self.options.files, before)
            for index in range(len(self.plans))
        ]
        known = self._known(self.plans[0], wanted[0])
        for index, plan in enumerate(self.plans):
            if len(self.plans) > 1:
                self.emit(Note(f"{plan.name}, step {index + 1} of {len(self.plans)}"))
            reader = known or self._extract(plan, database, wanted[index])
            self.manifests.append((plan.name, reader.manifest))
            self.access = Access.of(reader.manifest.access)
            if database is not old:
                gone(self.place, database)
            known = None
            if plan is not self.plans[-1]:
                known = self._known(self.plans[index + 1], wanted[index + 1])
            database = old if known else self._load(plan, reader, old)
        return reader, database

    def _known(self, plan: Plan, wanted: Basis) -> ExtractReader | None:
        """Return the complete extract that an earlier run made of the same; it is loaded only."""
        if self.options.fresh:
            return None
        return complete_extract(self.project, wanted, plan, self._since(plan), self.emit)

    def _since(self, plan: Plan) -> str:
        """Return since when a fence stands under which finished tables may be taken over."""
        return self.guard.since if plan is self.plans[0] and not plan.random_keys else ""

    def _extract(self, plan: Plan, database: Backend, wanted: Basis) -> ExtractReader:
        began = time.monotonic()
        path = self.place.extract(plan.name)
        since = self._since(plan)
        if since and not self.options.fresh:
            take_over(self.project, self.place, plan.name, wanted, since)
        discard_leftovers(self.project, others(self.project, self.place))  # of no use to it
        facts = {"step": plan.name, "basis": wanted.digest}
        self.place.say("extract", **facts, of=wanted.plain(), fenced=since)
        writer = ExtractWriter(path, plan.new, self.options.files, keeps=bool(since))
        try:
            extract(
                plan,
                database,
                writer,
                scratch=self.place.scratch,
                emit=self.emit,
                jobs=self.options.jobs,
                access=self.access,
            )
        except ValueRefused as refused:
            finds = f"{self._check(plan)}     finds every such row"
            proves = f"{self.command}{self.project.option} --rehearse     proves a mended step"
            refused.hint = (proves if refused.table in plan.computed else finds, *refused.hint)
            raise
        self.place.say("extracted", **facts)
        reader = ExtractReader.open(path, plan.new)
        done = f"{database.database} is no longer needed: data complete on disk"
        self._stage(plan, "extract", began, extent(reader.manifest), done)
        return reader

    def _load(self, plan: Plan, reader: ExtractReader, old: Backend) -> Backend:
        last = plan is self.plans[-1]
        made_of = basis_of(reader, plan.new)
        staging = staging_for(self.project, self.place, plan.new.version, made_of, last=last).like(
            old
        )
        discard_leftovers(self.project, others(self.project, self.place))
        began = time.monotonic()
        jobs = self.options.jobs
        load(reader, plan.new, staging, emit=self.emit, jobs=jobs, basis=made_of)
        self.place.say("loaded", step=plan.name)
        self.stages.append(StageTime(plan.name, "load", time.monotonic() - began))
        began = time.monotonic()
        finish(reader, plan.new, staging, emit=self.emit, jobs=jobs)
        self.stages.append(StageTime(plan.name, "finish", time.monotonic() - began))
        still_filled(self.beside if last else (), staging, self.place.scratch, plan.new)
        began = time.monotonic()
        verify(
            reader,
            plan.new,
            staging,
            sames=plan.sames,
            scratch=self.place.scratch,
            emit=self.emit,
            jobs=jobs,
        )
        self.stages.append(StageTime(plan.name, "verify", time.monotonic() - began))
        self.place.say("verified", step=plan.name)
        return staging

    def _stage(self, plan: Plan, stage: str, began: float, *said: str) -> None:
        seconds = time.monotonic() - began
        self.stages.append(StageTime(plan.name, stage, seconds))
        self.emit(StageDone(stage, seconds, said))

    # the end ---------------------------------------------------------------------------

    def _end(self, reader: ExtractReader, staging: Backend, old: Backend, new: Backend) -> Receipt:
        made = {"source": self.source.digest, "extract": reader.digest}
        outcome, replaced = "rehearsed", ""
        lie = counted(old, staging)
        self._still(old)
        if self.options.rehearse:
            self._give(staging, old, new)
        else:
            self.still_locked()
            self.in_time()
            began = time.monotonic()
            stamp = stamp_for(self.plans[-1], self.command, reader.digest)
            may = self.options.replace or places.sets_aside(self.project, self.plans)
            found = places.former(self.project, new, self.command, may_replace=may)
            give = partial(self._give, staging, old, new)
            facts = {**made, "steps": steps_digest(self.plans)}
            replaced = publish(
                self.place, staging, new, stamp, replaces=found, like=old, give=give, **facts
            )
            outcome = "published"
            if not self.project.to:
                fencing.replaced(self.project, self.place, new, self.emit)
            if replaced:
                self.emit(Note(f"the former {new.database} is now {replaced}"))
            self._stage(self.plans[-1], "publish", began, f"{new.database} is here")
        receipt = replace(self._receipt(outcome, old, new), partitions=lie, aside=replaced)
        self.place.keep(receipt)
        self.place.say("finished", outcome=outcome, **made, size=old.size_bytes())
        return receipt

    def _give(self, staging: Backend, old: Backend, new: Backend) -> None:
        give(staging, self.access, old, new, self.emit)
        if not self.written:
            self.guard.holds_still()

    def _still(self, old: Backend) -> None:
        began = time.monotonic()
        self.emit(StageStarted("still", old.database))
        said = f"{old.database}: {old.unchanged}"
        if not self.guard.holds() and (found := old.contents()) != self.source:
            again, parts = self.command + self.project.option, found.differs(self.source)
            said = self.written = fencing.written(old.database, parts, again, self.options)
            self.place.say("written", database=old.database, accepted=True)
        self._stage(self.plans[-1], "still", began, said)

    def _receipt(self, outcome: str, old: Backend, new: Backend) -> Receipt:
        parts = [receipt_parts(made.accounting, step) for step, made in self.manifests]
        accounted: dict[str, Any] = {
            name: tuple(x for part in parts for x in part[name]) for name in parts[0]
        }
        answers = [item for _, made in self.manifests for item in made.answers.items()]
        return Receipt(
            run=self.place.id,
            command=self.command,
            outcome=outcome,
            started=self.started,
            finished=now(),
            old=old.database,
            new=new.database,
            directory=str(self.place.path),
            stages=tuple(self.stages),
            **accounted,
            unknown=self.unknown,
            fence=self.guard.receipt,
            written=self.written,
            sames=tuple((title, answer(rows)) for title, rows in answers),
        )
