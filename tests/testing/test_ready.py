"""The ready-made tests, broken on purpose: each says what to type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from migrators.errors import Findings, UsageError
from migrators.run import kept_at
from migrators.testing import steps
from tests.acceptance.cheeseshop import cheeseshop

if TYPE_CHECKING:
    from pathlib import Path

    from migrators.project import Project
    from migrators.run.kept import Kept
    from tests.sandbox import Sandbox

COLUMNS = """
t("users", Column("id", Integer, primary_key=True), Column("name", String(20), nullable=False))
"""
MODELS = """
from sqlalchemy import Integer, String
from sqlalchemy.orm import DeclarativeBase, mapped_column

class Base(DeclarativeBase): pass

class User(Base):
    __tablename__ = "users"
    id = mapped_column(Integer, primary_key=True)
    name = mapped_column(String(20), nullable=False)
"""


@pytest.fixture
def two(tmp_path: Path) -> Project:
    """The reference application with fixtures of versions 2 and 3."""
    return cheeseshop(tmp_path / "cheeseshop", [2, 3]).project


def kept(project: Project) -> Kept:
    """Where databases of tests are made that no server has."""
    return kept_at(project, sa.make_url("sqlite://"))


def test_fixtures_that_a_step_does_not_give(two: Project, tmp_path: Path) -> None:
    """File and line are named; a file that is gone, too."""
    place = two.fixtures(3)
    lines = (place / "settings.csv").read_text("utf-8").splitlines(keepends=True)
    (place / "settings.csv").write_text("".join([*lines[:3], lines[4], lines[3], *lines[5:]]))
    (place / "suppliers.csv").unlink()
    with pytest.raises(Findings, match=r"(?s)settings\.csv:4.*suppliers\.csv is missing") as told:
        steps.gives_the_next(two, 2, 3, kept(two), tmp_path)
    assert told.value.hint[0].startswith("migrate fixtures 2to3 ")


def test_values_that_do_not_come_back(two: Project, tmp_path: Path) -> None:
    """Their columns are named, and what names them as lost; named so, nothing is said."""
    (tmp_path / "a").mkdir()
    with pytest.raises(Findings) as told:
        steps.comes_back(two, 2, 3, ["packages.keywords"], kept(two), tmp_path / "a")
    assert told.value.hint[1] == 'migrate_lost = ["packages_version.keywords"]'


def test_rows_that_do_not_come_back(two: Project, tmp_path: Path) -> None:
    """A table whose rows the way down leaves out."""
    step = two.step_path(3, 2)
    rekey = "    step.rekey(new.users, new.packages)\n"
    drop = "    step.table(new.recruits).drop_rows(old.recruits.c.id > 1, because='enough')\n"
    step.write_text(step.read_text().replace(rekey, rekey + drop))
    with pytest.raises(Findings, match=r"\n  recruits"):
        steps.comes_back(
            two, 2, 3, ["packages.keywords", "packages_version.keywords"], kept(two), tmp_path
        )


def test_a_lost_table_that_there_is_none_of(two: Project, tmp_path: Path) -> None:
    """A line that has grown old is said."""
    with pytest.raises(UsageError, match="there is no table parcels"):
        steps.comes_back(two, 2, 3, ["parcels.keywords"], kept(two), tmp_path)


def test_models_that_are_not_frozen(shop: Sandbox) -> None:
    """An addition is named with the line that freezes it; another change is a next schema."""
    shop.schema(1, COLUMNS)
    shop.write("models_a/__init__.py", MODELS)
    steps.is_frozen(shop.project, "models_a:Base")
    shop.write("models_b/__init__.py", MODELS + "    nick = mapped_column(String(20))\n")
    with pytest.raises(Findings, match=r"lacks .* column users\.nick") as told:
        steps.is_frozen(shop.project, "models_b:Base")
    assert told.value.hint == ("migrate freeze 1 --from models_b:Base",)
    shop.write("models_c/__init__.py", MODELS.replace("String(20)", "String(10)"))
    with pytest.raises(UsageError, match="that is schema 2"):
        steps.is_frozen(shop.project, "models_c:Base")
    with pytest.raises(UsageError, match="nothing says where"):
        steps.is_frozen(shop.project, "")


def test_a_chain_that_its_steps_do_not_give(two: Project, tmp_path: Path) -> None:
    """What was committed in between was edited, and the steps do not start from it."""
    assert steps.chains(two) == []
    chain = cheeseshop(tmp_path / "chain", [1, 3]).project
    assert steps.chains(chain) == [(1, 3)]
    (chain.fixtures(3) / "settings.csv").write_text("")
    with pytest.raises(Findings, match=r"settings\.csv:1"):
        steps.goes_in_one(chain, 1, 3, kept(chain), tmp_path)
