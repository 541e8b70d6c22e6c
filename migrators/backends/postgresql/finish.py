"""After the data: keys, checks, indexes, references, sequences, the schema's own SQL, VACUUM.

Several tables at a time, each in one session: what a statement locks is one table, or one and
those that inherit from it. A reference locks two tables against writers, and two that are
added at once may wait for each other. So they are added one after the other, unchecked, and
then proven at a time: a `VALIDATE` holds no lock that one of another table asks for.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from migrators.backends import ledger
from migrators.backends.postgresql import broken, connect, ddl, failures, positions, sql, staging
from migrators.backends.postgresql.language import DIALECT, parents
from migrators.failpoints import act
from migrators.stream import cancellable, side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from migrators.backends.postgresql.connect import Connection
    from migrators.errors import ValueRefused
    from migrators.schema import SchemaVersion

    Place = tuple[str, str]

_KEYS = (sa.PrimaryKeyConstraint, sa.UniqueConstraint, ExcludeConstraint)
_ALL_KB, _LEAST_KB = 262_144, 65_536
"""Memory of all sorts on the server together, and of one at least: 256 and 64 MB."""
_SORTS = """
SELECT set_config('maintenance_work_mem', '{kb}kB', false)
WHERE (SELECT setting::int FROM pg_settings WHERE name = 'maintenance_work_mem') < {kb}
"""
"""Memory of a sort on the server, unless it is set to have more."""
_UNCHECKED = " NOT VALID"
_STORED = """
SELECT n.nspname, c.relname, c.relkind, pg_table_size(c.oid)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND NOT c.relisshared
    AND n.nspname !~ '^pg_(toast|temp)'
