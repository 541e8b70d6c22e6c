"""`rules.integer` and `rules.float_`: numbers, exactly or not at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal as Number
from typing import TYPE_CHECKING, Any, ClassVar

from migrators.rules import columns
from migrators.rules.base import REFUSE, Outcome, Rule
from migrators.rules.signatures import TEXTS, checked, reads
from migrators.types import ColumnType, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

_INT64 = 1 << 63
_SHORT = 18  # characters of an integer that always fits int64
_SURE_DIGITS = 15  # significant digits that every float gives back


def integer(x: Any, thousands: str = "", otherwise: Any = REFUSE) -> Rule:
    """Text, decimal, boolean or float → integer.

    Text is digits with an optional sign and nothing else: no white space (use
    `rules.trim`), no exponent, no point. A decimal or float must be whole; false is 0 and
    true is 1. What does not fit the new column (16, 32 or 64 bits) is refused.

    Parameters
    ----------
    x : expression or rule
    thousands : str
        Separator of groups of three digits. Either all groups are separated or none is:
        `12,34` is refused. Separated numbers are counted as changed.
    otherwise : constant
        Stands where there is no exact integer; counted.

    Examples
    --------
    >>> show(rules.integer(["1,234", "12", "12,34", "1e3", None], thousands=","))
    '1,234' -> 1234   (changed)
    '12'    -> 12
    '12,34' refused: is not an integer
    '1e3'   refused: is not an integer
    None    -> None
    """
    separator(thousands)
    return Integer((x,), thousands, otherwise)


def float_(x: Any) -> Rule:
    """Text, integer or decimal → floating point.

    Exact means that the float's shortest form is the number that was read, so that no
    digit is lost; a number with more digits than a float holds is refused.

    Parameters
    ----------
    x : expression or rule

    Examples
    --------
    >>> show(rules.float_(["0.1", "1e3", "0.12345678901234567890"]))
    '0.1'                    -> 0.1
    '1e3'                    -> 1000.0
    '0.12345678901234567890' refused: is not a number that a float holds exactly
    """
    return Float((x,))


def separator(text: str, point: str = "") -> None:
    """Raise ValueError unless `text` can separate groups of digits."""
    if any(sign.isdigit() or sign in "+-" for sign in text) or (text and text == point):
        msg = f"{text!r} cannot separate thousands"
        raise ValueError(msg)


def grouped(thousands: str) -> str:
    """Return the pattern of digits, in groups of three where `thousands` separates them."""
    if not thousands:
        return "[0-9]+"
    return rf"(?:[0-9]+|[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+)"


@dataclass(frozen=True)
class Integer(Rule):
    """Text, decimal, boolean or float → integer."""

    thousands: str = ""
    otherwise: Any = REFUSE
    name: ClassVar[str] = "integer"

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:
        """Return the new column's type where it is an integer, 64 bits otherwise."""
        kinds = (*TEXTS, Kind.INTEGER, Kind.DECIMAL, Kind.BOOLEAN, Kind.FLOAT)
        reads(self.name, inputs[0], *kinds)
        wide = ColumnType(Kind.INTEGER, bits=64)
        return checked(target if target.kind is Kind.INTEGER else wide, self.name, self.otherwise)

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],
        target: ColumnType,
        maps: Mapping[str, Any],  # noqa: ARG002
    ) -> Outcome:
        """Convert what is an integer of the result's width."""
        import pyarrow.compute as pc

        to = self.result(inputs, target)
        numbers, changed = self._numbers(arrays[0], inputs[0].kind)
        fitting = _within(numbers, to.bits or 64)
        failed = pc.any(columns.lost(numbers, arrays[0]), min_count=0).as_py()
        return columns.finished(
            fitting,
            arrays[0],
            to=to,
            otherwise=self.otherwise,
            changed=changed,
            reason="is not an integer" if failed else f"is out of the range of {to}",
        )

    def _numbers(self, array: pa.Array, kind: Kind) -> tuple[pa.Array, pa.Array | None]:
        """int64, NULL where there is none, and which were written with separators."""
        if kind in TEXTS:
            return _parsed(array, self.thousands)
        if kind is Kind.DECIMAL:
            return columns.per_distinct(array, _whole, "int64"), None
        if kind is Kind.FLOAT:
            return columns.per_distinct(array, _whole_float, "int64"), None
        return array.cast("int64"), None


