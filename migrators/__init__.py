"""migrate: a dump-and-load major-version migrator for relational databases.

The public API: `rules` for steps; `require` and `url` for an application; `errors`.
Each is imported when it is first asked for, so that an application pays for SQLAlchemy
only and `migrate --help` for nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrators import errors, rules
    from migrators.guard import require, url

__version__ = "0.1.0"
__all__ = ["__version__", "errors", "require", "rules", "url"]

_LAZY = {
    "errors": ("migrators.errors", ""),
    "rules": ("migrators.rules", ""),
    "require": ("migrators.guard", "require"),
    "url": ("migrators.guard", "url"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module_name, attribute = _LAZY[name]
    module = import_module(module_name)
    value = getattr(module, attribute) if attribute else module
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Names of the public API."""
    return sorted(__all__)
