"""Sessions: pinned whatever the server says, one snapshot, one lock, and what goes wrong."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from migrators.backends import backend_for
from migrators.backends.interface import ReadColumn, ReadQuery
from migrators.backends.mysql import connect, feed
from migrators.errors import DatabaseError, Locked, MigrateError, UsageError, ValueRefused
from migrators.stream import ahead
from migrators.types import describe
from tests.backends.conftest import write
from tests.backends.mysql.conftest import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.backends.mysql.conftest import Server

TABLE = "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40))"
Types = dict[str, "sa.types.TypeEngine[Any]"]
COLUMNS: Types = {"id": sa.Integer(), "v": sa.String(40)}


def schema(server: Server, **changed: sa.types.TypeEngine[Any]) -> Any:
    """Return a schema of one table, perhaps with other types."""
    metadata = sa.MetaData()
    columns = (COLUMNS | changed).items()
    sa.Table("t", metadata, *(sa.Column(n, t, primary_key=n == "id") for n, t in columns))
    return server.schema(metadata)


HOSTILE = {
    "time_zone": "'+05:00'",
    "sql_mode": "'ANSI,PAD_CHAR_TO_FULL_LENGTH'",
    "sql_select_limit": "1",
    "max_sort_length": "64",
    "character_set_results": "latin1",
    "lc_time_names": "'de_DE'",
}


@pytest.mark.fault("C45")
def test_hostile_settings_of_the_server_change_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Zone, SQL mode, limits and character set are set after what a server begins with."""
    pin = connect.pin

    def pinned(connection: Any, mode: str) -> None:
        for name, value in HOSTILE.items():
            connect.run(connection, f"SET SESSION {name} = {value}")
        pin(connection, mode)

    monkeypatch.setattr(connect, "pin", pinned)
    database = server.database(
        "shop_v1",
        "CREATE TABLE t (id INT PRIMARY KEY, v TIMESTAMP NOT NULL, w TEXT, c CHAR(9))",
        "SET time_zone = '+00:00'",
        "INSERT INTO t VALUES (1, '2024-01-01 12:00:00', 'a\\\\b', 'é'), "
        "(2, '2024-01-01 12:00:00', '🧀', '')",
    )
    columns: Types = {"id": sa.Integer(), "v": sa.DateTime(), "w": sa.Text(), "c": sa.CHAR(9)}
    (batch,) = read(database, "SELECT id, v, w, c FROM t ORDER BY id", columns)
    assert [str(v) for v in batch["v"].to_pylist()] == ["2024-01-01 12:00:00"] * 2
    assert batch["w"].to_pylist() == ["a\\b", "🧀"]
    assert batch["c"].to_pylist() == ["é", ""]


@pytest.mark.fault("G84")
def test_a_snapshot_does_not_move(server: Server) -> None:
    """What is written while it is open is not in it; several readers see the same moment."""
    database = server.database("shop_v1", TABLE, "INSERT INTO t VALUES (1, 'a')")
    with database.snapshot(Path(), readers=3) as snapshot:
        assert len(snapshot.readers) == 3
        server.run("shop_v1", "INSERT INTO t VALUES (2, 'b')")
        assert [r.rows("SELECT count(*) FROM t") for r in snapshot.readers] == [[(1,)]] * 3
        with pytest.raises(MigrateError, match=r"(?i)read.only"):
            snapshot.rows("DELETE FROM t")


def test_without_the_right_to_lock_there_is_one_reader(server: Server) -> None:
    """A user who may only read gets a snapshot all the same."""
    server.database("shop_v1", TABLE)
    given = server.user("reader", f"GRANT SELECT ON `{server.own}shop_v1`.* TO '%s'@'%%%%'")
    with server.backend("shop_v1", **given).snapshot(Path(), readers=4) as snapshot:
        assert len(snapshot.readers) == 1
        assert snapshot.rows("SELECT count(*) FROM t") == [(0,)]


@pytest.mark.fault("G88")
def test_a_second_run_is_told_who_holds_the_lock(server: Server) -> None:
    """The command, the user and the connection; the lock is free when its holder is gone."""
    database = server.backend()
    with (
        database.held(f"{server.own}shop", "migrate 2to3"),
        pytest.raises(Locked, match=r"server: migrate 2to3, .+@.+, connection \d+, for \d+ s"),
        database.held(f"{server.own}shop", "migrate 3to4"),
    ):
        pytest.fail("taken twice")
    with database.held(f"{server.own}shop", "migrate 3to4"), database.held("other", "load"):
        pass


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"port": 1}, "no connection to the server at .*:1"),
        ({"username": "nobody", "password": "canary"}, "refuses the user or the password"),
        ({"host": "no.such.host.invalid"}, "no connection to the server at no.such.host"),
    ],
)
def test_a_server_that_is_not_reached_is_said(
    server: Server, change: dict[str, Any], words: str
) -> None:
    """In a sentence with what to do, and never with the password."""
    with pytest.raises(DatabaseError, match=words) as caught:
        server.backend(**change).exists()
    assert "canary" not in f"{caught.value} {caught.value.hint}"
    assert caught.value.hint


