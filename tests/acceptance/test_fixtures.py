"""`migrate fixtures check` as it is typed."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from migrators.init.sample import GITATTRIBUTES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.cheeseshop import Cheeseshop


def test_the_committed_fixtures_are_well(cheese: Cheeseshop) -> None:
    """All versions are looked at; nothing is written, no database is needed."""
    before = cheese.files()
    said = cheese.ran("fixtures", "check").out
    assert [line.split("fixtures/")[1][:2] for line in said.splitlines()] == [
        "v1",
        "v2",
        "v3",
        "v4",
    ]
    assert said.count("types, keys and references hold") == 4
    assert cheese.files() == before


def test_a_broken_edit_is_named_and_a_check_of_others_is_well(cheese: Cheeseshop) -> None:
    """Exit 3 with file, line and column; a directory that is named is the only one looked at."""
    file = cheese.fixtures(3) / "roles.csv"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines, lines[-1]]))
    done = cheese.run("fixtures", "check")
    assert done.code == 3
    assert f"roles.csv:{len(lines) + 1} id: the same as in line {len(lines)}" in done.out
    cheese.ran("fixtures", "check", str(cheese.fixtures(4)))


def test_what_cannot_be_checked(cheese: Cheeseshop) -> None:
    """A word that is neither, a directory that is not there, a project without fixtures."""
    cheese.refused("fixtures", "chekc", code=2, words=["migrate fixtures check"])
    done = cheese.run("fixtures", "check", str(cheese.root / "nowhere"))
    assert (done.code, "there is no directory" in done.said) == (3, True)
    (cheese.root / "fixtures").rename(cheese.root / "elsewhere")
    cheese.refused("fixtures", "check", code=2, words=["there are no fixtures"])


def test_committed_extracts_are_looked_at_wherever_they_are(cheese: Cheeseshop) -> None:
    """Below fixtures/ whatever they are called; elsewhere those that git has, no others."""
    places = [cheese.root / place for place in ("fixtures/big/v3", "tests/data/v3", "data/mine")]
    for place in places:
        shutil.copytree(cheese.fixtures(3), place)
        (place / "users.csv").unlink()
    (cheese.root / "web").mkdir()
    (cheese.root / "web" / "manifest.json").write_text('{"name": "an application"}')
    git(cheese.root, "init", "--quiet")
    git(cheese.root, "add", "tests/data", "web")
    done = cheese.run("fixtures", "check")
    assert (done.code, done.out.count("STOP"), done.out.count("ok  ")) == (3, 2, 4)
    assert all(f"{place}: 1 finding" in done.out for place in places[:2])
    done = cheese.run("fixtures", "check", "fixtures/big")
    assert (done.code, done.out.count("STOP"), done.out.count("ok  ")) == (3, 1, 0)


# branches ---------------------------------------------------------------------------------


def git(place: Path, *typed: str) -> str:
    """Run git as somebody with a name and no settings of their own."""
    named = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    done = subprocess.run(
        ["git", *named, *typed], cwd=place, check=True, capture_output=True, text=True
    )
    return done.stdout


def edited(cheese: Cheeseshop, *, after: str, line: str) -> None:
    """Add a supplier after the one that begins so, as a person does."""
    file = cheese.fixtures(3) / "suppliers.csv"
    lines = file.read_text("utf-8").splitlines(keepends=True)
    (at,) = (number for number, text in enumerate(lines, 1) if text.startswith(after))
    lines.insert(at, line)
    file.write_text("".join(lines), "utf-8")


def merged(cheese: Cheeseshop, rows: dict[str, tuple[str, str]]) -> None:
    """Commit, on a branch each, a row after the one that begins so; merge them."""
    attributes = "".join(f"{line}\n" for line in GITATTRIBUTES)
    (cheese.root / ".gitattributes").write_text(attributes)
    git(cheese.root, "init", "--quiet", "--initial-branch=main")
    git(cheese.root, "add", ".")
    git(cheese.root, "commit", "--quiet", "--message=begun")
    for branch, (after, line) in rows.items():
        git(cheese.root, "checkout", "--quiet", "-b", branch, "main")
        edited(cheese, after=after, line=line)
        git(cheese.root, "commit", "--quiet", "--all", f"--message={branch}")
    git(cheese.root, "merge", "--quiet", "--no-edit", "one")
    assert git(cheese.root, "status", "--porcelain") == ""


def test_two_branches_that_append_to_the_same_file_are_merged_by_git(cheese: Cheeseshop) -> None:
    """As `init` tells git to; in the wrong order, which a load does not mind; a key twice is named.

    Without it the ends of the file are a conflict, whatever stands there.
    """
    merged(cheese, {"one": ("9,", '20,"One",,1,,1.0\n'), "two": ("9,", '15,"Two",,1,,2.0\n')})
    cheese.ran("fixtures", "check", str(cheese.fixtures(3)))
    cheese.ran("load", str(cheese.fixtures(3)))
    query = "SELECT id, name FROM suppliers WHERE id > 9 ORDER BY id"
    assert cheese.rows(3, query) == [(15, "Two"), (20, "One")]


def test_one_row_that_both_branches_changed_is_named(cheese: Cheeseshop) -> None:
    """Git keeps both lines, and the check names them."""
    merged(cheese, {"one": ("9,", '20,"One",,1,,1.0\n'), "two": ("9,", '20,"Two",,1,,1.0\n')})
    done = cheese.run("fixtures", "check", str(cheese.fixtures(3)))
    assert (done.code, "id: the same as in line" in done.out) == (3, True)


def test_two_branches_that_add_rows_are_merged_by_git(cheese: Cheeseshop) -> None:
    """Nothing in the files is of all rows, so that two edits meet only where they are the same."""
    merged(cheese, {"one": ("id,", '-5,"One",,1,,1.0\n'), "two": ("9,", '20,"Two",,1,,2.0\n')})
    cheese.ran("fixtures", "check", str(cheese.fixtures(3)))
    cheese.ran("load", str(cheese.fixtures(3)))
    query = "SELECT id, name FROM suppliers WHERE id NOT BETWEEN 1 AND 9 ORDER BY id"
    assert cheese.rows(3, query) == [(-5, "One"), (20, "Two")]
    cheese.ran("extract", "3", "--to", str(cheese.root / "again"), "--format", "csv")
    file = "suppliers.csv"
    assert (cheese.root / "again" / file).read_bytes() == (cheese.fixtures(3) / file).read_bytes()


def test_a_key_that_both_branches_gave_is_named(cheese: Cheeseshop) -> None:
    """Git merges two rows of one key where they stand apart; the check names both lines."""
    edited(cheese, after="id,", line='20,"One",,1,,1.0\n')
    edited(cheese, after="9,", line='20,"Two",,1,,2.0\n')
    done = cheese.run("fixtures", "check", str(cheese.fixtures(3)))
    assert done.code == 3
    assert "suppliers.csv:12 id: the same as in line 2" in done.out
