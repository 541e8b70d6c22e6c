"""`migrate 2to3`, `migrate 1to4`: the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from migrators.cli.elsewhere import elsewhere
from migrators.cli.fencing import fencing
from migrators.cli.jobs import jobs
from migrators.cli.names import PLACEHOLDER, versions
from migrators.cli.shown import show_values
from migrators.cli.until import until

if TYPE_CHECKING:
    from datetime import datetime

    from migrators.cli.session import Session
    from migrators.project import Project
    from migrators.report.run import Deed


class Flags(TypedDict):
    """Options as they are typed."""

    rehearse: bool
    replace: bool
    accept_loss: bool
    fence: bool
    accept_unfenced: bool
    fresh: bool
    dry_run: bool
    yes: bool
    until: datetime | None
    as_json: bool


@click.command(PLACEHOLDER, short_help="Take a database from schema N to M; 1to4 is a chain.")
@elsewhere("to", "into")
@click.option("--rehearse", is_flag=True, help="Do everything but publish; keep the timings.")
@click.option(
    "--replace",
    is_flag=True,
    help="Set a database of schema M that is there aside, under another name. Nothing is dropped.",
)
@click.option(
    "--accept-loss",
    is_flag=True,
    help="Go on although the step loses what it declares, counted in the receipt.",
)
@fencing
@click.option("--fresh", is_flag=True, help="Use nothing that an earlier run left.")
@click.option("--dry-run", is_flag=True, help="Print the plan instead; nothing is written.")
@click.option("--yes", is_flag=True, help="Do not ask. Required by --replace without a terminal.")
@until
@jobs
@show_values
@click.option("--json", "as_json", is_flag=True, help="Print the receipt as JSON.")
@click.pass_context
def migrate(ctx: click.Context, /, **flags: Unpack[Flags]) -> None:
    """Take the database of schema N to schema M; 1to4 is a chain of steps.

    Reads the old database in one snapshot and never changes its rows, tables or schema;
    loads a new one under another name; compares every cell; publishes it last. Stopped
    at any moment, the same command goes on.
    """
    session: Session = ctx.obj
    old, new = versions(str(ctx.info_name))
    if flags["dry_run"]:
        from migrators.cli.verbs.plan import show_plans

        show_plans(session, old, new, as_json=flags["as_json"])
        return
    _run(session, old, new, flags)


def _run(session: Session, old: int, new: int, flags: Flags) -> None:
    from migrators import run
    from migrators.cli.memory import sparing
    from migrators.cli.results import finish

    project = session.project()
    chain = project.chain(old, new)
    deed = _deed(session, project, old, new, flags)
    _agree(session, project, deed, flags)
    session.begin(deed)
    options = run.Options(
        rehearse=flags["rehearse"],
        replace=flags["replace"],
        accept_loss=flags["accept_loss"],
        fence=flags["fence"],
        accept_unfenced=flags["accept_unfenced"],
        fresh=flags["fresh"],
        until=flags["until"],
        jobs=run.jobs_of(project),
    )
    with sparing(session.teller) as emit:
        receipt = run.migrate(project, chain, options, emit=emit)
    finish(session, receipt, deed, json=flags["as_json"])


def _deed(session: Session, project: Project, old: int, new: int, flags: Flags) -> Deed:
    from migrators.cli.results import database
    from migrators.report.run import Deed

    back = f"{new}to{old}" if (new, old) in project.steps() else ""
    return Deed(
        name=f"{old}to{new}",
        again=session.command,
        old=old,
        new=new,
        source=database(session, project, old),
        target=database(session, project, new, made=True),
        back=back if not project.to else "",
        moved=bool(project.to),
        place=project.place,
        rehearse=flags["rehearse"],
        until=flags["until"],
    )


def _agree(session: Session, project: Project, deed: Deed, flags: Flags) -> None:
    from migrators.cli.results import agree

    if flags["replace"] and not flags["rehearse"]:
        agree(session, project, deed, yes=flags["yes"])
