"""Rows that no mapping counts: the step has to say what must hold of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators.errors import PlanError, VerifyMismatch

if TYPE_CHECKING:
    from tests.sandbox import Sandbox

USERS = 't("users", Column("id", Integer, primary_key=True))\n'
NOTES = 't("notes", Column("of", Integer), Column("text", Text))\n'
NOTED = 't("users", Column("id", Integer, primary_key=True), Column("note", Text))\n'
COPY = "def copy(rows: 'Iterator[dict]'):\n    yield from rows\n"
READ = "select(old.notes.c.of, old.notes.c.text)"
NOTE = "select(note.text).where(note.of == old.users.c.id)"
WAYS = {
    "query": (USERS + NOTES, f"step.table(new.notes).query({READ}, rows=new)", True),
    "function": (USERS + NOTES, f"step.table(new.notes).computed(copy, reads={READ})", False),
    "select": (
        USERS + NOTES,
        f"step.table(new.notes, source={READ}.where(note.of > 0).subquery(), rows=new)",
        True,
    ),
    "subquery": (
        NOTED,
        f"step.table(new.users).values(note={NOTE}.scalar_subquery())\n"
        'step.drop(note.of, because="the user has it")',
        True,
    ),
    "subquery in a rule": (
        NOTED,
        f'step.table(new.users).values(note=rules.default({NOTE}.scalar_subquery(), ""))\n'
        'step.drop(note.of, because="the user has it")',
        True,
    ),
    "subquery of many": (
        NOTED,
        "step.table(new.users).values("
        "note=select(func.min(note.text)).where(note.of == old.users.c.id).scalar_subquery())\n"
        'step.drop(note.of, because="the user has it")',
        False,
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_rows_that_no_mapping_counts_are_asked_for(shop: Sandbox, way: str) -> None:
    """The plan is refused; the line that it says is all that lacks where it has no gap."""
    new, step, whole = WAYS[way]
    step = f"note = old.notes.c\n{step}\n"
    shop.schema(1, USERS + NOTES)
    shop.schema(2, new)
    shop.step(step, before=COPY)
    with pytest.raises(PlanError) as caught:
        shop.plan()
    (said,) = caught.value.problems
    assert said.startswith("notes: nothing counts its rows, which reach ")
    (line,) = caught.value.hint
    assert ("select(...)" in line) is not whole
    shop.step(step + line.replace("select(...)", "select(func.count(note.of))"), before=COPY)
    shop.create("INSERT INTO users VALUES (1), (2)", "INSERT INTO notes VALUES (1, 'a'), (2, 'b')")
    assert shop.migrate().sames == (("rows of notes", "2"),)


def test_a_row_that_a_subquery_leaves_behind_is_found(shop: Sandbox) -> None:
    """A note of nobody is in no account but that of the line to add."""
    shop.schema(1, USERS + NOTES)
    shop.schema(2, NOTED)
    step = f"note = old.notes.c\n{WAYS['subquery'][1]}\n"
    shop.step(step)
    with pytest.raises(PlanError) as caught:
        shop.plan()
    shop.step(step + caught.value.hint[0])
    shop.create("INSERT INTO users VALUES (1)", "INSERT INTO notes VALUES (1, 'a'), (7, 'lost')")
    with pytest.raises(VerifyMismatch, match=r"rows of notes.*: old .*2.*, new .*1"):
        shop.migrate()


@pytest.mark.parametrize(
    "said",
    [
        'step.loss("notes", count=select(func.count(old.notes.c.of)))',
        'step.same("notes", old=select(old.notes.c.text), new=select(new.users.c.note))',
        'step.table(new.more, source=old.notes).values(of=1, text="x")',
        "step.lookup(new.words, key=new.words.c.text, of=[old.notes.c.text])",
    ],
)
def test_what_counts_or_asks_for_the_rows_is_enough(shop: Sandbox, said: str) -> None:
    """A loss with its count, a statement, a mapping that counts, a list of the values."""
    shop.schema(1, USERS + NOTES)
    shop.schema(
        2,
        NOTED
        + 't("words", Column("id", Integer, primary_key=True), Column("text", Text))\n'
        + NOTES.replace('"notes"', '"more"'),
    )
    shop.step(f"note = old.notes.c\n{WAYS['subquery'][1]}\n{said}")
    assert shop.plan().tables


def test_what_a_function_reads_is_counted(shop: Sandbox) -> None:
    """The receipt says how many rows it was given beside those that it made."""
    shop.schema(1, USERS + NOTES)
    shop.schema(2, USERS + NOTES)
    shop.step(
        f"step.table(new.notes).computed(some, reads={READ})\n"
        'step.same("the first", old=select(func.min(old.notes.c.of)), '
        "new=select(func.min(new.notes.c.of)))",
        before="def some(frames):\n    for frame in frames:\n        yield frame.head(1)\n",
    )
    shop.create("INSERT INTO notes VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    receipt = next(t for t in shop.migrate().tables if t.table == "notes")
    assert (receipt.read, receipt.written, receipt.own_grain) == (3, 1, True)
