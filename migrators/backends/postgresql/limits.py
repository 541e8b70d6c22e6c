"""What PostgreSQL's columns hold, where that is less than the declared type says elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrators.backends.limits import integers, spelled
from migrators.types.limits import NONE, Limits

if TYPE_CHECKING:
    import sqlalchemy as sa

_BITS = {"SMALLINT": 16, "INTEGER": 32, "BIGINT": 64}
_NUMBERS = ("NUMERIC", "DOUBLE", "BOOLEAN", "BYTEA", "DATE", "UUID", "MONEY", "INTERVAL")
_SINGLE_BITS = 24


def limits(declared: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Limits:
    """Return what a column of a declared type holds (manual, chapter 8).

    Text has no U+0000; CHAR(n) pads, and what reads it as text takes the spaces away again.
    """
    written = spelled(declared, dialect)
    if written is None or written.name in _NUMBERS:
        return NONE
    if written.name in _BITS:
        return integers(_BITS[written.name], Limits)
    if written.name == "OID":
        return integers(32, Limits, unsigned=True)
    if written.name in ("REAL", "FLOAT"):
        return Limits(single=written.name == "REAL" or (written.number or 53) <= _SINGLE_BITS)
    if written.name in ("TIME", "TIMESTAMP"):
        return Limits(fraction=6 if written.number is None else written.number)
    padded = written.name == "CHAR"
    length = written.number if written.name in ("CHAR", "VARCHAR") else None
    return Limits(nul=False, padded=padded, characters=1 if padded and not length else length)
