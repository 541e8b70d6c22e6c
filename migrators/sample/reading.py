"""Rows of one table of a snapshot: all of them, those of a condition, or those of some keys.

Keys are asked for by their plain columns, so that an index serves, whatever a collation takes
for equal; what came is compared with the keys themselves. Where values of a type are stored in
a form that SQL does not compare, or a key was not found, the table is read whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from migrators.backends.interface import ReadColumn, ReadQuery
from migrators.errors import NotHeld
from migrators.types import Kind
from migrators.types.joined import keys

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from migrators.backends.interface import Backend, Snapshot
    from migrators.schema import Column, SchemaVersion

Values = tuple[Any, ...]
"""A key's values, as Arrow gives them to Python."""
_ASKED = (Kind.INTEGER, Kind.TEXT, Kind.ENUM, Kind.UUID, Kind.DATE)
"""Kinds of columns that are asked for by value."""
_AT_ONCE = 500
"""Keys of one query; 200 where several columns are one, for SQLite's depth of expressions."""
_SEVERAL_AT_ONCE = 200


@dataclass
class Reading:
    """Reads the tables of one version in one snapshot.

    Attributes
    ----------
    held : mapping of table to column names
        Columns that are held as text, because a value was met that Arrow's type has not.
    """

    schema: SchemaVersion
    database: Backend
    snapshot: Snapshot
    held: dict[str, set[str]] = field(default_factory=dict)

    def columns(self, table: str) -> tuple[Column, ...]:
        """Return a table's stored columns as they are read."""
        as_text = self.held.get(table, set())
        return tuple(
            replace(c, type=c.type.in_text()) if c.name in as_text else c
            for c in self.schema.tables[table].stored
        )

    def all(
        self, table: str, where: str = "", only: Collection[str] = ()
    ) -> Iterator[pa.RecordBatch]:
        """Yield rows, their columns named as the table's.

        Parameters
        ----------
        where : str
            SQL; all rows without it.
        only : collection of str
            Columns to read; all of them unless given.

        Raises
        ------
        NotHeld
            A column is to be read as text; `held` says so from now on.
        """
        real = self.schema.metadata.tables[table]
        wanted = [c for c in self.columns(table) if not only or c.name in only]
        select = sa.select(*(_column(real, c.name).label(f"c{i}") for i, c in enumerate(wanted)))
        if where:
            select = select.where(sa.literal_column(f"({where})"))
        columns = tuple(ReadColumn(f"c{i}", c.type, table, c.name) for i, c in enumerate(wanted))
        key = self.schema.tables[table].primary_key
        named = tuple(f"c{i}" for i, c in enumerate(wanted) if c.name in key)
        query = ReadQuery(self.database.sql(select), columns, (), named)
        names = [c.name for c in wanted]
        try:
            for batch in self.snapshot.batches(query):
                yield batch.rename_columns(names)
        except NotHeld as refused:
            at = {int(label[1:]) for label in refused.labels}
            self.held.setdefault(table, set()).update(names[i] for i in at)
            raise

    def by_key(
        self, table: str, names: Sequence[str], wanted: Mapping[str, Values]
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows whose columns `names`, which are a key, have one of the wanted values.

        Parameters
        ----------
        wanted : mapping of `types.joined.keys` to values
        """
        types = {c.name: c.type for c in self.columns(table)}
        left = dict(wanted)
        for batch in self.referring(table, names, wanted):
            for key in keys([batch[n] for n in names], [types[n] for n in names]).to_pylist():
                left.pop(key, None)
            yield batch
        if left and self.askable(table, names):
            yield from self._exactly(table, names, left, "")

    def referring(
        self, table: str, names: Sequence[str], wanted: Mapping[str, Values]
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows whose columns `names` have one of the wanted values, as far as SQL sees.

        Parameters
        ----------
        wanted : mapping of `types.joined.keys` to values
        """
        if not self.askable(table, names):
            yield from self._exactly(table, names, wanted, "")
            return
        size = _AT_ONCE if len(names) == 1 else _SEVERAL_AT_ONCE
        items = list(wanted.items())
        for at in range(0, len(items), size):
            some = dict(items[at : at + size])
            where = self._any_of(table, names, list(some.values()))
            yield from self._exactly(table, names, some, where)

    def askable(self, table: str, names: Sequence[str]) -> bool:
        """Whether rows can be asked for by the values of some columns."""
        columns = self.schema.tables[table].column
        return all(
            columns[name].type.kind in _ASKED and name not in self.held.get(table, ())
            for name in names
        )

    def _exactly(
        self, table: str, names: Sequence[str], wanted: Collection[str], where: str
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a condition whose keys are among those that are wanted."""
        types = {c.name: c.type for c in self.columns(table)}
        among = pa.array(list(wanted), pa.string())
        for batch in self.all(table, where):
            found = keys([batch[n] for n in names], [types[n] for n in names])
            mask = pc.is_in(found, value_set=among, skip_nulls=True)
            if mask.true_count:
                yield batch.filter(mask)

    # SQL -------------------------------------------------------------------------------

    def _any_of(self, table: str, names: Sequence[str], rows: Sequence[Values]) -> str:
        """Return SQL for rows of some keys; of several columns, all but the last one by one."""
        groups: dict[Values, list[Any]] = {}
        for row in rows:
            groups.setdefault(row[:-1], []).append(row[-1])
        real = self.schema.metadata.tables[table]
        columns = [_column(real, name) for name in names]
        return " OR ".join(
            "(" + " AND ".join([
                *(self._equal(c, [v]) for c, v in zip(columns, first, strict=False)),
                self._equal(columns[-1], last),
            ]) + ")"
            for first, last in groups.items()
        )  # fmt: skip

    def _equal(self, column: sa.Column[Any], values: Sequence[Any]) -> str:
        quote = self.database.dialect.identifier_preparer.quote
        return f"{quote(column.name)} IN ({', '.join(self._literal(column, v) for v in values)})"

    def _literal(self, column: sa.Column[Any], value: Any) -> str:
        kind = self.schema.tables[column.table.key].column[column.name].type.kind
        if kind is Kind.INTEGER:
            return str(int(value))
        if kind is Kind.UUID:
            value = UUID(bytes=value)
            if not getattr(column.type, "as_uuid", True):
                value = str(value)
        declared = sa.String() if kind in (Kind.TEXT, Kind.ENUM) else column.type
        return self.database.sql(sa.literal(value, declared))


def _column(real: sa.Table, name: str) -> sa.Column[Any]:
    return next(c for c in real.c if c.name == name)
