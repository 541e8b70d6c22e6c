"""What was declared of one personal column: a word, or a word and what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from migrators.errors import UsageError
from migrators.types import Kind, constants

if TYPE_CHECKING:
    from migrators.schema import Column, Table

PSEUDONYMS = ("email", "name", "text", "number", "shift")
WORDS = ("null", "constant", *PSEUDONYMS)
DAYS = 365
SHORTEST = {"email": 15, "name": 8, "text": 8}
"""Characters that the shortest form of a pseudonym takes."""
_KINDS = {
    "email": (Kind.TEXT,),
    "name": (Kind.TEXT,),
    "text": (Kind.TEXT, Kind.UUID),
    "number": (Kind.INTEGER, Kind.DECIMAL),
    "shift": (Kind.DATE, Kind.TIMESTAMP, Kind.INSTANT),
}


@dataclass(frozen=True, slots=True)
class Treatment:
    """What replaces the values of a column.

    Attributes
    ----------
    how : str
        One of `WORDS`; empty where the column is personal and nothing says what replaces it.
    value : Any
        Of a constant.
    by : str
        Of a shift: the column whose value decides how far; the primary key unless said.
    days : int
        Of a shift: how far at most.
    length : int or None
        Characters that every column which holds the same values has room for.
    of : str
        The column of another version that it was declared of, where it was: "users.name of
        schema 2".
    """

    how: str
    value: Any = None
    by: str = ""
    days: int = DAYS
    length: int | None = None
    of: str = field(default="", compare=False)

    @property
    def is_pseudonym(self) -> bool:
        """Whether it takes a key, and equal values stay equal."""
        return self.how in PSEUDONYMS


def treatment(where: str, said: object) -> Treatment | None:
    """Return what was said of a column: "email", {"constant": ""}, {"shift": "user_id"}, True.

    None where it is False: the column is not personal, whatever another version says.

    Raises
    ------
    UsageError
        It is none of these.
    """
    if said is False:
        return None
    if said is True:
        return Treatment("")
    if isinstance(said, str) and said in WORDS and said != "constant":
        return Treatment(said)
    if isinstance(said, dict):
        days = said.get("days", DAYS)
        if set(said) == {"constant"}:
            return Treatment("constant", said["constant"])
        shifts = isinstance(said.get("shift"), str) and set(said) <= {"shift", "days"}
        if shifts and type(days) is int and days > 0:
            return Treatment("shift", by=said["shift"], days=days)
    raise UsageError(
        f"{where}: pii is {said!r}, which says not what replaces its values",
        hint=f'one of {", ".join(WORDS[:1] + PSEUDONYMS)}, {{constant = ""}}, '
        '{shift = "user_id", days = 30}',
    )


def check_treatment(table: Table, column: Column, chosen: Treatment) -> None:
    """Refuse what would not fit a column, or not keep it unique.

    Raises
    ------
    UsageError
    """
    problem = _problem(table, column, chosen)
    if problem:
        raise UsageError(
            f"{table.name}.{column.name}: pii = {chosen.how!r}: {problem}",
            hint=f"what replaces a {column.type}: {', '.join(_choices(column))}",
        )


def fits(table: Table, column: Column, chosen: Treatment) -> bool:
    """Whether a column can take what was declared of another."""
    return not _problem(table, column, chosen)


def _problem(table: Table, column: Column, chosen: Treatment) -> str:
    alone = {table.primary_key, *table.uniques} >= {(column.name,)}
    keyed = column.name in table.primary_key
    if chosen.how == "null":
        return "" if column.nullable and not keyed else "the column is never NULL"
    if chosen.how == "constant":
        try:
            constants.exact(chosen.value, column.type)
        except TypeError as error:
            return str(error)
        unfit = chosen.value is None or alone or keyed
        return "one value for all, and the column is unique" if unfit else ""
    if column.type.kind not in _KINDS.get(chosen.how, ()) or column.type.as_text:
        return f"the column is a {column.type}"
    if chosen.by and chosen.by not in {c.name for c in table.stored}:
        return f"{table.name} has no column `{chosen.by}`"
    if chosen.how == "shift" and not (chosen.by or table.primary_key):
        return 'the table has no key: say which column decides, {shift = "..."}'
    room = chosen.length
    if column.type.kind is Kind.TEXT and room is not None and room < SHORTEST[chosen.how]:
        return f"a pseudonym takes {SHORTEST[chosen.how]} characters, and there is room for {room}"
    return ""


def _choices(column: Column) -> list[str]:
    words = [how for how, kinds in _KINDS.items() if column.type.kind in kinds]
    return [*(["null"] if column.nullable else []), "{constant = ...}", *words]
