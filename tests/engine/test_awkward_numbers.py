"""Numbers that others round, wrap or clip: exact here, refused by name, or changed and counted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from migrators.errors import PlanError, ValueRefused
from tests.engine.journey import NOTES, named, numbered, rules

if TYPE_CHECKING:
    from tests.engine.journey import Journey

BIG = NOTES.format("BigInteger")
WIDE = "Numeric({0}, {1}).with_variant(String(80), 'sqlite')"
"""A decimal that SQLite keeps as text, as the lint advises."""


def x_of(journey: Journey) -> list[Any]:
    """Return the new values in the order of their keys."""
    return [x for (x,) in journey.shop.rows("SELECT x FROM notes ORDER BY id")]


def test_b15_nullable_bigints_past_the_doubles(journey: Journey) -> None:
    """A NULL beside 2^53 + 1 makes a float of neither."""
    values = [2**53 + 1, None, -(2**53) - 1, 2**63 - 1, -(2**63), 0, None]
    journey.schemas(BIG)
    journey.arrives(numbered(values))
    assert x_of(journey) == values


def test_b16_unsigned_integers_as_text_are_decimals_of_20_digits(journey: Journey) -> None:
    """2^63 and more are no SQLite integers; as text they arrive whole."""
    values = ["9223372036854775808", "18446744073709551615", None, "0"]
    journey.schemas(NOTES.format(WIDE.format(20, 0)))
    journey.arrives(numbered(values))
    assert x_of(journey) == values


def test_b16_unsigned_integers_into_bigint_are_refused(journey: Journey) -> None:
    """By rule, from text; and where SQLite made a real of the literal, by its storage class."""
    journey.schemas(
        NOTES.format("Text"), BIG, "step.table(new.notes).values(x=rules.integer(old.notes.c.x))"
    )
    error = journey.refused(ValueRefused, numbered(["1", "18446744073709551615", "2"]))
    assert named(error) == ("notes", "x", 1, ["id 2"])


def test_b16_a_real_where_an_unsigned_integer_was_meant_is_refused(journey: Journey) -> None:
    """SQLite keeps the literal 2^63 as 9.22e18, whatever the column says."""
    journey.schemas(BIG)
    error = journey.refused(
        ValueRefused, "INSERT INTO notes VALUES (1, 1), (2, 9223372036854775808), (3, 1e19)"
    )
    assert named(error) == ("notes", "x", 2, ["id 2", "id 3"])
    assert "is real where integer(64) is declared" in error.reason


@pytest.mark.parametrize("bad", ["9223372036854775808", "-9223372036854775809", "1e300", "1.5"])
def test_b17_an_integer_that_is_too_large_is_refused(journey: Journey, bad: str) -> None:
    """No clipping to the largest one, which others stored."""
    journey.schemas(
        NOTES.format("Text"), BIG, "step.table(new.notes).values(x=rules.integer(old.notes.c.x))"
    )
    error = journey.refused(ValueRefused, numbered(["1", bad, bad]))
    assert named(error) == ("notes", "x", 2, ["id 2", "id 3"])


def test_b17_integers_past_32_bits_into_integer(journey: Journey) -> None:
    """SQLite's INTEGER holds 64 bits, so they arrive; a rule holds them to what is declared."""
    values = [2**31 - 1, 2**31, -(2**31), -(2**31) - 1]
    journey.schemas(BIG, NOTES.format("Integer"))
    journey.arrives(numbered(values))
    assert x_of(journey) == values
    journey.shop.database(2).unlink()
    journey.shop.step("step.table(new.notes).values(x=rules.integer(old.notes.c.x))")
    error = journey.stops(ValueRefused)
    assert named(error) == ("notes", "x", 2, ["id 2", "id 4"])


def test_b18_decimals_to_65_digits_as_text(journey: Journey) -> None:
    """Any scale, and a sign."""
    values = ["9" * 35 + "." + "9" * 30, "-0." + "0" * 29 + "1", None, "0." + "0" * 30]
    journey.schemas(NOTES.format(WIDE.format(65, 30)) + 't("d", Column("x", Numeric(15, 0)))')
    journey.arrives(numbered(values), "INSERT INTO d VALUES (999999999999999), (-1)")
    assert x_of(journey) == values


def test_b18_decimals_that_sqlite_would_round_are_refused_in_the_plan(journey: Journey) -> None:
    """65 digits in a column of numeric affinity: the plan says what to write instead."""
    journey.schemas(NOTES.format("Numeric(65, 30)"))
    with pytest.raises(PlanError, match=r"with_variant\(sa\.String\(67\), 'sqlite'\)"):
        journey.shop.plan()


def test_b18_a_decimal_of_more_digits_than_a_double_keeps_is_refused(journey: Journey) -> None:
    """Real(0.1) + real(0.2) is no decimal(15, 10), and 17 digits are no decimal of 15."""
    journey.schemas(NOTES.format("Numeric(15, 10)"))
    error = journey.refused(
        ValueRefused, "INSERT INTO notes VALUES (1, 0.1), (2, 0.1 + 0.2), (3, 1234567.12345678901)"
    )
    assert named(error) == ("notes", "x", 2, ["id 2", "id 3"])


