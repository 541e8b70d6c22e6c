"""Bad input: steps, schemas, projects and extracts that are missing, broken or changed.

Each is refused with a plain sentence and the documented exit code; nothing half made is
visible, nothing is lost, and the same command works once the cause is gone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.cheeseshop import Cheeseshop, Done, assert_refused

# steps and schemas -----------------------------------------------------------------------

BROKEN_STEPS = {
    "not Python": ("def migrate(step, old, new)\n    pass\n", ["2to3.py:1", "SyntaxError"]),
    "raises when read": ("\nraise RuntimeError('tired')\n", ["2to3.py:2", "tired"]),
    "imports what is not there": ("import no_such_module\n", ["2to3.py:1", "no_such_module"]),
    "is empty": ("", ["2to3.py", "migrate"]),
    "has no migrate": ("def migrat(step, old, new):\n    pass\n", ["2to3.py", "migrate"]),
    "takes something else": ("def migrate():\n    pass\n", ["2to3.py", "migrate"]),
    "names a table that is not there": (
        "def migrate(step, old, new):\n    step.table(new.projcts)\n",
        ["2to3.py:2", "projcts"],
    ),
    "names a column that is not there": (
        "def migrate(step, old, new):\n    step.drop(old.users.c.usernme, because='')\n",
        ["2to3.py:2", "usernme"],
    ),
    "raises while it runs": (
        "def migrate(step, old, new):\n    x = 1\n    x / 0\n",
        ["2to3.py:3", "division by zero"],
    ),
    "leaves the process": ("import sys\nsys.exit(0)\n", ["2to3.py:2", "to do mend line 2 of"]),
    "leaves the process in migrate": (
        "def migrate(step, old, new):\n    raise SystemExit(0)\n",
        ["2to3.py:2", "SystemExit: 0", "to do mend line 2 of migrators/2to3.py"],
    ),
    "accounts for nothing": (
        "def migrate(step, old, new):\n    pass\n",
        ["2to3.py", "is carried nowhere", "step.drop("],
    ),
    "is no text": ("\x00\x00", ["2to3.py"]),
}


@pytest.mark.parametrize("case", BROKEN_STEPS)
def test_a_broken_step(two: Cheeseshop, case: str) -> None:
    """Exit 2 with file and line; the mended step runs."""
    text, words = BROKEN_STEPS[case]
    step = two.root / "migrators" / "2to3.py"
    kept = step.read_text()
    step.write_text(text)
    for command in (("2to3",), ("check", "2to3")):
        two.refused(*command, code=2, words=words)
    step.write_text(kept)
    two.ran("2to3")


BROKEN_SCHEMAS = {
    "not Python": ("metadata = (\n", ["v3.py"]),
    "raises when read": ("\n\n1 / 0\n", ["v3.py:3", "division by zero"]),
    "has no metadata": ("x = 1\n", ["v3.py", "metadata"]),
    "metadata is something else": ("metadata = 3\n", ["v3.py", "metadata"]),
    "has no table": ("import sqlalchemy\nmetadata = sqlalchemy.MetaData()\n", ["v3.py"]),
}


@pytest.mark.parametrize("case", BROKEN_SCHEMAS)
def test_a_broken_schema(two: Cheeseshop, case: str) -> None:
    """Exit 2 names the file; the mended one serves."""
    text, words = BROKEN_SCHEMAS[case]
    schema = two.root / "schemas" / "v3.py"
    kept = schema.read_text()
    schema.write_text(text)
    for command in (("2to3",), ("create", "3"), ("load", str(two.fixtures(3)))):
        two.refused(*command, code=2, words=words)
    schema.write_text(kept)
    two.ran("2to3")


@pytest.mark.parametrize(
    ("typed", "gone", "words"),
    [
        ("2to3", "migrators/2to3.py", ["there is no migrators/2to3.py"]),
        ("2to3", "schemas/v3.py", ["schemas/v3.py"]),
        ("2to3", "schemas/v2.py", ["schemas/v2.py"]),
        ("2to4", "migrators/3to4.py", ["3to4.py", "2to4 has a gap", "migrate 2to3"]),
        ("2to4", "migrators/2to3.py", ["2to3.py", "2to4 has a gap"]),
        ("2to4", "schemas/v3.py", ["v3.py"]),
        ("create 3", "schemas/v3.py", ["schemas/v3.py"]),
        ("load {root}/fixtures/v3", "schemas/v3.py", ["schemas/v3.py"]),
        ("fixtures 2to3", "fixtures/v2", ["fixtures/v2"]),
        ("load {root}/fixtures/v3", "fixtures/v3", ["fixtures/v3"]),
        ("load {root}/fixtures/v3", "fixtures/v3/users.csv", ["users.csv", "missing"]),
    ],
)
def test_a_file_that_is_missing(two: Cheeseshop, typed: str, gone: str, words: list[str]) -> None:
    """Found before anything is written; the same command works when it is back."""
    path, elsewhere = two.root / gone, two.root / "elsewhere"
    path.rename(elsewhere)
    command = typed.format(root=two.root).split()
    usage = gone.startswith(("migrators", "schemas")) or command[0] == "fixtures"
    two.refused(*command, code=2 if usage else 1, words=words)
    elsewhere.rename(path)
    two.ran(*command)


def test_steps_and_schemas_that_nobody_asks_for_may_be_broken(two: Cheeseshop) -> None:
    """Work on the next version does not stop a run of this one."""
    (two.root / "migrators" / "3to4.py").write_text("broken(")
    (two.root / "schemas" / "v4.py").write_text("broken(")
    two.ran("2to3")
    two.ran("status")


# the project -----------------------------------------------------------------------------


def _installed(shop: Cheeseshop, *typed: str) -> Done:
    """Run the installed script in the project's folder, as a person would."""
    script = Path(sys.executable).with_name("migrate")
    done = subprocess.run(
        [script, *typed], cwd=shop.root, capture_output=True, text=True, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


def test_a_package_in_the_place_of_the_engine(two: Cheeseshop) -> None:
    """`migrators/__init__.py` in a project is refused with the line that removes it."""
    package = two.root / "migrators" / "__init__.py"
    package.touch()
    assert_refused(_installed(two, "2to3"), 2, ["rm migrators/__init__.py", "INP001"])
    module = [sys.executable, "-P", "-m", "migrators", "status"]
    ran = subprocess.run(module, cwd=two.root, capture_output=True, text=True, check=False)
    assert_refused(Done(ran.returncode, ran.stdout, ran.stderr), 2, ["INP001"])
    for command in (("2to3",), ("status",), ("load", "fixtures/v3")):
        two.refused(*command, code=2, words=[f"rm {package}"])
    package.unlink()
    done = _installed(two, "2to3")
    assert (done.code, done.clear) == (0, True)
    assert two.databases() == ["cheeseshop_v2.db", "cheeseshop_v3.db"]


def test_settings_that_are_not_toml(two: Cheeseshop) -> None:
    """Exit 2 names the file and the line."""
    path = two.root / "pyproject.toml"
    kept = path.read_text()
    path.write_text(kept + "url = \n")
    two.refused("2to3", code=2, words=["pyproject.toml", "line"])
    path.write_text(kept)
    two.ran("2to3")


# extracts --------------------------------------------------------------------------------


@pytest.fixture
def extracted(two: Cheeseshop) -> Path:
    """The extract of 2to3, as Parquet."""
    place = two.root / "crossing"
    two.ran("extract", "2to3", "--to", str(place))
    return place


@pytest.mark.parametrize("where", [0.0, 0.3, 0.6, 0.999])
@pytest.mark.parametrize("name", ["users.parquet", "manifest.json"])
def test_an_extract_with_a_changed_byte(
    two: Cheeseshop, extracted: Path, name: str, where: float
) -> None:
    """Neither loaded nor verified against: exit 1 names the file; put right, it loads."""
    file = extracted / name
    kept = file.read_bytes()
    at = int(where * (len(kept) - 1))
    file.write_bytes(kept[:at] + bytes([kept[at] ^ 0x40]) + kept[at + 1 :])
    done = two.run("load", str(extracted))
    if done.code == 0:  # a byte of the manifest that says nothing about rows
        pytest.fail(f"loaded although byte {at} of {name} was changed")
    assert_refused(done, 1, [])
    assert two.databases() == ["cheeseshop_v2.db"]
    file.write_bytes(kept)
    two.ran("load", str(extracted))
    two.ran("verify", str(extracted))


def _cut(extract: Path) -> None:
    file = extract / "users.parquet"
    file.write_bytes(file.read_bytes()[:-100])


def _remove(extract: Path) -> None:
    (extract / "users.parquet").unlink()


def _add(extract: Path) -> None:
    (extract / "strangers.parquet").write_bytes((extract / "users.parquet").read_bytes())


def _swap(extract: Path) -> None:
    (extract / "users.parquet").write_bytes((extract / "projects.parquet").read_bytes())


def _link(extract: Path) -> None:
    elsewhere = extract.parent / "users.parquet"
    (extract / "users.parquet").rename(elsewhere)
    (extract / "users.parquet").symlink_to(elsewhere)


def _leave(extract: Path) -> None:
    (extract / "manifest.json").unlink()


def _other_version(extract: Path) -> None:
    file = extract / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "version": 4}))


