"""`freeze`, `fixtures`, `init`: the project's own files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrators.cli.names import is_step, versions
from migrators.cli.shown import show_values
from migrators.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrators.cli.session import Session

_FOUND = 3
"""A check found something."""


@click.command(short_help="Write schemas/vN.py from models or a database.")
@click.argument("version", type=click.IntRange(min=0), metavar="N")
@click.option(
    "--from",
    "source",
    required=True,
    metavar="SOURCE",
    help="module:Base or module:metadata of the application, or an existing database's URL.",
)
@click.option(
    "--alembic-head",
    metavar="REVISION",
    help="Alembic revision that the file equals. By default what the database or the file says.",
)
@click.pass_obj
def freeze(session: Session, version: int, source: str, alembic_head: str | None) -> None:
    """Write schemas/vN.py from an application's models or from a database.

    An existing file may only grow: new tables, new columns that are nullable or have a
    default, new indexes. Anything else is the next schema, and is refused.
    """
    from migrators import freeze as frozen

    project = session.project()
    made = frozen.freeze(project, version, source, alembic_head=alembic_head)
    said = [f"added    {what}" for what in made.added]
    if not made.written:
        said.append(f"schemas/v{version}.py says all of the tables already.")
    _show(session, _written(made.written, project.root), said, _notes(made.notes))


@click.command(short_help="Check committed fixtures, or upgrade them by a step.")
@click.argument("what", metavar="check|NtoM")
@click.argument("places", nargs=-1, type=click.Path(path_type=Path), metavar="[DIR]...")
@click.option(
    "--on",
    "server",
    default="",
    metavar="URL",
    help="Run the step on this server, in scratch databases of its own, instead of in files.",
)
@show_values
@click.pass_context
def fixtures(ctx: click.Context, what: str, places: tuple[Path, ...], server: str) -> None:
    """Check the committed fixtures, or upgrade them by the step that production runs.

    `check` looks at every value, key and reference of the extracts below fixtures/ and of
    others that git has (or of those in DIR), names file, line and column of all that is
    wrong, and then exits with 3. NtoM writes fixtures/vM
    from fixtures/vN, and proves that they load.
    """
    from migrators import run
    from migrators.report.fixtures import fixtures_lines

    session: Session = ctx.obj
    project = session.project()
    if what == "check":
        if server:
            raise UsageError("`check` needs no server", hint="migrate fixtures check")
        found = list(run.check_fixtures(project, (session.directory / x for x in places)))
        _show(session, fixtures_lines(found))
        if any(each.findings for each in found):
            ctx.exit(_FOUND)
        return
    for old, new in project.chain(*_step(what, places)):
        made = run.upgrade_fixtures(project, old, new, emit=session.teller, on=server)
        _show(session, _written([made], project.root))


def _step(what: str, places: tuple[Path, ...]) -> tuple[int, int]:
    """Return the versions of the step that was typed."""
    if places:
        raise UsageError(
            f"migrate fixtures {what} takes no directory", hint=f"migrate fixtures {what}"
        )
    if not is_step(what):
        raise UsageError(
            f"`{what}` is neither `check` nor a step",
            hint=("migrate fixtures check", "migrate fixtures 2to3"),
        )
    return versions(what)


@click.command(short_help="Make a project: a sample, or around a database.")
@click.argument("folder", type=click.Path(path_type=Path), metavar="[DIR]", default=Path())
@click.option("--from", "source", default="", metavar="URL", help="An existing database's URL.")
@click.option(
    "--name", default="", metavar="NAME", help="The application's; by default the folder's."
)
@click.pass_obj
def init(session: Session, folder: Path, source: str, name: str) -> None:
    """Make a sample project that runs, or one around an existing database.

    Nothing that exists is overwritten.
    """
    from migrators import init as starting

    place = session.directory / folder
    made = starting.init(place, name, source=source)
    following = [
        f"Next     {line}" if not at else f"         {line}" for at, line in enumerate(made.next)
    ]
    _show(session, _written(made.written, place.resolve()), _notes(made.notes), ["", *following])


def _written(paths: Iterable[Path], root: Path) -> list[str]:
    return [
        f"wrote    {path.relative_to(root) if path.is_relative_to(root) else path}"
        for path in paths
    ]


def _notes(notes: Iterable[str]) -> list[str]:
    return [f"note     {note}" for note in notes]


def _show(session: Session, *parts: Iterable[str]) -> None:
    from migrators.report.text import escape

    session.show([escape(line) for part in parts for line in part])
