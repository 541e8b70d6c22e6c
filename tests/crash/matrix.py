"""The crash matrix: each point × each way to fail × each kind of database, then the same again.

The cells are made of `migrators.failpoints`: an undisturbed run tells which of its points it
reaches, and how often; a cell is the first time or the last.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.crash.faults import FAULTS, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.crash.preloaded import Ended
    from tests.crash.shop import Shop

_KILLED = -9
_INTERRUPTED = 130
_FULL = (os.strerror(errno.ENOSPC), "no room left")


@dataclass(frozen=True)
class Way:
    """What is typed, and what was there before.

    Attributes
    ----------
    made : bool
        The name is taken by a version that was published.
    killed : bool
        A run was killed while it loaded.
    fenced : bool
        The old database is under a fence, and is opened again at the end.
    begins, ends : str
        The points between which it does what no other way does; empty for all.
    """

    typed: tuple[str, ...] = ("1to2", "--yes")
    made: bool = False
    killed: bool = False
    fenced: bool = False
    begins: str = ""
    ends: str = ""

    def prepare(self, shop: Shop) -> None:
        """Bring about what was there before."""
        shop.reset()
        if self.made:
            assert shop.run(*WAYS["new"].typed).code == 0
        if self.killed:
            loaded = Fault("after table loaded", 1, "kill")
            assert shop.run(*WAYS["new"].typed, fault=loaded).code == _KILLED

    def own(self, reached: tuple[str, ...]) -> tuple[str, ...]:
        """Return the points that are its own."""
        begin = reached.index(self.begins) if self.begins else 0
        return reached[begin : reached.index(self.ends) if self.ends else None]


WAYS = {
    "new": Way(),
    "replace": Way(
        ("1to2", "--replace", "--fresh", "--yes"), made=True, begins="before journal publish"
    ),
    "again": Way(killed=True, ends="before run directory made"),
    "fence": Way(
        ("1to2", "--fence", "--yes"),
        fenced=True,
        begins="before fence closed",
        ends="after journal extract",
    ),
}


@dataclass(frozen=True)
class Cell:
    """One run that fails, and the next one.

    Attributes
    ----------
    way : str
        One of `WAYS`.
    """

    way: str
    point: str
    time: int
    how: str

    def __str__(self) -> str:
        return f"{self.way}: {self.how} {self.point} ({self.time})"


@dataclass(frozen=True)
class Undisturbed:
    """What a run reaches and makes where nothing happens."""

    old: dict[str, Any]
    new: dict[str, Any]
    rights: list[str]
    read: list[tuple[Any, ...]] | None
    reached: dict[str, tuple[str, ...]]


def undisturbed(shop: Shop) -> Undisturbed:
    """Run each of `WAYS` to its end."""
    old, rights = shop.content(1), shop.rights()
    reached = {}
    for name, way in WAYS.items():
        way.prepare(shop)
        reached[name] = traced(shop, *way.typed)
        assert shop.left() == []
        if way.fenced:
            assert shop.run("unfence", "1").code == 0
    return Undisturbed(old, shop.content(2), rights, shop.read_by_role(2), reached)


def traced(shop: Shop, *typed: str) -> tuple[str, ...]:
    """Run a command to its end; return the points that it reaches, one after the other."""
    trace = shop.root / "trace.txt"
    trace.unlink(missing_ok=True)
    done = shop.run(*typed, trace=str(trace))
    assert (done.code, done.clear) == (0, True), done.said
    return tuple(trace.read_text().splitlines())


def cells(shop: Shop, plain: Undisturbed) -> list[Cell]:
    """Return every cell of a kind of database."""
    return [
        Cell(way, point, time, how)
        for way, reached in plain.reached.items()
        for point, times in _times(way, reached)
        for time in times
        for how in FAULTS
        if how != "lost" or shop.served
    ]


def _times(way: str, reached: tuple[str, ...]) -> Iterator[tuple[str, list[int]]]:
    """Yield the points that are a way's own, and which times of the whole run: first and last."""
    before = Counter(reached[: reached.index(WAYS[way].own(reached)[0])])
    for point, times in Counter(WAYS[way].own(reached)).items():
        yield point, sorted({before[point] + 1, before[point] + times})


