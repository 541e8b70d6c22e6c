"""A server on a bad night: lost connections, rights, limits; clear, and nothing lost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from migrators.errors import DatabaseError
from migrators.events import StageDone, StageStarted, TableProgress
from migrators.run import Options, migrate
from tests import servers
from tests.acceptance.cheeseshop import assert_refused
from tests.acceptance.nights import ROWS, SERVED, Night, night

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from migrators.events import Event


@pytest.fixture(params=SERVED)
def kind(request: pytest.FixtureRequest) -> str:
    """A kind of server."""
    return str(request.param)


@pytest.fixture
def shop(kind: str, tmp_path: Path) -> Iterator[Night]:
    """A project on a server, with a database of version 1."""
    with night(kind, tmp_path / "shop") as made:
        yield made


# connections that are lost -----------------------------------------------------------------

MOMENTS: dict[str, Callable[[Event], bool]] = {
    "extracting": lambda e: isinstance(e, StageStarted) and e.stage == "extract",
    "loading": lambda e: isinstance(e, TableProgress) and e.stage == "load",
    "verifying": lambda e: isinstance(e, TableProgress) and e.stage == "verify",
    "before publishing": lambda e: isinstance(e, StageDone) and e.stage == "still",
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.fault("G90", "H94", "H96")
def test_all_sessions_are_ended(shop: Night, moment: str) -> None:
    """The run stops, also where it was the lock's; nothing is visible; the next one ends it."""
    ended: list[Event] = []

    def emit(event: Event) -> None:
        if not ended and MOMENTS[moment](event):
            ended.append(event)
            shop.end_sessions()

    project = shop.project
    with pytest.raises(DatabaseError, match=r"connection is lost|ended the connection") as lost:
        migrate(project, project.chain(1, 2), Options(), emit=emit)
    assert (len(ended), lost.value.exit_code) == (1, 1)
    assert "type the same command again" in lost.value.hint[0]
    assert [name for name in shop.there() if "loading" not in name] == ["shop_v1"]
    shop.ran("1to2")
    assert shop.there() == ["shop_v1", "shop_v2"]
    assert [shop.count(version) for version in (1, 2)] == [ROWS, ROWS]


# rights ------------------------------------------------------------------------------------

UNREADABLE = {
    "postgresql": ('ALTER TABLE children OWNER TO "{own}other"', "children", "GRANT SELECT ON"),
    "mysql": (
        "REVOKE ALL ON `{own}%%`.* FROM '{own}app'@'%%'",
        "children, parents",
        "GRANT SELECT",
    ),
}
UNMAKEABLE = {
    "postgresql": ('ALTER ROLE "{own}app" NOCREATEDB', "CREATEDB;"),
    "mysql": (
        "REVOKE CREATE, INDEX ON `{own}%%`.* FROM '{own}app'@'%%'",
        "GRANT ALL PRIVILEGES ON `{pattern}shop\\_v2%`.* TO '{own}app'@'%';",
    ),
}
OTHER = {
    "postgresql": ('CREATE ROLE "{own}other"',),
    "mysql": ("GRANT USAGE ON *.* TO '{own}app'@'%%'",),
}


def test_a_role_that_may_not_read(shop: Night) -> None:
    """`check` names tables and the GRANT; `plan` shows what it may; the run stops clearly."""
    statement, tables, grant = UNREADABLE[shop.kind]
    for each in OTHER[shop.kind]:
        shop.admin(each.format(own=shop.own))
    shop.admin(statement.format(own=shop.own), version=1)
    if shop.kind == "mysql":  # to see the database at all
        shop.admin(f"GRANT CREATE ON `{shop.own}shop_v1`.* TO '{shop.own}app'@'%%'")
    words = [f"may not read {tables} of {shop.name()}", grant, f"{shop.own}app"]
    assert_refused(shop.run("check", "1to2"), 3, words)
    assert_refused(shop.run("1to2"), 1, ["right is missing"])
    assert shop.there() == ["shop_v1"]


