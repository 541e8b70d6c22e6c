"""What a test leaves behind: nothing, whatever it commits, on each kind of database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from migrators.backends import kind_of
from migrators.errors import DatabaseError, UsageError
from migrators.testing import seeded, seeding
from tests import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.backends.interface import Backend
    from migrators.testing.seeding import Fixtures
    from migrators.testing.session import Database, Databases

COUNT = sa.text("SELECT count(*) FROM settings")
ROWS = 35
PUT = sa.text("INSERT INTO suppliers (id, name) VALUES (:id, :name)")
NAMES = sa.text("SELECT count(*) FROM suppliers WHERE id > 9000")
UTOPIA = sa.text("SELECT id FROM countries WHERE name = 'Utopia'")
CLEAR = sa.text("DELETE FROM settings")


@contextmanager
def given(databases: Databases, **marker: Any) -> Iterator[Database]:
    """What happens around a test: a database is given, and taken back."""
    database = databases.give((), {"version": 3, **marker})
    yield database
    databases.take_back(database)


def asked(engine: sa.Engine, query: Any) -> Any:
    """Ask by a connection of its own, as code under test does."""
    with engine.connect() as connection:
        return connection.execute(query).scalar()


@pytest.mark.parametrize("isolation", ["rollback", "copy"])
def test_what_one_test_commits_the_next_does_not_see(databases: Databases, isolation: str) -> None:
    """Committed by a session, seen by other connections, and gone with the test."""
    for _ in range(3):
        with given(databases, isolation=isolation) as database:
            assert asked(database.engine, COUNT) == ROWS
            with Session(database.engine) as session:
                session.execute(CLEAR)
                session.commit()
            assert asked(database.engine, COUNT) == 0


def test_what_code_rolls_back_is_gone_and_what_it_commits_stays(databases: Databases) -> None:
    """One connection after the other, as requests to an application."""
    with given(databases) as database:
        with Session(database.engine) as session:
            session.execute(PUT, {"id": 9001, "name": "kept"})
            session.commit()
            session.execute(PUT, {"id": 9002, "name": "lost"})
            session.rollback()
        assert asked(database.engine, NAMES) == 1


def test_a_reading_session_does_not_undo_what_another_commits(databases: Databases) -> None:
    """The test's session has read, the application commits, and the session is rolled back."""
    with given(databases) as database, Session(database.engine) as session:
        assert session.execute(NAMES).scalar() == 0
        with database.engine.begin() as connection:
            connection.execute(PUT, {"id": 9001, "name": "of the application"})
        session.rollback()
        assert session.execute(NAMES).scalar() == 1


def test_a_statement_that_fails_is_rolled_back_alone(databases: Databases) -> None:
    """An application that catches the error goes on, on a server that would refuse all more."""
    with given(databases) as database, Session(database.engine) as session:
        session.execute(PUT, {"id": 9001, "name": "kept"})
        session.commit()
        with pytest.raises(sa.exc.IntegrityError):
            session.execute(PUT, {"id": 9001, "name": "twice"})
        session.rollback()
        session.execute(PUT, {"id": 9002, "name": "after"})
        session.commit()
        assert asked(database.engine, NAMES) == 2


def test_a_savepoint_of_the_application_is_its_own(databases: Databases) -> None:
    """`begin_nested` inside of what is a savepoint already."""
    with given(databases) as database, Session(database.engine) as session:
        session.execute(PUT, {"id": 9001, "name": "kept"})
        inner = session.begin_nested()
        session.execute(PUT, {"id": 9002, "name": "lost"})
        inner.rollback()
        session.commit()
        assert asked(database.engine, NAMES) == 1


def test_a_savepoint_is_undone_whatever_another_connection_has_open(databases: Databases) -> None:
    """Its own, though the other has one of the same name; what that began inside goes on."""
    with given(databases) as database, Session(database.engine) as one:
        with Session(database.engine) as other:
            inner = one.begin_nested()
            one.execute(PUT, {"id": 9001, "name": "lost"})
            nested = other.begin_nested()
            assert other.execute(NAMES).scalar() == 1
            inner.rollback()
            nested.commit()
            other.commit()
            one.execute(PUT, {"id": 9002, "name": "kept"})
            one.commit()
        assert asked(database.engine, NAMES) == 1


def test_a_savepoint_that_others_have_written_in_is_refused_by_name(databases: Databases) -> None:
    """Rolled back, it would take with it what another connection has committed."""
    with given(databases) as database, Session(database.engine) as one:
        inner = one.begin_nested()
        one.execute(PUT, {"id": 9001, "name": "one"})
        with database.engine.begin() as other:
            other.execute(PUT, {"id": 9002, "name": "other"})
        inner.rollback()
        with pytest.raises(UsageError, match="another has committed"):
            one.execute(NAMES)


