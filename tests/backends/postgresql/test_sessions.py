"""Sessions: pinned whatever a role or a database says; failures as errors of ours."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from migrators.backends import backend_for
from migrators.backends.interface import ReadColumn, ReadQuery
from migrators.backends.postgresql.connect import arguments
from migrators.backends.postgresql.language import sql
from migrators.errors import DatabaseError, Locked, UsageError
from migrators.stream import ahead
from migrators.types import describe
from tests.backends.postgresql.conftest import KIND, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.backends.postgresql.conftest import Server

HOSTILE = {
    "DateStyle": "'German, DMY'",
    "IntervalStyle": "'sql_standard'",
    "TimeZone": "'Asia/Kathmandu'",
    "bytea_output": "'escape'",
    "extra_float_digits": "-15",
    "search_path": "'nowhere'",
    "statement_timeout": "5",
    "default_transaction_read_only": "on",
    "standard_conforming_strings": "off",
    "client_encoding": "'LATIN1'",
    "xmlbinary": "'hex'",
    "row_security": "on",
}


@pytest.mark.fault("C45")
def test_settings_of_role_and_database_change_nothing(server: Server) -> None:
    """The same bytes, under settings that write every value otherwise."""
    database = server.database(
        "shop_v3",
        "CREATE TABLE t (id int, d date, s timestamptz, b bytea, f float8, i interval, x text)",
        r"INSERT INTO t VALUES (1, '2024-02-03', '2024-02-03 04:05:06+00', '\x00ff', 0.1,"
        r" 'P1DT2H', E'\\é')",
    )
    columns: dict[str, sa.types.TypeEngine[Any]] = {
        "id": sa.Integer(),
        "d": sa.Date(),
        "s": sa.DateTime(timezone=True),
        "b": sa.LargeBinary(),
        "f": sa.Double(),
        "i": sa.Interval(),
        "x": sa.Text(),
    }
    before = read(database, "SELECT * FROM t", columns)
    for name, value in HOSTILE.items():
        server.admin(f'ALTER DATABASE "{database.database}" SET {name} = {value}')
    assert read(database, "SELECT * FROM t", columns) == before
    digest = database.digest()
    assert database.digest() == digest


@pytest.mark.fault("F77")
def test_rows_that_a_policy_hides_are_an_error(server: Server) -> None:
    """An extract without them would be incomplete, and nothing would tell."""
    role = server.role("app")
    server.database(
        "shop_v3",
        "CREATE TABLE t (id int)",
        "INSERT INTO t VALUES (1), (2)",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY p ON t USING (id = 1)",
        f'GRANT SELECT ON t TO "{role}"',
    )
    with pytest.raises(DatabaseError, match="row-level security"):
        read(server.backend(username=role), "SELECT id FROM t", {"id": sa.Integer()})


def test_text_compares_by_bytes_whatever_the_locale() -> None:
    """Order, LIKE, literals with backslashes and percent signs; letters keep their locale."""
    table = sa.table("t", sa.column("a", sa.Text), sa.column("b%(x)s", sa.Integer))
    a = table.c.a
    assert sql(sa.select(a).where(a > "x\\y'%d:e").order_by(a.desc())).split("\n") == [
        'SELECT t.a COLLATE "C" ',
        "FROM t ",
        "WHERE t.a COLLATE \"C\" > 'x\\y''%d:e' ORDER BY t.a COLLATE \"C\" DESC",
    ]
    assert sql(sa.func.lower(a)) == 'pg_catalog.lower(t.a) COLLATE "C"'
    assert sql(a.ilike("É%")) == "t.a ILIKE 'É%'"
    assert sql(sa.func.aggregate_strings(a, ", ")) == "string_agg(t.a COLLATE \"C\", ', ')"
    assert sql(a.is_(None)) == "t.a IS NULL"
    assert sql((a > "b").is_not(True)) == "(t.a COLLATE \"C\" > 'b') IS NOT true"
    assert sql(sa.and_(a.is_not(None), a == "x")) == "t.a IS NOT NULL AND t.a COLLATE \"C\" = 'x'"
    assert sql(sa.cast(table.c["b%(x)s"], sa.Text)) == 'CAST(t."b%(x)s" AS TEXT) COLLATE "C"'
    kinds = sa.table("t", sa.column("e", sa.Enum("a", name="kind")), sa.column("u", sa.Uuid))
    assert "COLLATE" not in sql(sa.select(kinds))


def test_text_is_ordered_by_bytes(server: Server) -> None:
    """In a database whose own order is another, and where text equals what it is not."""
    server.admin(
        f'CREATE DATABASE "{server.own}icu" TEMPLATE template0 ENCODING UTF8 LOCALE_PROVIDER icu'
        " ICU_LOCALE 'en-US' LOCALE 'C.UTF-8'"
    )
    server.run(
        "icu",
        "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        "CREATE TABLE t (id int, v text, w text COLLATE ci)",
        "INSERT INTO t VALUES (1, 'a', 'A'), (2, 'B', 'a'), (3, 'Z', 'b'), (4, 'é', 'B')",
    )
    table = sa.table(
        "t", sa.column("id", sa.Integer), sa.column("v", sa.Text), sa.column("w", sa.Text)
    )
    backend = server.backend("icu")

    def rows(query: Any) -> list[tuple[object, ...]]:
        with backend.snapshot(server.folder) as snapshot:
            return snapshot.rows(backend.sql(query))

    assert rows(sa.select(table.c.v).order_by(table.c.v)) == [("B",), ("Z",), ("a",), ("é",)]
    assert rows(sa.select(sa.func.count()).where(table.c.w == "a")) == [(1,)]
    grouped = sa.select(table.c.w, sa.func.count()).group_by(table.c.w).order_by(table.c.w)
    assert rows(grouped) == [("A", 1), ("B", 1), ("a", 1), ("b", 1)]
    assert rows(sa.select(sa.func.upper(table.c.v)).where(table.c.id == 4)) == [("É",)]


def test_a_server_that_is_not_there() -> None:
    """Host and port are named, the password is not."""
    url = sa.make_url("postgresql://app:hunter2@127.0.0.1:1/shop_v3")
    with pytest.raises(DatabaseError, match=r"no connection to the server at 127\.0\.0\.1:1") as e:
        backend_for(url).exists()
    assert str(e.value).endswith("127.0.0.1:1: Connection refused")
    assert "hunter2" not in str(e.value)
    assert e.value.hint


def test_a_database_that_is_not_there(server: Server) -> None:
    """It does not exist, says the error, by name."""
    assert not server.backend("none").exists()
    with pytest.raises(DatabaseError, match=f"{server.own}none does not exist"):
        server.backend("none").stamp()


def test_a_right_that_is_missing(server: Server) -> None:
    """The server's own words, and what to do."""
    role = server.role("app")
    server.database("shop_v3", "CREATE TABLE t (id int)")
    with pytest.raises(DatabaseError, match="permission denied for table t") as refused:
        read(server.backend(username=role), "SELECT id FROM t", {"id": sa.Integer()})
    assert "GRANT" in refused.value.hint[0]
    with pytest.raises(DatabaseError, match="may not create databases") as refused:
        server.backend("new", username=role).ready()
    assert refused.value.hint == (f'as a superuser: ALTER ROLE "{role}" CREATEDB',)


