"""The fence around the old database: closed before the snapshot, asked before the publish.

The journal says what undoes it before it is closed, and who closed it when. Of a server's
database it outlives the run, killed or not: the old version stays closed when the new one is
there, until `migrate unfence`. A rehearsal opens it again, however it ends.
"""

from __future__ import annotations

import getpass
import os
import platform
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from migrators.backends import backend_for
from migrators.errors import DatabaseError, Findings, MigrateError, UsageError
from migrators.events import Emit, Note, StageDone, StageStarted, silent
from migrators.failpoints import act
from migrators.receipt import FenceReceipt
from migrators.run.directory import RunDirectory, new_run, now
from migrators.run.fences import Standing, standing
from migrators.run.lock import locked
from migrators.run.present import present
from migrators.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrators.backends.fencing import Closed, Fence
    from migrators.backends.interface import Backend
    from migrators.project import Project
    from migrators.run.options import Options

_SHOWN = 5


class Guard:
    """What a run knows of the fence; without one it says that all is open."""

    def __init__(self, fence: Fence | None = None, stands: Standing | None = None) -> None:
        self._fence = fence
        self._stands = stands
        self._trace = fence.trace() if fence is not None else None

    @property
    def since(self) -> str:
        """When a fence was closed that outlives its run; empty without one."""
        if self._fence is None or self._stands is None or self._stands.rehearsal:
            return ""
        return self._stands.receipt.since if self._fence.lasting else ""

    def holds(self) -> bool:
        """Refuse a fence that was broken; return whether it proves that nothing was written.

        Raises
        ------
        Findings
            Somebody got in, or could have.
        """
        if self._fence is None or self._stands is None:
            return False
        before, self._trace = self._trace, self._fence.trace()
        _require_whole(self._fence, self._stands)
        return before is not None and before == self._trace

    def holds_still(self) -> None:
        """Ask once more, right before the new database is seen.

        Raises
        ------
        Findings
            Somebody got in, or could have; or one who passes wrote after the last look.
        """
        if self._fence is None or self._stands is None:
            return
        _require_whole(self._fence, self._stands)
        if self._trace != self._fence.trace():
            raise Findings(
                f"{self._stands.database} was written to at the last moment, by one whom its "
                "fence lets pass; nothing was published",
                hint="see to it that they stay out, then type the same command again",
            )

    @property
    def receipt(self) -> FenceReceipt | None:
        """What a receipt says of it."""
        if self._stands is None:
            return None
        lasting = self._fence is not None and self._fence.lasting
        until = "" if lasting and not self._stands.rehearsal else now()
        return replace(self._stands.receipt, until=until)


def _require_whole(fence: Fence, stands: Standing) -> None:
    if found := fence.holes(stands.saved):
        listed = "\n".join(f"  {each}" for each in found)
        raise Findings(
            f"the fence of {stands.database} did not hold; nothing was published:\n{listed}",
            hint="see to it that they stay out, then type the same command again",
        )


@contextmanager
def fenced(
    project: Project, run: RunDirectory, old: Backend, options: Options, emit: Emit
) -> Iterator[Guard]:
    """Close the old database if that is asked for, or has been done already.

    A fence that stands is taken over: what it remembers stays what it is. It is opened at the
    end of a rehearsal that closed it, and of a database whose fence does not last.

    Raises
    ------
    DatabaseError, Locked
        It could not be closed, and is open as before.
    """
    stands = _found(project, old, run)
    if stands is None and not options.fence:
        yield Guard()
        return
    fence = old.fence()
    began = time.monotonic()
    emit(StageStarted("fence", old.database))
    if stands is None:
        stands = _begun(run, fence, old, rehearsal=options.rehearse)
    opens = stands.rehearsal or not fence.lasting
    old.unfenced(stands.saved)
    try:
        stands = _closed(run, fence, stands)
        emit(StageDone("fence", time.monotonic() - began, tuple(_said(fence, stands))))
        yield Guard(fence, stands)
    finally:
        if opens:
            opened(run, fence, stands, emit)


def wanted(project: Project, old: Backend, options: Options) -> bool:
    """Whether a run will be under a fence."""
    return options.fence or standing(project, old.database) is not None


def _found(project: Project, old: Backend, run: RunDirectory) -> Standing | None:
    """Return the fence that stands; one that was opened by hand is said to be open."""
    found = standing(project, old.database)
    if found is None or old.fence().closed(found.saved):
        return found
    if not found.complete:
        return found
    run.say("unfenced", database=old.database, by="hand")
    return None


def _begun(run: RunDirectory, fence: Fence, old: Backend, *, rehearsal: bool) -> Standing:
    saved = fence.before()
    by = f"{_user()}@{platform.node()}"
    since = now()
    if fence.lasting:  # a later run knows this one by the journal's time, and no other
        facts = {"saved": saved, "by": by, "rehearsal": rehearsal}
        since = run.say("fence", database=old.database, **facts)
    return Standing(old.database, saved, FenceReceipt(old.database, since, by), rehearsal)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user has no name
        return str(os.getuid())


