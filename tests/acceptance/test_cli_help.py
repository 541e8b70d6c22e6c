"""Help: every command has it, at once, and the reference in the docs is it."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from migrators import __version__
from migrators.cli import main
from migrators.cli.app import VERBS, verb
from migrators.cli.reference import help_of, reference

REPOSITORY = Path(__file__).parents[2]
HEAVY = ("sqlalchemy", "pandas", "pyarrow", "numpy")


def _python(*arguments: str, columns: int = 80) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
        env={**os.environ, "COLUMNS": str(columns)},
    )


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["2to3", "--help"], ["2to"]])
def test_nothing_heavy_is_imported(arguments: list[str]) -> None:
    """Neither help nor a typing error pays for a database library."""
    code = (
        "import json, sys\n"
        "from migrators.cli import main\n"
        f"main({arguments!r})\n"
        "print(json.dumps(sorted(m for m in sys.modules if '.' not in m)), file=sys.stderr)\n"
    )
    modules = json.loads(_python("-c", code).stderr.splitlines()[-1])
    assert [name for name in HEAVY if name in modules] == []


def test_a_run_that_computes_nothing_has_no_pandas(tmp_path: Path) -> None:
    """Load, extract, verify and a step without functions: 0.3 s and 40 MB saved."""
    for name in ("schemas", "fixtures", "pyproject.toml"):
        source = REPOSITORY / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    (tmp_path / "migrators").mkdir()
    shutil.copy(REPOSITORY / "migrators" / "2to3.py", tmp_path / "migrators")
    for words in (["load", "fixtures/v2"], ["2to3"], ["verify", "fixtures/v2"]):
        code = (
            "import sys\n"
            "from migrators.cli import main\n"
            f"code = main(['-C', {str(tmp_path)!r}, *{words!r}])\n"
            "print(code, 'pandas' in sys.modules, file=sys.stderr)\n"
        )
        assert _python("-c", code).stderr.splitlines()[-1] == "0 False"


def test_help_answers_in_a_blink() -> None:
    """Below 0.3 s of processor, Python's own start included: it waits for nothing else.

    The best of five, since others work here too.
    """
    spans = []
    for _ in range(5):
        began = _spent()
        assert _python("-m", "migrators", "--help").returncode == 0
        spans.append(_spent() - began)
    assert min(spans) < 0.3


def _spent() -> float:
    """Return the processor seconds of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("name", VERBS)
def test_every_command_explains_itself(name: str) -> None:
    """A sentence, and one for each option."""
    command = verb(name)
    options = [p for p in command.params if isinstance(p, click.Option)]
    assert (command.help or "").strip() != ""
    assert [o.name for o in options if not o.help] == []


@pytest.mark.parametrize("name", VERBS)
def test_every_command_is_found_under_its_name(name: str) -> None:
    """The listing and the pages agree."""
    assert verb(name).name == name


@pytest.mark.parametrize("name", ["", *VERBS])
def test_help_is_what_the_reference_says(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the docs show is what is printed."""
    monkeypatch.setenv("COLUMNS", "80")
    typed = "2to3" if name == "NtoM" else name
    assert main([*([typed] if typed else []), "--help"]) == 0
    expected = help_of(name)
    if name == "NtoM":
        expected = expected.replace("migrate NtoM", "migrate 2to3")
    assert capsys.readouterr().out == expected + "\n"


def test_the_reference_is_up_to_date() -> None:
    """`python -m migrators.cli.reference > docs/commands.md` was run."""
    assert (REPOSITORY / "docs" / "commands.md").read_text("utf-8") == reference()


def test_steps_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """As `NtoM`, first of all."""
    assert main(["--help"]) == 0
    listing = capsys.readouterr().out.split("Commands:\n", 1)[1]
    assert listing.split()[0] == "NtoM"


def test_version_of_the_module() -> None:
    """`python -m migrators` is the command."""
    done = _python("-m", "migrators", "--version")
    assert (done.returncode, done.stdout) == (0, f"migrate {__version__}\n")


def test_no_arguments_show_help() -> None:
    """And are a usage error."""
    done = _python("-m", "migrators")
    assert done.returncode == 2
    assert "Commands:" in done.stdout + done.stderr
