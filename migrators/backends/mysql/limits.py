"""What columns of MySQL and MariaDB hold, where that is less than the declared type says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrators.backends.limits import Spelled, integers, spelled
from migrators.types.limits import NONE, Limits

if TYPE_CHECKING:
    import sqlalchemy as sa

_BITS = {"TINYINT": 8, "SMALLINT": 16, "MEDIUMINT": 24, "INTEGER": 32, "INT": 32, "BIGINT": 64}
_BYTES = {
    "TINYTEXT": 2**8 - 1,
    "TEXT": 2**16 - 1,
    "MEDIUMTEXT": 2**24 - 1,
    "LONGTEXT": 2**32 - 1,
    "TINYBLOB": 2**8 - 1,
    "BLOB": 2**16 - 1,
    "MEDIUMBLOB": 2**24 - 1,
    "LONGBLOB": 2**32 - 1,
}
_DOUBLE_BITS = 25
_FIRST_STAMP, _LAST_STAMP = 1, (2**31 - 1) * 1_000_000 + 999_999
"""A TIMESTAMP of 0 is none; the manual's first one is a second later, MariaDB takes this one."""
_THREE_BYTES = ("CHARACTER SET UTF8 ", "CHARACTER SET UTF8MB3 ")


def limits(declared: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Limits:
    """Return what a column of a declared type holds (manual, "Data Types").

    There is neither NaN, infinity nor -0.0; without a number in brackets a time has whole seconds;
    CHAR loses the spaces at its end, and BINARY is filled up with zeros.
    """
    written = spelled(declared, dialect)
    if written is None:
        return NONE
    if written.name in _BITS:
        return integers(_BITS[written.name], Limits, unsigned="UNSIGNED" in written.rest)
    if written.name == "YEAR":
        return Limits(low=0, high=2155)
    if written.name in ("FLOAT", "DOUBLE", "REAL"):
        single = written.name == "FLOAT" and (written.number or 0) < _DOUBLE_BITS
        return Limits(single=single, finite=True, signed_zero=False)
    if written.name in ("DATETIME", "TIME"):
        return Limits(fraction=written.number or 0)
    if written.name == "TIMESTAMP":
        return Limits(fraction=written.number or 0, first=_FIRST_STAMP, last=_LAST_STAMP)
    return _sized(written)


def _sized(written: Spelled) -> Limits:
    basic = any(name in f"{written.rest} " for name in _THREE_BYTES)
    if written.name in ("CHAR", "VARCHAR"):
        fixed = written.name == "CHAR"
        return Limits(characters=written.number or 1, padded=fixed, basic=basic)
    if written.name == "NATIONAL":  # CHAR and VARCHAR of utf8mb3; their length is in the rest
        return Limits(basic=True)
    if written.name in ("BINARY", "VARBINARY"):
        return Limits(bytes=written.number or 1, padded=written.name == "BINARY")
    return Limits(bytes=_BYTES.get(written.name), basic=basic)
