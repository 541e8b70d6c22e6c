"""The project: found from anywhere in it; paths, URLs and chains."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import pytest

from migrators.errors import CodeError, MigrateError, ProjectError, UsageError
from migrators.project import Project

PROJECTS = Path(__file__).parents[1] / "projects"
REPOSITORY = Path(__file__).parents[2]


def _find(folder: Path) -> Project:
    return Project.find(folder, environment={})


def test_found_from_a_subfolder() -> None:
    """Any folder inside will do, and sys.path stays as it is."""
    before = list(sys.path)
    assert _find(PROJECTS / "gap" / "schemas").root == PROJECTS / "gap"
    assert sys.path == before


def test_this_repository_is_a_project() -> None:
    """Engine and steps live in one folder here, and only here."""
    assert _find(REPOSITORY / "tests").root == REPOSITORY


def test_none_found(tmp_path: Path) -> None:
    """The error says what makes one."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\n')
    with pytest.raises(ProjectError, match="no project") as caught:
        _find(tmp_path)
    assert "migrate init" in caught.value.hint[0]
    with pytest.raises(ProjectError, match="is not a folder"):
        _find(tmp_path / "missing")


def test_migrators_package_is_refused() -> None:
    """An `__init__.py` among a user's steps would replace the engine."""
    with pytest.raises(
        ProjectError, match=r"migrators/__init__\.py would take the place"
    ) as caught:
        _find(PROJECTS / "package")
    assert caught.value.hint[0].startswith("rm ")
    assert "INP001" in caught.value.hint[1]


def test_a_line_to_type_is_quoted(tmp_path: Path) -> None:
    """A folder with a space in its name is one word of the line."""
    folder = tmp_path / "my shop"
    shutil.copytree(PROJECTS / "package", folder)
    with pytest.raises(ProjectError) as caught:
        _find(folder)
    assert shlex.split(caught.value.hint[0]) == ["rm", str(folder / "migrators" / "__init__.py")]


def test_another_clone_of_the_engine_is_recognised(tmp_path: Path) -> None:
    """Not one file of it is to be removed: it is to be installed as it lies there."""
    for name in ("pyproject.toml", "migrators/__init__.py", "migrators/project.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    with pytest.raises(ProjectError, match="a clone of migrate itself") as caught:
        _find(tmp_path)
    assert caught.value.hint[0].endswith(f"-m pip install -e {tmp_path}")


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("unknown_key", UsageError, "unknown key `ulr`"),
        ("no_placeholder", UsageError, "has no {version}"),
        ("broken_toml", CodeError, "pyproject.toml:2"),
    ],
)
def test_broken_settings(name: str, kind: type[MigrateError], said: str) -> None:
    """Each broken pyproject.toml is a usage error, exit code 2."""
    with pytest.raises(kind) as caught:
        _find(PROJECTS / name)
    assert said in str(caught.value)
    assert caught.value.exit_code == 2


def test_paths_and_what_exists() -> None:
    """Every path is made here."""
    project = _find(PROJECTS / "gap")
    assert project.schema_path(3) == project.root / "schemas" / "v3.py"
    assert project.step_path(2, 3) == project.root / "migrators" / "2to3.py"
    assert project.fixtures(3) == project.root / "fixtures" / "v3"
    assert project.runs == project.root / ".migrate"
    assert project.versions() == [1, 2, 3, 4]
    assert project.steps() == [(1, 2), (2, 1), (3, 4)]


def test_runs_move(tmp_path: Path) -> None:
    """MIGRATE_RUNS may be anywhere."""
    environment = {"MIGRATE_RUNS": str(tmp_path / "runs")}
    assert Project.find(PROJECTS / "gap", environment=environment).runs == tmp_path / "runs"


def test_relative_database_is_in_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cwd does not decide where a relative SQLite file is."""
    project = _find(PROJECTS / "gap" / "schemas")
    monkeypatch.chdir(tmp_path)
    assert project.url(2).database == str(project.root / "data" / "gap_v2.db")


@pytest.mark.parametrize(
    ("template", "database"),
    [
        ("sqlite:////abs/x_v{version}.db", "/abs/x_v3.db"),
        ("sqlite:///:memory:?v={version}", ":memory:"),
        ("postgresql://app:p%40s@db/shop_v{version}", "shop_v3"),
    ],
)
def test_other_urls_pass_unchanged(template: str, database: str) -> None:
    """Absolute files, memory and servers are left alone."""
    project = Project.find(PROJECTS / "gap", environment={"MIGRATE_URL": template})
    assert project.url(3).database == database


def test_alias_and_missing_url(tmp_path: Path) -> None:
    """An alias beats the template; without either there is an error."""
    (tmp_path / "pyproject.toml").write_text('[tool.migrators.urls]\n1 = "sqlite:///old.db"\n')
    project = _find(tmp_path)
    assert project.url(1).database == str(tmp_path / "old.db")
    with pytest.raises(UsageError, match="no URL for schema 2"):
        project.url(2)
    broken = Project.find(tmp_path, environment={"MIGRATE_URL": "nonsense {version} :geheim@"})
    with pytest.raises(UsageError, match="is not a database URL"):
        broken.url(2)


def _with_steps(tmp_path: Path, *names: str) -> Project:
    shutil.copytree(PROJECTS / "gap", tmp_path / "p")
    for name in names:
        (tmp_path / "p" / "migrators" / f"{name}.py").touch()
    return _find(tmp_path / "p")


def test_chain(tmp_path: Path) -> None:
    """Steps in order, up or down; a direct step is taken before two."""
    project = _with_steps(tmp_path, "2to3", "3to2")
    assert project.chain(1, 4) == [(1, 2), (2, 3), (3, 4)]
    assert project.chain(3, 1) == [(3, 2), (2, 1)]
    (project.root / "migrators" / "1to3.py").touch()
    assert project.chain(1, 4) == [(1, 3), (3, 4)]


def test_gap_in_a_chain() -> None:
    """The error names the missing step, and the line to type then."""
    project = _find(PROJECTS / "gap")
    with pytest.raises(ProjectError, match=r"no migrators/2to3\.py, so migrate 1to4") as caught:
        project.chain(1, 4)
    assert caught.value.hint == (
        "write migrators/2to3.py; it begins as",
        "    def migrate(step, old, new):",
        "        pass",
        "migrate plan 2to3     then says what it lacks",
        "migrate 1to2 goes as far as there are steps",
    )
    with pytest.raises(ProjectError, match=r"no migrators/4to3\.py"):
        project.chain(4, 2)
    with pytest.raises(ProjectError, match=r"no migrators/4to5\.py") as caught:
        project.chain(4, 5)
    assert caught.value.hint == ("write schemas/v5.py: there is no schema 5 yet",)
    with pytest.raises(UsageError, match="nothing to do"):
        project.chain(2, 2)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mysql://app@db/shop_v{version}", " --to mysql://app@db/shop_v{version}"),
        ("mysql://app:hunter-42@db/shop", " --to 'mysql://app:***@db/shop'"),
        ("postgresql://db/shop?sslmode=a&b=c", " --to 'postgresql://db/shop?sslmode=a&b=c'"),
    ],
)
def test_a_place_is_shown_as_it_is_typed(url: str, shown: str) -> None:
    """In a command to copy: what a shell would take for its own is quoted."""
    assert _find(PROJECTS / "gap").moved(to=url).option == shown
