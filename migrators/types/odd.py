"""Values that Arrow's type does not hold, in columns held as text.

Beside the one form of `types.text` there are, per kind, the forms in which servers write
what Arrow cannot hold. Years outside 1 to 9999 keep the shape of the others, with more
digits or ` BC`; a zero date has zeros.

| kind      | further texts                                                          |
|-----------|------------------------------------------------------------------------|
| decimal   | any digits `-12.500`; `NaN`, `Infinity`, `-Infinity`                   |
| date      | `infinity`, `-infinity`, `294276-12-31`, `0044-03-15 BC`, `0000-00-00` |
| time      | `24:00:00.000000`, `-838:59:59.000000`                                 |
| timestamp | as date, with the time of day before ` BC`                             |
| instant   | as timestamp, `+00:00` before ` BC`                                    |
| interval  | ISO 8601 as its server writes it: `P1M2DT-3.5S`                        |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from migrators.types.model import Kind

if TYPE_CHECKING:
    from migrators.types.model import ColumnType

_DAY = "[0-9]{4,7}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}"
_ENDLESS = "-?infinity"
_PART = r"-?[0-9]+"
_CALENDAR, _CLOCKWORK = rf"(?:{_PART}[YMWD])", rf"(?:{_PART}(?:\.[0-9]+)?[HMS])"
_FORMS: dict[Kind, str] = {
    Kind.DECIMAL: r"-?[0-9]+(\.[0-9]+)?|NaN|-?Infinity",
    Kind.DATE: f"{_DAY}( BC)?|{_ENDLESS}",
    Kind.TIME: r"-?[0-9]{2,3}:[0-9]{2}:[0-9]{2}\.[0-9]{6}",
    Kind.TIMESTAMP: f"{_DAY} {_CLOCK}( BC)?|{_ENDLESS}",
    Kind.INSTANT: rf"{_DAY} {_CLOCK}\+00:00( BC)?|{_ENDLESS}",
    Kind.INTERVAL: (
        rf"{_PART}|P({_CALENDAR})*{_CALENDAR}(T({_CLOCKWORK})*{_CLOCKWORK})?"
        rf"|PT({_CLOCKWORK})*{_CLOCKWORK}"
    ),
}


def odd_form(array: pa.Array, type: ColumnType) -> pa.BooleanArray:  # noqa: A002
    """Return where a text is none of those that a column held as text may have.

    Parameters
    ----------
    array : pa.Array
        Of strings.
    """
    return pc.invert(pc.match_substring_regex(array, rf"\A(?:{_FORMS[type.kind]})\z"))


_CLOCKED = (
    r"\A(?P<head>.*[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.(?P<fraction>[0-9]{1,6}))?"
    r"(?:\+00(?::?00)?)?(?P<era> BC)?\z"
)


def normal(array: pa.Array, type: ColumnType) -> pa.Array:  # noqa: A002
    """Return the texts of a server in the form that columns held as text have.

    ISO dates and times get six digits of a second, and an instant `+00:00`; what is of no
    such form (`infinity`, an interval, a decimal) stays as it is.

    Parameters
    ----------
    array : pa.Array
        Of strings, as a session in UTC with ISO formats writes them.
    """
    if type.kind not in (Kind.TIME, Kind.TIMESTAMP, Kind.INSTANT):
        return array
    parts = pc.extract_regex(array, _CLOCKED)
    head, fraction, era = (pc.struct_field(parts, name) for name in ("head", "fraction", "era"))
    zone = pa.scalar("+00:00" if type.kind is Kind.INSTANT else "")
    digits = pc.utf8_rpad(fraction, 6, "0")
    whole = pc.binary_join_element_wise(
        pc.binary_join_element_wise(head, digits, "."), zone, era, ""
    )
    return pc.if_else(parts.is_valid(), whole, array)
