"""What a test with fixtures costs, and seeding beside Django's loaddata.

    python -m tests.benchmarks.testing [--tests 200] [--rows 100000] [--json FILE]

On the reference application's `fixtures/v3`, for SQLite and for each server that answers:

- a test that reads, rolled back, and a test that commits, in a copy, over an empty test;
- the first seeding of a session, with no template to be found, beyond imports.

And the same rows of one table into SQLite and PostgreSQL: `migrators.testing.seed` from CSV,
Django's `loaddata` from JSON (left out where Django is not installed), both into a database
whose tables and sessions are fresh. Ratios are worth comparing between machines, seconds less.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests import servers
from tests.acceptance.cheeseshop import cheeseshop

ROOT = Path(__file__).resolve().parents[2]
WANTED = {
    "sqlite": {"read": 2.0, "commit": 5.0, "first": 500.0},
    "postgresql": {"read": 5.0, "commit": 100.0, "first": 500.0},
    "mysql": {"read": 5.0, "first": 500.0},
}
"""Milliseconds."""
RATIO = 20.0

_CONFTEST = """
import json, time
import pytest

spent = {}

@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    began = time.perf_counter()
    yield
    spent.setdefault(item.originalname, []).append(time.perf_counter() - began)
    return True

def pytest_sessionfinish():
    print("\\nSPENT " + json.dumps(spent))
"""
_TESTS = """
import pytest
import sqlalchemy as sa

N = pytest.mark.parametrize("n", range({tests}))
COUNT = sa.text("SELECT count(*) FROM users")
CLEAR = sa.text("DELETE FROM api_tokens")

@N
def test_empty(n):
    pass

@N
def test_read(migrate_session, n):
    assert migrate_session.scalar(COUNT) == 58

@N
@pytest.mark.migrate(isolation="copy")
def test_commit(migrate_session, n):
    migrate_session.execute(CLEAR)
    migrate_session.commit()
"""
_FIRST = """
import sys, time
from pathlib import Path
import sqlalchemy as sa
from migrators.project import Project
from migrators.testing.asked import Defaults
from migrators.testing.session import Databases

def give(version):
    databases = Databases(Project.find(Path(sys.argv[1])), Defaults(urls=[sys.argv[2]]))
    began = time.perf_counter()
    database = databases.give((), {"version": version})
    with database.engine.connect() as connection:
        connection.execute(sa.text("SELECT count(*) FROM users")).scalar()
    seconds = time.perf_counter() - began
    databases.take_back(database)
    databases.close()
    return seconds

give(2)  # what is imported on the way, too
print(give(3))
"""


def python(*words: str) -> str:
    """Run Python to its end; return what it printed.

    Raises
    ------
    SystemExit
        It failed.
    """
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", ""))),
            "PYTEST_PLUGINS": "migrators.testing.plugin",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout


def milliseconds(kind: str, url: str, folder: Path, tests: int) -> dict[str, float]:
    """Return what a test costs over an empty one, and the first seeding, on one kind."""
    shop = cheeseshop(folder / kind, [2, 3])
    first = float(python("-c", _FIRST, str(shop.root), url))
    (shop.root / "conftest.py").write_text(_CONFTEST)
    (shop.root / "test_costs.py").write_text(_TESTS.format(tests=tests))
    (shop.root / "pytest.ini").write_text("[pytest]\n")
    said = python("-m", "pytest", "-q", "-p", "no:xdist", str(shop.root), "--migrate-url", url)
    line = next(line for line in said.splitlines() if line.startswith("SPENT "))
    spent = json.loads(line.removeprefix("SPENT "))
    empty = statistics.mean(spent["test_empty"][1:])
    costs = {
        name: (statistics.mean(spent[f"test_{name}"][1:]) - empty) * 1000
        for name in ("read", "commit")
    }  # the first of a kind seeds, and is told apart
    return {**costs, "first": first * 1000}


def beside_django(kind: str, url: str, folder: Path, rows: int) -> dict[str, float] | None:
    """Return the seconds of seed and of loaddata, for the same rows; None without Django."""
    try:
        import django  # noqa: F401
    except ModuleNotFoundError:
        return None
    words = ["-m", "tests.benchmarks.loaddata", str(folder / f"django {kind}"), url, str(rows)]
    return {
        who: float(python(*words, who).splitlines()[-1]) for who in ("make", "seed", "loaddata")
    }


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", type=int, default=200)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="migrate-testing-") as made:
        for kind in WANTED:
            if kind not in servers.SERVERS:
                found[kind] = milliseconds(kind, f"{kind}://", Path(made), given.tests)
                found[f"{kind} beside Django"] = beside_django(kind, "", Path(made), given.rows)
                continue
            with servers.prefix(kind) as own:
                url = servers.server_url(kind).set(database=f"{own}test")
                said = url.render_as_string(hide_password=False)
                found[kind] = milliseconds(kind, said, Path(made), given.tests)
                if kind == "postgresql":
                    servers.create_database(kind, f"{own}test")
                    found[f"{kind} beside Django"] = beside_django(
                        kind, said, Path(made), given.rows
                    )
    show(found)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))


def show(found: dict[str, Any]) -> None:
    """Print what was measured beside what is wanted."""
    for kind, wanted in WANTED.items():
        for name, figure in found[kind].items():
            print(f"{kind:<12} {name:<8} {figure:8.1f} ms   at most {wanted.get(name, '-')}")
        beside = found.get(f"{kind} beside Django")
        if beside:
            ratio = beside["loaddata"] / beside["seed"]
            print(f"{kind:<12} loaddata {beside['loaddata']:.1f} s, seed {beside['seed']:.2f} s: "
                  f"{ratio:.0f} times, at least {RATIO:.0f}")  # fmt: skip


if __name__ == "__main__":
    main()
