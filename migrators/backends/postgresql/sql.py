"""SQL text by hand: quoting, and the names that objects have in messages."""

from __future__ import annotations

LONGEST_NAME = 63
"""Bytes in a name; the server cuts a longer one with no more than a notice (NAMEDATALEN)."""


def name(identifier: str) -> str:
    """Quote an identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def table(key: str) -> str:
    """Quote a table's key in its metadata: `users`, or `schema.users`.

    A name with a dot in it is told from a schema's by `located`.
    """
    return ".".join(name(part) for part in key.split(".", 1))


def text(value: str) -> str:
    """Quote a string literal, whatever standard_conforming_strings says.

    Raises
    ------
    ValueError
        For NUL, which no text of the server holds.
    """
    if "\0" in value:
        raise ValueError("NUL in a SQL literal")
    quoted = value.replace("'", "''")
    return f"E'{quoted.replace(chr(92), chr(92) * 2)}'" if "\\" in value else f"'{quoted}'"
