"""A run's staging databases: a new one, or that of a load that stopped; and their end."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from migrators import __version__
from migrators.errors import MigrateError, ValueRefused
from migrators.run import places
from migrators.run.directory import all_runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from migrators.backends.interface import Backend
    from migrators.extracts.directory import ExtractReader
    from migrators.project import Project
    from migrators.run.directory import RunDirectory
    from migrators.schema import SchemaVersion


def basis_of(reader: ExtractReader, schema: SchemaVersion) -> str:
    """Return a digest of everything that a load depends on."""
    parts = (reader.digest, schema.fingerprint, __version__)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def staging_for(
    project: Project, run: RunDirectory, version: int, basis: str, *, last: bool = True
) -> Backend:
    """Return the staging database to load into; the run's journal names it from now on.

    Parameters
    ----------
    basis : str
        As `basis_of` gives it: a load of the same one that stopped is taken over.
    last : bool
        As in `places.staging`.
    """
    moved = bool(project.to) and last
    for other, line in _begun(project, basis):
        if other.id == run.id or bool(line.get("to")) != moved:
            continue
        if moved and not places.is_there(project, line):
            continue
        found = places.staged(project, other, line)
        if found.database == line["database"] and found.begun(basis):
            run.say("staging", **{k: v for k, v in line.items() if k not in ("at", "what")})
            other.say("gone", database=found.database)
            return found
    return places.staging(project, run, version, last=last, basis=basis)


def _begun(project: Project, basis: str) -> Iterator[tuple[RunDirectory, Mapping[str, Any]]]:
    for run in all_runs(project):
        yield from ((run, line) for line in run.made("staging") if line.get("basis") == basis)


@contextmanager
def ended(project: Project, run: RunDirectory) -> Iterator[None]:
    """Discard a run's staging databases at its end, but one that the same command goes on with.

    A refused value needs another step, schema or source, and with it another load. What cannot
    be discarded after an error is left to the next run: the error is what has to be told.
    """
    try:
        yield
    except BaseException as error:
        for line in run.made("staging"):
            with suppress(MigrateError):
                staging = places.staged(project, run, line)
                basis = "" if isinstance(error, ValueRefused) else line.get("basis", "")
                if not (basis and staging.begun(basis)):
                    gone(run, staging)
        raise
    else:
        for line in run.made("staging"):
            gone(run, places.staged(project, run, line))
    finally:
        run.clear_scratch()


def gone(run: RunDirectory, staging: Backend) -> None:
    """Discard a staging database, and say so."""
    if staging.exists() or not staging.in_place:  # one that is empty yet goes, too
        staging.discard()
    run.say("gone", database=staging.database)
