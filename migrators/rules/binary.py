"""`rules.bytes_`, `rules.decode`, `rules.uuid`: text ⇄ bytes."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from migrators.rules import columns
from migrators.rules.base import REFUSE, Outcome, Rule
from migrators.rules.signatures import TEXTS, checked, reads, reads_text, textual
from migrators.types import ColumnType, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

_BINARY = ColumnType(Kind.BINARY)
_UUID = ColumnType(Kind.UUID)
_UUID_BYTES = 16


def bytes_(x: Any, encoding: str = "utf-8") -> Rule:
    r"""Text → bytes.

    Parameters
    ----------
    x : expression or rule
    encoding : str
        Characters that it does not have are refused.

    Examples
    --------
    >>> show(rules.bytes_(["Zoë", "🧀"], encoding="latin-1"))
    'Zoë' -> b'Zo\xeb'
    '🧀'   refused: has characters that latin-1 does not have
    """
    codecs.lookup(encoding)
    return Bytes((x,), encoding)


def decode(x: Any, encoding: str = "utf-8", otherwise: Any = REFUSE) -> Rule:
    r"""Bytes → text.

    Parameters
    ----------
    x : expression or rule
    encoding : str
    otherwise : constant
        Stands for bytes that are not text in that encoding; counted.

    Examples
    --------
    >>> show(rules.decode([b"Zo\xc3\xab", b"Zo\xeb"]))
    b'Zo\xc3\xab' -> 'Zoë'
    b'Zo\xeb'     refused: is not utf-8
    """
    codecs.lookup(encoding)
    return Decode((x,), encoding, otherwise)


def uuid(x: Any, otherwise: Any = REFUSE) -> Rule:
    """Text, or 16 bytes, → UUID.

    Text is 32 hexadecimal digits of either case, with all four hyphens or with none.

    Parameters
    ----------
    x : expression or rule
    otherwise : constant
        Stands for what is no UUID; counted.

    Examples
    --------
    >>> show(rules.uuid(["6BA7B8109DAD11D180B400C04FD430C8", "6ba7b810"]))
    '6BA7B8109DAD11D180B400C04FD430C8' -> 6ba7b810-9dad-11d1-80b4-00c04fd430c8
    '6ba7b810'                         refused: is not a UUID
    """
    return Uuid((x,), otherwise)


@dataclass(frozen=True)
class Bytes(Rule):
    """Text → bytes."""

    encoding: str = "utf-8"
    name: ClassVar[str] = "bytes_"

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:
        """Return binary."""
        reads_text(self.name, inputs[0])
        return target if target.kind is Kind.BINARY else _BINARY

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],  # noqa: ARG002
        target: ColumnType,  # noqa: ARG002
        maps: Mapping[str, Any],  # noqa: ARG002
    ) -> Outcome:
        """Encode."""
        import pyarrow as pa

        if codecs.lookup(self.encoding).name == "utf-8":
            return Outcome(arrays[0].cast(pa.binary()))
        encode = partial(_encoded, encoding=self.encoding)
        values = columns.per_distinct(arrays[0], encode, pa.binary())
        reason = f"has characters that {self.encoding} does not have"
        return columns.finished(values, arrays[0], to=_BINARY, reason=reason)


@dataclass(frozen=True)
class Decode(Rule):
    """Bytes → text."""

    encoding: str = "utf-8"
    otherwise: Any = REFUSE
    name: ClassVar[str] = "decode"

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:
        """Return text."""
        reads(self.name, inputs[0], Kind.BINARY)
        return checked(textual(target), self.name, self.otherwise)

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],
        target: ColumnType,
        maps: Mapping[str, Any],  # noqa: ARG002
    ) -> Outcome:
        """Decode: the whole column at once where it is UTF-8 throughout."""
        to = self.result(inputs, target)
        return columns.finished(
            self._decoded(arrays[0]),
            arrays[0],
            to=to,
            otherwise=self.otherwise,
            reason=f"is not {self.encoding}",
        )

    def _decoded(self, array: pa.Array) -> pa.Array:
        import pyarrow as pa

        if codecs.lookup(self.encoding).name == "utf-8":
            try:
                return array.cast(pa.string())
            except pa.ArrowInvalid:
                pass  # some rows are not; which ones, Python says
        return columns.per_distinct(array, partial(_decoded, encoding=self.encoding), pa.string())


def _encoded(text: str, encoding: str) -> bytes | None:
    try:
        return text.encode(encoding)
    except UnicodeError:
        return None


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeError:
        return None


@dataclass(frozen=True)
class Uuid(Rule):
    """Text or 16 bytes → UUID."""

    otherwise: Any = REFUSE
    name: ClassVar[str] = "uuid"

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:  # noqa: ARG002
        """Return uuid."""
        reads(self.name, inputs[0], *TEXTS, Kind.BINARY, Kind.UUID)
        return checked(_UUID, self.name, self.otherwise)

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],
        target: ColumnType,  # noqa: ARG002
        maps: Mapping[str, Any],  # noqa: ARG002
    ) -> Outcome:
        """Read the digits, or take the bytes."""
        return columns.finished(
            _uuids(arrays[0], inputs[0]),
            arrays[0],
            to=_UUID,
            otherwise=self.otherwise,
            reason="is not a UUID",
        )


def _uuids(array: pa.Array, given: ColumnType) -> pa.Array:
    import pyarrow.compute as pc

    if given.kind is Kind.UUID:
        return array
    if given.kind is Kind.BINARY:
        sized = columns.sure(pc.equal(pc.binary_length(array), _UUID_BYTES))
        return columns.where(sized, array).cast(_UUID.arrow)
    from migrators.types.text import from_text

    texts = pc.ascii_lower(array)
    digits = r"\A([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})\z"
    texts = pc.replace_substring_regex(texts, digits, r"\1-\2-\3-\4-\5")
    form = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    values, _ = from_text(columns.where(columns.matches(texts, form), texts), _UUID)
    return values
