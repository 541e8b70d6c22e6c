"""The fence: nobody else gets in, their sessions end, and the ACL comes back word for word."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from migrators.backends.postgresql.fence import PostgreSQLFence
from migrators.errors import DatabaseError, Locked

if TYPE_CHECKING:
    from migrators.backends.postgresql import PostgreSQLBackend
    from tests.backends.postgresql.conftest import Server

NAME = "shop_v2"
OLD = ("CREATE TABLE t (id int PRIMARY KEY, a text)", "INSERT INTO t VALUES (1, 'x')",
       "GRANT ALL ON t TO PUBLIC")  # fmt: skip


def acl(server: Server) -> str | None:
    """Return the server's own words for who may do what with the database."""
    query = f"SELECT datacl::text FROM pg_database WHERE datname = '{server.own}{NAME}'"
    found: str | None = server.admin(query)[0][0]
    return found


def login(database: PostgreSQLBackend, role: str) -> psycopg.Connection[tuple[object, ...]]:
    """Connect as a role, as its application would."""
    url = database.url.set(drivername="postgresql", username=role)
    text = url.render_as_string(hide_password=False)
    return psycopg.connect(text, autocommit=True, application_name="gunicorn")


def refused(database: PostgreSQLBackend, role: str) -> bool:
    """Whether a role may not connect."""
    try:
        login(database, role).close()
    except psycopg.OperationalError as error:
        return "permission denied for database" in str(error)
    return False


ACLS = {
    "nothing said": (),
    "by name": (
        "REVOKE ALL ON DATABASE {db} FROM PUBLIC",
        "GRANT CONNECT ON DATABASE {db} TO {bi}",
        "GRANT CONNECT, TEMPORARY ON DATABASE {db} TO {app} WITH GRANT OPTION",
    ),
    "passed on by others": (
        "GRANT CONNECT ON DATABASE {db} TO {app} WITH GRANT OPTION",
        "SET ROLE {app}",
        "GRANT CONNECT ON DATABASE {db} TO {bi} WITH GRANT OPTION",
        "SET ROLE {bi}",
        "GRANT CONNECT ON DATABASE {db} TO {owner}",
        "RESET ROLE",
    ),
    "nothing at all": ("REVOKE ALL ON DATABASE {db} FROM PUBLIC, {owner}",),
    "to PUBLIC with an odd name beside it": (
        'GRANT TEMPORARY ON DATABASE {db} TO "{own}a, b=c"',
        "GRANT CREATE ON DATABASE {db} TO {app}",
    ),
}


@pytest.mark.parametrize("by", ["superuser", "owner"])
@pytest.mark.parametrize("case", ACLS)
def test_the_acl_comes_back_verbatim(server: Server, case: str, by: str) -> None:
    """Byte for byte by a superuser; for others NULL and the order of entries alone differ."""
    names = {role: server.role(role) for role in ("app", "bi", "owner")}
    server.role("a, b=c")
    server.database(NAME, *OLD)
    quoted = {role: f'"{name}"' for role, name in names.items()}
    database = f'"{server.own}{NAME}"'
    server.admin(f"ALTER DATABASE {database} OWNER TO {quoted['owner']}")
    said = [s.format(db=database, own=server.own, **quoted) for s in ACLS[case]]
    server.admin(*(s.replace("%", "%%") for s in said))
    before = acl(server)
    fence = PostgreSQLFence(
        server.backend(NAME, **({"username": names["owner"]} if by == "owner" else {})).url
    )
    saved = fence.before()
    fence.close(saved)
    assert fence.closed(saved)
    assert fence.holes(saved) == ()
    assert refused(server.backend(NAME), names["app"])
    assert (acl(server) != before) is (case != "nothing at all" or by == "owner")
    failed = fence.open(saved)
    if by == "owner" and case == "passed on by others":
        assert len(failed) == 2, failed  # a role that it is no member of gave them
        server.admin(*failed[0].rstrip(";").split("; "), "RESET ROLE")
        server.admin(*failed[1].rstrip(";").split("; "), "RESET ROLE")
    else:
        assert failed == ()
    assert rights(server, acl(server)) == rights(server, before)
    if by == "superuser":
        assert acl(server) == before
    assert fence.open(saved) == ()


def rights(server: Server, text: str | None) -> list[tuple[object, ...]]:
    """Return what an ACL says, in some order."""
    if text == "{}":
        return []
    text = f"'{text.replace(chr(39), chr(39) * 2)}'" if text is not None else "NULL"
    return server.admin(
        f"SELECT a.* FROM pg_database, aclexplode(coalesce({text.replace('%', '%%')}::aclitem[], "
        f"acldefault('d', datdba))) AS a WHERE datname = '{server.own}{NAME}' ORDER BY 1, 2, 3, 4"
    )


