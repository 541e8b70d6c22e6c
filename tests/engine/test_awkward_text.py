"""Text and bytes that databases cut, strip, fold or take for something else."""

from __future__ import annotations

import unicodedata

import pytest

from migrators.errors import ExtractError, ValueRefused
from tests.engine.journey import NOTES, Journey, inserts, named, numbered, rules
from tests.unit.preflight.asking import checked, only_stop

TEXT = NOTES.format("Text")


def x_of(journey: Journey) -> list[object]:
    """Return the new values in the order of their keys."""
    return [x for (x,) in journey.shop.rows("SELECT x FROM notes ORDER BY id")]


def test_d46_nul_in_text_is_refused_and_never_stripped(journey: Journey) -> None:
    """At the beginning, in the middle, at the end, alone."""
    journey.schemas(TEXT)
    error = journey.refused(ValueRefused, numbered(["ok", "a\0b", "\0", "a\0", "\0a"]))
    assert named(error) == ("notes", "x", 4, ["id 2", "id 3", "id 4", "id 5"])
    assert "rules.scrub" in error.reason


def test_d46_nul_is_taken_out_by_rule_and_counted(journey: Journey) -> None:
    """The step says it, the receipt says how often."""
    journey.schemas(TEXT, step="step.table(new.notes).values(x=rules.scrub(old.notes.c.x))")
    receipt = journey.converts(numbered(["ok", "a\0b", "\0", None]))
    assert x_of(journey) == ["ok", "ab", "", None]
    assert rules(receipt) == [("notes", "x", "scrub", 2)]


def test_d47_an_escaped_nul_in_json_arrives(journey: Journey) -> None:
    """SQLite holds the document's text, in which the escape is six plain characters."""
    journey.schemas(NOTES.format("JSON"))
    journey.arrives(numbered([r'"\u0000"', r'{"a\u0000b": "\u0000"}']))


BAD = "INSERT INTO notes VALUES (1, 'ok'), (2, CAST(x'C3' AS TEXT)), (3, CAST(x'61FF62' AS TEXT))"


@pytest.mark.parametrize("declared", ["Text", "String(30)", "Enum('ok', 'a')", "JSON"])
def test_d48_text_that_is_not_utf8_is_refused_with_its_hex(journey: Journey, declared: str) -> None:
    """Neither replaced nor dropped; whatever the column holds text for."""
    journey.schemas(NOTES.format(declared))
    error = journey.refused(ValueRefused, BAD)
    assert named(error) == ("notes", "x", 2, ["id 2", "id 3"])
    assert [value for _, value in error.samples] == ["x'c3'", "x'61ff62'"]


def test_d48_text_that_is_not_utf8_becomes_bytes_or_is_decoded_by_rule(journey: Journey) -> None:
    """The old server gives the bytes, the rule says what they mean."""
    journey.schemas(
        TEXT,
        't("notes", Column("id", Integer, primary_key=True), Column("x", Text),'
        ' Column("raw", LargeBinary))',
        """
        raw = sa.cast(old.notes.c.x, sa.LargeBinary)
        step.table(new.notes).values(raw=raw, x=rules.decode(raw, "latin-1"))
        """,
    )
    journey.converts(BAD)
    assert journey.shop.rows("SELECT x, raw FROM notes ORDER BY id") == [
        ("ok", b"ok"),
        ("Ã", b"\xc3"),
        ("aÿb", b"a\xffb"),
    ]


def test_d49_characters_past_the_basic_plane_arrive(journey: Journey) -> None:
    """Emoji with skin tones and joiners, the last code point there is, and as keys."""
    words = ["😀", "👨‍👩‍👧‍👦", "👍🏽", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "\U0010ffff", "𝔘𝔫𝔦", "\ufffe", "\ufffd"]
    journey.schemas(TEXT + 't("words", Column("x", String(20), primary_key=True))')
    journey.arrives(numbered(words), inserts("words", [(word,) for word in words]))
    assert x_of(journey) == words


def test_d50_text_that_was_encoded_twice_keeps_its_bytes(journey: Journey) -> None:
    """Mojibake is somebody's data; nothing here knows better."""
    twice = ["Zoë".encode().decode("latin-1"), "â\x82¬", "Ã\x83Â¶"]
    journey.schemas(TEXT)
    journey.arrives(numbered(twice))
    assert x_of(journey) == twice


@pytest.mark.parametrize(
    ("collation", "one", "other"),
    [("NOCASE", "Ann", "ann"), ("RTRIM", "ann", "ann  ")],
)
@pytest.mark.parametrize("how", ["unique", "primary_key"])
def test_d51_keys_that_are_equal_under_the_new_collation_are_refused(
    journey: Journey, collation: str, one: str, other: str, how: str
) -> None:
    """Found by `check` beforehand; a run that is started all the same is refused, too."""
    old = 't("users", Column("x", String(20), {}), Column("y", Integer))'
    new = old.replace("String(20)", f"String(20, collation={collation!r})")
    journey.schemas(old.format("primary_key=True"), new.format(f"{how}=True"))
    error = journey.refused(ValueRefused, inserts("users", [(one, 1), (other, 2), ("bob", 3)]))
    assert named(error) == ("users", "x", 2, [f"x {one}", f"x {other}"])
    finding = only_stop(checked(journey.shop))
    assert "users.x" in finding.title
    journey.shop.sql("DELETE FROM users WHERE y = 2")
    journey.goes()


