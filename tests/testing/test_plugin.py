"""The plugin in a test run of its own: xdist, markers, ini options, flags, errors in the report."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import socket
import tomllib
from contextlib import contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
import sqlalchemy.dialects.mysql
import sqlalchemy.dialects.postgresql  # what a run inside imports is forgotten, and warns later

from tests import servers
from tests.acceptance.cheeseshop import REPOSITORY, cheeseshop
from tests.testing.conftest import EACH, url_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.project import Project

TESTS = """
import pytest
import sqlalchemy as sa

def rows(session, table):
    return session.scalar(sa.text(f"SELECT count(*) FROM {table}"))

@pytest.mark.parametrize("n", range(4))
def test_each_is_alone(migrate_session, n):
    assert rows(migrate_session, "settings") == 35
    migrate_session.execute(sa.text("DELETE FROM settings"))
    migrate_session.commit()

@pytest.mark.migrate(version=2)
def test_two(migrate_database, migrate_session):
    assert migrate_database.version == 2
    assert rows(migrate_session, "packages") > 0

def test_the_newest(migrate_database):
    assert migrate_database.version == 3

def test_of_its_own(migrate_url, migrate_session):
    migrate_session.execute(sa.text("DELETE FROM settings"))
    migrate_session.commit()
    with sa.create_engine(migrate_url).connect() as other:
        assert rows(other, "settings") == 0
"""
BAD = {
    "version": ('"fixtures/v2", version=3', "is of schema version 2, and version 3 is asked for"),
    "missing": ('"fixtures/v7"', "there are: fixtures/v2, fixtures/v3"),
    "absent": ("version=4", "migrate fixtures 3to4     writes it"),
    "oldest": ("version=1", "migrate sample 1     writes it"),
    "table": ('tables=["user"]', "schema 3 has no table 'user'"),
    "number": ("tables=[3]", "migrate marker: tables must be names, not [3]"),
    "word": ("table='users'", "migrate marker: has no 'table'"),
    "isolation": ('isolation="none"', "there is no isolation 'none'"),
    "kind": ('engine="postgresql"', "no URL says where a postgresql server is"),
    "server": ('engine="mariadb"', "127.0.0.1"),
    "dangling": ('"fixtures/dangling"', "correct it in dangling/roles.csv"),
    "twice": ('"fixtures/twice"', "correct it in twice/suppliers.csv"),
    "type": ('"fixtures/type"', "customers.csv"),
    "label": ('"fixtures/label"', "correct it in label/projects.csv"),
    "header": ('"fixtures/header"', "settings.csv"),
}


NEWER = """
@pytest.mark.migrate(tables=["settings"])
def test_newer_models(migrate_connection):
    migrate_connection.exec_driver_sql("SELECT newer FROM settings")
"""

PATIENCE = {"postgresql": 2, "mysql": 1}
"""Seconds: the fewest that each driver takes."""


def spoil(project: Project) -> None:
    """Edit copies of the fixtures as people do, and get it wrong."""
    edits = {
        "dangling": ("roles.csv", r"\n1,[^,]+,", "\n1,00000000-0000-8000-a000-000000000000,"),
        "twice": ("suppliers.csv", r"\n2,", "\n1,"),
        "type": ("customers.csv", r"\n1,", "\none,"),
        "label": ("projects.csv", '"active"', '"retired"'),  # a file of SQLite's would take it
        "header": ("settings.csv", r"^\w+", "renamed"),
    }
    for name, (file, pattern, text) in edits.items():
        place = project.root / "fixtures" / name
        shutil.copytree(project.fixtures(3), place)
        before = (place / file).read_text("utf-8")
        (place / file).write_text(re.sub(pattern, text, before, count=1), "utf-8")
        assert (place / file).read_text("utf-8") != before


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The reference application in the folder of a test run."""
    monkeypatch.setenv("PYTEST_PLUGINS", "migrators.testing.plugin")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return cheeseshop(pytester.path / "shop", [2, 3]).project


@pytest.mark.parametrize("kind", EACH)
def test_two_workers(pytester: pytest.Pytester, project: Project, kind: str) -> None:
    """Each has a database of its own, of the versions asked for; a template is made once."""
    pytester.makepyfile(TESTS)
    with url_of(kind) as url:
        flags = ("-n2", "-q", "--migrate-project=shop", f"--migrate-url={url}")
        pytester.runpytest_subprocess(*flags).assert_outcomes(passed=7)
        if kind in servers.SERVERS:
            begins = str(sa.make_url(url).database)
            left = [name for name in servers.names(kind) if name.startswith(begins)]
            assert [name for name in left if "__loading_c_" in name] == []
            assert 0 < len([name for name in left if "__loading_t_" in name]) <= 2
        else:
            assert len(list(project.testing.glob("*.db"))) == 2


