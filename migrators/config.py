"""Settings: flag, else `MIGRATE_*` environment, else `[tool.migrators]` in pyproject.toml.

`project` reads them once; nobody else looks at the environment or at the file.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from migrators.backends import where
from migrators.errors import CodeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

PLACEHOLDER = "{version}"
RUNS = ".migrate"
KEEP_EXTRACTS = 1
MOST_JOBS = 64
"""Each takes connections of its own: a server has a hundred or so."""
_KEYS = ("name", "url", "urls", "runs", "keep_extracts", "jobs", "references", "pii")
_EXAMPLE = f'url = "{where.SERVER}_v{PLACEHOLDER}"'
_ALIAS = f'1 = "{where.SERVER}"'
_SECRETS = re.compile(r"([?&][^=&]*(?:password|passwd|pwd|secret|token|key)=)[^&]*", re.IGNORECASE)
_PASSWORD = re.compile(r"(://[^:/@]*:).*(@)", re.DOTALL)


@dataclass(frozen=True)
class Settings:
    """What a project says of itself.

    Attributes
    ----------
    name : str
        The application's name, in messages.
    url : str
        Template with `{version}`; empty where the project gives none.
    urls : mapping of int to str
        Whole URLs of versions whose database's name bears no number.
    runs : str
        Where run directories are, relative to the project unless absolute.
    keep_extracts : int
        Runs whose extracts are kept, the latest ones.
    jobs : int or None
        Tables at a time; None for as many as the machine is good for.
    references : tuple of str
        What refers to what beyond the schemas' foreign keys: "orders.no = customers.no".
    pii : mapping
        Personal columns, "users.email", to what replaces them.
    pii_key : str
        Of the pseudonyms; from the environment only.
    """

    name: str
    url: str = field(default="", repr=False)
    urls: Mapping[int, str] = field(default_factory=dict, repr=False)
    runs: str = RUNS
    keep_extracts: int = KEEP_EXTRACTS
    jobs: int | None = None
    references: tuple[str, ...] = ()
    pii: Mapping[str, object] = field(default_factory=dict)
    pii_key: str = field(default="", repr=False)


def table(pyproject: Path) -> dict[str, Any] | None:
    """Return `[tool.migrators]` of a pyproject.toml; None where it has none.

    Raises
    ------
    CodeError
        The file is not TOML.
    UsageError
        It cannot be read.
    """
    try:
        document = tomllib.loads(pyproject.read_text("utf-8"))
    except OSError as error:
        raise UsageError(
            f"{pyproject}: {error.strerror}", hint="make it readable: it holds the settings"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        line = re.search(r"at line (\d+)", str(error))
        raise CodeError(
            f"not TOML: {error}", path=pyproject, line=int(line[1]) if line else None
        ) from None
    found = document.get("tool", {}).get("migrators")
    return found if isinstance(found, dict) else None


def settings(
    pyproject: Path, environment: Mapping[str, str], flags: Mapping[str, str] | None = None
) -> Settings:
    """Return the settings in force.

    A URL template given by flag or `MIGRATE_URL` means other servers, so the file's
    `urls`, which name databases on the old ones, do not count beside it;
    `MIGRATE_URL_1` names one for version 1.

    Parameters
    ----------
    pyproject : Path
        The project's pyproject.toml.
    environment : mapping
        Usually `os.environ`; `MIGRATE_NAME`, `MIGRATE_URL`, `MIGRATE_URL_<N>`,
        `MIGRATE_RUNS`, `MIGRATE_KEEP_EXTRACTS`, `MIGRATE_JOBS` and `MIGRATE_PII_KEY` are read,
        empty ones count as absent.
    flags : mapping
        `name`, `url`, `runs`, `jobs` as typed; they win.

    Raises
    ------
    UsageError
        An unknown key, a value of the wrong kind, or a template without `{version}`.
    """
    written = table(pyproject) or {}
    _known(written, pyproject)
    given = _environment(environment) | {k: v for k, v in (flags or {}).items() if v}
    aliases = {} if "url" in given else _aliases(written.get("urls", {}), pyproject)
    url = given.get("url") or _text(written, "url", pyproject)
    _template(url)
    return Settings(
        name=given.get("name") or _text(written, "name", pyproject) or pyproject.parent.name,
        url=url,
        urls=aliases | _environment_aliases(environment),
        runs=given.get("runs") or _text(written, "runs", pyproject) or RUNS,
        keep_extracts=_keep(written, environment, pyproject),
        jobs=_jobs(written, environment, flags or {}, pyproject),
        references=_references(written, pyproject),
        pii=_pii(written, pyproject),
        pii_key=environment.get("MIGRATE_PII_KEY", ""),
    )


def redact(url: str) -> str:
    """Return a URL as messages may show it: passwords and secret options as `***`.

    Everything up to the last `@` counts as password, since one that was not escaped
    may hold any character.
    """
    return _SECRETS.sub(r"\1***", _PASSWORD.sub(r"\1***\2", url))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the known word most like `word`, or all of them."""
    choices = list(known)
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.5)
    return f"did you mean `{near[0]}`?" if near else f"known are: {', '.join(choices)}"


