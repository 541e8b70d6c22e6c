"""`init`: a project that is whole, or nothing; and never over what is there."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tomllib
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from migrators.errors import DatabaseError, ProjectError, UsageError
from migrators.extracts.directory import ExtractReader
from migrators.init import init
from migrators.project import Project
from migrators.schema import load_schema

if TYPE_CHECKING:
    from pathlib import Path


def _ruff(*words: str, cwd: Path) -> str:
    command = [sys.executable, "-m", "ruff", *words, "."]
    done = subprocess.run(command, check=False, cwd=cwd, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_sample_is_a_whole_project(tmp_path: Path) -> None:
    """Two schemas, a step, fixtures, and what git and ruff need to know."""
    done = init(tmp_path / "my-shop")
    project = Project.find(tmp_path / "my-shop", environment={})
    assert project.settings.name == "my_shop"
    assert project.url(2).database == str(project.root / "data" / "my_shop_v2.db")
    assert project.versions() == [1, 2]
    assert project.steps() == [(1, 2)]
    assert [load_schema(project, v).load_order for v in (1, 2)] == [("users", "posts")] * 2
    files = {p for p in project.root.rglob("*") if p.is_file()}
    assert set(done.written) == files
    assert (project.root / ".gitignore").read_text() == ".migrate/\n/data/\n"
    assert (project.root / ".gitattributes").read_text() == (
        "fixtures/** -text\nfixtures/**/*.csv merge=union\n"
    )
    assert done.next == (f"cd {project.root}", "migrate load fixtures/v1", "migrate 1to2")


def test_sample_extract_is_complete(tmp_path: Path) -> None:
    """The committed extract reads back as the rows it was made from."""
    init(tmp_path, "shop")
    project = Project.find(tmp_path, environment={})
    reader = ExtractReader.open(project.fixtures(1), load_schema(project, 1))
    reader.check()
    rows = [row for batch in reader.batches("users") for row in batch.to_pylist()]
    assert [row["chatname"] for row in rows] == ["ada", "", None]
    titles = [row["title"] for batch in reader.batches("posts") for row in batch.to_pylist()]
    assert titles == ["Notes", "A bug\nis found", "NULL"]


def test_ruff_asks_for_nothing(tmp_path: Path) -> None:
    """A sample is formatted and linted, and INP001 does not ask for an `__init__.py`."""
    init(tmp_path, "shop")
    assert _ruff("format", "--check", cwd=tmp_path) == ""
    assert (
        _ruff("check", "--select=E,F,I,INP,D1,UP", "--ignore=E501", cwd=tmp_path).count(
            "migrators/"
        )
        == 0
    )


@pytest.mark.parametrize("name", ["schemas/v1.py", "migrators/1to2.py", "migrators/__init__.py"])
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    """A file in the way is named, and nothing at all is written."""
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text("mine")
    with pytest.raises(ProjectError, match=name):
        init(tmp_path, "shop")
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [tmp_path / name]
    assert (tmp_path / name).read_text() == "mine"


def test_a_second_init_is_refused(tmp_path: Path) -> None:
    """There is a project already."""
    init(tmp_path, "shop")
    with pytest.raises(ProjectError, match="this is a project"):
        init(tmp_path, "shop")


def test_an_application_keeps_its_files(tmp_path: Path) -> None:
    """pyproject.toml, .gitignore and README keep every line and get those they lack."""
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "app"\n[tool.ruff]\nline-length = 9'
    )
    (tmp_path / ".gitignore").write_text("*.pyc\n.migrate/")
    (tmp_path / "README.md").write_text("mine")
    done = init(tmp_path, "shop")
    document = tomllib.loads((tmp_path / "pyproject.toml").read_text())
    assert document["project"] == {"name": "app"}
    assert document["tool"]["ruff"] == {"line-length": 9}
    assert document["tool"]["migrators"]["name"] == "shop"
    assert (tmp_path / ".gitignore").read_text() == "*.pyc\n.migrate/\n/data/\n"
    assert (tmp_path / "README.md").read_text() == "mine"
    assert "INP001" in done.notes[0]


@pytest.mark.parametrize("name", ["My Shop", "shop-1", "1shop", "shöp"])
def test_names_that_no_database_can_bear(tmp_path: Path, name: str) -> None:
    """A name becomes part of a database's name."""
    with pytest.raises(UsageError, match="cannot be part of a database's name"):
        init(tmp_path, name)


def _live(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "create table users(id integer primary key, name varchar(9) not null);"
            "create view names as select name from users;"
        )
    return f"sqlite:///{path}"


def test_around_a_database_without_a_number(tmp_path: Path) -> None:
    """Its schema is version 1, and an alias says where version 1 is."""
    done = init(tmp_path, "shop", source=_live(tmp_path / "shop.db"))
    project = Project.find(tmp_path, environment={})
    assert project.settings.url == "sqlite:///shop_v{version}.db"
    assert dict(project.settings.urls) == {1: "sqlite:///shop.db"}
    assert project.url(1).database == str(tmp_path / "shop.db")
    assert load_schema(project, 1).tables["users"].column["name"].type.length == 9
    assert "CREATE VIEW names" in load_schema(project, 1).after["sqlite"]
    assert done.notes == ("v1.after.sqlite.sql belongs to schema 1: copy it too",)
    assert any("migrate plan 1to2" in line for line in done.next)


def test_around_a_database_with_a_number(tmp_path: Path) -> None:
    """Its number is the version, and no alias is needed."""
    init(tmp_path, "shop", source=_live(tmp_path / "shop_v7.db"))
    project = Project.find(tmp_path, environment={})
    assert project.settings.url == "sqlite:///shop_v{version}.db"
    assert dict(project.settings.urls) == {}
    assert project.versions() == [7]


def test_around_nothing(tmp_path: Path) -> None:
    """A database that is not there leaves no project behind, and is not made."""
    with pytest.raises(DatabaseError, match="there is no database"):
        init(tmp_path, "shop", source=f"sqlite:///{tmp_path / 'missing.db'}")
    assert list(tmp_path.iterdir()) == []


def test_a_file_given_as_a_url_is_told_its_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The usual slip; and a database that SQLAlchemy does not know is no traceback."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.db").touch()
    with pytest.raises(UsageError) as caught:
        init(tmp_path / "a", source="old.db")
    assert caught.value.hint == ("migrate init --from sqlite:///old.db",)
    with pytest.raises(UsageError, match="sqlit is no database that SQLAlchemy knows"):
        init(tmp_path / "a", source="sqlit:///old.db")