def test_a_database_that_the_role_may_not_enter(server: Server) -> None:
    """It is a right that is missing, not a server that is down; so is a role that is none."""
    role = server.role("app")
    database = server.database("shop_v3")
    server.admin(f'REVOKE CONNECT ON DATABASE "{database.database}" FROM PUBLIC')
    with pytest.raises(DatabaseError, match="a right is missing while connecting") as refused:
        server.backend(username=role).stamp()
    assert "GRANT" in refused.value.hint[0]
    with pytest.raises(DatabaseError, match="the server refuses nobody_at_all"):
        server.backend(username="nobody_at_all").stamp()


@pytest.mark.fault("H94")
def test_a_connection_that_is_ended_while_it_reads(server: Server) -> None:
    """No row is missed in silence: the read fails, with what to type."""
    database = server.database(
        "shop_v3",
        "CREATE TABLE t AS SELECT i AS id, repeat('x', 500) AS v"
        " FROM generate_series(1, 400000) AS i",
    )
    ours = f"FROM pg_stat_activity WHERE datname = '{database.database}'"
    with pytest.raises(DatabaseError, match=r"ended the connection|connection is lost") as lost:
        _each(server, lambda: server.admin(f"SELECT pg_terminate_backend(pid) {ours}"))
    assert "type the same command again" in lost.value.hint[0]


