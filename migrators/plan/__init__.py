"""(schemas, step, databases' kinds) → a frozen `Plan`. No database is read.

`make` loads the two schemas and the step, lets the step record, and builds; everything
that is wrong is said at once, each with the lines to add.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from migrators.backends import backend_for
from migrators.errors import ProjectError
from migrators.plan.build import build
from migrators.plan.declare import declare
from migrators.plan.lint import lints
from migrators.schema import load_schema
from migrators.step import Step, Tables

if TYPE_CHECKING:
    from migrators.backends.interface import Backend
    from migrators.plan.model import Plan
    from migrators.project import Project

__all__ = ["lints", "make", "make_copy"]


def make(
    project: Project,
    old: int,
    new: int,
    *,
    now: datetime | None = None,
    source: Backend | None = None,
    target: Backend | None = None,
    lint: bool = True,
) -> Plan:
    """Return the checked plan of step `old`to`new`.

    Parameters
    ----------
    project : Project
    old, new : int
        Schema versions.
    now : datetime, optional
        What `step.now` gives, UTC; the present unless given.
    source, target : Backend, optional
        Other databases than the project's own.
    lint : bool
        Whether what the target cannot hold at all is an error; else ask `lints`.

    Raises
    ------
    ProjectError, CodeError
        A file is missing or broken.
    PlanError
        The step does not account for everything.
    """
    schemas = load_schema(project, old), load_schema(project, new)
    path = project.step_path(old, new)
    if not path.is_file():
        raise ProjectError(
            f"there is no migrators/{path.name}",
            hint=f"write migrators/{path.name}: def migrate(step, old, new)",
        )
    step = declare(path, *schemas, now=now or datetime.now(UTC))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return build(
        *schemas,
        step,
        path=path,
        digest=digest,
        source=source or backend_for(project.url(old)),
        target=target or backend_for(project.url(new)),
        lint=lint,
    )


def make_copy(
    project: Project, version: int, *, target: Backend | None = None, lint: bool = True
) -> Plan:
    """Return the plan that takes a database as it is, every table carried by name.

    Parameters
    ----------
    target : Backend, optional
        What it is taken to; by default to files, for a database of the same kind.
    lint : bool
        As for `make`.
    """
    schema = load_schema(project, version)
    tables = Tables(schema.metadata, version)
    step = Step(tables, tables, now=datetime.now(UTC), path=str(schema.path))
    database = backend_for(project.url(version))
    return build(
        schema,
        schema,
        step,
        path=schema.path,
        digest="",
        source=database,
        target=target or database,
        lint=lint,
    )
