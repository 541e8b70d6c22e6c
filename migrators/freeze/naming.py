"""Names of constraints: those given, those of an earlier file, or one by convention.

A constraint without a name gets another one from each server, and could not be dropped
by name anywhere. The convention is SQLAlchemy's documented one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from migrators.schema import fingerprint as declared

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrators.freeze.spell import Names


def as_given(constraint: sa.Constraint) -> str | None:
    """Return the name that a constraint has: a live database's say is final."""
    return declared.constraint_name(constraint)


def table_of(constraint: sa.Constraint) -> sa.Table:
    """Return a constraint's table; one written inside a Column belongs to that only."""
    parent = getattr(constraint, "parent", None)
    return parent.table if isinstance(parent, sa.Column) else constraint.table


def conventional(constraint: sa.Constraint) -> str | None:
    """Return the name that a constraint has, or one by convention.

    `pk_users`, `uq_users_email`, `fk_posts_author_id_users`, `ck_users_1` (numbered by
    the conditions' texts, so the same each time).
    """
    if name := as_given(constraint):
        return name
    table = table_of(constraint)
    match constraint:
        case sa.PrimaryKeyConstraint():
            return f"pk_{table.name}" if constraint.columns else None
        case sa.UniqueConstraint():
            return "_".join(["uq", table.name, *(c.name for c in constraint.columns)])
        case sa.ForeignKeyConstraint():
            local = [e.parent.name for e in constraint.elements]
            return "_".join(["fk", table.name, *local, constraint.referred_table.name])
        case sa.CheckConstraint():
            return f"ck_{table.name}_{_place(constraint)}"
    return None


def remembered(known: Mapping[str, str | None], otherwise: Names) -> Names:
    """Return a resolver that calls what an earlier file holds as it is called there.

    Parameters
    ----------
    known : mapping of `signature` to name
    otherwise : function of a constraint
        Names the new ones.
    """

    def resolve(constraint: sa.Constraint) -> str | None:
        key = signature(constraint)
        return as_given(constraint) or (known[key] if key in known else otherwise(constraint))

    return resolve


def signature(constraint: sa.Constraint) -> str:
    """Return what a constraint says, without its name: equal where two say the same."""
    table = table_of(constraint).key
    match constraint:
        case sa.ForeignKeyConstraint():
            pairs = [(e.parent.name, declared.target(e)) for e in constraint.elements]
            return f"{table} foreign key {pairs}"
        case sa.CheckConstraint():
            return f"{table} check {declared.expression_text(constraint.sqltext)}"
        case sa.UniqueConstraint() | sa.PrimaryKeyConstraint():
            kind = "unique" if isinstance(constraint, sa.UniqueConstraint) else "primary key"
            return f"{table} {kind} {[c.name for c in constraint.columns]}"
    return f"{table} {type(constraint).__name__}"


def _place(constraint: sa.CheckConstraint) -> int:
    nameless = [
        declared.expression_text(c.sqltext)
        for c in declared.constraints(table_of(constraint))
        if isinstance(c, sa.CheckConstraint) and as_given(c) is None
    ]
    return sorted(nameless).index(declared.expression_text(constraint.sqltext)) + 1
