"""`--jobs N`: how many tables a verb works on at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from migrators.cli.session import Session


def _told(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    session: Session = ctx.obj
    if value is not None:  # an empty one is a mistake: it came of a variable that is not set
        session.flags = {**session.flags, "jobs": value or "nothing"}


jobs = click.option(
    "--jobs",
    metavar="N",
    expose_value=False,
    is_eager=True,
    callback=_told,
    help="Tables at a time; by default as many as there are processors, 4 at most.",
)
"""Option of every verb that reads or writes tables; `Session.project` obeys it."""
