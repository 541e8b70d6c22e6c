"""MariaDB's sequences, which belong to no table: how far each has come, and going on there.

The server takes numbers from one a thousand at a time and keeps how many of those it has given
to itself. So what is told is the last that it may have given: it goes on as after a restart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from migrators.backends.model import LONE, lone, taken
from migrators.backends.mysql import connect, sql
from migrators.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrators.backends.mysql.wire import Connection

_NAMES = """
SELECT table_name, table_comment FROM information_schema.tables
WHERE table_schema = %s AND table_type = 'SEQUENCE' ORDER BY 1
"""
_FACTS = """
SELECT start_value, increment, minimum_value, maximum_value, cycle_option, cache_size,
    next_not_cached_value
FROM {name}
"""
_DEFAULTS = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = %s AND (column_default LIKE '%%nextval(`%%'
    OR column_default LIKE '%%lastval(`%%') ORDER BY 1, 2
"""
_REFUSED = "a default cannot take from a sequence here, which would be that of the staging database"
_INSTEAD = "write autoincrement=True, or let the application take the number"
_TAKES = re.compile(r"\b(?:(?:next|last)val\s*\(|(?:next|previous)\s+value\s+for\b)", re.IGNORECASE)


@dataclass(frozen=True)
class Sequence:
    """A sequence as it was declared; `following` is the next number that nobody has taken."""

    name: str
    comment: str
    start: int
    by: int
    lowest: int
    highest: int
    cycles: int
    cache: int
    following: int

    @property
    def said(self) -> str:
        """What it was declared with, as SQL."""
        cycle = "CYCLE" if self.cycles else "NOCYCLE"
        comment = f" COMMENT = {sql.text(self.comment)}" if self.comment else ""
        return (
            f"START WITH {self.start} INCREMENT BY {self.by} MINVALUE {self.lowest} "
            f"MAXVALUE {self.highest} CACHE {self.cache} {cycle}{comment}"
        )


def of(connection: Connection, database: str) -> Iterator[Sequence]:
    """Yield the sequences of a database; MySQL has none."""
    for name, comment in connect.rows(connection, _NAMES, (database,)):
        place = f"{sql.name(database)}.{sql.name(name)}"
        (row,) = connect.rows(connection, _FACTS.format(name=place))
        yield Sequence(str(name), str(comment), *(int(number) for number in row))


def given(connection: Connection, database: str) -> dict[str, int]:
    """Return the last number that each has given, or may have, as `LONE`; of those that did."""
    return {
        f"{LONE}{each.name}": each.following - (each.by or 1)
        for each in of(connection, database)
        if each.following != each.start
    }


def carry_on(connection: Connection, database: str, positions: Mapping[str, int]) -> dict[str, int]:
    """Let sequences go on; return those that are not there, or do not go so far."""
    left = lone(positions)
    for each in of(connection, database):
        position = left.get(each.name)
        if position is not None and _went_on(connection, each, position):
            del left[each.name]
    return left


def _went_on(connection: Connection, sequence: Sequence, position: int) -> bool:
    """Let a sequence go on after a number; SETVAL does so only onwards from where it is."""
    if not sequence.lowest <= position <= sequence.highest:
        return False
    name = sql.name(sequence.name)
    ((set_to,),) = connect.rows(connection, f"SELECT SETVAL({name}, {position})")
    if set_to is not None:
        return True
    following = position + (sequence.by or 1)
    if not sequence.lowest <= following <= sequence.highest:
        return False
    connect.run(connection, f"ALTER SEQUENCE {name} RESTART WITH {following}")
    return True


def pass_taken(
    connection: Connection, database: str, metadata: sa.MetaData, positions: Mapping[str, int]
) -> set[str]:
    """Let sequences go on past the columns that an application fills from them.

    Returns
    -------
    set of str
        Keys of the tables of those columns.
    """
    declared = list(taken(metadata))
    there = {each.name: each for each in of(connection, database)} if declared else {}
    passed = set()
    for found in declared:
        if found.name not in there:
            continue
        passed.add(found.table.key)
        query = f"SELECT MAX({sql.name(found.column)}) FROM {sql.name(found.table.name)}"
        ((highest,),) = connect.rows(connection, query)
        is_key = found.column in found.table.primary_key.columns
        last = max(int(highest or 0), positions.get(found.table.key, 0) if is_key else 0)
        if last >= there[found.name].following:
            connect.rows(connection, f"SELECT SETVAL({sql.name(found.name)}, {last})")
    return passed


# what a schema module declares -------------------------------------------------------------


def statements(metadata: sa.MetaData, dialect: sa.Dialect) -> Iterator[str]:
    """Yield what makes the sequences of a schema module that its own SQL has not made."""
    for sequence in metadata._sequences.values():  # noqa: SLF001  there is no other list of them
        if not sequence.optional:
            made = sa.schema.CreateSequence(sequence, if_not_exists=True)
            yield str(made.compile(dialect=dialect))


# defaults that take from one ---------------------------------------------------------------


def refused(metadata: sa.MetaData) -> Iterator[str]:
    """Say which columns take their default from a sequence.

    The server writes into it where the sequence is when the table is made: in the staging
    database, and leaves it so when the table is published.
    """
    for table in metadata.tables.values():
        for column in table.c:
            default = getattr(column.server_default, "arg", None)
            if isinstance(default, sa.ClauseElement) and _TAKES.search(str(default)):
                yield f"{table.name}.{column.name}: {_REFUSED}; {_INSTEAD}"


def refuse(connection: Connection, database: str) -> None:
    """Refuse the same of what a schema's own SQL has done.

    Raises
    ------
    DatabaseError
    """
    for table, column in connect.rows(connection, _DEFAULTS, (database,)):
        raise DatabaseError(f"{table}.{column}: {_REFUSED}", hint=_INSTEAD)


def without_place(default: str, database: str) -> str:
    """Return a default as the server tells it, without where the sequence is that it takes from."""
    own = re.escape(f"{sql.name(database)}.")
    return re.sub(rf"\b((?:next|last)val\(){own}", r"\1", default)
