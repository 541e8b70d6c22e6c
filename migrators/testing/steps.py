"""What the ready-made tests do: a project's steps on its committed fixtures."""

from __future__ import annotations

import itertools
import secrets
import shlex
from typing import TYPE_CHECKING

from migrators import drift
from migrators.backends import where
from migrators.config import redact
from migrators.errors import Findings, UsageError
from migrators.events import silent
from migrators.extracts.directory import ExtractReader
from migrators.freeze import lacking
from migrators.run import carried
from migrators.schema import load_schema
from migrators.testing.seeding import fill, open_fixtures
from migrators.testing.session import project_of
from migrators.types.text import to_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pytest
    import sqlalchemy as sa

    from migrators.backends.interface import Backend
    from migrators.project import Project
    from migrators.run.kept import Kept
    from migrators.schema import Table

_SHOWN = 5


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Give a ready-made test the steps, the chain, or the ways there and back of the project."""
    project = project_of(metafunc.config)
    found = {
        "migrate_step": ups(project),
        "migrate_pair": chains(project),
        "migrate_return": [(a, b) for a, b in ups(project) if (b, a) in project.steps()],
    }
    for name, pairs in found.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, pairs, ids=[f"{a}to{b}" for a, b in pairs])


def ups(project: Project) -> list[tuple[int, int]]:
    """Return the steps up whose old version has fixtures."""
    return [(a, b) for a, b in project.steps() if a < b and project.fixtures(a).is_dir()]


def chains(project: Project) -> list[tuple[int, int]]:
    """Return from the first version with fixtures to the last, where that is several steps."""
    found = [v for v in project.versions() if project.fixtures(v).is_dir()]
    whole = (found[0], found[-1]) if found else (0, 0)
    return [whole] if whole[0] != whole[1] and whole not in project.steps() else []


# each raises Findings where it finds something ---------------------------------------------


def gives_the_next(project: Project, old: int, new: int, kept: Kept, scratch: Path) -> None:
    """Compare what a step makes of committed fixtures with the next, byte for byte."""
    made = _stepped(project, project.fixtures(old), (old, new), kept, scratch)
    _same_files(made, project.fixtures(new), _typed(old, new, kept))


def goes_in_one(project: Project, old: int, new: int, kept: Kept, scratch: Path) -> None:
    """Compare what a whole chain makes, each step of what the one before made."""
    made = _chain(project, old, new, kept, scratch)
    _same_files(made, project.fixtures(new), _typed(old, new, kept))


def gives_a_fresh_catalogue(
    project: Project, old: int, new: int, kept: Kept, scratch: Path
) -> None:
    """Compare the catalogue of a migrated database with that of an empty one."""
    made = _stepped(project, project.fixtures(old), (old, new), kept, scratch)
    reader = open_fixtures(project, made, version=new)
    entries = [kept.take(f"c_{secrets.token_hex(6)}") for _ in range(2)]
    migrated, fresh = (entry.made for entry in entries)
    try:
        fill(reader, migrated)
        _empty(fresh, project, new)
        found = drift.compare(migrated.catalog(), fresh.catalog())
    finally:
        for entry in entries:
            entry.remove()
    if found:
        raise Findings(
            f"what {old}to{new} makes is not what `migrate create {new}` makes:\n"
            + "\n".join(f"  {difference}" for difference in found),
            hint=f"mend schemas/v{new}.py, or the SQL beside it",
        )


def comes_back(
    project: Project, old: int, new: int, lost: Sequence[str], kept: Kept, scratch: Path
) -> None:
    """Compare fixtures with what the step up and the step down leave of them.

    Parameters
    ----------
    lost : sequence of str
        Tables, or "table.column"s, that do not come back whole.
    """
    up = _stepped(project, project.fixtures(old), (old, new), kept, _sub(scratch, "up"))
    down = _stepped(project, up, (new, old), kept, _sub(scratch, "down"))
    schema = load_schema(project, old)
    known = {name for v in project.versions() for name in load_schema(project, v).tables}
    strangers = [name for name in lost if name.partition(".")[0] not in known]
    if strangers:
        raise UsageError(f"migrate_lost: there is no table {strangers[0]}", hint="take it out")
    before, after = (ExtractReader.open(path, schema) for path in (project.fixtures(old), down))
    found = {
        name: columns
        for name, table in schema.tables.items()
        if name not in lost
        and (
            columns := _differing(
                before,
                after,
                table,
                {c.partition(".")[2] for c in lost if c.partition(".")[0] == name},
            )
        )
    }
    if found:
        names = [f"{table}.{c}" if c else table for table, cs in found.items() for c in cs]
        raise Findings(
            f"{old}to{new} and {new}to{old} do not give back what was there:\n"
            + "\n".join(f"  {name}" for name in names),
            hint=(
                f"mend migrators/{new}to{old}.py, or say that it is lost, in pytest's ini options:",
                f"migrate_lost = {names!r}".replace("'", '"'),
            ),
        )


def is_frozen(project: Project, models: str) -> None:
    """Compare the application's models with the newest schema module."""
    if not models:
        raise UsageError(
            "nothing says where the application's models are",
            hint='migrate_models = "myapp.db:Base"     among pytest\'s ini options',
        )
    version = project.versions()[-1]
    found = lacking(project, version, models)
    if found:
        raise Findings(
            f"schemas/v{version}.py lacks what {models} declares: {', '.join(found)}",
            hint=f"migrate freeze {version} --from {models}",
        )


