"""A canary for a password: it is in no output, file, log or list of processes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrators.backends.passwords import VARIABLE
from tests.acceptance.cheeseshop import finished
from tests.acceptance.nights import CANARY, PASSWORD, SERVED, Night, night

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMANDS = (
    "plan 1to2",
    "plan 1to2 --json",
    "check 1to2",
    "check 1to2 --json",
    "status",
    "status --json",
    "1to2 --rehearse",
    "1to2 --json",
    "1to2",
    "--debug 1to2 --replace --yes",
    "extract 1 --to {root}/out --format csv",
    "verify {root}/out",
    "drop 2 --yes",
    "stamp 1",
    "freeze 1 --from {url}",
    "--debug --url {down} status",
    "--debug --url {down} 1to2",
    "--debug --url {wrong} check 1to2",
    "--debug --url {nothing} plan 1to2",
    "--debug --url {option} plan 1to2",
    "--debug --url {without} plan 1to2",
    "--debug init {root}/other --from {down}",
    "discard",
)


@pytest.fixture(params=SERVED)
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Night]:
    """A project whose URL has the canary for a password."""
    with night(request.param, tmp_path / "shop") as made:
        yield made


def urls(shop: Night) -> dict[str, str]:
    """Return URLs that are wrong in one way or another, each with the canary in it."""
    whole = shop.where()
    return {
        "down": shop.where(port=1),
        "wrong": shop.where(username=f"{shop.own}nobody"),
        "nothing": whole + "x" * 70,
        "option": f"{whole}?no_such={CANARY}&password={CANARY}",
        "without": whole.replace("{version}", ""),
        "url": whole.replace("{version}", "1"),
    }


@pytest.mark.fault("I115")
def test_the_password_of_the_url_is_never_shown(shop: Night) -> None:
    """Neither by what succeeds nor by what fails, with its traceback, nor in any file."""
    known = urls(shop)
    for command in COMMANDS:
        typed = [
            word.replace("{root}", str(shop.root)) if "{root}" in word
            else known.get(word.strip("{}"), word) if word.startswith("{") else word
            for word in command.split()
        ]  # fmt: skip
        done = shop.run(*typed)
        assert CANARY not in done.out + done.err, command
        assert (done.code <= 2, "unexpected" in done.said) == (True, False), done.said
    assert files_with(shop) == ["pyproject.toml"]


def files_with(shop: Night) -> list[str]:
    """Return the files of the project that have the canary in them."""
    every = (path for path in shop.root.parent.rglob("*") if path.is_file())
    return sorted(p.name for p in every if CANARY.encode() in p.read_bytes())


@pytest.mark.fault("I115")
def test_a_password_of_the_environment_is_in_no_list_of_processes(shop: Night) -> None:
    """It is used, and no process of ours, and no session on the server, has it for an argument."""
    page = shop.root / "pyproject.toml"
    page.write_text(page.read_text().replace(shop.where(), shop.where(password=None)))
    process = shop.start("--debug", "1to2", environment={VARIABLE: PASSWORD})
    seen = 0
    while process.poll() is None:
        assert CANARY not in processes() + str(shop.admin(_LISTED[shop.kind].format(own=shop.own)))
        seen += 1
    done = finished(process)
    assert (done.code, seen > 0) == (0, True), done.said
    assert CANARY not in done.out + done.err
    assert files_with(shop) == []


@pytest.mark.fault("I115")
def test_a_password_of_the_servers_own_file_is_nowhere(
    shop: Night, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """`~/.pgpass` and `~/.my.cnf`: used, and neither shown, kept, nor handed on."""
    home = tmp_path_factory.mktemp("home")
    page = shop.root / "pyproject.toml"
    page.write_text(page.read_text().replace(shop.where(), shop.where(password=None)))
    name, text = _OWN_FILES[shop.kind]
    (home / name).write_text(text.format(user=f"{shop.own}app", password=PASSWORD))
    (home / name).chmod(0o600)
    environment = {"HOME": str(home), "PGPASSFILE": str(home / name)}
    for typed in ("--debug 1to2", "--debug 1to2 --fresh", "--debug check 1to2", "status --json"):
        done = finished(shop.start(*typed.split(), environment=environment))
        assert done.code in (0, 1, 2, 3), done.said
        assert CANARY not in done.out + done.err
    assert shop.count(2, "parents") == 3
    assert files_with(shop) == []


_OWN_FILES = {
    "postgresql": (".pgpass", "*:*:*:{user}:{password}\n"),
    "mysql": (".my.cnf", '[client]\nuser = {user}\npassword = "{password}"\n'),
}
_LISTED = {
    "postgresql": "SELECT query, application_name FROM pg_stat_activity WHERE usename = '{own}app'",
    "mysql": "SELECT info FROM information_schema.processlist WHERE user = '{own}app'",
}


def processes() -> str:
    """Return the arguments of all processes of this machine."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_text("utf-8", errors="replace"))
        except OSError:  # it has ended meanwhile
            continue
    return "\n".join(found)
