"""A small project on each engine, and an application with an account of its own that uses it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.backends import backend_for
from migrators.schema import load_schema
from tests import servers
from tests.acceptance.cheeseshop import Cheeseshop
from tests.acceptance.nights import _SCHEMA, _STEP

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = 20
PASSWORD = "canary"  # noqa: S105  of roles that a test makes and removes
_DOWN = '''\
"""2to1: parents lose their tier."""


def migrate(step, old, new):
    """Say what becomes of what."""
    step.drop(old.parents.c.tier, because="schema 1 has none")
'''
_ROLE = {
    "postgresql": (
        "CREATE ROLE \"{own}writer\" LOGIN PASSWORD 'canary'",
        'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{own}writer"',
    ),
    "mysql": (
        "CREATE USER '{own}writer'@'%%' IDENTIFIED BY 'canary'",
        "GRANT ALL ON `{own}%%`.* TO '{own}writer'@'%%'",
    ),
}
_GONE = {
    "postgresql": 'DROP ROLE IF EXISTS "{own}writer"',
    "mysql": "DROP USER IF EXISTS '{own}writer'@'%%'",
}


class Small(Cheeseshop):
    """Schemas 1 and 2, steps both ways, a database of version 1; `write` is the application's."""

    kind: str
    own: str

    def engine(self, version: int, *, administrator: bool = False) -> sa.Engine:
        """Return an engine of the application's, or of an administrator's."""
        url = self.project.url(version)
        if self.kind not in servers.SERVERS:
            return sa.create_engine(f"{url}?timeout=0.2", poolclass=sa.NullPool)
        if not administrator:
            url = url.set(username=f"{self.own}writer", password=PASSWORD)
        return sa.create_engine(servers.driven(url), poolclass=sa.NullPool)

    def write(self, version: int, *statements: str, administrator: bool = False) -> list[Any]:
        """Run SQL, committed; return the last statement's rows."""
        engine = self.engine(version, administrator=administrator)
        rows: list[Any] = []
        with engine.begin() as connection:
            for statement in statements:
                found = connection.exec_driver_sql(statement)
                rows = list(found.all()) if found.returns_rows else []
        return rows

    def may_write(self, version: int) -> bool:
        """Whether the application may add a row, which it takes away again."""
        row = "INSERT INTO children VALUES (900, 1, 'x')"
        try:
            self.write(version, row, "DELETE FROM children WHERE id = 900")
        except sa.exc.SQLAlchemyError:
            return False
        return True

    def rows(self, version: int, query: str) -> list[tuple[Any, ...]]:
        """Return rows, as an administrator sees them."""
        return [tuple(row) for row in self.write(version, query, administrator=True)]

    def access(self) -> Any:
        """Return who may use the database of version 1, in the server's own words."""
        if self.kind == "postgresql":
            name = f"{self.own}shop_v1"
            return self.rows(1, f"SELECT datacl::text FROM pg_database WHERE datname = '{name}'")
        return sorted(self.rows(1, f"SHOW GRANTS FOR '{self.own}writer'@'%%'"))

    @property
    def lasting(self) -> bool:
        """Whether a fence outlives the command."""
        return self.kind in servers.SERVERS


@contextmanager
def small(kind: str, root: Path) -> Iterator[Small]:
    """Give the project; what it made on a server is removed again."""
    if kind not in servers.SERVERS:
        yield _made(kind, root, "", f"sqlite:///{root}/shop_v{{version}}.db")
        return
    with servers.prefix(kind) as own:
        shown = servers.server_url(kind).set(database="DB").render_as_string(hide_password=False)
        servers.create_database(kind, f"{own}shop_v1")
        made = _made(kind, root, own, shown.replace("/DB", f"/{own}shop_v{{version}}"))
        try:
            made.write(1, *(s.format(own=own) for s in _ROLE[kind]), administrator=True)
            yield made
        finally:
            servers.drop_all(kind, own)
            with servers.maintenance(kind) as connection:
                connection.exec_driver_sql(_GONE[kind].format(own=own))


def _made(kind: str, root: Path, own: str, url: str) -> Small:
    made = Small(root)
    object.__setattr__(made, "kind", kind)
    object.__setattr__(made, "own", own)
    for folder in ("schemas", "migrators"):
        (root / folder).mkdir(parents=True)
    text = f'[tool.migrators]\nname = "{own}shop"\nurl = "{url}"\n'
    (root / "pyproject.toml").write_text(text)
    for version, more in ((1, ""), (2, '\n    sa.Column("tier", sa.String(9)),')):
        schema = _SCHEMA.format(version=version, more=more)
        (root / "schemas" / f"v{version}.py").write_text(schema)
    (root / "migrators" / "1to2.py").write_text(_STEP)
    (root / "migrators" / "2to1.py").write_text(_DOWN)
    _fill(made)
    return made


def _fill(made: Small) -> None:
    schema = load_schema(made.project, 1)
    engine = backend_for(made.project.url(1)).engine()
    with engine.begin() as connection:
        schema.metadata.create_all(connection)
        tables = schema.metadata.tables
        connection.execute(tables["parents"].insert(), [{"id": 1, "name": "parent"}])
        children = [{"id": i, "parent_id": 1, "note": f"é {i}"} for i in range(ROWS)]
        connection.execute(tables["children"].insert(), children)
    engine.dispose()
