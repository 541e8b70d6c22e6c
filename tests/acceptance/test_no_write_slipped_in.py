"""Writes while a run is on: what was stored decides, and not what merely moved."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from migrators.backends.postgresql import content
from migrators.errors import Findings
from migrators.events import Event, StageDone, StageStarted
from migrators.run import Options, migrate
from tests.acceptance.engines import ENGINES
from tests.acceptance.small import ROWS, Small, small

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import sqlalchemy as sa

    from migrators.backends.model import Contents
    from migrators.receipt import Receipt


@pytest.fixture(params=ENGINES)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Small]:
    """A project with a database of version 1."""
    with small(str(request.param), tmp_path / "shop") as made:
        yield made


def meanwhile(
    shop: Small, act: Callable[[], object], stage: str = "extract", **options: Any
) -> Receipt:
    """Run the step; when a stage is done, do something else."""

    def emit(event: Event) -> None:
        if isinstance(event, StageDone) and event.stage == stage:
            act()

    return migrate(shop.project, [(1, 2)], Options(**options), emit=emit)


WRITES = {
    "insert": "INSERT INTO children VALUES (900, 1, 'x')",
    "update": "UPDATE children SET note = 'other' WHERE id = 3",
    "delete": "DELETE FROM children WHERE id = 3",
    "everything": "DELETE FROM children",
    "new table": "CREATE TABLE more (id int)",
    "new column": "ALTER TABLE children ADD COLUMN more int",
    "index": "CREATE INDEX ix_more ON children (note)",
}


@pytest.mark.parametrize("case", WRITES)
@pytest.mark.fault("G85", "G86")
def test_what_changes_anything_stops_the_run(shop: Small, case: str) -> None:
    """Rows or structure: exit 3, nothing published, and what keeps writers out is said."""
    with pytest.raises(Findings, match="written to while it was migrated") as told:
        meanwhile(shop, lambda: shop.write(1, WRITES[case], administrator=True))
    place = "its catalogue" if case in ("new table", "new column", "index") else "children"
    assert (place in told.value.message) == (shop.kind != "sqlite")
    said = "\n".join(told.value.hint)
    assert "--fence" in said
    assert "between this look and the publish" in said
    assert "--accept-unfenced" in said
    assert told.value.exit_code == 3
    done = shop.run("status", "--json")
    assert [v["exists"] for v in json.loads(done.out)["versions"]] == [True, False]


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
@pytest.mark.fault("G85")
def test_a_truncate_stops_the_run(tmp_path: Path, kind: str) -> None:
    """No counter of rows moves."""
    with small(kind, tmp_path / "shop") as shop:
        done = pytest.raises(Findings, match="written to while")
        with done:
            meanwhile(shop, lambda: shop.write(1, "TRUNCATE children", administrator=True))


def test_a_write_that_was_rolled_back_stops_nothing(shop: Small) -> None:
    """Counters of the server have moved; nothing is stored."""

    def insert() -> None:
        engine = shop.engine(1)
        with engine.connect() as connection:
            connection.exec_driver_sql(WRITES["insert"])
            connection.rollback()

    assert meanwhile(shop, insert).outcome == "published"
    assert shop.rows(2, "SELECT count(*) FROM children") == [(ROWS,)]


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
@pytest.mark.parametrize("statement", ["UPDATE children SET note = note", "REBUILD"])
def test_a_write_that_changes_nothing_stops_nothing(
    tmp_path: Path, kind: str, statement: str
) -> None:
    """The same content, in new rows or a new file; of a SQLite file each byte counts."""
    cluster = "CLUSTER children USING ix_parent; ALTER TABLE children SET WITHOUT CLUSTER"
    rebuild = {"postgresql": cluster, "mysql": "ALTER TABLE children ENGINE = InnoDB"}
    text = rebuild[kind] if statement == "REBUILD" else statement
    with small(kind, tmp_path / "shop") as shop:
        done = meanwhile(shop, lambda: shop.write(1, text, administrator=True))
        assert done.outcome == "published"


def test_a_write_into_a_wal_stops_the_run(tmp_path: Path) -> None:
    """The main file has not changed by one byte."""
    with small("sqlite", tmp_path / "shop") as shop:
        path = shop.root / "shop_v1.db"
        with closing(sqlite3.connect(path)) as live:
            live.execute("PRAGMA journal_mode = wal")
            live.execute("PRAGMA wal_autocheckpoint = 0")
            before = path.read_bytes()

            def insert() -> None:
                live.execute(WRITES["insert"])
                live.commit()

            with pytest.raises(Findings, match="written to while"):
                meanwhile(shop, insert)
            assert path.read_bytes() == before


def test_an_accepted_write_is_on_record(shop: Small) -> None:
    """Published without it; receipt, journal and page say so, and the version is stale."""

    def act() -> None:
        shop.write(1, WRITES["insert"])

    receipt = meanwhile(shop, act, accept_unfenced=True)
    assert receipt.outcome == "published"
    assert "as accepted" in receipt.written
    assert [x["what"] for j in shop.journals() for x in j].count("written") == 1
    assert shop.rows(2, "SELECT count(*) FROM children") == [(ROWS,)]
    done = shop.run("1to2")
    assert (done.code, "stale" in done.said) == (3, True)


def test_without_a_fence_a_write_after_the_last_look_is_found_by_the_next_run(shop: Small) -> None:
    """It was published already: the next command says stale. Under a fence it is impossible."""

    def act() -> None:
        shop.write(1, WRITES["insert"])

    assert meanwhile(shop, act, stage="still").outcome == "published"
    done = shop.run("1to2")
    assert (done.code, "stale" in done.said) == (3, True)


def test_under_a_fence_what_was_rolled_back_stops_nothing(tmp_path: Path) -> None:
    """An administrator passes, and moves counters: a digest tells that nothing is stored."""
    with small("postgresql", tmp_path / "shop") as shop:

        def insert() -> None:
            engine = shop.engine(1, administrator=True)
            with engine.connect() as connection:
                connection.exec_driver_sql(WRITES["insert"])
                connection.rollback()

        assert meanwhile(shop, insert, fence=True).outcome == "published"


def test_under_a_fence_the_old_database_is_not_read_a_second_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fence is the proof: a pass over the old database less."""
    with small("postgresql", tmp_path / "shop") as shop:
        passes: list[str] = []
        stages: list[str] = []
        contents = content.contents

        def counted(url: sa.URL) -> Contents:
            if url == shop.project.url(1):
                passes.append(stages[-1] if stages else "before")
            return contents(url)

        def emit(event: Event) -> None:
            if isinstance(event, StageStarted):
                stages.append(event.stage)

        monkeypatch.setattr(content, "contents", counted)
        migrate(shop.project, [(1, 2)], Options(fence=True), emit=emit)
        assert "still" in stages
        assert passes == ["fence"]
