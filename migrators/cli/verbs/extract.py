"""`migrate extract 2to3` and `migrate extract 3`: the first phase alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrators.cli.jobs import jobs
from migrators.cli.names import is_step, versions
from migrators.cli.shown import show_values
from migrators.errors import UsageError

if TYPE_CHECKING:
    from migrators.cli.session import Session


@click.command(short_help="Write a database as files.")
@click.argument("what", metavar="NtoM|N")
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Directory to write; made. By default extract-NtoM or extract-vN.",
)
@click.option(
    "--format",
    "files",
    type=click.Choice(["parquet", "csv"]),
    default=None,
    help="Parquet for speed, CSV for people; CSV below fixtures/, else Parquet.",
)
@jobs
@show_values
@click.pass_obj
def extract(session: Session, what: str, to: Path | None, files: str | None) -> None:
    """Write a database as files: of the shape of schema M (NtoM), or of its own (N).

    The old database is read in one snapshot and not changed. `migrate load DIR` makes
    a database of the files. Below fixtures/ they are written to be committed: rows in a
    fixed order, no digests.
    """
    from migrators import run
    from migrators.cli.memory import sparing
    from migrators.cli.results import database
    from migrators.report.run import Deed
    from migrators.report.text import escape

    old, new = _versions(what)
    project = session.project()
    place = session.directory / (to or Path(f"extract-{what}" if old != new else f"extract-v{old}"))
    session.begin(
        Deed(
            f"extract {what}",
            session.command,
            old=old,
            source=database(session, project, old),
            target=str(place),
        )
    )
    chain = project.chain(old, new) if old != new else [(old, old)]
    files = files or ("csv" if project.is_fixture(place) else "parquet")
    options = run.Options(files=files, jobs=run.jobs_of(project))
    with sparing(session.teller) as emit:
        made = run.extract_only(project, chain, place, options, emit=emit)
    path = escape(session.short(str(made)))
    session.show([f"{path} is complete.", f"Next: migrate load {path}"])


def _versions(what: str) -> tuple[int, int]:
    if what.isdecimal():
        return int(what), int(what)
    if is_step(what):
        return versions(what)
    raise UsageError(
        f"`{what}` is neither a step nor a version",
        hint=("migrate extract 2to3     in the shape of schema 3", "migrate extract 3"),
    )
