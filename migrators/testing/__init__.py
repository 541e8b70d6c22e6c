"""Committed extracts as test fixtures: `seed`, the pytest plugin, ready-made tests.

Nothing is imported until it is used: pytest loads the plugin in every project.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrators.testing.seeding import seed

__all__ = ["seed"]


def __getattr__(name: str) -> Any:
    """Import `seed` when it is first used (PEP 562)."""
    if name != "seed":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("migrators.testing.seeding").seed