@pytest.mark.parametrize("beside", ["before", "after"])
def test_an_error_that_nobody_rolled_back_is_not_anothers(
    databases: Databases, beside: str
) -> None:
    """One connection's statement fails; another that is open, or opened then, goes on."""
    with (
        given(databases) as database,
        Session(database.engine) as failing,
        Session(database.engine) as other,
    ):
        failing.execute(PUT, {"id": 9001, "name": "kept"})
        failing.commit()
        if beside == "before":
            other.execute(PUT, {"id": 9002, "name": "other"})
        with pytest.raises(sa.exc.IntegrityError):
            failing.execute(PUT, {"id": 9001, "name": "twice"})
        other.execute(PUT, {"id": 9003, "name": "other"})
        other.commit()
        failing.rollback()
        assert failing.execute(NAMES).scalar() == 2 + (beside == "before")


def test_what_has_failed_takes_nothing_but_a_rollback(databases: Databases, kind: str) -> None:
    """Where a server says so: also after another connection has been let on."""
    with given(databases) as database, database.engine.connect() as failing:
        with pytest.raises(sa.exc.DBAPIError):
            failing.execute(sa.text("SELECT * FROM nowhere"))
        assert asked(database.engine, NAMES) == 0
        if kind_of(sa.make_url(f"{kind}://")).aborts:
            with pytest.raises(UsageError, match="nothing but a rollback"):
                failing.execute(NAMES)
            failing.rollback()
        assert failing.execute(NAMES).scalar() == 0


def test_a_result_that_is_half_read_is_in_nobodys_way(databases: Databases) -> None:
    """Another connection is opened and asked meanwhile."""
    settings = sa.text("SELECT * FROM settings")
    with given(databases) as database, database.engine.connect() as one:
        result = one.execute(settings)
        first = result.fetchone()
        assert asked(database.engine, COUNT) == ROWS
        assert [first, *result] == one.execute(settings).all()


def test_threads_share_the_connection(databases: Databases) -> None:
    """Those of a web server's pool: each has its own session, and all are of one test."""

    def request(number: int) -> None:
        for at in range(number, number + 20):
            with Session(database.engine) as session:
                assert len(session.execute(sa.text("SELECT * FROM settings")).all()) == ROWS
                session.execute(PUT, {"id": at, "name": f"supplier {at}"})
                session.commit()

    with given(databases) as database:
        with ThreadPoolExecutor(6) as threads:
            list(threads.map(request, range(9100, 9700, 100)))
        assert asked(database.engine, NAMES) == 120
    with given(databases) as database:
        assert asked(database.engine, NAMES) == 0


def test_what_an_application_does_to_each_connection_is_done_once(databases: Databases) -> None:
    """Its listener sets something outside of a transaction: all share one that is open."""
    told = []

    def connected(raw: Any, _record: Any) -> None:
        if hasattr(raw, "pgconn"):  # as SQLAlchemy's page on search_path says
            raw.autocommit = True
        raw.cursor().execute("PRAGMA foreign_keys = 1" if hasattr(raw, "backup") else "SELECT 1")
        raw.commit()
        if hasattr(raw, "pgconn"):
            raw.autocommit = False
        told.append(raw)

    with given(databases) as database:
        pass
    database.seeded.renew()
    sa.event.listen(sa.Engine, "connect", connected)
    try:
        with given(databases) as database:
            with Session(database.engine) as one, Session(database.engine) as other:
                one.execute(CLEAR)
                one.commit()
                assert other.scalar(COUNT) == 0
                assert len({id(raw) for raw in told}) == len(told)
            if database.engine.dialect.name == "sqlite":
                assert asked(database.engine, sa.text("PRAGMA foreign_keys")) == 1
    finally:
        sa.event.remove(sa.Engine, "connect", connected)
        database.seeded.renew()


def test_two_writers_at_once_are_refused_by_name(databases: Databases) -> None:
    """What is written and rolled back around another's commit would take that with it."""
    with given(databases) as database:
        with Session(database.engine) as first, Session(database.engine) as second:
            first.execute(PUT, {"id": 9001, "name": "first"})
            second.execute(PUT, {"id": 9002, "name": "second"})
            second.commit()
            first.rollback()
            with pytest.raises(UsageError, match="another has committed") as refused:
                second.execute(NAMES)
        assert 'isolation="copy"' in refused.value.hint[0]
    with given(databases) as database:
        assert asked(database.engine, NAMES) == 0


def test_a_session_left_open_is_no_error(databases: Databases) -> None:
    """Closed by nobody, with writes, below what another has committed."""
    with given(databases) as database:
        left = Session(database.engine)
        left.execute(PUT, {"id": 9001, "name": "left"})
        with database.engine.begin() as connection:
            connection.execute(CLEAR)
    with given(databases) as database:
        with pytest.raises(UsageError, match="earlier test"):
            left.execute(NAMES)
        left.close()
        assert asked(database.engine, NAMES) == 0
        assert asked(database.engine, COUNT) == ROWS


