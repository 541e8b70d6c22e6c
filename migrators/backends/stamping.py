"""The stamp's view and Alembic's table, as they are in databases of every kind."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from migrators.backends.model import Stamp
from migrators.guard import STAMP

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ALEMBIC_TABLE = "alembic_version"
MARK = "migrate_loading"
"""The view that says which run loads a database in place."""
OURS = frozenset((STAMP, ALEMBIC_TABLE, MARK))
"""What no schema declares and no catalogue shows."""
ALEMBIC = (
    f"CREATE TABLE IF NOT EXISTS {ALEMBIC_TABLE} (version_num VARCHAR(32) NOT NULL, "
    f"CONSTRAINT {ALEMBIC_TABLE}_pkc PRIMARY KEY (version_num))"
)
"""As Alembic itself creates it."""
HEADS = f"SELECT version_num FROM {ALEMBIC_TABLE} ORDER BY 1"

_COLUMNS = tuple(field.name for field in fields(Stamp))
READ = f"SELECT {', '.join(_COLUMNS)} FROM {STAMP}"


def stamp_of(row: Sequence[Any]) -> Stamp:
    """Return the stamp of the row that `READ` gives."""
    version, *texts = row
    return Stamp(int(version), *(str(text) for text in texts))


def constants(stamp: Stamp, text: Callable[[str], str]) -> str:
    """Return what the view selects.

    Parameters
    ----------
    text : callable
        A text to its SQL literal.
    """
    values = {column: getattr(stamp, column) for column in _COLUMNS}
    return ", ".join(
        f"{value if isinstance(value, int) else text(value)} AS {column}"
        for column, value in values.items()
    )
