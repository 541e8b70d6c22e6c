"""Alembic owns minors, migrate owns majors: the page that says how, typed line by line."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from migrators.project import Project
from migrators.schema import load_schema
from tests.markdown import blocks, edit, follow, typed

if TYPE_CHECKING:
    from tests.acceptance.cheeseshop import Cheeseshop

PAGE = Path(__file__).parents[2] / "docs" / "alembic.md"


def test_the_page_runs_and_alembic_goes_on_after_a_major(tmp_path: Path) -> None:
    """Minor by Alembic, major by migrate, minor by Alembic: each finds what the other made."""
    for block in blocks(PAGE):
        follow(block, tmp_path)
    assert rows(tmp_path / "shop_v2.db", "SELECT id, name, nickname, bio FROM users") == [
        (1, "Ann", None, None),
        (2, "Bob", None, None),
    ]
    heads = {
        version: rows(tmp_path / f"shop_v{version}.db", "SELECT * FROM alembic_version")
        for version in (1, 2)
    }
    assert heads == {1: [("b2",)], 2: [("d4",)]}
    (manifest,) = (tmp_path / ".migrate" / "runs").glob("*/extract-1to2/manifest.json")
    tables = [table["name"] for table in json.loads(manifest.read_text("utf-8"))["tables"]]
    assert tables == ["posts", "users"]
    assert differences(tmp_path, 2) == []


def test_alembic_does_not_make_a_major(tmp_path: Path) -> None:
    """`alembic upgrade head` on the old database stops at the revision of the major."""
    for block in blocks(PAGE):
        if "migrate freeze 2" in block.text:
            break
        if block.mark or block.first.startswith("$ alembic revision"):
            follow(replace(block, text=block.text.partition("$ migrate")[0]), tmp_path)
    edit(tmp_path / "shop/models.py", "-MAJOR = 2\n+MAJOR = 1")
    done = typed("alembic upgrade head", tmp_path)
    assert done.returncode != 0
    assert "schema 2 is made by: migrate 1to2" in done.stderr
    assert rows(tmp_path / "shop_v1.db", "SELECT * FROM alembic_version") == [("b2",)]


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_autogenerate_proposes_nothing(cheese: Cheeseshop, version: int) -> None:
    """A published database has what its schema says and nothing more: the stamp is a view."""
    cheese.ran("create", str(version))
    assert differences(cheese.root, version) == []
    assert rows(cheese.database(version), "SELECT version FROM migrate_stamp") == [(version,)]


def differences(root: Path, version: int) -> list[object]:
    """Return what Alembic's autogenerate would change in a published database."""
    project = Project.find(root, environment={})
    engine = sa.create_engine(project.url(version))
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(connection)
            return list(compare_metadata(context, load_schema(project, version).metadata))
    finally:
        engine.dispose()


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    """Return the rows of a query."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()
