"""Moves between databases of all kinds: `copy`, `--to`, `--into`, and `check --to`."""

from __future__ import annotations

import json
import re
import secrets
import shlex
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from migrators.backends import backend_for
from migrators.run import places
from migrators.run.directory import new_run
from tests import servers
from tests.acceptance.cheeseshop import Cheeseshop, cheeseshop, finished, tables
from tests.markdown import blocks
from tests.sandbox import sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox import Sandbox

PAGE = Path(__file__).parents[2] / "docs" / "moving.md"
KINDS = ("postgresql", "mysql")
SHOWN = {"postgresql": "postgresql://app@db", "mysql": "mysql://app@db"}


class Owned:
    """Servers, where a test's databases have names of its own."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._own: dict[str, str] = {}

    def url(self, kind: str, name: str = "shop_v{version}") -> str:
        """Return the URL of a database of that server."""
        if kind not in self._own:
            self._own[kind] = self._stack.enter_context(servers.prefix(kind))
        shown = servers.server_url(kind).set(database="").render_as_string(hide_password=False)
        return f"{shown.rstrip('/')}/{self._own[kind]}{name}"

    def empty(self, kind: str, name: str = "given") -> str:
        """Make an empty database; return its URL."""
        url = self.url(kind, name)
        servers.create_database(kind, f"{self._own[kind]}{name}")
        return url

    def names(self, kind: str) -> list[str]:
        """Return the names of the test's databases, without what makes them its own."""
        own = self._own[kind]
        return sorted(n.removeprefix(own) for n in servers.names(kind) if n.startswith(own))

    def shown(self, text: str) -> str:
        """Return text with the page's names in place of the test's."""
        for own in self._own.values():
            text = text.replace(own, "")
        return text


@pytest.fixture
def there() -> Iterator[Owned]:
    """Servers to move to; what is made there is removed."""
    with ExitStack() as stack:
        yield Owned(stack)


@pytest.fixture
def odd(tmp_path: Path) -> Cheeseshop:
    """A project of one table whose rows differ in case, accent, spaces, emoji and NULL."""
    return named(Cheeseshop(_odd(sandbox(tmp_path / "odd")).root))


def named(shop: Cheeseshop) -> Cheeseshop:
    """Give a project a name of its own: servers know its lock by that."""
    path = shop.root / "pyproject.toml"
    own = f"p{secrets.token_hex(4)}"
    path.write_text(re.sub(r'name = ".*"', f'name = "{own}"', path.read_text("utf-8")), "utf-8")
    return shop


def _odd(shop: Sandbox) -> Sandbox:
    shop.schema(
        1,
        """
        from sqlalchemy.dialects import mysql
        bytewise = mysql.VARCHAR(20, charset="utf8mb4", collation="utf8mb4_nopad_bin")
        t("words", Column("id", Integer, primary_key=True),
          Column("word", String(20).with_variant(bytewise, "mysql", "mariadb"), unique=True),
          Column("note", String(20)))
        """,
    )
    words = ["Anna", "anna", "anna ", "änna", "A\u0308nna", "🎉", "🎊", "", " ", "NULL", "ß", "ss"]
    quoted = (word.replace("'", "''") for word in words)
    rows = [f"INSERT INTO words VALUES ({n}, '{w}', NULL)" for n, w in enumerate(quoted)]
    shop.create(*rows, "INSERT INTO words VALUES (99, NULL, 'null')")
    return shop


def test_around_all_kinds_and_back_is_identical(tmp_path: Path, there: Owned) -> None:
    """SQLite → PostgreSQL → MariaDB → SQLite: the reference fixtures of version 3."""
    shop = named(cheeseshop(tmp_path / "cheese", fixtures=(3,)))
    shop.ran("load", str(shop.fixtures(3)))
    first = shop.contents(3, "first")
    postgresql, mysql = there.url("postgresql"), there.url("mysql")
    shop.ran("copy", "3", "--to", postgresql)
    shop.ran("--url", postgresql, "copy", "3", "--to", mysql)
    shop.ran("--url", mysql, "copy", "3", "--to", "sqlite:///back_v{version}.db")
    shop.ran("--url", "sqlite:///back_v{version}.db", "extract", "3", "--to",
             str(shop.root / "last"), "--format", "csv")  # fmt: skip
    assert first == tables(shop.root / "last")
    assert (there.names("postgresql"), there.names("mysql")) == (["shop_v3"], ["shop_v3"])


