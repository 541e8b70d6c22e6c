"""The schema as statements: tables bare before the data, all that binds rows after it.

SQLAlchemy writes both, so that a loaded database has exactly what `create_all` would give.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGDDLCompiler, PGDialect
from sqlalchemy.dialects.postgresql.named_types import CreateEnumType, NamedType
from sqlalchemy.schema import CreateIndex, CreateTable

from migrators.backends.postgresql.language import DIALECT, parents

if TYPE_CHECKING:
    from collections.abc import Iterator

    _Enums = dict[sa.Column[Any], sa.Enum]


class _Bare(PGDDLCompiler):
    """Leaves constraints out of CREATE TABLE; serial columns stay, since keys are known."""

    def visit_primary_key_constraint(self, constraint: Any, **options: Any) -> Any:  # noqa: ARG002
        """Leave it out."""
        return

    def visit_unique_constraint(self, constraint: Any, **options: Any) -> Any:  # noqa: ARG002
        """Leave it out."""
        return

    def visit_foreign_key_constraint(self, constraint: Any, **options: Any) -> Any:  # noqa: ARG002
        """Leave it out."""
        return

    def visit_check_constraint(self, constraint: Any, **options: Any) -> Any:  # noqa: ARG002
        """Leave it out."""
        return

    def visit_exclude_constraint(self, constraint: Any, **options: Any) -> Any:  # noqa: ARG002
        """Leave it out."""
        return

    def visit_column_check_constraint(self, constraint: Any, **options: Any) -> str:  # noqa: ARG002
        """Leave out one that stands at its column."""
        return ""

    def visit_computed_column(self, generated: sa.Computed, **options: Any) -> str:  # noqa: ARG002
        """Render a generated column; one that leaves it open is stored before version 18."""
        text = self.sql_compiler.process(generated.sqltext, include_table=False, literal_binds=True)
        virtual = generated.persisted is False or (
            generated.persisted is None and self.dialect.virtual_by_default  # type: ignore[attr-defined]
        )
        return f"GENERATED ALWAYS AS ({text}) {'VIRTUAL' if virtual else 'STORED'}"


class _BareDialect(PGDialect):
    ddl_compiler = _Bare
    supports_statement_cache = True
    virtual_by_default = False
    _backslash_escapes = False


_VIRTUAL = 180_000
"""The server's version from which a generated column is virtual unless it says STORED."""


def before(metadata: sa.MetaData, version: int) -> list[str]:
    """Return what is created before the data: schemas, types, sequences, tables, comments.

    Parameters
    ----------
    version : int
        The server's, as libpq gives it: 150020.
    """
    found: list[str] = []
    bare = _BareDialect(paramstyle="named")  # type: ignore[no-untyped-call]
    bare.virtual_by_default = version >= _VIRTUAL

    varied = _varied(metadata)
    elsewhere = {t.name for t in varied.values()} - {t.name for t in _own(varied)}

    def executed(statement: Any, *_: Any, **__: Any) -> None:
        if isinstance(statement, sa.schema.ForeignKeyConstraint | CreateIndex):
            return
        if isinstance(statement, sa.schema.AddConstraint):
            return
        if isinstance(statement, CreateEnumType) and statement.element.name in elsewhere:
            return
        dialect = bare if isinstance(statement, CreateTable) else DIALECT
        found.append(str(statement.compile(dialect=dialect)))

    mock = sa.create_mock_engine("postgresql+psycopg://", executed)
    schemas = {t.schema for t in metadata.tables.values() if t.schema}
    quote = DIALECT.identifier_preparer.quote_schema
    found += [f"CREATE SCHEMA IF NOT EXISTS {quote(s)}" for s in sorted(schemas)]
    for own in {t.name: t for t in _own(varied)}.values():
        executed(CreateEnumType(own))
    copied = _copied(metadata, varied)
    for lone in _lone(metadata, copied):
        executed(sa.schema.CreateSequence(lone))
    copied.create_all(mock, checkfirst=False)
    return list(dict.fromkeys(found))


