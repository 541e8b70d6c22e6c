"""A project on any database: an old one by plain SQL, schemas frozen from it, the command."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
import pymysql

from tests import servers
from tests.acceptance.cheeseshop import Cheeseshop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.cheeseshop import Done

KINDS = ("sqlite", "postgresql", "mysql")
"""Databases that are tested; the one that answers as mysql is a MariaDB."""
_PYPROJECT = '[tool.migrators]\nname = "{own}shop"\nurl = "{url}"\n'
_STEP = '"""A step."""\n\nimport sqlalchemy as sa\n\n\ndef migrate(step, old, new):\n    {}\n'


@dataclass(frozen=True)
class Served:
    """A project at `root` whose databases are of a kind; SQLite's lie beside it."""

    kind: str
    own: str
    root: Path

    def name(self, version: int) -> str:
        """Return the name of a version's database."""
        return f"{self.own}shop_v{version}"

    def url(self, version: int) -> str:
        """Return the URL of a version's database, as a person writes it."""
        if self.kind == "sqlite":
            return f"sqlite:///{self.root / self.name(version)}.db"
        url = servers.server_url(self.kind).set(database=self.name(version))
        return url.render_as_string(hide_password=False)

    def old(self, *statements: str) -> None:
        """Create the database of version 1 by plain SQL."""
        if self.kind != "sqlite":
            servers.create_database(self.kind, self.name(1))
        self.rows(1, *statements)

    def rows(self, version: int, *statements: str) -> list[tuple[Any, ...]]:
        """Run SQL by the driver alone; return the last statement's rows."""
        found: list[tuple[Any, ...]] = []
        with closing(connected(self, version)) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
                found = list(cursor.fetchall()) if cursor.description else []
            cursor.close()
        return found

    def quoted(self, name: str) -> str:
        """Return an identifier for SQL."""
        mark = "`" if self.kind == "mysql" else '"'
        return mark + name.replace(mark, mark * 2) + mark

    def exists(self, version: int) -> bool:
        """Return whether a version's database is there."""
        if self.kind == "sqlite":
            return (self.root / f"{self.name(version)}.db").exists()
        return self.name(version) in servers.names(self.kind)

    def run(self, *typed: str) -> Done:
        """Run a command."""
        return Cheeseshop(self.root).run(*typed)

    def ran(self, *typed: str) -> Done:
        """Run a command that must succeed."""
        return Cheeseshop(self.root).ran(*typed)

    def frozen(self) -> None:
        """Freeze schema 1 from the database, and let schema 2 be the same."""
        self.ran("freeze", "1", "--from", self.url(1))
        self.same()

    def schema(self, body: str) -> None:
        """Write schema 1 by hand, and let schema 2 be the same."""
        folder = self.root / "schemas"
        folder.mkdir(exist_ok=True)
        head = (
            '"""S."""\nimport sqlalchemy as sa\nfrom sqlalchemy.dialects import mysql, postgresql'
        )
        (folder / "v1.py").write_text(f"{head}\nmetadata = sa.MetaData()\n{body}\n")
        self.same()

    def same(self) -> None:
        """Let schema 2 be schema 1."""
        for file in (self.root / "schemas").glob("v1.*"):
            file.with_name(f"v2{file.name[2:]}").write_text(file.read_text())

    def step(self, body: str = "pass") -> None:
        """Write the step 1to2."""
        (self.root / "migrators" / "1to2.py").write_text(_STEP.format(body))


def connected(made: Served, version: int) -> Any:
    """Return a connection of the driver alone, in autocommit."""
    if made.kind == "sqlite":
        return sqlite3.connect(made.root / f"{made.name(version)}.db", isolation_level=None)
    if made.kind == "postgresql":
        return psycopg.connect(made.url(version), autocommit=True)
    url = servers.server_url(made.kind).set(database=made.name(version))
    return pymysql.connect(
        host=url.host, port=url.port or 3306, user=url.username, password=url.password or "",
        database=url.database, charset="utf8mb4", autocommit=True, ssl_disabled=True,
    )  # fmt: skip


@contextmanager
def served(kind: str, root: Path) -> Iterator[Served]:
    """Give a project of databases of a kind; those on a server are dropped."""
    (root / "migrators").mkdir(parents=True)
    with servers.prefix(kind) if kind != "sqlite" else nullcontext("") as own:
        made = Served(kind, own, root)
        url = made.url(1).replace("shop_v1", "shop_v{version}")
        (root / "pyproject.toml").write_text(_PYPROJECT.format(own=own, url=url))
        made.step()
        yield made
