"""The fence: what lets accounts write is taken; their sessions end; SHOW GRANTS comes back."""

from __future__ import annotations

import threading
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pymysql
import pytest
import sqlalchemy as sa

from migrators.errors import DatabaseError, Locked
from tests import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.backends.mysql.conftest import Server

NAME = "shop_v2"
OLD = (
    "CREATE TABLE t (id int PRIMARY KEY, a text)",
    "INSERT INTO t VALUES (1, 'x')",
    "CREATE PROCEDURE p() INSERT INTO t VALUES (7, 'p')",
)
GRANTS = {
    "all on the name": ("GRANT ALL ON `{db}`.* TO {who}",),
    "the name, escaped": ("GRANT SELECT, INSERT ON `{escaped}`.* TO {who} WITH GRANT OPTION",),
    "writes alone": ("GRANT INSERT, UPDATE ON `{db}`.* TO {who}",),
    "a pattern": ("GRANT ALL ON `{own}%%`.* TO {who}",),
    "a pattern and the name": (
        "GRANT ALL ON `{own}%%`.* TO {who}",
        "GRANT INSERT ON `{escaped}`.* TO {who}",
    ),
    "a table": ("GRANT SELECT, INSERT, DELETE ON `{db}`.t TO {who} WITH GRANT OPTION",),
    "columns": ("GRANT SELECT (id, a), INSERT (id, a), UPDATE (a) ON `{db}`.t TO {who}",),
    "a routine": (
        "GRANT EXECUTE ON PROCEDURE `{db}`.p TO {who}",
        "GRANT SELECT ON `{db}`.t TO {who}",
    ),
    "a role": (
        "CREATE ROLE '{own}writers'",
        "GRANT ALL ON `{db}`.* TO '{own}writers'",
        "GRANT '{own}writers' TO {who}",
        "SET DEFAULT ROLE '{own}writers' FOR {who}",
    ),
    "a role by a pattern": (
        "CREATE ROLE '{own}writers'",
        "GRANT ALL ON `{own}%%`.* TO '{own}writers'",
        "GRANT '{own}writers' TO {who}",
        "SET DEFAULT ROLE '{own}writers' FOR {who}",
    ),
    "everybody": ("GRANT ALL ON `{db}`.* TO PUBLIC",),
}  # fmt: skip
WRITES = (
    "INSERT INTO t VALUES (8, 'y')",
    "UPDATE t SET a = 'y'",
    "DELETE FROM t",
    "TRUNCATE t",
    "ALTER TABLE t ADD b int",
    "CALL p()",
)


@pytest.fixture
def roles(server: Server) -> Iterator[None]:
    """Remove the role of a test, and what it gave everybody."""
    yield
    with suppress(sa.exc.SQLAlchemyError):
        server.admin(f"REVOKE ALL ON `{server.own}{NAME}`.* FROM PUBLIC")
    server.admin(f"DROP ROLE IF EXISTS '{server.own}writers'")


def shown(server: Server, account: str) -> list[str]:
    """Return the server's own words for what an account may, and its role."""
    lines = [row[0] for row in server.admin(f"SHOW GRANTS FOR {account}")]
    role = f"'{server.own}writers'"
    if server.admin(f"SELECT 1 FROM mysql.user WHERE user = {role} AND is_role = 'Y'"):
        lines += [row[0] for row in server.admin(f"SHOW GRANTS FOR {role}")]
    lines += [row[0] for row in server.admin("SHOW GRANTS FOR PUBLIC") if server.own in row[0]]
    return sorted(lines)


def login(server: Server, user: dict[str, str], **given: Any) -> pymysql.Connection[Any]:
    """Connect as a user, as its application would."""
    url = server.backend(NAME).url
    return pymysql.connect(
        host=url.host, port=url.port or 3306, user=user["username"], password=user["password"],
        autocommit=True, ssl_disabled=True, **given,
    )  # fmt: skip


