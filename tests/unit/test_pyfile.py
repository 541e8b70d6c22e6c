"""Files loaded by path: their names, their errors, and nothing left behind."""

from __future__ import annotations

import pickle
import sys
from typing import TYPE_CHECKING

import pytest

from migrators import pyfile
from migrators.errors import CodeError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def _file(folder: Path, text: str, name: str = "v3.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_registered_before_it_runs(tmp_path: Path) -> None:
    """A file finds itself in sys.modules while it runs."""
    text = "import sys\nme = sys.modules[__name__].__file__\n"
    module = pyfile.load(_file(tmp_path, text), "v3")
    assert module.me == str(tmp_path / "v3.py")
    assert module.__name__.startswith("migrators_project_")
    assert module.__name__.endswith(".v3")


def test_functions_can_be_pickled(tmp_path: Path) -> None:
    """A computed function is sent to a worker by name."""
    module = pyfile.load(_file(tmp_path, "def double(x):\n    return 2 * x\n", "1to2.py"), "1to2")
    assert pickle.loads(pickle.dumps(module.double))(4) == 8  # noqa: S301  our own bytes


def test_same_until_changed(tmp_path: Path) -> None:
    """An unchanged file is the same module; a changed one is read again at once."""
    path = _file(tmp_path, "x = 1\n")
    first = pyfile.load(path, "v3")
    assert pyfile.load(path, "v3") is first
    path.write_text("x = 2\n")
    assert pyfile.load(path, "v3").x == 2


def test_two_projects_do_not_mix(tmp_path: Path) -> None:
    """Files of the same name in two folders are two modules."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        _file(tmp_path / name, f"x = {name!r}\n")
    found = [pyfile.load(tmp_path / name / "v3.py", "v3") for name in ("a", "b")]
    assert [m.x for m in found] == ["a", "b"]
    assert found[0].__name__ != found[1].__name__


def test_nothing_is_written(tmp_path: Path) -> None:
    """No bytecode beside the file, and sys.path as before."""
    before = list(sys.path)
    pyfile.load(_file(tmp_path, "x = 1\n"), "v3")
    assert [p.name for p in tmp_path.iterdir()] == ["v3.py"]
    assert sys.path == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\ny = (\n", "v3.py:2: SyntaxError: '(' was never closed"),
        ("\nimport nothing_of_that_name\n", "v3.py:2: ModuleNotFoundError: No module named"),
        ("def f():\n    return 1 / 0\n\nf()\n", "v3.py:2: ZeroDivisionError: division by zero"),
        ("import json\n\njson.loads('{')\n", "v3.py:3: JSONDecodeError: "),
        ("raise SystemExit(3)\n", "v3.py:1: SystemExit: 3"),
        ("raise ValueError\n", "v3.py:1: ValueError"),
        ("x = '\x00'\n", "v3.py"),
    ],
)
def test_errors_name_file_and_line(tmp_path: Path, text: str, said: str) -> None:
    """Whatever a file raises names the deepest line of that file, and leaves no module."""
    path = _file(tmp_path, text)
    with pytest.raises(CodeError) as caught:
        pyfile.load(path, "v3")
    assert said in caught.value.message
    assert caught.value.hint[-1].startswith("mend ")
    assert not [m for m in list(sys.modules.values()) if getattr(m, "__file__", None) == str(path)]


def test_a_module_that_is_missing_can_be_installed(tmp_path: Path) -> None:
    """Or its import left out: a step needs nothing of the application."""
    with pytest.raises(CodeError) as caught:
        pyfile.load(_file(tmp_path, "import nothing_of_that_name\n"), "v3")
    assert caught.value.hint[0].startswith("install nothing_of_that_name beside migrate")


def test_missing_file(tmp_path: Path) -> None:
    """A file that cannot be read is said to be so."""
    with pytest.raises(CodeError, match=r"v9\.py: cannot be read"):
        pyfile.load(tmp_path / "v9.py", "v9")


def test_attribute_of_an_application(tmp_path: Path) -> None:
    """`module:name` is importable from the project or its src, during the import only."""
    (tmp_path / "src").mkdir()
    _file(tmp_path / "src", "class Base:\n    metadata = 5\n", "shop_for_pyfile.py")
    before = list(sys.path)
    assert pyfile.load_attribute("shop_for_pyfile:Base.metadata", tmp_path) == 5
    assert sys.path == before
    assert [p.name for p in (tmp_path / "src").iterdir()] == ["shop_for_pyfile.py"]
    with pytest.raises(UsageError, match="AttributeError"):
        pyfile.load_attribute("shop_for_pyfile:Nothing", tmp_path)
    _file(tmp_path, "x = 1\nimport no_such_thing\n", "shop_broken.py")
    with pytest.raises(CodeError, match=r"shop_broken\.py:2: .*no_such_thing"):
        pyfile.load_attribute("shop_broken:x", tmp_path)
