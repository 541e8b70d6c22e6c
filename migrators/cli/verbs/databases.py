"""`create`, `stamp`, `drop`, `discard`: whole databases, without a step."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from migrators.cli.elsewhere import elsewhere
from migrators.cli.names import versions

if TYPE_CHECKING:
    from migrators.cli.session import Session
    from migrators.events import Event

_VERSION = click.IntRange(min=0)


@click.command(short_help="Make an empty database of schema N.")
@click.argument("version", type=_VERSION, metavar="N")
@click.option("--replace", is_flag=True, help="Set the database that is there aside.")
@click.option("--yes", is_flag=True, help="Do not ask. Required by --replace without a terminal.")
@click.pass_obj
def create(session: Session, version: int, *, replace: bool, yes: bool) -> None:
    """Make an empty database of schema N, for a new installation."""
    from migrators import run
    from migrators.cli.memory import without_pandas
    from migrators.cli.results import database, finish
    from migrators.report.run import Deed

    project = session.project()
    name = database(session, project, version)
    deed = Deed(f"create {version}", session.command, new=version, source=name)
    if replace:
        session.agree(f"{name}, if it is there, will be set aside", yes=yes)
    session.begin(deed)
    with without_pandas():
        receipt = run.create(project, version, run.Options(replace=replace), emit=session.teller)
    finish(session, receipt, deed, json=False)


@click.command(short_help="Adopt an existing database as schema N.")
@click.argument("version", type=_VERSION, metavar="N")
@click.pass_obj
def stamp(session: Session, version: int) -> None:
    """Adopt an existing database as schema N, after comparing it with schemas/vN.py.

    Exit code 3, and every difference, where it is not what the file says.
    """
    from migrators import run
    from migrators.cli.results import database
    from migrators.report.text import escape

    project = session.project()
    made = run.stamp(project, version, emit=session.teller)
    name = escape(database(session, project, version))
    session.show([f"{name} is schemas/v{version}.py, and says so now: schema {made.version}."])


@click.command(short_help="Remove a published database for good.")
@click.argument("version", type=_VERSION, metavar="N")
@click.option("--yes", is_flag=True, help="Do not ask. Required without a terminal.")
@click.pass_obj
def drop(session: Session, version: int, *, yes: bool) -> None:
    """Remove the published database of schema N, for good.

    The only command that drops a published version. It asks for the database's name.
    """
    from migrators import run
    from migrators.report.text import escape

    project = session.project()
    name = session.short(run.may_drop(project, version).database)
    session.agree(
        f"{escape(name)} will be removed for good, with all that was written to it",
        yes=yes,
        answer=PurePath(name).name,
    )
    session.show([f"{escape(run.drop(project, version, emit=session.teller))} is gone."])


@click.command(short_help="Remove what unfinished runs left.")
@click.argument("step", type=versions, metavar="[NtoM]", required=False)
@elsewhere("to", to="left")
@click.option("--extracts", is_flag=True, help="Remove complete extracts of past runs, too.")
@click.pass_obj
def discard(session: Session, step: tuple[int, int] | None, *, extracts: bool) -> None:
    """Remove what unfinished runs of this project left half made: of all, or of NtoM.

    Only staging databases and incomplete extracts that a journal of this project names;
    never a published or set-aside version, a journal or a receipt. The next run does it by
    itself.

    Complete extracts are kept of the latest run, or of as many as keep_extracts in
    [tool.migrators] or MIGRATE_KEEP_EXTRACTS says; older ones go when a run has ended.
    """
    from migrators import run
    from migrators.events import Note
    from migrators.report.text import escape

    name = f"{step[0]}to{step[1]}" if step else ""
    stays: list[str] = []

    def emit(event: Event) -> None:
        if isinstance(event, Note):
            stays.append(event.text)

    gone = run.discard(session.project(), name, extracts=extracts, emit=emit)
    said = [*(f"removed  {escape(each)}" for each in gone), *map(escape, stays)]
    session.show(said or ["Nothing was left."])
