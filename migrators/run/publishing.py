"""Stamp and publish; and whether what was asked for is there already."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from migrators import __version__
from migrators.backends.interface import Stamp
from migrators.errors import DatabaseError, Findings, NotADatabase, TargetExists
from migrators.failpoints import act
from migrators.receipt import Receipt
from migrators.run.directory import RunDirectory, all_runs, now

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from migrators.backends.interface import Backend
    from migrators.plan.model import Plan
    from migrators.project import Project
    from migrators.schema import SchemaVersion


def stamp_of(schema: SchemaVersion, step: str, extract: str) -> Stamp:
    """Return the stamp of a database of this schema.

    Parameters
    ----------
    step : str
        The command that makes it: "migrate 2to3".
    extract : str
        Digest of the extract that it was loaded from.
    """
    return Stamp(
        version=schema.version,
        fingerprint=schema.fingerprint,
        step=step,
        extract=extract,
        tool=__version__,
        at=now(),
        alembic_head=schema.alembic_head or "",
    )


def stamp_for(plan: Plan, command: str, extract: str) -> Stamp:
    """Return the stamp of what a plan made."""
    return stamp_of(plan.new, command, extract)


def publish(
    run: RunDirectory,
    staging: Backend,
    new: Backend,
    made: Stamp,
    *,
    replaces: bool,
    like: Backend | None = None,
    give: Callable[[], None] = lambda: None,
    **facts: str,
) -> str:
    """Stamp and publish, journalled; return the name that the replaced version got, or "".

    A database that was loaded in place is published by its stamp, which comes last.

    Parameters
    ----------
    made : Stamp
    replaces : bool
        What has the name is set aside, as `places.former` says; otherwise none may have it.
    **facts
        What the intent says besides: should nothing be said after it, stamp and intent
        tell what was published.
    like : Backend or None
        The database it was made from: who may read that may read this, unless it replaces
        a version, whose access it takes.
    give : callable
        Gives the staging database the rights on what is in it; after the stamp, which comes
        with a table of its own, but where the stamp publishes.

    Raises
    ------
    TargetExists
        Something took the name at the last moment.
    """
    if not staging.in_place:
        staging.write_stamp(made)
    with act("access given"):
        give()
    aside = new.aside(run.id) if replaces else None
    run.say("publish", database=new.database, aside=aside.database if aside else "", **facts)
    if staging.in_place:
        staging.write_stamp(made)
    else:
        new.publish(staging, aside=aside, like=None if aside else like)
    run.say("gone", database=staging.database)
    stamp = new.stamp()
    if stamp is None:
        raise DatabaseError(f"{new.database} was published but does not show its stamp")
    run.say("published", database=new.database, extract=stamp.extract, digest=new.digest())
    return aside.database if aside else ""


def stamp_there(new: Backend, again: str) -> Stamp | None:
    """Return the stamp of what has the name of a database to be made; None where none has.

    Parameters
    ----------
    again : str
        What to type again, with --replace; empty where a file that is no database may lose
        the name, and has no stamp.

    Raises
    ------
    TargetExists
        A file has the name, and is no database.
    """
    try:
        return new.stamp() if new.exists() else None
    except NotADatabase as error:
        if not again:
            return None
        raise TargetExists(
            f"{error.message}, and has the name of the new database; nothing was overwritten",
            hint=f"{again} --replace     sets it aside first, under another name",
        ) from None


_STALE = {
    "source": "the old database has changed",
    "steps": "the step or a schema has changed",
}


def already_published(
    project: Project, command: str, new: Backend, facts: Mapping[str, str]
) -> Receipt | None:
    """Return the receipt of the run that published `new`, if it would do the same again.

    Parameters
    ----------
    facts : mapping
        Digests, now: "source" of the old database, "steps" of what the chain says.

    Raises
    ------
    Findings
        It was published by this command, and one of these has changed since.
    """
    stamp = stamp_there(new, f"{command}{project.option}")
    if stamp is None or stamp.step != command:
        return None
    for run in all_runs(project):
        for line in run.said("publish"):
            if line.get("extract") == stamp.extract and line["database"] == new.database:
                return _still_stands(run, command, new, facts, line, project.option)
    return None


def _still_stands(
    run: RunDirectory,
    command: str,
    new: Backend,
    facts: Mapping[str, str],
    then: Mapping[str, str],
    option: str,
) -> Receipt:
    for fact, said in _STALE.items():
        if facts[fact] != then.get(fact, facts[fact]):
            raise Findings(
                f"{new.database} is stale: {said} since run {run.id} made it",
                hint=f"{command}{option} --replace     sets it aside and makes it anew",
            )
    return replace(_kept(run, new) or _unkept(run, command, new), outcome="already done")


def _kept(run: RunDirectory, new: Backend) -> Receipt | None:
    """Return what a run's receipt says of it; None where it did not come to keep one."""
    try:
        kept = json.loads((run.path / "receipt.json").read_text("utf-8"))
        times = kept["started"], kept["finished"]
        return _brief(run, kept["command"], kept["old"], new, *times)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _unkept(run: RunDirectory, command: str, new: Backend) -> Receipt:
    """Return what the journal says of a run that was stopped right after it published."""
    lines = run.journal()
    return _brief(run, command, "", new, lines[0]["at"], lines[-1]["at"])


def _brief(
    run: RunDirectory, command: str, old: str, new: Backend, started: str, finished: str
) -> Receipt:
    return Receipt(
        run=run.id,
        command=command,
        outcome="published",
        started=started,
        finished=finished,
        old=old,
        new=new.database,
        directory=str(run.path),
    )
