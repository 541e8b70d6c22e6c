"""A CREATE TABLE statement taken apart: what SQLite's PRAGMAs do not tell.

Names of constraints, CHECKs, collations, generated columns and the table's options stand
in the text only (sqlite_master.sql). The text is SQLite's own copy, so it is valid SQL.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from migrators.backends.sqlite import tokens

_KINDS = ("primary", "unique", "check", "foreign", "references")
_COLUMN_WORDS = frozenset(
    [
        "constraint",
        "primary",
        "unique",
        "check",
        "references",
        "default",
        "collate",
        "generated",
        "as",
        "not",
        "null",
    ]
)


@dataclass(frozen=True, slots=True)
class Constraint:
    """One constraint.

    Attributes
    ----------
    kind : str
        "primary key", "unique", "check" or "foreign key".
    name : str
        Empty where it has none.
    columns : tuple of str
        In normal form.
    text : str
        What follows: a CHECK's condition, what a foreign key refers to and how.
    """

    kind: str
    name: str
    columns: tuple[str, ...] = ()
    text: str = ""


@dataclass
class TableSQL:
    """What a CREATE TABLE statement says.

    Attributes
    ----------
    columns : mapping of column (normal form) to text
        Default, collation, generated expression.
    """

    columns: dict[str, str] = field(default_factory=dict)
    constraints: list[Constraint] = field(default_factory=list)
    options: list[str] = field(default_factory=list)


def parse(statement: str) -> TableSQL:
    """Take a CREATE TABLE statement apart."""
    found = tokens.tokens(statement)
    body, after = tokens.bracketed(found, found.index("("))
    table = TableSQL()
    for part in tokens.parts(body):
        if part[0] in _KINDS or part[0] == "constraint":
            table.constraints.append(_table_constraint(part))
        else:
            _column(table, part)
    table.options += sorted(tokens.joined(p) for p in tokens.parts(found[after:]) if p)
    return table


def _named(part: list[str]) -> tuple[str, list[str]]:
    """Return a constraint's name and the rest."""
    if part[0] == "constraint":
        return tokens.unquoted(part[1]), part[2:]
    return "", part


def _table_constraint(part: list[str]) -> Constraint:
    name, rest = _named(part)
    start = rest.index("(")
    inside, after = tokens.bracketed(rest, start)
    kind = tokens.joined(rest[:start])
    if kind == "check":
        return Constraint(kind, name, text=tokens.joined(inside))
    columns = tuple(tokens.joined(p) for p in tokens.parts(inside))
    return Constraint(kind, name, columns, tokens.joined(rest[after:]))


def _column(table: TableSQL, part: list[str]) -> None:
    """Take a column's definition apart: clauses of its own, and constraints of the table."""
    column = part[0]
    kept: list[str] = []
    for clause in _clauses(part[1:]):
        name, rest = _named(clause)
        made = _column_constraint(table, column, name, rest)
        if made is not None:
            table.constraints.append(made)
        elif rest[0] in ("default", "collate"):
            kept.append(tokens.joined(_bare(rest)))
        elif rest[0] in ("generated", "as"):
            kept.append(_generated(rest))
    table.columns[column] = ", ".join(sorted(kept))


def _clauses(part: list[str]) -> list[list[str]]:
    """Cut a column definition, its name taken off, before each word that begins a clause."""
    cut: list[list[str]] = []
    depth = 0
    for token, after in pairwise([*part, ""]):
        begins = depth == 0 and token in _COLUMN_WORDS and not _goes_on(cut, token, after)
        depth += {"(": 1, ")": -1}.get(token, 0)
        if begins:
            cut.append([token])
        elif cut:  # what comes before the first clause is the type
            cut[-1].append(token)
    return cut


def _goes_on(cut: list[list[str]], token: str, after: str) -> bool:
    """Whether a clause word belongs to the clause before it."""
    if not cut:
        return False
    last = cut[-1]
    if last[0] == "constraint" and len(last) <= 2:  # noqa: PLR2004  its name, then what it names
        return True
    if last[-1] in ("not", "default") or (last[0] == "generated" and token == "as"):  # noqa: S105
        return True
    if last[-2:] == ["on", "delete"] or last[-2:] == ["on", "update"]:
        return True
    return last[-1] == "set" or (token, after) == ("not", "deferrable")


def _column_constraint(
    table: TableSQL, column: str, name: str, rest: list[str]
) -> Constraint | None:
    if rest[0] == "primary":
        if "autoincrement" in rest:
            table.options.append("autoincrement")
        return Constraint("primary key", name, (column,))
    if rest[0] == "unique":
        return Constraint("unique", name, (column,), tokens.joined(rest[1:]))
    if rest[0] == "check":
        return Constraint("check", name, text=tokens.joined(tokens.bracketed(rest, 1)[0]))
    if rest[0] == "references":
        return Constraint("foreign key", name, (column,), tokens.joined(rest))
    return None


def _bare(rest: list[str]) -> list[str]:
    """Return a DEFAULT clause without needless brackets around a literal."""
    while rest[0] == "default" and rest[1:2] == ["("]:
        inside, after = tokens.bracketed(rest, 1)
        if after < len(rest):
            break
        rest = ["default", *inside]
    return rest


def _generated(rest: list[str]) -> str:
    inside, after = tokens.bracketed(rest, rest.index("("))
    kind = "stored" if "stored" in rest[after:] else "virtual"
    return f"generated as ( {tokens.joined(inside)} ) {kind}"
