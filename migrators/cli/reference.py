"""docs/commands.md, from the commands themselves: `python -m migrators.cli.reference`."""

from __future__ import annotations

import sys

import click

from migrators.cli.app import VERBS, app, verb

WIDTH = 78
"""What click gives text in a terminal of 80 columns."""
_HEAD = """\
# Commands

<!-- Made by `python -m migrators.cli.reference > docs/commands.md`; a test compares. -->

Each block is what `--help` of the command says.
"""


def reference() -> str:
    """Return the text of docs/commands.md."""
    sections = [_section("migrate", "migrate --help", help_of(""))]
    sections += [_section(f"migrate {n}", f"migrate {n} --help", help_of(n)) for n in VERBS]
    return "\n".join([_HEAD, *sections])


def help_of(name: str) -> str:
    """Return the help of a verb, or of the whole command for an empty name."""
    whole = click.Context(app, info_name="migrate", terminal_width=WIDTH, **app.context_settings)
    if not name:
        return whole.get_help()
    return verb(name).make_context(name, [], parent=whole, resilient_parsing=True).get_help()


def _section(title: str, typed: str, text: str) -> str:
    return f"## {title}\n\n```console\n$ {typed}\n{text}\n```\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