def test_sessions_are_ended_and_counted(server: Server) -> None:
    """By application; a transaction that was open is rolled back; nobody comes back."""
    app = server.role("app")
    old = server.database(NAME, *OLD)
    with closing(login(old, app)) as one, closing(login(old, app)) as two:
        one.execute("BEGIN")
        one.execute("UPDATE t SET a = 'lost'")
        fence = old.fence()
        saved = fence.before()
        made = fence.close(saved)
        assert made.ended == (("gunicorn", 2),)
        assert any("superusers" in who for who in made.passing)
        for session in (one, two):
            with pytest.raises(psycopg.OperationalError):
                session.execute("SELECT 1")
        assert refused(old, app)
    assert server.run(NAME, "SELECT a FROM t") == [("x",)]
    fence.open(saved)
    assert not refused(old, app)


def test_who_gets_in_all_the_same_is_a_hole(server: Server) -> None:
    """A superuser who is in, and a right that came back."""
    app = server.role("app")
    old = server.database(NAME, *OLD)
    fence = old.fence()
    saved = fence.before()
    fence.close(saved)
    with closing(server.connected(NAME)):
        (said,) = fence.holes(saved)
        assert said.startswith("connected to it: postgres")
    server.admin(f'GRANT CONNECT ON DATABASE "{server.own}{NAME}" TO "{app}"')
    assert fence.holes(saved)[0] == f"{app} may connect again"
    assert not fence.closed(saved)
    fence.open(saved)
    assert acl(server) is None


def test_another_session_of_the_command_is_no_hole(server: Server) -> None:
    """Somebody types `migrate status` in the last minute: it reads, and is not ended either."""
    old = server.database(NAME, *OLD)
    fence = old.fence()
    saved = fence.before()
    url = old.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg.connect(url, autocommit=True, application_name="migrate")) as status:
        assert fence.close(saved).ended == ()
        assert fence.holes(saved) == ()
        assert status.execute("SELECT a FROM t").fetchall() == [("x",)]
    fence.open(saved)


def test_what_a_superuser_writes_leaves_a_trace(server: Server) -> None:
    """Rows, TRUNCATE and DDL move it; reading does not. A rolled-back insert may: then a digest tells."""  # noqa: E501
    old = server.database(NAME, *OLD)
    fence = old.fence()
    saved = fence.before()
    fence.close(saved)
    seen = [fence.trace()]
    server.run(NAME, "SELECT * FROM t")
    assert fence.trace() == seen[0]
    for statement in (
        "UPDATE t SET a = a",
        "INSERT INTO t VALUES (2, 'y')",
        "DELETE FROM t WHERE id = 2",
        "TRUNCATE t",
        "ALTER TABLE t ADD b int",
    ):
        server.run(NAME, statement)
        seen.append(fence.trace())
    assert len(set(seen)) == len(seen)
    fence.open(saved)


def test_a_role_that_does_not_own_it_is_refused_with_the_grant(server: Server) -> None:
    """Nothing is changed."""
    app = server.role("app")
    server.database(NAME, *OLD)
    with pytest.raises(DatabaseError, match="only its owner") as told:
        server.backend(NAME, username=app).fence().before()
    assert told.value.hint[0].startswith("as a superuser: GRANT")


def test_a_session_that_may_not_be_ended(server: Server) -> None:
    """A superuser's, by the owner: who it is; the caller opens it again."""
    owner = server.role("owner")
    server.database(NAME, *OLD)
    server.admin(f'ALTER DATABASE "{server.own}{NAME}" OWNER TO "{owner}"')
    fence = server.backend(NAME, username=owner).fence()
    saved = fence.before()
    with closing(server.connected(NAME)), pytest.MonkeyPatch.context() as patch:
        patch.setattr("migrators.backends.postgresql.fence._PATIENCE", 0.2)
        with pytest.raises(Locked, match=r"postgres.* will not go"):
            fence.close(saved)
    fence.open(saved)


def test_a_prepared_transaction_is_in_the_way(server: Server) -> None:
    """What it wrote is in no snapshot, and would be committed later, unseen."""
    if server.admin("SHOW max_prepared_transactions")[0][0] == "0":
        pytest.skip("max_prepared_transactions is 0")
    old = server.database(NAME, *OLD)
    server.run(NAME, "BEGIN; INSERT INTO t VALUES (9, 'z'); PREPARE TRANSACTION 'later'")
    with pytest.raises(Locked, match="'later' is prepared"):
        old.fence().before()
    server.run(NAME, "ROLLBACK PREPARED 'later'")
    assert old.fence().before()["acl"] is None


def test_a_database_that_is_gone_is_open(server: Server) -> None:
    """Dropped by hand under a fence: nothing to undo."""
    old = server.database(NAME, *OLD)
    fence = old.fence()
    saved = fence.before()
    fence.close(saved)
    server.admin(f'DROP DATABASE "{server.own}{NAME}"')
    assert not fence.closed(saved)
    assert fence.open(saved) == ()