def test_errors_are_sentences_in_the_report(pytester: pytest.Pytester, project: Project) -> None:
    """What happened and what to type, without a traceback, and nothing is left behind."""
    spoil(project)
    tests = (f"@pytest.mark.migrate({said[0]})\ndef test_{name}(migrate_engine): pass\n"
             for name, said in BAD.items())  # fmt: skip
    pytester.makepyfile("import pytest\n" + "\n".join([*tests, NEWER]))
    pytester.makeini(
        "[pytest]\nmigrate_project = shop\nmigrate_urls =\n  sqlite://\n  mariadb://root@127.0.0.1:9/"
    )
    done = pytester.runpytest_subprocess("-q", "-p", "no:randomly")
    done.assert_outcomes(errors=len(BAD), failed=1)
    done.stdout.fnmatch_lines([
        "v3: rows of settings of schema version 3; of 4 there is none: migrate fixtures 3to4 *"
    ])  # fmt: skip
    said = re.split(r"_+ ERROR at setup of test_(\w+) _+\n", done.stdout.str())[1:]
    found = dict(zip(said[::2], said[1::2], strict=True))
    assert {n: text in found[n] for n, (_, text) in BAD.items()} == dict.fromkeys(BAD, True)
    assert "Traceback" not in done.stdout.str()
    found = {name: text.partition("= FAILURES =")[0] for name, text in found.items()}
    assert ".py:" not in "".join(found.values()).partition("short test summary")[0]
    assert len(list(project.testing.glob("*.db"))) == 1  # the template of the one that was seeded


@contextmanager
def silent() -> Iterator[tuple[int, list[socket.socket]]]:
    """Give a port that takes connections and never answers, and those that it has taken."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            with suppress(OSError):
                while True:
                    taken.append(server.accept()[0])

        thread = Thread(target=take, daemon=True)
        thread.start()
        yield server.getsockname()[1], taken
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    for each in taken:
        each.close()


@pytest.mark.fault("H96")
@pytest.mark.parametrize("kind", list(servers.SERVERS))
def test_a_server_that_never_answers_is_waited_for_once(
    pytester: pytest.Pytester, project: Project, kind: str
) -> None:
    """By the first test; each after it is told at once, whatever it asks of that server."""
    markers = ('"fixtures/v3"', '"fixtures/v2"', 'isolation="copy"', 'tables=["users"]')
    tests = (f"@pytest.mark.migrate({said})\ndef test_{n}(migrate_engine): pass\n"
             for n, said in enumerate(markers))  # fmt: skip
    pytester.makepyfile("import pytest\n" + "\n".join(tests))
    with silent() as (port, taken):
        url = f"{kind}://root@127.0.0.1:{port}/test?connect_timeout={PATIENCE[kind]}"
        done = pytester.runpytest_inprocess(
            "-q", "-n0", "--migrate-project=shop", f"--migrate-url={url}"
        )
        done.assert_outcomes(errors=len(markers))
        assert len(taken) == 1
    said = done.stdout.str()
    assert said.count(f"no connection to the server at 127.0.0.1:{port}") >= len(markers)
    assert "Traceback" not in said


def test_the_entry_point_is_the_plugin() -> None:
    """As the package says, and where it is installed, as pip has it."""
    pyproject = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    said = pyproject["project"]["entry-points"]["pytest11"]
    assert said == {"migrators.testing.plugin": "migrators.testing.plugin"}
    found = importlib.metadata.entry_points(group="pytest11")
    assert {each.value for each in found if "migrators" in each.value} <= set(said.values())


def test_every_name_begins_with_migrate(pytestconfig: pytest.Config) -> None:
    """Fixtures, ini options, flags and the marker: none collides with a project's own."""
    from migrators.testing import plugin

    fixtures = [
        n for n, v in vars(plugin).items() if type(v).__name__ == "FixtureFunctionDefinition"
    ]
    assert len(fixtures) >= 6
    assert [name for name in fixtures if not name.startswith("migrate_")] == []
    ours = [line for line in pytestconfig.getini("markers") if "schema version" in line]
    assert [line.partition("(")[0] for line in ours] == ["migrate"]
