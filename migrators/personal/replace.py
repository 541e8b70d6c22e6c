"""Rows with their personal values replaced, each distinct value once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from migrators.errors import UsageError, ValueRefused
from migrators.personal import pseudonym
from migrators.personal.bare import INVENTED, bare
from migrators.types import Kind, constants
from migrators.types.joined import keys
from migrators.types.text import outside_years, to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from migrators.personal.declared import Personal
    from migrators.personal.treatment import Treatment
    from migrators.schema import Column, SchemaVersion

KEY = "MIGRATE_PII_KEY"
_SHORTEST_KEY = 16
_DAY = 86_400_000_000


@dataclass
class Replacer:
    """Replaces the personal values of a schema's rows.

    Attributes
    ----------
    key : str
        Of the pseudonyms; it is in no message and in no file.
    said : mapping of table to mapping of column to text
        What the manifest of the extract that is read says of columns: what replaced a value
        stays, so that it is the same in both.
    replaced : Counter of (table, column)
        How many values were.

    Raises
    ------
    UsageError
        A column is personal and nothing says what replaces it; or pseudonyms lack their key.
    """

    schema: SchemaVersion
    personal: Personal
    key: str = field(repr=False)
    said: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    replaced: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Refuse before a row is read."""
        for table, columns in self.personal.items():
            for column, chosen in columns.items():
                if not chosen.how:
                    raise _unsaid(table, column, chosen.of)
        takes_key = any(
            t.is_pseudonym for columns in self.personal.values() for t in columns.values()
        )
        if takes_key and len(self.key) < _SHORTEST_KEY:
            lacks = (
                f"{KEY} is shorter than {_SHORTEST_KEY} characters"
                if self.key
                else f"{KEY} is not set"
            )
            raise UsageError(
                f"{lacks}: pseudonyms of personal columns are made with a key",
                hint=(
                    f'export {KEY}="$(openssl rand -hex 32)"     a new one',
                    "keep it: the same key gives the same pseudonyms",
                ),
            )

    @property
    def marks(self) -> dict[str, dict[str, str]]:
        """What a manifest says of columns: how their values were replaced."""
        return {
            table: {
                column: INVENTED if self._mark(table, column) == INVENTED else chosen.how
                for column, chosen in columns.items()
            }
            for table, columns in self.personal.items()
        }

    def _mark(self, table: str, column: str) -> str:
        return self.said.get(table, {}).get(column, "")

    def batch(self, table: str, batch: pa.RecordBatch, columns: Sequence[Column]) -> pa.RecordBatch:
        """Return rows of a table with its personal values replaced; NULL stays NULL."""
        arrays = list(batch.columns)
        for at, column in enumerate(columns):
            chosen = self.personal.get(table, {}).get(column.name)
            if chosen is not None:
                made = self._array(table, batch, columns, column, chosen)
                arrays[at], count = self._others(table, column, chosen, arrays[at], made)
                self.replaced[table, column.name] += count
        return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)

    def _others(
        self, table: str, column: Column, chosen: Treatment, array: pa.Array, made: pa.Array
    ) -> tuple[pa.Array, int]:
        """Return what was made, but where a value stands for another already; and how many."""
        mark = self._mark(table, column.name)
        if mark not in (chosen.how, INVENTED):
            return made, len(array) - array.null_count
        real = bare(array, column, chosen, mark)
        return pc.if_else(real, made, array), real.true_count

    def _array(
        self,
        table: str,
        batch: pa.RecordBatch,
        columns: Sequence[Column],
        column: Column,
        chosen: Treatment,
    ) -> pa.Array:
        array = batch[column.name]
        if chosen.how == "null":
            return pa.nulls(len(array), array.type)
        if column.type.as_text:
            raise ValueRefused(
                table,
                column.name,
                f"has values that {chosen.how!r} cannot replace: it is held as text",
                hint='declare it as "null", or mend the values',
            )
        if chosen.how == "constant":
            value = pa.repeat(constants.scalar(chosen.value, column.type), len(array))
            return pc.if_else(array.is_valid(), value, pa.nulls(len(array), array.type))
        if chosen.how == "shift":
            return self._shifted(table, batch, columns, array, chosen)
        return _each(array, self._one(column, chosen))

    def _one(self, column: Column, chosen: Treatment) -> Callable[[Any], Any]:
        """Return what gives the pseudonym of one value, as Arrow gives it to Python."""
        key, kind = self.key.encode(), column.type.kind
        if kind is Kind.UUID:
            return lambda value: pseudonym.of_bytes(key, value.hex())
        if kind is Kind.INTEGER:
            return lambda value: pseudonym.of_number(key, value)
        if kind is Kind.DECIMAL:
            return lambda value: _decimal(key, value, column.type.scale)
        return lambda value: (
            pseudonym.of_text(key, chosen.how, value, chosen.length) if value else value
        )

    def _shifted(
        self,
        table: str,
        batch: pa.RecordBatch,
        columns: Sequence[Column],
        array: pa.Array,
        chosen: Treatment,
    ) -> pa.Array:
        types = {c.name: c.type for c in columns}
        names = (chosen.by,) if chosen.by else self.schema.tables[table].primary_key
        if len(names) == 1:  # the key's own text: the same for who is referred to
            decides = to_text(batch[names[0]], types[names[0]])
        else:
            decides = keys([batch[n] for n in names], [types[n] for n in names])
        key = self.key.encode()
        far = cache(lambda text: pseudonym.days(key, text, chosen.days))
        moves = np.array([far(text or "") for text in decides.to_pylist()], np.int64)
        days = pa.types.is_date(array.type)
        plain, unit = (pa.int32(), 1) if days else (pa.int64(), _DAY)
        forth, back = (_moved(array, plain, moves * unit * sign) for sign in (1, -1))
        return pc.if_else(outside_years(forth), back, forth)


def _moved(array: pa.Array, plain: pa.DataType, by: Any) -> pa.Array:
    numbers = pc.add(array.cast(plain).cast(pa.int64()), pa.array(by, pa.int64()))
    return numbers.cast(plain).cast(array.type)


def _decimal(key: bytes, value: Decimal, scale: int) -> Decimal:
    """Return the pseudonym of all digits; arithmetic would round beyond 28 of them."""
    sign, digits, _ = value.as_tuple()
    whole = int("".join(map(str, digits))) * (-1 if sign else 1)
    moved = pseudonym.of_decimal(key, whole, scale)
    return Decimal((int(moved < 0), tuple(map(int, str(abs(moved)))), -scale))


def _each(array: pa.Array, one: Callable[[Any], Any]) -> pa.Array:
    coded = array.dictionary_encode()
    values = pa.array([one(value) for value in coded.dictionary.to_pylist()], array.type)
    return values.take(coded.indices)


def _unsaid(table: str, column: str, of: str) -> UsageError:
    why = f" as {of} is" if of else ""
    return UsageError(
        f"{table}.{column} is personal{why}, and nothing says what replaces its values",
        hint=(
            f'Column("{column}", ..., info={{"pii": "text"}})     in the schema module',
            f'or in [tool.migrators.pii]: "{table}.{column}" = "text"',
            'null, {constant = ""}, email, name, text, number, shift; false: it is not personal',
        ),
    )
