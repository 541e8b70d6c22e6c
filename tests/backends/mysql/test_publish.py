"""Publishing: tables move in one act, the rest is made anew, a crash anywhere is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from migrators.backends.interface import Stamp
from migrators.backends.mysql import connect, events
from migrators.backends.mysql import stamp as stamps
from migrators.errors import TargetExists

if TYPE_CHECKING:
    from migrators.backends.mysql import MySQLBackend
    from tests.backends.mysql.conftest import Server

AFTER = """
CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2;
CREATE VIEW z_all AS SELECT id, name, twice(id) AS two FROM t;
CREATE VIEW a_all AS SELECT id, name, two FROM z_all;
CREATE TRIGGER t_trim BEFORE INSERT ON t FOR EACH ROW
BEGIN
    IF NEW.name = '' THEN SET NEW.name = 'it''s \\'nothing\\''; END IF;
END;
CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY DO DELETE FROM t WHERE id < 0;
"""


class Crash(BaseException):
    """The process ends here."""


SMALL = (
    "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(40), t_id INT REFERENCES t (id))",
    "CREATE VIEW a_all AS SELECT id, name, id * 2 AS two FROM t",
    "CREATE TRIGGER t_trim BEFORE INSERT ON t FOR EACH ROW "
    "SET NEW.name = IF(NEW.name = '', 'it''s \\'nothing\\'', NEW.name)",
)
WAITING = (
    "CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM t WHERE id < 0",
    f"CREATE TABLE {events.HELD} AS SELECT 'tidy' AS name",
)
RUNS = """
SELECT event_name, status FROM information_schema.events WHERE event_schema = database()
"""


def small(server: Server, name: str, version: int, *more: str) -> MySQLBackend:
    """Create a stamped database by plain SQL: each statement of it costs time, here."""
    return server.database(name, *SMALL, *more, stamps.statement(Stamp(version, "f")))


def made(server: Server, database: MySQLBackend, version: int, after: str = AFTER) -> MySQLBackend:
    """Create and stamp a staging database."""
    metadata = sa.MetaData()
    sa.Table(
        "t",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(40)),
        sa.Column("t_id", sa.ForeignKey("t.id")),
    )
    schema = server.schema(metadata, after={"mysql": AFTER})
    database.create(schema)
    database.finish(schema, {})
    database.write_stamp(Stamp(version, "f"))
    return database


def works(server: Server, name: str) -> bool:
    """Whether tables, views, function, trigger and foreign key of a database are all there."""
    found = server.run(
        name,
        "INSERT INTO t VALUES (7, '', NULL)",
        "SELECT two, name FROM a_all",
    )
    with pytest.raises(Exception, match="foreign key"):
        server.run(name, "INSERT INTO t VALUES (8, 'x', 99)")
    server.run(name, "DELETE FROM t")
    return found == ((14, "it's 'nothing'"),)


@pytest.mark.fault("F76")
def test_everything_comes_along(server: Server) -> None:
    """Views over views, a function, a trigger with quotes, a foreign key to its own table."""
    new = server.backend()
    before = made(server, new.staging("r1"), 3).catalog()
    new.publish(new.staging("r1"))
    assert new.catalog() == before
    assert works(server, "shop_v3")
    assert server.run("shop_v3", RUNS) == (("tidy", "ENABLED"),)
    assert not new.staging("r1").exists()


def test_a_version_is_set_aside_with_everything(server: Server) -> None:
    """Both versions work, each under its name, and the stamps say which is which."""
    new = server.backend()
    for run, version in (("r1", 3), ("r2", 4)):
        made(server, new.staging(run), version)
    new.publish(new.staging("r1"))
    with pytest.raises(TargetExists, match="nothing was overwritten"):
        new.publish(new.staging("r2"))
    new.publish(new.staging("r2"), aside=new.aside("r2"))
    stamps = [database.stamp() for database in (new, new.aside("r2"))]
    assert [stamp.version for stamp in stamps if stamp] == [4, 3]
    assert works(server, "shop_v3")
    assert works(server, "shop_v3__was_r2")


@pytest.mark.parametrize("replaced", [False, True], ids=["new", "replaced"])
@pytest.mark.fault("H92")
def test_after_a_crash_anywhere_the_name_is_absent_or_complete(
    server: Server, monkeypatch: pytest.MonkeyPatch, *, replaced: bool
) -> None:
    """Each statement of a publish fails once; what is found then works, and it ends well."""
    ends: set[int] = set()
    for statement in range(1, 60):
        new = server.backend(f"n{statement}")
        if replaced:
            small(server, f"n{statement}", 3)
        staging = small(server, f"n{statement}__loading_r1", 4, *(() if replaced else WAITING))
        aside = new.aside("r1") if replaced else None
        if not interrupted(monkeypatch, statement, lambda: new.publish(staging, aside=aside)):  # noqa: B023
            break
        new.recover()
        stamp = new.stamp() if new.exists() else None
        found = stamp.version if stamp else 0
        ends.add(found)
        if found != 4:
            assert found == (3 if replaced else 0)
            new.publish(staging, aside=aside)
        assert works(server, f"n{statement}")
        assert replaced or server.run(f"n{statement}", RUNS) == (("tidy", "ENABLED"),)
        assert not staging.exists()
    assert ends == ({3, 4} if replaced else {0, 4})


def interrupted(monkeypatch: pytest.MonkeyPatch, at: int, work: Any) -> bool:
    """Run something that ends at its nth statement; whether it came so far."""
    run, seen = connect.run, 0

    def counted(connection: Any, statement: str) -> None:
        nonlocal seen
        seen += 1
        if seen == at:
            raise Crash
        run(connection, statement)

    with monkeypatch.context() as patched:
        patched.setattr(connect, "run", counted)
        try:
            work()
        except Crash:
            return True
    return False


def test_discarding_a_half_published_database_finishes_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables that were moved are not left without their views and their stamp."""
    new = server.backend()
    staging = made(server, new.staging("r1"), 3)
    for statement in range(1, 30):
        assert interrupted(monkeypatch, statement, lambda: new.publish(staging))
        if new.exists():
            break
    staging.discard()
    stamp = new.stamp()
    assert stamp is not None
    assert stamp.version == 3
    assert works(server, "shop_v3")


def test_an_empty_database_of_an_administrator_is_loaded_into(server: Server) -> None:
    """It does not count as taken; one with a table in it does."""
    new = server.database()
    assert not new.exists()
    made(server, new.staging("r1"), 3)
    new.publish(new.staging("r1"))
    assert new.exists()
