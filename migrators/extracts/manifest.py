"""`Manifest` ⇄ `manifest.json`. What is read is not trusted: every field is looked at.

The text is the same for the same manifest: keys sorted, what fits on a line on one line. A
committed extract's manifest has one line a column, so that two branches merge.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

from migrators import types
from migrators.errors import ExtractError
from migrators.extracts import unmerged
from migrators.extracts.interface import ColumnEntry, FileEntry, Manifest, TableEntry
from migrators.extracts.names import is_safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

FILE = "manifest.json"
FORMAT = 1

MAX_BYTES = 16 * 2**20
"""A schema of 1,000 tables with 50 columns each makes about 5 MB."""

_LINE = 100
_FORMATS = ("csv", "parquet")
_FORMS = ("native", "text")
_HEX64 = re.compile("[0-9a-f]{64}")
_MAX_COUNT = 2**63 - 1
_DIGEST = "sha256"
_FACTS = ("made", "sequences", "answers", "accounting", "access")


def dumps(manifest: Manifest) -> str:
    """Return the text of a manifest, with a line end at its end."""
    plain: dict[str, Any] = {
        "format": manifest.format,
        "version": manifest.version,
        **({} if manifest.committed else {"fingerprint": manifest.fingerprint}),
        "files": manifest.files,
        "committed": manifest.committed,
        "tables": [_table(t) for t in sorted(manifest.tables, key=lambda t: t.name)],
    }
    facts = () if manifest.committed else _FACTS
    plain |= {name: getattr(manifest, name) for name in facts}
    if not manifest.committed:
        plain[_DIGEST] = _digest(plain)
    return _text(plain, "") + "\n"


def _digest(plain: dict[str, Any]) -> str:
    """SHA-256 of all that a manifest says but for the digest itself."""
    said = {key: value for key, value in plain.items() if key != _DIGEST}
    text = json.dumps(said, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _table(table: TableEntry) -> dict[str, Any]:
    return {
        "name": table.name,
        "ordered": table.ordered,
        "columns": [
            _set(name=c.name, type=c.type, form=c.form, pii=c.pii or None) for c in table.columns
        ],
        "files": [
            _set(name=f.name, rows=f.rows, bytes=f.bytes, sha256=f.sha256) for f in table.files
        ],
    }


def _set(**values: object) -> dict[str, Any]:
    """Leave out what says nothing."""
    return {k: v for k, v in values.items() if v is not None and (k, v) != ("form", "native")}


def _text(value: Any, indent: str) -> str:
    flat = json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
    nested = isinstance(value, list | dict) and any(
        isinstance(v, list | dict) for v in (value.values() if isinstance(value, dict) else value)
    )
    if not value or not isinstance(value, list | dict):
        return flat
    if not nested and len(indent) + len(flat) < _LINE:
        return flat
    inner = indent + "  "
    if isinstance(value, list):
        lines = [inner + _text(v, inner) for v in value]
    else:
        pairs = sorted(value.items())
        lines = [f"{inner}{json.dumps(k, ensure_ascii=False)}: {_text(v, inner)}" for k, v in pairs]
    opened, closed = "[]" if isinstance(value, list) else "{}"
    return f"{opened}\n" + ",\n".join(lines) + f"\n{indent}{closed}"


def loads(text: bytes, where: str = FILE) -> Manifest:
    """Return the manifest of a text.

    Parameters
    ----------
    where : str
        The file, for messages.

    Raises
    ------
    ExtractError
        For anything that `dumps` does not write: another format, a key that is unknown,
        missing or there twice, a wrong type, a file name that leads elsewhere.
    """
    if len(text) > MAX_BYTES:
        raise _refused(where, f"is longer than {MAX_BYTES} bytes")
    try:
        read = json.loads(text.decode(), object_pairs_hook=_no_twins, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        if unmerged.BEGINS.search(text):
            raise _unmerged(where) from None
        raise _refused(where, f"is not JSON as it was written: {error}") from error
    said = read.pop(_DIGEST, None) if isinstance(read, dict) else None
    whole = said is None or said == _digest(read)
    found = _manifest(_Reader(where, "", read))
    if not whole:
        raise _refused(where, "was changed: it says something else than was written")
    return found


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        msg = f"a key twice among {sorted(k for k, _ in pairs)}"
        raise ValueError(msg)
    return dict(pairs)


def _no_constant(constant: str) -> NoReturn:
    raise ValueError(constant)


def _unmerged(where: str) -> ExtractError:
    return ExtractError(
        f"{where} has lines of git's: {unmerged.WHY}",
        hint=f"keep one side, or both; {unmerged.DELETE}",
    )


def _refused(where: str, what: str) -> ExtractError:
    return ExtractError(f"{where} {what}", hint="make the extract again, or restore the file")


class _Reader:
    """One object of the manifest, whose fields are taken out one by one and checked."""

    def __init__(self, where: str, path: str, value: object) -> None:
        self._where = where
        self._path = path
        if not isinstance(value, dict):
            self.fail(f"{path or 'it'} is not an object")
        self._left = dict(value)

    def fail(self, what: str) -> NoReturn:
        raise _refused(self._where, f"is not as it was written: {what[:300]}")

    def take(self, key: str, kind: type, default: object = ...) -> Any:
        value = self._left.pop(key, default)
        if value is ...:
            self.fail(f"{self._path}{key} is missing")
        if value is default:
            return value
        of_kind = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
        if not of_kind:
            self.fail(f"{self._path}{key} is not {kind.__name__}: {value!r}")
        if kind is int and not 0 <= value <= _MAX_COUNT:
            self.fail(f"{self._path}{key} is out of range: {value}")
        return value

    def choice(self, key: str, among: Iterable[str], default: object = ...) -> Any:
        value = self.take(key, str, default)
        if value not in among:
            self.fail(f"{self._path}{key} is none of {', '.join(among)}: {value!r}")
        return value

    def text(self, key: str, fits: Callable[[str], object]) -> str:
        value: str = self.take(key, str)
        if not fits(value):
            self.fail(f"{self._path}{key} is {value!r}")
        return value

    def objects(self, key: str) -> Iterator[_Reader]:
        """Give a list's objects one by one: a forged file may have millions of empty ones."""
        for i, value in enumerate(self.take(key, list)):
            yield _Reader(self._where, f"{self._path}{key}[{i}].", value)

    def distinct(self, key: str, names: Iterable[str]) -> None:
        seen = list(names)
        if len(set(seen)) != len(seen):
            self.fail(f"{self._path}{key} has a name twice: {sorted(seen)}")

    def end(self) -> None:
        if self._left:
            self.fail(f"{self._path}{min(self._left)} is unknown")