@pytest.mark.fault("D51", on=("postgresql", "mysql"))
def test_case_accents_spaces_emoji_and_null_come_back(odd: Cheeseshop, there: Owned) -> None:
    """Rows that a collation would make one, around all kinds of databases."""
    first = odd.contents(1, "first")
    postgresql, mysql = there.url("postgresql"), there.url("mysql")
    odd.ran("copy", "1", "--to", mysql)
    odd.ran("--url", mysql, "copy", "1", "--to", postgresql)
    odd.ran("--url", postgresql, "copy", "1", "--to", "sqlite:///back.db")
    back = f"sqlite:///{odd.root}/back.db#{{version}}".partition("#")[0]
    odd.ran("--url", "sqlite:///x{version}", "verify", str(odd.root / "first"), "--to", back)
    assert first["words"].count(b"\n") == 14


@pytest.mark.parametrize("kind", KINDS)
def test_copy_says_what_it_did_and_that_it_is_done(
    odd: Cheeseshop, there: Owned, kind: str
) -> None:
    """Receipt, "nothing to do", a stale copy, --replace, a rehearsal."""
    to = ("--to", there.url(kind))
    odd.ran("copy", "1", *to, "--rehearse")
    assert there.names(kind) == []
    receipt = json.loads(odd.ran("copy", "1", *to, "--json").out)
    assert (receipt["command"], receipt["outcome"]) == ("migrate copy 1", "published")
    assert [(t["read"], t["written"]) for t in receipt["tables"]] == [(13, 13)]
    assert "nothing to do" in odd.ran("copy", "1", *to).said
    _execute(odd, "DELETE FROM words WHERE id = 99")
    stale = odd.run("copy", "1", *to)
    assert (stale.code, stale.clear) == (3, True)
    assert f"copy 1 --to {to[1]} --replace" in stale.said
    odd.ran("copy", "1", *to, "--replace", "--yes")
    assert [name.partition("__was_")[0] for name in there.names(kind)] == ["shop_v1", "shop_v1"]


def _execute(shop: Cheeseshop, statement: str) -> None:
    engine = backend_for(shop.project.url(1)).engine()
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def test_a_step_crosses_to_another_kind_in_one_go(tmp_path: Path, there: Owned) -> None:
    """2to3 --to: version 3 is there and not here, and equals the fixtures of version 3."""
    shop = named(cheeseshop(tmp_path / "cheese", fixtures=(2, 3)))
    shop.ran("load", str(shop.fixtures(2)))
    to = ("--to", there.url("postgresql"))
    shop.ran("check", "2to3", *to)
    shop.ran("2to3", *to)
    assert "nothing to do" in shop.ran("2to3", *to).said
    shop.ran("verify", str(shop.fixtures(3)), *to)
    assert (shop.databases(), there.names("postgresql")) == (["cheeseshop_v2.db"], ["shop_v3"])


@pytest.mark.parametrize("kind", KINDS)
def test_into_an_empty_database_and_no_other(odd: Cheeseshop, there: Owned, kind: str) -> None:
    """Loaded in place, stamped last; one that is not empty is refused, and kept as it is."""
    into = ("--into", there.empty(kind))
    odd.ran("copy", "1", *into, "--rehearse")
    odd.ran("copy", "1", *into)
    assert "nothing to do" in odd.ran("copy", "1", *into).said
    assert there.names(kind) == ["given"]
    given = backend_for(odd.project.moved(into=into[1]).target(1))
    objects = {name for _, name in given.catalog().objects}
    assert "words" in objects
    assert "migrate_loading" not in objects
    refused = odd.run("load", str(odd.root / "nothing"), *into)
    assert refused.clear
    odd.contents(1, "other")
    _execute(odd, "DELETE FROM words WHERE id = 99")
    odd.contents(1, "less")
    full = odd.run("load", str(odd.root / "less"), *into)
    assert (full.code, full.clear) == (1, True)
    assert "is not empty" in full.said
    odd.ran("verify", str(odd.root / "other"), "--to", into[1])


@pytest.mark.parametrize("kind", KINDS)
def test_check_says_whether_the_given_database_is_empty(
    odd: Cheeseshop, there: Owned, kind: str
) -> None:
    """As the run does, and before it; one that is not there is said, too."""
    into = ("--into", there.empty(kind))
    assert "Nothing found that would stop it" in odd.ran("check", "1", *into).said
    engine = backend_for(odd.project.moved(into=into[1]).target(1)).engine()
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE theirs (id int)")
    engine.dispose()
    for typed, code in (("check", 3), ("copy", 1)):
        refused = odd.run(typed, "1", *into)
        assert (refused.code, refused.clear) == (code, True), refused.said
        assert "given is not empty: " in refused.said
        assert "theirs" in refused.said
    missing = odd.run("check", "1", "--into", there.url(kind, "none"))
    assert re.search(r"none (does not exist|is not there)", missing.said), missing.said
    assert missing.code == 3


