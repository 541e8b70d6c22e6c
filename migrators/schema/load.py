"""Reading `schemas/vN.py` and the SQL that stands beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import sqlalchemy as sa

from migrators import pyfile
from migrators.errors import CodeError, ProjectError
from migrators.schema.version import SchemaVersion

if TYPE_CHECKING:
    from pathlib import Path

    from migrators.project import Project

_BESIDE = re.compile(r"v(\d+)\.(before|between|after)(?:\.([a-z][a-z0-9_]*))?\.sql")


def load_schema(project: Project, version: int) -> SchemaVersion:
    """Return a schema version, checked whole: each type, each reference.

    Raises
    ------
    ProjectError
        There is no such file.
    CodeError
        The file, or a `.sql` beside it, is broken; file and line are named.
    """
    path = project.schema_path(version)
    if not path.is_file():
        there = ", ".join(str(v) for v in project.versions())
        raise ProjectError(
            f"there is no schemas/{path.name}" + (f"; there are schemas {there}" if there else ""),
            hint=f"migrate freeze {version} --from myapp.db:Base     writes it from your models",
        )
    return read_schema(path, version)


def read_schema(path: Path, version: int) -> SchemaVersion:
    """Return the schema version that a file declares; errors as `load_schema`."""
    module = pyfile.load(path, path.stem)
    metadata = getattr(module, "metadata", None)
    if not isinstance(metadata, sa.MetaData):
        found = "defines no `metadata`" if metadata is None else "`metadata` is no sa.MetaData"
        raise CodeError(found, path=path, hint="metadata = sa.MetaData()")
    head = getattr(module, "alembic_head", None)
    if head is not None and not isinstance(head, str):
        raise CodeError("`alembic_head` must be a revision, as text", path=path)
    beside = _beside(path, version)
    schema = SchemaVersion(version, path, metadata, alembic_head=head, **beside)
    if not schema.tables:
        raise CodeError("`metadata` has no tables", path=path)
    _stores_something(schema)
    return schema


def _stores_something(schema: SchemaVersion) -> None:
    """Refuse a table whose rows no file could count: without columns, or all generated."""
    for name, table in schema.tables.items():
        if not table.stored:
            raise CodeError(
                f"{name} has no column that is stored",
                path=schema.path,
                hint="an extract holds values; give the table a column, or leave it out",
            )


def _beside(path: Path, version: int) -> dict[str, dict[str, str]]:
    """Return the SQL beside a schema, by when it runs, then by database or ""."""
    found: dict[str, dict[str, str]] = {"before": {}, "between": {}, "after": {}}
    for file in sorted(path.parent.glob(f"v{version}.*.sql")):
        match = _BESIDE.fullmatch(file.name)
        if not match:
            raise CodeError(
                "is neither SQL before the tables nor after the data",
                path=file,
                hint=f"name it v{version}.before.sql, v{version}.after.sql, "
                f"v{version}.between.sql (between the tables and the data: partitions), or "
                f"v{version}.after.<database>.sql for one database",
            )
        try:
            found[match[2]][match[3] or ""] = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CodeError(f"cannot be read: {error}", path=file) from None
    return found
