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


def refuse_bare(project: Project, to: Path, schema: SchemaVersion) -> None:
    """Refuse to write personal columns as they are into what is committed.

    Raises
    ------
    UsageError
        Naming them all.
    """
    found = personal_of(project, schema)
    names = [f"{table}.{column}" for table, columns in found.items() for column in columns]
    if names:
        raise UsageError(
            f"{to} is committed, and would have personal columns bare: {', '.join(names)}",
            hint=(
                f"migrate sample {schema.version} --to {to}     replaces them",
                "or give a directory that is not below fixtures/",
            ),
        )


def carried_marks(
    project: Project, reader: ExtractReader, new: SchemaVersion
) -> dict[str, dict[str, str]]:
    """Return what the manifest of upgraded fixtures says of personal columns.

    What the old one says of a column of the same name holds of the new one; a column that is
    made of others is as they are: invented where any was, else replaced. Where the old fixtures
    say nothing, or have bare values, nothing is said of the new ones, and a check finds them.
    """
    old = {name: reader.replaced(name) for name in reader.schema.tables}
    said = {how for columns in old.values() for how in columns.values()}
    checked = check_extract(reader.path, reader.schema, personal_of(project, reader.schema))
    if not said or any(finding.what == BARE for finding in checked.findings):
        return {}
    return {
        table: {
            column: old.get(table, {}).get(column) or (INVENTED if INVENTED in said else chosen.how)
            for column, chosen in columns.items()
        }
        for table, columns in personal_of(project, new).items()
    }
