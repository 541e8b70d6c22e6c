"""Extracts are all of production in files: how long they stay, and how they go."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from migrators.extracts.directory import is_complete
from migrators.run.retention import remove
from tests.acceptance.cheeseshop import sha256

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.cheeseshop import Cheeseshop


def _extracts(shop: Cheeseshop) -> list[str]:
    return [path.name for path in sorted((shop.root / ".migrate" / "runs").glob("*/extract-*"))]


def _holding(shop: Cheeseshop) -> list[str]:
    runs = (shop.root / ".migrate" / "runs").glob("*/extract-*")
    return sorted({path.parent.name for path in runs})


def _keep(shop: Cheeseshop, number: int) -> None:
    settings = shop.root / "pyproject.toml"
    settings.write_text(f"{settings.read_text('utf-8')}keep_extracts = {number}\n", "utf-8")


def _rehearsed(shop: Cheeseshop, times: int) -> list[str]:
    """Rehearse, extracting anew each time; return the names of the runs."""
    runs = shop.root / ".migrate" / "runs"
    before = {path.name for path in runs.iterdir()}
    for _ in range(times):
        shop.ran("2to3", "--rehearse", "--fresh")
    return sorted({path.name for path in runs.iterdir()} - before)


def test_the_latest_run_keeps_its_extract(two: Cheeseshop) -> None:
    """The others' go when it ends; their journals and receipts stay."""
    *former, last = _rehearsed(two, 3)
    assert _holding(two) == [last]
    told = json.loads(two.ran("status", "--json").out)["runs"]
    for name in former:
        run = two.root / ".migrate" / "runs" / name
        assert (run / "receipt.json").is_file()
        assert (run / "receipt.txt").is_file()
        said = [json.loads(line) for line in (run / "journal.jsonl").read_text().splitlines()]
        assert (said[-1]["what"], said[-1]["extract"]) == ("cleared", "extract-2to3")
        (ended,) = (line["at"] for line in said if line["what"] == "finished")
        assert [run["at"] for run in told if run["id"] == name] == [ended]


@pytest.mark.parametrize("number", [0, 2, 9])
def test_as_many_runs_as_the_project_says_keep_theirs(two: Cheeseshop, number: int) -> None:
    """None of them, the last two, or all there are."""
    _keep(two, number)
    runs = _rehearsed(two, 3)
    assert _holding(two) == (runs[-number:] if number else [])


def test_a_run_that_stopped_keeps_its_extract(
    two: Cheeseshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the next goes on from it, also where none is kept of those that ended."""
    _keep(two, 0)
    with monkeypatch.context() as patched:
        patched.setattr("migrators.run.migrating.load", _raises)
        assert two.run("2to3").code == 1
    assert _extracts(two) == ["extract-2to3"]
    assert "used again" in two.ran("2to3").err
    assert _extracts(two) == []


def _raises(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def test_what_was_published_or_set_aside_is_not_touched(three: Cheeseshop) -> None:
    """Only files of extracts go."""
    three.ran("2to3", "--replace", "--yes")
    before = {name: sha256(three.data / name) for name in three.databases()}
    kept = three.root / "mine"
    three.ran("extract", "2to3", "--to", str(kept))
    files = sorted(path.name for path in kept.iterdir())
    assert "extract-2to3" in three.ran("discard", "--extracts").out
    assert {name: sha256(three.data / name) for name in three.databases()} == before
    assert sorted(path.name for path in kept.iterdir()) == files
    assert _extracts(three) == []
    assert "is here already" in three.ran("2to3").out


def test_status_says_how_much_room_they_take(three: Cheeseshop) -> None:
    """In bytes as data; nothing where there are none."""
    found = json.loads(three.ran("status", "--json").out)["extracts"]
    files = list((three.root / ".migrate" / "runs").glob("*/extract-*/*"))
    assert found == {"runs": 1, "size": sum(path.stat().st_size for path in files)}
    assert "extracts of 1 run take" in three.ran("status").out
    three.ran("discard", "--extracts")
    assert "extracts of" not in three.ran("status").out


def test_discard_of_one_step_leaves_the_others(three: Cheeseshop) -> None:
    """Runs of another command keep theirs, complete or not."""
    _keep(three, 9)
    three.ran("3to4", "--rehearse")
    assert _extracts(three) == ["extract-2to3", "extract-3to4"]
    assert "Nothing was left" in three.ran("discard", "3to4").out
    assert "extract-3to4" in three.ran("discard", "3to4", "--extracts").out
    assert _extracts(three) == ["extract-2to3"]
    three.run("discard", "3to3")
    assert three.run("discard", "two").code == 2


def test_an_extract_whose_removal_was_cut_short_is_incomplete(three: Cheeseshop) -> None:
    """It is never taken for a whole one, and goes with the next command."""
    (path,) = (three.root / ".migrate" / "runs").glob("*/extract-*")
    assert is_complete(path)
    with pytest.raises(NotADirectoryError):
        _cut_short(path)
    assert not is_complete(path)
    three.ran("discard")
    assert _extracts(three) == []


def _cut_short(path: Path) -> None:
    """Remove an extract where the second act fails."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("shutil.rmtree", _not_a_directory)
        remove(path)


def _not_a_directory(*_: object) -> None:
    raise NotADirectoryError
