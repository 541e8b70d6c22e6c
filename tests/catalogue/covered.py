"""Which cases each test covers, on which databases: as pytest collects them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pytest

TESTS = Path(__file__).parents[1]
DATABASES = ("sqlite", "postgresql", "mysql")
"""The one that answers as mysql is a MariaDB."""
_SAME = {"mariadb": "mysql"}
_CASES = re.compile(r"test((?:_[a-i]\d+)+)_")
_OF_NONE = ("tests/unit/", "tests/grid/", "tests/catalogue/")
"""What is tested there stands before any database: files, types, what is printed."""
_OF_FILES = ("A7", "A8", "A9", "A12", "B25", "F67")
"""Cases of rows that are decided there; of any other, rows have to go all the way."""
_FOLDERS = {f"tests/backends/{name}/": name for name in DATABASES}
_ANSWER = "MIGRATE_TESTS_CATALOGUE"

Covered = dict[str, dict[str, list[str]]]
"""Case → database → tests."""


def covered() -> Covered:
    """Collect all tests in a process of their own; return what they cover."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "covered.json"
        typed = [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-n0",
                 "-p", "tests.catalogue.covered", "-p", "no:cacheprovider", str(TESTS)]  # fmt: skip
        done = subprocess.run(
            typed, cwd=TESTS.parent, env=_environment(answer), capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stdout[-2_000:] + done.stderr[-2_000:])
        found: Covered = json.loads(answer.read_text("utf-8"))
    return found


def _environment(answer: Path) -> dict[str, str]:
    import os

    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    return {**kept, _ANSWER: str(answer)}


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write down what was collected; pytest calls this in the process that `covered` starts."""
    import os

    Path(os.environ[_ANSWER]).write_text(json.dumps(covered_by(session.items)), "utf-8")


def is_whole(session: pytest.Session) -> bool:
    """Whether a session has collected every test there is."""
    asked = session.config.option
    files = {item.path for item in session.items}
    return not (asked.keyword or asked.markexpr) and set(TESTS.rglob("test_*.py")) <= files


def covered_by(items: Iterable[pytest.Item]) -> Covered:
    """Return what tests cover that were collected."""
    found: Covered = {}
    for item in items:
        for case, database in _covers(item):
            name = item.nodeid.partition("[")[0]
            tests = found.setdefault(case, {}).setdefault(database, [])
            if name not in tests:
                tests.append(name)
    return found


def _covers(item: pytest.Item) -> Iterator[tuple[str, str]]:
    """Yield the cases of a test, each with a database that it covers it on."""
    named = _CASES.match(getattr(item, "originalname", None) or item.name)
    cases = [case.upper() for case in named[1].strip("_").split("_")] if named else []
    alone = item.nodeid.startswith(_OF_NONE)
    for case in cases:
        if not alone or case[0] in "GHI" or case in _OF_FILES:
            yield from ((case, database) for database in _databases(item))
    for marker in item.iter_markers("fault"):
        on = marker.kwargs.get("on")
        told = [on] if isinstance(on, str) else on
        for case in marker.args:
            yield from ((case, database) for database in told or _databases(item))


def _databases(item: pytest.Item) -> tuple[str, ...]:
    words = re.split(r"[^a-z]+", item.nodeid.partition("[")[2])
    said = {_SAME.get(word, word) for word in words} & set(DATABASES)
    if said:
        return tuple(said)
    if item.nodeid.startswith(_OF_NONE):
        return DATABASES
    for folder, name in _FOLDERS.items():
        if item.nodeid.startswith(folder):
            return (name,)
    return () if item.get_closest_marker("server") else ("sqlite",)
