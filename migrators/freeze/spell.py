"""SQLAlchemy's types, columns, constraints and tables as the calls a person would write."""

from __future__ import annotations

import enum
import inspect
import re
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import dialects
from sqlalchemy.types import TypeEngine

from migrators.freeze.layout import Call, call, literal
from migrators.schema import fingerprint as declared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Names = Callable[[sa.Constraint], str | None]

_PYTHON_SIDE = frozenset(
    {
        "as_uuid",
        "asdecimal",
        "decimal_return_scale",
        "none_as_null",
        "omit_aliases",
        "validate_strings",
        "values_callable",
        "sort_key_function",
        "metadata",
        "inherit_schema",
        "_create_events",
        "_adapted_from",
        "_expect_unicode",
        "_enums",
    }
)
"""Arguments of types that say how Python sees a value, not what a database stores."""


def type_(column: sa.Column[Any]) -> str | Call:
    """Return the type of a column, with its variants."""
    check = _bound_check(column) if _keeps_check(column) else None
    spelled = _one_type(declared.plain_type(column.type), check)
    grouped: dict[str, list[str]] = {}
    for database, variant in declared.variants(column.type).items():
        grouped.setdefault(str(_called(_one_type(variant))), []).append(literal(database))
    for variant_text, databases in grouped.items():
        spelled = call(f"{_called(spelled)}.with_variant", variant_text, *databases)
    return spelled


def column(found: sa.Column[Any], names: Names) -> Call:
    """Return a column; it says `primary_key` where that says all of the table's key."""
    keywords: dict[str, str | Call] = {}
    if found.primary_key and not _key_is_said(found.table, names):
        keywords["primary_key"] = "True"
    if bool(found.nullable) == bool(found.primary_key):
        keywords["nullable"] = repr(bool(found.nullable))
    if found.primary_key and found.autoincrement != "auto":
        keywords["autoincrement"] = literal(found.autoincrement)
    if (default := _constant(found)) is not None:
        keywords["default"] = default
    if (server := _server_default(found)) is not None:
        keywords["server_default"] = server
    if found.comment:
        keywords["comment"] = literal(found.comment)
    if pii := found.info.get("pii"):
        keywords["info"] = literal({"pii": pii})
    keywords |= _options(found.dialect_kwargs)
    inside = filter(None, (_check(c, names) for c in _inside(found, names)))
    return call("sa.Column", literal(found.name), type_(found), *_made(found), *inside, **keywords)


def table(found: sa.Table, names: Names, order: Sequence[str]) -> Call:
    """Return a table with its columns, constraints and indexes in a fixed order."""
    keywords: dict[str, str | Call] = {}
    if found.schema:
        keywords["schema"] = literal(found.schema)
    if found.comment:
        keywords["comment"] = literal(found.comment)
    if prefixes := declared.prefixes(found):
        keywords["prefixes"] = literal(prefixes)
    keywords |= _options(found.dialect_kwargs)
    by_name = {c.name: c for c in found.columns}  # an application may know them by other keys
    parts = [column(c, names) for c in (by_name[name] for name in order)]
    return call(
        "sa.Table",
        literal(found.name),
        "metadata",
        *parts,
        *_constraints(found, names),
        *sorted((_index(index) for index in found.indexes), key=str),
        **keywords,
    )


def modules(item: str | Call) -> set[str]:
    """Return the modules of databases that a spelled type needs imported."""
    words = set(re.findall(r"(?<![\w.\"'])([a-z_]+)\.[A-Z]", str(item)))
    return words & set(dialects.__all__)


def _constraints(found: sa.Table, names: Names) -> Iterable[Call]:
    inside = [c for column in found.columns for c in _inside(column, names)]
    kept = [c for c in declared.constraints(found) if not _said_by_type(c) and c not in inside]
    if _key_is_said(found, names):
        key = [literal(c.name) for c in found.primary_key.columns]
        named = {"name": literal(name)} if (name := names(found.primary_key)) else {}
        yield call("sa.PrimaryKeyConstraint", *key, **named)
    for spelled in (_unique, _foreign_key, _check):
        lines = [line for c in kept if (line := spelled(c, names)) is not None]
        yield from sorted(lines, key=str)


def _key_is_said(found: sa.Table, names: Names) -> bool:
    """Whether the key stands by itself: it has a name, or its columns are in another order."""
    key = [column.name for column in found.primary_key.columns]
    own = [column.name for column in found.columns if column.primary_key]
    return bool(key) and (bool(names(found.primary_key)) or key != own)