def may(server: Server, user: dict[str, str]) -> list[str]:
    """Return the statements that change something and are not denied."""
    done = []
    with closing(login(server, user)) as session, session.cursor() as cursor:
        try:
            cursor.execute(f"USE `{server.own}{NAME}`")
        except pymysql.err.MySQLError:
            return []
        for statement in WRITES:
            try:
                cursor.execute(statement)
            except pymysql.err.MySQLError as error:
                if error.args[0] not in (1044, 1142, 1143, 1370):
                    done.append(statement)
            else:
                done.append(statement)
    return done


@pytest.mark.usefixtures("roles")
@pytest.mark.parametrize("case", GRANTS)
def test_nobody_writes_and_the_grants_come_back_verbatim(server: Server, case: str) -> None:
    """Of whatever pattern, table, column, routine or role; who could read can."""
    old = server.database(NAME, *OLD)
    user = server.user("app")
    account = f"'{server.own}app'@'%%'"
    db = f"{server.own}{NAME}"
    escaped = db.replace("_", "\\_")
    for grant in GRANTS[case]:
        server.admin(grant.format(db=db, escaped=escaped, who=account, own=server.own))
    before, access = shown(server, account), old.access()
    digest = old.digest()
    fence = old.fence()
    saved = fence.before()
    made = fence.close(saved)
    assert (fence.closed(saved), fence.holes(saved)) == (True, ())
    assert may(server, user) == []
    assert old.digest() == digest
    assert any(who.startswith("root@") for who in made.passing)
    old.unfenced(saved)
    assert old.access() == access
    fence.close(saved)
    assert fence.open(saved) == ()
    assert shown(server, account) == before
    assert fence.open(saved) == ()
    assert shown(server, account) == before
    assert may(server, user) != []


def test_who_could_read_can(server: Server) -> None:
    """A dashboard goes on."""
    old = server.database(NAME, *OLD)
    user = server.user("app", f"GRANT ALL ON `{server.own}%%%%`.* TO '%s'@'%%%%'")
    fence = old.fence()
    saved = fence.before()
    fence.close(saved)
    database = f"{server.own}{NAME}"
    with closing(login(server, user, database=database)) as session, session.cursor() as cursor:
        cursor.execute("SELECT a FROM t")
        assert cursor.fetchall() == (("x",),)
    fence.open(saved)