def _known(written: Mapping[str, Any], pyproject: Path) -> None:
    for key in written:
        if key not in _KEYS:
            raise UsageError(
                f"{pyproject}: [tool.migrators] has an unknown key `{key}`",
                hint=nearest(key, _KEYS),
            )


def _text(written: Mapping[str, Any], key: str, pyproject: Path) -> str:
    value = written.get(key, "")
    if not isinstance(value, str):
        raise UsageError(f"{pyproject}: [tool.migrators] {key} must be a string")
    return value


def _keep(written: Mapping[str, Any], environment: Mapping[str, str], pyproject: Path) -> int:
    """Return how many runs' extracts are kept: a whole number, 0 for none."""
    said = environment.get("MIGRATE_KEEP_EXTRACTS", "")
    if said:
        if not re.fullmatch(r"[0-9]{1,9}", said):
            raise UsageError(f"MIGRATE_KEEP_EXTRACTS must be a number of runs, not {said!r}")
        return int(said)
    value = written.get("keep_extracts", KEEP_EXTRACTS)
    if type(value) is not int or value < 0:
        raise UsageError(
            f"{pyproject}: [tool.migrators] keep_extracts must be a number of runs",
            hint="keep_extracts = 1     keeps those of the latest run, 0 none",
        )
    return value


def _jobs(
    written: Mapping[str, Any],
    environment: Mapping[str, str],
    flags: Mapping[str, str],
    pyproject: Path,
) -> int | None:
    """Return how many tables at a time were asked for: a whole number from 1."""
    said = {"--jobs": flags.get("jobs", ""), "MIGRATE_JOBS": environment.get("MIGRATE_JOBS", "")}
    place, text = next(((p, t) for p, t in said.items() if t), ("", ""))
    value: Any = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else text
    if not place:
        place, value = f"{pyproject}: [tool.migrators] jobs", written.get("jobs")
    if value is None or (type(value) is int and 1 <= value <= MOST_JOBS):
        return value
    raise UsageError(
        f"{place} must be a number of tables at a time, from 1 to {MOST_JOBS}, not {value!r}",
        hint="leave it out for as many as this machine is good for",
    )


def _references(written: Mapping[str, Any], pyproject: Path) -> tuple[str, ...]:
    value = written.get("references", [])
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise UsageError(
            f"{pyproject}: [tool.migrators] references must be a list of texts",
            hint='references = ["orders.customer_no = customers.no"]',
        )
    return tuple(value)


def _pii(written: Mapping[str, Any], pyproject: Path) -> Mapping[str, object]:
    value = written.get("pii", {})
    if not isinstance(value, dict):
        raise UsageError(
            f"{pyproject}: [tool.migrators] pii must be a table of columns",
            hint=("[tool.migrators.pii]", '"users.email" = "email"'),
        )
    return value


def _aliases(written: object, pyproject: Path) -> dict[int, str]:
    if not isinstance(written, dict):
        raise UsageError(
            f"{pyproject}: [tool.migrators] urls must be a table of versions",
            hint=("[tool.migrators.urls]", _ALIAS),
        )
    for version, url in written.items():
        if not version.isdecimal() or not isinstance(url, str):
            raise UsageError(
                f"{pyproject}: [tool.migrators.urls] `{version}` must be a schema version "
                "and its value a URL",
                hint=_ALIAS,
            )
    return {int(version): url for version, url in written.items()}


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    found = {key: environment.get(f"MIGRATE_{key.upper()}", "") for key in ("name", "url", "runs")}
    return {key: value for key, value in found.items() if value}


def _environment_aliases(environment: Mapping[str, str]) -> dict[int, str]:
    names = {k: re.fullmatch(r"MIGRATE_URL_(\d+)", k) for k in environment}
    return {int(m[1]): environment[k] for k, m in names.items() if m and environment[k]}


def _template(url: str) -> None:
    if url and PLACEHOLDER not in url:
        raise UsageError(
            f"the url {redact(url)} has no {PLACEHOLDER} in it, so every version would be "
            "the same database",
            hint=(_EXAMPLE, "a database without a number goes to [tool.migrators.urls]"),
        )
