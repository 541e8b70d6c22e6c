"""`migrate sample 3`: a small extract in which every reference leads somewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from migrators.cli.shown import show_values
from migrators.errors import UsageError

if TYPE_CHECKING:
    from migrators.cli.session import Session

_COUNT = click.IntRange(min=0)


@click.command(short_help="Write a few rows of a database, and all that they refer to.")
@click.argument("source", metavar="N|DIR")
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Directory to write; by default fixtures/vN.",
)
@click.option(
    "--rows",
    type=_COUNT,
    default=None,
    metavar="N",
    help="Of each table that it begins with; by default 100.",
)
@click.option("--seed", type=int, default=0, metavar="N", help="Another one chooses other rows.")
@click.option(
    "--table",
    "tables",
    multiple=True,
    metavar="TABLE",
    help="Begin with this table; may be repeated. By default with all.",
)
@click.option(
    "--where",
    "conditions",
    multiple=True,
    metavar="TABLE=SQL",
    help="Begin with rows of TABLE that this is true for; may be repeated.",
)
@click.option(
    "--max-rows",
    "most",
    multiple=True,
    metavar="[TABLE=]N",
    help="At most so many rows of TABLE, or of each; by default 10,000. Rows that others "
    "refer to are taken beyond it.",
)
@click.option(
    "--children",
    type=_COUNT,
    default=0,
    metavar="N",
    help="Follow rows N times to those that refer to them.",
)
@click.option(
    "--reference",
    "references",
    multiple=True,
    metavar="A.X=B.Y",
    help="A reference that the schema does not state; may be repeated.",
)
@click.option(
    "--format",
    "files",
    type=click.Choice(["parquet", "csv"]),
    default=None,
    help="Parquet for speed, CSV for people; CSV below fixtures/, else Parquet.",
)
@click.option("--replace", is_flag=True, help="Write it in the place of the extract that is there.")
@show_values
@click.pass_obj
def sample(
    session: Session,
    source: str,
    *,
    to: Path | None,
    rows: int | None,
    seed: int,
    tables: tuple[str, ...],
    conditions: tuple[str, ...],
    most: tuple[str, ...],
    children: int,
    references: tuple[str, ...],
    files: str | None,
    replace: bool,
) -> None:
    """Write a small extract of version N's database, or of the extract DIR.

    Rows are chosen by their keys, the same ones each time; with each row come all that it
    refers to. The database is read in one snapshot and not changed. What is written is
    loaded and compared before it gets its name.
    """
    from migrators import run
    from migrators.report.sample import sample_lines
    from migrators.report.text import escape
    from migrators.sample import Request
    from migrators.sample.request import ROWS

    request = Request(
        rows=ROWS if rows is None else rows,
        seed=seed,
        tables=tables,
        where=dict(_pair(text, "--where", "users=country = 'NL'") for text in conditions),
        most=dict(_most(text) for text in most),
        children=children,
    )
    where = int(source) if source.isascii() and source.isdecimal() else session.directory / source
    place = None if to is None else session.directory / to
    options = run.SampleOptions(place, files or "", replace, references)
    made = run.sample(session.project(), where, request, options, emit=session.teller)
    path = escape(session.short(str(made.path)))
    session.show([*sample_lines(made), f"Next: migrate load {path}"])


def _pair(text: str, option: str, example: str) -> tuple[str, str]:
    """Return what stands before and after the first `=`."""
    table, equals, rest = text.partition("=")
    if not equals or not table.strip() or not rest.strip():
        raise UsageError(f"{option} `{text}` names no table", hint=f'{option} "{example}"')
    return table.strip(), rest.strip()


def _most(text: str) -> tuple[str, int]:
    """Return a table, or "" for every other one, and how many rows it may have."""
    table, count = ("", text) if "=" not in text else _pair(text, "--max-rows", "users=500")
    if not (count.isascii() and count.isdecimal()):
        raise UsageError(
            f"--max-rows `{text}` is no number of rows",
            hint=("--max-rows 500", "--max-rows users=500"),
        )
    return table, int(count)
