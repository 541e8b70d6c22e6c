"""`migrate init`: a runnable sample project, or one around an existing database.

Nothing that exists is overwritten: what would be is found before the first file is
written. Lists such as .gitignore get the lines they lack.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from migrators import config
from migrators.backends import where
from migrators.errors import ProjectError, UsageError
from migrators.guard import version_in_name
from migrators.init import sample

if TYPE_CHECKING:
    import sqlalchemy as sa

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Started:
    """What `init` wrote.

    Attributes
    ----------
    written : tuple of Path
        New files, and lists that got a line.
    next : tuple of str
        Commands to type next, a line each.
    notes : tuple of str
        What could not be taken over exactly, or has to be added by hand.
    """

    written: tuple[Path, ...]
    next: tuple[str, ...]
    notes: tuple[str, ...] = ()


def init(folder: Path, name: str = "", *, source: str = "") -> Started:
    """Make a project in a folder.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    name : str
        The application's; by default the folder's, made a plain identifier.
    source : str
        URL of an existing database to make the project around, a relative file from the
        cwd; empty for the sample.

    Raises
    ------
    ProjectError
        There is a project already, or a file is in the way.
    UsageError
        The name or the URL is none.
    DatabaseError
        The existing database cannot be read.
    """
    folder = folder.resolve()
    name = _checked(name) if name else _plain(folder.name)
    return _around(folder, name, source) if source else _sample(folder, name)


def _sample(folder: Path, name: str) -> Started:
    texts = {
        "schemas/v1.py": sample.SCHEMA_1.replace("{name}", name),
        "schemas/v2.py": sample.SCHEMA_2.replace("{name}", name),
        "migrators/1to2.py": sample.STEP,
    }
    _free(folder, [*texts, "fixtures/v1"])
    settings = sample.PYPROJECT.format(name=_quoted(name), url=_quoted(where.file_template(name)))
    written, notes = _settings(folder, settings)
    written += [_new(folder / path, text) for path, text in texts.items()]
    written += _fixtures(folder)
    written += _customary(folder, sample.README.replace("{name}", name))
    enter = () if folder == Path.cwd() else (f"cd {folder}",)
    return Started(
        tuple(written), (*enter, "migrate load fixtures/v1", "migrate 1to2"), tuple(notes)
    )


def _around(folder: Path, name: str, source: str) -> Started:
    from migrators.freeze import freeze
    from migrators.project import Project

    full = _full_url(source)
    numbered = version_in_name(full.database or "")
    version = 1 if numbered is None else numbered
    _free(folder, [f"schemas/v{version}.py"])
    folder.mkdir(parents=True, exist_ok=True)
    project = Project(folder, config.Settings(name))
    frozen = freeze(project, version, full.render_as_string(hide_password=False))
    kept = _as_written(full, folder)
    settings = sample.PYPROJECT.format(name=_quoted(name), url=_quoted(_template(kept)))
    if numbered is None:
        settings += sample.URLS.format(version=version, url=_quoted(kept))
    written, notes = _settings(folder, settings)
    (folder / "migrators").mkdir(exist_ok=True)
    written = [*frozen.written, *written, *_customary(folder, "")]
    notes += [
        f"{path.name} belongs to schema {version}: copy it too" for path in frozen.written[1:]
    ]
    if full.password:
        notes.append("the password was not written: give the URL in MIGRATE_URL instead")
    return Started(tuple(written), _next_around(folder, version), (*notes, *frozen.notes))


def _next_around(folder: Path, version: int) -> tuple[str, ...]:
    after = version + 1
    enter = () if folder == Path.cwd() else (f"cd {folder}",)
    return (
        *enter,
        f"cp schemas/v{version}.py schemas/v{after}.py     then change it",
        f"migrate plan {version}to{after}     says what migrators/{version}to{after}.py has to say",
        f"migrate check {version}to{after}",
        f"migrate {version}to{after}",
    )


def _full_url(source: str) -> sa.URL:
    import sqlalchemy as sa

    meant = where.file_url(source) if Path(source).is_file() else where.FILE
    try:
        return where.anchored(sa.make_url(source), Path.cwd())
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError):
        raise UsageError(
            f"{config.redact(source)} is not a database URL",
            hint=f"migrate init --from {meant}",
        ) from None


def _as_written(url: sa.URL, folder: Path) -> str:
    """Return a URL for pyproject.toml: without a password, a file in the project relative."""
    file = where.database_file(url)
    if file is not None and file.resolve().is_relative_to(folder):
        url = url.set(database=file.resolve().relative_to(folder).as_posix())
    return url.set(password=None).render_as_string(hide_password=False)


def _template(url: str) -> str:
    """Return the URL with `{version}` where its number stands, or after its name."""
    path, mark, query = url.partition("?")
    numbered = re.sub(r"_v\d+(\.[A-Za-z0-9]+)?$", r"_v{version}\1", path)
    if numbered == path:
        numbered = re.sub(r"(\.[A-Za-z0-9]+)?$", r"_v{version}\1", path, count=1)
    return f"{numbered}{mark}{query}"


def _settings(folder: Path, section: str) -> tuple[list[Path], list[str]]:
    """Write pyproject.toml, or add a section to the one that is there."""
    path = folder / "pyproject.toml"
    if not path.exists():
        return [_new(path, section + sample.RUFF)], []
    if config.table(path) is not None:
        raise ProjectError(f"{path} has [tool.migrators] already: this is a project")
    tools = tomllib.loads(path.read_text("utf-8")).get("tool", {})
    addition = section if "ruff" in tools else section + sample.RUFF
    _append(path, "\n" + addition)
    line = 'add to [tool.ruff.lint.per-file-ignores]: "migrators/*.py" = ["INP001"]'
    return [path], [line] if "ruff" in tools else []


def _fixtures(folder: Path) -> list[Path]:
    import pyarrow as pa

    from migrators.extracts.directory import ExtractWriter
    from migrators.project import Project
    from migrators.schema import load_schema

    project = Project.find(folder, environment={})
    schema = load_schema(project, 1)
    target = project.fixtures(1)
    target.parent.mkdir(exist_ok=True)
    writer = ExtractWriter(target, schema, files="csv", mode=0o644, committed=True)
    for name in schema.load_order:
        columns = schema.tables[name].stored
        arrays = [
            pa.array([row[c.name] for row in sample.ROWS[name]], c.type.arrow) for c in columns
        ]
        with writer.table(name, ordered=True) as table:
            table.write(pa.RecordBatch.from_arrays(arrays, [c.name for c in columns]))
    writer.finish()
    return sorted(target.iterdir())


def _customary(folder: Path, readme: str) -> list[Path]:
    """Write what git needs to know, and a README where there is none."""
    written = [
        path
        for path, lines in (
            (folder / ".gitignore", sample.GITIGNORE),
            (folder / ".gitattributes", sample.GITATTRIBUTES),
        )
        if _with_lines(path, lines)
    ]
    if readme and not (folder / "README.md").exists():
        written.append(_new(folder / "README.md", readme))
    return written


def _with_lines(path: Path, lines: tuple[str, ...]) -> bool:
    there = path.read_text("utf-8").splitlines() if path.exists() else []
    lacking = [line for line in lines if line not in there]
    if lacking:
        _append(path, "".join(f"{line}\n" for line in lacking))
    return bool(lacking)


def _append(path: Path, text: str) -> None:
    before = path.read_text("utf-8") if path.exists() else ""
    separator = "" if not before or before.endswith("\n") else "\n"
    temporary = path.with_name(f".{path.name}.writing")
    temporary.write_text(before + separator + text, "utf-8", newline="")
    temporary.replace(path)


def _new(path: Path, text: str) -> Path:
    """Write a file that must not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise ProjectError(f"{path} cannot be written: {error.strerror}") from None
    return path


def _free(folder: Path, names: list[str]) -> None:
    """Refuse before the first file is written."""
    pyproject = folder / "pyproject.toml"
    if pyproject.exists() and config.table(pyproject) is not None:
        raise ProjectError(
            f"{pyproject} has [tool.migrators] already: this is a project",
            hint="migrate status",
        )
    there = [name for name in names if (folder / name).exists()]
    if (folder / "migrators" / "__init__.py").exists():
        there.append("migrators/__init__.py")
    if there:
        raise ProjectError(
            f"{folder} has {', '.join(there)} already; nothing was written",
            hint="migrate init another_folder",
        )


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"`{name}` cannot be part of a database's name",
            hint=f"lower case letters, digits and _: {_plain(name)}",
        )
    return name


def _plain(name: str) -> str:
    found = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return found if _NAME.fullmatch(found) else f"app_{found}".rstrip("_")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