@pytest.mark.parametrize("damage", [_cut, _remove, _add, _swap, _link, _leave, _other_version])
def test_an_extract_that_is_not_what_was_written(
    two: Cheeseshop, extracted: Path, damage: object
) -> None:
    """Exit 1; the same command works on the extract made again."""
    assert callable(damage)
    damage(extracted)
    two.refused("load", str(extracted), code=1, words=[str(extracted)])
    again = two.root / "again"
    two.ran("extract", "2to3", "--to", str(again))
    two.ran("load", str(again))


@pytest.mark.parametrize("name", ["users.parquet", "manifest.json"])
def test_a_changed_extract_of_an_earlier_run_is_not_used_again(two: Cheeseshop, name: str) -> None:
    """The next run notices, makes another by itself, and publishes what the database holds."""
    two.ran("2to3", "--rehearse")
    (file,) = (two.root / ".migrate").glob(f"runs/*/extract-2to3/{name}")
    kept = file.read_bytes()
    at = len(kept) // 2
    file.write_bytes(kept[:at] + bytes([kept[at] ^ 1]) + kept[at + 1 :])
    assert "used again" not in two.ran("2to3").said
    two.ran("verify", str(two.fixtures(3)))


def test_a_directory_that_holds_something_is_not_overwritten(two: Cheeseshop) -> None:
    """`extract --to` a folder of something else: exit 1, every file as it was."""
    place = two.root / "photographs"
    place.mkdir()
    (place / "cheese.jpg").write_bytes(b"brie")
    two.refused("extract", "2", "--to", str(place), code=1, words=["nothing was overwritten"])
    assert [p.name for p in place.iterdir()] == ["cheese.jpg"]


