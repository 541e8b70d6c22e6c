"""Tests of a project's steps and fixtures, ready to import: nothing else is to be written.

    from migrators.testing.ready import *  # noqa: F403

Each fails with what to type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.testing.plugin import setting, told

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from migrators.testing.session import Databases

__all__ = [
    "test_migrate_catalogue_is_a_fresh_one",
    "test_migrate_chain_equals_its_steps",
    "test_migrate_models_are_frozen",
    "test_migrate_step_gives_the_committed_fixtures",
    "test_migrate_there_and_back",
]

_Pair = tuple[int, int]


def test_migrate_step_gives_the_committed_fixtures(
    migrate_step: _Pair, migrate_databases: Databases, tmp_path: Path
) -> None:
    """A step runs on the committed fixtures, and gives the next ones, byte for byte."""
    from migrators.testing import steps

    with told():
        steps.gives_the_next(
            migrate_databases.project, *migrate_step, migrate_databases.kept(), tmp_path
        )


def test_migrate_catalogue_is_a_fresh_one(
    migrate_step: _Pair, migrate_databases: Databases, tmp_path: Path
) -> None:
    """A migrated database has the tables, keys, indexes, views and triggers of a created one."""
    from migrators.testing import steps

    with told():
        steps.gives_a_fresh_catalogue(
            migrate_databases.project, *migrate_step, migrate_databases.kept(), tmp_path
        )


def test_migrate_chain_equals_its_steps(
    migrate_pair: _Pair, migrate_databases: Databases, tmp_path: Path
) -> None:
    """All steps in one go give what was committed after each of them."""
    from migrators.testing import steps

    with told():
        steps.goes_in_one(
            migrate_databases.project, *migrate_pair, migrate_databases.kept(), tmp_path
        )


def test_migrate_there_and_back(
    migrate_return: _Pair,
    migrate_databases: Databases,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    """A step up and the step down give back every value, but for what `migrate_lost` names."""
    from migrators.testing import steps

    lost = request.config.getini("migrate_lost")
    with told():
        steps.comes_back(
            migrate_databases.project, *migrate_return, lost, migrate_databases.kept(), tmp_path
        )


def test_migrate_models_are_frozen(
    migrate_databases: Databases, request: pytest.FixtureRequest
) -> None:
    """The newest schema module declares what the application's models do."""
    from migrators.testing import steps

    with told():
        steps.is_frozen(migrate_databases.project, setting(request.config, "models"))
