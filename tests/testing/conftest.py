"""The reference application's fixtures, in databases that go with the test."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from migrators.testing.asked import Defaults
from migrators.testing.session import Databases
from tests import servers
from tests.acceptance.cheeseshop import cheeseshop
from tests.acceptance.engines import ENGINES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrators.project import Project

EACH = [pytest.param(kind, marks=pytest.mark.xdist_group(f"testing {kind}")) for kind in ENGINES]


@contextmanager
def url_of(kind: str) -> Iterator[str]:
    """Give what `migrate_urls` would say of a kind; databases named after it are dropped."""
    if kind not in servers.SERVERS:
        yield f"{kind}://"
        return
    with servers.prefix(kind) as own:
        url = servers.server_url(kind).set(database=f"{own}test")
        yield url.render_as_string(hide_password=False)


@contextmanager
def opened(project: Project, url: str) -> Iterator[Databases]:
    """Give what a test process has, from its first test to its last."""
    databases = Databases(project, Defaults(urls=[url]))
    try:
        yield databases
    finally:
        databases.close()


@pytest.fixture(scope="module", params=EACH)
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of database; its tests stay in one process, so that one seeding serves them."""
    return str(request.param)


@pytest.fixture(scope="module")
def url(kind: str) -> Iterator[str]:
    """Where databases of a kind are made."""
    with url_of(kind) as found:
        yield found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The reference application, with the fixtures of two versions."""
    return cheeseshop(tmp_path_factory.mktemp("testing") / "cheeseshop", [2, 3]).project


@pytest.fixture(scope="module")
def databases(project: Project, url: str) -> Iterator[Databases]:
    """The databases of a test process, of one kind."""
    with opened(project, url) as found:
        yield found


@pytest.fixture
def lone(tmp_path: Path) -> Project:
    """The reference application with fixtures of version 3, to be spoilt."""
    return cheeseshop(tmp_path / "cheeseshop", [3]).project
