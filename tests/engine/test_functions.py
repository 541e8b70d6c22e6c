"""What a step's function is given, it may give back: every type, in each of the three forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.errors import ValueRefused

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

EVERY = """
t("things", Column("id", Integer, primary_key=True),
  Column("flag", Boolean), Column("real", Float), Column("cents", Numeric(10, 2)),
  Column("wide", Numeric(30, 4).with_variant(String(), "sqlite")), Column("label", String(20)),
  Column("kind", Enum("a", "b", name="kind")), Column("document", JSON),
  Column("raw", LargeBinary), Column("uid", Uuid), Column("day", Date), Column("hour", Time),
  Column("clock", DateTime), Column("moment", DateTime(timezone=True)),
  Column("took", sa.Interval), Column("big", BigInteger))
"""

ROWS = """
INSERT INTO things VALUES (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  NULL, NULL, NULL, NULL),
  (2, 1, 0.1, 12.5, '123456789012345678901234.5600', '', 'b',
  '{"a":  [1, null]}', x'00ff', '80000000000080008a19f9c7cfdeee24', '2024-02-29',
  '23:59:59.000001', '1969-12-31 23:59:59.999999', '2024-02-29 12:00:00.000000',
  '1970-01-02 00:00:01.500000', 9007199254740993)
"""

SAME = (
    'step.same("rows", old=select(func.count(old.things.c.id)),'
    " new=select(func.count(new.things.c.id)))"
)

FORMS = {
    "frames": "(frames):\n    for frame in frames:\n        yield frame",
    "objects": (
        "(frames):\n    for frame in frames:\n"
        "        yield frame.astype(object).where(frame.notna(), None)"
    ),
    "batches": '(batches: "Iterator[pa.RecordBatch]"):\n    yield from batches',
    "rows": '(rows: "Iterator[dict]"):\n    yield from rows',
}


@pytest.mark.parametrize("form", FORMS)
def test_what_a_function_is_given_it_may_give_back(shop: Sandbox, form: str) -> None:
    """A function that changes nothing changes nothing, whatever the column's type."""
    shop.schema(1, EVERY)
    shop.schema(2, EVERY)
    step = f"step.table(new.things).computed(same, reads=select(old.things)); {SAME}"
    shop.step(step, before=f"def same{FORMS[form]}\n")
    shop.create(ROWS)
    before = shop.rows("SELECT * FROM things", 1)
    shop.migrate()
    assert shop.rows("SELECT * FROM things") == before


def test_rows_hold_values_of_python(shop: Sandbox) -> None:
    """A UUID is a `uuid.UUID`, as the page of steps says of rows; a document is its text."""
    shop.schema(1, EVERY)
    shop.schema(2, 't("said", Column("id", Integer, primary_key=True), Column("types", Text))')
    said = '" ".join(type(v).__name__ for v in row.values())'
    before = f"""
def kinds(rows: "Iterator[dict]"):
    for row in rows:
        yield {{"id": row["id"], "types": {said}}}
"""
    same = SAME.replace("new.things", "new.said")
    step = f"step.table(new.said).computed(kinds, reads=select(old.things)); {same}"
    shop.step(step, before=before)
    shop.create(ROWS)
    shop.migrate()
    assert shop.rows("SELECT types FROM said WHERE id = 2") == [
        (
            "int bool float Decimal Decimal str str str bytes UUID date time datetime datetime"
            " timedelta int",
        )
    ]


@pytest.mark.fault("C40")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("clock", 'pd.Timestamp("2024-02-29 12:00:00.000000001")'),
        ("moment", 'pd.Timestamp("2024-02-29 12:00:00.000000001", tz="UTC")'),
        ("took", 'pd.Timedelta(1_000_001, "ns")'),
        ("clock", "pd.NaT"),
        ("took", "pd.NaT"),
    ],
)
def test_what_pandas_holds_beyond_microseconds_is_refused(
    shop: Sandbox, column: str, value: str
) -> None:
    """Arrow would cut nanoseconds off in silence, and NaT is no time of any column."""
    shop.schema(1, EVERY)
    shop.schema(2, EVERY)
    before = f"""
import pandas as pd

def late(rows: "Iterator[dict]"):
    for row in rows:
        yield {{**row, "{column}": {value}}}
"""
    shop.step(
        f"step.table(new.things).computed(late, reads=select(old.things)); {SAME}", before=before
    )
    shop.create(ROWS)
    refused = f"things.{column}: 1 row at row 0: is .* does not hold"
    with pytest.raises(ValueRefused, match=refused) as told:
        shop.migrate()
    assert told.value.hint == ("migrate 1to2 --rehearse     proves a mended step",)
