"""The password of a server that stands in no URL: `MIGRATE_PASSWORD`, read as we connect.

No object of ours ever holds it, so that nothing can show it: not a plan, not a journal, not an
error. A server's own ways (`~/.pgpass`, `PGPASSWORD`, `~/.my.cnf`) come after it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "MIGRATE_PASSWORD"
_OTHERS = ("PGPASSWORD", "MYSQL_PWD")
"""What the servers' own clients read."""


def given(environment: Mapping[str, str] | None = None) -> str | None:
    """Return the password of the environment; None where it has none, or an empty one.

    Parameters
    ----------
    environment : mapping, optional
        In place of `os.environ`.
    """
    return (os.environ if environment is None else environment).get(VARIABLE) or None


def without() -> dict[str, str]:
    """Return the environment for a process of ours that connects to no server."""
    return {name: v for name, v in os.environ.items() if name not in (VARIABLE, *_OTHERS)}
