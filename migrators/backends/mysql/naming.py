"""Names that a MySQL or MariaDB database cannot hold, or takes for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.sql.elements import conv

from migrators.backends.mysql.sql import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa


def refused(metadata: sa.MetaData) -> Iterator[str]:
    """Yield a sentence for each name that is too long, and for columns of one name.

    Columns have the same name whatever their case (manual, "Identifier Case Sensitivity").
    """
    for name in sorted(set(_names(metadata))):
        if len(name) > LONGEST_NAME:
            yield f"{name}: a name has {LONGEST_NAME} characters at most, and this has {len(name)}"
    for table in metadata.tables.values():
        first: dict[str, str] = {}
        for column in table.columns:
            same = first.setdefault(column.name.lower(), column.name)
            if same != column.name:
                yield f"{table.name}: the columns {same} and {column.name} would have one name"


def _names(metadata: sa.MetaData) -> Iterator[str]:
    for table in metadata.tables.values():
        yield table.name
        yield from (column.name for column in table.columns)
        bound: list[Any] = [*table.constraints, *table.indexes]
        # A name of a convention is cut by SQLAlchemy itself, with a digest at its end.
        yield from (str(x.name) for x in bound if x.name and not isinstance(x.name, conv))