def test_b20_a_third_decimal_is_refused_and_rounds_by_rule_only(journey: Journey) -> None:
    """1.239 into numeric(5, 2): refused by default, counted where the step rounds."""
    old, new = NOTES.format("Numeric(6, 3)"), NOTES.format("Numeric(5, 2)")
    step = "step.table(new.notes).values(x=rules.decimal(old.notes.c.x{}))"
    journey.schemas(old, new)
    with pytest.raises(PlanError, match=r"notes\.x"):
        journey.shop.plan()
    journey.shop.step(step.format(""))
    error = journey.refused(ValueRefused, numbered([1.23, 1.239, 1.245, None]))
    assert named(error) == ("notes", "x", 2, ["id 2", "id 3"])
    journey.shop.step(step.format(', rounding="half_even"'))
    receipt = journey.goes(changed=["notes"])
    assert x_of(journey) == [1.23, 1.24, 1.24, None]
    assert rules(receipt) == [("notes", "x", "decimal", 2)]


def test_b21_infinity_in_a_decimal_is_refused(journey: Journey) -> None:
    """SQLite holds no NaN, but an infinite real in a decimal column."""
    journey.schemas(NOTES.format("Numeric(10, 2)"))
    error = journey.refused(ValueRefused, "INSERT INTO notes VALUES (1, 1.5), (2, 9e999)")
    assert named(error) == ("notes", "x", 1, ["id 2"])


def test_b21_nan_in_text_is_no_decimal(journey: Journey) -> None:
    """In a decimal that is kept as text, and by a rule."""
    journey.schemas(NOTES.format(WIDE.format(30, 2)))
    error = journey.refused(ValueRefused, numbered(["1.00", "NaN", "Infinity", "-inf"]))
    assert named(error) == ("notes", "x", 3, ["id 2", "id 3", "id 4"])


def test_b22_subnormals_and_infinities_arrive_bit_by_bit(journey: Journey) -> None:
    """The smallest, the largest, the infinite; 0.1 + 0.2 in all its digits."""
    values = [5e-324, -2.2250738585072011e-308, 1.7976931348623157e308, 0.1 + 0.2, 1 / 3, 2.0**53]
    journey.schemas(NOTES.format("Float"))
    journey.arrives(
        numbered(values), "INSERT INTO notes VALUES (7, 9e999), (8, -9e999), (9, NULL), (10, 1)"
    )
    assert x_of(journey) == [*values, math.inf, -math.inf, None, 1.0]


def test_b22_negative_zero_is_what_sqlite_makes_of_it(journey: Journey) -> None:
    """A REAL column has lost the sign before we come; one without affinity keeps it."""
    journey.schemas(NOTES.format("Float"))
    journey.arrives("INSERT INTO notes VALUES (1, -0.0), (2, 0.0)")
    assert [math.copysign(1, x) for x in x_of(journey)] == [1.0, 1.0]


def test_b22_negative_zero_and_nan_from_text_are_refused(journey: Journey) -> None:
    """What the new column would change into something else is refused, one by one."""
    journey.schemas(
        NOTES.format("Text"),
        NOTES.format("Float"),
        "step.table(new.notes).values(x=rules.float_(old.notes.c.x))",
    )
    error = journey.refused(ValueRefused, numbered(["1.5", "-0.0"]))
    assert named(error) == ("notes", "x", 1, ["id 2"])
    journey.shop.sql("UPDATE notes SET x = 'nan' WHERE id = 2")
    error = journey.stops(ValueRefused)
    assert named(error) == ("notes", "x", 1, ["id 2"])
    assert "NaN, which SQLite stores as NULL" in error.reason


def test_b22_nan_becomes_null_by_rule_and_is_counted(journey: Journey) -> None:
    """The step says it, the receipt says how often."""
    journey.schemas(
        NOTES.format("Text"),
        NOTES.format("Float"),
        'step.table(new.notes).values(x=rules.float_(rules.null_if(old.notes.c.x, "nan")))',
    )
    receipt = journey.converts(numbered(["1.5", "nan", None, "nan"]))
    assert x_of(journey) == [1.5, None, None, None]
    assert rules(receipt) == [("notes", "x", "null_if", 2)]


SAME = """
step.same("notes", old=select(func.count(old.notes.c.id)), new=select(func.count(new.notes.c.id)))
"""


def test_b23_null_and_nan_of_a_function_are_not_merged(journey: Journey) -> None:
    """Arrow-backed frames keep them apart; the NaN is refused, the NULL is not."""
    journey.schemas(NOTES.format("Float"))
    journey.shop.step(
        "step.table(new.notes).computed(odd, reads=select(old.notes.c.id, old.notes.c.x))" + SAME,
        before="""
            import pyarrow as pa
            from collections.abc import Iterator
            def odd(batches: Iterator[pa.RecordBatch]):
                for batch in batches:
                    x = pa.array([None, float("nan"), 1.0], pa.float64())
                    yield batch.set_column(1, "x", x)
        """,
    )
    error = journey.refused(ValueRefused, numbered([1.0, 2.0, 3.0]))
    assert named(error) == ("notes", "x", 1, ["id 2"])


