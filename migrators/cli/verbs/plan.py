"""`migrate plan 2to3`: what a step will do; nothing is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import click

from migrators.cli.names import versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.cli.session import Session
    from migrators.plan.model import Plan
    from migrators.project import Project
    from migrators.report.plan import Places
    from migrators.survey import Survey


_SECONDS = 10.0
"""To count what is left behind: who plans waits for the page."""


@click.command(short_help="Show what a step will do.")
@click.argument("step", type=versions, metavar="NtoM")
@click.option("--sql", "as_sql", is_flag=True, help="Print the statements put to the old database.")
@click.option("--all", "whole", is_flag=True, help="Name also the tables carried by name.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@click.pass_obj
def plan(
    session: Session, step: tuple[int, int], *, as_sql: bool, whole: bool, as_json: bool
) -> None:
    """Show what a step will do: tables, rows, room, and what is left behind.

    Checks the step whole: every old column must go somewhere or be dropped with a
    reason, every new one must be filled. With a database its sizes are shown, and how
    much is left behind: counted, or "about" in tables of more than two million rows;
    without one they are blank.
    """
    if as_sql:
        _show_sql(session, *step)
    else:
        show_plans(session, *step, whole=whole, as_json=as_json)


def show_plans(
    session: Session, old: int, new: int, *, whole: bool = False, as_json: bool = False
) -> None:
    """Print the page of each step of a chain; `--dry-run` does so too."""
    from migrators.report.plan import plan_data, plan_lines

    pages = list(_pages(session, old, new))
    if as_json:
        session.show_data([plan_data(*page) for page in pages])
        return
    for number, page in enumerate(pages):
        session.show([*([""] if number else []), *plan_lines(*page, whole=whole)])


def _show_sql(session: Session, old: int, new: int) -> None:
    from migrators.plan import make
    from migrators.report.plan import sql_lines

    project = session.project()
    for step in project.chain(old, new):
        session.show(sql_lines(make(project, *step)))


def _pages(session: Session, old: int, new: int) -> Iterator[tuple[Plan, Places, Survey | None]]:
    from migrators.cli.results import database
    from migrators.plan import make
    from migrators.report.plan import Places

    project = session.project()
    runs = session.short(str(project.runs))
    for before, after in project.chain(old, new):
        made = make(project, before, after)
        names = database(session, project, before), database(session, project, after)
        found = _survey(session, project, made)
        yield made, Places(*names, runs, _took(project, made.name, found)), found


def _took(project: Project, name: str, now: Survey | None) -> str:
    """Say how long the last run of a step took, and how large the database was then."""
    from migrators.report.plan import took
    from migrators.run.directory import all_runs

    for run in all_runs(project):
        finished = run.said("finished")
        begun = run.said("begun")
        if not (begun and finished) or begun[0].get("command") != f"migrate {name}":
            continue
        start, end = (datetime.fromisoformat(x["at"]) for x in (begun[0], finished[-1]))
        sizes = finished[-1].get("size"), None if now is None else now.size_bytes
        return took(start, end, finished[-1]["outcome"], *sizes)
    return ""


def _survey(session: Session, project: Project, made: Plan) -> Survey | None:
    """Look at the old database, if there is one."""
    from migrators.backends import backend_for
    from migrators.survey import survey
    from migrators.survey.access import said

    old, new = (backend_for(project.url(s.version)) for s in (made.old, made.new))
    if not old.exists():
        return None
    found = survey(made, old, new, project.runs, seconds=_SECONDS)
    free = {session.short(place): room for place, room in found.free.items()}
    needed = {session.short(place): room for place, room in found.needed.items()}
    notes = (*found.notes, *said(made, old, new))
    return replace(found, free=free, needed=needed, notes=notes)
