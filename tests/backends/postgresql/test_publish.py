"""Publishing: renames in one transaction, people named, access as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from migrators.backends.interface import Stamp
from migrators.errors import Locked, TargetExists
from tests.backends.conftest import write

if TYPE_CHECKING:
    from migrators.backends.postgresql import PostgreSQLBackend
    from tests.backends.postgresql.conftest import Server


def staged(server: Server, run: str = "r1") -> PostgreSQLBackend:
    """Return a staging database that is ready to be published."""
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True))
    made, schema = server.backend().staging(run), server.schema(metadata)
    made.create(schema)
    write(made, schema, "t", {"id": [1, 2, 3]})
    made.finish(schema, {})
    made.write_stamp(Stamp(3, "f" * 64))
    return made


def test_nobody_but_us_sees_a_staging_database(server: Server) -> None:
    """Others may connect when it is published, as to any new database."""
    role = server.role("app")
    made = staged(server)
    query = "SELECT has_database_privilege('{}', '{}', 'CONNECT')"
    assert server.admin(query.format(role, made.database)) == [(False,)]
    server.backend().publish(made)
    assert server.admin(query.format(role, server.backend().database)) == [(True,)]


def test_who_is_connected_is_named_and_nothing_is_done(server: Server) -> None:
    """Neither name changes; when they have left, it goes on."""
    new = server.backend()
    new.publish(staged(server))
    second = staged(server, "r2")
    with server.connected("shop_v3") as connection:
        connection.execute("SET application_name = 'gunicorn'")
        with pytest.raises(Locked, match=r"postgres \(gunicorn\) from 127\.0\.0\.1"):
            new.publish(second, aside=new.aside("r2"))
        with pytest.raises(Locked, match="gunicorn"):
            new.ready()
        with pytest.raises(Locked, match="gunicorn"):
            new.discard()
    assert (new.exists(), second.exists(), new.aside("r2").exists()) == (True, True, False)
    new.publish(second, aside=new.aside("r2"))
    assert (new.exists(), second.exists(), new.aside("r2").exists()) == (True, False, True)


def test_a_name_that_is_taken(server: Server) -> None:
    """Nothing is overwritten, and the staging database stays."""
    new = server.database("shop_v3")
    made = staged(server)
    with pytest.raises(TargetExists):
        new.publish(made)
    assert made.exists()


def test_owner_rights_and_settings_are_those_of_the_old_one(server: Server) -> None:
    """Whoever could connect can, under the settings that held."""
    owner, app, other = (server.role(n) for n in ("owner", "app", "other"))
    old = server.database("shop_v2")
    server.admin(
        f'ALTER DATABASE "{old.database}" OWNER TO "{owner}"',
        f'REVOKE ALL ON DATABASE "{old.database}" FROM PUBLIC',
        f'GRANT CONNECT ON DATABASE "{old.database}" TO "{app}" WITH GRANT OPTION',
        f'ALTER DATABASE "{old.database}" CONNECTION LIMIT 7',
        f'ALTER DATABASE "{old.database}" SET search_path = shop, "Odd one"',
        f"ALTER DATABASE \"{old.database}\" SET statement_timeout = '30s'",
        f'ALTER ROLE "{app}" IN DATABASE "{old.database}" SET work_mem = \'8MB\'',
        f"ALTER DATABASE \"{old.database}\" SET shop.greeting = 'it''s'",
        f"COMMENT ON DATABASE \"{old.database}\" IS 'it''s the shop'",
    )
    new = server.backend()
    new.publish(staged(server), like=old)
    facts = (
        "SELECT pg_get_userbyid(datdba), datacl::text, datconnlimit, "
        "shobj_description(oid, 'pg_database'), "
        "(SELECT array_agg((setrole, setconfig)::text ORDER BY setrole) FROM pg_db_role_setting "
        "WHERE setdatabase = d.oid) FROM pg_database AS d WHERE datname = '{}'"
    )
    expected = server.admin(facts.format(old.database))
    assert server.admin(facts.format(new.database)) == expected
    connects = "SELECT has_database_privilege('{}', '{}', 'CONNECT')"
    assert server.admin(connects.format(app, new.database)) == [(True,)]
    assert server.admin(connects.format(other, new.database)) == [(False,)]


def test_encoding_and_locale_are_those_of_the_old_one(server: Server) -> None:
    """Indexes sort as they did, and text that fitted fits."""
    server.admin(
        f"CREATE DATABASE \"{server.own}shop_v2\" TEMPLATE template0 ENCODING UTF8 LOCALE 'C'"
        " LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'"
    )
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True))
    made = server.backend().staging("r1").like(server.backend("shop_v2"))
    made.create(server.schema(metadata))
    facts = (
        "SELECT encoding, datlocprovider, datcollate, datctype, daticulocale "
        "FROM pg_database WHERE datname = '{}'"
    )
    expected = server.admin(facts.format(f"{server.own}shop_v2"))
    assert server.admin(facts.format(made.database)) == expected


def test_the_application_may_read_the_stamp(server: Server) -> None:
    """`migrators.require` is asked by a role that owns nothing."""
    role = server.role("app")
    new = server.backend()
    new.publish(staged(server))
    assert server.backend(username=role).stamp() == Stamp(3, "f" * 64)


def test_a_loaded_table_needs_no_vacuum(server: Server) -> None:
    """All pages are visible to all, and statistics are there: plans are good at once.

    A connection that is just being made anywhere on the server may see older rows, and
    VACUUM then keeps them for it: so it is looked at several times.
    """
    asked = "SELECT relpages = relallvisible, reltuples FROM pg_class WHERE relname = 't'"
    visible, attempts = False, 5
    while not visible and attempts:
        made, attempts = staged(server), attempts - 1
        made.settle()
        ((visible, rows),) = server.run(made.database.removeprefix(server.own), asked)
        made.discard()
        assert rows == 3.0
    assert visible
