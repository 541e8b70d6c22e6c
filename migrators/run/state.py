"""`migrate status`, `stamp`, `discard`, `drop`: what is there, and putting it in order."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

from migrators import drift
from migrators.backends import backend_for
from migrators.errors import DatabaseError, Findings, MigrateError, UsageError, of_system
from migrators.extracts.directory import is_complete
from migrators.receipt import RunState, Status, VersionState
from migrators.run.directory import RunDirectory, all_runs, new_run
from migrators.run.fences import since
from migrators.run.fencing import replaced
from migrators.run.leftovers import discard_leftovers
from migrators.run.lock import held, locked
from migrators.run.places import fresh_catalog
from migrators.run.present import from_fixtures
from migrators.run.publishing import stamp_of
from migrators.run.retention import clear, kept
from migrators.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from migrators.backends.interface import Backend, Stamp
    from migrators.events import Emit
    from migrators.project import Project

_RUNS = 20  # shown; the directories keep the rest
_STAGES = {
    "extract": "extract",
    "extracted": "load",
    "staging": "load",
    "loaded": "finish",
    "verified": "publish",
    "publish": "publish",
    "published": "publish",
    "drop": "drop",
    "fence": "fence",
    "fenced": "extract",
}
"""What a line of the journal says of the stage that comes, or came, after it."""
_UNWRITTEN = "not written to since it was published"
_STEP = re.compile(r"migrate (\d+)to\d+")


def status(project: Project) -> Status:
    """Return where the project stands; reads stamps and journals only."""
    versions = tuple(_version(project, version) for version in project.versions())
    runs = [_run(run) for run in list(all_runs(project))[:_RUNS]]
    if runs and runs[0].outcome == "stopped" and held(project):
        runs[0] = replace(runs[0], outcome="running")
    return Status(
        project.settings.name,
        versions,
        tuple(reversed(runs)),
        next=_again(runs) or _next(project, versions),
        back=tuple(_back(project, versions)),
        extracts=kept(project),
    )


def _version(project: Project, version: int) -> VersionState:
    database = backend_for(project.url(version))
    if not database.exists():
        return VersionState(version, database.database, exists=False)
    known = VersionState(version, database.database, exists=True)
    try:
        found = database.stamp()
        written = _written(project, database, found)
        fenced = since(project, database)
        known = replace(known, aside=_aside(project, database), fenced=fenced)
    except MigrateError as error:  # the others stand all the same, and are told
        return replace(known, unreadable=error.message)
    agrees = found is None or found.version == version
    return replace(known, stamp=found, agrees=agrees, written=written)


def _aside(project: Project, database: Backend) -> tuple[str, ...]:
    """Return what the databases are called now that had the name before, and are still there."""
    named = [
        (run.id, line["aside"])
        for run in all_runs(project)
        for line in run.said("publish")
        if line["database"] == database.database and line.get("aside")
    ]
    return tuple(dict.fromkeys(name for run, name in named if database.aside(run).exists()))


def _written(project: Project, database: Backend, found: Stamp | None) -> str:
    """Say what is known of writes since the database was published."""
    if found is None:
        return ""
    published = [
        line["digest"]
        for run in all_runs(project)
        for line in run.said("published")
        if line.get("extract") == found.extract
        and line["database"] == database.database
        and "digest" in line
    ]
    if not published:
        return ""
    same = published[0] == database.digest()
    return _UNWRITTEN if same else "written to since it was published"


def _back(project: Project, versions: tuple[VersionState, ...]) -> Iterator[str]:
    """Say what going back from a version to the one it was made of would lose."""
    there = {state.version: state for state in versions if state.exists}
    for new in there.values():
        made = _STEP.fullmatch(new.stamp.step) if new.stamp is not None else None
        old = there.get(int(made[1])) if made is not None else None
        if old is None or new.stamp is None or not new.written:
            continue
        if old.stamp is not None and old.stamp.at > new.stamp.at:  # it was made of this one
            continue
        here, before = PurePath(new.database).name, PurePath(old.database).name
        first = f"; first: migrate unfence {old.version}" if old.fenced else ""
        if new.written == _UNWRITTEN:
            yield f"back to {old.version}: loses nothing, {here} has nothing new{first}"
            continue
        down = (new.version, old.version) in project.steps()
        carries = f"migrate {new.version}to{old.version} carries it, and sets {before} aside"
        yield (
            f"back to {old.version}: what was written to {here} since it was published "
            f"stays there{first}{f'; {carries}' if down else ''}"
        )


_LATER = ("cleared", "gone")
"""What another run writes into a run's journal: it has not to do with when that run was."""


