"""What stops a run before it reads a row: `check` asks it as the run does; nothing is written."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from migrators.errors import MigrateError
from migrators.preflight import Finding
from migrators.run import places
from migrators.run.basis import steps_digest
from migrators.run.directory import may_write
from migrators.run.options import Options
from migrators.run.present import present
from migrators.run.publishing import already_published

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrators.backends.interface import Backend
    from migrators.plan.model import Plan
    from migrators.project import Project


def beforehand(project: Project, plans: Sequence[Plan]) -> list[Finding]:
    """Return what stops a run of a chain, or of a copy; a note where it is done already.

    Parameters
    ----------
    plans : sequence of Plan
        Of the chain's steps; of the copy alone, which makes a database only elsewhere.
    """
    found: list[Finding] = []
    with _told(found):
        may_write(project)
    old, new = plans[0].old.version, plans[-1].new.version
    if old == new and not project.to:
        return found
    made = places.target(project, new)
    if not project.into and made.unmakeable():  # `check` says so itself, with the GRANT
        return found
    command = f"migrate copy {old}" if old == new else f"migrate {old}to{new}"
    with _told(found):
        found += _name(project, plans, made, command)
    return found


@contextmanager
def _told(found: list[Finding]) -> Iterator[None]:
    """Take what a run would be refused for as a finding."""
    try:
        yield
    except MigrateError as error:
        first, *facts = error.message.split("\n")
        found.append(Finding("STOP", first, tuple(facts), mend=error.hint))


def _name(project: Project, plans: Sequence[Plan], new: Backend, command: str) -> list[Finding]:
    """Return a note where a run has nothing to do; raise what it would for the new name."""
    if new.exists():
        source = present(project, plans[0].old.version).digest()
        facts = {"source": source, "steps": steps_digest(plans)}
        done = already_published(project, command, new, facts)
        if done is not None:
            return [Finding("note", f"{new.database} is here already: {command} made it")]
    aside = places.sets_aside(project, plans)
    places.may_publish(project, new, Options(), command, may_set_aside=aside)
    return []
