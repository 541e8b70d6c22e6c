"""SQL text by hand: quoting, and cutting a script into statements."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def name(identifier: str) -> str:
    """Quote an identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: str) -> str:
    """Quote a string literal.

    Raises
    ------
    ValueError
        For NUL, which ends SQLite's SQL text.
    """
    if "\0" in value:
        raise ValueError("NUL in a SQL literal")
    return "'" + value.replace("'", "''") + "'"


def statements(script: str) -> Iterator[str]:
    """Yield the statements of a script; triggers' bodies and quoted semicolons stay whole."""
    start = 0
    end = script.find(";")
    while end >= 0:
        piece = script[start : end + 1]
        if sqlite3.complete_statement(piece):
            yield piece.strip()
            start = end + 1
        end = script.find(";", end + 1)
    if script[start:].strip():
        yield script[start:].strip()
