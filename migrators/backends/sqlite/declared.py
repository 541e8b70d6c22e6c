"""What the type text of a SQLite column means: any text is one, and its affinity is all it says.

Of the words that SQLAlchemy knows its types are taken, with the numbers that these have. Of any
other word only the affinity counts (sqlite.org/datatype3.html, section 3.1), so that
`integer unsigned` and `INTEGER` are one type, here as in the database itself. Where a word leaves
it open what a column holds, `freeze` looks at how its values are stored.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.backends.sqlite import sql, table_sql
from migrators.backends.sqlite.cells.model import Affinity, affinity

if TYPE_CHECKING:
    from collections.abc import Callable

_TEXT = re.compile(r"\s*([\w ]*?)\s*(?:\(([^)]*)\).*)?", re.DOTALL)
_COUNTED = ("NUM", "DEC", "MONEY", "CURRENCY", "YEAR", "BIT", "FIXED")
"""What words of numbers have in them; asked where there are no values."""
_DIGITS = 2  # precision and scale
_ANY = "ANY"
"""What a column of a STRICT table may be besides: it keeps all values as they come."""


def meant(text: str, dialect: sa.Dialect) -> Any:
    """Return the SQLAlchemy type that a column's type text means on SQLite.

    Parameters
    ----------
    text : str
        As PRAGMA table_xinfo gives it; empty where none was declared.
    """
    name, numbers = _parts(text)
    kind = _known(dialect, name)
    if kind is not None:
        return _with_numbers(kind, numbers)
    found = affinity(name)
    if found is Affinity.INTEGER:
        return sa.BIGINT() if "BIG" in name or name == "INT8" else sa.INTEGER()
    if found is Affinity.TEXT:
        return sa.VARCHAR(numbers[0]) if "CHAR" in name and len(numbers) == 1 else sa.TEXT()
    if found is Affinity.BLOB and name != "ANY":
        return sa.BLOB()
    if found is Affinity.REAL:
        return sa.DOUBLE()  # all of SQLite's are
    return _with_numbers(sa.NUMERIC, numbers if len(numbers) == _DIGITS else [])


def _parts(text: str) -> tuple[str, list[int]]:
    match = _TEXT.fullmatch(text)
    if match is None:
        return text.upper(), []
    numbers = [int(number) for number in re.findall(r"\d+", match[2] or "")]
    return " ".join(match[1].upper().split()), numbers


def _known(dialect: sa.Dialect, name: str) -> Any:
    return dialect.ischema_names.get(name)  # type: ignore[attr-defined]


def _with_numbers(kind: Any, numbers: list[int]) -> Any:
    """Return a type with the numbers it takes: those of `datetime(6)`, `int(11)` bind nothing."""
    takes = {sa.String: 1, sa.Numeric: _DIGITS}
    most = next((n for of, n in takes.items() if issubclass(kind, of)), 0)
    return kind(*numbers) if len(numbers) <= most else kind()


def type_text(text: str, dialect: sa.Dialect) -> str:
    """Return a type text in the form in which two are compared: as its meaning is written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        written = str(meant(text, dialect).compile(dialect=dialect))
    return " ".join(written.split()).replace(", ", ",").lower()


def held_text(text: str, stored: Callable[[], set[str]]) -> str:
    """Return the type text of a column of a STRICT table; of ANY by what it holds.

    Such a column keeps whatever it is given, and no schema declares it: it is what its values
    are. Where they are of several kinds it is text, and each other cell is refused by name.

    Parameters
    ----------
    stored : callable
        Gives the storage classes of its values, NULL left out; asked where it is ANY.
    """
    if _parts(text)[0] != _ANY:
        return text
    found = stored()
    if len(found) == 1:
        return found.pop().upper()
    return "REAL" if found == {"integer", "real"} else "TEXT"


def declare(connection: sa.Connection, metadata: sa.MetaData) -> list[str]:
    """Give reflected columns the types that they mean; return what a person should look at."""
    notes = []
    for table in metadata.tables.values():
        rows = connection.exec_driver_sql(f"PRAGMA table_xinfo({sql.name(table.name)})").all()
        strict = _is_strict(connection, table.name)
        for _, name, text, *_ in rows:
            if name in table.columns and strict:
                notes += _declare_strict(connection, table.columns[name], text)
            elif name in table.columns:
                notes += _declare(connection, table.columns[name], text or "")
    return notes


def _is_strict(connection: sa.Connection, name: str) -> bool:
    """SQLAlchemy 2.0 does not reflect it."""
    asked = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name")
    statement = connection.execute(asked, {"name": name}).scalar()
    return "strict" in table_sql.parse(str(statement)).options


def _declare_strict(connection: sa.Connection, column: sa.Column[Any], text: str) -> list[str]:
    """A STRICT table has six words for types; ANY alone says nothing of the values."""
    stored: set[str] = set()
    if _parts(text)[0] == _ANY:
        stored = _stored(connection, column)
    column.type = meant(held_text(text, stored.copy), connection.dialect)
    if _parts(text)[0] != _ANY:
        return []
    return [_note(column, text, stored)]


def _declare(connection: sa.Connection, column: sa.Column[Any], text: str) -> list[str]:
    column.type = meant(text, connection.dialect)
    name, numbers = _parts(text)
    numeric = isinstance(column.type, sa.NUMERIC) and len(numbers) != _DIGITS
    if name and not (numeric and _known(connection.dialect, name) is None):
        return []
    stored = _stored(connection, column)
    chosen = _chosen(stored, name)
    if chosen is None:
        return []
    written, dialect = column.type, connection.dialect
    same = chosen.compile(dialect=dialect) == written.compile(dialect=dialect)
    column.type = chosen if same else chosen.with_variant(written, dialect.name)
    return [_note(column, text, stored)]


def _note(column: sa.Column[Any], text: str, stored: set[str]) -> str:
    """Return what a person should look at, where a word left the type open."""
    said = f"is declared {text}" if text else "has no declared type"
    written, held = type(column.type).__name__, _held(stored, column)
    return f"{column.table.name}.{column.name} {said}: written as {written}, {held}"


def _held(stored: set[str], column: sa.Column[Any]) -> str:
    """Say why a type was chosen, or what is left to say."""
    what = " and ".join(sorted(stored))
    if len(stored) > 1 and not isinstance(column.type, sa.Float):
        return f"but it holds {what}: check names the rows"
    return f"which is what it holds: {what}" if stored else "and holds nothing yet"


def _stored(connection: sa.Connection, column: sa.Column[Any]) -> set[str]:
    cell, table = sql.name(column.name), sql.name(column.table.name)
    return set(connection.exec_driver_sql(storage_classes(table, cell)).scalars())


def storage_classes(table: str, cell: str) -> str:
    """Return the query for the storage classes of a column, given with its table in SQL."""
    return f"SELECT DISTINCT typeof({cell}) FROM {table} WHERE {cell} IS NOT NULL"


def _chosen(stored: set[str], name: str) -> Any:
    """Return a type for values stored so; None where the number that the word means will do."""
    if stored == {"integer"} and not name:
        return sa.BigInteger()
    if stored and stored <= {"integer", "real"}:
        return None if name else sa.Float()
    if stored == {"blob"}:
        return sa.LargeBinary()
    if not stored and any(word in name for word in _COUNTED):
        return None
    return sa.Text()
