"""`migrators.testing.seed`: an empty database of an engine, filled from an extract."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from migrators.errors import ExtractError, MigrateError, TargetExists, UsageError
from migrators.testing import seed
from tests import servers
from tests.testing.conftest import EACH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrators.project import Project


@pytest.fixture(params=EACH)
def engine(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    """An engine of an empty database, as an application makes it."""
    kind = str(request.param)
    if kind not in servers.SERVERS:
        made = sa.create_engine(f"{kind}://", poolclass=sa.StaticPool)
        yield made
        made.dispose()
        return
    with servers.prefix(kind) as own:
        servers.create_database(kind, f"{own}seed")
        url = servers.server_url(kind).set(database=f"{own}seed")
        made = sa.create_engine(servers.driven(url))
        yield made
        made.dispose()


def count(engine: sa.Engine, table: str) -> int:
    """Return how many rows a table has, by the engine itself."""
    with engine.connect() as connection:
        return int(connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_all_of_it(engine: sa.Engine, lone: Project) -> None:
    """Tables, rows and what comes after them; and never a second time."""
    seed(engine, lone.fixtures(3))
    assert (count(engine, "users"), count(engine, "settings")) == (58, 35)
    assert count(engine, "release_index") > 0
    with pytest.raises(TargetExists, match="is not empty"):
        seed(engine, lone.fixtures(3))
    assert count(engine, "users") == 58


def test_an_error_leaves_nothing(engine: sa.Engine, lone: Project) -> None:
    """A row that is there twice is named, and the database is empty again."""
    file = lone.fixtures(3) / "suppliers.csv"
    lines = file.read_text("utf-8").splitlines(keepends=True)
    file.write_text("".join([*lines, lines[-1]]), "utf-8")
    with pytest.raises(MigrateError, match="suppliers"):
        seed(engine, lone.fixtures(3))
    assert sa.inspect(engine).get_table_names() == []


def test_some_tables_come_with_what_they_refer_to(lone: Project, tmp_path: Path) -> None:
    """Files are of releases, those of projects; users are not asked for. In a file, here."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'some.db'}")
    seed(engine, lone.fixtures(3), tables=["files"])
    found = {t: count(engine, t) > 0 for t in ("files", "releases", "projects", "users", "roles")}
    engine.dispose()
    assert found == {
        "files": True, "releases": True, "projects": True, "users": False, "roles": False,
    }  # fmt: skip


def test_a_table_that_there_is_none_of(lone: Project) -> None:
    """Named, with the one that may have been meant."""
    with pytest.raises(UsageError, match="schema 3 has no table 'user'") as told:
        seed(sa.create_engine("sqlite://"), lone.fixtures(3), tables=["user"])
    assert told.value.hint == ("did you mean `users`?",)


def test_no_extract(lone: Project) -> None:
    """A directory that is not there, and one that is none."""
    with pytest.raises(ExtractError, match="there is no directory"):
        seed(sa.create_engine("sqlite://"), lone.fixtures(4))
    shutil.copytree(lone.root / "schemas", lone.root / "fixtures" / "v9")
    with pytest.raises(ExtractError, match="no complete extract"):
        seed(sa.create_engine("sqlite://"), lone.fixtures(9))