def _inside(found: sa.Column[Any], names: Names) -> list[sa.Constraint]:
    """Return the CHECKs that stay in their column: MariaDB has them there, without a name."""
    checks = [c for c in found.constraints if isinstance(c, sa.CheckConstraint)]
    return [c for c in checks if not names(c)]


def _unique(constraint: sa.Constraint, names: Names) -> Call | None:
    if not isinstance(constraint, sa.UniqueConstraint):
        return None
    columns = [literal(c.name) for c in constraint.columns]
    return call("sa.UniqueConstraint", *columns, **_common(constraint, names))


def _foreign_key(constraint: sa.Constraint, names: Names) -> Call | None:
    if not isinstance(constraint, sa.ForeignKeyConstraint):
        return None
    actions = {
        key: literal(value)
        for key in ("ondelete", "onupdate", "match")
        if (value := getattr(constraint, key)) is not None
    }
    if constraint.use_alter:  # without it `create_all` of tables in a circle is no order
        actions["use_alter"] = "True"
    return call(
        "sa.ForeignKeyConstraint",
        literal([e.parent.name for e in constraint.elements]),
        literal([declared.target(e) for e in constraint.elements]),
        **_common(constraint, names),
        **actions,
    )


def _check(constraint: sa.Constraint, names: Names) -> Call | None:
    if not isinstance(constraint, sa.CheckConstraint):
        return None
    text = declared.expression_text(constraint.sqltext)
    return call("sa.CheckConstraint", literal(text), **_common(constraint, names))


def _common(constraint: sa.Constraint, names: Names) -> dict[str, str | Call]:
    keywords: dict[str, str | Call] = {}
    if name := names(constraint):
        keywords["name"] = literal(name)
    for key in ("deferrable", "initially"):
        if (value := getattr(constraint, key, None)) is not None:
            keywords[key] = literal(value)
    return keywords | _options(constraint.dialect_kwargs)


def _index(index: sa.Index) -> Call:
    parts: list[str | Call] = [
        literal(e.name) if isinstance(e, sa.Column) else _text(declared.expression_text(e))
        for e in index.expressions
    ]
    unique: dict[str, str | Call] = {"unique": "True"} if index.unique else {}
    name = literal(declared.constraint_name(index))
    return call("sa.Index", name, *parts, **unique, **_options(index.dialect_kwargs))


def _made(found: sa.Column[Any]) -> Iterable[Call]:
    """Return what computes a column's value in the database."""
    if (computed := found.computed) is not None:
        persisted = {} if computed.persisted is None else {"persisted": repr(computed.persisted)}
        yield call("sa.Computed", literal(declared.expression_text(computed.sqltext)), **persisted)
    if (identity := found.identity) is not None:
        said = {key: literal(value) for key, value in declared.identity_arguments(identity)}
        yield call("sa.Identity", **said)


def _server_default(found: sa.Column[Any]) -> Call | None:
    """Return a server default as SQL; true and false are spelled differently by servers."""
    clause = getattr(found.server_default, "arg", None)
    if isinstance(clause, sa.True_ | sa.False_):
        return call("sa.true" if isinstance(clause, sa.True_) else "sa.false")
    text = declared.default_text(found)
    return None if text is None else _text(text)


def _constant(found: sa.Column[Any]) -> str | None:
    """Return an application's constant default; one that is computed is its own affair."""
    default = found.default
    if not isinstance(default, sa.ColumnDefault) or not default.is_scalar:
        return None
    value = default.arg
    if isinstance(value, enum.Enum):
        return literal(_label(declared.plain_type(found.type), value))
    return literal(value) if isinstance(value, bool | int | float | str) else None


def _label(declared_type: TypeEngine[Any], member: enum.Enum) -> str:
    lookup = getattr(declared_type, "_valid_lookup", {})
    return str(lookup.get(member, member.name))


def _options(kwargs: Mapping[str, Any]) -> dict[str, str | Call]:
    """Return options that only some databases know."""
    said = {key: kwargs[key] for key in sorted(kwargs) if kwargs[key] is not None}
    return {
        key: _text(declared.expression_text(value))
        if isinstance(value, sa.ClauseElement)
        else literal(value)
        for key, value in said.items()
    }


def _text(sql: str) -> Call:
    return call("sa.text", literal(sql))


