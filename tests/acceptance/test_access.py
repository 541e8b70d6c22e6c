"""Who could use the old database can use the new one, shown by logging in as them."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests import servers
from tests.acceptance.cheeseshop import cheeseshop
from tests.acceptance.engines import on_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.acceptance.cheeseshop import Cheeseshop

SPLIT = "step.grant(new.files, like=old.releases)"
SAID = """
    step.grant(new.files, like=old.releases)
    step.grant(new.roles, like=old.packages)
    step.grant(new.keywords, like=old.packages)
    step.grant(new.project_keywords, like=old.packages)
"""


@dataclass(frozen=True)
class Guests:
    """A project on a server, and roles of a test's own there."""

    shop: Cheeseshop
    kind: str
    own: str
    made: list[str]

    def role(self, name: str) -> str:
        """Create a role that may log in; return its name."""
        role = f"{self.own}{name}"
        with servers.maintenance(self.kind) as connection:
            connection.exec_driver_sql(CREATE[self.kind].format(role))
        self.made.append(role)
        return role

    @contextmanager
    def connected(self, version: int, role: str = "") -> Iterator[sa.Connection]:
        """Connect to a database, as a role or as who owns the server."""
        url = servers.driven(self.shop.project.url(version))
        if role:
            url = url.set(username=role, password=PASSWORD)
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()

    def run(self, version: int, *statements: str) -> None:
        """Run SQL in a database."""
        with self.connected(version) as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def may(self, role: str, *statements: str, version: int = 3) -> list[bool]:
        """Log in as a role; say whether it may do each."""
        return [self._may(role, statement, version) for statement in statements]

    def _may(self, role: str, statement: str, version: int) -> bool:
        try:
            with self.connected(version, role) as connection:
                connection.exec_driver_sql(statement)
        except sa.exc.DBAPIError as error:
            assert "denied" in str(error.orig), error  # noqa: PT017
            return False
        return True


PASSWORD = "canary"  # noqa: S105  of roles that live as long as a test
CREATE = {
    "postgresql": 'CREATE ROLE "{}" LOGIN',
    "mysql": f"CREATE USER {{}} IDENTIFIED BY '{PASSWORD}'",
}
DROP = {"postgresql": 'DROP ROLE "{}"', "mysql": "DROP USER {}"}


@pytest.fixture(params=["postgresql", "mysql"])
def guests(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Guests]:
    """The reference application's version 2 on a server."""
    kind = str(request.param)
    made: list[str] = []
    with ExitStack() as stack:
        stack.callback(drop, kind, made)  # after the databases, where they have rights
        own = stack.enter_context(servers.prefix(kind))
        shop = on_server(cheeseshop(tmp_path / "cheeseshop"), kind, own)
        shop.ran("load", str(shop.fixtures(2)))
        yield Guests(shop, kind, own, made)


def drop(kind: str, roles: list[str]) -> None:
    """Drop roles."""
    with servers.maintenance(kind) as connection:
        for role in roles:
            connection.exec_driver_sql(DROP[kind].format(role))


def test_check_says_the_line_and_the_run_refuses_without_it(guests: Guests) -> None:
    """A split table: nothing is read, nothing is written; with the lines it goes through."""
    app = guests.role("app")
    guests.run(
        2, f"GRANT SELECT, INSERT ON releases TO {app}", f"GRANT SELECT ON packages TO {app}"
    )
    planned = guests.shop.ran("plan", "2to3").said
    assert (f"{app}" in planned, SPLIT in planned) == (True, True)
    done = guests.shop.run("check", "2to3")
    assert (done.code, SPLIT in done.said) == (3, True), done.said
    done = guests.shop.run("2to3")
    assert (done.code, SPLIT in done.said, done.clear) == (3, True, True)
    step = guests.shop.root / "migrators" / "2to3.py"
    last = "    countries(step, old, new)\n"
    step.write_text(step.read_text().replace(last, last + SAID, 1))
    guests.shop.ran("check", "2to3")
    guests.shop.ran("2to3")
    reads = [f"SELECT * FROM {t}" for t in ("releases", "files", "projects", "keywords")]
    assert guests.may(app, *reads, "SELECT * FROM users") == [True, True, True, True, False]


def test_everybody_can_do_what_they_could(guests: Guests) -> None:
    """Table and column rights, on carried, renamed and changed tables; and nobody else."""
    app, report, nobody = (guests.role(name) for name in ("app", "report", "nobody"))
    guests.run(
        2,
        f"GRANT SELECT, UPDATE ON users TO {app}",
        f"GRANT SELECT (id, rocketchat_user) ON users TO {report}",
    )
    guests.shop.ran("2to3", "--rehearse")
    guests.shop.ran("2to3")
    assert guests.may(app, "SELECT * FROM users", "DELETE FROM users") == [True, False]
    reads = "SELECT id, rocketchat_user FROM users", "SELECT * FROM users"
    assert guests.may(report, *reads) == [True, False]
    assert guests.may(nobody, *reads) == [False, False]


def test_what_the_replaced_version_granted_holds_on(guests: Guests) -> None:
    """Rights given to the new version by hand are there after it is made anew."""
    report = guests.role("report")
    guests.shop.ran("2to3")
    guests.run(3, f"GRANT SELECT ON countries TO {report}")
    guests.shop.ran("2to3", "--replace", "--yes")
    assert guests.may(report, "SELECT * FROM countries", "SELECT * FROM users") == [True, False]


def test_a_chain_carries_them_through(guests: Guests) -> None:
    """2 → 3 → 4, where only the last is ever seen."""
    app = guests.role("app")
    guests.run(2, f"GRANT SELECT ON settings TO {app}")
    guests.shop.ran("2to4")
    reads = "SELECT * FROM settings", "SELECT * FROM users"
    assert guests.may(app, *reads, version=4) == [True, False]


def test_a_chain_is_refused_for_its_second_step(guests: Guests) -> None:
    """Before anything is read; `check` of the chain says the same."""
    app = guests.role("app")
    guests.run(2, f"GRANT SELECT ON users TO {app}")
    line = "step.grant(new.profiles, like=old.users)"
    done = guests.shop.run("2to4")
    assert (done.code, line in done.said, "migrate check 2to4" in done.said) == (3, True, True)
    done = guests.shop.run("check", "2to4")
    assert (done.code, line in done.said) == (3, True)
