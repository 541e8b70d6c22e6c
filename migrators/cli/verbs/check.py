"""`migrate check 2to3`: whether the live rows will fit; nothing is changed."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrators.cli.names import versions

if TYPE_CHECKING:
    from migrators.cli.session import Session
    from migrators.plan.model import Plan
    from migrators.preflight import Check
    from migrators.project import Project

_FOUND = 3


@click.command(short_help="Find what would stop a step, changing nothing.")
@click.argument("step", type=versions, metavar="NtoM")
@click.option(
    "--show-values", is_flag=True, help="Show values beside keys; they may be personal data."
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def check(ctx: click.Context, step: tuple[int, int], *, show_values: bool, as_json: bool) -> None:
    """Find everything in the live database that would stop a step, changing nothing.

    Drift from the schema file, rows that will not fit the new schema, cells of another
    type than declared, room on disk. Exit code 3 where something would stop it. Of a
    chain the first step is checked: the others have no database yet.
    """
    from migrators.cli.results import database
    from migrators.plan import make
    from migrators.report.check import check_data, check_lines

    session: Session = ctx.obj
    project = session.project()
    at = datetime.now(UTC)
    first, *others = [make(project, *pair) for pair in project.chain(*step)]
    found = _checked(project, session, first, show_values=show_values)
    name, later = first.name, [plan.name for plan in others]
    place = database(session, project, first.old.version)
    if as_json:
        session.show_data(check_data(found, name, place, later))
    else:
        session.show(check_lines(_short(session, found), name, place, at=at, later=later))
    if found.stops:
        ctx.exit(_FOUND)


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


def _checked(project: Project, session: Session, plan: Plan, *, show_values: bool) -> Check:
    from migrators import preflight
    from migrators.backends import backend_for

    old, new = (backend_for(project.url(s.version)) for s in (plan.old, plan.new))
    with tempfile.TemporaryDirectory(prefix="migrate-check-") as scratch:
        return preflight.check(
            plan,
            old,
            new,
            Path(scratch),
            session.teller,
            show_values=show_values,
            runs=project.runs,
        )
