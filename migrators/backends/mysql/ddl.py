"""CREATE TABLE as MariaDB and MySQL take it, for a table that is filled before it gets indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.mysql.base import MySQLDDLCompiler

if TYPE_CHECKING:
    from collections.abc import Iterator


def create_table(table: sa.Table, dialect: sa.Dialect) -> str:
    """Return CREATE TABLE with the primary key, and without indexes, unique and foreign keys."""
    statement = sa.schema.CreateTable(table, include_foreign_key_constraints=[])
    return str(_Compiler(dialect, statement))


class _Compiler(MySQLDDLCompiler):
    """Uniques come after the load; CHECKs of columns come where MariaDB takes them.

    MariaDB's column has one CHECK, which has no name of its own (mariadb.com/kb, CONSTRAINT):
    SQLAlchemy writes names and further ones there all the same, a syntax error. As a
    constraint of the table it refuses the same rows, under the same name.
    """

    def visit_unique_constraint(self, constraint: Any, **options: Any) -> None:  # type: ignore[override]
        """Leave it out."""

    def visit_column_check_constraint(self, constraint: Any, **options: Any) -> str:
        """Return the CHECK that a column can have."""
        if constraint in list(_moved(constraint.parent)):
            return ""
        inherited: Any = super()
        return str(inherited.visit_column_check_constraint(constraint, **options))

    def create_table_constraints(self, table: Any, *args: Any, **options: Any) -> str:
        """Return the table's constraints, and those of columns that these cannot have."""
        inherited: Any = super()
        moved = [c for column in table.columns for c in _moved(column)]
        said = [inherited.create_table_constraints(table, *args, **options)]
        said += [inherited.visit_check_constraint(each) for each in moved]
        return ", \n\t".join(filter(None, said))


def _moved(column: sa.Column[Any]) -> Iterator[sa.CheckConstraint]:
    """Yield the CHECKs of a column that have a name, and all where there are several."""
    checks = [each for each in column.constraints if isinstance(each, sa.CheckConstraint)]
    for each in sorted(checks, key=lambda check: check._creation_order):  # noqa: SLF001
        if each.name is not None or len(checks) > 1:
            yield each
