"""Whether values of a personal column are what replaces them, or bare.

Without the key nobody can tell whose pseudonym one is, but its form can be told: an address at a
domain that is reserved for examples, a text with a token. Numbers and dates look like any other:
of them the manifest has to say that they were replaced.
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
_FORMS = {"email": _RESERVED, "name": _TOKEN, "text": _TOKEN}


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
    if chosen.how and chosen.how != "null" and mark == chosen.how:
        return pa.repeat(pa.scalar(False), len(array))
    return there
