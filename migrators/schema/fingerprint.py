"""What a schema declares, as canonical JSON, and its SHA-256.

Nothing here leans on `repr` or `str` of SQLAlchemy's objects. Tables, constraints and
indexes are sorted, so their order in the file does not count; the order of columns does.
Defaults that the application computes (`Column(default=…)`) are not part of the
database and do not count either. `freeze` writes the same texts that are hashed here.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql.functions import now
from sqlalchemy.types import TypeDecorator, TypeEngine

from migrators import types
from migrators.schema.sqltext import as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_DIALECT = DefaultDialect()


def fingerprint(
    metadata: sa.MetaData,
    before: Mapping[str, str],
    after: Mapping[str, str],
    between: Mapping[str, str],
) -> str:
    """Return 64 hex digits that are equal where two schemas declare the same.

    Parameters
    ----------
    metadata : sqlalchemy.MetaData
    before, after, between : mapping of str to str
        The SQL beside it; ends of lines and of the text do not count.
    """
    facts = {
        "tables": {table.key: table_facts(table) for table in metadata.tables.values()},
        "before": {name: _sql(text) for name, text in before.items()},
        "after": {name: _sql(text) for name, text in after.items()},
    }
    if between:
        facts["between"] = {name: _sql(text) for name, text in between.items()}
    text = json.dumps(facts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def table_facts(table: sa.Table) -> dict[str, Any]:
    """Return everything declared of a table, as JSON values, order-free but for columns."""
    return {
        "columns": [column_facts(column) for column in table.columns],
        "primary key": [
            constraint_name(table.primary_key),
            [c.name for c in table.primary_key.columns],
        ],
        "unique": _sorted(_unique(c) for c in _of(table, sa.UniqueConstraint)),
        "foreign keys": _sorted(_foreign_key(c) for c in table.foreign_key_constraints),
        "checks": _sorted(
            [constraint_name(c), expression_text(c.sqltext)] for c in _of(table, sa.CheckConstraint)
        ),
        "indexes": _sorted(index_facts(index) for index in table.indexes),
        "options": options(table),
    }


def column_facts(column: sa.Column[Any]) -> dict[str, Any]:
    """Return everything declared of a column, as JSON values."""
    computed, identity = column.computed, column.identity
    return {
        "name": column.name,
        "type": _type_facts(column.type),
        "variants": {
            name: [type(variant).__name__.lower(), _arguments_facts(variant)]
            for name, variant in variants(column.type).items()
        },
        "nullable": bool(column.nullable),
        "default": default_text(column),
        "computed": computed and [expression_text(computed.sqltext), computed.persisted],
        "identity": identity and dict(identity_arguments(identity)),
        "autoincrement": column.autoincrement if column.primary_key else "auto",
        "options": _jsonable(column.dialect_kwargs),
    }


def plain_type(declared: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return what a `TypeDecorator` decorates; any other type as it is."""
    while isinstance(declared, TypeDecorator) and not isinstance(declared, sa.Interval):
        declared = declared.impl_instance
    return declared


def variants(declared: TypeEngine[Any]) -> dict[str, TypeEngine[Any]]:
    """Return the types of `with_variant`, by database."""
    found = dict(getattr(declared, "_variant_mapping", {}))
    if isinstance(declared, TypeDecorator):
        found = variants(declared.impl_instance) | found
    return {name: plain_type(found[name]) for name in sorted(found)}


def arguments(declared: TypeEngine[Any]) -> dict[str, Any]:
    """Return the arguments of a type's constructor that differ from their defaults."""
    found: dict[str, Any] = {}
    for kind in type(declared).__mro__:
        if "__init__" not in vars(kind):
            continue
        parameters = inspect.signature(vars(kind)["__init__"]).parameters.values()
        for p in list(parameters)[1:]:
            value = getattr(declared, p.name, p.default)
            named = p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
            if named and p.name not in found and not _is_default(value, p.default):
                found[p.name] = value
        if all(p.kind is not p.VAR_KEYWORD for p in parameters):
            break
    return found


def constraint_name(constraint: sa.Constraint | sa.Index) -> str | None:
    """Return a constraint's name as the database gets it, conventions applied.

    An index cannot be without: where a convention leaves it so, SQLAlchemy's own applies.
    """
    if constraint.name is None:
        if isinstance(constraint, sa.Index) and constraint.table is not None:
            return "_".join(["ix", constraint.table.name, *(c.name for c in constraint.columns)])
        return None
    name = _DIALECT.identifier_preparer.format_constraint(constraint, _alembic_quote=False)
    return None if name is None else str(name)


