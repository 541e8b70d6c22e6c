"""Which rows break a constraint: counted exactly, with sample keys.

The server names one row, or none. The rows are there by then, so they are asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.backends import refusals
from migrators.backends.postgresql import sql
from migrators.backends.postgresql.language import DIALECT
from migrators.backends.postgresql.snapshot import exact_rows
from migrators.errors import ValueRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrators.backends.postgresql.connect import Connection

_TWICE = "give the rows different values in the step, or leave some of them out"
_ORPHANS = "leave these rows out in the step, or carry their parents"
_BREAKS = "correct the rows, leave them out in the step, or allow them in the schema module"


def by_constraint(connection: Connection, table: sa.Table, constraint: Any) -> ValueRefused | None:
    """Return the refusal of the rows that keep a constraint from being added."""
    if isinstance(constraint, sa.ForeignKeyConstraint):
        return orphans(connection, constraint)
    if isinstance(constraint, sa.CheckConstraint):
        return _check(connection, table, constraint)
    columns = [c.name for c in getattr(constraint, "columns", ())]
    return duplicates(connection, table, [sql.name(c) for c in columns], columns)


def by_index(connection: Connection, index: sa.Index) -> ValueRefused | None:
    """Return the refusal of the rows that a unique index makes one, whatever it is of."""
    table = index.table
    if table is None:
        return None
    made_of = [_bare(expression) for expression in index.expressions]
    terms = [_text(expression) for expression in made_of]
    labels = [
        str(e.name) if isinstance(e, sa.Column) else t for e, t in zip(made_of, terms, strict=True)
    ]
    condition = index.dialect_options["postgresql"]["where"]
    held = "true" if condition is None else _text(condition)
    return duplicates(connection, table, terms, labels, held)


def _bare(expression: Any) -> Any:
    """Return what an index's expression orders by, without DESC."""
    while isinstance(expression, sa.UnaryExpression) and expression.modifier is not None:
        expression = expression.element
    return expression


def _text(expression: Any) -> str:
    if isinstance(expression, str):
        return expression
    options = {"literal_binds": True, "include_table": False}
    return str(expression.compile(dialect=DIALECT, compile_kwargs=options))


def quoted(table: sa.Table) -> str:
    """Return a table's name in SQL."""
    return f"{sql.name(table.schema or 'public')}.{sql.name(table.name)}"


def _key(table: sa.Table) -> list[str]:
    return [c.name for c in table.primary_key.columns]


def _ask(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        return exact_rows(cursor.execute(query))


def duplicates(
    connection: Connection,
    table: sa.Table,
    terms: Sequence[str],
    labels: Sequence[str],
    where: str = "true",
) -> ValueRefused | None:
    """Return a refusal of the rows that a unique key makes one; None if there are none.

    Parameters
    ----------
    terms : sequence of str
        SQL of the key. A row of which one is NULL equals no other.
    labels : sequence of str
        What they are called, for the message.
    where : str
        SQL: the rows that a partial index holds.
    """
    primary = _key(table)
    named = [sql.name(column) for column in primary] or list(terms)
    cells = [
        *(f"{term} AS p{i}" for i, term in enumerate(named)),
        *(f"{term} AS t{i}" for i, term in enumerate(terms)),
        f"count(*) OVER (PARTITION BY {', '.join(terms)}) AS rows",
    ]
    whole = " AND ".join([f"({where})", *(f"({term}) IS NOT NULL" for term in terms)])
    same = (
        f"FROM (SELECT {', '.join(cells)} FROM {quoted(table)} WHERE {whole}) AS q WHERE rows > 1"
    )
    ((count,),) = _ask(connection, f"SELECT count(*) {same}")
    if not count:
        return None
    shown = [*(f"p{i}" for i in range(len(named))), *(f"t{i}" for i in range(len(terms)))]
    order = ", ".join([*shown[len(named) :], *shown[: len(named)]])
    found = _ask(
        connection, f"SELECT {', '.join(shown)} {same} ORDER BY {order} LIMIT {refusals.SAMPLES}"
    )
    samples = [_sample(primary or labels, row) for row in found]
    reason = "is there more than once (UNIQUE)"
    return ValueRefused(
        table.key, ", ".join(labels), reason, count=count, samples=samples, hint=_TWICE
    )


def _sample(primary: Sequence[str], row: Sequence[Any]) -> tuple[str, str]:
    size = len(primary)
    return refusals.key_text(primary, row[:size]), ", ".join(map(refusals.shown, row[size:]))


def orphans(connection: Connection, constraint: sa.ForeignKeyConstraint) -> ValueRefused | None:
    """Return a refusal of the rows whose parent is missing; None if there are none."""
    table, parent = constraint.table, constraint.referred_table
    pairs = [(e.column.name, e.parent.name) for e in constraint.elements]
    given = " AND ".join(f"c.{sql.name(own)} IS NOT NULL" for _, own in pairs)
    equal = " AND ".join(f"p.{sql.name(theirs)} = c.{sql.name(own)}" for theirs, own in pairs)
    lost = (
        f"FROM {quoted(table)} AS c WHERE {given} "
        f"AND NOT EXISTS (SELECT FROM {quoted(parent)} AS p WHERE {equal})"
    )
    own = [name for _, name in pairs]
    reason = f"refers to a row that {parent.key} does not have"
    return _rows(connection, table, own, (lost, reason, _ORPHANS), ", ".join(own))


def _check(
    connection: Connection, table: sa.Table, constraint: sa.CheckConstraint
) -> ValueRefused | None:
    condition = _text(constraint.sqltext)
    named = str(constraint.name) if isinstance(constraint.name, str) else condition
    false = f"FROM {quoted(table)} AS c WHERE NOT ({condition})"
    return _rows(connection, table, [], (false, f"breaks CHECK {named}", _BREAKS), named)


def _rows(
    connection: Connection,
    table: sa.Table,
    values: Sequence[str],
    why: tuple[str, str, str],
    subject: str,
) -> ValueRefused | None:
    rows, reason, hint = why
    ((count,),) = _ask(connection, f"SELECT count(*) {rows}")
    if not count:
        return None
    key = _key(table) or [c.name for c in table.columns][:1]
    cells = ", ".join(f"c.{sql.name(name)}" for name in (*key, *values))
    found = _ask(connection, f"SELECT {cells} {rows} ORDER BY {cells} LIMIT {refusals.SAMPLES}")
    samples = [_sample(key, row) for row in found]
    return ValueRefused(table.key, subject, reason, count=count, samples=samples, hint=hint)
