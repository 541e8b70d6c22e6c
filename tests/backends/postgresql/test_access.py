"""Rights are read, carried and given: shown by logging in as the roles that have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import sqlalchemy as sa

from migrators.access import Access, Grant, Owner, Ways, carry
from migrators.errors import DatabaseError

if TYPE_CHECKING:
    from migrators.backends.postgresql import PostgreSQLBackend
    from tests.backends.postgresql.conftest import Server

OLD = (
    "CREATE TABLE packages (id serial PRIMARY KEY, name text, secret text)",
    "INSERT INTO packages (name, secret) VALUES ('a', 'b')",
)
COLUMNS = {
    "projects": {
        "id": frozenset({("packages", "id")}),
        "title": frozenset({("packages", "name")}),
        "secret": frozenset({("packages", "secret")}),
    }
}
RENAMED = Ways(
    {"projects": ("packages",)},
    COLUMNS,
    whole=frozenset({"projects"}),
    old=frozenset({"packages"}),
)


def new_schema(server: Server, **sql: Any) -> Any:
    """Return a schema in which packages have become projects."""
    metadata = sa.MetaData()
    sa.Table(
        "projects",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("title", sa.Text),
        sa.Column("secret", sa.Text),
    )
    return server.schema(metadata, **sql)


def migrated(
    server: Server,
    old: PostgreSQLBackend,
    ways: Ways = RENAMED,
    script: str = "",
) -> tuple[str, ...]:
    """Publish an empty new version with the access of an old one; return what is left."""
    made = server.backend().staging("r1")
    schema = new_schema(server, **({"after": {"postgresql": script}} if script else {}))
    made.create(schema)
    made.finish(schema, {})
    carried, lost = carry(old.access(), ways)
    assert lost == ()
    left = made.give_access(Access.of(carried.plain()))
    server.backend().publish(made, like=old)
    return left


def ask(server: Server, role: str, statement: str, name: str = "shop_v3") -> str:
    """Run SQL as a role; return "yes", or the code of the refusal."""
    url = server.backend(name, username=role).url.set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        try:
            connection.execute(statement.encode())
        except psycopg.Error as error:
            return str(error.sqlstate)
    return "yes"


DENIED = "42501"


def test_who_could_read_or_write_can(server: Server) -> None:
    """Right after publish, in the name of each role; and nobody else."""
    app, report, other = (server.role(n) for n in ("app", "report", "other"))
    old = server.database("shop_v2", *OLD)
    server.run(
        "shop_v2",
        f'GRANT SELECT, INSERT, UPDATE ON packages TO "{app}"',
        f'GRANT USAGE ON SEQUENCE packages_id_seq TO "{app}"',
        f'GRANT SELECT (id, name) ON packages TO "{report}"',
    )
    migrated(server, old)
    assert ask(server, app, "INSERT INTO projects (title) VALUES ('x')") == "yes"
    assert ask(server, app, "UPDATE projects SET title = 'y'") == "yes"
    assert ask(server, app, "SELECT * FROM projects") == "yes"
    assert ask(server, app, "DELETE FROM projects") == DENIED
    assert ask(server, report, "SELECT id, title FROM projects") == "yes"
    assert ask(server, report, "SELECT secret FROM projects") == DENIED
    assert ask(server, other, "SELECT id FROM projects") == DENIED


def test_the_owner_owns_what_its_table_became(server: Server) -> None:
    """It may alter it, and read it, although nobody granted it anything."""
    owner, other = server.role("owner"), server.role("other")
    old = server.database("shop_v2", *OLD, f'ALTER TABLE packages OWNER TO "{owner}"')
    migrated(server, old)
    assert ask(server, owner, "ALTER TABLE projects ADD extra int") == "yes"
    assert ask(server, owner, "INSERT INTO projects (title) VALUES ('x')") == "yes"
    assert ask(server, other, "SELECT * FROM projects") == DENIED


def test_what_was_taken_from_everybody_stays_taken(server: Server) -> None:
    """Schemas and functions that are open as they are made."""
    app, other = server.role("app"), server.role("other")
    function = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"
    old = server.database(
        "shop_v2",
        *OLD,
        function,
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "REVOKE ALL ON FUNCTION f() FROM PUBLIC",
        f'GRANT USAGE ON SCHEMA public TO "{app}"',
        f'GRANT USAGE ON SCHEMA public TO "{other}"',
        f'GRANT EXECUTE ON FUNCTION f() TO "{app}"',
    )
    migrated(server, old, script=function)
    third = server.role("third")
    assert ask(server, app, "SELECT f()") == "yes"
    assert ask(server, other, "SELECT f()") == DENIED
    assert ask(server, third, "SELECT 1 FROM public.projects") == DENIED
    assert ask(server, third, "CREATE TABLE t (id int)") in (DENIED, "3F000")


def test_default_rights_hold_for_what_comes_later(server: Server) -> None:
    """A table made after the night can be read by whom it could be read before it."""
    owner, report = server.role("owner"), server.role("report")
    old = server.database(
        "shop_v2",
        *OLD,
        f'GRANT CREATE ON SCHEMA public TO "{owner}"',
        f'ALTER DEFAULT PRIVILEGES FOR ROLE "{owner}" GRANT SELECT ON TABLES TO "{report}"',
        f'ALTER DEFAULT PRIVILEGES FOR ROLE "{owner}" REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC',
    )
    migrated(server, old)
    assert ask(server, owner, "CREATE TABLE later (id int)") == "yes"
    function = "CREATE FUNCTION later() RETURNS int LANGUAGE sql AS 'SELECT 1'"
    assert ask(server, owner, function) == "yes"
    assert ask(server, report, "SELECT * FROM later") == "yes"
    assert ask(server, report, "SELECT later()") == DENIED


def test_comments_follow(server: Server) -> None:
    """On the table, and on the renamed column."""
    old = server.database(
        "shop_v2",
        *OLD,
        "COMMENT ON TABLE packages IS 'it''s a \\ table'",
        "COMMENT ON COLUMN packages.name IS 'as typed'",
    )
    migrated(server, old)
    found = server.run(
        "shop_v3",
        "SELECT obj_description('projects'::regclass), col_description('projects'::regclass, 2)",
    )
    assert found == [("it's a \\ table", "as typed")]


def test_views_keep_their_rights_and_what_is_gone_is_said(server: Server) -> None:
    """By name; the rights on one that schema 3 has not end, and it is told."""
    app = server.role("app")
    old = server.database(
        "shop_v2",
        *OLD,
        "CREATE VIEW kept AS SELECT 1 AS x",
        "CREATE VIEW lost AS SELECT 1 AS x",
        f'GRANT SELECT ON kept, lost TO "{app}"',
    )
    left = migrated(server, old, script="CREATE VIEW kept AS SELECT 1 AS x")
    assert ask(server, app, "SELECT * FROM kept") == "yes"
    assert left == (f"there is no table lost: the rights of {app} on it end",)


POLICY = (
    "ALTER TABLE {0} ENABLE ROW LEVEL SECURITY; "
    "CREATE POLICY own ON {0} USING (secret = current_user)"
)


def test_policies_are_there_or_nothing_is_published(server: Server) -> None:
    """A table that hid rows does not become one that shows them."""
    app = server.role("app")
    old = server.database("shop_v2", *OLD, f'GRANT SELECT ON packages TO "{app}"')
    server.run("shop_v2", *POLICY.format("packages").split("; "))
    with pytest.raises(DatabaseError, match="policies hid rows of what projects was made of"):
        migrated(server, old)
    server.backend().staging("r1").discard()
    migrated(server, old, script=POLICY.format("projects"))
    server.run("shop_v3", f"INSERT INTO projects VALUES (1, 'a', 'b'), (2, 'c', '{app}')")
    assert ask(server, app, "SELECT 1 / (count(*) - 2) FROM projects") == "yes"
    assert ask(server, app, "SELECT 1 / (count(*) - 1) FROM projects") == "22012"


def test_a_role_that_may_not_grant_is_told_what_is_missing(server: Server) -> None:
    """The statements are complete: after them it works, without a superuser."""
    owner = server.role("owner")
    runner = server.role("runner", "LOGIN CREATEDB")
    old = server.database("shop_v2", *OLD, f'ALTER TABLE packages OWNER TO "{owner}"')
    carried, _ = carry(old.access(), RENAMED)
    carried = Access(owners=carried.owners, grants=carried.grants)
    mine = server.backend(username=runner)
    made = mine.staging("r1")
    schema = new_schema(server)
    made.create(schema)
    made.finish(schema, {})
    wanted = Access(
        grants=(Grant("table", "projects", "", "SELECT", owner),),
        owners=(Owner("table", "projects", owner),),
    )
    missing = mine.missing_rights(wanted)
    assert missing == (f'GRANT "{owner}" TO "{runner}";',)
    with pytest.raises(DatabaseError, match="cannot be given") as caught:
        made.give_access(wanted)
    assert caught.value.hint == missing
    server.admin(*missing)
    assert mine.missing_rights(wanted) == ()
    assert made.give_access(wanted) == ()
    owners = server.run(
        made.database.removeprefix(server.own),
        "SELECT tableowner FROM pg_tables WHERE tablename = 'projects'",
    )
    assert owners == [(owner,)]


@pytest.mark.parametrize(
    "hostile",
    [
        Access(grants=(Grant("table", "projects", "", "SELECT ON projects TO x; --", "y"),)),
        Access(grants=(Grant("table", "projects", "", "SELECT", 'x"; DROP TABLE projects; --'),)),
    ],
)
def test_f66_i119_a_manifest_cannot_run_sql(server: Server, hostile: Access) -> None:
    """Names are names, and a privilege is one that there is."""
    made = server.backend().staging("r1")
    schema = new_schema(server)
    made.create(schema)
    with pytest.raises(DatabaseError):
        made.give_access(hostile)
    assert server.run(made.database.removeprefix(server.own), "SELECT count(*) FROM projects") == [
        (0,)
    ]