def test_d52_spaces_at_the_end_are_kept(journey: Journey) -> None:
    """CHAR(n) neither pads nor trims here."""
    words = ["a", "a ", "a  ", " ", "", "a\t", "a\u00a0"]
    body = 't("notes", Column("x", sa.CHAR(5), primary_key=True), Column("y", sa.CHAR(5)))'
    journey.schemas(body)
    journey.arrives(inserts("notes", [(word, word) for word in words]))
    assert sorted(x for (x,) in journey.shop.rows("SELECT y FROM notes")) == sorted(words)


def test_d53_a_value_that_is_too_long_is_refused(journey: Journey) -> None:
    """Characters count, not bytes; SQLite itself would take any length."""
    journey.schemas(TEXT, NOTES.format("String(3)"))
    error = journey.refused(ValueRefused, numbered(["abc", "äöü", "😀😀😀", "abcd", "ab\u0301c"]))
    assert named(error) == ("notes", "x", 2, ["id 4", "id 5"])
    assert error.reason == "is longer than 3 characters"


def test_d53_a_value_is_cut_by_rule_only_and_counted(journey: Journey) -> None:
    """`truncate` says so."""
    journey.schemas(
        TEXT,
        NOTES.format("String(3)"),
        "step.table(new.notes).values(x=rules.truncate(old.notes.c.x, 3))",
    )
    receipt = journey.converts(numbered(["abc", "abcd", "😀😀😀😀", None]))
    assert x_of(journey) == ["abc", "abc", "😀😀😀", None]
    assert rules(receipt) == [("notes", "x", "truncate", 2)]


def test_d53_bytes_that_are_too_long_are_refused(journey: Journey) -> None:
    """A declared length of binary counts bytes."""
    journey.schemas(NOTES.format("LargeBinary"), NOTES.format("LargeBinary(2)"))
    error = journey.refused(ValueRefused, numbered([b"ab", b"abc", None]))
    assert named(error) == ("notes", "x", 1, ["id 2"])


def test_d54_composed_and_decomposed_are_two_texts(journey: Journey) -> None:
    """NFC and NFD, zero-width joiners, right-to-left marks: distinct keys, byte by byte."""
    words = [unicodedata.normalize(form, "é ﬁ Å") for form in ("NFC", "NFD", "NFKC", "NFKD")]
    words += [
        "שלום",
        "\u202eabc",
        "abc",
        "a\u200db",
        "ab",
        "\u00ad",
        "a\u0301\u0302",
        "İ",
        "ß",
        "ss",
    ]
    distinct = list(dict.fromkeys(words))
    body = 't("words", Column("x", Text, unique=True), Column("id", Integer, primary_key=True))'
    journey.schemas(TEXT + body)
    journey.arrives(numbered(words), inserts("words", [(w, i) for i, w in enumerate(distinct)]))
    assert x_of(journey) == words


def test_d54_a_step_compares_text_by_bytes(journey: Journey) -> None:
    """A condition of the step folds neither case nor accents, whatever the column's collation."""
    body = NOTES.format("Text(collation='NOCASE')")
    journey.schemas(
        body, step='step.table(new.notes).drop_rows(old.notes.c.x == "deleted", because="gone")'
    )
    receipt = journey.converts(numbered(["deleted", "Deleted", "deleted ", "déleted", None]))
    assert x_of(journey) == ["Deleted", "deleted ", "déleted", None]
    assert [(x.because, x.rows) for x in receipt.tables[0].left] == [("gone", 1)]


def test_d55_bytes_of_all_values_and_none(journey: Journey) -> None:
    """Empty, NULL, every byte, text of bytes, the signature of the format itself."""
    blobs = [b"", None, bytes(range(256)), b"\0", b"\0\0", b"PAR1", b'"', b"\xff\xfe", b"00ff"]
    journey.schemas(NOTES.format("LargeBinary") + 't("fixed", Column("x", sa.BINARY(4)))')
    journey.arrives(numbered(blobs), inserts("fixed", [(b"\0\0\0\0",), (b"\xff " * 2,), (None,)]))
    assert x_of(journey) == blobs


def test_d55_text_in_a_blob_column_is_refused(journey: Journey) -> None:
    """It is text, not bytes, and which bytes is for the step to say."""
    journey.schemas(NOTES.format("LargeBinary"))
    error = journey.refused(
        ValueRefused, "INSERT INTO notes VALUES (1, x'00'), (2, 'text'), (3, 7)"
    )
    assert named(error) == ("notes", "x", 2, ["id 2", "id 3"])


def test_d55_hex_that_is_none_in_a_fixture_is_refused(journey: Journey) -> None:
    """Half a byte, and letters past f, in a file that a person edits."""
    import pyarrow as pa

    journey.schemas(NOTES.format("LargeBinary"))
    source = journey.fixture(notes=pa.RecordBatch.from_pydict({"id": [1], "x": [b"\xab"]}))
    if journey.files == "parquet":
        journey.loads(source)
        assert x_of(journey) == [b"\xab"]
        return
    for bad in ("abc", "xy", "0xab", "a b"):
        (source / "notes.csv").write_text(f"id,x\n1,{bad}\n")
        assert "notes.csv:2" in journey.not_loaded(source, ExtractError).message
