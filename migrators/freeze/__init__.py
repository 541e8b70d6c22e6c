"""Models or a live database → `schemas/vN.py`, as a person would have written it.

`freeze` is called by the command and by `init`. Within a major it only lets a file grow.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators import pyfile
from migrators.errors import CodeError, ProjectError, UsageError
from migrators.freeze import grow, module, naming
from migrators.schema import fingerprint as declared
from migrators.schema import load_schema, read_schema
from migrators.schema.model import load_order
from migrators.schema.version import SchemaVersion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from migrators.freeze.spell import Names
    from migrators.project import Project


_DATABASE = "the database"
"""How the docstring of a file that was read from one names it."""


@dataclass(frozen=True)
class Frozen:
    """What `freeze` did.

    Attributes
    ----------
    written : tuple of Path
        Files written; none where the file already says all of it.
    added : tuple of str
        What an existing file was given: "column users.nickname".
    notes : tuple of str
        What could not be declared exactly.
    """

    written: tuple[Path, ...]
    added: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """Where the declarations come from, resolved.

    Attributes
    ----------
    metadata : sqlalchemy.MetaData
    said : str
        For the docstring: "shop.models:Base", "shop.db".
    live : bool
        Read from a database: its constraints keep their names, or their lack of one.
    """

    metadata: sa.MetaData
    said: str
    live: bool = False
    database: str = ""
    beside: Mapping[str, str] = field(default_factory=dict)
    alembic_head: str | None = None
    notes: tuple[str, ...] = ()


def freeze(
    project: Project, version: int, source: str, *, alembic_head: str | None = None
) -> Frozen:
    """Write `schemas/vN.py`, and what SQLAlchemy does not model beside it.

    Parameters
    ----------
    project : Project
    version : int
    source : str
        `module:Base`, `module:metadata`, or the URL of an existing database. The
        project's folder and its `src` are importable while the module is imported.
    alembic_head : str, optional
        Revision that the file equals; by default what the database says, or what the
        file said.

    Raises
    ------
    CodeError
        The module cannot be imported, a column has a type that no extract holds, or a
        reference is to a name with a dot.
    UsageError
        The file exists, and something else than an addition was made: a sentence each.
    DatabaseError
        The database cannot be read.
    """
    found = _resolve(project, version, source)
    path = project.schema_path(version)
    _require_plain_targets(found.metadata, path)
    before = read_schema(path, version) if path.is_file() else None
    added = _check_growth(before, found, version)
    head = before.alembic_head if before is not None else None
    notes = (*found.notes, *(_not_beside(before, found) if before is not None else ()))
    if before is not None and not added and _head(before, found, alembic_head) == head:
        return Frozen((), (), notes)
    text = _text(project, version, found, before, alembic_head)
    was = path.read_text("utf-8") if before is not None else None
    written = [_write(path, text)]
    try:
        _prove(read_schema(path, version), found.metadata)
    except CodeError:
        path.unlink() if was is None else _write(path, was)
        raise
    for when, sql in found.beside.items() if before is None else ():
        written.append(_write(path.with_name(f"v{version}.{when}.{found.database}.sql"), sql))
    return Frozen(tuple(written), tuple(added), notes)


def _not_beside(before: SchemaVersion, found: Source) -> Iterator[str]:
    """Say what SQL of a live database the files that are there do not have word for word.

    It is not written: what a person wrote there may mean the same.
    """
    for when, sql in found.beside.items():
        known = _plain("\n".join(before.scripts(when, found.database)))
        file = f"v{before.version}.{when}.{found.database}.sql"
        for statement in sql.split("\n\n"):
            if _plain(statement) not in known:
                begins = " ".join(statement.split())[:_SHOWN]
                yield f"not in schemas/{file} word for word, write it there: {begins}"


_SHOWN = 60


def _plain(sql: str) -> str:
    return " ".join(sql.split()).removesuffix(";")


def lacking(project: Project, version: int, source: str) -> list[str]:
    """Return what models declare that `schemas/vN.py` does not; nothing is written.

    Raises
    ------
    UsageError
        They differ in something else than additions: a sentence each.
    CodeError
        The module cannot be imported, or there is no such schema.
    """
    found = _resolve(project, version, source)
    return _check_growth(load_schema(project, version), found, version)


def _require_plain_targets(metadata: sa.MetaData, path: Path) -> None:
    """Refuse references that text cannot say: SQLAlchemy cuts it at every dot.

    Raises
    ------
    CodeError
    """
    for table in metadata.tables.values():
        for element in table.foreign_keys:
            with contextlib.suppress(sa.exc.InvalidRequestError):  # said when the file is read
                target = element.column
                if "." in target.name or "." in target.table.name:
                    raise CodeError(
                        f"{table.key}.{element.parent.name} refers to {declared.target(element)}: "
                        "a dot in a name cannot be written in a reference",
                        path=path,
                        hint="rename what it refers to, or write this file by hand: "
                        "sa.ForeignKey(metadata.tables[...].c[...])",
                    )


def _guess(project: Project, source: str) -> str:
    """Return the URL of what may have been meant as a database's file."""
    from migrators.backends import where

    return where.file_url(source) if (project.root / source).is_file() else where.FILE


