"""Rights with --into and --replace, on the database itself, and its settings: by logging in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import servers
from tests.acceptance.test_access import Guests, guests

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["guests"]  # a fixture

postgresql = pytest.mark.parametrize("guests", ["postgresql"], indirect=True)


def given(guests: Guests) -> str:
    """Make an empty database beside the project's; return its URL."""
    name = f"{guests.own}given"
    servers.create_database(guests.kind, name)
    url = servers.server_url(guests.kind).set(database=name)
    return url.render_as_string(hide_password=False)


def into(guests: Guests, url: str) -> Guests:
    """Return the guests of a database that was loaded in place: its version is 3."""
    pyproject = guests.shop.root / "pyproject.toml"
    text = pyproject.read_text().split("[tool.migrators.urls]")[0]
    pyproject.write_text(f'{text}[tool.migrators.urls]\n3 = "{url}"\n')
    return guests


def shown(guests: Guests, role: str, *names: str, version: int = 3) -> list[str]:
    """Log in as a role; return settings."""
    with guests.connected(version, role) as connection:
        return [str(connection.exec_driver_sql(f"SHOW {name}").scalar()) for name in names]


def test_into_gives_the_rights_on_what_is_in_it(guests: Guests) -> None:
    """Tables and columns, carried and renamed; and nobody else may."""
    app, report, nobody = (guests.role(name) for name in ("app", "report", "nobody"))
    guests.run(
        2,
        f"GRANT SELECT, UPDATE ON users TO {app}",
        f"GRANT SELECT (id, rocketchat_user) ON users TO {report}",
    )
    url = given(guests)
    guests.shop.ran("2to3", "--into", url)
    into(guests, url)
    assert guests.may(app, "SELECT * FROM users", "DELETE FROM users") == [True, False]
    reads = "SELECT id, rocketchat_user FROM users", "SELECT * FROM users"
    assert guests.may(report, *reads) == [True, False]
    assert guests.may(nobody, *reads) == [False, False]


def test_a_copy_into_another_server_says_that_rights_stay_behind(guests: Guests) -> None:
    """Its roles are others; the run says so, and gives nobody anything."""
    app = guests.role("app")
    guests.run(2, f"GRANT SELECT ON users TO {app}")
    with servers.prefix("mysql" if guests.kind == "postgresql" else "postgresql") as own:
        other = "mysql" if guests.kind == "postgresql" else "postgresql"
        servers.create_database(other, f"{own}given")
        url: sa.URL = servers.server_url(other).set(database=f"{own}given")
        done = guests.shop.ran("copy", "2", "--into", url.render_as_string(hide_password=False))
    assert "owners and rights stay behind" in done.said


def test_replacing_keeps_the_rights_of_both(guests: Guests) -> None:
    """Those of the old version as they are now, and those that were given to the new one."""
    app, report = guests.role("app"), guests.role("report")
    guests.shop.ran("2to3")
    guests.run(3, f"GRANT SELECT ON countries TO {report}")
    guests.run(2, f"GRANT SELECT ON users TO {app}")
    guests.shop.ran("2to3", "--replace", "--yes")
    reads = "SELECT * FROM users", "SELECT * FROM countries"
    assert guests.may(app, *reads) == [True, False]
    assert guests.may(report, *reads) == [False, True]


# the database itself -----------------------------------------------------------------------


def closed(guests: Guests, version: int, *roles: str) -> None:
    """Let nobody but some roles connect, and give sessions settings of their own."""
    name = f'"{guests.shop.project.url(version).database}"'
    first = roles[0]
    guests.run(
        version,
        f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC",
        *(f'GRANT CONNECT ON DATABASE {name} TO "{role}"' for role in roles),
        f"ALTER DATABASE {name} SET work_mem = '{7 + version}MB'",
        f'ALTER DATABASE {name} SET search_path = public, "{first}"',
        f"ALTER ROLE \"{first}\" IN DATABASE {name} SET statement_timeout = '{version}min'",
    )


@postgresql
def test_who_may_connect_and_what_holds_in_sessions(guests: Guests) -> None:
    """As in the old database: by login, which nobody else has."""
    app, other, nobody = (guests.role(name) for name in ("app", "other", "nobody"))
    closed(guests, 2, app, other)
    guests.shop.ran("2to3")
    assert [guests.may(role, "SELECT 1") for role in (app, other, nobody)] == [
        [True],
        [True],
        [False],
    ]
    settings = "work_mem", "search_path", "statement_timeout"
    assert shown(guests, app, *settings) == ["9MB", f"public, {app}", "2min"]
    assert shown(guests, other, *settings) == ["9MB", f"public, {app}", "0"]


@postgresql
def test_replacing_keeps_who_may_connect_to_the_new_version(guests: Guests) -> None:
    """What was said of the name of version 3 holds on: not what version 2 has."""
    app, other = guests.role("app"), guests.role("other")
    guests.shop.ran("2to3")
    closed(guests, 2, other)
    closed(guests, 3, app)
    guests.shop.ran("2to3", "--replace", "--yes")
    assert [guests.may(role, "SELECT 1") for role in (app, other)] == [[True], [False]]
    assert shown(guests, app, "work_mem", "statement_timeout") == ["10MB", "3min"]


@postgresql
def test_into_leaves_who_may_connect_to_its_owner(guests: Guests) -> None:
    """The database that was given is opened and set up by who gave it."""
    app, other = guests.role("app"), guests.role("other")
    url = given(guests)
    closed(guests, 2, other)
    closed(into(guests, url), 3, app)
    into(guests, url).shop.ran("copy", "2", "--into", url)
    assert [guests.may(role, "SELECT 1") for role in (app, other)] == [[True], [False]]
    assert shown(guests, app, "work_mem", "statement_timeout") == ["10MB", "3min"]
