"""The personal columns of a project's versions, and what is refused because of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.errors import UsageError
from migrators.fixtures import check_extract
from migrators.personal import INVENTED, Personal, personal_columns
from migrators.personal.bare import BARE
from migrators.personal.declared import strangers
from migrators.run.followed import Declarations

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from migrators.extracts.directory import ExtractReader
    from migrators.plan.model import Plan
    from migrators.project import Project
    from migrators.sample import Reference
    from migrators.schema import SchemaVersion


def personal_of(
    project: Project,
    schema: SchemaVersion,
    references: Iterable[Reference] = (),
    known: Declarations | None = None,
) -> Personal:
    """Return a version's personal columns, as it, the settings and other versions declare them.

    Parameters
    ----------
    references : iterable of Reference
        That neither the schema nor the settings state: what they join is replaced alike.
    known : Declarations, optional
        Of the project, where several versions are asked for.

    Raises
    ------
    UsageError
        A setting names a column that no version has, or what does not fit one.
    """
    known = known or Declarations(project)
    if project.settings.pii:
        strangers((schema, *known.schemas.values()), project.settings.pii)
    spoken = (pair for reference in references for pair in reference.pairs)
    pairs = [*known.pairs(schema.version), *spoken]
    followed = known.followed(schema.version)
    return personal_columns(schema, project.settings.pii, pairs, followed)


def refuse_bare(project: Project, to: Path, plan: Plan) -> None:
    """Refuse to write personal columns as they are into what is committed.

    Raises
    ------
    UsageError
        Naming them all.
    """
    names = [
        f"{table}.{column}" + (f" (as {chosen.of})" if chosen.of else "")
        for table, columns in personal_of(project, plan.new).items()
        for column, chosen in columns.items()
    ]
    if names:
        raise UsageError(
            f"{to} is committed, and would have personal columns bare: {', '.join(names)}",
            hint=(
                f"migrate sample {plan.new.version} --to {to}     replaces them",
                "or give a directory that is not below fixtures/",
            ),
        )


def carried_marks(project: Project, reader: ExtractReader, plan: Plan) -> dict[str, dict[str, str]]:
    """Return what the manifest of upgraded fixtures says of personal columns.

    Of a column that holds what others did, all of which the old manifest speaks of: invented
    where any was, else replaced. Of any other nothing is said, and a check finds it bare; and
    of none where the old fixtures have bare values.
    """
    said = {name: reader.replaced(name) for name in reader.schema.tables}
    known = Declarations(project)
    personal = personal_of(project, reader.schema, known=known)
    checked = check_extract(reader.path, reader.schema, personal)
    if any(finding.what == BARE for finding in checked.findings):
        return {}
    found: dict[str, dict[str, str]] = {}
    for table, columns in personal_of(project, plan.new, known=known).items():
        for column, chosen in columns.items():
            sources = plan.ways.columns.get(table, {}).get(column, frozenset())
            marks = [said.get(t, {}).get(c, "") for t, c in sources]
            if marks and all(marks):
                mark = INVENTED if INVENTED in marks else chosen.how
                found.setdefault(table, {})[column] = mark
    return found
