"""What SQLite makes of declared types and of text comparisons.

`lint` names what would lose silently; `sql` compiles a step's queries, text compared by bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler, SQLiteDialect

from migrators.backends.limits import text_type
from migrators.backends.sqlite import sums
from migrators.backends.sqlite.cells.model import Affinity, affinity
from migrators.backends.sqlite.cells.numbers import EXACT_DIGITS
from migrators.types import Kind, UnsupportedType, describe, on

if TYPE_CHECKING:
    from migrators.types import ColumnType

_TEXTUAL = (Kind.TEXT, Kind.ENUM, Kind.UUID, Kind.SET, Kind.BITS, Kind.ARRAY, Kind.NATIVE)
_SIGN_AND_POINT = 2
_VARIANTS = {
    Kind.INTEGER: "sa.Integer()",
    Kind.BINARY: "sa.LargeBinary()",
    Kind.INTERVAL: "sa.Interval()",
}
"""What stands in for a type of another database; text for any other kind."""


def lint(declared: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> str | None:
    """Say what a declared type would lose here, and what to write instead; None if nothing."""
    try:
        kind = describe(declared)
    except UnsupportedType:
        return None  # refused where the schema module is read
    stored = declared.dialect_impl(dialect)
    try:
        column = affinity(declared.compile(dialect=dialect))
    except sa.exc.CompileError:
        variant = _VARIANTS.get(kind.kind, text_type(kind))
        return f"{declared!r} is no type of SQLite: write .with_variant({variant}, 'sqlite')"
    if kind.kind is Kind.DECIMAL and column is not Affinity.TEXT:
        return _lint_decimal(kind)
    if kind.kind in _TEXTUAL and column not in (Affinity.TEXT, Affinity.BLOB):
        return (
            f"{declared!r} has {column} affinity on SQLite, which turns text that looks like a "
            f"number into one: write .with_variant(sa.String(), 'sqlite')"
        )
    return _lint_format(stored)


def _lint_decimal(kind: ColumnType) -> str | None:
    if kind.as_text:
        return (
            f"sa.Numeric() without precision: SQLite stores decimals as doubles, which keep "
            f"{EXACT_DIGITS} digits: declare sa.Numeric({EXACT_DIGITS}, 2), or write "
            "sa.Numeric().with_variant(sa.String(), 'sqlite'), which keeps the text"
        )
    if kind.precision <= EXACT_DIGITS:
        return None
    length = kind.precision + _SIGN_AND_POINT
    plain = f"sa.Numeric({kind.precision}, {kind.scale})"
    return (
        f"{plain}: SQLite stores decimals as doubles, which keep {EXACT_DIGITS} digits: write "
        f"{plain}.with_variant(sa.String({length}), 'sqlite'), which keeps them as text, and let "
        "the application convert it (on SQLite the column then takes and gives str)"
    )


def _lint_format(stored: sa.types.TypeEngine[Any]) -> str | None:
    """Refuse date types whose text is not the one that SQLAlchemy writes by default."""
    own = getattr(stored, "_storage_format", None)
    for kind in (sqlite.DATETIME, sqlite.DATE, sqlite.TIME):
        plain: Any = kind()
        if isinstance(stored, kind) and own != plain._storage_format:  # noqa: SLF001  not public
            return f"{stored!r} has a storage_format of its own: declare it as sa.String"
    return None


class _Bytewise(SQLiteCompiler):
    """Names no column's own collation: LIKE goes by bytes in our sessions as well."""

    def visit_column(self, column: sa.ColumnClause[Any], *args: Any, **options: Any) -> str:
        """Render a column; one with a collation of its own as compared by bytes."""
        text = super().visit_column(column, *args, **options)
        if not _has_collation(column):
            return text
        bare = options.get("within_columns_clause") and not options.get("within_label_clause")
        name = f" AS {self.preparer.quote(column.name)}" if bare else ""
        return f"{text} COLLATE BINARY{name}"

    def visit_aggregate_strings_func(self, fn: Any, **options: Any) -> str:
        """Render `func.aggregate_strings`; SQLAlchemy 2.0 forgets to render its literals."""
        return f"group_concat{self.function_argspec(fn, **options)}"

    def visit_sum_func(self, fn: Any, *, of: Any = None, **options: Any) -> str:
        """Render `func.sum` of a decimal column as the exact one; see `sums`.

        Parameters
        ----------
        of : expression, optional
            What is divided by whoever asks: an aggregate that a clause follows.
        """
        column = sums.summed(fn)
        if column is None:
            return f"sum{self.function_argspec(fn, **options)}"
        cell = self.process(column, **options)
        whole = f"sum({sums.distinct(fn)}{sums.unscaled(cell, column)})"
        return whole if of is fn else sums.scaled(whole, column)

    def visit_over(self, over: Any, **options: Any) -> str:
        """Render a window; the sum in it is divided behind the clause."""
        return self._followed(over, super().visit_over, options)

    def visit_funcfilter(self, funcfilter: Any, **options: Any) -> str:
        """Render `FILTER (WHERE ...)`; the sum in it is divided behind the clause."""
        return self._followed(funcfilter, super().visit_funcfilter, options)

    def _followed(self, element: Any, visit: Any, options: dict[str, Any]) -> str:
        fn = element
        while isinstance(fn, sa.Over | sa.FunctionFilter):
            fn = fn.element if isinstance(fn, sa.Over) else fn.func
        column = sums.summed(fn)
        if column is None or options.get("of") is fn:
            return str(visit(element, **options))
        return sums.scaled(str(visit(element, **(options | {"of": fn}))), column)


class _Queries(SQLiteDialect):
    """The dialect that a step's queries are compiled with; DDL keeps to the plain one."""

    statement_compiler = _Bytewise
    supports_statement_cache = True


def sql(query: Any) -> str:
    """Compile a query or expression: literals rendered, text compared by bytes.

    SQLite compares text by bytes unless its column is declared with another collation, and
    LIKE does so in our sessions (PRAGMA case_sensitive_like).
    """
    # "named": with "qmark", SQLAlchemy 2.0 takes a table named `%(x)s` for a parameter
    return str(
        query.compile(dialect=_Queries(paramstyle="named"), compile_kwargs={"literal_binds": True})
    )


def _has_collation(column: sa.ColumnClause[Any]) -> bool:
    declared = on(column.type, "sqlite")
    collation = declared.collation if isinstance(declared, sa.String) else None
    return collation is not None and collation.upper() != "BINARY"
