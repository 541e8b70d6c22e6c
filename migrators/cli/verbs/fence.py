"""`migrate fence 2`, `migrate unfence 2`: close a version's database to others, and open it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from migrators.cli.session import Session

_VERSION = click.IntRange(min=0)
_FAILED = 1


@click.command(short_help="Close schema N's database to everybody else.")
@click.argument("version", type=_VERSION, metavar="N")
@click.pass_obj
def fence(session: Session, version: int) -> None:
    """Close the database of schema N to everybody else, until migrate unfence N.

    What lets others in, or write, is taken from them, written down before, and their
    sessions are ended. Superusers pass. Again, it does nothing. A file is closed only
    while a command works: migrate NtoM --fence.
    """
    from migrators import run
    from migrators.report.fence import fence_lines

    made = run.fence(session.project(), version)
    session.show(fence_lines(made, version))


@click.command(short_help="Open schema N's database again, as it was.")
@click.argument("version", type=_VERSION, metavar="N")
@click.pass_context
def unfence(ctx: click.Context, version: int) -> None:
    """Give back what migrate fence N, or a run with --fence, has taken: word for word.

    Also after a crash. Again, it does nothing. Exit code 1 where something could not be
    given back: the lines to type are printed.
    """
    from migrators import run
    from migrators.cli.results import database
    from migrators.report.fence import unfence_lines

    session: Session = ctx.obj
    project = session.project()
    was, failed, why = run.unfence(project, version)
    session.show(unfence_lines(was, database(session, project, version), failed, why))
    if failed:
        ctx.exit(_FAILED)