def _varied(metadata: sa.MetaData) -> _Enums:
    """Return the enums that are another type on some databases, by column.

    A copy of such an Enum has forgotten so (SQLAlchemy 2.0 and 2.1).
    """
    every = (c for table in metadata.tables.values() for c in table.columns)
    found: _Enums = {c: c.type for c in every if isinstance(c.type, sa.Enum)}
    return {c: t for c, t in found.items() if t._variant_mapping}  # noqa: SLF001


def _own(varied: _Enums) -> list[Any]:
    """Return the server's own enum types among what the columns are here."""
    found = [t.dialect_impl(DIALECT) for t in varied.values()]
    return [t for t in found if isinstance(t, NamedType)]


def _copied(metadata: sa.MetaData, varied: _Enums) -> sa.MetaData:
    """Return a copy: SQLAlchemy notes on a constraint how it was last created."""
    made = sa.MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.tables.values():
        copy: Any = table.to_metadata(made)
        copy._prefixes = list(getattr(table, "_prefixes", ()))  # noqa: SLF001  UNLOGGED: left out
        for column in table.columns:
            _keep_schema(column.type, copy.columns[column.key].type)
    for column, enum in varied.items():
        made.tables[column.table.key].c[column.name].type = enum
    for table in made.tables.values():
        for parent in parents(table):
            if parent in made.tables:
                table.add_is_dependent_on(made.tables[parent])
    return made


def _lone(metadata: sa.MetaData, copied: sa.MetaData) -> list[Any]:
    """Return the sequences of the metadata that came along with no column."""
    along = set(copied._sequences)  # noqa: SLF001  SQLAlchemy has no other way to list them
    return [each for key, each in metadata._sequences.items() if key not in along]  # noqa: SLF001


def _keep_schema(declared: Any, copied: Any) -> None:
    """Give a copied enum or domain its schema: SQLAlchemy 2.1 gives it its table's."""
    while isinstance(declared, sa.ARRAY):
        declared, copied = declared.item_type, copied.item_type
    if isinstance(declared, sa.Enum | NamedType):
        copied.schema = getattr(declared, "schema", None)


def _tables(metadata: sa.MetaData) -> Iterator[sa.Table]:
    yield from sorted(metadata.tables.values(), key=lambda t: t.key)


def constraints(metadata: sa.MetaData, *kinds: type[Any]) -> Iterator[tuple[sa.Table, Any, str]]:
    """Yield a table, a constraint of these classes, and the statement that adds it.

    One that stands at a column does not know its table.
    """
    make: Any = DIALECT.ddl_compiler
    compiler = make(DIALECT, None)
    for table in _tables(metadata):
        named = DIALECT.identifier_preparer.format_table(table)
        of_columns = [c for column in table.columns for c in column.constraints]
        every = [*table._sorted_constraints, *of_columns]  # noqa: SLF001  as CREATE TABLE has them
        for constraint in every:
            if isinstance(constraint, kinds) and _wanted(constraint, compiler):
                text = compiler.process(constraint).strip()
                yield table, constraint, f"ALTER TABLE {named} ADD {text}"


def _wanted(constraint: Any, compiler: Any) -> bool:
    """Whether it is created here: not an empty key, not an enum's CHECK for other servers."""
    if isinstance(constraint, sa.PrimaryKeyConstraint) and not len(constraint.columns):
        return False
    return bool(constraint._should_create_for_compiler(compiler))  # noqa: SLF001


def indexes(metadata: sa.MetaData) -> Iterator[tuple[sa.Index, str]]:
    """Yield indexes, each with the statement that creates it."""
    for table in _tables(metadata):
        for index in sorted(table.indexes, key=lambda i: str(i.name)):
            yield index, str(CreateIndex(index).compile(dialect=DIALECT))
