"""`freeze`, `fixtures`, `init`: the project's own files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrators.cli.names import versions
from migrators.cli.shown import show_values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrators.cli.session import Session


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


@click.command(short_help="Upgrade committed fixtures by a step.")
@click.argument("step", type=versions, metavar="NtoM")
@show_values
@click.pass_obj
def fixtures(session: Session, step: tuple[int, int]) -> None:
    """Upgrade the committed fixtures by the same step that production runs.

    Writes fixtures/vM from fixtures/vN, and proves that they load.
    """
    from migrators import run

    project = session.project()
    for old, new in project.chain(*step):
        made = run.upgrade_fixtures(project, old, new, emit=session.teller)
        _show(session, _written([made], project.root))


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