def _parsed(texts: pa.Array, thousands: str) -> tuple[pa.Array, pa.Array | None]:
    import pyarrow as pa
    import pyarrow.compute as pc

    shaped = columns.where(columns.matches(texts, rf"[+-]?{grouped(thousands)}"), texts)
    changed = None
    if thousands:
        changed = columns.sure(pc.match_substring(shaped, thousands))
        shaped = pc.replace_substring(shaped, thousands, "")
    digits = pc.replace_substring_regex(shaped, r"\A\+", "")
    short = columns.sure(pc.less_equal(pc.binary_length(digits), _SHORT))
    numbers = columns.where(short, digits).cast(pa.int64())
    if columns.where(short, digits).null_count == digits.null_count:
        return numbers, changed
    rest = columns.per_distinct(columns.where(pc.invert(short), digits), _int64, pa.int64())
    return pc.coalesce(numbers, rest), changed


def _int64(digits: str) -> int | None:
    sign, bare = ("-", digits[1:]) if digits[0] == "-" else ("", digits)
    bare = bare.lstrip("0")
    return _fits(int(f"{sign}{bare or 0}")) if len(bare) <= _SHORT + 1 else None


def _fits(number: int) -> int | None:
    return number if -_INT64 <= number < _INT64 else None


def _whole(number: Number) -> int | None:
    return _fits(int(number)) if number == number.to_integral_value() else None


def _whole_float(number: float) -> int | None:
    return _fits(int(number)) if number.is_integer() else None


def _within(numbers: pa.Array, bits: int) -> pa.Array:
    """NULL where a number needs more than `bits`."""
    import pyarrow.compute as pc

    half = 1 << (bits - 1)
    if half == _INT64:
        return numbers
    inside = pc.and_(pc.greater_equal(numbers, -half), pc.less(numbers, half))
    return columns.where(columns.sure(inside), numbers)


@dataclass(frozen=True)
class Float(Rule):
    """Text, integer or decimal → floating point."""

    name: ClassVar[str] = "float_"

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:  # noqa: ARG002
        """Return float."""
        reads(self.name, inputs[0], *TEXTS, Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)
        return ColumnType(Kind.FLOAT)

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],
        target: ColumnType,
        maps: Mapping[str, Any],  # noqa: ARG002
    ) -> Outcome:
        """Convert what a float gives back digit by digit."""
        to = self.result(inputs, target)
        if inputs[0].kind is Kind.FLOAT:
            return Outcome(arrays[0])
        return columns.finished(
            _floats(arrays[0].cast("string")),
            arrays[0],
            to=to,
            reason="is not a number that a float holds exactly",
        )


_FLOAT = r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?|nan|-?inf"


def _floats(texts: pa.Array) -> pa.Array:
    """float64; few enough digits of a middling size are known to come back."""
    import pyarrow.compute as pc

    shaped = columns.where(columns.matches(texts, _FLOAT), texts)
    digits = pc.replace_substring_regex(shaped, r"[eE].*|[+-]|\.", "")
    digits = pc.utf8_trim(digits, characters="0")
    plain = columns.sure(pc.less_equal(pc.binary_length(digits), _SURE_DIGITS))
    middling = columns.matches(shaped, r"[^eE]{1,200}|[^eE]{1,20}[eE][+-]?[0-9]{1,2}")
    sure = pc.and_(plain, middling)
    bare = pc.replace_substring_regex(columns.where(sure, shaped), r"\A\+", "")
    rest = columns.where(pc.invert(sure), shaped)
    return pc.coalesce(bare.cast("float64"), columns.per_distinct(rest, _float, "float64"))


def _float(text: str) -> float | None:
    """Return the float whose shortest form is `text`, as numbers."""
    number = float(text)
    if text in ("nan", "inf", "-inf"):
        return number
    return number if Number(repr(number)) == Number(text) else None