def _run(run: RunDirectory) -> RunState:
    lines = run.journal()
    begun = lines[0] if lines else {}
    staging = run.made("staging")
    loading = _phase(lines) == "load" and any(line.get("basis") for line in staging)
    finished = run.said("finished")
    outcome = finished[-1]["outcome"] if finished else "stopped"
    own = [line for line in lines if line["what"] not in _LATER]
    extracts = [p for p in run.path.glob("extract-*") if p.is_dir()]
    fenced = any(line.get("fenced") for line in run.said("extract"))
    unfinished = "unfinished; finished tables are kept" if fenced else "unfinished"
    said = "complete" if extracts and all(is_complete(p) for p in extracts) else unfinished
    return RunState(
        id=run.id,
        command=begun.get("command", ""),
        outcome=outcome,
        phase=_phase(lines),
        at=next((line["at"] for line in reversed(finished or own)), ""),
        extract=said if extracts else "",
        staging=_unfinished(begun=loading) if staging else "",
        to=next((x["to"] for x in lines if x.get("to")), ""),
    )


def _unfinished(*, begun: bool) -> str:
    """Say what a staging database is good for; `begun`: its load had begun, and not ended."""
    return "unfinished; goes on at the first table that is missing" if begun else "unfinished"


def _phase(lines: list[dict[str, Any]]) -> str:
    """Return the stage that a run came to; empty where it had not begun to write."""
    stages = [_STAGES[line["what"]] for line in lines if line["what"] in _STAGES]
    return stages[-1] if stages else ""


_RESUMABLE = re.compile(r"migrate (?:\d+to\d+|copy \d+|load .+)")


def _again(runs: Sequence[RunState]) -> str:
    """Say what the command of the latest run does, typed again, where that stopped."""
    latest = runs[0] if runs else None
    if latest is None or latest.outcome != "stopped" or not _RESUMABLE.fullmatch(latest.command):
        return ""
    if latest.extract != "complete" and not latest.staging:
        return ""
    uses = ["uses its extract again, if the old database stood still"] * bool(
        latest.extract == "complete"
    )
    begun = latest.staging.partition("; ")[2]
    uses += [f"{begun} in what it was loading"] * bool(begun)
    does = " and ".join(uses) or "removes what is half made, and starts over"
    return f"{latest.command} {does}\nmigrate discard     gives it up; loses nothing"


def _next(project: Project, versions: tuple[VersionState, ...]) -> str:
    there = [v.version for v in versions if v.exists and not v.unreadable]
    unread = next((v.database for v in versions if v.unreadable), "")
    if unread and not there:
        return f"mend {unread}, then: migrate status"
    if not there:
        fixtures = [v.version for v in versions if project.fixtures(v.version).is_dir()]
        if fixtures:
            return f"no database yet: migrate load fixtures/v{fixtures[-1]}"
        return f"no database yet: migrate create {versions[-1].version}" if versions else ""
    newest = max(there)
    ups = [(a, b) for a, b in project.steps() if a == newest and b > a]
    if not ups and any(version > newest for version in project.versions()):
        after = min(version for version in project.versions() if version > newest)
        return f"version {newest} is here, and no step to {after}: migrate plan {newest}to{after}"
    if not ups:
        return f"version {newest} is the newest there is a step to: nothing to do"
    step = f"{ups[0][0]}to{ups[0][1]}"
    return f"version {newest} is here: migrate check {step}, then migrate {step}"


