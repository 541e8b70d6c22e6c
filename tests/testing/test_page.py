"""The page that says how to test with fixtures: every line of it is typed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.markdown import blocks, follow

if TYPE_CHECKING:
    import pytest

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"


def test_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From an empty folder to the first seeded test, through every recipe, to the ready ones."""
    monkeypatch.setenv("PYTEST_PLUGINS", "migrators.testing.plugin")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    for block in blocks(PAGE):
        if block.mark.startswith("file ") or not block.language:
            follow(block, tmp_path)
    assert not (tmp_path / "production.db").exists()
    left = [path.name for path in (tmp_path / ".migrate" / "testing").iterdir()]
    assert [name for name in left if "t_" not in name] == []