# -----------------------------------------------------------------------------------------


def _chain(project: Project, old: int, new: int, kept: Kept, scratch: Path) -> Path:
    made = project.fixtures(old)
    for a, b in project.chain(old, new):
        made = _stepped(project, made, (a, b), kept, _sub(scratch, f"{a}to{b}"))
    return made


def _stepped(
    project: Project, source: Path, step: tuple[int, int], kept: Kept, scratch: Path
) -> Path:
    return carried(project, source, *step, scratch=scratch, emit=silent, kept=kept)


def _typed(old: int, new: int, kept: Kept) -> str:
    """Return what writes the fixtures that a step gives, on the same kind of database."""
    url = kept.base.url
    place = "" if where.is_file(url.get_backend_name()) else f" --on {shlex.quote(_shown(url))}"
    return f"migrate fixtures {old}to{new}{place}"


def _shown(url: sa.URL) -> str:
    return redact(url._replace(password=None).render_as_string(hide_password=False))


def _sub(scratch: Path, name: str) -> Path:
    made = scratch / name
    made.mkdir(mode=0o700)
    return made


def _empty(database: Backend, project: Project, version: int) -> None:
    schema = load_schema(project, version)
    database.create(schema)
    database.finish(schema, {})


def _same_files(made: Path, committed: Path, command: str) -> None:
    names = {path.name for path in made.iterdir()}
    if committed.is_dir():
        names |= {p.name for p in committed.iterdir() if p.suffix in {".csv", ".parquet", ".json"}}
    found = [said for name in sorted(names) if (said := _difference(made / name, committed / name))]
    if found:
        more = f"\n  and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        listed = "\n".join(f"  {said}" for said in found[:_SHOWN])
        raise Findings(
            f"fixtures/{committed.name} is not what its step makes:\n{listed}{more}",
            hint=f"{command}     writes it; git diff then shows what is new",
        )


def _difference(made: Path, committed: Path) -> str:
    """Say where a file differs: "users.csv:14"; empty where it does not."""
    if not committed.is_file():
        return f"{made.name} is missing"
    if not made.is_file():
        return f"{made.name} belongs to no table"
    new, old = (path.read_bytes().split(b"\n") for path in (made, committed))
    pairs = itertools.zip_longest(new, old)
    return next((f"{made.name}:{n}" for n, (a, b) in enumerate(pairs, 1) if a != b), "")


def _differing(
    before: ExtractReader, after: ExtractReader, table: Table, lost: set[str]
) -> list[str]:
    """Return the columns that differ, in rows of the same keys; "" where rows came or went."""
    kept = [c.name for c in table.stored if c.name not in lost]
    key = [name for name in table.primary_key if name in kept] or kept
    old, new = _by_key(before, table, key), _by_key(after, table, key)
    if old.keys() != new.keys():
        return [""]
    return [
        name
        for name in kept
        if any(
            sorted(map(repr, (r[name] for r in old[k])))
            != sorted(map(repr, (r[name] for r in new[k])))
            for k in old
        )
    ]


_Row = dict[str, str | None]


def _by_key(
    reader: ExtractReader, table: Table, key: Sequence[str]
) -> dict[tuple[str | None, ...], list[_Row]]:
    found: dict[tuple[str | None, ...], list[_Row]] = {}
    types = {c.name: c.type for c in reader.columns(table.name)}
    for batch in reader.batches(table.name):
        columns = {name: to_text(batch[name], types[name]).to_pylist() for name in types}
        for values in zip(*columns.values(), strict=True):
            row = dict(zip(columns, values, strict=True))
            found.setdefault(tuple(row[name] for name in key), []).append(row)
    return found
