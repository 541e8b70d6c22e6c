"""`migrate copy` between databases beside the tools that people use for it; ratios, one run.

    python -m tests.benchmarks.moving [--scale 1.0] [--only NAME …] [--memory] [--json FILE]

The database is `main_job`'s (version 2), put on each server by `migrate copy` itself. Then,
each in the same run, on the same machine and from the same data:

- `postgresql`: PostgreSQL → PostgreSQL beside `pg_dump -Fd -Z0 -j2` and `pg_restore -j2`;
- `to postgresql`: SQLite → PostgreSQL beside pgloader;
- `mariadb`: MariaDB → MariaDB beside `mydumper -t2` and `myloader -t2`;
- `across`: MariaDB → PostgreSQL beside pgloader.

Servers are those of the tests (`MIGRATORS_TEST_POSTGRESQL_URL`, `MIGRATORS_TEST_MYSQL_URL`).
What is not installed is left out and said. Databases that are made are dropped again. With
`--memory` the client's peak memory from SQLite to each server is measured as well, of one and
ten million rows by one and four jobs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.main_job import Ran, project, run
from tests.servers import SERVERS, create_database, prefix, server_url

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

PHASES = ("extract", "load", "finish")
"""What the peers do as well; ours verifies every cell besides."""


@dataclass(frozen=True)
class Place:
    """Where databases of one kind are: `url` is a template with `{version}`."""

    url: str
    server: sa.URL | None = None

    def named(self, version: int = 2) -> str:
        """Return the name of a version's database."""
        return self.url.format(version=version).rpartition("/")[2]


@dataclass(frozen=True)
class Race:
    """One comparison.

    Attributes
    ----------
    needs : tuple of str
        Programs that the peer is made of.
    most, verified : float
        Ratio of ours to the peer to reach, without and with full verification.
    """

    source: str
    target: str
    needs: tuple[str, ...]
    peer: Callable[[Place, Place, Path], list[tuple[str, ...]]]
    most: float
    verified: float | None = None


def flags(url: sa.URL, *, mydumper: bool = False) -> list[str]:
    """Return a server's address as its programs take it."""
    port, user = ("-P", "-u") if mydumper else ("-p", "-U")
    return ["-h", url.host or "127.0.0.1", port, str(url.port or 3306), user, url.username or ""]


def dump_and_restore(source: Place, target: Place, folder: Path) -> list[tuple[str, ...]]:
    """PostgreSQL's own two programs, each with two jobs."""
    assert source.server is not None
    place, at = str(folder / "dump"), flags(source.server)
    return [
        ("pg_dump", *at, "-Fd", "-Z0", "-j2", "-f", place, source.named()),
        ("pg_restore", *at, "-j2", "-d", target.named(0), place),
    ]


def mydumper(source: Place, target: Place, folder: Path) -> list[tuple[str, ...]]:
    """Dump and load MariaDB with two threads each."""
    assert source.server is not None
    place, at = str(folder / "dump"), flags(source.server, mydumper=True)
    return [
        ("mydumper", *at, "-t", "2", "-B", source.named(), "-o", place),
        ("myloader", *at, "-t", "2", "-B", target.named(0), "-o", "-d", place),
    ]


def pgloader(source: Place, target: Place, folder: Path) -> list[tuple[str, ...]]:
    """Load PostgreSQL from a SQLite file or from MariaDB."""
    del folder
    given = source.url.format(version=2).replace("sqlite:///", "sqlite://")
    return [("pgloader", given, target.url.format(version=0))]


RACES = {
    "postgresql": Race(
        "postgresql", "postgresql", ("pg_dump", "pg_restore"), dump_and_restore, 1.0, 1.5
    ),
    "to postgresql": Race("sqlite", "postgresql", ("pgloader",), pgloader, 1 / 4, 1 / 2.5),
    "mariadb": Race("mysql", "mysql", ("mydumper", "myloader"), mydumper, 0.7),
    "across": Race("mysql", "postgresql", ("pgloader",), pgloader, 1 / 4),
}


