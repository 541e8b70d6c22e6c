"""Cutting a range of whole numbers so that each piece has about as many rows.

Only the balance hangs on how well rows are estimated: the pieces of any bounds are disjoint
and complete, the first open below, the last above.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROWS, BYTES = 98_304, 16 * 2**20
"""Of a piece, about: one batch and a half, so that a reader that runs two batches ahead is done
with it, and with a heavy one as soon."""


def most_rows(width: float) -> int:
    """Return how many rows of `width` bytes a piece is to have."""
    return max(1, min(ROWS, int(BYTES / max(width, 1))))


def bounds(
    low: int, high: int, rows: float, most: float, estimate: Callable[[int, int], float]
) -> list[int]:
    """Return numbers, ascending, each the first of a piece but for the first piece's.

    Parameters
    ----------
    low, high : int
        The lowest and the highest number that there is.
    rows : float
        How many rows there are, about.
    most : float
        Rows of a piece, about.
    estimate : callable
        (from, below) → rows between, about. Only what two halves have in proportion counts.
    """
    found: list[int] = []
    held = 0.0
    for first, number in _leaves(low, high, rows, most, estimate):
        if held and held + number > most:
            found.append(first)
            held = 0.0
        held += number
    return found


def _leaves(
    low: int, high: int, rows: float, most: float, estimate: Callable[[int, int], float]
) -> Iterator[tuple[int, float]]:
    """Yield first number and rows of ranges that have at most `most` rows each."""
    if rows <= most or low >= high:
        yield low, rows
        return
    middle = (low + high + 1) // 2
    left = max(estimate(low, middle), 1.0)
    right = max(estimate(middle, high + 1), 1.0)
    below = rows * left / (left + right)
    yield from _leaves(low, middle - 1, below, most, estimate)
    yield from _leaves(middle, high, rows - below, most, estimate)


def conditions(column: str, bounds: Sequence[str]) -> Iterator[str]:
    """Yield SQL conditions on a column that is never NULL, one for each piece."""
    yield f"{column} < {bounds[0]}"
    for first, following in pairwise(bounds):
        yield f"{column} >= {first} AND {column} < {following}"
    yield f"{column} >= {bounds[-1]}"
