"""What a test asks for: by its marker, else by flags, else by ini options, else by the project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrators.config import nearest, redact
from migrators.errors import ProjectError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import UnionType

    import sqlalchemy as sa

    from migrators.project import Project

_TYPES: dict[str, tuple[type | UnionType, str]] = {
    "extract": (str | Path, "a path"),
    "version": (int, "a number"),
    "tables": (str | list | tuple | set | frozenset, "names"),
    "engine": (str, "a name"),
    "isolation": (str, "a name"),
}
_KEYS = tuple(_TYPES)
ISOLATIONS = ("rollback", "copy")
_EXAMPLE = '@pytest.mark.migrate("fixtures/v3", tables=["users"], isolation="copy")'


@dataclass(frozen=True)
class Asked:
    """What a test asks for.

    Attributes
    ----------
    extract : Path
    version : int or None
        The schema version that the extract must be of, where one is asked for.
    tables : tuple of str
        Whose rows; all if empty.
    url : sqlalchemy.URL
        A server, or the kind of a file.
    isolation : str
        "rollback" or "copy".
    """

    extract: Path
    version: int | None
    tables: tuple[str, ...]
    url: sa.URL
    isolation: str


@dataclass(frozen=True)
class Defaults:
    """What flags and ini options say.

    Attributes
    ----------
    version : str
        Empty for the newest version that has fixtures.
    urls : sequence of str
        Where databases are made, the first unless a marker names another kind.
    """

    version: str = ""
    isolation: str = "rollback"
    urls: Sequence[str] = ()


def asked(
    project: Project, defaults: Defaults, args: Sequence[Any], given: Mapping[str, Any]
) -> Asked:
    """Return what a test asks for.

    Parameters
    ----------
    args, given : sequence, mapping
        Of the marker; empty where there is none.

    Raises
    ------
    UsageError
        The marker, a flag or an option says something that there is not.
    """
    said = _said(args, given)
    version, named = said.get("version"), said.get("extract")
    path = project.root / named if named else project.fixtures(_version(project, version, defaults))
    tables = said.get("tables", ())
    return Asked(
        extract=path,
        version=version,
        tables=(tables,) if isinstance(tables, str) else tuple(tables),
        url=asked_url(defaults.urls, said.get("engine")),
        isolation=_isolation(said.get("isolation") or defaults.isolation),
    )


def _said(args: Sequence[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    if len(args) > 1 or {*given} - {*_KEYS}:
        unknown = next(iter({*given} - {*_KEYS}), "")
        what = f"has no {unknown!r}" if unknown else "takes one extract, by its path"
        raise UsageError(
            f"migrate marker: {what}", hint=(nearest(unknown, _KEYS) if unknown else _EXAMPLE)
        )
    said = {**({"extract": args[0]} if args else {}), **given}
    return {name: _like(name, value) for name, value in said.items() if value is not None}


def _like(name: str, value: Any) -> Any:
    """Return a word of the marker, or refuse what is none."""
    kind, words = _TYPES[name]
    texts = value if name == "tables" and not isinstance(value, str) else ""
    well = isinstance(value, kind) and not isinstance(value, bool)
    if well and all(isinstance(text, str) for text in texts):
        return value
    raise UsageError(f"migrate marker: {name} must be {words}, not {value!r}", hint=_EXAMPLE)


def _version(project: Project, version: int | None, defaults: Defaults) -> int:
    if version is not None:
        return version
    if defaults.version:
        if not defaults.version.isdecimal():
            raise UsageError(f"migrate_version must be a number, not {defaults.version!r}")
        return int(defaults.version)
    found = [v for v in project.versions() if project.fixtures(v).is_dir()]
    if not found:
        raise ProjectError(
            f"{project.root} has no fixtures",
            hint="migrate extract 3 --to fixtures/v3     writes them, of version 3's database",
        )
    return found[-1]


def _isolation(said: str) -> str:
    if said not in ISOLATIONS:
        raise UsageError(f"there is no isolation {said!r}", hint=nearest(said, ISOLATIONS))
    return said


def asked_url(written: Sequence[str], kind: str | None = None) -> sa.URL:
    """Return the first URL, or the first of a kind; that of a file needs none to be written."""
    import sqlalchemy as sa

    from migrators.backends import where

    urls = []
    for one in written or (where.FILE,):
        try:
            urls.append(where.spelled(sa.make_url(one)))
        except (sa.exc.ArgumentError, ValueError):
            raise UsageError(f"migrate_urls: {redact(one)} is not a database URL") from None
    if kind is None:
        return urls[0]
    found = [url for url in urls if url.get_backend_name() == kind]
    if found:
        return found[0]
    if where.is_file(kind):
        return sa.make_url(f"{kind}://")
    known = ", ".join(dict.fromkeys(url.get_backend_name() for url in urls))
    raise UsageError(
        f"no URL says where a {kind} server is: those given are of {known}",
        hint=("migrate_urls = [...]     among pytest's ini options", "--migrate-url URL"),
    )