def _closed(run: RunDirectory, fence: Fence, stands: Standing) -> Standing:
    try:
        with act("fence closed"):
            made = fence.close(stands.saved)
    except MigrateError:
        if not stands.complete:
            opened(run, fence, stands)
        raise
    told = _told(stands, made)
    if fence.lasting:
        run.say("fenced", database=stands.database, ended=told.ended, passing=told.passing)
    return replace(stands, receipt=told, complete=True)


def _told(stands: Standing, made: Closed) -> FenceReceipt:
    """Return the receipt of a fence: a later run ends whoever came since."""
    counted = dict(stands.receipt.ended)
    for name, count in made.ended:
        counted[name] = counted.get(name, 0) + count
    return replace(stands.receipt, ended=tuple(counted.items()), passing=made.passing)


def _said(fence: Fence, stands: Standing) -> Iterator[str]:
    receipt = stands.receipt
    total = sum(count for _, count in receipt.ended)
    who = ", ".join(f"{name} {count}" for name, count in receipt.ended)
    ended = f"; {total} session{'s'[: total != 1]} ended ({who})" if total else ""
    yield f"{stands.database} {fence.way}{ended}"
    if receipt.passing:
        yield f"who passes all the same: {', '.join(receipt.passing)}"


def opened(
    run: RunDirectory, fence: Fence, stands: Standing, emit: Emit = silent
) -> tuple[str, ...]:
    """Open a fence; return what could not be brought back, as lines to type."""
    with act("fence opened"):
        failed = fence.open(stands.saved)
    if fence.lasting:
        run.say("unfenced", database=stands.database)
        emit(Note(f"{stands.database} is open again, as it was"))
    for line in failed:
        emit(Note(f"could not be given back: {line}"))
    return failed


def written(database: str, parts: Sequence[str], command: str, options: Options) -> str:
    """Return what is said of a database that was written to, where that is accepted.

    Parameters
    ----------
    parts : sequence of str
        Tables that are not as they were, as far as that is known.

    Raises
    ------
    Findings
        It is not.
    """
    said = f"{database} was written to while it was migrated{_where(parts)}"
    if options.accept_unfenced:
        return f"{said}, as accepted: what was written since the snapshot is not in the new one"
    raise Findings(
        f"{said}; nothing was published",
        hint=(
            "stop what writes to it, then type the same command again",
            f"{command} --fence     keeps writers out; without it a write between this "
            "look and the publish is not seen",
            f"{command} --accept-unfenced     publishes without what was written meanwhile",
        ),
    )


def _where(parts: Sequence[str]) -> str:
    shown = ", ".join(parts[:_SHOWN])
    more = f" and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return f" ({shown}{more})" if parts else ""


def replaced(project: Project, run: RunDirectory, new: Backend, emit: Emit = silent) -> None:
    """Open the fence of a name that another database has now, or none: nobody fenced that."""
    found = standing(project, new.database)
    if found is not None:
        opened(run, new.fence(), found, emit)


# commands of their own -----------------------------------------------------------------------


def fence(project: Project, version: int) -> FenceReceipt:
    """Close the database of a version to everybody else, until `unfence`.

    Raises
    ------
    UsageError
        A file is closed only as long as a command works.
    DatabaseError, Locked
        It could not be closed, and is open as before.
    """
    command = f"migrate fence {version}"
    with locked(project, command, version):
        database = present(project, version)
        found = standing(project, database.database)
        made = database.fence()
        if not made.lasting:
            raise UsageError(
                f"{database.database} is a file: it is fenced only while a command works",
                hint=f"migrate {version}to{version + 1} --fence",
            )
        if found is not None and made.closed(found.saved):
            return found.receipt
        run = new_run(project, command)
        stands = _found(project, database, run) or _begun(run, made, database, rehearsal=False)
        stands = _closed(run, made, stands)
        run.say("finished", outcome="fenced")
    return stands.receipt


def unfence(project: Project, version: int) -> tuple[FenceReceipt | None, tuple[str, ...], str]:
    """Open the database of a version.

    Again, it does nothing. The database need not be there any more. A full disk, perhaps that
    of the run which stopped for it, keeps nobody out.

    Returns
    -------
    (FenceReceipt or None, lines, str)
        What stood, what could not be given back, and why it is in no journal; empty if it is.

    Raises
    ------
    ProjectError
        No run has closed it, and there is no such version.
    """
    database = backend_for(project.url(version))
    with locked(project, f"migrate unfence {version}", version):
        found = standing(project, database.database)
        if found is None and version not in project.versions():
            load_schema(project, version)
        if found is None:
            return None, (), ""
        failed, why = _unfenced(project, f"migrate unfence {version}", database.fence(), found)
    return replace(found.receipt, until=now()), failed, why


def _unfenced(
    project: Project, command: str, fence: Fence, found: Standing
) -> tuple[tuple[str, ...], str]:
    try:
        run = new_run(project, command)
    except DatabaseError as unwritten:
        with act("fence opened"):
            return fence.open(found.saved), unwritten.message
    failed = opened(run, fence, found)
    run.say("finished", outcome="unfenced")
    return failed, ""
