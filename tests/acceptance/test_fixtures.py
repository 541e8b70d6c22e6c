"""`migrate fixtures check` as it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