@pytest.fixture
def poor() -> Iterator[str]:
    """A role that may make no database; gone after what it owns."""
    name = f"t{secrets.token_hex(4)}_poor"
    with servers.maintenance("postgresql") as connection:
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN")
    yield name
    with servers.maintenance("postgresql") as connection:
        connection.exec_driver_sql(f"DROP ROLE {name}")


def test_into_needs_no_right_to_make_databases(poor: str, odd: Cheeseshop, there: Owned) -> None:
    """But beside an old one whose schema is proven, unless there is a place of its kind."""
    url = there.empty("postgresql", "own_v1")
    with servers.maintenance("postgresql") as connection:
        connection.exec_driver_sql(f'ALTER DATABASE "{sa.make_url(url).database}" OWNER TO {poor}')
    into = ("--into", sa.make_url(url).set(username=poor).render_as_string(hide_password=False))
    odd.ran("check", "1", *into)
    odd.ran("copy", "1", *into)
    own = into[1].replace("own_v1", "own_v{version}")
    for typed, code in (("check", 3), ("copy", 1)):
        refused = odd.run("--url", own, typed, "1", "--into", there.empty("mysql", typed))
        assert (refused.code, refused.clear) == (code, True), refused.said
        assert "may not make databases beside" in refused.said
        assert f'ALTER ROLE "{poor}" CREATEDB;' in refused.said


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_killed_run_left_in_a_database_is_emptied_by_the_next(
    odd: Cheeseshop, there: Owned, kind: str
) -> None:
    """Killed while it loads: the mark and the journal name one run, and the next one ends it."""
    url = there.empty(kind)
    project = odd.project.moved(into=url)
    new = backend_for(project.target(1))
    _leave_half_made(odd, project)
    assert [n for k, n in new.catalog().objects if k == "table"] == ["words"]
    odd.ran("copy", "1", "--into", url)
    assert new.stamp() is not None


@pytest.mark.parametrize("kind", KINDS)
def test_a_database_that_another_run_marked_is_never_emptied(
    odd: Cheeseshop, there: Owned, kind: str
) -> None:
    """A journal that names the database is not enough: somebody else is at work in it."""
    url = there.empty(kind)
    project = odd.project.moved(into=url)
    new = backend_for(project.target(1))
    run = _leave_half_made(odd, project)
    new.inside(run).discard()
    _made(odd, new.inside("another"))
    refused = odd.run("copy", "1", "--into", url)
    assert (refused.code, refused.clear) == (1, True)
    assert "is not empty" in refused.said
    assert [n for k, n in new.catalog().objects if k == "table"] == ["words"]


