"""The personal columns of a schema, and those that hold the same values by reference."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from migrators.config import nearest
from migrators.errors import UsageError
from migrators.personal.treatment import Treatment, check_treatment, fits, treatment
from migrators.types import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from migrators.schema import SchemaVersion

Place = tuple[str, str]
"""Table and column."""
NOTHING: Mapping[Place, Treatment] = MappingProxyType({})
Personal = dict[str, dict[str, Treatment]]
"""Personal columns by table."""


def personal_columns(
    schema: SchemaVersion,
    settings: Mapping[str, object],
    pairs: Iterable[tuple[Place, Place]] = (),
    followed: Mapping[Place, Treatment] = NOTHING,
) -> Personal:
    """Return what is declared of a schema's columns; a setting wins over the schema module.

    Columns that refer to one another are replaced alike, so that rows still find each other.

    Parameters
    ----------
    settings : mapping
        `[tool.migrators.pii]`: "users.email" to what replaces it. A column that this version
        has not is another version's.
    pairs : iterable of (place, place)
        Columns that hold the same values although no foreign key says so.
    followed : mapping of place to Treatment
        What other versions declare of the same values; it gives way to what this one says.

    Raises
    ------
    UsageError
        What is declared does not fit a column.
    """
    said = declared(schema, settings)
    groups = _groups([*_referring(schema), *pairs])
    settled = said.keys() | {p for group in groups if group & said.keys() for p in group}
    found = {place: chosen for place, chosen in followed.items() if place not in settled}
    found |= {place: chosen for place, chosen in said.items() if chosen is not None}
    _spread(schema, found, groups)
    made: Personal = {}
    for (table, column), chosen in sorted(found.items()):
        its = schema.tables[table]
        if chosen.how and not chosen.of:
            check_treatment(its, its.column[column], chosen)
        unfit = chosen.of and not fits(its, its.column[column], chosen)
        made.setdefault(table, {})[column] = Treatment("", of=chosen.of) if unfit else chosen
    return made


def declared(
    schema: SchemaVersion, settings: Mapping[str, object]
) -> dict[Place, Treatment | None]:
    """Return what is said of each column; None where that is False, "not personal".

    Raises
    ------
    UsageError
        What is said is nothing that one can say.
    """
    return dict(_of_schema(schema)) | dict(_of_settings(schema, settings))


def _of_schema(schema: SchemaVersion) -> Iterator[tuple[Place, Treatment | None]]:
    for name, table in schema.metadata.tables.items():
        stored = {c.name for c in schema.tables[name].stored}
        for column in table.c:
            said = column.info.get("pii")
            if said is not None and column.name in stored:
                yield (name, column.name), treatment(f"{name}.{column.name}", said)


def _of_settings(
    schema: SchemaVersion, settings: Mapping[str, object]
) -> Iterator[tuple[Place, Treatment | None]]:
    for place, said in settings.items():
        table, _, column = place.rpartition(".")
        if not table:
            raise UsageError(
                f"[tool.migrators.pii] `{place}` names no column",
                hint='"users.email" = "email"',
            )
        chosen = treatment(f"[tool.migrators.pii] {place}", said)
        stored = [c.name for c in schema.tables[table].stored] if table in schema.tables else []
        if column in stored:
            yield (table, column), chosen


def strangers(schemas: Iterable[SchemaVersion], settings: Mapping[str, object]) -> None:
    """Refuse a setting whose column no version has: a name that is misspelt protects nothing.

    Raises
    ------
    UsageError
    """
    known = {
        f"{name}.{c.name}"
        for schema in schemas
        for name, table in schema.tables.items()
        for c in table.stored
    }
    for place in settings:
        if place not in known:
            raise UsageError(
                f"[tool.migrators.pii] `{place}` is a column of no schema",
                hint=nearest(place, sorted(known)),
            )


# columns that hold the same values ---------------------------------------------------------


def with_referring(
    schema: SchemaVersion, found: Mapping[Place, Treatment], pairs: Iterable[tuple[Place, Place]]
) -> dict[Place, Treatment]:
    """Return personal columns with those that hold the same values, as another version sees them.

    Nothing is refused: what is contradictory is for who asks for this version itself.
    """
    made = dict(found)
    for group in _groups([*_referring(schema), *pairs]):
        chosen = [found[place] for place in group if place in found]
        if chosen:
            first = min(chosen, key=lambda one: one.of)
            theirs = Treatment("", of=first.of) if first.by else first
            made |= dict.fromkeys(group - found.keys(), theirs)
    return made


def _spread(
    schema: SchemaVersion, found: dict[Place, Treatment], groups: Iterable[set[Place]]
) -> None:
    """Give columns that refer to one another the same treatment, and room for the narrowest."""
    for group in groups:
        chosen = {found[place] for place in group if place in found}
        if not chosen:
            continue
        said = sorted({one.how for one in chosen if one.how})
        first = next((one for one in chosen if one.how), Treatment(""))
        joins = first.is_pseudonym and first.how != "shift"
        if len(group) > 1 and (len(said) > 1 or (said and not joins)):
            names = ", ".join(f"{table}.{column}" for table, column in sorted(group))
            raise UsageError(
                f"{names} hold the same values, and are replaced otherwise: {', '.join(said)}",
                hint="a pseudonym of one kind keeps what refers to what",
            )
        found |= dict.fromkeys(group, first)
        _narrow(schema, found, group)
    for place in found:
        if found[place].length is None:
            _narrow(schema, found, {place})


def _narrow(schema: SchemaVersion, found: dict[Place, Treatment], group: set[Place]) -> None:
    types = [schema.tables[table].column[column].type for table, column in group]
    rooms = [t.length for t in types if t.kind is Kind.TEXT and t.length is not None]
    for place in group:
        found[place] = replace(found[place], length=min(rooms, default=None))


def _referring(schema: SchemaVersion) -> Iterator[tuple[Place, Place]]:
    for table in schema.tables.values():
        for key in table.foreign_keys:
            for own, theirs in zip(key.columns, key.target_columns, strict=True):
                yield (table.name, own), (key.target, theirs)


def _groups(pairs: Iterable[tuple[Place, Place]]) -> list[set[Place]]:
    groups: list[set[Place]] = []
    for pair in pairs:
        joined = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in joined]
        groups.append(set(pair).union(*joined))
    return groups
