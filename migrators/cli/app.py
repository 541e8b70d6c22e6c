"""The group of verbs. A verb's page is imported when it is asked for, or for `--help`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrators import __version__, config
from migrators.cli.names import PLACEHOLDER, is_step, versions
from migrators.errors import MigrateError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.cli.session import Session

VERBS = {
    PLACEHOLDER: "migrate",
    "plan": "plan",
    "check": "check",
    "status": "status",
    "copy": "copy",
    "extract": "extract",
    "load": "load",
    "verify": "load",
    "create": "databases",
    "stamp": "databases",
    "fence": "fence",
    "unfence": "fence",
    "drop": "databases",
    "discard": "databases",
    "freeze": "files",
    "fixtures": "files",
    "sample": "sample",
    "init": "files",
}
"""Verb → its page under `verbs`, in the order that help shows."""
_PAGES = "migrators.cli.verbs"


class Verbs(click.Group):
    """Finds verbs by name, and steps by what their name looks like."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the verbs in the order of their use."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return a verb; the one for steps if the name is a step's."""
        if is_step(cmd_name):
            versions(cmd_name)
            return verb(PLACEHOLDER)
        return verb(cmd_name) if cmd_name in VERBS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the verb that is typed, or say which was meant.

        Raises
        ------
        UsageError
            There is no such verb.
        """
        if not self.get_command(ctx, args[0]):
            raise UsageError(
                f"there is no command `{args[0]}`",
                hint=(_meant(args[0], _settled(ctx)), "migrate --help     lists the commands"),
            )
        return super().resolve_command(ctx, args)


def verb(name: str) -> click.Command:
    """Return the command of a verb."""
    page = import_module(f"{_PAGES}.{VERBS[name]}")
    found = getattr(page, "migrate" if name == PLACEHOLDER else name)
    if not isinstance(found, click.Command):
        raise TypeError(name)
    return found


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 90},
    subcommand_metavar="COMMAND ...",
    epilog=(
        "Options above stand before the command. Each is also a setting: flag, else "
        "MIGRATE_URL or MIGRATE_RUNS, else [tool.migrators] in pyproject.toml. "
        "Results go to stdout, progress to stderr. "
        "Exit codes: 0 done, 1 failed, 2 usage, 3 a check found something, "
        "4 verification found a difference, 5 locked, 130 interrupted."
    ),
)
@click.option(
    "-C",
    "directory",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Work as if started in DIR.",
)
@click.option("--url", metavar="URL", default="", help="Databases, as a URL with {version} in it.")
@click.option("--runs", metavar="DIR", default="", help="Where run directories are.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(__version__, prog_name="migrate", message="%(prog)s %(version)s")
@click.pass_context
def app(ctx: click.Context, /, **_options: object) -> None:
    """Take a database from one major version of its schema to another.

    The old database is only read. The new one is built beside it under another name,
    compared cell by cell with what was read, and only then given its own.
    """
    _settled(ctx)


def _settled(ctx: click.Context) -> Session:
    """Return the session with the options that stand before the verb."""
    session: Session = ctx.obj
    session.directory = ctx.params["directory"]
    session.flags = {"url": ctx.params["url"], "runs": ctx.params["runs"]}
    session.debug = ctx.params["debug"]
    return session


def _meant(word: str, session: Session) -> str:
    """Return a hint that names the verb or the step nearest to a word."""
    if word[:1].isdigit():
        steps = list(_steps(session))
        return config.nearest(word, steps) if steps else "a step is two versions: migrate 2to3"
    return config.nearest(word, VERBS)


def _steps(session: Session) -> Iterator[str]:
    try:
        found = session.project().steps()
    except MigrateError:
        return
    yield from (f"{old}to{new}" for old, new in found)
