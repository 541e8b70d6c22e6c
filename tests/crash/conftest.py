"""A project of each kind of database, and the preloaded process, for a whole module."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.crash import matrix
from tests.crash.own_server import memory, own_server
from tests.crash.preloaded import Preloaded, preloaded
from tests.crash.shop import KINDS, Shop, shop

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.crash.matrix import Undisturbed


def on_each(cases: Iterable[tuple[str, ...]]) -> list[Any]:
    """Return cases of a test, the first of each is a kind of database, whose tests are a group."""
    return [
        pytest.param(*case, marks=pytest.mark.xdist_group(f"crash-{case[0]}")) for case in cases
    ]


@pytest.fixture(scope="session")
def commands() -> Iterator[Preloaded]:
    """The process that forks commands."""
    with preloaded() as made:
        yield made


@pytest.fixture(
    scope="session",
    params=on_each([(kind,) for kind in KINDS]),
)
def made(request: pytest.FixtureRequest, commands: Preloaded) -> Iterator[Shop]:
    """A project with a database of version 1; its tests run in one process, one by one."""
    kind = str(request.param)
    with (
        tempfile.TemporaryDirectory(dir=memory()) as folder,
        own_server(kind) as server,
        shop(kind, Path(folder) / "shop", commands, server.url if server else "") as project,
    ):
        yield project


@pytest.fixture(scope="session")
def plain(made: Shop) -> Undisturbed:
    """What its runs reach and make where nothing happens."""
    return matrix.undisturbed(made)
