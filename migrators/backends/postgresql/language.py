"""What PostgreSQL makes of declared types and of text comparisons.

`sql` compiles a step's queries. Text compares by bytes: each text column carries COLLATE "C",
so that order, BETWEEN, min and max do not depend on the database's locale, nor equality on a
collation that is not deterministic. What asks for letters (lower, upper, ILIKE, patterns)
keeps the column's own collation, which knows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDialect
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.sql.elements import conv

from migrators.backends.limits import spelled, text_type
from migrators.backends.postgresql.sql import LONGEST_NAME
from migrators.types import Kind, UnsupportedType, describe, on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.types import ColumnType

_LETTERS = frozenset({"lower", "upper", "initcap", "casefold"})
_BYTES = '"C"'
_OWN = frozenset((
    "abs", "array_length", "avg", "bool_and", "bool_or", "btrim", "bit_length", "ceil",
    "char_length", "character_length", "chr", "concat", "concat_ws", "convert_from", "convert_to",
    "count", "date_part", "date_trunc", "decode", "encode", "every", "exp", "floor", "format",
    "initcap", "left", "length", "lower", "lpad", "ltrim", "max", "md5", "min", "mod",
    "octet_length", "power", "regexp_replace", "repeat", "replace", "reverse", "right", "round",
    "rpad", "rtrim", "sign", "split_part", "sqrt", "starts_with", "string_agg", "strpos",
    "substr", "sum", "to_char", "to_hex", "to_number", "translate", "trunc", "upper",
))  # fmt: skip
"""Functions that are named with the server's own schema. By name alone a function of another
schema is taken where its arguments fit better: `lower(varchar)`, of whoever owns the database and
run with the rights of who migrates it (CVE-2018-1058)."""


class _Bytewise(PGCompiler):
    """Renders text columns with COLLATE "C", but where letters are asked for.

    A table that others inherit from is read by itself: their rows are read from them.
    """

    def visit_table(self, table: Any, *args: Any, **options: Any) -> str:
        """Render a table; ONLY keeps what inherits from it out (manual, 5.10)."""
        above: Any = super()
        text: str = above.visit_table(table, *args, **options)
        return f"ONLY {text}" if options.get("asfrom") and is_inherited(table) else text

    def visit_column(self, column: sa.ColumnClause[Any], *args: Any, **options: Any) -> str:
        """Render a column."""
        natural = options.pop("natural", False)
        text = super().visit_column(column, *args, **options)
        if natural or not _collates(column.type, self.dialect):
            return text
        return f"{text} COLLATE {_BYTES}"

    def visit_binary(self, binary: Any, *args: Any, **options: Any) -> str:
        """Render an operator; IS NULL compares nothing, unlike what IS TRUE may stand behind."""
        if isinstance(binary.right, sa.sql.elements.Null):
            options["natural"] = True
        above: Any = super()
        text: str = above.visit_binary(binary, *args, **options)
        return text

    def visit_cast(self, cast: sa.Cast[Any], **options: Any) -> str:
        """Render a cast; one to text has the database's collation otherwise."""
        above: Any = super()
        text: str = above.visit_cast(cast, **options)
        plain = options.get("natural") or not _collates(cast.type, self.dialect)
        return text if plain else f"{text} COLLATE {_BYTES}"

    def visit_function(self, func: sa.Function[Any], *args: Any, **options: Any) -> str:
        """Render a function; one of letters reads its text in the text's own collation."""
        own = not func.packagenames and func.name.lower() in _OWN
        schema = "pg_catalog." if own else ""
        if func.name.lower() not in _LETTERS:
            return schema + super().visit_function(func, *args, **options)
        natural = options.pop("natural", False)
        text = super().visit_function(func, *args, **options, natural=True)
        return schema + (text if natural else f"{text} COLLATE {_BYTES}")

    def visit_aggregate_strings_func(self, fn: Any, **options: Any) -> str:
        """Render `func.aggregate_strings`; SQLAlchemy 2.0 forgets to render its literals."""
        return f"string_agg{self.function_argspec(fn, **options)}"

    def visit_ilike_op_binary(self, binary: Any, operator: Any, **options: Any) -> str:
        """Render ILIKE, which folds letters."""
        above: Any = super()
        text: str = above.visit_ilike_op_binary(binary, operator, **options, natural=True)
        return text

    def visit_not_ilike_op_binary(self, binary: Any, operator: Any, **options: Any) -> str:
        """Render NOT ILIKE, which folds letters."""
        above: Any = super()
        text: str = above.visit_not_ilike_op_binary(binary, operator, **options, natural=True)
        return text

    def visit_regexp_match_op_binary(self, binary: Any, operator: Any, **options: Any) -> str:
        """Render a pattern, whose classes are of letters."""
        above: Any = super()
        text: str = above.visit_regexp_match_op_binary(binary, operator, **options, natural=True)
        return text

    def visit_not_regexp_match_op_binary(self, binary: Any, operator: Any, **options: Any) -> str:
        """Render a pattern, whose classes are of letters."""
        above: Any = super()
        text: str = above.visit_not_regexp_match_op_binary(
            binary, operator, **options, natural=True
        )
        return text