def _resolve(project: Project, version: int, source: str) -> Source:
    if "://" in source:
        return _from_database(project, source)
    if ":" not in source:
        raise UsageError(
            f"{source} is neither module:Base, module:metadata nor a database URL",
            hint=(
                f"migrate freeze {version} --from myapp.db:Base          models",
                f"migrate freeze {version} --from {_guess(project, source)}     a database",
            ),
        )
    found = pyfile.load_attribute(source, project.root)
    metadata = found if isinstance(found, sa.MetaData) else getattr(found, "metadata", None)
    if not isinstance(metadata, sa.MetaData):
        raise UsageError(f"{source} is neither MetaData nor has a `metadata`")
    if not metadata.tables:
        raise UsageError(
            f"{source} has no tables: the modules that define them are not imported by it",
            hint="name the module that imports all models",
        )
    return Source(metadata, source)


def _from_database(project: Project, source: str) -> Source:
    from migrators.backends import reflection, where

    try:
        url = where.anchored(sa.make_url(source), project.root)
    except sa.exc.ArgumentError:
        raise UsageError("that is not a database URL") from None
    found = reflection.reflect(url)
    if not found.metadata.tables:
        raise UsageError(f"the database {url.database} has no tables")
    name = (url.database or "").replace("\\", "/").rpartition("/")[2]
    return Source(
        found.metadata,
        said=f"{_DATABASE} {name}",
        live=True,
        database=found.database,
        beside=found.beside,
        alembic_head=found.alembic_head,
        notes=found.notes,
    )


def _check_growth(before: SchemaVersion | None, found: Source, version: int) -> list[str]:
    if before is None:
        return []
    problems = grow.refused(before.metadata, found.metadata, version)
    if problems:
        hint = [f"migrate freeze {version + 1} --from ...     writes them as the next schema"]
        if _of_a_database(before) and not found.live:
            hint.append(
                f"rm {before.path.parent.name}/{before.path.name}     first, where the models are "
                f"release {version}'s: a file read from a database lacks enums, zones, intervals"
            )
        raise UsageError("\n".join(problems), hint=tuple(hint))
    return grow.added(before.metadata, found.metadata)


def _of_a_database(before: SchemaVersion) -> bool:
    """Whether `freeze` or `init` read a file from a database, as its first line says."""
    return f"frozen from {_DATABASE}" in before.path.read_text("utf-8").partition("\n")[0]


def _text(
    project: Project,
    version: int,
    found: Source,
    before: SchemaVersion | None,
    alembic_head: str | None,
) -> str:
    path = project.schema_path(version)
    was = before.metadata.tables if before else {}
    tables = SchemaVersion(version, path, found.metadata).tables
    return module.text(
        [found.metadata.tables[name] for name in load_order(tables)],
        _names(found, before),
        {name: grow.column_order(was.get(name), t) for name, t in found.metadata.tables.items()},
        docstring=_docstring(project, version, found, before),
        alembic_head=_head(before, found, alembic_head),
    )


def _names(found: Source, before: SchemaVersion | None) -> Names:
    if before is not None:
        known = {
            naming.signature(constraint): naming.as_given(constraint)
            for table in before.metadata.tables.values()
            for constraint in declared.constraints(table)
        }
        return naming.remembered(known, naming.as_given if found.live else naming.conventional)
    return naming.as_given if found.live else naming.conventional


def _docstring(project: Project, version: int, found: Source, before: SchemaVersion | None) -> str:
    if before is not None and (kept := pyfile.docstring(before.path)):
        return kept
    return f"Schema {version} of {project.settings.name}, frozen from {found.said}."


def _head(before: SchemaVersion | None, found: Source, given: str | None) -> str | None:
    return given or found.alembic_head or (before.alembic_head if before else None)


def _prove(written: SchemaVersion, metadata: sa.MetaData) -> None:
    """Read the file back: it must declare what its source does, names of constraints aside.

    Raises
    ------
    CodeError
        Something of the source cannot be written down.
    """
    for name, table in metadata.tables.items():
        source, file = _nameless(table), _nameless(written.metadata.tables[name])
        if source != file:
            parts = [part for part in source if source[part] != file[part]]
            columns = source["columns"].items()
            odd = [column for column, facts in columns if facts != file["columns"].get(column)]
            raise CodeError(
                f"table {name} cannot be frozen exactly: its {' and its '.join(parts)} would not "
                f"be declared as they are{': ' if odd else ''}{', '.join(odd)}; nothing was "
                "written",
                path=written.path,
                hint=f"write {written.path.name} by hand; of a database, --from models declares it",
            )


def _nameless(table: sa.Table) -> dict[str, Any]:
    """Return a table's facts without names of constraints and the order of columns."""
    facts = declared.table_facts(table)
    for kind in ("primary key", "unique", "foreign keys", "checks"):
        items = [facts[kind]] if kind == "primary key" else facts[kind]
        facts[kind] = sorted(json.dumps(item[1:], sort_keys=True) for item in items)
    facts["columns"] = {column["name"]: column for column in facts["columns"]}
    return facts


def _write(path: Path, text: str) -> Path:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.writing")
    try:
        temporary.write_text(text, "utf-8", newline="\n")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ProjectError(f"{path} cannot be written: {error.strerror}") from None
    return path
