"""`python -m tests.crash`: the whole crash matrix, as a table; `--kills 200`: at random moments.

python -m tests.crash                        every cell, on every kind of database
python -m tests.crash --kind mysql           of one
python -m tests.crash --cells 100 --seed 7   a sample
python -m tests.crash --kills 200            kill -9 at random moments, 200 of each kind
python -m tests.crash --network              connections that are cut, at every phase
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from migrators import failpoints
from tests.crash import kills, matrix, network, others
from tests.crash.faults import FAULTS
from tests.crash.own_server import memory, own_server
from tests.crash.preloaded import preloaded
from tests.crash.shop import KINDS, Shop, shop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_OF_OTHERS = 40
"""Cells of each of the other ways, which have no acts of their own."""


def main() -> int:
    """Return 1 where something does not hold."""
    asked = _asked()
    wrong = 0
    for kind in asked.kind or KINDS:
        with (
            tempfile.TemporaryDirectory(dir=memory()) as folder,
            preloaded() as commands,
            own_server(kind) as server,
            shop(kind, Path(folder) / "shop", commands, server.url if server else "") as made,
        ):
            wrong += _asked_for(asked)(made, asked)
    return 1 if wrong else 0


def _asked_for(asked: argparse.Namespace) -> Callable[[Shop, argparse.Namespace], int]:
    if asked.network:
        return _network
    return _kills if asked.kills else _matrix


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash")
    parser.add_argument("--kind", action="append", choices=KINDS)
    parser.add_argument("--cells", type=int, default=0, help="so many, drawn by the seed; else all")
    parser.add_argument("--only", default="", help="cells whose name has this in it")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--network", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _matrix(made: Shop, asked: argparse.Namespace) -> int:
    began = time.monotonic()
    todo = [each for each in _cells(made, asked.seed) if asked.only in str(each[0])]
    if asked.cells:
        todo = random.Random(asked.seed).sample(todo, min(asked.cells, len(todo)))
    done: Counter[tuple[str, str]] = Counter()
    bad: Counter[tuple[str, str]] = Counter()
    for cell, wrong in todo:
        found = wrong(cell)
        done[cell.point, cell.how] += 1
        bad[cell.point, cell.how] += bool(found)
        for said in found:
            _say(f"{made.kind}: {cell}: {said}")
    _table(done, bad)
    held = done.total() - bad.total()
    _say(f"{made.kind}: {done.total()} cells, {held} hold, {time.monotonic() - began:.0f} s")
    return bad.total()


def _cells(
    made: Shop, seed: int
) -> Iterator[tuple[matrix.Cell, Callable[[matrix.Cell], list[str]]]]:
    """Yield every cell of the matrix, and some of each of the other ways, with what runs it."""
    plain = matrix.undisturbed(made)
    yield from ((cell, partial(matrix.wrong, made, plain)) for cell in matrix.cells(made, plain))
    for name in others.of(made):
        other = others.undisturbed(made, name)
        drawn = others.cells(made, other, _OF_OTHERS, seed)
        yield from ((cell, partial(others.wrong, made, other)) for cell in drawn)


def _table(done: Counter[tuple[str, str]], bad: Counter[tuple[str, str]]) -> None:
    """Print how many cells of each point and fault there were; those that do not hold after -."""
    _say(f"{'':32}" + "".join(f"{how:>12}" for how in FAULTS))
    for point in failpoints.points():
        cells = [(done[point, how], bad[point, how]) for how in FAULTS]
        if any(number for number, _ in cells):
            shown = (f"{n or ''}{f' -{b}' if b else ''}" for n, b in cells)
            _say(f"{point:32}" + "".join(f"{each:>12}" for each in shown))


def _kills(made: Shop, asked: argparse.Namespace) -> int:
    began = time.monotonic()
    plain = matrix.undisturbed(made)
    tally = kills.Tally()
    for said in kills.at_random(made, plain, asked.kills, asked.seed, tally):
        _say(f"{made.kind}: {said}")
    _say(f"{made.kind}: {tally}, {time.monotonic() - began:.0f} s")
    return tally.wrong


def _network(made: Shop, asked: argparse.Namespace) -> int:
    cuts = network.CUTS.get(made.kind, {})
    plain = matrix.undisturbed(made)
    wrong = 0
    for phase, cut in cuts.items():
        if asked.only in phase:
            found = network.wrong(made, plain, cut)
            wrong += bool(found)
            _say(f"{made.kind}: {phase:40} {'; '.join(found) or 'holds'}")
    return wrong


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
