"""A step as it is typed: `2to3`, and `1to4` for a chain."""

from __future__ import annotations

import re

from migrators.errors import UsageError

PLACEHOLDER = "NtoM"
"""How help names a step."""
_STEP = re.compile(r"(0|[1-9]\d*)to(0|[1-9]\d*)")


def is_step(word: str) -> bool:
    """Whether a word is a step's name, of whatever versions."""
    return _STEP.fullmatch(word) is not None


def versions_or_one(word: str) -> tuple[int, int]:
    """Return the versions of a step's name, or one twice.

    Raises
    ------
    UsageError
        As `versions`.
    """
    return (int(word), int(word)) if word.isascii() and word.isdecimal() else versions(word)


def versions(word: str) -> tuple[int, int]:
    """Return the versions of a step's name.

    Raises
    ------
    UsageError
        It is none, or it goes nowhere.
    """
    match = _STEP.fullmatch(word)
    if match is None:
        raise UsageError(
            f"`{word}` is not a step",
            hint="a step is two schema versions: 2to3, or 1to4 for a chain",
        )
    old, new = int(match[1]), int(match[2])
    if old == new:
        raise UsageError(
            f"{word} goes nowhere: schema {old} is already schema {new}",
            hint=f"a step joins two versions: {old}to{new + 1}",
        )
    return old, new