def test_a_missing_right_is_said(server: Server) -> None:
    """Who may read only is told what was refused."""
    server.database("shop_v1", TABLE)
    given = server.user("reader", f"GRANT SELECT ON `{server.own}shop_v1`.* TO '%s'@'%%%%'")
    reader = server.backend("shop_v1", **given)
    with pytest.raises(DatabaseError, match="a right is missing while writing t"):
        write(reader, schema(server), "t", {"id": [1], "v": ["a"]})


@pytest.mark.fault("H94", "H107")
def test_a_lost_connection_is_said_and_nothing_is_loaded(server: Server) -> None:
    """The server ends the session in the middle of a load: no row of it is there."""
    database = server.database("shop_v1", TABLE)

    def batches() -> Iterator[pa.RecordBatch]:
        names = ["id", "v"]
        yield pa.RecordBatch.from_arrays([pa.array([1], pa.int64()), pa.array(["a"])], names)
        loading = (
            "SELECT id FROM information_schema.processlist "
            "WHERE db = DATABASE() AND info LIKE 'LOAD%'"
        )
        while not (found := server.run("shop_v1", loading)):
            time.sleep(0.01)  # rows are encoded ahead of the statement
        server.admin(f"KILL {found[0][0]}")
        ids = pa.array(range(2, 200_000), pa.int64())
        yield pa.RecordBatch.from_arrays([ids, ids.cast(pa.string())], names)

    with pytest.raises(DatabaseError, match="connection is lost while writing t"):
        database.write("t", schema(server).tables["t"].stored, batches())
    assert server.run("shop_v1", "SELECT count(*) FROM t") == ((0,),)