def test_sessions_are_ended(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the database; and elsewhere, with something written there and not committed."""
    old = server.database(NAME, *OLD)
    db = f"{server.own}{NAME}"
    user = server.user("app", f"GRANT ALL ON `{server.own}%%%%`.* TO '%s'@'%%%%'")
    with closing(login(server, user, database=db)) as one, closing(login(server, user)) as two:
        two.begin()
        two.cursor().execute(f"UPDATE `{db}`.t SET a = 'lost'")
        fence = old.fence()
        saved = fence.before()
        assert fence.close(saved).ended == ((user["username"], 2),)
        for session in (one, two):
            with pytest.raises(pymysql.err.MySQLError):
                session.cursor().execute("SELECT 1")
    assert server.run(NAME, "SELECT a FROM t") == (("x",),)
    with closing(login(server, user)) as three, three.cursor() as cursor:
        assert fence.holes(saved) == ()
        cursor.execute(f"USE `{db}`")
        monkeypatch.setattr("migrators.backends.mysql.fence._PATIENCE", 0.2)
        (said,) = fence.holes(saved)
        assert said.startswith(f"connected to it: {user['username']} from")
    fence.open(saved)


def test_what_others_ask_the_server_hides_no_writer(server: Server) -> None:
    """INNODB_TRX is not renewed while somebody reads it all the time."""
    old = server.database(NAME, *OLD)
    user = server.user("app", f"GRANT ALL ON `{server.own}%%%%`.* TO '%s'@'%%%%'")
    stop = threading.Event()

    def monitor() -> None:
        with servers.maintenance("mysql") as connection:
            while not stop.is_set():
                connection.exec_driver_sql("SELECT count(*) FROM information_schema.innodb_trx")

    thread = threading.Thread(target=monitor)
    thread.start()
    try:
        time.sleep(0.2)
        with closing(login(server, user)) as two:
            two.begin()
            two.cursor().execute(f"UPDATE `{server.own}{NAME}`.t SET a = 'lost'")
            fence = old.fence()
            saved = fence.before()
            assert fence.close(saved).ended == ((user["username"], 1),)
            fence.open(saved)
    finally:
        stop.set()
        thread.join()


def test_a_prepared_transaction_is_in_the_way(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is fenced out may commit it all the same: `XA COMMIT` asks for no right."""
    old = server.database(NAME, *OLD)
    db = f"{server.own}{NAME}"
    user = server.user("app", f"GRANT ALL ON `{server.own}%%%%`.* TO '%s'@'%%%%'")
    name = f"'{server.own}','it''s'"
    with closing(login(server, user)) as two, two.cursor() as cursor:
        cursor.execute(f"XA START {name}")
        cursor.execute(f"UPDATE `{db}`.t SET a = 'later'")
        cursor.execute(f"XA END {name}")
        cursor.execute(f"XA PREPARE {name}")
    fence = old.fence()
    saved = fence.before()
    monkeypatch.setattr("migrators.backends.mysql.fence._PATIENCE", 0.2)
    try:
        with pytest.raises(Locked, match="is prepared on its server") as refused:
            fence.close(saved)
        fence.open(saved)
    finally:
        server.admin(f"XA COMMIT {name}")
    assert refused.value.hint[0].startswith("XA COMMIT X'")
    fence = old.fence()
    fence.close(saved := fence.before())
    fence.open(saved)
    assert server.run(NAME, "SELECT a FROM t") == (("later",),)


def test_a_session_that_ends_by_itself_is_waited_for(server: Server) -> None:
    """Somebody types `migrate status` in the last minute: it reads, and is gone again."""
    old = server.database(NAME, *OLD)
    fence = old.fence()
    saved = fence.before()
    fence.close(saved)
    url = old.url
    status = pymysql.connect(
        host=url.host, port=url.port or 3306, user=url.username, password=url.password or "",
        database=url.database,
    )  # fmt: skip
    leaves = threading.Timer(0.3, status.close)
    leaves.start()
    assert fence.holes(saved) == ()
    leaves.join()
    fence.open(saved)


def test_an_account_that_may_not_fence_is_told_what_it_lacks(server: Server) -> None:
    """Nothing is changed."""
    server.database(NAME, *OLD)
    user = server.user("app", f"GRANT ALL ON `{server.own}%%%%`.* TO '%s'@'%%%%'")
    fence = server.backend(NAME, **user).fence()
    with pytest.raises(DatabaseError, match="may not fence") as told:
        fence.before()
    assert told.value.hint[0].startswith("GRANT PROCESS")
    account, other = f"'{user['username']}'@'%%'", f"'{server.own}other'@'%%'"
    server.admin(f"GRANT PROCESS, CONNECTION ADMIN ON *.* TO {account}")
    with pytest.raises(DatabaseError, match="may not fence") as told:
        fence.before()
    assert told.value.hint[0].startswith("GRANT SELECT ON mysql")
    server.admin(f"GRANT SELECT ON mysql.* TO {account}")
    server.user("other")
    server.admin(f"GRANT ALL ON `{server.own}{NAME}`.* TO {other}")
    before = shown(server, other)
    saved = fence.before()
    with pytest.raises(DatabaseError, match="not this account's to take") as told:
        fence.close(saved)
    assert told.value.hint[0].endswith("WITH GRANT OPTION")
    assert fence.open(saved) == ()
    assert shown(server, other) == before
    server.admin(f"GRANT ALL ON `{server.own}%%`.* TO {account} WITH GRANT OPTION")
    fence.close(saved)
    assert fence.closed(saved)
    assert fence.open(saved) == ()
    assert shown(server, other) == before
