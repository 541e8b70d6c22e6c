"""What the driver is given: passwords from where people keep them, TLS as the URL says."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from migrators.backends.mysql import connect, options
from migrators.backends.passwords import VARIABLE
from migrators.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.backends.mysql.conftest import Server

FILE = """
# of mine
[mysqldump]
password = other
[client]
user = app
password = "p%(x)s#\\\\ é"   # with all that a parser may trip over
ssl-ca = /ca.pem
!include /nowhere
[mysqld]
password = other
"""
PASSWORD = "p%(x)s#\\ é"  # noqa: S105


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with an option file, and nothing in the environment."""
    monkeypatch.delenv(VARIABLE, raising=False)
    (tmp_path / ".my.cnf").write_text(FILE, "utf-8")
    return tmp_path


def given(url: str, home: Path) -> dict[str, Any]:
    """Return what the driver gets for a URL."""
    return options.arguments(sa.make_url(url), home)


def test_the_url_comes_first_then_the_environment_then_the_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is asked only where the one before it says nothing; an empty variable is none."""
    monkeypatch.setattr(options, "_context", lambda *_, **__: None)
    url = "mysql://app@db/shop"
    assert given(url, home)["password"] == PASSWORD.encode()
    monkeypatch.setenv(VARIABLE, "")
    assert given(url, home)["password"] == PASSWORD.encode()
    monkeypatch.setenv(VARIABLE, "environment")
    assert given(url, home)["password"] == b"environment"
    assert given("mysql://app:url@db/shop", home)["password"] == b"url"
    assert given("mysql://app@db/shop?password=query", home)["password"] == b"query"


def test_the_password_of_another_user_is_not_sent(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file says whose it is; without a user in the URL its own is taken."""
    monkeypatch.setattr(options, "_context", lambda *_, **__: None)
    assert "password" not in {k for k, v in given("mysql://root@db/shop", home).items() if v}
    found = given("mysql://db/shop", home)
    assert (found["user"], found["password"]) == ("app", PASSWORD.encode())


def test_without_a_file_there_is_nothing(tmp_path: Path) -> None:
    """Host, port and name alone; no TLS that nobody asked for."""
    found = given("mysql://app@db:3307/shop?charset=latin1&connect_timeout=3", tmp_path)
    assert found == {
        "host": "db", "port": 3307, "user": "app", "database": "shop", "password": b"",
        "program_name": "migrate", "connect_timeout": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "mode", "names"),
    [
        ("ssl_mode=REQUIRED", ssl.CERT_NONE, False),
        ("ssl_mode=VERIFY_CA", ssl.CERT_REQUIRED, False),
        ("ssl_mode=verify_identity", ssl.CERT_REQUIRED, True),
        ("ssl_verify_identity=true", ssl.CERT_REQUIRED, True),
        ("ssl_verify_cert=true", ssl.CERT_REQUIRED, False),
        ("ssl_capath=/", ssl.CERT_REQUIRED, True),
        ("ssl_capath=/&ssl_check_hostname=false", ssl.CERT_REQUIRED, False),
        ("ssl_capath=/&ssl_verify_identity=true", ssl.CERT_REQUIRED, True),
    ],
)
def test_tls_is_verified_as_asked(
    tmp_path: Path, query: str, mode: ssl.VerifyMode, names: object
) -> None:
    """The driver by itself checks no name where no authority is given, and forgets that."""
    context = given(f"mysql://app@db/shop?{query}", tmp_path)["ssl"]
    assert (context.verify_mode, context.check_hostname) == (mode, names)


@pytest.mark.parametrize("query", ["ssl_verify_identity=false", "ssl_mode=preferred"])
def test_false_is_false(tmp_path: Path, query: str) -> None:
    """The driver takes any text for true."""
    assert "ssl" not in given(f"mysql://app@db/shop?{query}", tmp_path)
    assert given("mysql://app@db/shop?ssl_mode=disabled", tmp_path)["ssl_disabled"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("conect_timeout=3", "an option `conect_timeout`"),
        ("connect_timeout=soon", "connect_timeout must be a number"),
        ("ssl_verify_cert=perhaps", "ssl_verify_cert must be true or false"),
        ("ssl_mode=strict", "ssl_mode must be one of disabled"),
        ("ssl_pony=1", "an option `ssl_pony`"),
        ("ssl_ca=/no/such.pem", "cannot be used: No such file"),
    ],
)
def test_an_option_that_is_none_is_a_usage_error(tmp_path: Path, query: str, words: str) -> None:
    """Before anything is sent; nothing that was written as an option is shown."""
    with pytest.raises(UsageError, match=words):
        given(f"mysql://app:canary@db/shop?{query}", tmp_path)


def test_a_server_takes_each_password(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With letters that are not Latin, and signs that mean something in URLs and files."""
    user, password = f"{server.own}app", "ключ%:/@#\"'"
    shown = password.replace("%", "%%").replace("'", "''")
    server.admin(f"CREATE USER '{user}'@'%%' IDENTIFIED BY '{shown}'")
    monkeypatch.setenv("HOME", str(tmp_path))
    url = server.backend(username=user, password=None).url

    def whoami() -> Any:
        with connect.opened(url, database=False) as connection:
            return connect.rows(connection, "SELECT USER()")[0][0].partition("@")[0]

    monkeypatch.setenv(VARIABLE, password)
    assert whoami() == user
    monkeypatch.delenv(VARIABLE)
    (tmp_path / ".my.cnf").write_text(f"[client]\npassword='{password}'\n", "utf-8")
    assert whoami() == user
