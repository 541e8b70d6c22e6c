"""The databases of one test process: what each test asks for, given and taken back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from migrators.errors import MigrateError, NoServer
from migrators.project import Project
from migrators.run.fixtures import kept_at
from migrators.testing.asked import Asked, Defaults, asked, asked_url
from migrators.testing.plugin import setting
from migrators.testing.seeded import Copy, Seeded
from migrators.testing.seeding import instead, open_fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pytest
    import sqlalchemy as sa

    from migrators.run.kept import Kept
    from migrators.testing.shared import Shared


@dataclass(frozen=True)
class Database:
    """A test's database.

    Attributes
    ----------
    engine : sqlalchemy.Engine
    version : int
        Of its schema.
    about : str
        What it is, in words, for the report of a test that fails.
    """

    engine: sa.Engine
    version: int
    seeded: Seeded
    held: Shared | Copy
    about: str = ""

    @property
    def url(self) -> sa.URL:
        """Where it is; another connection sees what the engine committed if it is a copy."""
        return self.engine.url


_AT_ONCE = 2
"""Copies that are made and removed at a time: a server waits for its disk."""


class Databases:
    """The databases of a test process.

    Parameters
    ----------
    project : Project
    defaults : Defaults
        What flags and ini options say.
    """

    def __init__(self, project: Project, defaults: Defaults) -> None:
        self.project, self._defaults = project, defaults
        self._ahead = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="migrate-copies")
        self._seeded: dict[object, Seeded | MigrateError] = {}
        self._kept: dict[sa.URL, Kept] = {}
        self._silent: dict[sa.URL, NoServer] = {}

    @classmethod
    def of(cls, config: pytest.Config) -> Self:
        """Return those of a pytest session.

        Raises
        ------
        ProjectError
            Neither the root directory nor `migrate_project` is in a project.
        """
        return cls(
            project_of(config),
            Defaults(
                setting(config, "version"),
                setting(config, "isolation") or Defaults.isolation,
                setting(config, "urls"),
            ),
        )

    def give(self, args: Sequence[Any], given: Mapping[str, Any]) -> Database:
        """Return a database as a marker asks for it; errors as `seeding.seed`, and of servers."""
        wanted = asked(self.project, self._defaults, args, given)
        with self._asking(wanted.url):
            seeded = self._of(wanted)
            held = seeded.copy() if wanted.isolation == "copy" else seeded.shared()
            return Database(
                held.engine, seeded.version, seeded, held, self._about(wanted, seeded.version)
            )

    def _about(self, wanted: Asked, version: int) -> str:
        """Say which database it is: models of another version fail in SQL's words alone."""
        rows = f" of {', '.join(wanted.tables)}" if wanted.tables else ""
        said = f"{wanted.extract.name}: rows{rows} of schema version {version}"
        newest = self.project.versions()[-1]
        place = self.project.fixtures(newest)
        if version == newest or place.is_dir():
            return said
        return f"{said}; of {newest} there is none: {instead(self.project, place)}"

    @contextmanager
    def _asking(self, url: sa.URL) -> Iterator[None]:
        """Wait once for a server that does not answer: each test is told at once then."""
        if url in self._silent:
            raise self._silent[url]
        try:
            yield
        except NoServer as error:
            self._silent[url] = error
            raise

    def take_back(self, database: Database) -> None:
        """Undo what a test did.

        Raises
        ------
        UsageError
            It committed although it is rolled back; the next test has a new database.
        """
        if isinstance(database.held, Copy):
            database.seeded.give_back(database.held)
            return
        try:
            database.held.end()
        except BaseException:
            database.seeded.renew()
            raise

    def kept(self) -> Kept:
        """Return where databases of the default kind are made."""
        return self._kept_at(asked_url(self._defaults.urls))

    def close(self) -> None:
        """Remove all but the templates."""
        with self._ahead:
            for seeded in self._seeded.values():
                if isinstance(seeded, Seeded):
                    seeded.close()

    def _of(self, wanted: Asked) -> Seeded:
        key = wanted.extract, wanted.version, wanted.tables, wanted.url
        if key not in self._seeded:
            try:
                self._seeded[key] = self._made(wanted)
            except MigrateError as error:  # said again to each test that asks, at once
                self._seeded[key] = error
        found = self._seeded[key]
        if isinstance(found, MigrateError):
            raise found
        return found

    def _made(self, wanted: Asked) -> Seeded:
        reader = open_fixtures(self.project, wanted.extract, wanted.tables, wanted.version)
        return Seeded(reader, self._kept_at(wanted.url), self._ahead)

    def _kept_at(self, url: sa.URL) -> Kept:
        if url not in self._kept:
            self._kept[url] = kept_at(self.project, url)
        return self._kept[url]


def project_of(config: pytest.Config) -> Project:
    """Return the project that is tested."""
    return Project.find(config.rootpath / setting(config, "project"))
