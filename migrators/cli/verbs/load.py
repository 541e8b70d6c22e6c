"""`migrate load DIR` and `migrate verify DIR`: the second phase alone, and its proof."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrators.cli.elsewhere import elsewhere
from migrators.cli.jobs import jobs
from migrators.cli.shown import show_values

if TYPE_CHECKING:
    from migrators.cli.session import Session

_DIRECTORY = click.Path(path_type=Path)


@click.command(short_help="Make a database of an extract.")
@click.argument("source", type=_DIRECTORY, metavar="DIR")
@elsewhere("to", "into")
@click.option("--rehearse", is_flag=True, help="Do everything but publish.")
@click.option("--replace", is_flag=True, help="Set the database that is there aside.")
@click.option("--yes", is_flag=True, help="Do not ask. Required by --replace without a terminal.")
@click.option("--json", "as_json", is_flag=True, help="Print the receipt as JSON.")
@jobs
@show_values
@click.pass_obj
def load(
    session: Session, source: Path, *, rehearse: bool, replace: bool, yes: bool, as_json: bool
) -> None:
    """Make a database of an extract: the version is the extract's own.

    Committed fixtures are extracts too: `migrate load fixtures/v2`. Loads under another
    name, compares every cell with the files, publishes last.
    """
    from migrators import run
    from migrators.cli.memory import without_pandas
    from migrators.cli.results import finish
    from migrators.report.run import Deed

    project = session.project()
    place = session.place(source)
    deed = Deed(f"load {place}", session.command, place=project.place)
    if replace and not rehearse:
        session.agree("a database that is there will be set aside", yes=yes)
    session.begin(deed)
    options = run.Options(rehearse=rehearse, replace=replace, jobs=run.jobs_of(project))
    with without_pandas():
        receipt = run.load_only(project, place, options, emit=session.teller)
    finish(session, receipt, deed, json=as_json)


@click.command(short_help="Compare a database with an extract, cell by cell.")
@click.argument("source", type=_DIRECTORY, metavar="DIR")
@elsewhere("to", to="at")
@jobs
@click.option("--json", "as_json", is_flag=True, help="Print the receipt as JSON.")
@click.pass_obj
def verify(session: Session, source: Path, *, as_json: bool) -> None:
    """Compare a published database with an extract, cell by cell.

    Exit code 4, and the keys of rows, where they differ: damage, or what was written
    since. Nothing is changed.
    """
    from migrators import run
    from migrators.cli.memory import without_pandas
    from migrators.cli.results import finish
    from migrators.report.run import Deed

    project = session.project()
    place = session.place(source)
    deed = Deed(f"verify {place}", session.command)
    session.begin(deed)
    with without_pandas():
        receipt = run.verify_only(project, place, emit=session.teller, jobs=run.jobs_of(project))
    finish(session, receipt, deed, json=as_json)