def copied(
    folder: Path, source: Place, target: Place, *options: str
) -> tuple[Ran, dict[str, float]]:
    """Run `migrate copy 2`; return seconds by stage."""
    shutil.rmtree(folder / ".migrate", ignore_errors=True)
    os.environ["MIGRATE_URL"] = source.url
    ran = run(
        sys.executable, "-m", "migrators", "-C", str(folder), "copy", "2", "--to", target.url,
        "--json", *options,
    )  # fmt: skip
    receipt = json.loads(ran.output)
    return ran, {stage["stage"]: stage["seconds"] for stage in receipt["stages"]}


def place(kind: str, begins: str, name: str) -> Place:
    """Return where the databases of a server's kind are."""
    server = server_url(kind)
    template = server.set(database=f"{begins}{name}_v0").render_as_string(hide_password=False)
    return Place(template.replace("_v0", "_v{version}"), server)


def raced(name: str, race: Race, places: dict[str, Place], folder: Path, begins: str) -> Any:
    """Run ours and the peer; print and return what they took."""
    source = places[race.source]
    target = place(race.target, begins, f"to_{race.source}")
    ran, stages = copied(folder, source, target)
    missing = [program for program in race.needs if not shutil.which(program)]
    print(f"{name}: ours {', '.join(f'{s} {t:.1f}' for s, t in stages.items())}; "
          f"{ran.cpu:.1f} s of processor, {ran.peak:.0f} MB")  # fmt: skip
    found: dict[str, Any] = {"stages": stages, "peak": ran.peak, "left out": missing}
    if missing:
        print(f"  left out: {', '.join(missing)} not installed")
        return found
    create_database(race.target, target.named(0))
    with tempfile.TemporaryDirectory(dir=folder) as own:
        peers = [run(*command) for command in race.peer(source, target, Path(own))]
    theirs = sum(peer.seconds for peer in peers)
    moved = sum(stages[phase] for phase in PHASES)
    ratios = {"extract + load": (moved / theirs, race.most)}
    if race.verified is not None:
        ratios["and verify"] = ((moved + stages["verify"]) / theirs, race.verified)
    print(f"  {' + '.join(race.needs)}: {' + '.join(f'{p.seconds:.1f}' for p in peers)} s")
    for what, (ratio, most) in ratios.items():
        print(f"  {what:16} ours / theirs {ratio:6.2f}    at most {most:.2f}")
    return found | {"peer": theirs, "ratios": {what: ratio for what, (ratio, _) in ratios.items()}}


def memory(folder: Path) -> dict[str, float]:
    """Return the client's peak memory in MB, of at most 400, by rows, target and jobs."""
    peaks = {}
    for millions, scale in ((1, 0.5), (10, 5.0)):
        at = folder / f"{millions}m"
        source = _file(project(at, scale))
        for kind, jobs in ((kind, jobs) for kind in SERVERS for jobs in ("1", "4")):
            with prefix(kind) as begins:
                ran, _ = copied(at, source, place(kind, begins, "to"), "--jobs", jobs)
            what = f"{millions} million rows to {kind}, jobs {jobs}"
            peaks[what] = ran.peak
            print(f"  peak of {what:34} {ran.peak:9.0f} MB    at most 400")
        shutil.rmtree(at)
    return peaks


def _file(path: Path) -> Place:
    return Place(f"sqlite:///{path}".replace("_v2", "_v{version}"))


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", nargs="*", choices=RACES, default=list(RACES))
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found: dict[str, Any] = {}
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as temporary,
        prefix("postgresql") as begins,
        prefix("mysql") as other,
    ):
        folder = Path(temporary) / "project"
        old = project(folder, asked.scale)
        begin = {"postgresql": begins, "mysql": other}
        places = {"sqlite": _file(old)}
        for kind in SERVERS:
            if any(RACES[name].source == kind for name in asked.only):
                places[kind] = place(kind, begin[kind], "from")
                copied(folder, places["sqlite"], places[kind])
        for name in asked.only:
            race = RACES[name]
            found[name] = raced(name, race, places, folder, begin[race.target])
        if asked.memory:
            found["memory"] = memory(Path(temporary))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
