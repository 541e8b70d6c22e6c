"""The labels of a select: they name new columns, so each may stand once."""

from __future__ import annotations

from collections import Counter
from typing import Any

import sqlalchemy as sa


def twice(selectable: Any) -> str:
    """Say which label a select, or one of the selects of a union, gives to two columns.

    SQLAlchemy takes the first, or gives up when the SQL is made, far from the step's line.

    Returns
    -------
    str
        A sentence; empty where each label stands once.
    """
    if isinstance(selectable, sa.Subquery):
        return twice(selectable.element)
    if isinstance(selectable, sa.CompoundSelect):
        return next(filter(None, map(twice, selectable.selects)), "")
    if not isinstance(selectable, sa.Select):
        return ""
    columns = list(selectable.inner_columns)
    named = Counter(c.name for c in columns if isinstance(c, sa.Label | sa.Column))
    given = {c.name for c in columns if isinstance(c, sa.Label)}
    found = [name for name, times in named.items() if times > 1 and name in given]
    if not found:
        return ""
    return f"the select has two columns with the label {found[0]}: give one another .label(...)"
