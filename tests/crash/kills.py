"""`kill -9` at random moments of a run, of its whole process group; then the same command again."""

from __future__ import annotations

import random
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.crash import matrix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.crash.matrix import Undisturbed
    from tests.crash.shop import Shop

_KILLED = -9
_TIMINGS = 3
_AGAIN = 0.3
"""How often the next run is killed, too."""


@dataclass
class Tally:
    """How many runs were killed, how many had ended before, what did not hold."""

    killed: int = 0
    through: int = 0
    wrong: int = 0

    def __str__(self) -> str:
        return f"{self.killed} killed, {self.through} had ended before, {self.wrong} wrong"


def at_random(shop: Shop, plain: Undisturbed, times: int, seed: int, tally: Tally) -> Iterator[str]:
    """Kill so many runs; yield what does not hold, a sentence each.

    Some replace a version, some go on after others. A run that was killed may be followed by
    others that are, too, before one may come to its end.
    """
    chance = random.Random(seed)
    ways = [way for way in matrix.WAYS.values() if "1to2" in way.typed]
    longest = _longest(shop)
    while tally.killed < times:
        way = chance.choice(ways)
        way.prepare(shop)
        typed = way.typed
        moments: list[float] = []
        while not moments or (chance.random() < _AGAIN and tally.killed < times):
            moments.append(chance.uniform(0.0, longest))
            done = shop.run(*typed, signals=((moments[-1], signal.SIGKILL),))
            tally.killed += done.code == _KILLED
            tally.through += done.code != _KILLED
            found = list(matrix.stands(shop, plain))
        found += matrix.ends(shop, plain, way)
        tally.wrong += bool(found)
        yield from (f"{' '.join(typed)}, killed after {moments}: {said}" for said in found)


def _longest(shop: Shop) -> float:
    """Return the seconds that a run takes."""
    found = []
    for _ in range(_TIMINGS):
        shop.reset()
        found.append(shop.run(*matrix.WAYS[matrix.FIRST].typed).seconds)
    return min(found)
