"""After the data: rows that break something are counted and named, sequences go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from migrators.errors import DatabaseError, ValueRefused
from tests.backends.conftest import write

if TYPE_CHECKING:
    from migrators.backends.postgresql import PostgreSQLBackend
    from tests.backends.postgresql.conftest import Server


def loaded(
    server: Server, metadata: sa.MetaData, rows: dict[str, dict[str, list[Any]]], **options: Any
) -> PostgreSQLBackend:
    """Create, fill and finish a database."""
    sequences = options.pop("sequences", {})
    database, schema = server.backend(), server.schema(metadata, **options)
    database.create(schema)
    for table, values in rows.items():
        write(database, schema, table, values)
    database.finish(schema, sequences)
    return database


@pytest.mark.fault("F70")
def test_rows_that_break_a_check_are_counted_and_named(server: Server) -> None:
    """All of them, not the first that the server meets; NULL breaks none."""
    metadata = sa.MetaData()
    sa.Table(
        "t",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("n", sa.Integer, sa.CheckConstraint("n > 0", name="positive")),
    )
    rows: dict[str, list[Any]] = {"id": [1, 2, 3, 4], "n": [1, 0, None, -1]}
    with pytest.raises(
        ValueRefused, match=r"t\.positive: 2 rows at id 2, id 4: breaks CHECK positive"
    ):
        loaded(server, metadata, {"t": rows})


@pytest.mark.fault("F74")
def test_keys_that_are_there_twice_are_counted_and_named(server: Server) -> None:
    """A key of two columns, and a partial index over an expression."""
    metadata = sa.MetaData()
    table = sa.Table(
        "t",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("a", sa.Text),
        sa.Column("b", sa.Integer),
        sa.UniqueConstraint("a", "b"),
    )
    rows: dict[str, list[Any]] = {"id": [1, 2, 3, 4], "a": ["x", "x", "x", None], "b": [1, 1, 2, 1]}
    with pytest.raises(ValueRefused, match=r"t\.a, b: 2 rows at id 1, id 2: .*UNIQUE"):
        loaded(server, metadata, {"t": rows})
    server.backend().discard()
    table.constraints = {c for c in table.constraints if isinstance(c, sa.PrimaryKeyConstraint)}
    sa.Index(
        "ux", sa.func.lower(table.c.a), unique=True, postgresql_where=sa.text("b = 1"), _table=table
    )
    rows["a"] = ["x", "X", "x", None]
    with pytest.raises(ValueRefused, match=r"t\.lower\(a\): 2 rows at id 1, id 2: .*UNIQUE"):
        loaded(server, metadata, {"t": rows})


@pytest.mark.fault("F69")
def test_references_in_a_circle_are_added_after_the_data(server: Server) -> None:
    """Neither table can be first; both references stand, and are proven."""
    metadata = sa.MetaData()
    for name, other in (("a", "b"), ("b", "a")):
        sa.Table(
            name,
            metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("o", sa.ForeignKey(f"{other}.id", deferrable=True, initially="DEFERRED")),
        )
    rows: dict[str, dict[str, list[Any]]] = {
        name: {"id": [1, 2], "o": [2, None]} for name in ("a", "b")
    }
    loaded(server, metadata, rows)
    found = server.run(
        "shop_v3",
        "SELECT conrelid::regclass::text, convalidated, condeferred FROM pg_constraint"
        " WHERE contype = 'f' ORDER BY 1",
    )
    assert found == [("a", True, True), ("b", True, True)]


@pytest.mark.fault("E62")
def test_sequences_go_on_past_key_and_past_their_old_position(server: Server) -> None:
    """Proven by inserting and rolling back; empty tables too."""
    metadata = sa.MetaData(schema=None)
    for name in ("serial", "identity", "empty", "untold"):
        identity = (sa.Identity(always=True),) if name == "identity" else ()
        sa.Table(
            name,
            metadata,
            sa.Column("id", sa.BigInteger, *identity, primary_key=True),
            sa.Column("v", sa.Text),
        )
    sa.Table("in_schema", metadata, sa.Column("id", sa.Integer, primary_key=True), schema="shop")
    rows: dict[str, dict[str, list[Any]]] = {
        "serial": {"id": [5, 6], "v": ["a", "b"]},
        "identity": {"id": [5, 6], "v": ["a", "b"]},
        "shop.in_schema": {"id": [3]},
    }
    positions = {"serial": 3, "identity": 40, "empty": 7, "gone": 9}
    database, schema = server.backend(), server.schema(metadata)
    database.create(schema)
    for table, values in rows.items():
        write(database, schema, table, values)
    facts = database.finish(schema, positions)
    assert facts[-1] == "no sequence, goes on after the highest key: gone"
    tables = ("serial", "identity", "empty", "untold", "shop.in_schema")
    found = {
        t: server.run("shop_v3", "BEGIN", f"INSERT INTO {t} DEFAULT VALUES RETURNING id")[0][0]
        for t in tables
    }
    assert found == {"serial": 7, "identity": 41, "empty": 8, "untold": 1, "shop.in_schema": 4}


def test_positions_are_read_of_sequences_that_gave_any(server: Server) -> None:
    """Owned ones, and one that a default takes from; by table, as the schema names it."""
    database = server.database(
        "shop_v3",
        "CREATE TABLE a (id serial)",
        "CREATE TABLE b (id int GENERATED ALWAYS AS IDENTITY)",
        "CREATE SEQUENCE numbers",
        "CREATE SCHEMA shop",
        "CREATE TABLE shop.c (id int DEFAULT nextval('public.numbers'))",
        "CREATE TABLE d (id serial)",
        "INSERT INTO a SELECT FROM generate_series(1, 5)",
        "INSERT INTO b SELECT FROM generate_series(1, 6)",
        "INSERT INTO shop.c SELECT FROM generate_series(1, 7)",
        "DELETE FROM a",
    )
    with database.snapshot(server.folder) as snapshot:
        assert snapshot.sequences() == {"a": 5, "b": 6, "shop.c": 7}


def test_sql_that_fails_is_named_by_its_line(server: Server) -> None:
    """The schema's own SQL, all or nothing."""
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True))
    script = "CREATE VIEW v AS SELECT 1;\n\nCREATE VIEW w AS SELECT nothing FROM t;\n"
    with pytest.raises(DatabaseError, match=r"after the data fails, line 3: .*nothing"):
        loaded(server, metadata, {}, after={"postgresql": script})