def test_a_role_that_may_not_create(shop: Night) -> None:
    """Both `check` and the run say what an administrator types; then it runs."""
    statement, grant = UNMAKEABLE[shop.kind]
    shop.admin(statement.format(own=shop.own))
    said = grant.format(own=shop.own, pattern=shop.own.replace("_", "\\_"))
    assert_refused(shop.run("check", "1to2"), 3, ["may not make databases", said])
    assert_refused(shop.run("1to2"), 1, [])
    assert shop.there() == ["shop_v1"]
    typed = re.findall(r"((?:GRANT|ALTER) .+?;)", shop.run("check", "1to2").said)
    shop.admin(*(each.replace("%", "%%") for each in typed))
    shop.ran("check", "1to2")
    shop.ran("1to2")


# who is there ------------------------------------------------------------------------------


def test_who_is_connected_is_named(shop: Night) -> None:
    """By role, application and client, in plan and check; and what a load brings about."""
    url = servers.driven(servers.server_url(shop.kind)).set(database=shop.name())
    query = {"postgresql": {"application_name": "gunicorn"}}.get(shop.kind, {})
    engine = sa.create_engine(url.update_query_dict(query), poolclass=sa.NullPool)
    if shop.kind == "mysql":
        assert "cannot be seen without the right PROCESS" in shop.ran("check", "1to2").said
        shop.admin(f"GRANT PROCESS ON *.* TO '{shop.own}app'@'%%'")
    with engine.connect(), engine.connect():
        plan, check = shop.ran("plan", "1to2"), shop.ran("check", "1to2")
    engine.dispose()
    people = {
        "postgresql": "connected now: gunicorn x2 (postgres) from",
        "mysql": "connected now: root x2 from",
    }[shop.kind]
    assert people in plan.said
    assert people in check.said
    assert "is sorted at once" in plan.said
    if shop.kind == "postgresql":
        assert re.search(r"about [\d.]+ MB is WAL", plan.said)


# other servers -----------------------------------------------------------------------------

LIKE = {
    "postgresql": (" TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'",
                   " TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'"),
    "mysql": (" CHARACTER SET latin1 COLLATE latin1_german2_ci",
              " CHARACTER SET utf8mb3 COLLATE utf8mb3_bin"),
}  # fmt: skip


@pytest.mark.parametrize("which", [0, 1])
def test_other_encodings(kind: str, tmp_path: Path, which: int) -> None:
    """Text arrives exactly, in a database of the same encoding."""
    with night(kind, tmp_path / "shop", like=LIKE[kind][which]) as shop:
        shop.ran("check", "1to2")
        shop.ran("1to2")
        query = "SELECT id, note FROM children ORDER BY id"
        old, new = (shop.admin(query, version=v) for v in (1, 2))
        assert (old == new, len(new)) == (True, ROWS)


HOSTILE = {
    "DateStyle": "'SQL, DMY'",
    "search_path": "nowhere",
    "statement_timeout": "'1ms'",
    "lock_timeout": "'1ms'",
    "idle_in_transaction_session_timeout": "'1ms'",
    "default_transaction_read_only": "on",
    "standard_conforming_strings": "off",
    "client_encoding": "'LATIN1'",
    "bytea_output": "'escape'",
    "default_transaction_isolation": "'serializable'",
}


@pytest.mark.fault("C45")
def test_a_role_with_hostile_settings(tmp_path: Path) -> None:
    """FAULTS 45: they hold for each session of the role, and for none of ours."""
    with night("postgresql", tmp_path / "shop") as shop:
        for name, value in HOSTILE.items():
            shop.admin(f'ALTER ROLE "{shop.own}app" SET {name} = {value}')
        shop.ran("check", "1to2")
        shop.ran("1to2")
        query = "SELECT id, note FROM children ORDER BY id"
        assert shop.admin(query, version=2) == shop.admin(query, version=1)


# somebody in the way -----------------------------------------------------------------------


def test_somebody_in_the_version_that_is_set_aside(tmp_path: Path) -> None:
    """They are named before any work is done; when they are gone the same command runs."""
    with night("postgresql", tmp_path / "shop") as shop:
        shop.ran("1to2")
        url = servers.driven(servers.server_url("postgresql")).set(database=shop.name(2))
        engine = sa.create_engine(
            url.update_query_dict({"application_name": "metabase"}), poolclass=sa.NullPool
        )
        with engine.connect():
            done = shop.run("1to2", "--replace", "--yes")
        engine.dispose()
        assert_refused(done, 5, [shop.name(2), "metabase", "close these connections"])
        assert shop.there() == ["shop_v1", "shop_v2"]
        shop.ran("1to2", "--replace", "--yes")