def test_an_extract_beside_which_a_note_lies_is_an_extract(two: Cheeseshop) -> None:
    """A README in a fixture stops nothing."""
    (two.fixtures(3) / "README.md").write_text("why these rows")
    two.ran("load", str(two.fixtures(3)))


def test_a_run_directory_of_another_tool_stops_nothing(two: Cheeseshop) -> None:
    """Strangers' files below .migrate/runs, and a cut journal, are passed over."""
    runs = two.root / ".migrate" / "runs"
    (runs / "notes").mkdir()
    (runs / "file").write_text("")
    (runs / "20200101-000000").mkdir()
    (runs / "20200101-000000" / "journal.jsonl").write_text('{"what": "begun", "comm')
    two.ran("status")
    two.ran("2to3")
    two.ran("2to3")
    two.ran("discard")


@pytest.mark.parametrize("journal", ["[]\n", '"text"\n', "{}\n", "\0" * 512, '{"what": 1}\n'])
def test_a_journal_with_other_lines_stops_nothing(two: Cheeseshop, journal: str) -> None:
    """Only what this tool writes is acted on."""
    place = two.root / ".migrate" / "runs" / "20200101-000000"
    place.mkdir()
    (place / "journal.jsonl").write_text(journal)
    two.ran("status")
    two.ran("2to3")