def _one_type(plain: TypeEngine[Any], check: sa.CheckConstraint | None = None) -> str | Call:
    """Return one type; `check` is the CHECK that it is to make itself."""
    kind = _public(type(plain))
    if isinstance(plain, sa.Enum):
        return _enum(kind, plain, check)
    if isinstance(plain, sa.ARRAY):
        return call(kind, _one_type(plain.item_type))
    if getattr(plain, "__visit_name__", "") == "SET":
        return _set(kind, plain)
    if getattr(plain, "__visit_name__", "") == "DOMAIN":
        return _domain(kind, plain)
    if isinstance(plain, sa.Boolean):
        return kind if check is None else call(kind, **_own_check(check))
    said = {
        key: value
        for key, value in declared.arguments(plain).items()
        if key not in _PYTHON_SIDE and not callable(value) and not isinstance(value, TypeEngine)
    }
    if not said:
        return kind
    first = [literal(said.pop(key)) for key in _positional(plain) if key in said]
    return call(kind, *first, **{key: literal(value) for key, value in said.items()})


def _positional(plain: TypeEngine[Any]) -> list[str]:
    """Return which arguments of a type are given without their name."""
    known = list(inspect.signature(type(plain).__init__).parameters)[1:]
    names = ["length", "precision", "scale"]
    return [name for name in names if name in known[:2]] if known[:1] and known[0] in names else []


def _set(kind: str, plain: Any) -> Call:
    """Return a set of labels; a collation of its own is kept."""
    told = {key: getattr(plain, key, None) for key in ("charset", "collation")}
    keywords: dict[str, str | Call] = {key: literal(value) for key, value in told.items() if value}
    return call(kind, *(literal(label) for label in plain.values), **keywords)


def _domain(kind: str, plain: Any) -> Call:
    """Return a domain; SQL before the tables makes it."""
    keywords: dict[str, str | Call] = {"schema": literal(plain.schema)} if plain.schema else {}
    made = {} if plain.create_type else {"create_type": "False"}
    return call(kind, literal(plain.name), _one_type(plain.data_type), **keywords, **made)


def _own_check(check: sa.CheckConstraint) -> dict[str, str | Call]:
    name = declared.constraint_name(check)
    named: dict[str, str | Call] = {"name": literal(name)} if name else {}
    return {**named, "create_constraint": "True"}


def _enum(kind: str, plain: sa.Enum, check: sa.CheckConstraint | None) -> Call:
    keywords: dict[str, str | Call] = {"name": literal(plain.name)} if plain.name else {}
    if plain.schema:
        keywords["schema"] = literal(plain.schema)
    if not getattr(plain, "create_type", True):
        keywords["create_type"] = "False"
    if not plain.native_enum:
        keywords["native_enum"] = "False"
    if check is not None:
        keywords |= _own_check(check)
    if plain.length and plain.length != max((len(label) for label in plain.enums), default=0):
        keywords["length"] = str(plain.length)
    for key in ("charset", "collation"):  # MySQL's
        if value := getattr(plain, key, None):
            keywords[key] = literal(value)
    return call(kind, *(literal(label) for label in plain.enums), **keywords)


def _public(kind: type[Any]) -> str:
    """Return the name by which the nearest public class of a type is written."""
    from importlib import import_module

    for candidate in kind.__mro__:
        name, module = candidate.__name__, candidate.__module__
        if getattr(sa, name, None) is candidate:
            return f"sa.{name}"
        parts = module.split(".")
        if parts[:2] == ["sqlalchemy", "dialects"] and len(parts) > 2:  # noqa: PLR2004
            home = import_module(".".join(parts[:3]))
            if getattr(home, name, None) is candidate:
                return f"{parts[2]}.{name}"
    raise TypeError(kind)


def _called(spelled: str | Call) -> str:
    return str(spelled) if isinstance(spelled, Call) else f"{spelled}()"


def _said_by_type(constraint: sa.Constraint) -> bool:
    """Whether the CHECK is written as its type's `create_constraint`."""
    if not getattr(constraint, "_type_bound", False) or not isinstance(
        constraint, sa.CheckConstraint
    ):
        return False
    return any(_keeps_check(c) and _bound_check(c) is constraint for c in constraint.table.columns)


def _bound_check(found: sa.Column[Any]) -> sa.CheckConstraint | None:
    for constraint in found.table.constraints:
        if not isinstance(constraint, sa.CheckConstraint):
            continue
        if getattr(constraint, "_type_bound", False) and constraint.columns.contains_column(found):
            return constraint
    return None


def _keeps_check(found: sa.Column[Any]) -> bool:
    """Whether the type is written so that it makes its CHECK itself.

    The name of a native enum is that of a type in the database as well, so there the
    CHECK must be of the same name; else it is written on its own.
    """
    check = _bound_check(found)
    plain = declared.plain_type(found.type)
    if check is None or not isinstance(plain, sa.Enum):
        return check is not None
    return not plain.native_enum or declared.constraint_name(check) == plain.name
