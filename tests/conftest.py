"""Fixtures that every test may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox import Sandbox, sandbox

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path) -> Sandbox:
    """A project in a folder of its own: schemas 1 and 2 and a step are the test's to write."""
    return sandbox(tmp_path)
