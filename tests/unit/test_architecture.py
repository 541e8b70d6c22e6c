"""The house: which room may know of which, how large its parts are, and what starting costs."""

from __future__ import annotations

import ast
import re
import sqlite3
import subprocess
import sys
import tomllib
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / "migrators"

FLOW: tuple[tuple[str, ...], ...] = (
    ("backends.where", "failpoints"),  # spells what a URL of each kind of database looks like
    ("errors", "events", "stream"),
    ("config",),
    ("project",),
    ("pyfile",),
    ("types",),
    ("schema",),
    ("personal",),
    ("guard",),  # what an application asks at its start
    ("rules",),
    ("step",),
    (
        "backends.live",
        "backends.model",
        "backends.begins",
        "backends.copies",
        "backends.fencing",
    ),
    ("access",),
    ("backends.interface",),
    ("backends",),  # the databases: nobody to the right knows one of them by name
    ("drift",),
    ("plan",),
    ("receipt", "order"),
    ("extracts",),
    ("extract", "load", "fixtures"),
    ("verify",),
    ("sample",),
    ("survey",),
    ("preflight",),
    ("freeze",),
    ("init",),
    ("run",),
    ("report",),
    ("testing",),
    ("cli",),
    ("__main__",),
)
"""A room imports rooms to its left only, and never one that stands beside it."""

DIALECT = re.compile(r"sqlite|postgres|mysql|mariadb|oracle", re.IGNORECASE)
HEAVY = ("sqlalchemy", "pandas", "pyarrow", "numpy", "adbc_driver_manager")


def engine_files() -> list[Path]:
    """Files of the engine: a name that begins with a digit is a step."""
    return [path for path in sorted(ENGINE.rglob("*.py")) if not path.name[0].isdigit()]


def module_of(path: Path) -> str:
    """Dotted name of a file of the engine."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str:
    """Room that a module belongs to: its first name below `migrators`, or a part of backends."""
    parts = module.split(".")[1:]
    own = ".".join(parts[:2])
    return own if any(own in rooms for rooms in FLOW) else "".join(parts[:1])


MODULES = {module_of(path): path for path in engine_files()}


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Modules of the engine that a file names, for types only included, and the lines."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((a.name, node.lineno) for a in node.names if a.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield (whole if whole in MODULES else node.module or ""), node.lineno


@cache
def edges() -> tuple[tuple[str, str, str], ...]:
    """From room, to room, and where it is written; the facade `migrators` is no room."""
    return tuple(
        (room_of(module), room_of(target), f"{path.relative_to(ROOT)}:{line} imports {target}")
        for module, path in MODULES.items()
        for target, line in imports(path)
        if room_of(module) and room_of(target) and room_of(module) != room_of(target)
    )


RANK = {room: rank for rank, rooms in enumerate(FLOW) for room in rooms}


def test_every_room_has_its_place_in_the_flow() -> None:
    """A new room is put where it belongs; one that is gone leaves the list."""
    assert {room_of(module) for module in MODULES} - {""} == set(RANK)


def test_imports_go_left_only() -> None:
    """No room knows of one to its right, nor of one beside it: `extract` not of `load`."""
    backward = [where for here, there, where in edges() if RANK[there] >= RANK[here]]
    assert backward == []


def test_the_test_of_imports_sees_imports() -> None:
    """Edges that are there are found: a walk that finds nothing would prove nothing."""
    found = {(here, there) for here, there, _ in edges()}
    assert {("run", "extract"), ("run", "load"), ("cli", "run"), ("plan", "step")} <= found


def test_extract_and_load_do_not_know_each_other() -> None:
    """The two phases meet in the extract directory only, by any detour."""
    reach: dict[str, set[str]] = {room: set() for room in RANK}
    for here, there, _ in sorted(edges(), key=lambda edge: RANK[edge[0]]):
        reach[here] |= {there} | reach[there]
    assert "load" not in reach["extract"]
    assert "extract" not in reach["load"]


def test_nothing_imports_the_command() -> None:
    """The engine is a library; only `python -m migrators` starts the command."""
    assert {here for here, there, _ in edges() if there == "cli"} == {"__main__"}


def test_files_are_loaded_by_path_in_one_place() -> None:
    """Only `pyfile` makes modules of files; lazy facades import modules of the package by name."""
    loading = ("importlib.util", "importlib.machinery", "spec_from_file_location", "runpy")
    using = {m for m, path in MODULES.items() if any(n in path.read_text("utf-8") for n in loading)}
    assert using == {"migrators.pyfile"}


def test_pandas_is_asked_for_in_one_place() -> None:
    """Only a step's function gets frames; pandas' types never touch the data path."""
    using = {
        module
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import) and any(a.name == "pandas" for a in node.names)
    }
    assert using == {"migrators.extract.functions"}


def code_strings(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Strings and names of a module's code; docstrings and comments are prose."""
    prose = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value, node.lineno
        elif isinstance(node, ast.Name):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            yield node.arg, node.lineno
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.alias):
            yield node.name, 0


