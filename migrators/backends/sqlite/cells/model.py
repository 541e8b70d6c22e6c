"""What a codec is: how one kind of value is read from and written to SQLite cells.

Any type can sit in any SQLite column, so a codec says which storage classes are clean
(`clean`), how they are selected (`selects`, with a typed first row `pins` that fixes what
ADBC infers), and how Arrow arrays become values and cells again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from migrators.types import ColumnType


class Affinity(StrEnum):
    """Column affinity (sqlite.org/datatype3.html, section 3.1)."""

    INTEGER = "integer"
    TEXT = "text"
    BLOB = "blob"
    REAL = "real"
    NUMERIC = "numeric"


def affinity(declared: str) -> Affinity:
    """Return the affinity of a column declared with this type text.

    The rules and their order are those of sqlite.org/datatype3.html, section 3.1.
    """
    upper = declared.upper()
    if "INT" in upper:
        return Affinity.INTEGER
    if any(word in upper for word in ("CHAR", "CLOB", "TEXT")):
        return Affinity.TEXT
    if "BLOB" in upper or not upper or upper == "ANY":
        return Affinity.BLOB
    if any(word in upper for word in ("REAL", "FLOA", "DOUB")):
        return Affinity.REAL
    return Affinity.NUMERIC


@dataclass(frozen=True, slots=True)
class Cells:
    """A column of a batch, decoded or encoded.

    Attributes
    ----------
    values : pa.Array
        Null where refused.
    refused : pa.BooleanArray or None
        True where there is no exact result.
    reason : str
        Why: "is not a date".
    """

    values: pa.Array
    refused: pa.Array | None = None
    reason: str = ""


Decode = Callable[[Sequence["pa.Array"], "ColumnType"], Cells]
Encode = Callable[["pa.Array", "ColumnType", Affinity], Cells]


@dataclass(frozen=True, slots=True)
class Codec:
    """One kind of value.

    Attributes
    ----------
    clean : str
        SQL over `{x}` that is true for a cell of a storage class that may be decoded;
        NULL is always clean and need not be said.
    decode : callable
        (arrays as `selects`, declared type) → values of the declared Arrow type.
    encode : callable
        (values, declared type, affinity of the column) → what is bound.
    pins : tuple of str
        A literal per selected expression; its type is the Arrow type that comes back.
    selects : tuple of str
        SQL over `{x}`.
    is_loud : bool
        Whether the driver raises where a cell is of another class than the pin, as it does
        for integers. It makes text of numbers and blobs without a word, and numbers of integers.
    """

    clean: str
    decode: Decode
    encode: Encode
    pins: tuple[str, ...]
    selects: tuple[str, ...] = ("{x}",)
    is_loud: bool = False
