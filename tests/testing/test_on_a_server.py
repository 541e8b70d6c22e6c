"""Fixtures go through a step on the server whose functions it uses."""

from __future__ import annotations

from hashlib import md5
from typing import TYPE_CHECKING

import pytest

from migrators.errors import Findings
from migrators.project import Project
from migrators.run import kept_at
from migrators.testing import steps
from tests import servers
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrators.run.kept import Kept
    from tests.served import Served

TABLE = """
t = sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(40), nullable=False))
"""
STEP = "step.table(new.t).values(name=sa.func.md5(old.t.c.name, type_=sa.String(40)))"
NEW = f'id,name\n1,"{md5(b"one", usedforsecurity=False).hexdigest()}"\n'


@pytest.fixture(params=list(servers.SERVERS))
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """A project with fixtures of version 1, and a step that only its server can run."""
    with served(str(request.param), tmp_path / "shop") as made:
        made.old(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL)",
            "INSERT INTO t VALUES (1, 'one')",
        )
        made.schema(TABLE)
        made.step(STEP)
        made.ran("extract", "1", "--to", str(made.root / "fixtures" / "v1"))
        yield made


def place(shop: Served) -> str:
    """Return the URL that scratch databases are named after: they go with the test."""
    return shop.url(1).replace("shop_v1", "scratch")


def kept_of(shop: Served) -> tuple[Project, Kept]:
    """Return what the ready-made tests have, where `migrate_urls` names the server."""
    project = Project.find(shop.root, environment={})
    return project, kept_at(project, project.moved(place(shop)).target(1))


def test_the_step_runs_where_it_is_said(shop: Served) -> None:
    """In a file it cannot, and what to type is said; nothing is left on the server."""
    done = shop.run("fixtures", "1to2")
    assert (done.code != 0, done.clear) == (True, True), done.said
    assert "migrate fixtures 1to2 --on " in done.said
    shop.ran("fixtures", "1to2", "--on", place(shop))
    assert (shop.root / "fixtures" / "v2" / "t.csv").read_text() == NEW
    left = [name for name in servers.names(shop.kind) if name.startswith(shop.own)]
    assert left == [shop.name(1)]


def test_the_ready_tests_run_there_too(shop: Served, tmp_path: Path) -> None:
    """On the kind of database that tests have; what writes the fixtures is said with it."""
    project, kept = kept_of(shop)
    with pytest.raises(Findings, match=r"t\.csv is missing") as told:
        steps.gives_the_next(project, 1, 2, kept, tmp_path)
    assert told.value.hint[0].startswith("migrate fixtures 1to2 --on ")


def test_a_check_has_no_server(shop: Served) -> None:
    """Nor does it need one."""
    assert "needs no server" in shop.run("fixtures", "check", "--on", place(shop)).said
