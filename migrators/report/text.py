"""Numbers, times and foreign text as people read them: plain ASCII, 90 columns.

Nothing that comes from a database, a file or an error reaches a terminal without `escape`.
"""

from __future__ import annotations

import re
import textwrap
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH = 90
"""Columns of a page."""
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_MINUTE = 60
_HOUR = 3600
_TEN = 10
_LAST = 20  # columns that a last cell keeps: cells before it are wrapped rather than more
_LEAST = 16  # columns that a wrapped cell keeps
_LATEST = 72  # a last cell that begins later has no room to be wrapped in


def escape(text: str) -> str:
    r"""Return text that a terminal shows on one line and does not obey.

    Control characters, line breaks, ANSI sequences, and characters that change the
    direction of writing or cannot be seen become `\x1b`, `\n`, `\u202e`.
    """
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def escape_lines(text: str) -> list[str]:
    """Return the escaped lines of a text that is known to have several."""
    return [escape(line) for line in text.expandtabs(4).split("\n")]


def count(number: int) -> str:
    """Return a whole number with its thousands marked: 88,210."""
    return f"{number:,}"


def plural(number: int, noun: str) -> str:
    """Return "1 finding" or "3 findings"."""
    return f"{count(number)} {noun}" + ("" if number == 1 else "s")


def size(number: int) -> str:
    """Return bytes in decimal units: 9.1 GB, 24 GB, 512 B."""
    value = float(number)
    for unit in _UNITS:
        if value < 1000 or unit == _UNITS[-1]:  # noqa: PLR2004
            break
        value /= 1000
    return f"{value:.1f} {unit}" if unit != "B" and value < _TEN else f"{value:.0f} {unit}"


def duration(seconds: float) -> str:
    """Return a span of time: 0.4s, 42s, 11m 42s, 1h 02m."""
    if seconds < _TEN:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m {whole % _MINUTE:02}s"
    return f"{whole // _HOUR}h {whole % _HOUR // _MINUTE:02}m"


def clock(moment: datetime) -> str:
    """Return the local time of day, as the incident channel writes it: 02:00:09."""
    return moment.astimezone().strftime("%H:%M:%S")


def when(iso: str) -> str:
    """Return an ISO 8601 time as local day and time: 2026-11-14 02:00; else the text itself."""
    try:
        return datetime.fromisoformat(iso).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return escape(iso)


def relative(text: str, folder: str) -> str:
    """Return text with the paths below a folder said from there; safe to type there.

    Parameters
    ----------
    folder : str
        The absolute path of the cwd.
    """
    if len(folder.strip("/")) == 0:
        return text
    return re.sub(rf"(?<![\w./-]){re.escape(folder)}/(?=[^\s/])", "", text)


def wrap(text: str, start: str, indent: int, width: int = WIDTH) -> list[str]:
    """Return escaped text as lines of at most `width` columns, the first after `start`."""
    return textwrap.wrap(
        escape(text),
        width,
        initial_indent=start,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [start.rstrip()]


def columns(rows: Iterable[Sequence[str]], align: str, indent: int = 2) -> list[str]:
    """Return rows of escaped cells as aligned lines that fit the page.

    A long last cell is wrapped; where that is not enough, so are the cells of the widest
    other column of text.

    Parameters
    ----------
    rows : iterable of sequences of str
        As many cells each as `align` has letters.
    align : str
        "l" or "r" for each column; the last one is never padded.
    """
    cells = [[[escape(cell)] for cell in row] for row in rows]
    widths = [_widest(cells, i) for i in range(len(align))]
    fixed = indent + 2 * (len(align) - 1)
    over = fixed + sum(widths[:-1]) + min(widths[-1], _LAST) - WIDTH
    texts = [i for i, side in enumerate(align[:-1]) if side == "l"]
    if over > 0 and texts:
        wide = max(texts, key=widths.__getitem__)
        _wrap_cells(cells, wide, max(widths[wide] - over, _LEAST), "  ")
        widths[wide] = _widest(cells, wide)
    start = fixed + sum(widths[:-1])
    if start <= _LATEST:
        _wrap_cells(cells, -1, WIDTH - start)
    return [
        " " * indent + _line(line, widths, align)
        for row in cells
        for line in zip_longest(*row, fillvalue="")
    ]


def _widest(cells: Sequence[Sequence[Sequence[str]]], column: int) -> int:
    return max((len(line) for row in cells for line in row[column]), default=0)


def _wrap_cells(cells: list[list[list[str]]], column: int, width: int, further: str = "") -> None:
    """Make several lines of the cells of a column that are longer than it is wide."""
    for row in cells:
        (cell,) = row[column]
        if len(cell) > width:
            row[column] = textwrap.wrap(
                cell,
                width,
                subsequent_indent=further,
                break_long_words=False,
                break_on_hyphens=False,
            )


def _line(row: Sequence[str], widths: Sequence[int], align: str) -> str:
    padded = [
        cell.rjust(width) if side == "r" else cell.ljust(width)
        for cell, width, side in zip(row, widths, align, strict=True)
    ]
    return "  ".join(padded).rstrip()


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
