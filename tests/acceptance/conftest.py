"""Fixtures of the acceptance tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.cheeseshop import Cheeseshop, cheeseshop

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def cheese(tmp_path: Path) -> Cheeseshop:
    """The reference application in a folder of its own, without a database."""
    return cheeseshop(tmp_path / "cheeseshop")
