"""Fixtures of the acceptance tests.

Databases that many tests begin with are made once by the command itself, and copied.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.cheeseshop import Cheeseshop, cheeseshop

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def cheese(tmp_path: Path) -> Cheeseshop:
    """The reference application in a folder of its own, without a database."""
    return cheeseshop(tmp_path / "cheeseshop")


@pytest.fixture(scope="session")
def _two(tmp_path_factory: pytest.TempPathFactory) -> Cheeseshop:
    made = cheeseshop(tmp_path_factory.mktemp("two") / "cheeseshop")
    made.ran("load", str(made.fixtures(2)))
    return made


@pytest.fixture(scope="session")
def _three(tmp_path_factory: pytest.TempPathFactory, _two: Cheeseshop) -> Cheeseshop:
    made = _copy(_two, tmp_path_factory.mktemp("three") / "cheeseshop")
    made.ran("2to3")
    return made


@pytest.fixture
def two(tmp_path: Path, _two: Cheeseshop) -> Cheeseshop:
    """A shop with a database of version 2."""
    return _copy(_two, tmp_path / "cheeseshop")


@pytest.fixture
def three(tmp_path: Path, _three: Cheeseshop) -> Cheeseshop:
    """A shop whose version 2 was migrated to version 3."""
    return _copy(_three, tmp_path / "cheeseshop")


def _copy(made: Cheeseshop, root: Path) -> Cheeseshop:
    """Copy a project; its journals and receipts then name the copy's databases."""
    shutil.copytree(made.root, root)
    for kept in (root / ".migrate" / "runs").glob("*/*.json*"):
        kept.write_text(kept.read_text().replace(str(made.root), str(root)))
    return Cheeseshop(root)
