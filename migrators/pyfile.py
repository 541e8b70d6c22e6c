"""Loading a Python file by path: schemas and steps; the only user of importlib.

The project never gets onto `sys.path`, and no bytecode is written beside its files, so
that a dry run writes nothing. A module is registered before it runs, under a name of
its own, so that functions in it can be pickled and found again by a worker.
"""

from __future__ import annotations

import ast
import hashlib
import sys
import traceback
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

from migrators.errors import CodeError, UsageError, mend

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIGEST = "__migrators_digest__"
_ELSEWHERE = "name a module of the project's folder, or of what is installed beside migrate"


class _PlainLoader(SourceFileLoader):
    """Compiles the source each time and caches nothing on disk."""

    def get_code(self, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def load(path: Path, name: str) -> ModuleType:
    """Run a Python file and return its module; the same one while the file is unchanged.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Last part of the module's name: "v3" becomes `migrators_project_1a2b3c4d.v3`,
        the digits standing for the folder.

    Raises
    ------
    CodeError
        Whatever the file raises, with the line of that file it came from.
    """
    path = path.resolve()
    qualified = f"{_package(path.parent)}.{name}"
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise CodeError(f"cannot be read: {error.strerror}", path=path) from None
    known = sys.modules.get(qualified)
    if known is not None and getattr(known, _DIGEST, None) == digest:
        return known
    return _run(path, qualified, digest)


def load_attribute(target: str, folder: Path) -> Any:
    """Return `module:attribute`, imported as the application itself would import it.

    `folder`, and its `src` where there is one, are importable during the import only.

    Raises
    ------
    CodeError
        A file of `folder` raises.
    UsageError
        There is no such module, or it has no such attribute.
    """
    import importlib

    module_name, _, attribute = target.partition(":")
    with _importable(folder):
        try:
            found: Any = importlib.import_module(module_name)
            for part in attribute.split("."):
                found = getattr(found, part)
        except (Exception, SystemExit) as error:
            said = f"{target} cannot be imported: {_say(error)}"
            place = _deepest_under(error, folder)
            if place is None:
                begun = isinstance(error, AttributeError)
                hint = "name its MetaData or its declarative base" if begun else _ELSEWHERE
                raise UsageError(said, hint=hint) from error
            raise CodeError(said, path=place[0], line=place[1]) from error
    return found


def docstring(path: Path) -> str:
    """Return a Python file's docstring, as written; empty where it has none."""
    return ast.get_docstring(ast.parse(path.read_bytes()), clean=True) or ""


def _package(folder: Path) -> str:
    """Register an empty package for a folder: unpickling imports a module's parent first."""
    name = f"migrators_project_{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"
    if name not in sys.modules:
        package = ModuleType(name, f"Files of {folder}, loaded by path.")
        package.__path__ = []
        sys.modules[name] = package
    return name


def _run(path: Path, qualified: str, digest: str) -> ModuleType:
    spec = spec_from_file_location(qualified, path, loader=_PlainLoader(qualified, str(path)))
    assert spec is not None  # noqa: S101  a loader was given
    assert spec.loader is not None  # noqa: S101
    module = module_from_spec(spec)
    sys.modules[qualified] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[qualified]
        line = _line_in(error, path)
        raise CodeError(_say(error), path=path, line=line, hint=_hint(error, path, line)) from error
    setattr(module, _DIGEST, digest)
    return module


def _hint(error: BaseException, path: Path, line: int | None) -> list[str]:
    hint = [mend(path, line)]
    if isinstance(error, ModuleNotFoundError):
        hint.insert(0, f"install {error.name} beside migrate, or leave the import out")
    return hint


def _line_in(error: BaseException, path: Path) -> int | None:
    """Return the line of the deepest frame in the file; of a syntax error, its own."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return lines[-1] if lines else None


def _deepest_under(error: BaseException, folder: Path) -> tuple[Path, int | None] | None:
    """Return the file of the folder, and its line, that raised; None where none did."""
    if isinstance(error, SyntaxError) and error.filename:
        return Path(error.filename), error.lineno
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(folder):
            return Path(frame.filename), frame.lineno
    return None


def _say(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    before = list(sys.path)
    writes = sys.dont_write_bytecode
    sys.path[:0] = [str(folder), str(folder / "src")]
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.path[:] = before
        sys.dont_write_bytecode = writes
