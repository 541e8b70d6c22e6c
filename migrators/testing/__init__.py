"""Committed extracts as test fixtures: `seed`, the pytest plugin, ready-made tests.

Nothing is imported until it is used: pytest loads the plugin in every project.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrators.testing.seeding import seed
    from migrators.testing.session import Database

__all__ = ["Database", "seed"]

_LAZY = {"Database": "migrators.testing.session", "seed": "migrators.testing.seeding"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