class _Queries(PGDialect):
    """The dialect that a step's queries are compiled with; DDL keeps to the plain one."""

    statement_compiler = _Bytewise
    supports_statement_cache = True
    _backslash_escapes = False  # our sessions pin standard_conforming_strings


# "pyformat" would double percent signs
DIALECT = PGDialect(paramstyle="named")  # type: ignore[no-untyped-call]
"""For DDL; needs no connection."""
DRIVER = PGDialect_psycopg()  # type: ignore[no-untyped-call]
"""Turns URLs into what libpq takes."""
_QUERIES = _Queries(paramstyle="named")  # type: ignore[no-untyped-call]
DIALECT._backslash_escapes = False  # noqa: SLF001  as a connection would find


def parents(table: Any) -> tuple[str, ...]:
    """Return the names of the tables that a table inherits from."""
    said = table.dialect_options["postgresql"]["inherits"] or ()
    return (said,) if isinstance(said, str) else tuple(said)


def is_inherited(table: Any) -> bool:
    """Whether another table of the schema inherits from a table."""
    metadata = getattr(table, "metadata", None)
    if metadata is None:
        return False
    return any({table.name, table.key} & set(parents(each)) for each in metadata.tables.values())


def _collates(declared: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> bool:
    """Whether a column of this type has a collation: text, but no enum type of the server."""
    found = declared.dialect_impl(dialect)
    while isinstance(found, sa.types.TypeDecorator):
        found = found.impl_instance.dialect_impl(dialect)
    if isinstance(found, sa.Enum):
        return not found.native_enum
    return isinstance(found, sa.String)


_VARIANTS = {
    Kind.INTEGER: "sa.BigInteger()",
    Kind.FLOAT: "sa.Double()",
    Kind.BINARY: "sa.LargeBinary()",
    Kind.TIMESTAMP: "sa.DateTime()",
    Kind.INSTANT: "sa.DateTime(timezone=True)",
}
"""What stands in for a type of another database; text for any other kind."""
_ABSENT = frozenset(
    ("BINARY", "BLOB", "CLOB", "DATETIME", "DOUBLE", "NCHAR", "NVARCHAR", "VARBINARY")
)
"""Types that SQLAlchemy writes in DDL for any database, and this server does not know."""


def lint(declared: sa.types.TypeEngine[Any]) -> str | None:
    """Say of a type that the server has none such; of values, what does not fit is refused.

    `staging` compares each batch with the column's own type, so that the server neither
    rounds, cuts nor pads.
    """
    written = spelled(declared, DIALECT)
    if written is not None and (written.name not in _ABSENT or written.rest):
        return None  # DOUBLE PRECISION is a type
    try:
        kind = describe(declared)
    except UnsupportedType:
        return None  # refused where the schema module is read
    if isinstance(on(declared, "postgresql"), sa.types.UserDefinedType):
        return None  # what the SQL before the tables makes
    variant = _variant(kind)
    if kind.kind is Kind.ENUM:
        return f"{declared!r} has no name, as PostgreSQL's enums have: give it one, or {variant}"
    return f"{declared!r} is no type of PostgreSQL: write {variant}"


def _variant(kind: ColumnType) -> str:
    if kind.kind is Kind.BITS:
        varying = "" if kind.fixed else ", varying=True"
        return (
            f".with_variant(postgresql.BIT({kind.length}{varying}), 'postgresql'), "
            "and above: from sqlalchemy.dialects import postgresql"
        )
    return f".with_variant({_VARIANTS.get(kind.kind, text_type(kind))}, 'postgresql')"


def lint_names(metadata: sa.MetaData) -> tuple[str, ...]:
    """Say which names the server would cut."""
    return tuple(
        f"{name}: PostgreSQL keeps {LONGEST_NAME} bytes of a name, and this has {size}"
        for name in sorted(set(_names(metadata)))
        if (size := len(name.encode())) > LONGEST_NAME
    )


def _names(metadata: sa.MetaData) -> Iterator[str]:
    for table in metadata.tables.values():
        yield table.name
        yield from (column.name for column in table.columns)
        bound: list[Any] = [*table.constraints, *table.indexes]
        # A name of a convention is cut by SQLAlchemy itself, with a digest at its end.
        yield from (str(x.name) for x in bound if x.name and not isinstance(x.name, conv))


def sql(query: Any) -> str:
    """Compile a query or expression: literals rendered, text compared by bytes."""
    return str(query.compile(dialect=_QUERIES, compile_kwargs={"literal_binds": True}))