def test_what_is_committed_for_good_is_told_and_the_next_test_is_clean(
    databases: Databases,
) -> None:
    """By a COMMIT of its own; statements that alter tables do the same on some servers."""
    database = databases.give((), {"version": 3})
    connection = database.engine.connect()
    connection.execute(CLEAR)
    connection.exec_driver_sql("COMMIT")
    for end in (connection.close, lambda: databases.take_back(database)):
        with pytest.raises(UsageError, match="committed") as told:
            end()
        assert 'isolation="copy"' in told.value.hint[0]
    with given(databases) as again:
        assert asked(again.engine, COUNT) == ROWS


def test_a_connection_that_the_server_ended_is_told(databases: Databases, kind: str) -> None:
    """As what it is, and the next test has another one."""
    said = {"postgresql": "SELECT pg_backend_pid()", "mysql": "SELECT connection_id()"}
    end = {"postgresql": "SELECT pg_terminate_backend({})", "mysql": "KILL {}"}
    if kind not in said:
        pytest.skip("a file has no server")
    database = databases.give((), {"version": 3})
    number = asked(database.engine, sa.text(said[kind]))
    with database.engine.connect() as connection:
        connection.execute(CLEAR)
        with servers.maintenance(kind) as other:
            other.exec_driver_sql(end[kind].format(number))
        with pytest.raises(sa.exc.DBAPIError):
            connection.execute(COUNT)
    with pytest.raises(DatabaseError, match="the server ended the connection"):
        databases.take_back(database)
    with given(databases) as again:
        assert asked(again.engine, COUNT) == ROWS


def test_a_level_that_commits_by_itself_is_refused(databases: Databases) -> None:
    """AUTOCOMMIT would end the transaction that is rolled back."""
    with (
        given(databases) as database,
        database.engine.connect() as connection,
        pytest.raises(UsageError, match="AUTOCOMMIT"),
    ):
        connection.execution_options(isolation_level="AUTOCOMMIT")


# a database of the test's own ----------------------------------------------------------------


def test_a_copy_is_seen_by_any_connection(databases: Databases) -> None:
    """By one that the application opens itself; a test that is rolled back beside it is not."""
    with given(databases, isolation="copy") as copy, given(databases) as other:
        with copy.engine.begin() as connection:
            connection.execute(CLEAR)
        own = sa.create_engine(copy.url, poolclass=sa.NullPool)
        assert asked(own, COUNT) == 0
        assert asked(other.engine, COUNT) == ROWS


def test_a_copy_may_be_altered(databases: Databases) -> None:
    """Tables made and dropped, keys given: the next copy is as the first, its counters too."""
    seen = []
    for _ in range(2):
        with given(databases, isolation="copy") as copy, copy.engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO countries (name) VALUES ('Utopia')"))
            seen.append(connection.execute(UTOPIA).scalar())
            connection.execute(sa.text("CREATE TABLE more (id INTEGER)"))
            connection.execute(sa.text("DROP VIEW release_index"))
    assert len(set(seen)) == 1


def test_a_copy_is_never_loaded_anew(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is cloned, or filled again from the template, which takes a tenth of the time."""
    with given(databases, isolation="copy") as copy:
        waiting = copy.seeded._waiting
        real, loaded = seeding.fill, []

        def fill(reader: Fixtures, database: Backend) -> None:
            loaded.append(database.database)
            real(reader, database)

        assert all(each.result() for each in waiting)
        monkeypatch.setattr(seeded, "fill", fill)
    keys = set()
    for _ in range(3):
        with given(databases, isolation="copy") as again, again.engine.begin() as connection:
            connection.execute(CLEAR)
            connection.execute(sa.text("INSERT INTO countries (name) VALUES ('Utopia')"))
            keys.add(connection.execute(UTOPIA).scalar())
    assert all(each.result() for each in waiting)
    assert (loaded, len(keys)) == ([], 1)


def test_triggers_are_there_and_have_not_fired_on_the_rows(databases: Databases) -> None:
    """A file added dates its project to today; those of the fixtures did not."""
    dated = sa.text("SELECT count(*) FROM projects WHERE last_updated > '2025-01-01'")
    for isolation in ("rollback", "copy", "copy", "copy"):
        with given(databases, isolation=isolation) as database:
            before = asked(database.engine, dated)
            with database.engine.begin() as connection:
                connection.execute(
                    sa.text(
                        "INSERT INTO files (release_id, filename) "
                        "SELECT min(id), 'new.tar.gz' FROM releases"
                    )
                )
            assert asked(database.engine, dated) == before + 1


def test_two_versions_at_once(databases: Databases) -> None:
    """Each test has the version that it asks for, whatever another has at the moment."""
    with given(databases, version=2) as two, given(databases, version=3) as three:
        assert (two.version, three.version) == (2, 3)
        assert asked(two.engine, sa.text("SELECT count(*) FROM packages")) > 0
        assert asked(three.engine, sa.text("SELECT count(*) FROM projects")) > 0
