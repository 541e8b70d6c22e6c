"""Where a run makes its database: beside the project's others, elsewhere, or in an empty one."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from migrators import drift
from migrators.backends import backend_for
from migrators.config import redact
from migrators.errors import DatabaseError, Findings, TargetExists, UsageError
from migrators.plan import lints
from migrators.run.kept import Kept

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from migrators.backends.interface import Backend, Catalog
    from migrators.plan.model import Plan
    from migrators.project import Project
    from migrators.run.directory import RunDirectory
    from migrators.run.options import Options
    from migrators.schema import SchemaVersion


def target(project: Project, version: int) -> Backend:
    """Return the database that a run makes."""
    return backend_for(project.target(version))


def inside(project: Project, new: Backend) -> Backend:
    """Return the database that was given, without what a `migrate check` left that was killed."""
    made = new.inside("")
    if project.checks.is_dir():
        with suppress(DatabaseError):  # it is said where it is asked for
            _swept(project, made)
    return made


def may_publish(
    project: Project, new: Backend, options: Options, command: str, *, may_set_aside: bool = False
) -> None:
    """Refuse before any work what could not be published after it.

    Parameters
    ----------
    may_set_aside : bool
        As `sets_aside` says.

    Raises
    ------
    TargetExists
        The name is taken, or the database to load into is not empty.
    """
    if project.into:
        if options.replace:
            raise UsageError("--into takes an empty database, and there is none to set aside")
        inside(project, new).ready()
        return
    if not options.rehearse:
        former(project, new, command, may_replace=options.replace or may_set_aside)
    # What is rehearsed is made beside the name, which it does not take.
    (new.staging("rehearsal") if options.rehearse else new).ready()


def former(project: Project, new: Backend, command: str, *, may_replace: bool) -> bool:
    """Return whether a database has the name, which may lose it; asked again before the publish.

    Raises
    ------
    TargetExists
        It may not. Who made it meanwhile, perhaps, uses it.
    """
    if project.into or not new.exists():
        return False
    if not may_replace:
        raise TargetExists(
            f"{new.database} exists already; nothing was overwritten",
            hint=f"{command}{project.option} --replace     sets it aside first, under another name",
        )
    return True


def sets_aside(project: Project, plans: Sequence[Plan]) -> bool:
    """Whether a version that is there loses its name unasked: on the way down."""
    return plans[-1].is_downgrade and not project.to


def may_hold(project: Project, schema: SchemaVersion, *more: str) -> None:
    """Refuse types and names that the place of a new database cannot hold.

    Parameters
    ----------
    more : str
        Further lines that say what to type.

    Raises
    ------
    Findings
    """
    where = f"schemas/{schema.path.name}"
    new = target(project, schema.version)
    own = backend_for(project.url(schema.version)) if project.has_url(schema.version) else new
    lacking = [f"  {where}: {sentence}" for sentence in lints(schema, own, new)]
    if lacking:
        raise Findings(
            "\n".join((f"{new.database} cannot hold what is declared:", *lacking)),
            hint=(f"edit {where}", *more),
        )


def staging(
    project: Project, run: RunDirectory, version: int, *, last: bool = True, basis: str = ""
) -> Backend:
    """Return the staging database of a version; the journal names it before it is made.

    Parameters
    ----------
    last : bool
        It will be published. The others of a chain are made beside the project's own.
    basis : str
        Digest by which the same load knows itself again; empty where none is to go on with it.
    """
    moved = bool(project.to) and last
    into = project.into and last
    new = backend_for(project.target(version) if moved else project.url(version))
    made = new.inside(run.id) if into else new.staging(run.id)
    facts: dict[str, Any] = {"version": version, "name": run.id}
    if moved:
        facts |= {"to": _shown(new.url), "into": into}
    if basis:
        facts["basis"] = basis
    run.say("staging", database=made.database, **facts)
    return made


def old_catalog(
    project: Project, run: RunDirectory, old: Backend, plans: Sequence[Plan]
) -> Catalog:
    """Return the catalogue that the old database is compared with; see `drift.ground`."""
    schema, version = plans[0].old, plans[-1].new.version
    new = target(project, version)
    place = drift.ground(old, new.inside("") if project.into else new) if project.to else old
    return fresh_catalog(project, run, place, schema, schema.version if place is old else version)


def fresh_catalog(
    project: Project,
    run: RunDirectory,
    database: Backend,
    schema: SchemaVersion,
    version: int | None = None,
) -> Catalog:
    """Return the catalogue of a database freshly built from a schema, beside another, or in it.

    On a server the journal names it before it is made, as a staging database: what a crash
    leaves is removed by the next run. A file is in the run's scratch directory.

    Parameters
    ----------
    version : int, optional
        Whose place `database` is, unless the schema's.
    """
    version = version or schema.version
    name = drift.scratch_name()
    made = database.scratch(run.scratch, name)
    if not _is_served(made, database, name):
        return drift.built_catalog(made, schema)
    if project.checks.is_dir():
        with suppress(DatabaseError):
            _swept(project, database)
    facts: dict[str, Any] = {"version": version, "name": name}
    if project.to and database.url == project.target(version):
        facts |= {"to": _shown(database.url), "into": database.in_place}
    run.say("scratch", database=made.database, **facts)
    try:
        found = drift.built_catalog(made, schema)
    except DatabaseError as error:
        grants = database.unmakeable()
        if not grants:
            raise
        raise DatabaseError(
            f"the role may not make databases beside {database.database}: one freshly made of "
            f"schemas/{schema.path.name} is what it is compared with",
            hint=(
                "an administrator types:",
                *grants,
                "or load into an empty database that is there, of the same kind: --into URL",
            ),
        ) from error
    run.say("gone", database=made.database)
    return found


def catalog_for_check(
    project: Project, folder: Path, database: Backend, schema: SchemaVersion
) -> Catalog:
    """As `fresh_catalog`, without a run: a locked file names what is made on a server.

    What a `migrate check` left that was killed is removed first. Where no such file can be
    written nothing will know of the database if this is killed.
    """
    name = drift.scratch_name()
    made = database.scratch(folder, name)
    if not _is_served(made, database, name):
        return drift.built_catalog(made, schema)
    kept = _swept(project, database)
    if kept is None:
        return drift.built_catalog(made, schema)
    entry = kept.take(name)
    try:
        return drift.built_catalog(made, schema)
    finally:
        entry.remove()
        with suppress(OSError):  # another check's file is there
            project.checks.rmdir()


def _swept(project: Project, database: Backend) -> Kept | None:
    """Remove what killed checks left; return where to name more, if that can be written."""
    try:
        kept = Kept(project.checks, database)
    except DatabaseError:
        return None
    kept.sweep()
    return kept


def _is_served(scratch: Backend, database: Backend, name: str) -> bool:
    """Whether a scratch database stands beside the others, where a crash leaves it."""
    return scratch.database == database.staging(name).database


def staged(project: Project, run: RunDirectory, line: Mapping[str, Any]) -> Backend:
    """Return the staging database that a line of a journal names.

    A password is not in the journal: it is that of the place which the project is told of
    now, if it is the same one, else what the driver finds by itself.
    """
    version, name = line["version"], line["name"] or run.id
    if not line.get("to"):
        return backend_for(project.url(version)).staging(name)
    new = backend_for(sa.make_url(line["to"]))
    if is_there(project, line):
        new = backend_for(project.target(version))
    return new.inside(name) if line.get("into") else new.staging(name)


def is_there(project: Project, line: Mapping[str, Any]) -> bool:
    """Whether the place that a line of a journal names is the one that the project is told of."""
    return bool(project.to) and _shown(project.target(line["version"])) == line["to"]


def refuse_itself(project: Project, old: int, new: int) -> None:
    """Refuse to make a database where the one that is read is.

    Raises
    ------
    UsageError
    """
    read, made = backend_for(project.url(old)), backend_for(project.target(new))
    if project.to and _shown(read.url) == _shown(made.url):
        raise UsageError(
            f"{read.database} is the database that is read",
            hint="--to names another place; what one is named after: {version}",
        )


def _shown(url: sa.URL) -> str:
    """Return a URL without password or secret options: what tells databases apart."""
    without = url._replace(password=None)  # `set` takes None for no change
    return redact(without.render_as_string(hide_password=False))
