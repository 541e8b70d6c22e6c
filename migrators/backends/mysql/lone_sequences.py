"""MariaDB's sequences, which belong to no table: how far each has come, and going on there.

The server takes numbers from one a thousand at a time and keeps how many of those it has given
to itself. So what is told is the last that it may have given: it goes on as after a restart.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from migrators.backends.model import LONE, lone
from migrators.backends.mysql import connect, sql
from migrators.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import sqlalchemy as sa

    from migrators.backends.mysql.wire import Connection

_NAMES = """
SELECT table_name FROM information_schema.tables
WHERE table_schema = %s AND table_type = 'SEQUENCE' ORDER BY 1
"""
_DEFAULTS = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = %s AND column_default LIKE '%%nextval(%%' ORDER BY 1, 2
"""
_REFUSED = "a default cannot take from a sequence here, which would be that of the staging database"
_INSTEAD = "write autoincrement=True, or let the application take the number"
_TAKES = re.compile(r"\b(?:nextval\s*\(|next value for\b)", re.IGNORECASE)
_DECLARED = """
SELECT start_value, increment, minimum_value, maximum_value, cycle_option, next_not_cached_value
FROM {name}
"""


def declared(connection: Connection, database: str) -> Iterator[tuple[str, str]]:
    """Yield each sequence's name and what it was declared with."""
    for name, row in _all(connection, database):
        start, by, lowest, highest, cycles, _ = row
        said = f"start {start}, increment {by}, from {lowest} to {highest}"
        yield name, said + (", cycle" if cycles else "")


def given(connection: Connection, database: str) -> dict[str, int]:
    """Return the last number that each has given, or may have, as `LONE`; of those that did."""
    return {
        f"{LONE}{name}": following - (by or 1)
        for name, (start, by, _, _, _, following) in _all(connection, database)
        if following != start
    }


def carry_on(connection: Connection, database: str, positions: Mapping[str, int]) -> dict[str, int]:
    """Let sequences go on; return those that are not there, or do not go so far."""
    left = lone(positions)
    for name, (_, _, lowest, highest, _, _) in _all(connection, database):
        if lowest <= left.get(name, lowest - 1) <= highest:
            connect.rows(connection, f"SELECT SETVAL({sql.name(name)}, {left.pop(name)})")
    return left


def refused(metadata: sa.MetaData) -> Iterator[str]:
    """Say which columns take their default from a sequence.

    The server writes into it where the sequence is when the table is made: in the staging
    database, and leaves it so when the table is published.
    """
    for table in metadata.tables.values():
        for column in table.c:
            default = getattr(column.server_default, "arg", None)
            if default is not None and _TAKES.search(str(default)):
                yield f"{table.name}.{column.name}: {_REFUSED}; {_INSTEAD}"


def refuse(connection: Connection, database: str) -> None:
    """Refuse the same of what a schema's own SQL has done.

    Raises
    ------
    DatabaseError
    """
    for table, column in connect.rows(connection, _DEFAULTS, (database,)):
        raise DatabaseError(f"{table}.{column}: {_REFUSED}", hint=_INSTEAD)


def _all(connection: Connection, database: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    for (name,) in connect.rows(connection, _NAMES, (database,)):
        place = f"{sql.name(database)}.{sql.name(name)}"
        (row,) = connect.rows(connection, _DECLARED.format(name=place))
        yield str(name), tuple(int(number) for number in row)
