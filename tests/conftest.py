"""Fixtures that every test may ask for."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.sandbox import Sandbox, sandbox

if TYPE_CHECKING:
    from pathlib import Path


# How long a value takes to make says how busy the machine is, and nothing of the code.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

# As its entry point does, which a checkout that was installed earlier does not have.
pytest_plugins = ["pytester", "migrators.testing.plugin"]

_SERVED = ("tests/grid/", "tests/backends/postgresql/", "tests/backends/mysql/")
_KINDS = ("postgresql", "mysql", "mariadb")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what talks to a server: `-m "not server"` is what a file and this process can show."""
    for item in items:
        module = getattr(item, "module", None)
        served = item.nodeid.startswith(_SERVED) or _imports_servers(module)
        parameters = item.nodeid.partition("[")[2]
        if any(kind in parameters for kind in _KINDS) or (served and "sqlite" not in parameters):
            item.add_marker("server")


def _imports_servers(module: object) -> bool:
    names = {getattr(value, "__name__", "") for value in vars(module).values()} if module else set()
    return bool(names & {"tests.servers", "tests.served", "tests.acceptance.engines"})


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over what stays to the end: it looked at little else."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def shop(tmp_path: Path) -> Sandbox:
    """A project in a folder of its own: schemas 1 and 2 and a step are the test's to write."""
    return sandbox(tmp_path)
