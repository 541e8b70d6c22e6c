"""Databases that stay from run to run, and those that a killed run left."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from migrators.backends import kind_of
from migrators.run.fixtures import kept_at
from migrators.run.kept import KEPT, Kept
from migrators.testing.seeding import fill, open_fixtures
from tests import servers
from tests.acceptance.cheeseshop import REPOSITORY, cheeseshop
from tests.testing.conftest import EACH, opened, url_of

if TYPE_CHECKING:
    from migrators.backends.interface import Backend
    from migrators.project import Project
    from migrators.testing.session import Databases

SUPPLIERS = sa.text("SELECT count(*) FROM suppliers")
KILLED = """
import sys, time
from pathlib import Path
from migrators.project import Project
from migrators.schema import load_schema
from tests.testing.conftest import opened

project = Project.find(Path(sys.argv[1]), environment={})
with opened(project, sys.argv[2]) as databases:
    databases.give((), {})
    databases.give((), {"isolation": "copy"})
    for seeded in databases._seeded.values():  # what a server is at work on comes later
        assert all(waiting.result() for waiting in seeded._waiting)
    half = databases.kept().take("t_half")
    half.made.create(load_schema(project, 3))
    print("ready", flush=True)
    time.sleep(60)
"""


def made(project: Project, url: str) -> set[str]:
    """Return which databases of tests there are: "t_…" templates, "c_…" clones, "w_…" others."""
    kind = sa.make_url(url).get_backend_name()
    if kind in servers.SERVERS:
        own = str(sa.make_url(url).database)
        found = [name for name in servers.names(kind) if name.startswith(own)]
    else:
        found = [path.stem for path in project.testing.glob("*.db")]
    return {name.partition("__loading_")[2] for name in found}


def suppliers(databases: Databases) -> int:
    """Ask a test's database."""
    database = databases.give((), {})
    with database.engine.connect() as connection:
        found = int(connection.execute(SUPPLIERS).scalar_one())
    databases.take_back(database)
    return found


@pytest.mark.parametrize("kind", EACH)
def test_what_a_killed_run_left_is_removed_by_the_next(kind: str, lone: Project) -> None:
    """Copies, and a template that was half made; a run beside it is let alone."""
    with url_of(kind) as url:
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(lone.root), url],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            before = made(lone, url)
            assert "t_half" in before
            with opened(lone, url) as databases:
                assert suppliers(databases) == 9
                assert made(lone, url) >= before
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        with opened(lone, url) as databases:
            assert suppliers(databases) == 9
        after = made(lone, url)
        assert [name for name in after if name == "t_half" or name.startswith("c_")] == []


@pytest.mark.parametrize("kind", EACH)
def test_two_folders_on_one_server_are_not_in_each_others_way(kind: str, tmp_path: Path) -> None:
    """Two checkouts, or jobs: the same names are meant, and each test has what it wrote."""
    names = ("one", "two")
    one, two = (cheeseshop(tmp_path / name, [3]).project for name in names)
    clear = sa.text("DELETE FROM suppliers")
    with url_of(kind) as url, opened(one, url) as first, opened(two, url) as second:
        mine = first.give((), {"isolation": "copy"})
        with mine.engine.begin() as connection:
            connection.execute(clear)
        theirs = second.give((), {"isolation": "copy"})
        found = []
        for database in (mine, theirs):
            with database.engine.connect() as connection:
                found.append(connection.execute(SUPPLIERS).scalar())
        first.take_back(mine)
        second.take_back(theirs)
        assert found == [0, 9]
        if kind in servers.SERVERS:  # one template serves both
            assert len([name for name in made(one, url) if name.startswith("t_")]) <= 1


@pytest.mark.parametrize("kind", list(servers.SERVERS))
def test_two_folders_make_a_template_once(kind: str, tmp_path: Path) -> None:
    """Who comes while another one makes it waits, and neither drops what the other fills."""
    one, two = (cheeseshop(tmp_path / name, [3]).project for name in ("one", "two"))
    reader = open_fixtures(one, one.fixtures(3), ["settings"])
    begun, further, filled = Event(), Event(), []

    def slowly(database: Backend) -> None:
        filled.append(database.database)
        begun.set()
        assert further.wait(60)
        fill(reader, database)

    with url_of(kind) as url, ThreadPoolExecutor(2) as threads:
        kept = [kept_at(project, sa.make_url(url)) for project in (one, two)]
        first = threads.submit(kept[0].shared, "t_both", slowly)
        assert begun.wait(60)
        second = threads.submit(kept[1].shared, "t_both", slowly)
        wait([second], timeout=0.5)
        further.set()
        entries = [first.result(), second.result()]
        assert filled == [entry.made.database for entry in entries[:1]]
        assert all(entry.complete and entry.made.stamp() for entry in entries)
        for entry in entries:
            entry.release()


def test_a_template_is_loaded_once_and_never_stale(lone: Project) -> None:
    """The next run finds it; a row changed by hand, or a table left out, makes another."""
    seen = []
    for change in ("", "", "row"):
        if change:
            file = lone.fixtures(3) / "suppliers.csv"
            lines = file.read_text("utf-8").splitlines(keepends=True)
            file.write_text("".join(lines[:-1]), "utf-8")
        with opened(lone, "sqlite://") as databases:
            seen.append(suppliers(databases))
        seen.append(len(made(lone, "sqlite://")))
    assert seen == [9, 1, 9, 1, 8, 2]
    whole = {path: path.stat().st_mtime_ns for path in lone.testing.glob("*.db")}
    with opened(lone, "sqlite://") as databases:
        suppliers(databases)
    assert {path: path.stat().st_mtime_ns for path in lone.testing.glob("*.db")} == whole


def test_templates_not_used_lately_are_removed(tmp_path: Path) -> None:
    """As many are kept as are said to be; what is used now is none of those that go."""
    base = kind_of(sa.make_url("sqlite://")).for_tests(sa.make_url("sqlite://"), tmp_path)
    kept = Kept(tmp_path, base)
    for number in range(KEPT + 3):
        entry = kept.take(f"t_{number}")
        entry.make(lambda database: Path(database.database).touch())
        entry.release()
    held = kept.take("t_0")
    kept.sweep()
    held.release()
    found = {path.stem.partition("__loading_")[2] for path in tmp_path.glob("*.db")}
    assert found == {"t_0", *(f"t_{number}" for number in range(3, KEPT + 3))}


def test_a_folder_that_another_one_removed_is_made_again(tmp_path: Path) -> None:
    """A check that ends removes it once it is empty, just when another one begins."""
    folder = tmp_path / "checks"
    url = sa.make_url(f"sqlite:///{tmp_path}/test.db")
    kept = Kept(folder, kind_of(url).for_tests(url, tmp_path))
    folder.rmdir()
    entry = kept.take("fresh_1")
    assert len(list(folder.iterdir())) == 1
    entry.remove()
    assert list(folder.iterdir()) == []
