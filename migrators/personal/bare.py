"""Whether values of a personal column are what replaces them, or bare.

Without the key nobody can tell whose pseudonym one is, but its form can be told: an address at a
domain that is reserved for examples, a text with a token, a UUID of version 8. Numbers and dates
look like any other: of them the manifest has to say that they were replaced. (No form could be
theirs: numbers of as many digits that stay different leave none of them over for a mark, and dates
that move together keep what is between them.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from migrators.personal.pseudonym import FAMILY, GIVEN, MARK
from migrators.types import constants

if TYPE_CHECKING:
    from migrators.personal.treatment import Treatment
    from migrators.schema import Column

INVENTED = "invented"
"""What a person writes into the manifest, `"pii": "invented"`, of values that are nobody's."""
BARE = "is personal, and bare"
_NAME = f"(?:{'|'.join(GIVEN)}) (?:{'|'.join(FAMILY)}) "
_TOKEN = rf"^(?:{_NAME})?{MARK}[a-z2-7]{{6,16}}$"
_RESERVED = (
    r"(?i)^[a-z0-9.!#$%&'*+/=?^_`{|}~-]+"
    r"@(?:(?:[a-z0-9-]+\.)*(?:example\.(?:com|net|org)|example|test|invalid)|localhost)$"
)
"""RFC 2606 and 6761."""
_VERSION_8 = [bytes([byte]) for byte in range(0x80, 0x90)]
_FORMS = {"email": _RESERVED, "name": _TOKEN, "text": _TOKEN}


def formless(chosen: Treatment) -> bool:
    """Whether what replaces values looks like any other: whoever checks has to believe a mark."""
    return chosen.how in ("number", "shift")


def bare(array: pa.Array, column: Column, chosen: Treatment, mark: str) -> pa.BooleanArray:
    """Return where a value is bare; NULL and the empty text are nobody's.

    Parameters
    ----------
    array : pa.Array
        Of the column's type.
    mark : str
        What the manifest says of the column.
    """
    there = array.is_valid()
    if mark == INVENTED:
        return pa.repeat(pa.scalar(False), len(array))
    if chosen.how == "constant":
        same = pc.equal(array, constants.scalar(chosen.value, column.type)).fill_null(False)
        return pc.and_not(there, same)
    if chosen.how in _FORMS and pa.types.is_string(array.type):
        like = pc.match_substring_regex(array, _FORMS[chosen.how])
        well = pc.or_(like, pc.equal(array, "")).fill_null(False)
        return pc.and_not(there, well)
    if chosen.how == "text":
        seventh = pc.binary_slice(array.cast(pa.binary()), 6, 7)
        return pc.and_not(there, pc.is_in(seventh, value_set=pa.array(_VERSION_8, pa.binary())))
    if formless(chosen) and mark == chosen.how:
        return pa.repeat(pa.scalar(False), len(array))
    return there
