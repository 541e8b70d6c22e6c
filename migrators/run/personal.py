"""The personal columns of a project's versions, and what is refused because of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.errors import MigrateError, UsageError
from migrators.fixtures import check_extract
from migrators.personal import INVENTED, Personal, personal_columns
from migrators.personal.bare import BARE
from migrators.personal.declared import strangers
from migrators.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from migrators.extracts.directory import ExtractReader
    from migrators.plan.model import Plan
    from migrators.project import Project
    from migrators.sample import Reference
    from migrators.schema import SchemaVersion


def personal_of(
    project: Project, schema: SchemaVersion, references: Iterable[Reference] = ()
) -> Personal:
    """Return a version's personal columns, as it and the settings declare them.

    Parameters
    ----------
    references : iterable of Reference
        That the schema does not state: what they join is replaced alike.

    Raises
    ------
    UsageError
        A setting names a column that no version has, or what does not fit one.
    """
    if project.settings.pii:
        strangers(_schemas(project, schema), project.settings.pii)
    pairs = (
        ((reference.table, own), (reference.target, theirs))
        for reference in references
        for own, theirs in zip(reference.columns, reference.target_columns, strict=True)
    )
    return personal_columns(schema, project.settings.pii, pairs)


def _schemas(project: Project, schema: SchemaVersion) -> Iterator[SchemaVersion]:
    """Yield every version that can be read; work on another one stops nothing."""
    yield schema
    for version in project.versions():
        try:
            yield load_schema(project, version)
        except MigrateError:
            continue


def refuse_bare(project: Project, to: Path, plan: Plan) -> None:
    """Refuse to write personal columns as they are into what is committed.

    A step may have given them other names: what holds their values is personal, too.

    Raises
    ------
    UsageError
        Naming them all.
    """
    found = personal_of(project, plan.new)
    names = [f"{table}.{column}" for table, columns in found.items() for column in columns]
    if lost := undeclared(project, plan):
        raise UsageError(
            f"{to} is committed, and would have what is personal in schema {plan.old.version} "
            f"bare: {', '.join(lost)}",
            hint=f'info={{"pii": ...}}     in {plan.new.path.name}, or [tool.migrators.pii], '
            "says so of the new columns",
        )
    if names:
        raise UsageError(
            f"{to} is committed, and would have personal columns bare: {', '.join(names)}",
            hint=(
                f"migrate sample {plan.new.version} --to {to}     replaces them",
                "or give a directory that is not below fixtures/",
            ),
        )


def undeclared(project: Project, plan: Plan) -> list[str]:
    """Return new columns that hold the values of personal old ones, and are not declared."""
    old, new = personal_of(project, plan.old), personal_of(project, plan.new)
    return [
        f"{table}.{column}"
        for table, columns in plan.ways.columns.items()
        for column, sources in columns.items()
        if column not in new.get(table, {}) and any(c in old.get(t, {}) for t, c in sources)
    ]


def carried_marks(project: Project, reader: ExtractReader, plan: Plan) -> dict[str, dict[str, str]]:
    """Return what the manifest of upgraded fixtures says of personal columns.

    Of a column that holds what others did, all of which the old manifest speaks of: invented
    where any was, else replaced. Of any other nothing is said, and a check finds it bare; and
    of none where the old fixtures have bare values.
    """
    said = {name: reader.replaced(name) for name in reader.schema.tables}
    checked = check_extract(reader.path, reader.schema, personal_of(project, reader.schema))
    if any(finding.what == BARE for finding in checked.findings):
        return {}
    found: dict[str, dict[str, str]] = {}
    for table, columns in personal_of(project, plan.new).items():
        for column, chosen in columns.items():
            sources = plan.ways.columns.get(table, {}).get(column, frozenset())
            marks = [said.get(t, {}).get(c, "") for t, c in sources]
            if marks and all(marks):
                mark = INVENTED if INVENTED in marks else chosen.how
                found.setdefault(table, {})[column] = mark
    return found
