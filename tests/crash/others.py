"""Other ways to a database than the matrix's own: chains, down, elsewhere, in place, rehearsed.

Their acts are those of `matrix.WAYS`; what they do with what is there already is not. So of their
cells some are drawn, by a seed.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrators.backends import backend_for
from tests.crash import sessions
from tests.crash.faults import FAULTS, Fault
from tests.crash.matrix import Cell, differing, ended, traced

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

    from tests.crash.shop import Shop

_RUN = re.compile(r"\d{8}-\d{6}(-\d+)?")


@dataclass(frozen=True)
class Other:
    """What is typed, and what was there before.

    Attributes
    ----------
    typed : tuple of str
        "URL" is that of `place`.
    before : tuple of str
        Commands that came to their end.
    place : str
        The database that is made, where that is none of the project's own versions.
    empty : bool
        An administrator has made it.
    """

    typed: tuple[str, ...]
    before: tuple[str, ...] = ()
    place: str = ""
    empty: bool = False

    def line(self, shop: Shop) -> tuple[str, ...]:
        """Return what is typed."""
        shown = self._url(shop).render_as_string(hide_password=False) if self.place else ""
        url = shown.replace("other_v1", "other_v{version}")
        return tuple(url if word == "URL" else word for word in self.typed)

    def prepare(self, shop: Shop) -> None:
        """Bring about what was there before."""
        shop.reset()
        if self.empty:
            sessions.asked(shop.admin, f"CREATE DATABASE {self._url(shop).database}")
        for command in self.before:
            done = shop.run(command, "--yes")
            assert done.code == 0, done.said

    def seen(self, shop: Shop) -> dict[str, Any]:
        """Return what is in each database that an application would start on."""
        found = {f"v{version}": (shop.database(version), version) for version in (2, 3)}
        if self.place:
            version = 1 if self.place.endswith("1") else 2
            found["elsewhere"] = (backend_for(self._url(shop)), version)
        return {
            name: _without_rights(shop, shop.whole(*made))
            for name, made in found.items()
            if shop.is_made(*made)
        }

    def _url(self, shop: Shop) -> sa.URL:
        return shop.elsewhere(self.place)


def _without_rights(shop: Shop, found: dict[str, Any]) -> dict[str, Any]:
    return found | {"rights": ""} if shop.rights_last else found


OTHERS = {
    "chain": Other(("1to3", "--yes")),
    "down": Other(("3to2", "--accept-loss", "--yes"), before=("1to2", "2to3")),
    "rehearsal": Other(("1to2", "--rehearse", "--yes")),
    "elsewhere": Other(("copy", "1", "--to", "URL", "--yes"), place="other_v1"),
    "in place": Other(("1to2", "--into", "URL", "--yes"), place="given", empty=True),
}


@dataclass(frozen=True)
class Plain:
    """What a way makes where nothing happens.

    Attributes
    ----------
    old : dict
        The old database.
    before, after : dict
        What `Other.seen` returns.
    names : list of str
        Of all databases afterwards, runs as "...".
    """

    way: str
    old: dict[str, Any]
    before: dict[str, Any]
    after: dict[str, Any]
    names: list[str]
    asides: list[dict[str, Any]]
    reached: tuple[str, ...]


def of(shop: Shop) -> list[str]:
    """Return the ways that a kind of database has: there is no empty file to load into."""
    return [name for name, way in OTHERS.items() if shop.served or not way.empty]


def undisturbed(shop: Shop, name: str) -> Plain:
    """Run a way to its end."""
    way = OTHERS[name]
    way.prepare(shop)
    old, before = shop.content(1), way.seen(shop)
    reached = traced(shop, *way.line(shop))
    after = way.seen(shop)
    assert shop.left() == []
    assert (after == before) == (name == "rehearsal")
    return Plain(name, old, before, after, _names(shop), shop.asides(), reached)


def cells(shop: Shop, plain: Plain, many: int, seed: int) -> list[Cell]:
    """Return so many cells of a way: each is the first time or the last that it is at a point."""
    found = [
        Cell(plain.way, point, time, how)
        for point in dict.fromkeys(plain.reached)
        for time in sorted({1, plain.reached.count(point)})
        for how in FAULTS
        if how != "lost" or shop.served
    ]
    return random.Random(f"{shop.kind} {plain.way} {seed}").sample(found, min(many, len(found)))


def wrong(shop: Shop, plain: Plain, cell: Cell) -> list[str]:
    """Run a cell, then the same again; return what does not hold, a sentence each."""
    way = OTHERS[plain.way]
    way.prepare(shop)
    server = shop.admin if shop.served else ""
    fault = Fault(cell.point, cell.time, cell.how, f"{shop.own}app", server)
    first = shop.run(*way.line(shop), fault=fault)
    found = [*ended(cell, first), *_stands(shop, plain)]
    again = shop.run(*way.line(shop))
    if (again.code, again.clear) != (0, True):
        found.append(f"the same again: {again.code}: {again.said}")
    return [*found, *_converged(shop, plain)]


def _stands(shop: Shop, plain: Plain) -> Iterator[str]:
    """Yield what does not hold at any moment: each is as before, or as afterwards, or absent."""
    if (old := shop.content(1)) != plain.old:
        yield f"the old database is another: {differing(old, plain.old)}"
    seen = OTHERS[plain.way].seen(shop)
    for name, found in seen.items():
        wanted = [each[name] for each in (plain.before, plain.after) if name in each]
        if found not in wanted:
            yield f"{name} is another: {'; '.join(differing(found, each) for each in wanted)}"
    kept = [name for name, found in plain.before.items() if plain.after.get(name) == found]
    yield from (f"{name} is gone" for name in kept if name not in seen)


def _converged(shop: Shop, plain: Plain) -> Iterator[str]:
    """Yield what does not hold when the same command has run again."""
    yield from _stands(shop, plain)
    seen = OTHERS[plain.way].seen(shop)
    yield from (
        f"{name} is not as afterwards"
        for name in plain.after
        if plain.after[name] != seen.get(name)
    )
    if (names := _names(shop)) != plain.names:
        yield f"there are {names}, not {plain.names}"
    if shop.asides() != plain.asides:
        yield "what was set aside is another"
    yield from (f"left: {each}" for each in shop.left())


def _names(shop: Shop) -> list[str]:
    return sorted(_RUN.sub("...", name) for name in shop.there())
