"""Rights on MySQL and MariaDB: with the name of a database, given when the tables have theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pymysql
import pytest
import sqlalchemy as sa

from migrators.access import Access, Grant, Ways, carry
from migrators.backends.interface import Stamp
from migrators.backends.mysql import rights
from migrators.errors import DatabaseError

if TYPE_CHECKING:
    from migrators.backends.mysql import MySQLBackend
    from tests.backends.mysql.conftest import Server

OLD = ("CREATE TABLE packages (id int PRIMARY KEY, name text, secret text)",)
ROUTINE = "CREATE FUNCTION one() RETURNS int DETERMINISTIC RETURN 1"
WAYS = Ways(
    {"projects": ("packages",)},
    {"projects": {c: frozenset({("packages", c)}) for c in ("id", "name", "secret")}},
    whole=frozenset({"projects"}),
    old=frozenset({"packages"}),
)


def staged(server: Server, run: str = "r1", script: str = "") -> MySQLBackend:
    """Return an empty staging database that is ready to be published."""
    metadata = sa.MetaData()
    columns = (sa.Column(name, sa.Text) for name in ("name", "secret"))
    sa.Table("projects", metadata, sa.Column("id", sa.Integer, primary_key=True), *columns)
    made = server.backend().staging(run)
    schema = server.schema(metadata, **({"after": {"mysql": script}} if script else {}))
    made.create(schema)
    made.finish(schema, {})
    made.write_stamp(Stamp(3, "f" * 64))
    return made


def migrated(server: Server, script: str = "") -> tuple[str, ...]:
    """Publish version 3 with the rights on version 2; return what is said."""
    made = staged(server, script=script)
    carried, lost = carry(server.backend("shop_v2").access(), WAYS)
    assert lost == ()
    said = made.give_access(Access.of(carried.plain()))
    server.backend().publish(made)
    return said


def may(server: Server, user: dict[str, str], statement: str, name: str = "shop_v3") -> bool:
    """Log in as a user; say whether it may do this."""
    url = server.backend(name).url
    connection = pymysql.connect(
        host=url.host, port=url.port or 3306, user=user["username"], password=user["password"],
        ssl_disabled=True,
    )  # fmt: skip
    with connection, connection.cursor() as cursor:
        try:
            cursor.execute(statement.replace("@", f"`{server.own}{name}`."))
        except pymysql.err.MySQLError as error:
            assert "denied" in str(error), error  # noqa: PT017
            return False
    return True


def test_rights_on_database_table_column_and_routine(server: Server) -> None:
    """Each account may do with version 3 what it could with version 2, and nobody else."""
    old = server.database("shop_v2", *OLD, ROUTINE)
    place = f"`{old.database}`"
    whole = server.user("whole", f"GRANT SELECT ON {place}.* TO %s")
    app = server.user("app", f"GRANT SELECT, INSERT ON {place}.packages TO %s")
    column = server.user("column", f"GRANT SELECT (id, name) ON {place}.packages TO %s")
    caller = server.user("caller", f"GRANT EXECUTE ON FUNCTION {place}.one TO %s")
    nobody = server.user("nobody")
    assert migrated(server, ROUTINE) == ()
    assert may(server, whole, "SELECT * FROM @projects")
    assert not may(server, whole, "INSERT INTO @projects VALUES (1, 'a', 'b')")
    assert may(server, app, "INSERT INTO @projects VALUES (1, 'a', 'b')")
    assert not may(server, app, "DELETE FROM @projects")
    assert may(server, column, "SELECT id, name FROM @projects")
    assert not may(server, column, "SELECT secret FROM @projects")
    assert may(server, caller, "SELECT @one()")
    assert not may(server, nobody, "SELECT id FROM @projects")


def test_who_is_no_user_but_a_role(server: Server) -> None:
    """What a role may is what its users may; it has no host."""
    old = server.database("shop_v2", *OLD)
    user, role = server.user("user"), f"{server.own}role"
    server.admin(f"CREATE ROLE `{role}`")
    try:
        server.admin(
            f"GRANT SELECT ON `{old.database}`.packages TO `{role}`",
            f"GRANT `{role}` TO '{user['username']}'@'%%'",
            f"SET DEFAULT ROLE `{role}` FOR '{user['username']}'@'%%'",
        )
        migrated(server)
        assert may(server, user, "SELECT * FROM @projects")
    finally:
        server.admin(f"DROP ROLE `{role}`")


def test_a_right_on_this_name_only_is_on_that_name_only(server: Server) -> None:
    """`_` stands for any character in the name of a database: it is escaped."""
    old = server.database("shop_v2", *OLD)
    app = server.user("app", f"GRANT SELECT ON `{old.database}`.* TO %s")
    migrated(server)
    other = server.database("shopxv3", "CREATE TABLE t (id int)")
    assert not may(server, app, f"SELECT * FROM `{other.database}`.t")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("shop_v2", True), (r"shop\_v2", True), ("shop%", True), (r"shop\_v3", False), ("%", True)],
)
def test_patterns(pattern: str, found: bool) -> None:  # noqa: FBT001
    """A pattern of a right names databases as LIKE does."""
    assert rights.matches(pattern, "shop_v2") is found
    assert not rights.matches(r"shop\_v2", "shopxv2")


def test_rights_end_with_a_view_that_is_gone_and_it_is_said(server: Server) -> None:
    """By name; the new version has none of it."""
    old = server.database("shop_v2", *OLD, "CREATE VIEW lost AS SELECT 1 AS x")
    app = server.user("app", f"GRANT SELECT ON `{old.database}`.lost TO %s")
    (said,) = migrated(server)
    assert said == f"there is no lost: the rights of {app['username']}@% on it end"


def test_an_account_that_may_not_grant_is_told_what_is_missing(server: Server) -> None:
    """The statement is complete: after it, nothing is missing."""
    old = server.database("shop_v2", *OLD)
    server.user("app", f"GRANT SELECT, INSERT ON `{old.database}`.packages TO %s")
    runner = server.user("runner", "GRANT CREATE, SELECT ON *.* TO %s")
    carried, _ = carry(old.access(), WAYS)
    mine = server.backend(**runner)
    (missing,) = mine.missing_rights(carried)
    assert missing.startswith("GRANT INSERT, SELECT ON `")
    assert missing.endswith(f"`.* TO '{runner['username']}'@'%' WITH GRANT OPTION;")
    server.admin(missing.replace("%", "%%"))
    assert mine.missing_rights(carried) == ()


def test_who_does_not_see_the_rights_of_others_says_so(server: Server) -> None:
    """It cannot carry what it cannot see."""
    runner = server.user("runner", f"GRANT ALL ON `{server.own}%%`.* TO %s".replace("%%`", "%%%%`"))
    made = staged(server)
    mine = server.backend(**runner).staging("r1")
    assert mine.database == made.database
    (said,) = mine.give_access(Access())
    assert "GRANT SELECT ON mysql.*" in said


def test_a_right_that_cannot_be_given_is_said_when_the_version_is_there(server: Server) -> None:
    """The account is gone since: the statement stands in the error, the database is published."""
    made = staged(server)
    made.give_access(Access((Grant("table", "projects", "", "SELECT", f"{server.own}gone@%"),)))
    with pytest.raises(DatabaseError, match="is there; 1 of its rights") as caught:
        server.backend().publish(made)
    assert "GRANT SELECT ON" in caught.value.hint[0]
    assert server.backend().stamp() == Stamp(3, "f" * 64)
    assert not made.exists()
    accounts = server.admin(f"SELECT user FROM mysql.user WHERE user LIKE '{server.own}%%'")
    assert accounts == []


@pytest.mark.parametrize(
    "hostile",
    [
        Grant("table", "projects", "", "SELECT ON *.* TO x; --", "y@%"),
        Grant("everything", "projects", "", "SELECT", "y@%"),
        Grant("routine", "TABLE projects", "", "EXECUTE", "y@%"),
    ],
)
def test_f66_i119_a_manifest_cannot_run_sql(server: Server, hostile: Grant) -> None:
    """A privilege is one that there is, of something that there is."""
    with pytest.raises(DatabaseError, match="is no right"):
        staged(server).give_access(Access((hostile,)))


def test_rights_are_given_by_who_finishes_after_a_crash(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed right before they are given, the next run gives them."""
    from migrators.backends.mysql import granting

    old = server.database("shop_v2", *OLD)
    app = server.user("app", f"GRANT SELECT ON `{old.database}`.packages TO %s")
    with monkeypatch.context() as patched:

        def killed(*_: Any) -> None:
            raise KeyboardInterrupt

        patched.setattr(granting, "give", killed)
        with pytest.raises(KeyboardInterrupt):
            migrated(server)
    assert not may(server, app, "SELECT * FROM @projects")
    server.backend().recover()
    assert may(server, app, "SELECT * FROM @projects")
