"""Names that a SQLite file cannot hold: refused before any work, not by CREATE TABLE.

SQLite takes names that differ in the case of A to Z only for one
(sqlite.org/c3ref/stricmp.html), has one space of names for tables and indexes, and knows
other schemas as other files that a session attaches (lang_attach.html).
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from migrators.schema.fingerprint import constraint_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import sqlalchemy as sa

_FOLDED = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def refused(metadata: sa.MetaData) -> Iterator[str]:
    """Yield a sentence for each name of a schema that SQLite cannot hold as it is.

    Parameters
    ----------
    metadata : sqlalchemy.MetaData
        Of the schema that a file is to be created with.
    """
    tables = list(metadata.tables.values())
    for table in tables:
        if table.schema:
            yield (
                f"{table.key} is in the schema {table.schema!r}, and a SQLite file has none: "
                "name the table without it"
            )
    yield from _twins("table", (t.key for t in tables))
    for table in tables:
        columns = (f"{table.key}.{column.name}" for column in table.columns)
        yield from _twins("column", columns)
    plain = [table for table in tables if not table.schema]
    indexes = [str(constraint_name(index)) for t in plain for index in t.indexes]
    yield from _twins("index", sorted(indexes))
    names = {_folded(table.name): table.key for table in plain}
    for index in sorted(set(indexes)):
        if _folded(index) in names:
            yield f"index {index} has the name of the table {names[_folded(index)]}: rename one"


def _twins(kind: str, names: Iterable[str]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for name in names:
        if other := seen.get(_folded(name)):
            yield f"{kind} {name} and {kind} {other} are one name to SQLite: rename one"
        seen[_folded(name)] = name


def _folded(name: str) -> str:
    return name.translate(_FOLDED)
