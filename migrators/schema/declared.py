"""SQLAlchemy's tables → plain data; every column's type is described here, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from migrators import types
from migrators.errors import CodeError
from migrators.schema.model import Column, ForeignKey, Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def describe(metadata: sa.MetaData, path: Path) -> dict[str, Table]:
    """Return tables as plain data, by name, sorted by name.

    Parameters
    ----------
    metadata : sqlalchemy.MetaData
    path : Path
        The schema module, for messages.

    Raises
    ------
    CodeError
        Types that no extract holds exactly, naming every such column and what to declare; or
        a foreign key to a table or column that is not there.
    """
    tables = [metadata.tables[name] for name in sorted(metadata.tables)]
    keys = {t.key: [_foreign_key(c, path) for c in t.foreign_key_constraints] for t in tables}
    _require_types([column for table in tables for column in table.columns], path)
    return {table.key: _table(table, keys[table.key]) for table in tables}


def _require_types(columns: Sequence[sa.Column[object]], path: Path) -> None:
    problems: list[str] = []
    for column in columns:
        try:
            types.describe(column.type)
        except types.UnsupportedType as error:
            problems.append(f"{column.table.key}.{column.name}: {error}")
    if problems:
        raise CodeError(
            "\n".join(problems),
            path=path,
            hint="declare another type for it, such as "
            "sa.String, sa.Text, sa.Numeric(12, 2), sa.JSON or sa.LargeBinary",
        )


def _table(table: sa.Table, keys: Sequence[ForeignKey]) -> Table:
    return Table(
        name=table.key,
        columns=tuple(_column(column) for column in table.columns),
        primary_key=tuple(c.name for c in table.primary_key.columns),
        uniques=_uniques(table),
        foreign_keys=tuple(sorted(keys, key=lambda k: (k.columns, k.target, k.target_columns))),
    )


def _column(column: sa.Column[object]) -> Column:
    generated = column.computed is not None
    return Column(column.name, types.describe(column.type), bool(column.nullable), generated)


def _uniques(table: sa.Table) -> tuple[tuple[str, ...], ...]:
    """Return unique column sets; an index over a part of the rows or an expression is none."""
    found = {
        tuple(c.name for c in constraint.columns)
        for constraint in table.constraints
        if isinstance(constraint, sa.UniqueConstraint)
    }
    for index in table.indexes:
        plain = all(isinstance(e, sa.Column) for e in index.expressions)
        partial = any(key.endswith("_where") for key in index.dialect_kwargs)
        if index.unique and plain and not partial:
            found.add(tuple(c.name for c in index.columns))
    return tuple(sorted(found))


def _foreign_key(constraint: sa.ForeignKeyConstraint, path: Path) -> ForeignKey:
    local = tuple(element.parent.name for element in constraint.elements)
    try:
        targets = [element.column for element in constraint.elements]
    except sa.exc.InvalidRequestError as error:
        raise CodeError(
            f"{constraint.table.key}.{', '.join(local)} refers to "
            f"{constraint.elements[0].target_fullname}, which is not in this file",
            path=path,
            hint="add the table, or drop the foreign key",
        ) from error
    return ForeignKey(local, targets[0].table.key, tuple(c.name for c in targets))
