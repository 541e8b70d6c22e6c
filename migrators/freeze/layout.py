"""Calls and literals as Python text, laid out as `ruff format` (and black) lay it out.

A call that does not fit its line is written one argument a line with a trailing comma,
which formatters leave as it is at any line length from 88 on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WIDTH = 88


@dataclass(frozen=True, slots=True)
class Call:
    """`function(arguments)`; an argument is a keyword, or "", and text or a further call."""

    function: str
    arguments: tuple[tuple[str, str | Call], ...] = ()

    def __str__(self) -> str:
        """Return it on one line."""
        inside = ", ".join(f"{k}={v}" if k else str(v) for k, v in self.arguments)
        return f"{self.function}({inside})"


def call(function: str, *arguments: str | Call, **keywords: str | Call) -> Call:
    """Return a call as it would be typed."""
    named = tuple(keywords.items())
    return Call(function, (*(("", argument) for argument in arguments), *named))


def lay(item: str | Call, indent: int, before: int = 0, after: int = 0) -> str:
    """Return an item on one line where it fits, else an argument a line.

    Parameters
    ----------
    item : str or Call
    indent : int
        Columns that its line is indented by.
    before, after : int
        Columns taken on its line by what stands before and after it.
    """
    if isinstance(item, str) or indent + before + len(str(item)) + after <= WIDTH:
        return str(item)
    return spread(item, indent)


def spread(item: Call, indent: int) -> str:
    """Return a call with an argument a line."""
    pad = " " * (indent + 4)
    lines = []
    for keyword, value in item.arguments:
        start = f"{keyword}=" if keyword else ""
        lines.append(f"{pad}{start}{lay(value, indent + 4, len(start), 1)},\n")
    return f"{item.function}(\n{''.join(lines)}{' ' * indent})"


def literal(value: Any) -> str:
    """Return a constant as Python text; strings in double quotes unless that escapes more."""
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple | set | frozenset):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    return repr(value)


def _string(text: str) -> str:
    body = repr(f'{text}"')[1:-2]  # the `"` makes repr choose single quotes outside
    if text.count('"') > text.count("'"):
        return f"'{body}'"
    return '"' + body.replace("\\'", "'").replace('"', '\\"') + '"'
