"""The pytest plugin: databases seeded from committed extracts.

pytest imports this file in every project that has the package installed, so that it imports
nothing but pytest; all else when the first test asks for a fixture.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa
    from sqlalchemy.orm import Session

    from migrators.testing.session import Database, Databases

_MARKER = (
    "migrate(extract, *, version, tables, engine, isolation): the database that the migrate_ "
    'fixtures give: an extract ("fixtures/v3"), its schema version, whose rows, the kind of '
    'database, and "rollback" or "copy"'
)
_OWN = "migrate_url"
"""Who asks for it connects by itself, and commits: to a database of the test's own."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare ini options and flags."""
    group = parser.getgroup("migrate", "databases seeded from committed extracts")
    said = {
        "version": "schema version whose fixtures are used (the newest that has any)",
        "isolation": '"rollback" (the default) or "copy", for tests that do not say',
        "project": "folder of the project, from pytest's rootdir (that itself)",
        "models": "the application's models, for the test of drift: myapp.db:Base",
    }
    for name, text in said.items():
        parser.addini(f"migrate_{name}", text, default="")
        group.addoption(f"--migrate-{name}", default="", help=text)
    text = "where databases are made: the first, unless a test names another kind"
    parser.addini("migrate_urls", text, type="linelist", default=[])
    text_lost = "what does not come back of a step up and down: tables, or table.column"
    parser.addini("migrate_lost", text_lost, type="linelist", default=[])
    group.addoption("--migrate-url", action="append", default=[], dest="migrate_urls", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", _MARKER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the ready-made tests the project's steps."""
    if not {"migrate_step", "migrate_pair", "migrate_return"}.isdisjoint(metafunc.fixturenames):
        from migrators.testing import steps

        with told():
            steps.parametrize(metafunc)


@contextmanager
def told() -> Iterator[None]:
    """Say an error of ours as lines in the report: what happened, and what to type."""
    from migrators.errors import MigrateError

    try:
        yield
    except MigrateError as error:
        from migrators.report.errors import error_lines

        said = "\n".join(error_lines(error))
        raise pytest.fail.Exception(said, pytrace=False) from None


@pytest.fixture(scope="session")
def migrate_databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Give the databases of this process: made when asked for, removed at the end."""
    from migrators.testing.session import Databases

    with told():
        databases = Databases.of(request.config)
    try:
        yield databases
    finally:
        with told():
            databases.close()


@pytest.fixture
def migrate_database(
    request: pytest.FixtureRequest, migrate_databases: Databases
) -> Iterator[Database]:
    """Give the test's database: seeded as its marker says, without a trace of other tests."""
    marker = request.node.get_closest_marker("migrate")
    args, given = (marker.args, dict(marker.kwargs)) if marker else ((), {})
    if _OWN in request.fixturenames:
        given["isolation"] = "copy"
    with told():
        database = migrate_databases.give(args, given)
    request.node.add_report_section("setup", "migrate", database.about)
    yield database
    with told():
        migrate_databases.take_back(database)


@pytest.fixture
def migrate_engine(migrate_database: Database) -> sa.Engine:
    """Give a SQLAlchemy engine on a seeded database; what is committed is gone after the test."""
    return migrate_database.engine


@pytest.fixture
def migrate_connection(migrate_engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give a connection to a seeded database."""
    with migrate_engine.connect() as connection:
        yield connection


@pytest.fixture
def migrate_session(migrate_engine: sa.Engine) -> Iterator[Session]:
    """Give an ORM session on a seeded database."""
    from sqlalchemy.orm import Session

    with Session(migrate_engine) as session:
        yield session


@pytest.fixture
def migrate_url(migrate_database: Database) -> sa.URL:
    """Give the URL of a seeded database of this test's own, for what connects by itself."""
    return migrate_database.url


def setting(config: pytest.Config, name: str) -> Any:
    """Return what a flag says, else the ini option: `setting(config, "version")`."""
    return config.getoption(f"migrate_{name}") or config.getini(f"migrate_{name}")
