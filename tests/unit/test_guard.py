"""What an application asks at start-up; the public API and what it imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

import migrators
from migrators.errors import MigrateError, WrongVersion
from migrators.guard import version_in_name

REPOSITORY = Path(__file__).parents[2]


def _database(path: Path, version: int | None) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{path}", poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE users (id INTEGER PRIMARY KEY)"))
        if version is not None:
            connection.execute(
                sa.text(
                    f"CREATE VIEW migrate_stamp AS SELECT {version} AS version, "
                    "'f' AS fingerprint, '' AS step, '' AS extract, '' AS tool, '' AS at, "
                    "'' AS alembic_head"
                )
            )
    return engine


def test_right_version(tmp_path: Path) -> None:
    """Silence is consent: by engine, and by a connection that is left as it was."""
    engine = _database(tmp_path / "shop_v3.db", 3)
    migrators.require(engine, major=3)
    with engine.connect() as connection:
        migrators.require(connection, major=3)
        assert not connection.in_transaction()
        connection.execute(sa.text("INSERT INTO users VALUES (1)"))
        migrators.require(connection, major=3)
        assert connection.in_transaction()


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """SQLite makes an empty one when it connects, which would be in the way of the next run."""
    engine = sa.create_engine(f"sqlite:///{tmp_path}/shop_v3.db")
    with pytest.raises(WrongVersion, match=r"shop_v3\.db does not exist") as caught:
        migrators.require(engine, major=3)
    assert caught.value.hint[0].startswith("migrate status")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file::memory:?uri=true"]
)
def test_a_database_in_memory_is_there(url: str) -> None:
    """It has no stamp, which is what is said of it."""
    with pytest.raises(WrongVersion, match="has no stamp"):
        migrators.require(sa.create_engine(url), major=3)


@pytest.mark.parametrize(
    ("name", "stamp", "said", "hint"),
    [
        (
            "shop_v2.db",
            2,
            "shop_v2.db is schema 2, and this application needs schema 3",
            "migrate 2to3",
        ),
        (
            "shop_v3.db",
            2,
            "shop_v3.db is named for schema 3, but its stamp says schema 2",
            "migrate status",
        ),
        (
            "shop.db",
            None,
            "shop.db has no stamp, so nothing says that it is schema 3",
            "migrate stamp 3",
        ),
        ("shop.db", 4, "shop.db is schema 4, and this application needs schema 3", "migrate 4to3"),
    ],
)
def test_wrong_version(tmp_path: Path, name: str, stamp: int | None, said: str, hint: str) -> None:
    """One plain sentence and the line to type."""
    with pytest.raises(WrongVersion) as caught:
        migrators.require(_database(tmp_path / name, stamp), major=3)
    assert str(caught.value) == said
    assert caught.value.hint[0].startswith(hint)
    assert isinstance(caught.value, MigrateError)


def test_a_name_without_a_number_may_hold_any_version(tmp_path: Path) -> None:
    """Only a number in the name can disagree with the stamp."""
    migrators.require(_database(tmp_path / "shop.db", 3), major=3)


@pytest.mark.parametrize(
    ("database", "version"),
    [
        ("shop_v3", 3),
        ("data/shop_v12.db", 12),
        ("shop", None),
        ("shop_v3__loading_x", None),
        ("shop_v3.sqlite", 3),
        ("v3", None),
    ],
)
def test_version_in_name(database: str, version: int | None) -> None:
    """A staging name is not a version's name."""
    assert version_in_name(database) == version


def test_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application's URL comes from the project that the cwd lies in."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.migrators]\nurl = "sqlite:///data/shop_v{version}.db"\n'
    )
    (tmp_path / "web").mkdir()
    monkeypatch.chdir(tmp_path / "web")
    for name in ("MIGRATE_URL", "MIGRATE_URL_3"):
        monkeypatch.delenv(name, raising=False)
    assert migrators.url(major=3).database == str(tmp_path / "data" / "shop_v3.db")


def _imported(program: str, cwd: Path) -> set[str]:
    """Run a program in a fresh interpreter and return the top-level modules it imported."""
    code = f"import sys\n{program}\nprint(*sorted(m.partition('.')[0] for m in sys.modules))"
    path = {"PYTHONPATH": str(REPOSITORY), "PATH": ""}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, cwd=cwd, env=path, capture_output=True, text=True)
    return set(done.stdout.split())


def test_an_application_pays_for_sqlalchemy_only(tmp_path: Path) -> None:
    """`require` and `url` import neither Arrow nor pandas nor click."""
    _database(tmp_path / "shop_v3.db", 3).dispose()
    (tmp_path / "pyproject.toml").write_text(
        '[tool.migrators]\nurl = "sqlite:///shop_v{version}.db"\n'
    )
    program = (
        "import migrators, sqlalchemy\n"
        "migrators.require(sqlalchemy.create_engine(migrators.url(major=3)), major=3)"
    )
    imported = _imported(program, tmp_path)
    assert "sqlalchemy" in imported
    assert imported.isdisjoint({"pyarrow", "pandas", "numpy", "click", "adbc_driver_manager"})


def test_the_package_itself_imports_nothing_heavy(tmp_path: Path) -> None:
    """`import migrators` is free."""
    imported = _imported("import migrators; migrators.__version__", tmp_path)
    assert imported.isdisjoint({"sqlalchemy", "pyarrow", "pandas", "click"})


def test_public_names() -> None:
    """The API is these five names; others are an AttributeError."""
    assert dir(migrators) == ["__version__", "errors", "require", "rules", "url"]
    assert migrators.errors.MigrateError is MigrateError
    with pytest.raises(AttributeError, match="no attribute 'migrate'"):
        migrators.migrate  # noqa: B018