def test_no_dialect_is_spelled_outside_backends() -> None:
    """Code outside backends/ asks what a database can do, never which one it is."""
    spelled = [
        f"{path.relative_to(ROOT)}:{line} {text!r}"
        for module, path in MODULES.items()
        if not room_of(module).startswith("backends")
        for text, line in code_strings(ast.parse(path.read_text("utf-8")))
        if DIALECT.search(text)
    ]
    assert spelled == []


@pytest.mark.parametrize("path", engine_files(), ids=lambda p: str(p.relative_to(ENGINE)))
def test_files_and_functions_stay_small(path: Path) -> None:
    """At most 400 lines a file and 60 a function; a public name says what it is."""
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    long = [f.name for f in functions if (f.end_lineno or 0) - f.lineno >= 60]
    public = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    mute = [n.name for n in public if n.name[0] != "_" and not ast.get_docstring(n)]
    assert (len(text.splitlines()) <= 400, long, mute) == (True, [], [])
    assert ast.get_docstring(tree)


def test_the_wheel_leaves_out_the_steps_and_nothing_else() -> None:
    """The digit is the boundary: what the build excludes is exactly the steps."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = settings["tool"]["hatch"]["build"]["targets"]["wheel"]
    left_out = {path for pattern in wheel["exclude"] for path in ROOT.glob(pattern)}
    assert wheel["packages"] == ["migrators"]
    assert left_out == set(ENGINE.rglob("*.py")) - set(engine_files())
    assert {path.name for path in left_out} == {"1to2.py", "2to3.py", "3to2.py", "3to4.py"}


def imported_by(code: str, folder: Path) -> set[str]:
    """Return the top-level modules that a fresh Python has after `code`."""
    tail = "\nimport sys\nprint('\\n' + ' '.join(sorted({m.split('.')[0] for m in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", code + tail], cwd=folder, capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def command(*words: str) -> str:
    """Return the code of a command."""
    return f"from migrators.cli import main\nmain({list(words)!r})"


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    """`migrate --help` answers in a blink: what takes time to import is not imported."""
    found = imported_by(command("--help"), tmp_path)
    assert found & set(HEAVY) == set()
    assert "click" in found


def test_the_pytest_plugin_imports_nothing_heavy(tmp_path: Path) -> None:
    """Pytest imports it in every project that has the package installed."""
    found = imported_by("import migrators.testing.plugin", tmp_path)
    assert found & set(HEAVY) == set()
    assert "pytest" in found


def test_an_application_pays_for_sqlalchemy_only(tmp_path: Path) -> None:
    """`migrators.require` and `migrators.url` import none of what the engine needs."""
    found = imported_by("import migrators\nmigrators.require, migrators.url", tmp_path)
    assert found & set(HEAVY) == {"sqlalchemy"}


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("plan", "1to2"),
        ("plan", "1to2", "--sql"),
        ("load", "fixtures/v1"),
        ("create", "2"),
        ("check", "1"),
    ],
)
def test_what_computes_nothing_imports_no_pandas(words: tuple[str, ...], tmp_path: Path) -> None:
    """Arrow itself would import it with the first array."""
    start = command("init", ".", "--name", "shop")
    subprocess.run([sys.executable, "-c", start], cwd=tmp_path, check=True, capture_output=True)
    found = imported_by(command(*words), tmp_path)
    assert "pandas" not in found
    assert "sqlalchemy" in found


def test_a_file_is_frozen_without_the_drivers_of_servers(tmp_path: Path) -> None:
    """As the package installs by itself: they are extras."""
    with closing(sqlite3.connect(tmp_path / "shop_v1.db")) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)")
    without = "import sys\nsys.modules.update(dict.fromkeys(('psycopg', 'pymysql')))\n"
    imported_by(without + command("init", "shop", "--from", "sqlite:///shop_v1.db"), tmp_path)
    assert "name" in (tmp_path / "shop" / "schemas" / "v1.py").read_text()
