"""`--to` and `--into`: another place for what a verb makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from migrators.backends import where

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrators.cli.session import Session


def _told(ctx: click.Context, parameter: click.Parameter, value: str) -> None:
    session: Session = ctx.obj
    session.places = {**session.places, str(parameter.name): value}


_HELP = {
    "to": f"Make it there, on any kind of database: {where.SERVER}_v{{version}}.",
    "into": "Load into an empty database that is there, where none may be made.",
    "check": "Ask what would be lost there, on another kind of database.",
    "check into": "The same of an empty database that is there.",
    "left": "Where runs with --to or --into left something, if it asks for a password.",
    "at": "Where it is, if not where the project's databases are.",
}


def elsewhere(*names: str, **said: str) -> Callable[[Any], Any]:
    """Return the decorator that gives a verb such options; `Session.project` obeys them.

    Parameters
    ----------
    *names : str
        "to", "into".
    **said : str
        A key of the help texts for a name, if it is another.
    """

    def decorated(verb: Any) -> Any:
        for name in reversed(names):
            verb = click.option(
                f"--{name}",
                metavar="URL",
                default="",
                expose_value=False,
                callback=_told,
                is_eager=True,
                help=_HELP[said.get(name, name)],
            )(verb)
        return verb

    return decorated
