"""Load a step's file and let it record what it declares."""

from __future__ import annotations

import hashlib
import inspect
import traceback
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators import pyfile
from migrators.errors import CodeError, mend
from migrators.step import Step, Tables
from migrators.step.arguments import StepError
from migrators.step.tables import meant

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from types import ModuleType

    from migrators.schema import SchemaVersion


def load_step(path: Path) -> ModuleType:
    """Return a step's module, loaded by path."""
    name = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    return pyfile.load(path, f"migrators_step_{name}")


def declare(path: Path, old: SchemaVersion, new: SchemaVersion, *, now: datetime) -> Step:
    """Run `migrate(step, old, new)` of the file at `path`.

    Raises
    ------
    CodeError
        With the line of the step that raised.
    """
    module = load_step(path)
    migrate = getattr(module, "migrate", None)
    if not callable(migrate):
        raise CodeError("defines no migrate(step, old, new)", path=path, hint=_BEGIN)
    _callable(migrate, path)
    tables = Tables(old.metadata, old.version), Tables(new.metadata, new.version)
    step = Step(*tables, now=now, path=str(path))
    try:
        migrate(step, *tables)
    except (Exception, SystemExit) as error:
        line = _line(error, path)
        raise CodeError(_said(error), path=path, line=line, hint=mend(path, line)) from error
    return step


_BEGIN = "def migrate(step, old, new):"


def _callable(migrate: Any, path: Path) -> None:
    """Refuse a `migrate` that does not take what it is given, or that a call would not run."""
    line = getattr(getattr(inspect.unwrap(migrate), "__code__", None), "co_firstlineno", None)
    if inspect.iscoroutinefunction(migrate) or inspect.isgeneratorfunction(migrate):
        raise CodeError("migrate must be a plain function", path=path, line=line, hint=_BEGIN)
    signature = inspect.signature(migrate)
    try:
        signature.bind(None, None, None)
    except TypeError:
        said = f"migrate{signature} does not take the three that it is given: step, old, new"
        raise CodeError(said, path=path, line=line, hint=_BEGIN) from None


def _said(error: BaseException) -> str:
    """Return what a step's error says, and which name was meant."""
    if isinstance(error, SystemExit):
        return f"SystemExit: {error}: a step says what goes where, and returns"
    if isinstance(error, TypeError) and _BOOLEAN in str(error):
        return f"{error}: conditions are joined by & and |, each in parentheses, not by and, or"
    if isinstance(error, AttributeError) and error.name:
        return _no_such_name(error, error.name)
    return str(error) if isinstance(error, StepError) else f"{type(error).__name__}: {error}"


def _no_such_name(error: AttributeError, name: str) -> str:
    """SQLAlchemy names a missing column and no more; Python does not say what was meant."""
    if isinstance(error.obj, sa.ColumnCollection) and error.obj:
        table = next(iter(error.obj)).table
        return f"{table} has no column {name}{meant(name, error.obj.keys())}"
    public = [known for known in dir(error.obj) if not known.startswith("_")]
    return f"{error}{meant(name, public)}"


_BOOLEAN = "Boolean value of this clause"
"""How SQLAlchemy begins when Python asks whether a condition is true."""


def _line(error: BaseException, path: Path) -> int | None:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f.lineno for f in frames if f.filename == str(path)]
    return lines[-1] if lines else None
