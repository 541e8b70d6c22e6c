"""The quick road: which columns may be read by ADBC's binary COPY, and in which form.

Two million rows of ten columns take 3.6 s of processor (client and server) to read by it and
8.4 by CSV. What is not here goes as CSV, and so does a query whose values turn out odd, to be
refused by name there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from migrators.backends.postgresql.cells import require_digits
from migrators.backends.postgresql.reading import select
from migrators.types import Kind
from migrators.types.text import outside_years

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrators.backends.interface import ReadQuery
    from migrators.backends.postgresql.connect import Connection
    from migrators.types import ColumnType

ROWS = 65_536
"""Of a batch at most: the driver gives 16 MB at a time."""
_NAME = (b"POSTGRESQL:type", b"ADBC:postgresql:typname")
"""Where the driver says what the server calls a column's type."""
_TEXT = ("{x}", ("text", "varchar", "bpchar"))
_READ: dict[Kind, tuple[str, tuple[str, ...]]] = {
    Kind.INTEGER: ("{x}", ("int2", "int4", "int8")),
    Kind.BOOLEAN: ("{x}", ("bool",)),
    Kind.FLOAT: ("{x}", ("float4", "float8")),
    Kind.DECIMAL: ("({x})::text", ("text",)),
    Kind.TEXT: _TEXT,
    Kind.ENUM: _TEXT,
    Kind.JSON: ("({x})::text", ("text",)),
    Kind.BINARY: ("{x}", ("bytea",)),
    Kind.UUID: ("uuid_send({x})", ("bytea",)),
    Kind.DATE: ("{x}", ("date",)),
    Kind.TIMESTAMP: ("{x}", ("timestamp",)),
    Kind.INSTANT: ("{x}", ("timestamptz",)),
}
"""Kind → SQL over `{x}`, and the server's types that the driver reads exactly. Texts are not
cast: a cast of character(n) takes its blanks away. An oid is not among the integers: the driver
makes a negative one of those from 2^31 on."""
_ENUMS = """
SELECT typname FROM pg_type GROUP BY typname HAVING bool_and(typtype = 'e')
"""
"""Names that only enum types have: their binary form is the label."""
_DATED = (Kind.DATE, Kind.TIMESTAMP, Kind.INSTANT)


class Odd(Exception):  # the slow road says what, and where
    """A value, or a whole column, is not what this road takes."""


def reads(query: ReadQuery) -> bool:
    """Whether every column of a query may be read on this road."""
    return all(c.type.kind in _READ and not c.type.as_text for c in query.columns)


def enums(connection: Connection) -> frozenset[str]:
    """Return the names of the server's types that are enums, whatever schema they are in."""
    return frozenset(name for (name,) in connection.execute(_ENUMS).fetchall())


@dataclass(frozen=True)
class QuickReading:
    """How a query is asked, and what its batches become."""

    query: ReadQuery
    enums: frozenset[str] = frozenset()

    @property
    def sql(self) -> str:
        """The whole SELECT."""
        return select(self.query, lambda declared: _READ[declared.kind][0])

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema that batches have, made once."""
        return self.query.schema

    def takes(self, given: pa.Schema) -> bool:
        """Whether the server's types are those that this road was proven for."""
        pairs = zip(self.query.columns, given, strict=True)
        return all(self._takes(c.type.kind, _name(field)) for c, field in pairs)

    def _takes(self, kind: Kind, name: str) -> bool:
        return name in _READ[kind][1] or (kind is Kind.ENUM and name in self.enums)

    def batches(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Yield a batch of the driver's as batches of the query's types.

        Raises
        ------
        Odd
            A value is not of its column's type.
        """
        columns = self.query.columns
        try:
            arrays = [_decoded(batch.column(i), c.type) for i, c in enumerate(columns)]
        except (pa.ArrowInvalid, ValueError) as error:
            raise Odd from error
        made = pa.RecordBatch.from_arrays(arrays, schema=self.schema)
        for at in range(0, len(made), ROWS):
            yield made.slice(at, ROWS)


def _name(field: pa.Field) -> str:
    told = field.metadata or {}
    return next((told[key].decode() for key in _NAME if key in told), "")


def _decoded(array: pa.Array, declared: ColumnType) -> pa.Array:
    if pa.types.is_string(array.type):
        array.validate(full=True)  # the driver looks at no text: a SQL_ASCII database has any
    found = array if array.type == declared.arrow else array.cast(declared.arrow)
    if declared.kind is Kind.DECIMAL:
        require_digits(found, declared)
    if declared.kind in _DATED and pc.any(outside_years(found), min_count=0).as_py():
        raise Odd
    return found
