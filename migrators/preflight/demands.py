"""What the new schema demands of each row alone, counted in one scan of each source.

NOT NULL, length in characters, range of integers where the target has one, enum labels,
text that the target can hold, and CHECK constraints.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.errors import DatabaseError
from migrators.preflight import wording
from migrators.preflight.model import Fault, Unproven
from migrators.schema.fingerprint import constraint_name, expression_text
from migrators.schema.sqltext import as_text
from migrators.types import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrators.preflight.rows import Asker, PartRows
    from migrators.schema import Column

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_AT_ONCE = 100
"""Sums in one SELECT; SQLite takes 2,000 columns by default, others fewer."""


@dataclass(frozen=True)
class Demand:
    """One demand of a column, and the condition under which a row breaks it.

    `or_else` is what the new schema can do about it; empty where it can do nothing.
    """

    column: str
    demand: str
    said: str
    broken: Any
    detail: Any = None
    lines: tuple[str, ...] = ()
    or_else: str = "allow it"


def faults(asker: Asker, rows: PartRows) -> Iterator[Fault]:
    """Yield the rows of one part that break a demand of one of its columns."""
    declared = asker.plan.new.tables[rows.table.name]
    demands = [
        demand
        for column in declared.stored
        if rows.has([column.name])
        for demand in _of_column(asker, rows, column)
    ]
    for start in range(0, len(demands), _AT_ONCE):
        yield from _counted(asker, rows, demands[start : start + _AT_ONCE])


def _counted(asker: Asker, rows: PartRows, demands: Sequence[Demand]) -> Iterator[Fault]:
    sums = [sa.func.sum(sa.case((d.broken, 1), else_=0)) for d in demands]
    (counts,) = asker.rows(rows.select(sums))
    for demand, count in zip(demands, counts, strict=True):
        if count:  # NULL where there are no rows at all
            yield _fault(asker, rows, demand, int(count))


def _fault(asker: Asker, rows: PartRows, demand: Demand, count: int) -> Fault:
    value = rows.expression(demand.column) if asker.show_values else demand.detail
    or_else = f"or {demand.or_else} in schemas/{asker.plan.new.path.name}"
    return Fault(
        where=f"{rows.table.name}.{demand.column}",
        demand=demand.demand,
        count=count,
        said=demand.said,
        samples=rows.sample(asker, demand.broken, value),
        see=asker.shown(rows.where(demand.broken)),
        mend=(
            *wording.correct(asker.plan, rows.part, demand.lines),
            *((or_else,) if demand.or_else else ()),
        ),
    )


# columns ---------------------------------------------------------------------------------


def _of_column(asker: Asker, rows: PartRows, column: Column) -> Iterator[Demand]:
    x = rows.expression(column.name)
    if not column.nullable:
        yield _not_null(rows, column, x)
    if column.type.kind is Kind.TEXT and column.type.length is not None:
        yield _length(asker, rows, column, x)
    if column.type.kind is Kind.BINARY and column.type.length is not None:
        yield _size(column, x)
    if column.type.kind is Kind.ENUM:
        yield _labels(rows, column, x)
    if column.type.is_text and column.type.kind is not Kind.BITS:  # a server's zeros are no NUL
        yield from _nul(asker, rows, column, x)
    if column.type.kind is Kind.INTEGER:
        yield from _range(asker, rows, column, x)


def _line(rows: PartRows, column: Column, value: str) -> str:
    return wording.mapping(rows.table, rows.part) + wording.values(column.name, value)


def _without(rows: PartRows, condition: str) -> str:
    mapping = wording.mapping(rows.table, rows.part)
    return f'{mapping}.drop_rows({condition}, because="...")'


def _not_null(rows: PartRows, column: Column, x: Any) -> Demand:
    old = wording.origin(rows.part, column.name)
    lines = [_line(rows, column, f"rules.default({old}, ...)")]
    if rows.part.source and old != "...":
        lines.insert(0, _without(rows, f"{old}.is_(None)"))
    return Demand(column.name, "is NOT NULL", "rows are null", x.is_(None), lines=tuple(lines))


def _length(asker: Asker, rows: PartRows, column: Column, x: Any) -> Demand:
    length = asker.old.characters(x)
    old = wording.origin(rows.part, column.name)
    limit = column.type.length
    return Demand(
        column.name,
        f"has at most {limit} characters",
        f"rows are longer than {limit} characters",
        length > limit,
        length,
        (_line(rows, column, f"rules.truncate({old}, {limit})"),),
        or_else="widen it",
    )


def _size(column: Column, x: Any) -> Demand:
    limit, size = column.type.length, sa.func.length(x)
    said = f"rows are longer than {limit} bytes"
    return Demand(
        column.name, f"has at most {limit} bytes", said, size > limit, size, or_else="widen it"
    )


def _labels(rows: PartRows, column: Column, x: Any) -> Demand:
    labels = column.type.labels
    old = wording.origin(rows.part, column.name)
    gone = [g for g in getattr(x.type, "enums", ()) if g not in labels]
    renamed = ", ".join(f'"{g}": "..."' for g in gone) or '"...": "..."'
    return Demand(
        column.name,
        f"is one of {', '.join(labels)}",
        "rows have another label",
        # As text: an enum refuses to be compared with labels it does not know.
        sa.cast(x, sa.String()).not_in(list(labels)),
        lines=(_line(rows, column, f"rules.enum({old}, {{{renamed}}})"),),
    )


def _nul(asker: Asker, rows: PartRows, column: Column, x: Any) -> Iterator[Demand]:
    broken = asker.old.has_nul(sa.type_coerce(x, sa.String()))
    if broken is not None:
        old = wording.origin(rows.part, column.name)
        lines = (_line(rows, column, f"rules.scrub({old})"),)
        said = "rows have a NUL character"
        yield Demand(column.name, "is text without NUL", said, broken, lines=lines, or_else="")


def _range(asker: Asker, rows: PartRows, column: Column, x: Any) -> Iterator[Demand]:
    declared = column.type
    limits = declared.range if declared.unsigned else asker.new.integer_range(declared.bits)
    if limits is not None and wording.rekeyed(rows.node(column.name)) is None:
        low, high = limits
        said = f"rows are outside {low} to {high}"
        number = sa.type_coerce(x, sa.BigInteger())  # YEAR has no operators of its own
        outside = sa.not_(number.between(low, high))
        yield Demand(column.name, f"has {declared.bits} bits", said, outside, x, or_else="widen it")


# CHECK -----------------------------------------------------------------------------------


def check_faults(asker: Asker, rows: PartRows) -> Iterator[Fault | Unproven]:
    """Yield the rows for which a CHECK of the new table is false; NULL passes, as in SQL."""
    table = asker.plan.new.metadata.tables[rows.table.name]
    of_columns = (constraint for column in table.c for constraint in column.constraints)
    every = {*table.constraints, *of_columns}  # of a column alone it is not among the table's
    checks = [c for c in every if isinstance(c, sa.CheckConstraint)]
    for constraint in sorted(
        checks, key=lambda c: (str(constraint_name(c)), expression_text(c.sqltext))
    ):
        if not getattr(constraint, "_type_bound", False):  # those of Enum are asked as labels
            yield from _checked(asker, rows, table, constraint)


def _checked(
    asker: Asker, rows: PartRows, table: sa.Table, constraint: sa.CheckConstraint
) -> Iterator[Fault | Unproven]:
    text = expression_text(constraint.sqltext)
    name = constraint_name(constraint)
    demand = f"CHECK {name} ({text})" if name else f"CHECK ({text})"
    reads = columns_of(text, [c.name for c in table.c])
    known = rows.has(reads) and not any(wording.rekeyed(rows.node(c)) for c in reads)
    if not known or rows.part.explodes is not None:
        yield Unproven(rows.table.name, demand, "it reads what rules or functions compute")
        return
    try:
        yield from _broken(asker, rows, (text, demand), reads)
    except DatabaseError as error:
        because = f"the old database cannot evaluate it: {error.message}"
        yield Unproven(rows.table.name, demand, because)


def _broken(
    asker: Asker, rows: PartRows, check: tuple[str, str], reads: Sequence[str]
) -> Iterator[Fault]:
    text, demand = check
    named = [expr.label(f"k{i}") for i, expr in enumerate(rows.naming.values())]
    of = rows.select([*(rows.expression(c).label(c) for c in reads), *named])
    inner = of.subquery(rows.table.name)
    false: Any = sa.text(f"NOT ({text})")
    ((count,),) = asker.rows(sa.select(sa.func.count()).select_from(inner).where(false))
    if not count:
        return
    keys = [inner.c[label.name] for label in named]
    shown = [inner.c[c] for c in reads] if asker.show_values else []
    found = sa.select(*keys, *shown).select_from(inner).where(false).order_by(*keys)
    rest = asker.rows(found.limit(wording.SAMPLES)) if keys else []
    old = _in_old_names(rows, text, reads)
    condition = (
        "..."
        if old is None
        else f"sa.text({json.dumps(as_text(f'NOT ({old})'), ensure_ascii=False)})"
    )
    yield Fault(
        where=rows.table.name,
        demand=f"has {demand}",
        count=int(count),
        said="rows break it",
        samples=tuple(_name(rows, row) for row in rest),
        see=asker.shown(sa.select(*(keys or [sa.func.count()])).select_from(inner).where(false)),
        mend=wording.correct(asker.plan, rows.part, (_without(rows, condition),)),
    )


def _name(rows: PartRows, row: Sequence[Any]) -> str:
    said = wording.row_name(list(rows.naming), row[: len(rows.naming)])
    values = ", ".join(wording.printable(v) for v in row[len(rows.naming) :])
    return f"{said} ({values})" if values else said


def _in_old_names(rows: PartRows, text: str, reads: Sequence[str]) -> str | None:
    """Return a CHECK with the names that its columns have in the source; None where they have none.

    What stands in quotes is left alone; of names that need quotes nothing is said.
    """
    names: dict[str, str] = {}
    for column in reads:
        read = wording.carried_from(rows.part, column)
        if read is None or not (read.source == column or _PLAIN.fullmatch(column + read.source)):
            return None
        names[column.lower()] = read.source

    def renamed(match: re.Match[str]) -> str:
        return names.get(match[0].lower(), match[0])

    return re.sub(r"'(?:[^']|'')*'|\w+", renamed, text)


def columns_of(text: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return which of `names` stand in an SQL expression; rather one too many."""
    bare = re.sub(r"'(?:[^']|'')*'", "''", text).lower()
    return tuple(n for n in names if re.search(rf"(?<!\w){re.escape(n.lower())}(?!\w)", bare))