def stamp(project: Project, version: int, *, emit: Emit) -> Stamp:
    """Adopt an existing database: compare it with its schema module, then stamp it.

    A stamp that says so already is left as it is.

    Raises
    ------
    Findings
        It is not what `schemas/vN.py` says; each difference is listed.
    DatabaseError
        There is none.
    """
    del emit
    database = backend_for(project.url(version))
    schema = load_schema(project, version)
    if not database.exists():
        raise DatabaseError(
            f"{database.database} does not exist: there is nothing to adopt",
            hint=(*from_fixtures(project, version), f"migrate create {version}     an empty one"),
        )
    command = f"migrate stamp {version}"
    with locked(project, command, version):
        run = new_run(project, command)
        try:
            fresh = fresh_catalog(project, run, database, schema)
            found = [d for d in drift.compare(database.catalog(), fresh) if not d.additive]
            if found:
                listed = "\n".join(f"  {difference}" for difference in found)
                raise Findings(
                    f"{database.database} is not schemas/{schema.path.name}:\n{listed}",
                    hint=drift.mends(found, schema, database.name),
                )
        finally:
            run.clear_scratch()
        before = database.stamp()
        made = _adopted(before, stamp_of(schema, command, ""))
        if made != before:
            database.write_stamp(made)
        run.say("finished", outcome="stamped")
    return made


def _adopted(before: Stamp | None, made: Stamp) -> Stamp:
    """Return a stamp that says which schema it is now, and still which command made it of what.

    By that a run knows its own database, and `status` what was written since.
    """
    if before is None or before.version != made.version:
        return made
    return replace(before, fingerprint=made.fingerprint, alembic_head=made.alembic_head)


def discard(project: Project, step: str = "", *, extracts: bool = False, emit: Emit) -> list[str]:
    """Remove what unfinished runs of this project left; return the names.

    Those on another server are reached as far as that asks for no password, or as the project
    is moved there.

    Parameters
    ----------
    step : str
        "2to3": of the runs of `migrate 2to3` alone; of all runs unless given.
    extracts : bool
        Complete extracts, too.

    Raises
    ------
    ProjectError
        No run was of that step, and there is none.
    """
    with locked(project, "migrate discard"):
        runs = [run for run in all_runs(project) if step in ("", _step(run))]
        if step and not runs:
            old, _, new = step.partition("to")
            project.chain(int(old), int(new))
        return [*discard_leftovers(project, runs, emit), *(clear(runs) if extracts else ())]


def _step(run: RunDirectory) -> str:
    begun = run.said("begun")
    return str(begun[0].get("command", "")).removeprefix("migrate ") if begun else ""


def may_drop(project: Project, version: int) -> Backend:
    """Return the published database of a version, which may go.

    Raises
    ------
    DatabaseError
        There is none.
    UsageError
        It is the only one there is.
    """
    database = backend_for(project.url(version))
    if not database.exists():
        raise DatabaseError(f"{database.database} does not exist", hint="migrate status")
    others = [v for v in project.versions() if v != version]
    if not any(backend_for(project.url(v)).exists() for v in others):
        raise UsageError(f"{database.database} is the only database of this project")
    return database


def drop(project: Project, version: int, *, emit: Emit) -> str:
    """Remove the published database of a version for good; return its name.

    Raises
    ------
    DatabaseError, UsageError
        As `may_drop`.
    """
    del emit
    database = may_drop(project, version)
    with locked(project, f"migrate drop {version}", version):
        run = new_run(project, f"migrate drop {version}")
        run.say("drop", database=database.database)
        try:
            database.discard()
        except OSError as error:
            raise of_system(error, database.database) from None
        replaced(project, run, database)
        run.say("finished", outcome="dropped")
    return database.database
