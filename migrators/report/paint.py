"""Colour, for the words STOP, FENCED and DONE only, and only on a terminal (no-color.org)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

_STOP = re.compile(r"^( *(?:\d\d:\d\d:\d\d +)?)(STOP(?:PED)?|FENCED)\b")
_DONE = re.compile(r"^(DONE)\b")


def wanted(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Return whether colours may be written to a stream.

    Parameters
    ----------
    environment : mapping
        `NO_COLOR` (any text but none) and `TERM=dumb` forbid them.
    """
    allowed = not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
    return allowed and stream.isatty()


def paint(line: str) -> str:
    """Return a line of ours with its STOP or FENCED in red or its DONE in green."""
    line = _STOP.sub("\\1\033[1;31m\\2\033[0m", line)
    return _DONE.sub("\033[1;32m\\1\033[0m", line)