def _each(server: Server, then: Callable[[], object]) -> None:
    """Read a table, and do something after its first rows."""
    columns = (ReadColumn("id", describe(sa.Integer())), ReadColumn("v", describe(sa.Text())))
    with server.backend().snapshot(server.folder) as snapshot:
        for batch in snapshot.batches(ReadQuery("SELECT id, v FROM t", columns)):
            assert batch.num_rows
            then()


def test_a_stream_that_is_left_halfway_leaves_the_moment_as_it_was(server: Server) -> None:
    """What is asked after it is answered, and sees what the stream saw."""
    database = server.database(
        "shop_v3",
        "CREATE TABLE t AS SELECT i AS id, repeat('x', 500) AS v"
        " FROM generate_series(1, 400000) AS i",
    )
    columns = (ReadColumn("id", describe(sa.Integer())), ReadColumn("v", describe(sa.Text())))
    with database.snapshot(server.folder) as snapshot:
        stream = snapshot.batches(ReadQuery("SELECT id, v FROM t", columns))
        assert next(stream).num_rows
        server.run("shop_v3", "INSERT INTO t VALUES (0)")
        del stream
        assert snapshot.rows("SELECT count(*), min(id) FROM t") == [(400_000, 1)]


def test_nobody_waits_for_a_query_that_nobody_wants(server: Server) -> None:
    """Ctrl-C while the server sorts for minutes ends the thread that reads, at once."""
    database = server.database("shop_v3")
    slow = ReadQuery(
        "SELECT 1 AS id FROM pg_sleep(60)", (ReadColumn("id", describe(sa.Integer())),)
    )
    began = time.monotonic()
    with database.snapshot(server.folder) as snapshot:
        with ahead(snapshot.batches(slow)):
            _until_busy(server, database.database)
        assert snapshot.rows("SELECT 1") == [(1,)]
    assert time.monotonic() - began < 30


def _until_busy(server: Server, database: str) -> None:
    """Wait until a session of a database runs its query."""
    busy = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}'"
    while server.admin(f"{busy} AND wait_event = 'PgSleep'") != [(1,)]:
        pass


@pytest.mark.fault("G84")
def test_several_readers_see_one_moment(server: Server) -> None:
    """What is written after the snapshot is in none of them."""
    database = server.database("shop_v3", "CREATE TABLE t (id int)", "INSERT INTO t VALUES (1)")
    with database.snapshot(server.folder, readers=3) as snapshot:
        server.run("shop_v3", "INSERT INTO t VALUES (2)")
        found = [reader.rows("SELECT count(*) FROM t") for reader in snapshot.readers]
    assert found == [[(1,)]] * 3


def test_a_name_that_is_too_long_is_a_usage_error(server: Server) -> None:
    """The server would cut it with a notice; so would two names become one."""
    with pytest.raises(UsageError, match="63 bytes"):
        server.backend("x" * 60).staging("20261121-020007")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_urls_are_taken_as_people_write_them(scheme: str) -> None:
    """Each is this backend's, and TLS options go to libpq."""
    url = sa.make_url(f"{scheme}://app@db:5433/shop_v3?sslmode=verify-full")
    backend = backend_for(url)
    assert (backend.name, backend.database) == (KIND, "shop_v3")
    found = arguments(backend.url)
    assert (found["host"], found["port"], found["sslmode"]) == ("db", 5433, "verify-full")


@pytest.mark.fault("G88")
def test_one_run_at_a_time(server: Server) -> None:
    """Who comes second is told who holds the project, on whatever database of the server."""
    one, other = server.backend("a"), server.backend("b")
    with (
        one.held(server.own, "migrate 2to3"),
        pytest.raises(Locked, match=f"migrate {server.own}: migrate 2to3, as postgres, since 20"),
        other.held(server.own, "migrate 3to4"),
    ):
        pass
    with other.held(server.own, "migrate 3to4"), one.held(f"{server.own}x", "migrate 2to3"):
        pass


def test_no_error_quotes_a_value(server: Server) -> None:
    """The server's words for data that it refuses hold the data; ours hold their kind."""
    database = server.database(
        "shop_v3", "CREATE TABLE t (v text)", "INSERT INTO t VALUES ('007x')"
    )
    with (
        pytest.raises(DatabaseError, match="invalid text representation") as refused,
        database.snapshot(server.folder) as snapshot,
    ):
        snapshot.rows("SELECT v::int FROM t")
    assert "007x" not in str(refused.value)
