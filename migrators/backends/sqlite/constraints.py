"""CHECKs and names of constraints, read from a CREATE TABLE by its tokens.

No PRAGMA tells them, and SQLAlchemy looks for them with regular expressions: 2.0 takes
what stands between two CHECKs for one of them, 2.1 takes words in strings and comments
for constraints. So `reflection` puts what is read here in place of what it was told.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from migrators.backends.sqlite import table_sql, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS = {
    sa.PrimaryKeyConstraint: "primary key",
    sa.UniqueConstraint: "unique",
    sa.ForeignKeyConstraint: "foreign key",
}
_NAMED = 2
"""Tokens before a clause that is named: CONSTRAINT and the name."""


class Check(NamedTuple):
    """A CHECK as it is written: its name (None without one), and its condition."""

    name: str | None
    condition: str


def correct(table: sa.Table, statement: str) -> None:
    """Give a reflected table the CHECKs and the names of constraints that its text has.

    Parameters
    ----------
    table : sqlalchemy.Table
        As reflected; its constraints are changed.
    statement : str
        The CREATE TABLE that SQLite keeps in sqlite_master.
    """
    for told in [c for c in table.constraints if isinstance(c, sa.CheckConstraint)]:
        table.constraints.discard(told)
    for check in checks(statement):
        table.append_constraint(sa.CheckConstraint(sa.text(check.condition), name=check.name))
    _name(table, statement)


def checks(statement: str) -> Iterator[Check]:
    """Yield the CHECKs of a CREATE TABLE, of columns and of the table, in their order.

    CHECK is a word that SQLite takes for nothing else unless it is quoted
    (sqlite.org/lang_keywords.html), so in the table's own brackets it begins a constraint.
    """
    found = list(tokens.placed(statement))
    depth = 0
    for at, token in enumerate(found):
        if depth == 1 and token.normal == "check":
            end = _closing(found, at + 1)
            text = statement[found[at + 1].end : found[end].start]
            yield Check(_name_before(found, at, statement), tokens.uncommented(text))
        depth += {"(": 1, ")": -1}.get(token.normal, 0)


def _closing(found: list[tokens.Placed], start: int) -> int:
    """Return which token closes the bracket that is opened at `start`."""
    depth = 0
    for at in range(start, len(found)):
        depth += {"(": 1, ")": -1}.get(found[at].normal, 0)
        if depth == 0:
            return at
    return len(found) - 1


def _name_before(found: list[tokens.Placed], at: int, statement: str) -> str | None:
    if found[at - _NAMED].normal != "constraint":
        return None
    return _written(found[at - 1], statement)


def _written(token: tokens.Placed, statement: str) -> str:
    """Return a name in its own case; SQLite takes one in apostrophes, too."""
    text = statement[token.start : token.end]
    return text[1:-1].replace("''", "'") if text[0] == "'" else tokens.unquoted(text)


def _name(table: sa.Table, statement: str) -> None:
    """Give the keys and unique constraints the names that stand in the text, or none."""
    found = list(tokens.placed(statement))
    written = {
        tokens.unquoted(name.normal): _written(name, statement)
        for word, name in pairwise(found)
        if word.normal == "constraint"
    }
    said = list(table_sql.parse(statement).constraints)
    for constraint in sorted(table.constraints, key=lambda c: str(c.name or "")):
        if type(constraint) not in _KINDS:
            continue
        same = [one for one in said if _is(one, constraint)]
        first = min(same, key=lambda one: not one.name, default=None)
        constraint.name = written.get(first.name) if first else None
        if first:
            said.remove(first)


def _is(said: table_sql.Constraint, constraint: sa.Constraint) -> bool:
    """Whether the text of a constraint is that of a reflected one."""
    columns = [tokens.quoted(c.name) for c in getattr(constraint, "columns", ())]
    if said.kind != _KINDS[type(constraint)] or list(said.columns) != columns:
        return False
    if not isinstance(constraint, sa.ForeignKeyConstraint):
        return True
    target = f"references {tokens.quoted(constraint.referred_table.name)}"
    return f"{said.text} ".startswith(f"{target} ")
