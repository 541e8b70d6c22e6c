"""`rules.text`, `trim`, `truncate`, `lower`, `upper`, `replace`, `scrub`: text as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from migrators.rules import columns
from migrators.rules.base import Outcome, Rule
from migrators.rules.signatures import reads_text, textual
from migrators.types import ColumnType, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa


def text(x: Any) -> Rule:
    """Any value → its one exact text form, which the other rules read back.

    Decimals have all their digits, floats the fewest that read back the same, times six
    decimals, binary is hexadecimal, instants are in UTC with `+00:00`.

    Parameters
    ----------
    x : expression or rule

    Examples
    --------
    >>> show(rules.text([datetime(2024, 2, 29, 12), None]))
    2024-02-29 12:00:00 -> '2024-02-29 12:00:00.000000'
    None                -> None
    """
    return Text((x,))


def trim(x: Any, chars: str | None = None) -> Rule:
    """Take white space, or other characters, off both ends; counted.

    Parameters
    ----------
    x : expression or rule
    chars : str
        Characters to take off; Unicode's white space by default.

    Examples
    --------
    >>> show(rules.trim(["  Ann ", "Bob"]))
    '  Ann ' -> 'Ann'   (changed)
    'Bob'    -> 'Bob'
    """
    return Trim((x,), chars)


def truncate(x: Any, length: int) -> Rule:
    """Cut text after so many characters (code points); counted.

    Parameters
    ----------
    x : expression or rule
    length : int

    Examples
    --------
    >>> show(rules.truncate(["Zoë🧀s", "Zoë"], 4))
    'Zoë🧀s' -> 'Zoë🧀'   (changed)
    'Zoë'   -> 'Zoë'
    """
    if length < 0:
        msg = f"length={length} is negative"
        raise ValueError(msg)
    return Truncate((x,), length)


def lower(x: Any) -> Rule:
    """Make letters small as Python's `str.lower` does, in every script; counted.

    Parameters
    ----------
    x : expression or rule

    Examples
    --------
    >>> show(rules.lower(["ÄB", "äb"]))
    'ÄB' -> 'äb'   (changed)
    'äb' -> 'äb'
    """
    return Lower((x,))


def upper(x: Any) -> Rule:
    """Make letters capital as Python's `str.upper` does, in every script; counted.

    Parameters
    ----------
    x : expression or rule

    Examples
    --------
    >>> show(rules.upper(["äb", "straße"]))
    'äb'     -> 'ÄB'   (changed)
    'straße' -> 'STRASSE'   (changed)
    """
    return Upper((x,))


def replace(x: Any, old: str, new: str) -> Rule:
    """Replace each occurrence of a text, taken literally; counted.

    Parameters
    ----------
    x : expression or rule
    old, new : str

    Examples
    --------
    >>> show(rules.replace(["a.b.c", "abc"], ".", "/"))
    'a.b.c' -> 'a/b/c'   (changed)
    'abc'   -> 'abc'
    """
    if not old:
        msg = "rules.replace: nothing to replace"
        raise ValueError(msg)
    return Replace((x,), old, new)


def scrub(x: Any, nul: str = "") -> Rule:
    r"""Remove NUL characters (U+0000), which some databases do not hold; counted.

    Parameters
    ----------
    x : expression or rule
    nul : str
        What stands in their place: "\ufffd", or nothing.

    Examples
    --------
    >>> show(rules.scrub(["a\0b", "ab"]))
    'a\x00b' -> 'ab'   (changed)
    'ab'     -> 'ab'
    """
    return Scrub((x,), "\0", nul)


@dataclass(frozen=True)
class Text(Rule):
    """Any value → its exact text."""

    name: ClassVar[str] = "text"

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:  # noqa: ARG002
        """Return text."""
        return textual(target)

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],
        target: ColumnType,  # noqa: ARG002
        maps: Mapping[str, Any],  # noqa: ARG002
    ) -> Outcome:
        """Write each value."""
        from migrators.types.text import to_text

        return Outcome(to_text(arrays[0], inputs[0]))


@dataclass(frozen=True)
class TextRule(Rule):
    """A rule from text to text that counts where the text became another one."""

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:
        """Return text."""
        reads_text(self.name, inputs[0])
        return textual(target)

    def apply(
        self,
        arrays: Sequence[pa.Array],
        inputs: Sequence[ColumnType],  # noqa: ARG002
        target: ColumnType,  # noqa: ARG002
        maps: Mapping[str, Any],  # noqa: ARG002
    ) -> Outcome:
        """Make the new texts and compare."""
        values = self.made(arrays[0])
        return Outcome(values, changed=columns.differs(values, arrays[0]))

    def made(self, texts: pa.Array) -> pa.Array:
        """Return the new texts."""
        raise NotImplementedError


@dataclass(frozen=True)
class Trim(TextRule):
    """Text without certain characters at its ends."""

    chars: str | None = None
    name: ClassVar[str] = "trim"

    def made(self, texts: pa.Array) -> pa.Array:
        """Trim."""
        import pyarrow.compute as pc

        if self.chars is None:
            return pc.utf8_trim_whitespace(texts)
        return pc.utf8_trim(texts, characters=self.chars)


@dataclass(frozen=True)
class Truncate(TextRule):
    """Text of so many characters at most."""

    length: int = 0
    name: ClassVar[str] = "truncate"

    def result(self, inputs: Sequence[ColumnType], target: ColumnType) -> ColumnType:  # noqa: ARG002
        """Return text of that length."""
        reads_text(self.name, inputs[0])
        return ColumnType(Kind.TEXT, length=self.length)

    def made(self, texts: pa.Array) -> pa.Array:
        """Cut."""
        import pyarrow.compute as pc

        return pc.utf8_slice_codeunits(texts, 0, self.length)


@dataclass(frozen=True)
class Lower(TextRule):
    """Text in small letters."""

    name: ClassVar[str] = "lower"

    def made(self, texts: pa.Array) -> pa.Array:
        """Fold."""
        import pyarrow.compute as pc

        if _ascii(texts):
            return pc.ascii_lower(texts)
        return columns.per_distinct(texts, str.lower, texts.type)


@dataclass(frozen=True)
class Upper(TextRule):
    """Text in capital letters."""

    name: ClassVar[str] = "upper"

    def made(self, texts: pa.Array) -> pa.Array:
        """Fold."""
        import pyarrow.compute as pc

        if _ascii(texts):
            return pc.ascii_upper(texts)
        return columns.per_distinct(texts, str.upper, texts.type)


def _ascii(texts: pa.Array) -> bool:
    """Whether all letters are ASCII's; for others Arrow's tables differ between versions."""
    import pyarrow.compute as pc

    return bool(pc.all(pc.string_is_ascii(texts), min_count=0).as_py())


@dataclass(frozen=True)
class Replace(TextRule):
    """Text with another text in the place of one."""

    old: str = ""
    new: str = ""
    name: ClassVar[str] = "replace"

    def made(self, texts: pa.Array) -> pa.Array:
        """Replace."""
        import pyarrow.compute as pc

        return pc.replace_substring(texts, self.old, self.new)


@dataclass(frozen=True)
class Scrub(Replace):
    """Text without NUL characters."""

    name: ClassVar[str] = "scrub"
