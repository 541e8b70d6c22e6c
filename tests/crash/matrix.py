"""The crash matrix: each point × each way to fail × each kind of database, then the same again.

The cells are made of `migrators.failpoints`: an undisturbed run tells which of its points it
reaches, and how often; a cell is the first time or the last.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.crash.faults import FAULTS, Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
    before : tuple of str
        What was typed first, and came to its end; nothing if empty.
    killed : str
        The point where the same was killed once, if it was.
    fenced : bool
        The old database is under a fence, and is opened again at the end.
    asides : bool
        The version that was there is set aside.
    drops : bool
        In the end there is no new version.
    begins, ends : str
        The points between which it does what no other way does, besides those that the first
        way does not reach at all; no others if empty.
    """

    typed: tuple[str, ...] = ("1to2", "--yes")
    before: tuple[str, ...] = ()
    killed: str = ""
    fenced: bool = False
    asides: bool = False
    drops: bool = False
    begins: str = ""
    ends: str = ""

    def prepare(self, shop: Shop) -> None:
        """Bring about what was there before."""
        shop.reset()
        if self.before:
            done = shop.run(*self.before)
            assert done.code == 0, done.said
        if self.killed:
            assert shop.run(*self.typed, fault=Fault(self.killed, 1, "kill")).code == _KILLED

    def own(self, reached: tuple[str, ...], first: tuple[str, ...]) -> list[int]:
        """Return where the points are that are its own, among those that it reaches."""
        begin = reached.index(self.begins) if self.begins in reached else len(reached)
        end = reached.index(self.ends) if self.ends in reached else len(reached)
        return [
            at
            for at, point in enumerate(reached)
            if begin <= at < end or reached == first or point not in first
        ]


_NEW = ("1to2", "--yes")
_FENCED = ("1to2", "--fence", "--yes")
FIRST = "new"
WAYS = {
    FIRST: Way(_NEW),
    "replace": Way(
        ("1to2", "--replace", "--fresh", "--yes"),
        before=_NEW,
        asides=True,
        begins="before journal publish",
    ),
    "again": Way(
        _NEW,
        killed="after table loaded",
        begins="before project lock taken",
        ends="before run directory made",
    ),
    "fence": Way(_FENCED, fenced=True, begins="before fence closed", ends="after journal extract"),
    "half extracted": Way(
        _FENCED,
        killed="after journal table",
        fenced=True,
        begins="before extract taken over",
        ends="before journal extracted",
    ),
    "unfence": Way(("unfence", "1"), before=_FENCED, fenced=True),
    "drop": Way(("drop", "2", "--yes"), before=_NEW, drops=True, begins="before staging removed"),
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


def undisturbed(shop: Shop, ways: Iterable[str] = tuple(WAYS)) -> Undisturbed:
    """Run some of `WAYS` to their end."""
    old, rights = shop.content(1), shop.rights()
    reached = {}
    for name in ways:
        way = WAYS[name]
        way.prepare(shop)
        reached[name] = traced(shop, *way.typed)
        assert shop.left() == []
        if way.fenced:
            assert shop.run("unfence", "1").code == 0
    WAYS[FIRST].prepare(shop)
    assert shop.run(*_NEW).code == 0
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
        for way in plain.reached
        for point, times in _times(way, plain)
        for time in times
        for how in FAULTS
        if how != "lost" or shop.served
    ]


def _times(way: str, plain: Undisturbed) -> Iterator[tuple[str, list[int]]]:
    """Yield the points that are a way's own, and which times of the whole run: first and last."""
    reached = plain.reached[way]
    times: dict[str, list[int]] = {}
    for at in WAYS[way].own(reached, plain.reached[FIRST]):
        times.setdefault(reached[at], []).append(reached[: at + 1].count(reached[at]))
    for point, found in times.items():
        yield point, sorted({found[0], found[-1]})


def wrong(shop: Shop, plain: Undisturbed, cell: Cell) -> list[str]:
    """Run a cell; return what does not hold, a sentence each."""
    WAYS[cell.way].prepare(shop)
    typed = WAYS[cell.way].typed
    server = shop.admin if shop.served else ""
    fault = Fault(cell.point, cell.time, cell.how, f"{shop.own}app", server)
    first = shop.run(*typed, fault=fault)
    found = [*ended(cell, first), *stands(shop, plain)]
    found += ends(shop, plain, WAYS[cell.way])
    return found


def ends(shop: Shop, plain: Undisturbed, way: Way) -> Iterator[str]:
    """Run the same again; yield what does not hold then. What is gone cannot be dropped twice."""
    gone = way.drops and not shop.is_there(2)
    done = shop.run(*(("discard",) if gone else way.typed))
    if (done.code, done.clear) != (0, True):
        yield f"the same again: {done.code}: {done.said}"
    if way.fenced:
        yield from opened(shop, plain)
    if way.drops:
        yield from dropped(shop, plain)
    else:
        yield from converged(shop, plain)
    if way.asides:
        yield from _set_aside(shop, plain)


def ended(cell: Cell, done: Ended) -> Iterator[str]:
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


def dropped(shop: Shop, plain: Undisturbed) -> Iterator[str]:
    """Yield what does not hold when a version was removed."""
    yield from stands(shop, plain)
    if shop.is_there(2):
        yield "version 2 is there yet"
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
