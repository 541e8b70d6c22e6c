"""Within a major a schema may only grow; what else changed is said, a sentence each.

Release 2.4 must run on a database of 2.3 and the other way round, so nothing that one of
them reads or writes may go, narrow or become required.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.freeze.naming import as_given, signature, table_of
from migrators.schema import fingerprint as declared

if TYPE_CHECKING:
    from collections.abc import Iterator


def refused(old: sa.MetaData, new: sa.MetaData, version: int) -> list[str]:
    """Return a sentence for each change that is not an addition.

    Parameters
    ----------
    old : sqlalchemy.MetaData
        Of the file that is there.
    new : sqlalchemy.MetaData
        Of the models or the database as they are now.
    version : int
        The major; the sentences name the next.
    """
    found: list[str] = []
    for key in sorted(old.tables):
        if key not in new.tables:
            found.append(f"{key} was renamed or dropped")
        else:
            found += _table(old.tables[key], new.tables[key])
    return [f"{what}: that is schema {version + 1}" for what in found]


def added(old: sa.MetaData, new: sa.MetaData) -> list[str]:
    """Return what is new, for people: "table notes", "column users.nickname", "index ix_…"."""
    found = [f"table {key}" for key in sorted(set(new.tables) - set(old.tables))]
    for key in sorted(set(new.tables) & set(old.tables)):
        was, is_ = old.tables[key], new.tables[key]
        found += [f"column {key}.{c.name}" for c in is_.columns if c.name not in _names(was)]
        was_indexes = {declared.constraint_name(index) for index in was.indexes}
        names = sorted(str(declared.constraint_name(index)) for index in is_.indexes)
        found += [f"index {name}" for name in names if name not in was_indexes]
    return found


def column_order(old: sa.Table | None, new: sa.Table) -> list[str]:
    """Return column names with those of the old file first: databases add at the end."""
    before = [name for name in _names(old) if name in _names(new)] if old is not None else []
    return [*before, *(name for name in _names(new) if name not in before)]


def _table(old: sa.Table, new: sa.Table) -> Iterator[str]:
    facts = {c.name: declared.column_facts(c) for c in new.columns}
    for column in old.columns:
        where = f"{old.key}.{column.name}"
        if column.name not in facts:
            yield f"{where} was renamed or dropped"
        else:
            yield from _column(where, declared.column_facts(column), facts[column.name])
    for column in new.columns:
        if column.name not in _names(old) and not _optional(column):
            yield f"{new.key}.{column.name} is new, not null and has no server default"
    yield from _constraints(old, new)
    yield from _indexes(old, new)
    if declared.options(old) != declared.options(new):
        yield f"{old.key} has other table options"


def _column(where: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    if old["type"] != new["type"] or old["variants"] != new["variants"]:
        was, is_ = _say_type(old), _say_type(new)
        yield f"{where} changed its type" + (f" from {was} to {is_}" if was != is_ else "")
    if old["nullable"] != new["nullable"]:
        yield f"{where} became {'nullable' if new['nullable'] else 'not null'}"
    if old["default"] != new["default"]:
        yield f"{where} changed its server default"
    for key in ("computed", "identity", "autoincrement", "options"):
        if old[key] != new[key]:
            yield f"{where} changed how it is made ({key})"


def _constraints(old: sa.Table, new: sa.Table) -> Iterator[str]:
    was = {signature(c): c for c in declared.constraints(old)}
    is_ = {signature(c): c for c in declared.constraints(new)}
    for gone in sorted(set(was) - set(is_)):
        if _counts(was[gone]):
            yield f"{_say(was[gone])} was changed or dropped"
    for fresh in sorted(set(is_) - set(was)):
        if _counts(is_[fresh]) and not _on_new_columns(is_[fresh], old):
            yield f"{_say(is_[fresh])} is new"
    for kept in sorted(set(was) & set(is_)):
        before, after = as_given(was[kept]), as_given(is_[kept])
        if before and after and before != after:
            yield f"{before} was renamed to {after}"
        elif _manner(was[kept]) != _manner(is_[kept]):
            yield f"{_say(was[kept])} acts otherwise"


def _indexes(old: sa.Table, new: sa.Table) -> Iterator[str]:
    was = {declared.constraint_name(i): declared.index_facts(i) for i in old.indexes}
    is_ = {declared.constraint_name(i): declared.index_facts(i) for i in new.indexes}
    for name in sorted(was, key=str):
        if was[name] != is_.get(name):
            yield f"index {name} was changed or dropped"
    for index in new.indexes:
        name = declared.constraint_name(index)
        own = {e.name for e in index.expressions if isinstance(e, sa.Column)}
        if name not in was and index.unique and not (own and own.isdisjoint(_names(old))):
            yield f"unique index {name} is new"


def _optional(column: sa.Column[Any]) -> bool:
    made = column.server_default is not None or column.identity is not None
    return bool(column.nullable) or made or column.computed is not None


def _on_new_columns(constraint: sa.Constraint, old: sa.Table) -> bool:
    """Whether a constraint speaks only of columns that the old file does not have."""
    if isinstance(constraint, sa.CheckConstraint):
        words = set(re.findall(r"\w+", declared.expression_text(constraint.sqltext)))
    else:
        words = {c.name for c in getattr(constraint, "columns", ())}
    return words.isdisjoint(_names(old)) and not words.isdisjoint(_names(table_of(constraint)))


def _manner(constraint: sa.Constraint) -> list[Any]:
    """Return how a constraint acts; NO ACTION is what silence means."""
    names = ("ondelete", "onupdate", "match", "deferrable", "initially")
    return [v if v != "NO ACTION" else None for v in (getattr(constraint, n, None) for n in names)]


def _counts(constraint: sa.Constraint) -> bool:
    return not isinstance(constraint, sa.PrimaryKeyConstraint) or bool(constraint.columns)


def _say(constraint: sa.Constraint) -> str:
    name = as_given(constraint)
    return f"{table_of(constraint).key}: {name}" if name else signature(constraint)


def _say_type(facts: dict[str, Any]) -> str:
    described, labels, collation = facts["type"]
    said = f"enum ({', '.join(labels)})" if labels else str(described)
    return f"{said} collate {collation}" if collation else said


def _names(table: sa.Table) -> list[str]:
    return [c.name for c in table.columns]