def expression_text(expression: Any) -> str:
    """Return SQL of a CHECK, an index or a computed column: as written, or as compiled.

    It is SQL as `sqlalchemy.text` takes it.
    """
    if isinstance(expression, str):
        return expression
    if isinstance(expression, sa.TextClause):
        return expression.text
    if isinstance(expression, now):
        return "CURRENT_TIMESTAMP"  # understood everywhere; `now()` is not
    compiler = _DIALECT.statement_compiler(_DIALECT, None)
    return as_text(str(compiler.process(expression, include_table=False, literal_binds=True)))


def default_text(column: sa.Column[Any]) -> str | None:
    """Return the SQL of a server default as `sqlalchemy.text` takes it; a string as its literal."""
    default = column.server_default
    if not isinstance(default, sa.DefaultClause):
        return None
    if isinstance(default.arg, str):
        return as_text("'" + default.arg.replace("'", "''") + "'")
    return expression_text(default.arg)


def identity_arguments(identity: sa.Identity) -> list[tuple[str, Any]]:
    """Return what an identity declares beyond nothing, in the constructor's order."""
    names = (
        "always",
        "start",
        "increment",
        "minvalue",
        "maxvalue",
        "nominvalue",
        "nomaxvalue",
        "cycle",
        "cache",
    )
    found = [(name, getattr(identity, name, None)) for name in names]
    return [(name, value) for name, value in found if value is not None and value is not False]


def index_facts(index: sa.Index) -> list[Any]:
    """Return what an index declares."""
    parts = [e.name if isinstance(e, sa.Column) else expression_text(e) for e in index.expressions]
    return [constraint_name(index), bool(index.unique), parts, _jsonable(index.dialect_kwargs)]


def options(table: sa.Table) -> dict[str, Any]:
    """Return the options of a table that only some databases know."""
    said = prefixes(table)
    return _jsonable(table.dialect_kwargs) | ({"prefixes": said} if said else {})


def prefixes(table: sa.Table) -> list[str]:
    """Return what stands between CREATE and TABLE."""
    return [expression_text(prefix) for prefix in getattr(table, "_prefixes", ())]


def _type_facts(declared: TypeEngine[Any]) -> list[Any]:
    described = types.describe(declared)
    plain = plain_type(declared)
    return [str(described), list(described.labels), getattr(plain, "collation", None)]


def _arguments_facts(declared: TypeEngine[Any]) -> dict[str, Any]:
    return _jsonable({k: v for k, v in arguments(declared).items() if not callable(v)})


def _is_default(value: Any, default: Any) -> bool:
    if default is inspect.Parameter.empty:
        return value is inspect.Parameter.empty
    return value is default or (type(value) is type(default) and bool(value == default))


def _of(table: sa.Table, kind: type[Any]) -> list[Any]:
    return [c for c in constraints(table) if isinstance(c, kind)]


def constraints(table: sa.Table) -> list[sa.Constraint]:
    """Return all constraints: those written inside a Column stand with the column only."""
    inside = [c for column in table.columns for c in column.constraints]
    return list(dict.fromkeys([*table.constraints, *inside]))


def _unique(constraint: sa.UniqueConstraint) -> list[Any]:
    columns = [c.name for c in constraint.columns]
    when = [constraint.deferrable, constraint.initially]
    return [constraint_name(constraint), columns, when, _jsonable(constraint.dialect_kwargs)]


def _foreign_key(constraint: sa.ForeignKeyConstraint) -> list[Any]:
    return [
        constraint_name(constraint),
        [element.parent.name for element in constraint.elements],
        [target(element) for element in constraint.elements],
        [constraint.ondelete, constraint.onupdate, constraint.match],
        [constraint.deferrable, constraint.initially],
    ]


def target(element: sa.ForeignKey) -> str:
    """Return what a foreign key refers to: `users.id`, `audit.log.id`.

    Not `target_fullname`: SQLAlchemy 2.1 raises where a table's name has a dot of its own.
    """
    return f"{element.column.table.fullname}.{element.column.name}"


def _sql(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _sorted(items: Iterable[Any]) -> list[Any]:
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


def _jsonable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return option values as JSON; False and None say nothing that absence does not."""
    said = {key: values[key] for key in sorted(values) if values[key] is not None}
    return {key: _plain(value) for key, value in said.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, sa.ClauseElement):
        return expression_text(value)
    if isinstance(value, bool | int | float | str | None):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return str(value)
