"""What is typed wrongly is said in a sentence, with what to type instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrators.cli import main

PROJECTS = Path(__file__).parents[1] / "projects"
REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("typed", "message", "hint"),
    [
        (["pln", "2to3"], "there is no command `pln`", "did you mean `plan`?"),
        (["statsu"], "there is no command `statsu`", "did you mean `status`?"),
        (["2to"], "there is no command `2to`", "did you mean `2to3`?"),
        (["02to3"], "there is no command `02to3`", "did you mean `2to3`?"),
        (["3to3"], "3to3 goes nowhere", "3to4"),
        (["plan", "2to2"], "2to2 goes nowhere", "2to3"),
        (["plan", "v2"], "`v2` is not a step", "2to3"),
        (["NtoM"], "`NtoM` is not a step", "2to3"),
        (["extract", "two"], "`two` is neither a step nor a version", "migrate extract 3"),
        (["plan"], "Missing argument 'NtoM'", "migrate plan --help"),
        (["2to3", "--rehearsal"], "--rehearsal", "migrate 2to3 --help"),
        (["create", "-1"], "-1", "migrate create --help"),
        (["2to3", "--jobs", "0"], "--jobs must be a number of tables", "leave it out"),
        (["copy", "2", "--jobs", "65"], "from 1 to 64, not 65", "leave it out"),
        (["extract", "2", "--jobs", "1.5"], "not '1.5'", "leave it out"),
        (["load", "fixtures/v2", "--jobs", "two"], "not 'two'", "leave it out"),
        (["verify", "fixtures/v2", "--jobs", ""], "not 'nothing'", "leave it out"),
    ],
)
def test_usage(
    typed: list[str],
    message: str,
    hint: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exit code 2, nothing on stdout."""
    monkeypatch.chdir(REPOSITORY)
    assert main(typed) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err.splitlines()[0]
    assert hint in said.err


def test_outside_of_a_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The error says how to make one."""
    assert main(["-C", str(tmp_path), "status"]) == 2
    said = capsys.readouterr().err
    assert "no project" in said
    assert "migrate init" in said


def test_a_misspelt_step_outside_of_a_project(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No step is known there, so none is suggested."""
    assert main(["-C", str(tmp_path), "2to"]) == 2
    assert "a step is two versions: migrate 2to3" in capsys.readouterr().err


def test_a_folder_that_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`-C` names it."""
    assert main(["-C", str(tmp_path / "nowhere"), "status"]) == 2
    assert "nowhere is not a folder" in capsys.readouterr().err


def test_a_gap_in_a_chain(capsys: pytest.CaptureFixture[str]) -> None:
    """Named before anything else is looked at."""
    assert main(["-C", str(PROJECTS / "gap"), "plan", "1to4"]) == 2
    assert "there is no migrators/" in capsys.readouterr().err


def test_a_url_without_a_version(capsys: pytest.CaptureFixture[str]) -> None:
    """Refused, and its password is not shown."""
    url = "postgresql://app:hunter2@db/shop"
    assert main(["-C", str(REPOSITORY), "--url", url, "status"]) == 2
    said = capsys.readouterr().err
    assert "has no {version} in it" in said
    assert "hunter2" not in said


def test_init_then_refuses_to_do_it_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files are named, and what to type next; nothing is overwritten."""
    folder = tmp_path / "shop"
    assert main(["init", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "wrote    schemas/v1.py" in said
    assert "migrate 1to2" in said
    assert main(["init", str(folder)]) == 2
    assert "this is a project" in capsys.readouterr().err


def test_replace_asks_and_nobody_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a terminal `--yes` is required."""
    assert main(["init", str(tmp_path / "shop")]) == 0
    capsys.readouterr()
    assert main(["-C", str(tmp_path / "shop"), "create", "1", "--replace"]) == 2
    said = capsys.readouterr().err
    assert "nobody can be asked here" in said
    assert "create 1 --replace --yes" in said


def test_drop_asks_and_nobody_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The only verb that removes a published version never guesses; of nothing it asks nothing."""
    assert main(["init", str(tmp_path / "shop")]) == 0
    there = ["-C", str(tmp_path / "shop")]
    assert main([*there, "drop", "1"]) == 1
    assert "does not exist" in capsys.readouterr().err
    assert main([*there, "create", "1"]) == main([*there, "create", "2"]) == 0
    capsys.readouterr()
    assert main([*there, "drop", "1"]) == 2
    assert "removed for good" in capsys.readouterr().err


def test_an_extract_is_named_as_hints_name_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`fixtures/v1` is the project's, in whichever of its folders it is typed."""
    assert main(["init", str(tmp_path / "shop")]) == 0
    monkeypatch.chdir(tmp_path / "shop" / "schemas")
    assert main(["1to2"]) == 1
    assert "migrate load fixtures/v1" in capsys.readouterr().err
    assert main(["load", "fixtures/v1"]) == 0
    assert main(["verify", "fixtures/v1"]) == 0


def test_models_that_are_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be imported is named, and no file that has nothing to do with it."""
    assert main(["init", str(tmp_path / "shop")]) == 0
    capsys.readouterr()
    assert main(["-C", str(tmp_path / "shop"), "freeze", "3", "--from", "no_such_shop:Base"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("no_such_shop:Base cannot be imported: ModuleNotFoundError")
    assert "name a module of the project's folder" in said
