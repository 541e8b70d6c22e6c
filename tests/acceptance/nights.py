"""A small project whose databases are on a server, worked on by a role that is no superuser."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.backends import backend_for
from migrators.schema import load_schema
from tests import servers
from tests.acceptance.cheeseshop import Cheeseshop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVED = ("postgresql", "mysql")
CANARY = "canary-9f3a"
"""In the password of the project's role, and so in whatever shows it, however spelled."""
PASSWORD = f"p@/{CANARY}"
ROWS = 40

_PYPROJECT = """\
[tool.migrators]
name = "{own}shop"
url = "{url}"
"""
_SCHEMA = '''\
"""Schema {version}."""

import sqlalchemy as sa

metadata = sa.MetaData()
sa.Table(
    "parents",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(60), nullable=False),{more}
)
sa.Table(
    "children",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column(
        "parent_id", sa.Integer, sa.ForeignKey("parents.id", name="fk_parent"), nullable=False
    ),
    sa.Column("note", sa.String(200)),
    sa.Index("ix_parent", "parent_id"),
)
'''
_STEP = '''\
"""1to2: parents have a tier."""


def migrate(step, old, new):
    """Say what becomes of what."""
    step.table(new.parents).values(tier="basic")
'''
_ROLE = {
    "postgresql": ("CREATE ROLE \"{own}app\" LOGIN CREATEDB PASSWORD '{password}'",),
    "mysql": (
        "CREATE USER '{own}app'@'%%' IDENTIFIED BY '{password}'",
        "GRANT ALL ON `{own}%%`.* TO '{own}app'@'%%'",
    ),
}
_CREATE = {
    "postgresql": 'CREATE DATABASE "{name}" OWNER "{own}app"{like}',
    "mysql": "CREATE DATABASE `{name}`{like}",
}
_GONE = {
    "postgresql": 'DROP ROLE IF EXISTS "{own}{role}"',
    "mysql": "DROP USER IF EXISTS '{own}{role}'@'%%'",
}
_SESSIONS = {
    "postgresql": (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE usename = '{own}app' AND pid <> pg_backend_pid()"
    ),
    "mysql": "SELECT id FROM information_schema.processlist WHERE user = '{own}app'",
}


class Night(Cheeseshop):
    """The project: schema 1 and 2, a step, and a database of version 1 with a few rows."""

    kind: str
    own: str

    @property
    def address(self) -> sa.URL:
        """The URL of version 1, as the project has it."""
        return self.project.url(1)

    def name(self, version: int = 1) -> str:
        """Return the name of a version's database."""
        return f"{self.own}shop_v{version}"

    def there(self) -> list[str]:
        """Return the endings of the names of the project's databases."""
        return sorted(n.removeprefix(self.own) for n in servers.names(self.kind)
                      if n.startswith(self.own))  # fmt: skip

    def admin(self, *statements: str, version: int | None = None) -> list[Any]:
        """Run SQL as the server's superuser, perhaps in a version's database."""
        url = servers.driven(servers.server_url(self.kind))
        url = url if version is None else url.set(database=self.name(version))
        if self.kind == "postgresql":  # a database of no encoding gives bytes
            url = url.update_query_dict({"client_encoding": "UTF8"})
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        rows: list[Any] = []
        with engine.connect() as connection:
            for statement in statements:
                found = connection.exec_driver_sql(statement)
                rows = list(found.all()) if found.returns_rows else []
        engine.dispose()
        return rows

    def end_sessions(self) -> None:
        """End every session of the project's role, as a server that falls over would."""
        found = self.admin(_SESSIONS[self.kind].format(own=self.own))
        if self.kind == "mysql":
            for (number,) in found:
                with_nobody = f"BEGIN NOT ATOMIC DECLARE CONTINUE HANDLER FOR 1094 BEGIN END; KILL {number}; END"  # noqa: E501
                self.admin(with_nobody)

    def where(self, **changed: Any) -> str:
        """Return the URL template with something changed, to type behind --url."""
        url = self.address._replace(database="DB", **changed).render_as_string(hide_password=False)
        return url.replace("/DB", f"/{self.own}shop_v{{version}}")

    def count(self, version: int, table: str = "children") -> int:
        """Return how many rows a table of a version has."""
        return int(self.admin(f"SELECT count(*) FROM {table}", version=version)[0][0])


@contextmanager
def night(kind: str, root: Path, *, rows: int = ROWS, like: str = "") -> Iterator[Night]:
    """Give a project with databases and a role of its own, which are removed again.

    Parameters
    ----------
    like : str
        What CREATE DATABASE says besides, for version 1.
    """
    with servers.prefix(kind) as own:
        made = Night(root)
        object.__setattr__(made, "kind", kind)
        object.__setattr__(made, "own", own)
        url = servers.server_url(kind).set(
            database="DB", username=f"{own}app", password=PASSWORD
        ).render_as_string(hide_password=False)  # fmt: skip
        for folder in ("schemas", "migrators"):
            (root / folder).mkdir(parents=True)
        text = _PYPROJECT.format(own=own, url=url.replace("/DB", f"/{own}shop_v{{version}}"))
        (root / "pyproject.toml").write_text(text)
        for version, more in ((1, ""), (2, '\n    sa.Column("tier", sa.String(9)),')):
            schema = _SCHEMA.format(version=version, more=more)
            (root / "schemas" / f"v{version}.py").write_text(schema)
        (root / "migrators" / "1to2.py").write_text(_STEP)
        for statement in _ROLE[kind]:
            made.admin(statement.format(own=own, password=PASSWORD))
        try:
            made.admin(_CREATE[kind].format(name=made.name(), own=own, like=like))
            _fill(made, rows)
            yield made
        finally:
            servers.drop_all(kind, own)
            for role in ("app", "other"):
                made.admin(_GONE[kind].format(own=own, role=role))


def _fill(made: Night, rows: int) -> None:
    schema = load_schema(made.project, 1)
    engine = backend_for(made.address).engine()
    with engine.begin() as connection:
        schema.metadata.create_all(connection)
        parents = [{"id": i, "name": f"parent {i}"} for i in range(1, 4)]
        children = [{"id": i, "parent_id": i % 3 + 1, "note": f"é {i}"} for i in range(rows)]
        connection.execute(schema.metadata.tables["parents"].insert(), parents)
        connection.execute(schema.metadata.tables["children"].insert(), children)
    engine.dispose()