def test_discard_reaches_another_server_with_its_password(
    odd: Cheeseshop, there: Owned, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it that stays, and is said with what to type; as is a server that is gone."""
    url = there.url("mysql")
    user = f"t{secrets.token_hex(4)}_app"
    to = url.replace("root@", f"{user}:hunter-42@")
    gone = "postgresql://app@127.0.0.1:1/shop_v{version}"
    with servers.maintenance("mysql") as server:
        server.exec_driver_sql(f"CREATE USER {user} IDENTIFIED BY 'hunter-42'")
        server.exec_driver_sql(f"GRANT ALL ON *.* TO {user}")
    try:
        _leave_half_made(odd, odd.project.moved(to=to))
        places.staging(odd.project.moved(to=gone), new_run(odd.project, "migrate copy 1"), 1)
        done = odd.ran("discard")
        assert done.out.count(" stays: ") == 2
        assert "hunter-42" not in done.out
        (typed,) = re.findall(r"migrate (discard --to '?mysql.*?)'?$", done.out, re.MULTILINE)
        assert typed.endswith(url.replace("root", user).format(version=1).partition("//")[2])
        assert "removed  " in odd.ran("discard", "--to", to).out
        assert (there.names("mysql"), odd.ran("discard").out.count(" stays: ")) == ([], 1)
        _leave_half_made(odd, odd.project.moved(to=to))
        monkeypatch.setenv("MIGRATE_PASSWORD", "hunter-42")
        assert "removed  " in odd.ran("discard").out
        lost = odd.run("discard", "--to", gone)
        assert (lost.code, "no connection to the server" in lost.said) == (1, True)
    finally:
        with servers.maintenance("mysql") as server:
            server.exec_driver_sql(f"DROP USER {user}")


def _leave_half_made(shop: Cheeseshop, project: object) -> str:
    """Do what a run does until it is killed: journal, mark, tables."""
    from migrators.project import Project

    assert isinstance(project, Project)
    run = new_run(project, "migrate copy 1")
    _made(shop, places.staging(project, run, 1))
    return run.id


def _made(shop: Cheeseshop, staging: object) -> None:
    from migrators.backends.interface import Backend
    from migrators.schema import load_schema

    assert isinstance(staging, Backend)
    staging.create(load_schema(shop.project, 1))


@pytest.mark.fault("H92", "H104")
@pytest.mark.parametrize("kind", KINDS)
def test_killed_on_the_way_the_same_command_ends_it(
    tmp_path: Path, there: Owned, kind: str
) -> None:
    """SIGKILL in the middle of a copy: nothing is seen, nothing is left after the next one."""
    shop = named(cheeseshop(tmp_path / "cheese", fixtures=(3,)))
    shop.ran("load", str(shop.fixtures(3)))
    typed = ("copy", "3", "--to", there.url(kind))
    process = shop.start(*typed)
    while process.poll() is None and not any("__loading_" in n for n in there.names(kind)):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    finished(process)
    assert [n.partition("__")[0] for n in there.names(kind)] == ["shop_v3"]
    assert "shop_v3" not in there.names(kind)
    shop.ran(*typed)
    assert there.names(kind) == ["shop_v3"]


def test_what_cannot_be_asked_for(odd: Cheeseshop, there: Owned) -> None:
    """No place, two places, the place that is read, a file to load into."""
    own = "sqlite:///shop_v{version}.db"
    for typed, words in [
        ((), "copy needs a place"),
        (("--to", own, "--into", own), "are two places"),
        (("--to", own), "is the database that is read"),
        (("--into", "sqlite:///new.db"), "nothing is loaded into a file"),
        (("--to", "nonsense"), "is not a database URL"),
        (("--into", there.empty("postgresql"), "--replace", "--yes"), "none to set aside"),
    ]:
        done = odd.run("copy", "1", *typed)
        assert (done.code, done.clear) == (2, True), done.said
        assert words in done.said


def test_the_line_to_type_names_the_place(tmp_path: Path) -> None:
    """What it loses can be lost there as well; without the place it would be lost here."""
    shop = named(cheeseshop(tmp_path / "cheese", fixtures=(3,)))
    shop.ran("load", str(shop.fixtures(3)))
    done = shop.run("3to2", "--to", "sqlite:///elsewhere_v{version}.db")
    assert "migrate 3to2 --to sqlite:///elsewhere_v{version}.db --accept-loss" in done.said


def test_a_password_is_in_no_journal(odd: Cheeseshop, there: Owned) -> None:
    """The journal names the other server, and what is in the URL for nobody is not there."""
    url = there.url("postgresql").replace("postgres@", "postgres:hunter-42@")
    odd.ran("copy", "1", "--to", url)
    kept = [p for p in (odd.root / ".migrate").rglob("*") if p.is_file()]
    assert [p.name for p in kept if b"hunter-42" in p.read_bytes()] == []
    assert any("127.0.0.1" in line.get("to", "") for run in odd.journals() for line in run)


# the page ------------------------------------------------------------------------------------


def test_the_page_is_what_is_said(tmp_path: Path, there: Owned) -> None:
    """Every command of docs/moving.md, and every line that it shows."""
    shop = sandbox(tmp_path / "page")
    page = blocks(PAGE)
    for block in page:
        if block.mark.startswith("file "):
            shop.write(block.mark.removeprefix("file "), block.text)
    (rows,) = (b.text for b in page if b.mark == "rows")
    shop.create(*filter(str.strip, rows.split(";")))
    there.empty("postgresql")
    project = named(Cheeseshop(shop.root))
    typed = 0
    for block in page:
        for command, said in block.commands if block.language == "console" else ():
            done = project.run(*_typed(command, block.mark, there))
            out = _timeless(there.shown(done.out))
            missing = [x.strip() for x in said if _timeless(x.strip()) not in out]
            assert missing == [], done.out + done.err
            typed += 1
    assert typed == 7


def _typed(command: str, kind: str, there: Owned) -> list[str]:
    server = there.url(kind, "")
    return shlex.split(command.replace(f"{SHOWN[kind]}/", server))[1:]


def _timeless(text: str) -> str:
    return re.sub(r"\d+\.\d+s", "0s", text)


def test_load_into_another_place_needs_no_url(tmp_path: Path) -> None:
    """A project may say where nothing is: what is loaded is told where by the command."""
    shop = sandbox(tmp_path)
    shop.schema(1, 't("a", Column("id", Integer, primary_key=True))')
    own = Cheeseshop(tmp_path)
    own.ran("create", "1")
    own.ran("extract", "1", "--to", str(tmp_path / "rows"))
    settings = tmp_path / "pyproject.toml"
    said = settings.read_text()
    settings.write_text(re.sub(r"(?m)^url = .*$", "", said))
    assert settings.read_text() != said
    own.ran("load", str(tmp_path / "rows"), "--to", f"sqlite:///{tmp_path}/made.db")
