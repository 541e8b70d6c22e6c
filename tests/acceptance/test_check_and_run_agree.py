"""What `check` stops, a run refuses; what `check` passes, a run publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrators import plan as plans
from migrators.backends import backend_for
from migrators.errors import MigrateError
from migrators.events import silent
from migrators.preflight import check
from migrators.project import Project
from tests.benchmarks.generate import SCHEMAS, generate
from tests.unit.preflight.asking import checked, stops

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox import Sandbox

KEY = 'Column("id", Integer, primary_key=True)'
UP = f't("up", {KEY})\n'
FAULTS = {
    "null": ('Column("x", Text)', 'Column("x", Text, nullable=False)', "NULL"),
    "nul": ('Column("x", Text)', 'Column("x", Text)', "'a' || char(0)"),
    "long": ('Column("x", String(3))', 'Column("x", String(3))', "'abcd'"),
    "label": ('Column("x", Text)', 'Column("x", Enum("a", "b", name="e"))', "'c'"),
    "shared": ('Column("x", Text)', 'Column("x", Text, unique=True)', "'a'"),
    "check": ('Column("x", Integer)', 'Column("x", Integer, CheckConstraint("x > 0"))', "0"),
    "orphan": ('Column("x", Integer)', 'Column("x", ForeignKey("up.id"))', "7"),
    "class": ('Column("x", Integer)', 'Column("x", Integer)', "'seven'"),
    "boolean": ('Column("x", Boolean)', 'Column("x", Boolean)', "2"),
    "date": ('Column("x", Date)', 'Column("x", Date)', "'2020-02-30'"),
    "decimal": ('Column("x", Numeric(5, 2))', 'Column("x", Numeric(5, 2))', "1.239"),
    "json": ('Column("x", JSON)', 'Column("x", JSON)', "'{'"),
    "uuid": ('Column("x", Uuid)', 'Column("x", Uuid)', "'abc'"),
    "rule": ('Column("x", Text)', 'Column("x", Integer)', "'seven'"),
}
FITS = {"label": "'a'", "orphan": "1", "rule": "'7'", "long": "'abc'", "check": "1"}


def lay_out(shop: Sandbox, fault: str, value: str) -> None:
    """Lay out a project whose old database has two rows with a value."""
    old, new, _ = FAULTS[fault]
    shop.schema(1, f'{UP}t("rows", {KEY}, {old})')
    shop.schema(2, f'{UP}t("rows", {KEY}, {new})')
    rule = "step.table(new.rows).values(x=rules.integer(old.rows.c.x))"
    shop.step(rule if fault == "rule" else "")
    shop.create("INSERT INTO up VALUES (1)", f"INSERT INTO rows VALUES (1, {value}), (2, {value})")


@pytest.mark.parametrize("fault", FAULTS)
def test_what_check_stops_a_run_refuses(shop: Sandbox, fault: str) -> None:
    """Each fault is found beforehand, in both rows, and would have stopped the run."""
    lay_out(shop, fault, FAULTS[fault][2])
    (finding,) = stops(checked(shop))
    assert finding.facts[0].startswith("2 ")
    assert finding.facts[0].endswith(("id 1, 2", "id 1 (4), 2 (4)", "id 1 = 2"))
    with pytest.raises(MigrateError):
        shop.migrate()
    assert not shop.database(2).exists()


@pytest.mark.parametrize("fault", FAULTS)
def test_what_check_passes_a_run_publishes(shop: Sandbox, fault: str) -> None:
    """The same projects over rows that fit: no false alarm."""
    lay_out(shop, fault, FITS.get(fault, "NULL") if fault != "null" else "'x'")
    if fault == "nul":
        shop.sql("UPDATE rows SET x = 'a'")
    assert stops(checked(shop)) == []
    assert shop.migrate().outcome == "published"


@pytest.mark.parametrize("version", [1, 2])
def test_the_reference_application_passes(tmp_path: Path, version: int) -> None:
    """A generated database of the reference application has nothing that stops it."""
    database = tmp_path / f"cheeseshop_v{version}.db"
    generate(database, version=version, scale=0.001, seed=1)
    project = Project.find(SCHEMAS.parent, environment={})
    plan = plans.make(project, version, version + 1)
    old = backend_for(project.url(version).set(database=str(database)))
    new = backend_for(project.url(version + 1).set(database=str(tmp_path / "new.db")))
    before = database.read_bytes()
    found = check(plan, old, new, tmp_path, silent)
    assert stops(found) == []
    assert f"cheeseshop_v{version}.db is schemas/v{version}.py" in found.ok
    assert "every stored value is of its declared type" in found.ok
    assert database.read_bytes() == before
