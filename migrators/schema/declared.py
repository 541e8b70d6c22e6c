"""SQLAlchemy's tables → plain data; every column's type is described here, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from migrators import types
from migrators.errors import CodeError
from migrators.schema.model import Column, ForeignKey, Table

if TYPE_CHECKING:
    from pathlib import Path


def describe(table: sa.Table, path: Path) -> Table:
    """Return a table as plain data.

    Parameters
    ----------
    table : sqlalchemy.Table
    path : Path
        The schema module, for messages.

    Raises
    ------
    CodeError
        A type that no extract holds exactly, naming table, column and what to declare; or
        a foreign key to a table or column that is not there.
    """
    keys = [_foreign_key(key, path) for key in table.foreign_key_constraints]
    return Table(
        name=table.key,
        columns=tuple(_column(column, path) for column in table.columns),
        primary_key=tuple(c.name for c in table.primary_key.columns),
        uniques=_uniques(table),
        foreign_keys=tuple(sorted(keys, key=lambda k: (k.columns, k.target, k.target_columns))),
    )


def _column(column: sa.Column[object], path: Path) -> Column:
    try:
        declared = types.describe(column.type)
    except types.UnsupportedType as error:
        raise CodeError(
            f"{column.table.key}.{column.name}: {error}",
            path=path,
            hint=f"declare another type for {column.name}, such as "
            "sa.String, sa.Text, sa.Numeric(12, 2), sa.JSON or sa.LargeBinary",
        ) from None
    generated = column.computed is not None
    return Column(column.name, declared, bool(column.nullable), generated)


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
