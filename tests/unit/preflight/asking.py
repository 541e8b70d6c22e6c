"""Runs `check` on a sandbox, and picks out what tests compare."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from migrators.backends import backend_for
from migrators.events import silent
from migrators.preflight import check

if TYPE_CHECKING:
    from migrators.preflight import Check, Finding
    from tests.sandbox import Sandbox


def checked(shop: Sandbox, old: int = 1, new: int = 2, **options: Any) -> Check:
    """Check the sandbox's old database."""
    scratch = shop.root / "scratch"
    scratch.mkdir(mode=0o700, exist_ok=True)
    project = shop.project
    sides = backend_for(project.url(old)), backend_for(project.url(new))
    return check(shop.plan(old, new), *sides, scratch, silent, **options)


def stops(found: Check) -> list[Finding]:
    """Return the findings that stop a migration."""
    return [f for f in found.findings if f.level == "STOP"]


def only_stop(found: Check) -> Finding:
    """Return the one finding that stops a migration; fail where there is another number."""
    (finding,) = stops(found)
    return finding


def left_to_rehearsal(found: Check) -> list[tuple[str, ...]]:
    """Return the facts of what only a rehearsal can prove."""
    return [f.facts for f in found.findings if f.level == "rehearsal"]


def seen(shop: Sandbox, finding: Finding, version: int = 1) -> list[tuple[Any, ...]]:
    """Run what a finding tells people to run."""
    connection = sqlite3.connect(shop.database(version))
    connection.text_factory = lambda cell: cell.decode("utf-8", "replace")
    try:
        return [row for line in finding.see.split("\n") for row in connection.execute(line)]
    finally:
        connection.close()
