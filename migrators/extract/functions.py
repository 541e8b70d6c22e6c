"""Computed tables: a step's function over batches, and what it gives made exact.

The function sees Arrow-backed DataFrames, record batches or rows of Python values. What
it gives must be of the declared types exactly; anything else is refused with column and
row, because pandas turns integers with a NULL into floats and NULL into NaN unasked.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyarrow as pa

from migrators.backends.refusals import shown
from migrators.errors import CodeError, MigrateError, ValueRefused, mend
from migrators.plan.declare import load_step
from migrators.types import Kind
from migrators.types.constants import exact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrators.backends.interface import ReadColumn
    from migrators.plan.model import FunctionRef
    from migrators.types import ColumnType

_ROWS = 65_536


def computed(
    table: str,
    function: FunctionRef,
    batches: Iterator[pa.RecordBatch],
    made: Sequence[ReadColumn],
) -> Iterator[list[pa.Array]]:
    """Yield the columns that the function computes, a batch at a time.

    Parameters
    ----------
    table : str
        New table, for messages.
    batches : iterator of pa.RecordBatch
        The query's columns.
    made : sequence of ReadColumn
        Columns that the function must give, with their types.

    Raises
    ------
    CodeError
        The function raised; with its line in the step.
    ValueRefused
        A value is not exactly of the declared type.
    """
    called = getattr(load_step(function.path), function.name)
    renamed = (b.rename_columns(list(function.columns)) for b in batches)
    given = _FORMS[function.form](renamed)
    row = 0
    for item in _called(called, given, function):
        columns = _columns(table, item, made, row)
        row += len(columns[0]) if columns else 0
        yield columns


def _called(called: Any, given: Iterator[Any], function: FunctionRef) -> Iterator[Any]:
    rows: list[dict[str, Any]] = []
    try:
        for result in called(given):
            if function.form != "rows":
                yield result
                continue
            rows.append(result)
            if len(rows) == _ROWS:
                yield rows
                rows = []
    except MigrateError:
        raise
    except (Exception, SystemExit) as error:
        line = _line(error, function)
        said = f"{function.name}: {type(error).__name__}: {error}"
        hint = mend(function.path, line)
        raise CodeError(said, path=function.path, line=line, hint=hint) from error
    if rows:
        yield rows


def _line(error: BaseException, function: FunctionRef) -> int | None:
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(function.path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _frames(batches: Iterator[pa.RecordBatch]) -> Iterator[Any]:
    import pandas as pd

    for batch in batches:
        yield batch.to_pandas(types_mapper=pd.ArrowDtype)


def _rows(batches: Iterator[pa.RecordBatch]) -> Iterator[dict[str, Any]]:
    """Rows of Python values; Arrow gives a UUID, the one type of a fixed size, as bytes."""
    for batch in batches:
        schema = batch.schema
        uuids = [f.name for f in schema if pa.types.is_fixed_size_binary(f.type)]
        for row in batch.to_pylist():
            for name in uuids:
                row[name] = None if row[name] is None else UUID(bytes=row[name])
            yield row


_FORMS: dict[str, Any] = {"frames": _frames, "batches": iter, "rows": _rows}


def _columns(table: str, item: Any, made: Sequence[ReadColumn], row: int) -> list[pa.Array]:
    names = list(item[0]) if isinstance(item, list) else list(_names(item))
    wanted = [column.name for column in made]
    if sorted(names) != sorted(wanted):
        missing, extra = sorted(set(wanted) - set(names)), sorted(set(names) - set(wanted))
        msg = f"{table}: the function's columns differ: missing {missing}, not asked for {extra}"
        raise MigrateError(msg)
    if isinstance(item, list):
        return [_from_values(table, c, [r[c.name] for r in item], row) for c in made]
    return [_exact(table, c, _column(item, c.name), row) for c in made]


def _names(item: Any) -> Sequence[str]:
    return list(item.schema.names if isinstance(item, pa.RecordBatch | pa.Table) else item.columns)


def _column(item: Any, name: str) -> Any:
    return item.column(name) if isinstance(item, pa.RecordBatch | pa.Table) else item[name]


def _exact(table: str, column: ReadColumn, values: Any, row: int) -> pa.Array:
    """A column as an array of the declared Arrow type, or refused."""
    if not isinstance(values, pa.Array | pa.ChunkedArray):
        dtype = str(values.dtype)
        if dtype == "object":
            return _from_values(table, column, values.tolist(), row)
        if dtype.startswith("float") and values.isna().any():
            reason = "is NaN in a pandas float column: NULL or NaN? keep Arrow dtypes"
            raise ValueRefused(table, column.name, reason, count=int(values.isna().sum()))
        values = pa.array(values, from_pandas=True)
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if array.type == column.type.arrow:
        return array
    return _converted(table, column, array)


def _converted(table: str, column: ReadColumn, array: pa.Array) -> pa.Array:
    """Convert where Arrow's types differ in width only."""
    wanted = column.type.arrow
    same = any(
        kind(array.type) and kind(wanted)
        for kind in (
            pa.types.is_integer,
            pa.types.is_timestamp,
            pa.types.is_decimal,
            pa.types.is_floating,
            _is_string,
            _is_binary,
            pa.types.is_time,
            pa.types.is_date,
            pa.types.is_duration,
        )
    )
    zones = pa.types.is_timestamp(wanted) and (array.type.tz is None) != (wanted.tz is None)
    if (not same or zones) and array.null_count < len(array):
        raise ValueRefused(
            table, column.name, f"is {array.type}, declared {wanted}", count=len(array)
        )
    try:
        return array.cast(wanted) if same else pa.nulls(len(array), wanted)
    except pa.ArrowInvalid as error:
        reason, sample = f"is not {column.type}", ("", shown(str(error)))
        raise ValueRefused(table, column.name, reason, samples=[sample]) from None


def _is_string(arrow: pa.DataType) -> bool:
    return bool(pa.types.is_string(arrow) or pa.types.is_large_string(arrow))


def _is_binary(arrow: pa.DataType) -> bool:
    return bool(pa.types.is_binary(arrow) or pa.types.is_fixed_size_binary(arrow))


def _from_values(table: str, column: ReadColumn, values: list[Any], row: int) -> pa.Array:
    """Python values, each exactly of the declared type."""
    declared = _wide(column.type)
    made = []
    for index, value in enumerate(values):
        try:
            made.append(exact(value, declared))
        except TypeError:
            sample = (f"row {row + index}", shown(repr(value)))
            reason = f"is {type(value).__name__} that {declared} does not hold exactly"
            raise ValueRefused(table, column.name, reason, samples=[sample]) from None
    return pa.array(made, column.type.arrow)


def _wide(declared: ColumnType) -> ColumnType:
    """How wide an integer may be is the new database's to say, not a function's."""
    return replace(declared, bits=64) if declared.kind is Kind.INTEGER else declared
