"""(schemas, step, databases' kinds) → a frozen `Plan`. No database is read.

`make` loads the two schemas and the step, lets the step record, and builds; everything
that is wrong is said at once, each with the lines to add.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from migrators.backends import backend_for
from migrators.plan.build import build
from migrators.plan.declare import declare
from migrators.schema import load_schema

if TYPE_CHECKING:
    from migrators.plan.model import Plan
    from migrators.project import Project

__all__ = ["make"]


def make(project: Project, old: int, new: int, *, now: datetime | None = None) -> Plan:
    """Return the checked plan of step `old`to`new`.

    Parameters
    ----------
    project : Project
    old, new : int
        Schema versions.
    now : datetime, optional
        What `step.now` gives, UTC; the present unless given.

    Raises
    ------
    ProjectError, CodeError
        A file is missing or broken.
    PlanError
        The step does not account for everything.
    """
    schemas = load_schema(project, old), load_schema(project, new)
    path = project.step_path(old, new)
    step = declare(path, *schemas, now=now or datetime.now(UTC))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    source, target = backend_for(project.url(old)), backend_for(project.url(new))
    return build(*schemas, step, path=path, digest=digest, source=source, target=target)
