"""An extract, changed in one bit after the other, read in a process that may not survive it.

`python -m tests.damage DIRECTORY SEED FLIPS FORGE` is that process; `attempts` starts it, and
`extract` writes what it needs: the reference application's fixture as an extract with digests.

What becomes of each is counted and printed as JSON.
FORGE is "no": the digests stay, and every flip must be refused. Or "yes": whoever changed the
extract has counted the digests anew, as its author can; a Parquet file then has its page
checksums left, and of a CSV file a changed letter is another valid value, which nothing sees.
"""

from __future__ import annotations

import faulthandler
import hashlib
import json
import random
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from migrators.errors import ExtractError
from migrators.extracts import ExtractReader, ExtractWriter
from migrators.extracts import manifest as manifests
from migrators.project import Project
from migrators.schema import SchemaVersion, load_schema

REPOSITORY = Path(__file__).parents[1]
VERSION = 3
_MEMORY = 3 * 2**30
"""Address space of the process: pyarrow's threads and mappings take more than a gigabyte."""
_SECONDS = 30
"""For one attempt: an end that does not come is printed where it hangs."""


def schema() -> SchemaVersion:
    """Return the schema of the extract that is damaged."""
    return load_schema(Project.find(REPOSITORY, environment={}), VERSION)


def extract(path: Path, files: str) -> Path:
    """Write the reference application's fixture as an extract with digests."""
    declared = schema()
    fixture = ExtractReader.open(REPOSITORY / "fixtures" / f"v{VERSION}", declared)
    writer = ExtractWriter(path, declared, files)
    for name in declared.tables:
        with writer.table(name, ordered=False) as sink:
            for batch in fixture.batches(name):
                sink.write(batch)
    writer.finish(made={"step": "2to3"}, sequences={"users": 99})
    return path


def attempts(path: Path, seed: int, flips: int, forge: str) -> dict[str, Any]:
    """Damage an extract in a process of its own; return what it printed.

    Raises
    ------
    AssertionError
        If it did not survive; with what it said.
    """
    typed = [sys.executable, "-m", "tests.damage", str(path), str(seed), str(flips), forge]
    done = subprocess.run(typed, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-2_000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


class Damage:
    """One extract, changed in a bit at a time and put right again."""

    def __init__(self, path: Path, *, forge: bool) -> None:
        self._path, self._forge = path, forge
        self._schema = schema()
        self._files = sorted(p for p in path.iterdir() if p.stat().st_size)
        whole = ExtractReader.open(path, self._schema)
        self._manifest = whole.manifest
        self._tables = {whole.paths(name)[0]: name for name in self._schema.tables}
        self._rows = {name: self._read(whole, name) for name in self._schema.tables}

    def flip(self, chance: random.Random) -> str:
        """Flip one bit; return what becomes of the file: "refused …" or what it gives."""
        file = chance.choice(self._files)
        whole = file.read_bytes()
        bit = chance.randrange(len(whole) * 8)
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        file.write_bytes(changed)
        told = self._forged(file) if self._forge and file in self._tables else None
        try:
            return f"{self._tried(file)}{file.suffix}: {file.name} {bit}"
        finally:
            file.write_bytes(whole)
            if told is not None:
                (self._path / manifests.FILE).write_bytes(told)

    def _tried(self, file: Path) -> str:
        try:
            reader = ExtractReader.open(self._path, self._schema)
            if file not in self._tables:
                same = reader.manifest == self._manifest
                return "no change " if same else "other values "
            same = self._read(reader, self._tables[file]) == self._rows[self._tables[file]]
        except ExtractError:
            return "refused "
        return "no change " if same else "other values "

    @staticmethod
    def _read(reader: ExtractReader, table: str) -> list[dict[str, Any]]:
        return [row for batch in reader.batches(table) for row in batch.to_pylist()]

    def _forged(self, file: Path) -> bytes:
        """Make the manifest agree with a changed file; return it as it was."""
        at = self._path / manifests.FILE
        whole = at.read_bytes()
        plain = json.loads(whole)
        del plain["sha256"]
        for entry in (f for table in plain["tables"] for f in table["files"]):
            if entry["name"] == file.name:
                entry["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
        at.write_text(json.dumps(plain))
        return whole


def peak() -> int:
    """Return the most bytes that this process held; `ru_maxrss` is also its parent's."""
    (line,) = (x for x in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in x)
    return int(line.split()[1]) * 1024


def main(path: Path, seed: int, flips: int, *, forge: bool) -> dict[str, Any]:
    """Return how many flips were refused, and the others by name."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    chance = random.Random(seed)  # noqa: S311
    damage = Damage(path, forge=forge)
    counts: dict[str, int] = {}
    names: dict[str, list[str]] = {}
    for _ in range(flips):
        faulthandler.dump_traceback_later(_SECONDS, exit=True)
        what, _, where = damage.flip(chance).partition(": ")
        counts[what] = counts.get(what, 0) + 1
        if not what.startswith("refused"):
            names.setdefault(what, []).append(where)
    faulthandler.cancel_dump_traceback_later()
    return {"counts": counts, "not refused": names, "peak": peak()}


if __name__ == "__main__":
    directory, number, often, forged = sys.argv[1:]
    print(json.dumps(main(Path(directory), int(number), int(often), forge=forged == "yes")))  # noqa: T201
