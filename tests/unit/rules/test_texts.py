"""Rules from text to text, and text ⇄ bytes."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrators import rules
from tests.unit.rules.applied import applied, values

if TYPE_CHECKING:
    from migrators.rules.base import Rule

_TEXTS = st.lists(st.none() | st.text(), max_size=8).map(lambda t: [*t, "x"])
_UUID = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-(2**63), "-9223372036854775808"),
        (True, "true"),
        (0.1, "0.1"),
        (Decimal("12.50"), "12.50"),
        (" as is ", " as is "),
        (b"\x00\xff", "00ff"),
        (_UUID, str(_UUID)),
        (dt.date(1, 1, 1), "0001-01-01"),
        (dt.time(23, 59, 59, 999999), "23:59:59.999999"),
        (dt.datetime(2024, 2, 29, 12), "2024-02-29 12:00:00.000000"),  # noqa: DTZ001
        (dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC), "2024-02-29 12:00:00.000000+00:00"),
    ],
)
def test_text_of_every_kind(value: Any, expected: str) -> None:
    """Each kind has its one text form; NULL has none."""
    assert [expected, None] == values(rules.text([value, None]))


def test_trim() -> None:
    """Unicode's white space at both ends, or the characters given; inside nothing."""
    got = applied(rules.trim([" a b\t\n", "\u00a0x\u2003", "x", "", None]))
    assert (got.values, got.changed) == (["a b", "x", "x", "", None], [0, 1])
    got = applied(rules.trim(["--a-b-", " a"], chars="-"))
    assert (got.values, got.changed) == (["a-b", " a"], [0])


def test_d53_too_long_is_cut_only_by_rule() -> None:
    """FAULTS D53: `truncate` counts characters, not bytes or UTF-16 units, and each cut row."""
    got = applied(rules.truncate(["Zoë🧀🧀", "Zoë🧀", "", None], 4), "text(4)")
    assert (got.values, got.changed) == (["Zoë🧀", "Zoë🧀", "", None], [0])
    with pytest.raises(ValueError, match="negative"):
        rules.truncate("x", -1)


@given(_TEXTS, st.integers(0, 5))
def test_truncate_is_a_slice(texts: list[str | None], length: int) -> None:
    """What stays is Python's slice of the same length."""
    got = applied(rules.truncate(texts, length))
    assert [None if t is None else t[:length] for t in texts] == got.values


@given(_TEXTS)
def test_case_is_pythons(texts: list[str | None]) -> None:
    """Letters of every script fold as Python folds them, also where the length changes."""
    assert [t and t.lower() for t in texts] == applied(rules.lower(texts)).values
    assert [t and t.upper() for t in texts] == applied(rules.upper(texts)).values


def test_case_counts() -> None:
    """Only rows that became others are counted."""
    got = applied(rules.lower(["ABC", "abc", None]))
    assert (got.values, got.changed) == (["abc", "abc", None], [0])
    got = applied(rules.upper(["straße", "X"]))
    assert (got.values, got.changed) == (["STRASSE", "X"], [0])


def test_replace_is_literal() -> None:
    """A point is a point, not any character; each occurrence goes."""
    got = applied(rules.replace(["a.b.c", "abc", None], ".", ""))
    assert (got.values, got.changed) == (["abc", "abc", None], [0])
    with pytest.raises(ValueError, match="nothing to replace"):
        rules.replace("x", "", "y")


def test_d46_nul_is_removed_only_by_rule() -> None:
    """FAULTS D46: `scrub` takes NULs out and counts the rows; no other rule touches them."""
    got = applied(rules.scrub(["a\0b\0", "ab", "", None]))
    assert (got.values, got.changed) == (["ab", "ab", "", None], [0])
    assert applied(rules.scrub(["a\0b"], nul="\ufffd")).values == ["a\ufffdb"]
    assert values(rules.trim(["\0a\0"])) == ["\0a\0"]


@pytest.mark.parametrize("text", ["e\u0301", "👩\u200d💻", "\u202eabc", "\ufeffa", "é"])
def test_d54_code_points_stay_as_they_are(text: str) -> None:
    """FAULTS D54: nothing is normalised, joined or reordered on the way."""
    for rule in (rules.trim([text]), rules.text([text]), rules.replace([text], "z", "y")):
        assert [text] == values(rule)


def test_d48_invalid_utf8_is_refused_or_decoded_by_rule() -> None:
    """FAULTS D48: refused by its row; by rule read as another encoding, or replaced, counted."""
    raw = [b"Zo\xc3\xab", b"Zo\xeb", None, b""]
    got = applied(rules.decode(raw))
    assert (got.values, got.refused, got.reason) == (["Zoë", None, None, ""], [1], "is not utf-8")
    got = applied(rules.decode(raw, otherwise="?"))
    assert (got.values, got.changed, got.refused) == (["Zoë", "?", None, ""], [1], [])
    assert values(rules.decode([b"Zo\xeb"], encoding="latin-1")) == ["Zoë"]


def test_bytes_of_text() -> None:
    """UTF-8 holds all text; another encoding refuses what it does not have."""
    assert values(rules.bytes_(["Zoë", None, ""]), "binary") == [b"Zo\xc3\xab", None, b""]
    got = applied(rules.bytes_(["Zoë", "🧀"], encoding="latin-1"))
    assert (got.values, got.refused) == ([b"Zo\xeb", None], [1])
    with pytest.raises(LookupError):
        rules.bytes_("x", encoding="utf-9")


@given(_TEXTS, st.sampled_from(["utf-8", "utf-16", "utf-32-le"]))
def test_decode_gives_back_what_was_encoded(texts: list[str | None], encoding: str) -> None:
    """Text → bytes → text is the same text."""
    assert texts == values(rules.decode(rules.bytes_(texts, encoding), encoding))


def test_uuid_forms() -> None:
    """Digits of either case, all hyphens or none; braces, urn and short ones are refused."""
    text = str(_UUID)
    good = [text, text.upper(), _UUID.hex, None]
    assert [_UUID.bytes, _UUID.bytes, _UUID.bytes, None] == values(rules.uuid(good), "uuid")
    bad = [f"{{{text}}}", f"urn:uuid:{text}", text[:-1], "", text.replace("-", "", 1), f" {text}"]
    assert list(range(len(bad))) == applied(rules.uuid(bad)).refused
    got = applied(rules.uuid([*bad, text], otherwise=uuid.UUID(int=0)), "uuid")
    assert ([bytes(16)] * 6 + [_UUID.bytes], list(range(6))) == (got.values, got.changed)


def test_uuid_of_bytes() -> None:
    """Sixteen bytes are a UUID, no more and no fewer."""
    got = applied(rules.uuid([_UUID.bytes, b"short", None]))
    assert ([_UUID.bytes, None, None], [1]) == (got.values, got.refused)


@given(st.lists(st.uuids(), min_size=1))
def test_uuid_of_text_is_itself(uuids: list[uuid.UUID]) -> None:
    """Every UUID comes back from its text form."""
    assert [u.bytes for u in uuids] == values(rules.uuid(rules.text(uuids)))


@pytest.mark.parametrize(
    "rule",
    [rules.trim([1]), rules.truncate([1], 2), rules.lower([1]), rules.replace([1], "a", "b"),
     rules.scrub([1]), rules.bytes_([1])],
)  # fmt: skip
def test_text_rules_read_text_only(rule: Rule) -> None:
    """A number is no text; the message says what to write."""
    with pytest.raises(
        TypeError, match=rf"rules\.{rule.name} reads text, not integer.*rules\.text"
    ):
        applied(rule)
