"""The main job as it is typed, on the sample project that `init` writes."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from migrators.cli import main

INTERRUPTED = '''
"""1to2: stopped by a signal while rows are computed."""
import os
from sqlalchemy import func, select


def stop(batches):
    """Stop as Ctrl-C does, once."""
    for batch in batches:
        if os.environ.get("STOP_HERE"):
            os.kill(os.getpid(), int(os.environ["STOP_HERE"]))
        batch = batch.rename(columns={"chatname": "rocketchat_user"})
        yield batch


def migrate(step, old, new):
    """Computes the users."""
    from migrators import rules
    step.table(new.users).computed(stop, reads=select(old.users))
    users = [select(func.count(which.users.c.id)) for which in (old, new)]
    step.same("users", old=users[0], new=users[1])
    step.table(new.posts).values(
        views=rules.integer(old.posts.c.views, thousands=","),
        published=rules.boolean(old.posts.c.published),
    )
'''


@pytest.fixture
def shop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The sample project with a database of schema 1; the cwd."""
    folder = tmp_path / "shop"
    assert main(["init", str(folder)]) == 0
    monkeypatch.chdir(folder)
    assert main(["load", "fixtures/v1"]) == 0
    capsys.readouterr()
    return folder


def _tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _break_a_row(shop: Path) -> None:
    with sqlite3.connect(shop / "data" / "shop_v1.db") as connection:
        connection.execute("update posts set views = 'twelve' where id = 1")
    connection.close()


def test_results_and_progress_are_apart(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The result on stdout, what happened on the way on stderr, paths as they are typed."""
    assert main(["1to2"]) == 0
    said = capsys.readouterr()
    assert "DONE in" in said.out
    assert "1. start release 2" in said.out
    first, second, third = said.err.splitlines()[:3]
    assert first == "1to2    data/shop_v1.db -> data/shop_v2.db"
    assert second.endswith("publishes last")
    assert f"Receipt: .migrate/runs/{third.strip().removeprefix('run ')}\n" in said.out
    assert re.search(r"  extract   2 tables, [\d.]+ kB ", said.err)
    assert [line for line in said.out.splitlines() if " load " in line] == []
    assert str(shop) not in said.out + said.err


def test_the_same_command_again(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Says so and exits 0."""
    assert main(["1to2"]) == 0
    capsys.readouterr()
    before = _tree(shop / "data")
    assert main(["1to2"]) == 0
    said = capsys.readouterr()
    assert "data/shop_v2.db is here already" in said.out
    assert said.err == "1to2    data/shop_v1.db -> data/shop_v2.db\n\n"
    assert _tree(shop / "data") == before


@pytest.mark.parametrize(
    "typed",
    [
        ["1to2", "--json"],
        ["plan", "1to2", "--json"],
        ["check", "1to2", "--json"],
        ["status", "--json"],
        ["1to2", "--dry-run", "--json"],
    ],
)
def test_json_is_all_that_stdout_holds(
    shop: Path, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """So that it can be piped."""
    assert main(typed) == 0
    assert json.loads(capsys.readouterr().out)


def test_the_receipt_for_people(shop: Path) -> None:
    """Beside the one for machines, and as private."""
    assert main(["1to2"]) == 0
    latest = max((shop / ".migrate" / "runs").iterdir())
    kept = latest / "receipt.txt"
    assert (
        kept.read_text("utf-8").splitlines()[0] == f"migrate 1to2    run {latest.name}    published"
    )
    assert kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("typed", [["1to2", "--dry-run"], ["plan", "1to2"], ["check", "1to2"]])
def test_looking_writes_nothing(
    shop: Path, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Not one byte of the project is other than it was."""
    before = _tree(shop)
    assert main(typed) == 0
    assert "othing was" in capsys.readouterr().out
    assert _tree(shop) == before


def test_check_exits_3(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what, how many, which, and what to type."""
    _break_a_row(shop)
    assert main(["check", "1to2"]) == 3
    said = capsys.readouterr().out
    assert "  STOP   1 finding, below" in said
    assert "id 1" in said
    assert "   mend   " in said


def test_a_run_that_fails_says_what_stands(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Then, with the cause gone, the same command works."""
    _break_a_row(shop)
    assert main(["1to2"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "STOPPED   posts.views: 1 row" in said.err
    assert "Nothing is lost and nobody has seen anything." in said.err
    assert "  data/shop_v1.db  no row, table or schema of it was changed by this run" in said.err
    assert "  data/shop_v2.db  does not exist" in said.err
    assert "                 migrate 1to2\n" in said.err
    with sqlite3.connect(shop / "data" / "shop_v1.db") as connection:
        connection.execute("update posts set views = '12' where id = 1")
    connection.close()
    assert main(["1to2"]) == 0


@pytest.mark.parametrize("number", [2, 15], ids=["SIGINT", "SIGTERM"])
def test_a_signal_in_the_middle(shop: Path, number: int) -> None:
    """F93: exit 130, nothing published, what stands is said; the same command goes on."""
    (shop / "migrators" / "1to2.py").write_text(INTERRUPTED.lstrip())
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "migrators", "1to2"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**environment, "STOP_HERE": str(number)},
    )
    assert done.returncode == 130
    assert "STOPPED   interrupted by Ctrl-C or SIGTERM" in done.stderr
    assert "To go on     type the same command again:" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in (shop / "data").iterdir()] == ["shop_v1.db"]
    again = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env=environment
    )
    assert (again.returncode, "DONE in" in again.stdout) == (0, True)
