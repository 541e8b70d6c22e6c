"""What a sample has, as lines: a table each, and why its rows are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.report.text import count, escape, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.run import SampleMade
    from migrators.sample import Sampled


def sample_lines(made: SampleMade) -> list[str]:
    """Return a line for each table that has rows, and one for each personal column replaced."""
    return [*_lines(made.sampled), *_replaced(made)]


def _replaced(made: SampleMade) -> Iterator[str]:
    for (table, column), values in sorted(made.replaced.items()):
        yield f"  {escape(f'{table}.{column}')}: {plural(values, 'personal value')} replaced"


def _lines(sampled: Sampled) -> Iterator[str]:
    there = {name: kept.rows for name, kept in sampled.tables.items() if kept.rows}
    width = max((len(escape(name)) for name in there), default=0)
    for name, rows in there.items():
        yield f"  {escape(name):<{width}}  {count(rows):>9}   {_why(sampled, name)}"
    if empty := len(sampled.tables) - len(there):
        yield f"  {plural(empty, 'table')} without a row"


def _why(sampled: Sampled, name: str) -> str:
    reasons = (
        ("chosen", sampled.begun[name]),
        ("referred to", sampled.parents[name]),
        ("refer to others", sampled.children[name]),
    )
    return ", ".join(f"{count(rows)} {why}" for why, rows in reasons if rows)