ORDER BY 1, 2
"""
"""What VACUUM takes: a partitioned table with its parts."""
_CATALOGUE = ("pg_catalog", "information_schema")


@dataclass(frozen=True)
class _Statement:
    """SQL; where rows break what it adds to a table, `broken` finds them."""

    text: str
    table: sa.Table | None = None
    broken: Callable[[Connection], ValueRefused | None] = lambda _: None


@dataclass
class _Work:
    """Statements for one session, in their order; `size` is the bytes that they read."""

    size: int = 0
    statements: list[_Statement] = field(default_factory=list)


def finish(
    url: sa.URL, schema: SchemaVersion, sequences: Mapping[str, int], dialect: str, jobs: int = 1
) -> tuple[str, ...]:
    """Do all that comes after the data; return facts for the report.

    Parameters
    ----------
    jobs : int
        Tables at a time.

    Raises
    ------
    ValueRefused
        For rows that break a key, a CHECK, a unique index or a reference.
    DatabaseError
    """
    with ExitStack() as stack:
        sessions = [stack.enter_context(_session(url, jobs)) for _ in range(jobs)]
        first = sessions[0]
        with act("load ended"):
            first.execute(ledger.DROP)
        sizes = {(n, t): size for n, t, _, size in first.execute(_STORED).fetchall()}
        with act("indexes built"):
            _side_by_side(sessions, _building(schema.metadata, sizes))
        proven = _references(sessions, schema.metadata, sizes)
        with act("counters set"):
            lost = positions.carry_on(first, schema.metadata, sequences)
        with act("own SQL run"):
            for script in schema.scripts("after", dialect):
                staging.run_script(first, url, script, "after the data")
    built = len([*ddl.constraints(schema.metadata, *_KEYS), *ddl.indexes(schema.metadata)])
    facts = (_counted(built, "index", "es built"), _counted(proven, "foreign key", "s proven"))
    return tuple(filter(None, (*facts, lost)))


def settle(url: sa.URL, jobs: int = 1) -> None:
    """VACUUM and ANALYZE every table, and the catalogue.

    Raises
    ------
    DatabaseError
    """
    with ExitStack() as stack:
        sessions = [stack.enter_context(_session(url, jobs)) for _ in range(jobs)]
        with act("statistics gathered"):
            _side_by_side(sessions, _vacuuming(sessions[0]))


def _counted(number: int, noun: str, plural: str) -> str:
    several, _, verb = plural.partition(" ")
    return f"{number} {noun}{'' if number == 1 else several} {verb}" if number else ""


# sessions ----------------------------------------------------------------------------------


@contextmanager
def _session(url: sa.URL, jobs: int) -> Iterator[Connection]:
    with connect.opened(url, "finishing") as connection:
        connection.execute(staging.BULK)
        connection.execute(_SORTS.format(kb=max(_LEAST_KB, _ALL_KB // jobs)))
        yield connection


def _side_by_side(sessions: Sequence[Connection], works: Iterable[_Work]) -> None:
    def run(work: _Work, connection: Connection, go_on: Callable[[None], None]) -> None:
        with cancellable(connection.cancel):
            for statement in work.statements:
                go_on(None)
                _run(connection, statement)

    side_by_side(list(works), sessions, run, lambda _: None, weigh=lambda work: work.size)


def _run(connection: Connection, statement: _Statement) -> None:
    try:
        connection.execute(statement.text)
    except psycopg.IntegrityError as error:
        key = "" if statement.table is None else statement.table.key
        found = statement.broken(connection)
        raise found or failures.constraint(error, key) or error from error


# what they do ------------------------------------------------------------------------------


def _building(metadata: sa.MetaData, sizes: Mapping[Place, int]) -> Iterable[_Work]:
    """Return the keys, CHECKs and indexes of each table; those of a family are one work."""
    family = {name for table in metadata.tables.values() for name in parents(table)}
    works: dict[str, _Work] = {}
    for statement in _binding(metadata):
        table = statement.table
        assert table is not None  # noqa: S101
        alone = not (parents(table) or {table.key, table.name} & family)
        work = works.setdefault(table.key if alone else "", _Work())
        work.size += sizes.get(_place(table), 0)
        work.statements.append(statement)
    return works.values()


def _binding(metadata: sa.MetaData) -> Iterator[_Statement]:
    for kinds in (_KEYS, (sa.CheckConstraint,)):
        for table, constraint, text in ddl.constraints(metadata, *kinds):
            yield _Statement(text, table, _breaking(table, constraint))
    for index, text in ddl.indexes(metadata):
        yield _Statement(text, index.table, partial(broken.by_index, index=index))


def _breaking(table: sa.Table, constraint: Any) -> Callable[[Connection], ValueRefused | None]:
    return partial(broken.by_constraint, table=table, constraint=constraint)


def _place(table: sa.Table) -> Place:
    return table.schema or "public", table.name


def _references(
    sessions: Sequence[Connection], metadata: sa.MetaData, sizes: Mapping[Place, int]
) -> int:
    """Add the foreign keys, and prove them; return how many."""
    found = 0
    works: dict[str, _Work] = {}
    partitioned = _partitioned(sessions[0])
    for table, constraint, text in ddl.constraints(metadata, sa.ForeignKeyConstraint):
        found += 1
        adding = _Statement(text, table, _breaking(table, constraint))
        name = _named(constraint)
        ends = {_place(table), _place(constraint.referred_table)}
        if name is None or text.endswith(_UNCHECKED) or ends & partitioned:
            _run(sessions[0], adding)  # there is no name to prove it by, or no unchecked one
            continue
        with act("references added"):
            sessions[0].execute(f"{text}{_UNCHECKED}")
        proving = f"ALTER TABLE {broken.quoted(table)} VALIDATE CONSTRAINT {name}"
        work = works.setdefault(table.key, _Work())
        work.size += sizes.get(_place(table), 0)
        work.statements.append(replace(adding, text=proving))
    with act("references proven"):
        _side_by_side(sessions, works.values())
    return found


def _named(constraint: sa.ForeignKeyConstraint) -> str | None:
    if constraint.name is None:
        return None
    return DIALECT.identifier_preparer.format_constraint(constraint)


def _partitioned(connection: Connection) -> set[Place]:
    """Return the tables that have no unchecked reference, before PostgreSQL 18.

    None may be of theirs, and of one to them those to their parts would stay unchecked.
    """
    return {(n, t) for n, t, kind, _ in connection.execute(_STORED).fetchall() if kind == "p"}


def _vacuuming(connection: Connection) -> Iterator[_Work]:
    """Yield VACUUM of each table, and of the catalogue.

    The catalogue's statistics come with template0; to make them takes longer than small tables.
    """
    catalogue = []
    for schema, table, _, size in connection.execute(_STORED).fetchall():
        named = f"{sql.name(schema)}.{sql.name(table)}"
        if schema in _CATALOGUE:
            catalogue.append(named)
        else:
            yield _Work(size, [_Statement(f"VACUUM (ANALYZE, FREEZE) {named}")])
    yield _Work(0, [_Statement(f"VACUUM (FREEZE) {', '.join(catalogue)}")])
