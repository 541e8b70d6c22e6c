"""`migrate status`: where the project stands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from migrators.cli.session import Session
    from migrators.receipt import Status

_FOUND = 3


@click.command(short_help="Show versions, stamps, runs, and what comes next.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.pass_context
def status(ctx: click.Context, *, as_json: bool) -> None:
    """Show every version's database and stamp, the last runs, and what comes next.

    Exit code 3 where a database cannot be read, or its name and its stamp say different
    versions.
    """
    from migrators import run
    from migrators.report.status import status_lines

    session: Session = ctx.obj
    found = run.status(session.project())
    if as_json:
        session.show_data(found.as_dict())
    else:
        session.show(status_lines(_short(session, found)))
    if not all(version.agrees and not version.unreadable for version in found.versions):
        ctx.exit(_FOUND)


def _short(session: Session, found: Status) -> Status:
    versions = tuple(
        replace(
            v,
            database=session.short(v.database),
            unreadable=session.short(v.unreadable),
            aside=tuple(map(session.short, v.aside)),
        )
        for v in found.versions
    )
    return replace(found, versions=versions)