def wrong(shop: Shop, plain: Undisturbed, cell: Cell) -> list[str]:
    """Run a cell; return what does not hold, a sentence each."""
    WAYS[cell.way].prepare(shop)
    typed = WAYS[cell.way].typed
    server = shop.admin if shop.served else ""
    fault = Fault(cell.point, cell.time, cell.how, f"{shop.own}app", server)
    first = shop.run(*typed, fault=fault)
    found = [*_ended(cell, first), *stands(shop, plain)]
    second = shop.run(*typed)
    if (second.code, second.clear) != (0, True):
        found.append(f"the same again: {second.code}: {second.said}")
    if WAYS[cell.way].fenced:
        found += opened(shop, plain)
    found += converged(shop, plain)
    if WAYS[cell.way].made:
        found += _set_aside(shop, plain)
    return found


def _ended(cell: Cell, done: Ended) -> Iterator[str]:
    """Yield what is wrong with how a run failed."""
    codes = {"kill": (_KILLED,), "stop": (_INTERRUPTED, 0)}.get(cell.how, (1, 0))
    if done.code not in codes:
        yield f"ended with {done.code}: {done.said}"
    if cell.how != "exception" and not done.clear:
        yield f"is not clear: {done.said}"
    if cell.how == "full" and done.code and not any(word in done.said for word in _FULL):
        yield f"does not say that the disk is full: {done.said}"


def stands(shop: Shop, plain: Undisturbed) -> Iterator[str]:
    """Yield what does not hold at any moment: the old as it was, the new absent or complete."""
    if (old := shop.content(1)) != plain.old:
        yield f"the old database is another: {differing(old, plain.old)}"
    if shop.is_there(2):
        wanted, new = plain.new, shop.content(2)
        if shop.rights_last:
            wanted, new = ({**each, "rights": ""} for each in (wanted, new))
        if new != wanted:
            yield f"the new database has its name and is not complete: {differing(new, wanted)}"
    if (read := shop.read_by_role(2)) not in (None, plain.read):
        yield f"a role that may read it sees {read}"


def converged(shop: Shop, plain: Undisturbed) -> Iterator[str]:
    """Yield what does not hold when the same command has run again."""
    yield from stands(shop, plain)
    if not shop.is_there(2):
        yield f"there is no version 2: {shop.there()}"
    elif (new := shop.content(2)) != plain.new:
        yield f"the new database is another: {differing(new, plain.new)}"
    if shop.read_by_role(2) != plain.read:
        yield "the role that could read accounts cannot"
    yield from (f"left: {each}" for each in shop.left())


def opened(shop: Shop, plain: Undisturbed) -> Iterator[str]:
    """Open the fence; yield what is not as it was."""
    done = shop.run("unfence", "1")
    if (done.code, done.clear) != (0, True):
        yield f"unfence: {done.code}: {done.said}"
    if (rights := shop.rights()) != plain.rights:
        yield f"rights on the old database are {rights}, not {plain.rights}"


def _set_aside(shop: Shop, plain: Undisturbed) -> Iterator[str]:
    """Yield what is wrong with the versions that were replaced: each is as it was."""
    found = shop.asides()
    if not found:
        yield "the version that was replaced is gone"
    for each in found:
        if any(plain.new[name] != each[name] for name in each):
            yield f"a version that was set aside is another: {differing(each, plain.new)}"


def differing(one: dict[str, Any], other: dict[str, Any]) -> str:
    """Return what of two contents differs."""
    keys = sorted(one.keys() | other.keys())
    return "; ".join(
        f"{k}: {one.get(k)} is not {other.get(k)}" for k in keys if one.get(k) != other.get(k)
    )
