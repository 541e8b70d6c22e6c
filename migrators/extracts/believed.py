"""Whether a manifest is of the schema at hand, and its files are those that it names."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from migrators.backends.model import LONE
from migrators.errors import ExtractError
from migrators.extracts.interface import ColumnEntry
from migrators.extracts.names import file_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from migrators.extracts.interface import Manifest
    from migrators.schema import Column, SchemaVersion

_SUFFIXES = (".csv", ".parquet")
NOTHING: Mapping[str, str] = MappingProxyType({})


def entries_of(
    columns: Sequence[Column], replaced: Mapping[str, str] = NOTHING
) -> tuple[ColumnEntry, ...]:
    """Return what a manifest says of columns as they are held, and what replaced values."""
    forms = ("native", "text")
    return tuple(
        ColumnEntry(c.name, str(c.type), forms[c.type.as_text], replaced.get(c.name, ""))
        for c in columns
    )


def check_schema(path: Path, manifest: Manifest, schema: SchemaVersion) -> None:
    """Refuse a manifest that is not of a schema version as it is declared now.

    Raises
    ------
    ExtractError
        What differs first, and how the extract is made again.
    """
    again = _again(manifest, schema)
    wanted = schema.version
    if manifest.version != wanted:
        raise ExtractError(
            f"{path} is of schema version {manifest.version}, not {wanted}", hint=again
        )
    declared = {name: _names_of(entries_of(t.stored)) for name, t in schema.tables.items()}
    found = {table.name: _names_of(table.columns) for table in manifest.tables}
    differing = sorted(n for n in declared.keys() | found.keys() if declared.get(n) != found.get(n))
    if differing:
        what = f"{differing[0]!r} is not as schema version {wanted} declares it"
        raise ExtractError(f"{path}: {what}", hint=again)
    lone = {name for name in manifest.sequences if name.startswith(LONE)}
    strangers = sorted(set(manifest.sequences) - set(schema.tables) - lone)
    if strangers:
        raise ExtractError(f"{path}: a sequence of no table: {strangers[0]!r}", hint=again)
    if manifest.fingerprint != schema.fingerprint:
        what = f"was made for schema version {wanted} as it was before it changed"
        raise ExtractError(f"{path} {what}", hint=again)


def _names_of(columns: Sequence[ColumnEntry]) -> set[tuple[str, str]]:
    """Return what a schema declares of columns; how one is held is the extract's affair."""
    return {(column.name, column.type) for column in columns}


def _again(manifest: Manifest, schema: SchemaVersion) -> str:
    """Return how an extract that is of another schema is made again."""
    if not manifest.committed:
        return "make the extract again"
    older = min(manifest.version, schema.version - 1)
    if schema.path.with_name(f"v{older}.py").is_file():
        return f"migrate fixtures {older}to{schema.version}     makes it of schema {older}'s"
    return f"mend the files and manifest.json by hand, as {schema.path.name} declares them"


def check_files(path: Path, manifest: Manifest) -> None:
    """Refuse a directory whose data files are not exactly those that its manifest names.

    Raises
    ------
    ExtractError
    """
    for table in manifest.tables:
        if [f.name for f in table.files] != [file_name(table.name, f".{manifest.files}")]:
            names = ", ".join(f.name for f in table.files) or "none"
            raise ExtractError(
                f"{path}: the manifest gives {table.name!r} the files {names}",
                hint="make the extract again",
            )
    wanted = {f.name for table in manifest.tables for f in table.files}
    present = {e.name for e in path.iterdir() if e.name.lower().endswith(_SUFFIXES)}
    missing, extra = sorted(wanted - present), sorted(present - wanted)
    if missing:
        raise ExtractError(f"{path / missing[0]} is missing", hint="make the extract again")
    if extra:
        raise ExtractError(
            f"{path / extra[0]} belongs to no table of the manifest",
            hint="remove the file, or make the extract again",
        )
