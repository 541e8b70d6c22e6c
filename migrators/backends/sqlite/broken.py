"""Which rows break a constraint: counted exactly, with sample keys.

SQLite says only which constraint it was, and takes no row back where there is no journal.
So rows that an INSERT refused are written once more, to a table that has no constraints,
and asked. That costs a second load, of a run that has failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators.backends.sqlite import connect, refusals, sql
from migrators.errors import ValueRefused
from migrators.schema.fingerprint import constraints

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from migrators.schema import SchemaVersion


def explained(
    path: Path,
    refused: ValueRefused,
    schema: SchemaVersion,
    batches: Iterator[pa.RecordBatch],
    dialect: sa.Dialect,
    busy_ms: int,
) -> ValueRefused:
    """Return a refusal with the count and the keys of all rows that break the constraint.

    Parameters
    ----------
    path : Path
        A file that may be lost: it is written anew.
    refused : ValueRefused
        As `staging.write` raised it.
    batches : iterator of pa.RecordBatch
        The table's rows, from the first one.
    """
    from migrators.backends.sqlite import staging  # which imports what asks here

    table = schema.metadata.tables[refused.table]
    declared = schema.tables[refused.table]
    path.unlink(missing_ok=True)
    path.touch(0o600)
    with connect.plain(path, "rw", busy_ms) as connection:
        staging.bulk(connection)
        connection.execute(_bare(table, [c.name for c in declared.stored], dialect))
    staging.write(path, table.name, declared.stored, batches)
    with connect.plain(path, "rw", busy_ms) as connection:
        found = (
            *_checks(connection, table, declared.primary_key, dialect),
            *(
                duplicates(connection, table.name, [sql.name(c) for c in key], key)
                for key in (declared.primary_key, *declared.uniques)
                if key
            ),
        )
    return next((each for each in found if each is not None), refused)


def _bare(table: sa.Table, names: Sequence[str], dialect: sa.Dialect) -> str:
    """SQL: the same columns, which take anything; types stay, and with them collations."""
    made = sa.Table(table.name, sa.MetaData(), *(sa.Column(n, table.c[n].type) for n in names))
    for constraint in list(made.constraints):
        if isinstance(constraint, sa.CheckConstraint):
            made.constraints.discard(constraint)
    return str(sa.schema.CreateTable(made).compile(dialect=dialect))


def _checks(
    connection: sqlite3.Connection, table: sa.Table, key: Sequence[str], dialect: sa.Dialect
) -> Iterator[ValueRefused]:
    """Yield a refusal for each CHECK that rows break; NULL breaks none."""
    for check in constraints(table):
        if isinstance(check, sa.CheckConstraint):
            condition = str(
                check.sqltext.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
            )
            named = str(check.name) if isinstance(check.name, str) else condition
            try:
                found = _rows(connection, table.name, key, f"NOT ({condition})")
            except connection.OperationalError:  # it reads a generated column, not loaded here
                continue
            if found is not None:
                count, samples = found
                yield ValueRefused(
                    table.name, named, f"breaks CHECK {named}", count=count, samples=samples
                )


def _rows(
    connection: sqlite3.Connection, table: str, key: Sequence[str], condition: str
) -> tuple[int, list[tuple[str, str]]] | None:
    where = f"FROM {sql.name(table)} WHERE {condition}"
    count = connection.execute(f"SELECT count(*) {where}").fetchone()[0]
    if not count:
        return None
    labels = key or ["rowid"]
    cells = ", ".join(sql.name(label) for label in labels)
    limit = f"ORDER BY {cells} LIMIT {refusals.SAMPLES}"
    found = connection.execute(f"SELECT {cells} {where} {limit}")
    return count, [(refusals.key_text(labels, row), "") for row in found]


def duplicates(
    connection: sqlite3.Connection,
    table: str,
    terms: Sequence[str],
    labels: Sequence[str],
    where: str = "1",
) -> ValueRefused | None:
    """Return a refusal of the rows that a unique key makes one; None if there are none.

    Parameters
    ----------
    terms : sequence of str
        SQL of the key, collations included. A row of which one is NULL equals no other.
    labels : sequence of str
        What they are called, for the message.
    where : str
        SQL: the rows that a partial index holds.
    """
    primary = _primary_key(connection, table)
    named = [sql.name(column) for column in primary] or terms
    names = [f"t{i}" for i in range(len(terms))]
    cells = [
        *(f"{term} AS p{i}" for i, term in enumerate(named)),
        *(f"{term} AS {name}" for term, name in zip(terms, names, strict=True)),
        f"count(*) OVER (PARTITION BY {', '.join(terms)}) AS rows",
    ]
    whole = " AND ".join([f"({where})", *(f"{term} IS NOT NULL" for term in terms)])
    same = f"FROM (SELECT {', '.join(cells)} FROM {sql.name(table)} WHERE {whole}) WHERE rows > 1"
    count = connection.execute(f"SELECT count(*) {same}").fetchone()[0]
    if not count:
        return None
    shown = [*(f"p{i}" for i in range(len(named))), *names]
    found = connection.execute(
        f"SELECT {', '.join(shown)} {same} ORDER BY {', '.join(names)} LIMIT {refusals.SAMPLES}"
    )
    samples = [_sample(primary or labels, row) for row in found]
    reason = "is there more than once (UNIQUE)"
    return ValueRefused(table, ", ".join(labels), reason, count=count, samples=samples, hint=_HINT)


_HINT = "give the rows different values in the step, or leave some of them out"


def _sample(primary: Sequence[str], row: Sequence[Any]) -> tuple[str, str]:
    size = len(primary)
    return refusals.key_text(primary, row[:size]), ", ".join(map(refusals.shown, row[size:]))


def _primary_key(connection: sqlite3.Connection, table: str) -> list[str]:
    rows = connection.execute(f"PRAGMA table_xinfo({sql.name(table)})").fetchall()
    return [row[1] for row in sorted(rows, key=lambda row: row[5]) if row[5]]
