"""`--show-values`: whether errors show values beside keys. They may be personal data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from migrators.cli.session import Session


def _told(ctx: click.Context, _parameter: click.Parameter, value: object) -> None:
    session: Session = ctx.obj
    session.show_values = bool(value)


show_values = click.option(
    "--show-values",
    is_flag=True,
    expose_value=False,
    callback=_told,
    help="Show refused values beside their keys; they may be personal data.",
)
"""Option of every verb that may refuse a value."""
