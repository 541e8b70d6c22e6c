"""The reference application's tests, as its team runs them on each server; and its page."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests import servers
from tests.acceptance.cheeseshop import REPOSITORY
from tests.markdown import blocks
from tests.testing.conftest import url_of
from tests.testing.test_page import PAGE

SUITE = "tests/reference/test_release_3.py"


@pytest.mark.parametrize("kind", list(servers.SERVERS))
def test_release_3_on_a_server(kind: str) -> None:
    """All of it passes with nothing but another URL; on SQLite it is among our own tests."""
    with url_of(kind) as url:
        typed = ["-m", "pytest", "-o", "addopts=", "-q", "-p", "no:cacheprovider", SUITE]
        done = subprocess.run(
            [sys.executable, *typed, f"--migrate-url={url}"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 passed" in done.stdout


def test_what_the_page_shows_of_them_is_theirs() -> None:
    """Each block that names a file of the suite stands in it, letter by letter."""
    shown = [block for block in blocks(PAGE) if block.mark.startswith("from ")]
    assert len(shown) >= 4
    for block in shown:
        source = (REPOSITORY / block.mark.partition(" ")[2]).read_text("utf-8")
        assert block.text in source, f"{PAGE.name}:{block.line}"
