"""What SQLite's columns hold, where that is less than the declared type says elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrators.backends.limits import integers, spelled
from migrators.backends.sqlite.cells.model import Affinity, affinity
from migrators.backends.sqlite.cells.numbers import EXACT_DIGITS
from migrators.types import Kind, describe
from migrators.types.limits import NONE, Limits

if TYPE_CHECKING:
    import sqlalchemy as sa


def limits(declared: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Limits:
    """Return what a column of a declared type holds (sqlite.org/datatype3.html).

    Declared widths bind nothing; integers have 64 bits, and decimals are doubles in a column
    that is not of text. NaN is stored as NULL, and a column of numbers keeps no -0.0.
    """
    written = spelled(declared, dialect)
    if written is None:
        return NONE
    kind = describe(declared).kind
    if kind is Kind.INTEGER:
        return integers(64, Limits)
    if kind is Kind.DECIMAL and affinity(written.name) is not Affinity.TEXT:
        return Limits(digits=EXACT_DIGITS)
    if kind is Kind.FLOAT:
        return Limits(nan=False, signed_zero=affinity(written.name) is Affinity.BLOB)
    return NONE