@pytest.mark.parametrize(
    ("declared", "given"),
    [
        ("BigInteger", "pa.array([1.0, 2.0])"),
        ("BigInteger", "pa.array([1, 2**63], pa.uint64())"),
        ("BigInteger", "pa.array([True, False])"),
        ("Text", "pa.array([1, 2])"),
        ("Text", "pa.array([b'a', b'b'])"),
        ("Float", "pa.array([1, 2])"),
        ("Numeric(10, 2)", "pa.array([1.5, 2.5])"),
        ("DateTime", "pa.array([1, 2], pa.timestamp('ns'))"),
        ("DateTime", "pa.array([1, 2], pa.timestamp('us', 'UTC'))"),
        ("DateTime(timezone=True)", "pa.array([1, 2], pa.timestamp('us'))"),
        ("Boolean", "pa.array([0, 1])"),
        ("Uuid", "pa.array(['0' * 32, '1' * 32])"),
        ("Date", "pa.array([0, 1], pa.timestamp('us'))"),
    ],
)
def test_b25_an_arrow_type_that_is_not_the_declared_one_is_refused(
    journey: Journey, declared: str, given: str
) -> None:
    """What a function gives is of the declared kind, and each value exactly; nothing is rounded."""
    journey.schemas(NOTES.format(declared))
    journey.shop.step(
        "step.table(new.notes).computed(odd, reads=select(old.notes.c.id, old.notes.c.x))" + SAME,
        before=f"""
            import pyarrow as pa
            from collections.abc import Iterator
            def odd(batches: Iterator[pa.RecordBatch]):
                for batch in batches:
                    fields = {{"id": pa.array([1, 2]), "x": {given}}}
                    yield pa.RecordBatch.from_pydict(fields)
        """,
    )
    error = journey.refused(ValueRefused, "INSERT INTO notes VALUES (1, NULL), (2, NULL)")
    assert (error.table, error.column) == ("notes", "x")
    assert error.reason.startswith("is ")


def test_b27_booleans_are_0_1_or_null(journey: Journey) -> None:
    """Any other number is refused, and so is the word."""
    journey.schemas(NOTES.format("Boolean"))
    journey.arrives(numbered([0, 1, None]))
    assert x_of(journey) == [0, 1, None]


def test_b27_a_boolean_of_2_is_refused(journey: Journey) -> None:
    """2, -1 and 'true' in a column declared Boolean."""
    journey.schemas(NOTES.format("Boolean"))
    error = journey.refused(ValueRefused, numbered([0, 2, 1, -1]))
    assert named(error) == ("notes", "x", 2, ["id 2", "id 4"])
    journey.shop.sql("UPDATE notes SET x = 'true' WHERE id > 1")
    error = journey.stops(ValueRefused)
    assert named(error) == ("notes", "x", 3, ["id 2", "id 3", "id 4"])


def test_b29_the_largest_of_every_unsigned_width(journey: Journey) -> None:
    """oid, uint8 to uint32 are integers here; xid8 and uint64 are text or decimals."""
    values = [255, 65_535, 4_294_967_295, 4_294_967_296]
    journey.schemas(BIG + f't("xids", Column("x", {WIDE.format(20, 0)}, primary_key=True))')
    journey.arrives(numbered(values), "INSERT INTO xids VALUES ('18446744073709551615')")
    assert x_of(journey) == values


def test_b30_integers_in_json_documents_are_not_read(journey: Journey) -> None:
    """The document's own text arrives: 2^53 + 1, 1e400, spaces, the order of keys."""
    texts = [
        '{"b": 9007199254740993, "a":1e400,  "a": 1.10}',
        "[18446744073709551616, -0.0, 1E-400]",
        '"007"',
        "null",
        '{"x":"\\u00e9\\ud83d\\ude00"}',
        " [1]\n",
    ]
    journey.schemas(NOTES.format("JSON"))
    journey.arrives(numbered([*texts, None]))
    assert x_of(journey) == [*texts, None]


def test_b30_bare_numbers_in_a_json_column(journey: Journey) -> None:
    """Numeric affinity made integers of them, which arrive; an infinite one is refused."""
    journey.schemas(NOTES.format("JSON"))
    journey.shop.create(numbered(["9007199254740993", "1.5", "-7", "true"]))
    journey.shop.sql("INSERT INTO notes VALUES (5, '1e400')")
    error = journey.stops(ValueRefused)
    assert named(error) == ("notes", "x", 1, ["id 5"])
    journey.shop.sql("DELETE FROM notes WHERE id = 5")
    journey.goes()
    assert x_of(journey) == [9007199254740993, 1.5, -7, "true"]