@pytest.mark.fault("F75")
def test_no_trigger_fires_on_the_load(server: Server) -> None:
    """The schema's triggers come after the rows."""
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True))
    script = """
    CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE 'fired; 100%%'; END $$;
    CREATE TRIGGER never BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION never();
    """
    database = loaded(server, metadata, {"t": {"id": [1]}}, after={"postgresql": script})
    kinds = {kind for kind, _ in database.catalog().objects}
    assert {"trigger", "function"} <= kinds


def test_a_digest_moves_with_any_write_and_with_nothing_else(server: Server) -> None:
    """An update back, a TRUNCATE, a new table; not a number that a sequence gave."""
    database = server.database(
        "shop_v3", "CREATE TABLE t (id serial, v text)", "INSERT INTO t (v) VALUES ('a'), (NULL)"
    )
    seen = [database.digest()]
    server.run("shop_v3", "SELECT nextval('t_id_seq')", "VACUUM FULL t")
    assert database.digest() == seen[0]
    for statement in (
        "UPDATE t SET v = '' WHERE v IS NULL",
        "DELETE FROM t WHERE v = 'a'",
        "TRUNCATE t",
        "CREATE INDEX ON t (v)",
        "CREATE TABLE u ()",
    ):
        server.run("shop_v3", statement)
        seen.append(database.digest())
    assert len(set(seen)) == len(seen)
