"""What MySQL and MariaDB make of declared types and of text comparisons.

`lint` names what would lose silently; `sql` compiles a step's queries. Text compares by bytes:
the servers' own collations take `Deleted`, `deleted ` and `déleted` for one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.mysql.base import MySQLCompiler, MySQLDialect

from migrators.backends.mysql.sql import BYTEWISE, by_bytes
from migrators.types import Kind, UnsupportedType, describe

if TYPE_CHECKING:
    from migrators.types import ColumnType

_DIGITS, _SCALE = 65, 30
_MOST_BITS = 64
_ABSENT = frozenset(("CLOB",))
"""Types that SQLAlchemy writes in DDL for any database, and these servers do not know."""
_DOUBLE_BITS = 25
"""From this precision on FLOAT(p) is a DOUBLE (manual, "Floating-Point Types")."""
_SHORT = {"TEXT": ("sa.Text()", "LONGTEXT"), "BLOB": ("sa.LargeBinary()", "LONGBLOB")}
_TIMED = {
    Kind.TIMESTAMP: ("sa.DateTime()", "DATETIME"),
    Kind.INSTANT: ("sa.DateTime(timezone=True)", "DATETIME"),
    Kind.INTERVAL: ("sa.Interval()", "DATETIME"),
    Kind.TIME: ("sa.Time()", "TIME"),
}

_VARIANTS = {
    Kind.INTEGER: "sa.BigInteger()",
    Kind.FLOAT: "sa.Double()",
    Kind.DECIMAL: "sa.Numeric(19, 2)",
    Kind.BINARY: "mysql.LONGBLOB()",
    Kind.TIMESTAMP: "mysql.DATETIME(fsp=6)",
    Kind.INSTANT: "mysql.DATETIME(fsp=6)",
    Kind.INTERVAL: "mysql.DATETIME(fsp=6)",
    Kind.ARRAY: "sa.JSON()",
}
"""What stands in for a type of another database; text for any other kind."""


_GEOMETRY = frozenset({
    "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
    "geometrycollection", "geomcollection",
})  # fmt: skip


def unread(declared: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> str | None:
    """Say what to declare geometry as: the server has no text of it that is exact.

    As bytes (the manual's "Internal Geometry Storage Format", SRID and WKB) it goes out and
    in exactly.
    """
    try:
        written = declared.compile(dialect=dialect)
    except sa.exc.CompileError:
        return None  # `lint` says so
    name = written.partition(" ")[0].lower()
    if name not in _GEOMETRY or describe(declared).kind is Kind.BINARY:
        return None
    return (
        f"{name.upper()} is read and written as bytes: write "
        f"sa.LargeBinary(){_variant('<the type it is of now>')}"
    )


def lint(declared: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> str | None:
    """Say what a declared type would lose here, and what to write instead; None if nothing.

    A type of the dialect's own, or a variant, has been chosen: values that it does not hold
    are refused by name.
    """
    try:
        kind = describe(declared)
    except UnsupportedType:
        return None  # refused where the schema module is read
    if said := unread(declared, dialect):
        return said
    try:
        written = declared.compile(dialect=dialect).upper()
    except sa.exc.UnsupportedCompilationError:
        return _none_such(declared, kind, dialect)
    except sa.exc.CompileError:
        if isinstance(declared, sa.String) and kind.kind is Kind.TEXT:
            return (
                f"{declared!r} needs a length on {dialect.name}: write sa.String(255), or "
                f"sa.Text(){_variant('mysql.LONGTEXT()')}"
            )
        return _none_such(declared, kind, dialect)
    wide = written.startswith("BIT(") and (kind.length or 1) > _MOST_BITS
    if written in _ABSENT or wide:
        return _none_such(declared, kind, dialect)
    if kind.kind is Kind.DECIMAL and written.startswith(("DECIMAL", "NUMERIC")):
        return _lint_decimal(kind, dialect)
    if kind.kind is Kind.UUID and written == "UUID":
        return (
            "sa.Uuid(): the server's UUID type orders by swapped parts and refuses some: write "
            f"sa.Uuid(){_variant('sa.Uuid(native_uuid=False)')}"
        )
    return None if _chosen(declared, dialect) else _lint_plain(kind, written)


def _none_such(declared: sa.types.TypeEngine[Any], kind: ColumnType, dialect: sa.Dialect) -> str:
    variant = _variant(_VARIANTS.get(kind.kind, "mysql.LONGTEXT()"))
    return f"{declared!r} is no type of {dialect.name}: write {variant}"


def _lint_decimal(kind: ColumnType, dialect: sa.Dialect) -> str | None:
    if kind.as_text:
        return (
            f"sa.Numeric() without precision: {dialect.name} makes it DECIMAL(10, 0): "
            f"declare sa.Numeric(p, s), of {_DIGITS} digits at most"
        )
    if kind.precision <= _DIGITS and kind.scale <= _SCALE:
        return None
    return (
        f"sa.Numeric({kind.precision}, {kind.scale}): {dialect.name} has {_DIGITS} digits, "
        f"{_SCALE} of them after the point: declare it as sa.String and convert it"
    )


def _lint_plain(kind: ColumnType, written: str) -> str | None:
    if written in _SHORT and kind.length is None:
        said, longer = _SHORT[written]
        return f"{said} ends at 65,535 bytes here: write {said}{_variant(f'mysql.{longer}()')}"
    if kind.kind in _TIMED:
        said, name = _TIMED[kind.kind]
        return (
            f"{said} keeps whole seconds only here: write {said}{_variant(f'mysql.{name}(fsp=6)')}"
        )
    single = re.match(r"FLOAT(?:\((\d+)\))?$", written)
    if kind.kind is Kind.FLOAT and single and int(single[1] or 0) < _DOUBLE_BITS:
        return "sa.Float() keeps 24 bits of a number here: write sa.Double()"
    return None


def _variant(written: str) -> str:
    """Return the call to write, and the import that it needs."""
    own = written.startswith("mysql.")
    above = ", and above: from sqlalchemy.dialects import mysql" if own else ""
    return f".with_variant({written}, 'mysql', 'mariadb'){above}"


def _chosen(declared: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> bool:
    """Whether somebody wrote what the type is to be on this database."""
    while isinstance(declared, sa.types.TypeDecorator) and not isinstance(declared, sa.Interval):
        declared = declared.impl_instance
    own = type(declared).__module__.startswith("sqlalchemy.dialects.mysql")
    return own or dialect.name in getattr(declared, "_variant_mapping", {})


_NO_ESCAPE = " ESCAPE '\x01'"
"""Without it a backslash escapes, in sessions with NO_BACKSLASH_ESCAPES, too; `ESCAPE ''` is
refused there."""


class _Bytewise(MySQLCompiler):
    """Renders text columns so that they compare by their bytes."""

    def visit_column(self, column: sa.ColumnClause[Any], *args: Any, **options: Any) -> str:
        """Render a column; in a list of columns it keeps its name."""
        text = super().visit_column(column, *args, **options)
        if not _is_text(column.type, self.dialect):
            return text
        bare = options.get("within_columns_clause") and not options.get("within_label_clause")
        name = f" AS {self.preparer.quote(column.name)}" if bare else ""
        return f"{by_bytes(text)}{name}"

    def visit_cast(self, cast: sa.Cast[Any], **options: Any) -> str:
        """Render a cast; one to text has the session's collation otherwise."""
        text = super().visit_cast(cast, **options)
        return f"{text} COLLATE {BYTEWISE}" if _is_text(cast.type, self.dialect) else text

    def visit_like_op_binary(self, binary: Any, operator: Any, **options: Any) -> str:
        """Render LIKE; a backslash is itself, unless it was said to escape."""
        text = super().visit_like_op_binary(binary, operator, **options)  # type: ignore[no-untyped-call]
        return text if binary.modifiers.get("escape") is not None else f"{text}{_NO_ESCAPE}"

    def visit_not_like_op_binary(self, binary: Any, operator: Any, **options: Any) -> str:
        """Render NOT LIKE; see LIKE."""
        text = super().visit_not_like_op_binary(binary, operator, **options)  # type: ignore[no-untyped-call]
        return text if binary.modifiers.get("escape") is not None else f"{text}{_NO_ESCAPE}"

    def visit_length_func(self, fn: Any, **options: Any) -> str:
        """Render `func.length` in characters, as the other databases count."""
        return f"char_length{self.function_argspec(fn, **options)}"

    def visit_aggregate_strings_func(self, fn: Any, **options: Any) -> str:
        """Render `func.aggregate_strings`, literals and all."""
        text, separator = (self.process(clause, **options) for clause in fn.clauses)
        return f"group_concat({text} SEPARATOR {separator})"


class _Queries(MySQLDialect):
    """The dialect that a step's queries are compiled with; DDL keeps to the plain one."""

    statement_compiler = _Bytewise
    supports_statement_cache = True


# "named": the driver's own way would double percent signs
_QUERIES = _Queries(paramstyle="named")
_QUERIES._backslash_escapes = False  # noqa: SLF001  our sessions have NO_BACKSLASH_ESCAPES


def _is_text(declared: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> bool:
    found = declared.dialect_impl(dialect)
    while isinstance(found, sa.types.TypeDecorator):
        found = found.impl_instance.dialect_impl(dialect)
    return isinstance(found, sa.String)


def sql(query: Any) -> str:
    """Compile a query or expression: literals rendered, text compared by bytes."""
    return str(query.compile(dialect=_QUERIES, compile_kwargs={"literal_binds": True}))