def test_where_local_infile_is_off_rows_are_inserted_and_it_is_said(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load goes on, slower, with a fact for the report and a note for `check`."""
    monkeypatch.setattr(feed, "takes_files", lambda _: False)
    database = server.backend("shop_v1")
    database.create(schema(server))
    write(database, schema(server), "t", {"id": [1, 2], "v": ["a", None]})
    assert any("local_infile is off" in fact for fact in database.finish(schema(server), {}))
    assert any("local_infile is off" in note for note in database.notes())
    assert server.run("shop_v1", "SELECT * FROM t") == ((1, "a"), (2, None))


@pytest.mark.parametrize("spare", [-1, 0])
@pytest.mark.fault("H96")
def test_a_row_longer_than_a_packet_is_refused_by_name_where_it_is_an_insert(
    server: Server, monkeypatch: pytest.MonkeyPatch, spare: int
) -> None:
    """One byte less is taken; LOAD DATA takes any, where it is allowed."""
    ((limit,),) = server.admin("SELECT @@max_allowed_packet")
    statement = "INSERT INTO `t` (`id`, `v`) VALUES (2,'')"
    long = "x" * (limit - len(statement) - 1 + spare)
    database = server.backend("shop_v1")
    made = schema(server, v=mysql.LONGTEXT())
    database.create(made)
    rows = {"id": [1, 2], "v": ["a", long]}
    monkeypatch.setattr(feed, "takes_files", lambda _: False)
    if spare:
        write(database, made, "t", rows)
    else:
        with pytest.raises(ValueRefused, match=r"t\.v: 1 row at id 2: .*max_allowed_packet") as no:
            write(database, made, "t", rows)
        assert "SET GLOBAL local_infile = 1" in no.value.hint[0]
        monkeypatch.undo()
        write(database, made, "t", rows)
    assert server.run("shop_v1", "SELECT id, length(v) FROM t") == ((1, 1), (2, len(long)))


@pytest.mark.fault("G91")
def test_tables_that_have_no_snapshot_are_named(server: Server) -> None:
    """MyISAM and Aria are read as they are; a note says that a write is noticed."""
    database = server.database(
        "shop_v1", "CREATE TABLE old (id INT) ENGINE = MyISAM", "INSERT INTO old VALUES (1)"
    )
    assert any("no snapshot holds for old (MyISAM)" in note for note in database.notes())
    before = database.digest()
    server.run("shop_v1", "INSERT INTO old VALUES (2)")
    assert database.digest() != before


@pytest.mark.fault("I117")
def test_a_rogue_server_gets_no_file(server: Server, tmp_path: Path) -> None:
    """A server that answers with the wish for a file is refused, and gets not one byte."""
    secret = tmp_path / "secret"
    secret.write_text("canary")
    with _Rogue(str(secret)) as rogue:
        database = server.backend(host="127.0.0.1", port=rogue.port)
        with pytest.raises(DatabaseError, match="asks for a file of this machine"):
            database.exists()
    assert b"canary" not in rogue.received


class _Rogue(threading.Thread):
    """Greets as MySQL does, lets anybody in, and answers each statement with a file's name."""

    def __init__(self, wanted: str) -> None:
        super().__init__(daemon=True)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._wanted = wanted.encode()
        self.received = b""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.join(5)

    def run(self) -> None:
        greeting = (
            b"\x0a8.0.36\0\x01\0\0\0" + b"12345678\0" + b"\xff\xf7\x2d\x02\0\xff\xc1\x15"
            + b"\0" * 10 + b"123456789012\0mysql_native_password\0"
        )  # fmt: skip
        ok = b"\0\0\0\x02\0\0\0"
        try:
            client, _ = self._listener.accept()
            with client:
                client.settimeout(5)
                self._send(client, 0, greeting)
                self._take(client)
                self._send(client, 2, ok)
                while (asked := self._take(client)) and b"SHOW" not in asked:
                    self._send(client, 1, ok)
                self._send(client, 1, b"\xfb" + self._wanted)
                self._take(client)
        except OSError:
            pass

    def _send(self, client: socket.socket, number: int, packet: bytes) -> None:
        client.sendall(len(packet).to_bytes(3, "little") + bytes([number]) + packet)

    def _take(self, client: socket.socket) -> bytes:
        found = client.recv(65536)
        self.received += found
        return found


def test_urls_of_both_kinds_work(server: Server) -> None:
    """`mysql://` and `mariadb://` need no driver named, and give the dialect of their name."""
    server.database("shop_v1", TABLE, "INSERT INTO t VALUES (1, 'a')")
    for name in ("mysql", "mariadb"):
        database = backend_for(server.backend("shop_v1").url.set(drivername=name))
        assert (database.name, database.dialect.name, database.exists()) == (name, name, True)
        with database.snapshot(Path()) as snapshot:
            assert snapshot.rows("SELECT v FROM t") == [("a",)]


def test_mariadb_makes_the_same_of_a_schema(server: Server) -> None:
    """A schema whose variants name both gives the same catalogue by either URL."""
    metadata = sa.MetaData()
    moment = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", moment))
    one, other = server.backend("a"), server.mariadb("b")
    for database in (one, other):
        database.create(server.schema(metadata, after={"mysql": "CREATE VIEW w AS SELECT 1 AS n"}))
        database.finish(
            server.schema(metadata, after={"mysql": "CREATE VIEW w AS SELECT 1 AS n"}), {}
        )
    assert one.catalog() == other.catalog()
    assert ("view", "w") in other.catalog().objects


def test_a_database_takes_over_character_set_and_collation(server: Server) -> None:
    """Of the one that it is made like, so that nothing sorts or compares otherwise."""
    server.admin(
        f"CREATE DATABASE `{server.own}old` CHARACTER SET latin1 COLLATE latin1_german2_ci"
    )
    new = server.backend("new__loading_r1").like(server.backend("old"))
    new.create(schema(server))
    assert "latin1_german2_ci" in new.catalog().objects["table", "t"]


@pytest.mark.parametrize("url", ["mysql://root@127.0.0.1/", f"mysql://root@127.0.0.1/{'x' * 65}"])
def test_a_url_without_a_name_or_with_one_too_long_is_a_usage_error(url: str) -> None:
    """Before anything is asked of a server."""
    with pytest.raises(UsageError, match=r"names no database|longer than the 64 characters"):
        backend_for(sa.make_url(url))


def asking(query: str) -> ReadQuery:
    """Return a query of one column of numbers, `n`."""
    return ReadQuery(query, (ReadColumn("n", describe(sa.Integer()), "t", "n"),))


@pytest.mark.parametrize("tens", [5, 10], ids=["many rows", "too many to be read"])
def test_a_result_that_is_left_halfway_is_ended(server: Server, tens: int) -> None:
    """The snapshot goes on, with the same session, and nobody reads what is not wanted."""
    server.database("shop_v1")
    ten = " UNION ALL ".join(["SELECT 1 AS n"] * 10)
    product = ", ".join(f"({ten}) AS q{number}" for number in range(tens))
    with server.backend("shop_v1").snapshot(Path()) as snapshot:
        (before,) = snapshot.rows("SELECT connection_id()")
        stream: Any = snapshot.batches(asking(f"SELECT q0.n AS n FROM {product}"))
        assert len(next(stream)) == 65_536
        began = time.monotonic()
        stream.close()
        assert time.monotonic() - began < 20
        assert snapshot.rows("SELECT connection_id()") == [before]


def test_a_result_that_nobody_waits_for_any_more_is_ended(server: Server) -> None:
    """Before its first row, too: a sort of millions of rows gives none for a long time."""
    server.database("shop_v1")
    with server.backend("shop_v1").snapshot(Path()) as snapshot:
        began = time.monotonic()
        with ahead(snapshot.batches(asking("SELECT SLEEP(120) AS n"))):
            time.sleep(0.2)
        assert time.monotonic() - began < 60
        assert snapshot.rows("SELECT 1") == [(1,)]


def test_sessions_know_no_limits_of_time(server: Server) -> None:
    """Neither a statement nor an idle or blocked session is ended by the server."""
    with connect.opened(server.backend().url, database=False) as connection:
        found = dict(
            connect.rows(connection, "SHOW SESSION VARIABLES WHERE variable_name LIKE '%time%out'")
        )
    assert found["wait_timeout"] == found["net_write_timeout"] == "31536000"
