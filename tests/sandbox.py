"""A project in a temporary folder: two schemas, a step, an old database, and the command.

Tests of the engine say what differs and nothing else: columns as text, rows as SQL.
"""

from __future__ import annotations

import sqlite3
import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from migrators import plan as plans
from migrators.backends import backend_for
from migrators.events import silent
from migrators.project import Project
from migrators.run import Options, migrate
from migrators.schema import load_schema

if TYPE_CHECKING:
    from pathlib import Path

    from migrators.plan.model import Plan
    from migrators.receipt import Receipt

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

_PYPROJECT = """
[tool.migrators]
name = "shop"
url = "sqlite:///shop_v{version}.db"
"""

_SCHEMA = """
\"\"\"A schema.\"\"\"
import sqlalchemy as sa
from sqlalchemy import (
    JSON, BigInteger, Boolean, CheckConstraint, Column, Date, DateTime, Enum, Float, ForeignKey,
    ForeignKeyConstraint, Index, Integer, LargeBinary, Numeric, String, Table, Text, Time,
    UniqueConstraint, Uuid,
)

metadata = sa.MetaData()

def t(name, *items, **options):
    return Table(name, metadata, *items, **options)

"""

_STEP = """
\"\"\"A step.\"\"\"
import sqlalchemy as sa
from sqlalchemy import case, func, select
from migrators import rules

def migrate(step, old, new):
"""


@dataclass
class Sandbox:
    """A project at `root` that goes from schema 1 to schema 2."""

    root: Path

    @property
    def project(self) -> Project:
        """The project, read anew."""
        return Project.find(self.root, environment={})

    def database(self, version: int = 1) -> Path:
        """The database file of a version."""
        return self.root / f"shop_v{version}.db"

    def write(self, name: str, text: str) -> None:
        """Write a file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def schema(self, version: int, body: str) -> None:
        """Write a schema module; `body` has a call of `t(...)` per table."""
        self.write(f"schemas/v{version}.py", _SCHEMA.lstrip() + textwrap.dedent(body))

    def step(self, body: str, name: str = "1to2", *, before: str = "") -> None:
        """Write a step; `body` is what stands in `migrate`."""
        lines = textwrap.indent(textwrap.dedent(body), "    ") or "    pass\n"
        head, tail = _STEP.lstrip().split("\ndef migrate", 1)
        self.write(
            f"migrators/{name}.py",
            f"{head}\n{textwrap.dedent(before)}\ndef migrate{tail}{lines}\n",
        )

    def create(self, *statements: str, version: int = 1) -> None:
        """Create the old database from its schema, and run SQL in it."""
        schema = load_schema(self.project, version)
        engine = backend_for(self.project.url(version)).engine()
        schema.metadata.create_all(engine)
        engine.dispose()
        self.sql(*statements, version=version)

    def sql(self, *statements: str, version: int = 1) -> None:
        """Run SQL in a database."""
        with sqlite3.connect(self.database(version)) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    def rows(self, query: str, version: int = 2) -> list[tuple[Any, ...]]:
        """Return rows of a database, as SQLite holds them."""
        connection = sqlite3.connect(self.database(version))
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def plan(self, old: int = 1, new: int = 2) -> Plan:
        """Make the plan."""
        return plans.make(self.project, old, new, now=NOW)

    def migrate(self, old: int = 1, new: int = 2, **options: Any) -> Receipt:
        """Run `migrate 1to2`."""
        project = self.project
        return migrate(project, project.chain(old, new), Options(**options), emit=silent, at=NOW)


def sandbox(root: Path) -> Sandbox:
    """Return a sandbox at `root`."""
    made = Sandbox(root)
    made.write("pyproject.toml", _PYPROJECT)
    return made