def _manifest(read: _Reader) -> Manifest:
    number = read.take("format", int)
    if number != FORMAT:
        read.fail(f"format is {number}, and this version of migrate reads format {FORMAT}")
    committed = read.take("committed", bool)
    files = read.choice("files", _FORMATS)
    found = Manifest(
        version=read.take("version", int),
        fingerprint=_fingerprint(read, committed=committed),
        files=files,
        tables=tuple(_read_table(t, files, committed=committed) for t in read.objects("tables")),
        committed=committed,
        **({} if committed else {name: read.take(name, dict, {}) for name in _FACTS}),
    )
    read.distinct("tables", (t.name for t in found.tables))
    read.distinct("files", (f.name for t in found.tables for f in t.files))
    _check_sequences(read, found.sequences)
    read.end()
    return found


def _fingerprint(read: _Reader, *, committed: bool) -> str:
    if not committed:
        return read.text("fingerprint", _HEX64.fullmatch)
    read.take("fingerprint", str, "")  # what was committed earlier has one
    return ""


def _check_sequences(read: _Reader, sequences: Mapping[str, Any]) -> None:
    for table, value in sequences.items():
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or abs(value) > _MAX_COUNT:
            read.fail(f"sequences.{table} is not an integer of 64 bits: {value!r}")


def _read_table(read: _Reader, suffix: str, *, committed: bool) -> TableEntry:
    table = TableEntry(
        name=read.text("name", len),
        columns=tuple(_read_column(c) for c in read.objects("columns")),
        files=tuple(_read_file(f, suffix, committed=committed) for f in read.objects("files")),
        ordered=read.take("ordered", bool),
    )
    read.distinct("columns", (c.name for c in table.columns))
    read.end()
    return table


def _read_column(read: _Reader) -> ColumnEntry:
    column = ColumnEntry(
        name=read.take("name", str),
        type=read.text("type", _is_type),
        form=read.choice("form", _FORMS, "native"),
        pii=read.take("pii", str, ""),
    )
    if column.form == "text" and not types.parse(column.type).may_be_text:
        read.fail(f"{column.name!r}, a {column.type}, is never held as text")
    read.end()
    return column


def _is_type(name: str) -> bool:
    try:
        types.parse(name)
    except ValueError:
        return False
    return True


def _read_file(read: _Reader, suffix: str, *, committed: bool) -> FileEntry:
    name = read.text("name", lambda n: is_safe(n) and n.endswith(f".{suffix}"))
    entry = FileEntry(name)
    if not committed:
        sha256 = read.text("sha256", _HEX64.fullmatch)
        entry = FileEntry(name, read.take("rows", int), read.take("bytes", int), sha256)
    read.end()
    return entry
