"""`migrate check 2to3`: whether the live rows will fit; nothing is changed."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrators.cli.elsewhere import elsewhere
from migrators.cli.names import versions_or_one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrators.cli.session import Session
    from migrators.plan.model import Plan
    from migrators.preflight import Check
    from migrators.project import Project

_FOUND = 3


@click.command(short_help="Find what would stop a step, changing nothing.")
@click.argument("step", type=versions_or_one, metavar="NtoM|N")
@elsewhere("to", "into", to="check", into="check into")
@click.option(
    "--show-values", is_flag=True, help="Show values beside keys; they may be personal data."
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def check(ctx: click.Context, step: tuple[int, int], *, show_values: bool, as_json: bool) -> None:
    """Find everything in the live database that would stop a step, changing nothing.

    Drift from the schema file, rows that will not fit the new schema, cells of another
    type than declared, room on disk. Exit code 3 where something would stop it. Of a
    chain every step's plan is checked, and the rows of the first: a database that the
    others could be asked of is made by the run alone.

    With --to, or --into, also what a database there would not hold exactly, as migrate
    NtoM and migrate copy N with the same option would make it.
    """
    from migrators.cli.results import database
    from migrators.preflight import with_later
    from migrators.report.check import check_data, check_lines
    from migrators.run import beforehand

    session: Session = ctx.obj
    project = session.project()
    at = datetime.now(UTC)
    first, *others = _plans(project, *step)
    found = _checked(project, session, first, others, show_values=show_values)
    found = with_later(found, first, others).with_findings(beforehand(project, (first, *others)))
    name = f"{step[0]}to{step[1]}" if step[0] != step[1] else str(step[0])
    place = database(session, project, first.old.version)
    if as_json:
        session.show_data(check_data(found, name, place, [plan.name for plan in others]))
    else:
        following = _next(project, step)
        shown = _short(session, found)
        session.show(check_lines(shown, name, place, at=at, following=following))
    if found.stops:
        ctx.exit(_FOUND)


def _plans(project: Project, old: int, new: int) -> list[Plan]:
    """Return the plans of a chain, or of a copy; what cannot be in the last is a finding."""
    from migrators.backends import backend_for
    from migrators.plan import make, make_copy

    target = backend_for(project.target(new)) if project.to else None
    if old == new:
        return [make_copy(project, old, target=target, lint=False)]
    return [
        make(project, a, b, target=target if b == new else None, lint=b != new or target is None)
        for a, b in project.chain(old, new)
    ]


def _next(project: Project, step: tuple[int, int]) -> str:
    old, new = step
    if old != new:
        return f"migrate {old}to{new}{project.option} --rehearse"
    moved = f"migrate copy {old}{project.option} --rehearse"
    return moved if project.to else f"migrate extract {old}"


def _short(session: Session, found: Check) -> Check:
    """Say places from the cwd before lines are broken."""
    findings = [
        replace(
            finding,
            title=session.short(finding.title),
            facts=tuple(map(session.short, finding.facts)),
            mend=tuple(map(session.short, finding.mend)),
        )
        for finding in found.findings
    ]
    return replace(found, ok=tuple(map(session.short, found.ok)), findings=tuple(findings))


def _checked(
    project: Project, session: Session, plan: Plan, later: Sequence[Plan], *, show_values: bool
) -> Check:
    from migrators import preflight
    from migrators.backends import backend_for
    from migrators.cli.memory import without_pandas
    from migrators.run.places import catalog_for_check, inside
    from migrators.run.present import present

    version = plan.new.version
    old = present(project, plan.old.version)
    new = backend_for(project.url(version) if later else project.target(version))
    if project.into and not later:
        new = inside(project, new)
    spared = nullcontext() if plan.computes else without_pandas()
    with tempfile.TemporaryDirectory(prefix="migrate-check-") as scratch, spared:
        return preflight.check(
            plan,
            old,
            new,
            Path(scratch),
            session.teller,
            show_values=show_values,
            runs=project.runs,
            later=later,
            fresh=partial(catalog_for_check, project, Path(scratch)),
        )
