"""A project on a server: an old database by plain SQL, schemas frozen from it, the command."""

from __future__ import annotations

from contextlib import closing, contextmanager
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

_PYPROJECT = '[tool.migrators]\nname = "{own}shop"\nurl = "{url}shop_v{{version}}"\n'
_STEP = '"""A step."""\n\nimport sqlalchemy as sa\n\n\ndef migrate(step, old, new):\n    {}\n'


@dataclass(frozen=True)
class Served:
    """A project at `root` whose databases are on a server of a kind."""

    kind: str
    own: str
    root: Path

    def name(self, version: int) -> str:
        """Return the name of a version's database."""
        return f"{self.own}shop_v{version}"

    def old(self, *statements: str) -> None:
        """Create the database of version 1 by plain SQL."""
        servers.create_database(self.kind, self.name(1))
        self.rows(1, *statements)

    def rows(self, version: int, *statements: str) -> list[tuple[Any, ...]]:
        """Run SQL by the driver alone; return the last statement's rows."""
        url = servers.server_url(self.kind).set(database=self.name(version))
        found: list[tuple[Any, ...]] = []
        with closing(_connected(self.kind, url)) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                found = list(cursor.fetchall()) if cursor.description else []
        return found

    def run(self, *typed: str) -> Done:
        """Run a command."""
        return Cheeseshop(self.root).run(*typed)

    def ran(self, *typed: str) -> Done:
        """Run a command that must succeed."""
        return Cheeseshop(self.root).ran(*typed)

    def frozen(self) -> None:
        """Freeze schema 1 from the database, and let schema 2 be the same."""
        url = servers.server_url(self.kind).set(database=self.name(1))
        self.ran("freeze", "1", "--from", url.render_as_string(hide_password=False))
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


def _connected(kind: str, url: Any) -> Any:
    if kind == "postgresql":
        return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)
    return pymysql.connect(
        host=url.host, port=url.port or 3306, user=url.username, password=url.password or "",
        database=url.database, charset="utf8mb4", autocommit=True,
    )  # fmt: skip


@contextmanager
def served(kind: str, root: Path) -> Iterator[Served]:
    """Give a project on a server; its databases are dropped."""
    with servers.prefix(kind) as own:
        (root / "migrators").mkdir(parents=True)
        url = servers.server_url(kind).set(database=own).render_as_string(hide_password=False)
        (root / "pyproject.toml").write_text(_PYPROJECT.format(own=own, url=url))
        made = Served(kind, own, root)
        made.step()
        yield made
