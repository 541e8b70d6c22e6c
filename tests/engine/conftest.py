"""Fixtures of the engine's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine.journey import Journey

if TYPE_CHECKING:
    from tests.sandbox import Sandbox


@pytest.fixture(params=["csv", "parquet"])
def files(request: pytest.FixtureRequest) -> str:
    """The two file formats that hold the same values."""
    return str(request.param)


@pytest.fixture
def journey(shop: Sandbox, files: str) -> Journey:
    """A way from schema 1 to schema 2, through files of either format."""
    return Journey(shop, files)
