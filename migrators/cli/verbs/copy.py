"""`migrate copy 3 --to URL`: the same version on another server, or another kind of database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from migrators.cli.elsewhere import elsewhere
from migrators.cli.fencing import fencing
from migrators.cli.jobs import jobs
from migrators.cli.shown import show_values
from migrators.cli.until import until

if TYPE_CHECKING:
    from datetime import datetime

    from migrators.cli.session import Session


@click.command(short_help="Move schema N's database to another place, of any kind.")
@click.argument("version", type=click.IntRange(min=0), metavar="N")
@elsewhere("to", "into")
@click.option("--rehearse", is_flag=True, help="Do everything but publish.")
@click.option("--replace", is_flag=True, help="Set the database that is there aside.")
@fencing
@click.option("--fresh", is_flag=True, help="Use nothing that an earlier run left.")
@click.option("--yes", is_flag=True, help="Do not ask. Required by --replace without a terminal.")
@until
@jobs
@show_values
@click.option("--json", "as_json", is_flag=True, help="Print the receipt as JSON.")
@click.pass_obj
def copy(
    session: Session,
    version: int,
    *,
    rehearse: bool,
    replace: bool,
    fence: bool,
    accept_unfenced: bool,
    fresh: bool,
    yes: bool,
    until: datetime | None,
    as_json: bool,
) -> None:
    """Make the project's database of schema N once more in another place: move it.

    Reads it in one snapshot and never changes it; loads the other one under another
    name, compares every cell, publishes last. What the other kind of database would not
    hold exactly is refused by name: migrate check N --to URL finds it beforehand.
    """
    from migrators import run
    from migrators.cli.memory import without_pandas
    from migrators.cli.results import agree, database, finish
    from migrators.report.run import Deed

    project = session.project()
    deed = Deed(
        name=f"copy {version}",
        again=session.command,
        old=version,
        new=version,
        source=database(session, project, version),
        target=database(session, project, version, made=True) if project.to else "",
        rehearse=rehearse,
        moved=True,
        place=project.place,
        until=until,
    )
    if replace and not rehearse:
        agree(session, project, deed, yes=yes)
    session.begin(deed)
    options = run.Options(
        rehearse=rehearse,
        replace=replace,
        fence=fence,
        accept_unfenced=accept_unfenced,
        fresh=fresh,
        until=until,
        jobs=run.jobs_of(project),
    )
    with without_pandas():
        receipt = run.copy(project, version, options, emit=session.teller)
    finish(session, receipt, deed, json=as_json)
