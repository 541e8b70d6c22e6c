"""Whether a part's query may be read in ranges of its table's rows, and by what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import Over
from sqlalchemy.sql.selectable import SelectBase

from migrators.backends.interface import Cut
from migrators.types import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrators.backends.interface import Backend, ReadColumn

_WHOLE = (Over, SelectBase)
"""What looks at other rows: right in a range as well, but computed for each range anew."""


def cut(
    backend: Backend,
    source: Any,
    select: sa.Select[Any],
    columns: Sequence[ReadColumn],
    key: Sequence[str],
) -> Cut | None:
    """Return how a select of a table's rows is cut; None where each row is not for itself.

    Parameters
    ----------
    columns : sequence of ReadColumn
        The select's.
    key : sequence of str
        Labels of the columns of the table's primary key.
    """
    if not isinstance(source, sa.Table) or _looks_around(select):
        return None
    kinds = {column.name: column.type.kind for column in columns}
    leading = key[0] if key and kinds[key[0]] is Kind.INTEGER else ""
    placed = ""
    if backend.place:
        placed = backend.sql(select.add_columns(sa.literal_column(backend.place).label("place")))
    return Cut(source.schema or "", source.name, leading, placed)


def _looks_around(select: sa.Select[Any]) -> bool:
    inside = (x for x in visitors.iterate(select) if x is not select)
    return any(isinstance(x, _WHOLE) for x in inside)
