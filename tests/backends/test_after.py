"""What comes after the data: catalogue, keys, sequences, stamp, publish, discard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from migrators.backends import backend_for
from migrators.backends.interface import Stamp
from migrators.errors import TargetExists, UsageError, ValueRefused
from tests.backends.conftest import write

if TYPE_CHECKING:
    from migrators.backends.interface import Backend
    from migrators.schema import SchemaVersion
    from tests.backends.conftest import Place


PARTIAL: dict[str, Any] = {
    f"{name}_where": sa.text("line > 1") for name in ("sqlite", "postgresql")
}
"""Where a database has partial indexes."""
WITHOUT_EXPRESSIONS = ("mysql", "mariadb")
"""Where an index is of columns only."""


def shop(place: Place) -> sa.MetaData:
    """Return a schema with what databases have: keys both ways, checks, indexes of all sorts."""
    metadata = sa.MetaData()
    sa.Table(
        "users",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", sa.String(255), nullable=False),
        sa.Column("boss_id", sa.ForeignKey("users.id", name="fk_boss", ondelete="SET NULL")),
        sa.Column("best_id", sa.Integer),
        sa.Column("best_line", sa.Integer),
        sa.Column("state", sa.Enum("on", "off", name="state"), server_default="on"),
        sa.Column("twice", sa.Integer, sa.Computed("best_id * 2", persisted=True)),
        sa.CheckConstraint("length(email) > 2", name="ck_email"),
        sa.UniqueConstraint("email", name="uq_email"),
        sa.ForeignKeyConstraint(
            ["best_id", "best_line"], ["orders.id", "orders.line"], name="fk_best", use_alter=True
        ),
        sa.Index("ix_state", "state"),
    )
    sa.Table(
        "orders",
        metadata,
        sa.Column("id", sa.Integer),
        sa.Column("line", sa.Integer),
        sa.Column("user_id", sa.ForeignKey("users.id"), nullable=False),
        sa.Column("select", sa.Numeric(12, 2), unique=True),
        sa.PrimaryKeyConstraint("id", "line", name="pk_orders"),
        sa.Index("ix_part", "user_id", unique=True, **PARTIAL),
    )
    if place.database().name not in WITHOUT_EXPRESSIONS:
        sa.Index("ix_lower", sa.text("lower(email)"), _table=metadata.tables["users"])
    return metadata


@pytest.mark.fault("F74")
def test_the_catalogue_equals_a_plain_create_all(place: Place) -> None:
    """A loaded database has exactly what SQLAlchemy would have created."""
    metadata = shop(place)
    loaded = place.load(metadata, {})
    plain = place.empty("plain")
    engine = plain.engine()
    metadata.create_all(engine)
    engine.dispose()
    assert loaded.catalog().objects == plain.catalog().objects
    assert len(loaded.catalog().objects) > 20


@pytest.mark.fault("F70")
def test_rows_without_a_parent_are_named(place: Place) -> None:
    """A broken foreign key stops the load: table, column, parent, count, keys."""
    metadata = sa.MetaData()
    sa.Table("p", metadata, sa.Column("id", sa.Integer, primary_key=True))
    sa.Table(
        "c",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("p_id", sa.ForeignKey("p.id")),
    )
    schema = place.schema(metadata)
    database = place.database()
    database.create(schema)
    write(database, schema, "p", {"id": [1]})
    write(database, schema, "c", {"id": [1, 2, 3, 4], "p_id": [1, 9, None, 8]})
    with pytest.raises(
        ValueRefused, match=r"c\.p_id: 2 rows at id 2, id 4: .* p does not have"
    ) as caught:
        settle(place, database, schema)
    assert [value for _, value in caught.value.samples] == ["9", "8"]


def settle(place: Place, database: Backend, schema: SchemaVersion) -> None:
    """Do what comes after the data, and prove what that has not."""
    database.finish(schema, {})
    database.prove(schema, place.scratch)


@pytest.mark.fault("F74")
def test_a_unique_index_refuses_doubles(place: Place) -> None:
    """An index that is built after the data refuses what breaks it."""
    metadata = sa.MetaData()
    table = sa.Table(
        "t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", sa.Text)
    )
    sa.Index("ux", table.c.v, unique=True)
    with pytest.raises(ValueRefused, match=r"t\.v: .*UNIQUE"):
        place.load(metadata, {"t": {"id": [1, 2], "v": ["a", "a"]}})


STAMP = Stamp(3, "f" * 64, "migrate 2to3", "e" * 64, "0.1.0", "2026-01-02T03:04:05Z")


def test_a_stamp_is_read_as_written(place: Place) -> None:
    """No stamp at first; then the one written, then the one that replaced it."""
    database = place.load(shop(place), {})
    before = database.catalog()
    assert database.stamp() is None
    database.write_stamp(STAMP)
    assert database.stamp() == STAMP
    odd = Stamp(4, "it's", alembic_head="abc123")
    database.write_stamp(odd)
    assert database.stamp() == odd
    assert database.catalog() == before


def test_publish_moves_and_refuses(place: Place) -> None:
    """Publishing gives the name; a second one is refused, and sets aside when asked to."""
    new = place.database()
    for run, version in (("r1", 3), ("r2", 4)):
        staging = new.staging(run)
        staging.create(place.schema(shop(place)))
        staging.finish(place.schema(shop(place)), {})
        staging.write_stamp(Stamp(version, "f"))
    new.publish(new.staging("r1"))
    assert (new.exists(), new.staging("r1").exists()) == (True, False)
    with pytest.raises(TargetExists):
        new.publish(new.staging("r2"))
    new.publish(new.staging("r2"), aside=new.aside("r2"))
    assert [b.stamp().version for b in (new, new.aside("r2")) if (b.stamp())] == [4, 3]  # type: ignore[union-attr]
    new.discard()
    assert not new.exists()


def test_create_refuses_a_database_that_is_there(place: Place) -> None:
    """A staging database is never created over another one."""
    database = place.load(shop(place), {})
    with pytest.raises(TargetExists):
        database.create(place.schema(shop(place)))


def test_digest_and_size_follow_what_is_stored(place: Place) -> None:
    """The digest stands still while nothing is written, and moves when something is."""
    database = place.load(shop(place), {})
    before = database.digest()
    assert (database.digest(), database.size_bytes() > 0) == (before, True)
    database.write_stamp(STAMP)
    assert database.digest() != before
    assert database.free_bytes() is None or (database.free_bytes() or 0) > 0


def test_an_unknown_kind_of_database_is_a_usage_error() -> None:
    """A URL of a database that nobody serves is refused by name."""
    with pytest.raises(UsageError, match="firebird"):
        backend_for(sa.make_url("firebird://host/shop"))
