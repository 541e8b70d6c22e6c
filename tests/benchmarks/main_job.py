"""`migrate 2to3` on SQLite beside three peers, in one run; ratios, and what they should be.

    python -m tests.benchmarks.main_job [--scale 1.0] [--memory] [--json FILE] [--keep FOLDER]

The database (scale 1.0): 2,000,000 releases of ten columns, 1,000,000 dependencies, 150,000
packages with their history, and small tables; 353 MB. Beside ours:

- (a) the script a person would write: the csv module and `executemany` (`by_hand`);
- (b) `sqlite3 old .dump | sqlite3 new`, which reshapes nothing;
- (c) the floor: ATTACH and INSERT … SELECT of the same reshaping query, inside SQLite
  (`floor`), without a journal.

All of them build the same tables and indexes (b: the old ones). Ours proves every foreign
key in "finish", counts every row, and verifies every cell in "verify"; the peers do neither.
With `--memory` the peak memory of ours at 1 and at 10 million rows is measured as well.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TARGETS = {"(a) / ours": 3.0, "(b) / ours": 2.5, "ours with verify / (c)": 4.0}


@dataclass(frozen=True)
class Ran:
    """A finished process: wall and processor seconds, peak memory in MB, what it printed."""

    seconds: float
    cpu: float
    peak: float
    output: str


def run(*command: str) -> Ran:
    """Run a process to its end and measure it.

    Raises
    ------
    SystemExit
        It failed.
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    began = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, env=environment, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began
        output.seek(0)
        text = output.read().decode()
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}: {text}")
    return Ran(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)


def project(folder: Path, scale: float) -> Path:
    """Make a project with the reference application's steps and a generated old database."""
    (folder / "migrators").mkdir(parents=True)
    for step in (ROOT / "migrators").glob("[0-9]*to[0-9]*.py"):
        shutil.copy(step, folder / "migrators")
    shutil.copytree(ROOT / "schemas", folder / "schemas")
    shutil.copy(ROOT / "pyproject.toml", folder)
    old = folder / "data" / "cheeseshop_v2.db"
    old.parent.mkdir()
    generate = ["--version", "2", "--scale", str(scale), "--seed", "1", str(old)]
    run(sys.executable, "-m", "tests.benchmarks.generate", *generate)
    return old


def ours(folder: Path) -> tuple[Ran, dict[str, float]]:
    """Run the command; return seconds by stage."""
    ran = run(sys.executable, "-m", "migrators", "-C", str(folder), "2to3", "--json")
    receipt = json.loads(ran.output)
    return ran, {stage["stage"]: stage["seconds"] for stage in receipt["stages"]}


def peers(old: Path, folder: Path) -> dict[str, Ran]:
    """Run (a), (b) and (c)."""
    schema = str(ROOT / "schemas" / "v3.py")
    python = [sys.executable, "-m"]
    hand = [*python, "tests.benchmarks.by_hand", str(old), str(folder / "a.db"), schema]
    dump = f"sqlite3 '{old}' .dump | sqlite3 '{folder / 'b.db'}'"
    return {
        "(a)": run(*hand, str(folder / "csv")),
        "(b)": run("bash", "-c", dump),
        "(c)": run(*python, "tests.benchmarks.floor", str(old), str(folder / "c.db"), schema),
    }


def figures(stages: dict[str, float], others: dict[str, Ran]) -> dict[str, float]:
    """Return the ratios that the targets are about; "load" includes "finish"."""
    loaded = stages["extract"] + stages["load"] + stages["finish"]
    return {
        "(a) / ours": others["(a)"].seconds / loaded,
        "(b) / ours": others["(b)"].seconds / loaded,
        "ours with verify / (c)": (loaded + stages["verify"]) / others["(c)"].seconds,
    }


def report(ran: Ran, stages: dict[str, float], others: dict[str, Ran]) -> dict[str, Any]:
    """Print the table and return it."""
    print(f"{'':32}{'seconds':>9}{'cpu':>9}{'peak MB':>9}")
    for stage, seconds in stages.items():
        print(f"  ours, {stage:24}{seconds:9.1f}")
    for name, one in {"ours, whole process": ran, **others}.items():
        print(f"  {name:30}{one.seconds:9.1f}{one.cpu:9.1f}{one.peak:9.0f}")
    ratios = figures(stages, others)
    for name, ratio in ratios.items():
        least = "at most" if "(c)" in name else "at least"
        print(f"  {name:30}{ratio:9.2f}    {least} {TARGETS[name]}")
    return {
        "stages": stages,
        "processes": {n: vars(one) | {"output": ""} for n, one in {"ours": ran, **others}.items()},
        "ratios": ratios,
    }


def memory(folder: Path) -> dict[str, float]:
    """Return peak memory at about 1 and 10 million rows of the largest table."""
    peaks = {}
    for millions, scale in ((1, 0.5), (10, 5.0)):
        place = folder / f"{millions}m"
        project(place, scale)
        peaks[f"{millions} million rows"] = ours(place)[0].peak
        print(f"  peak at {millions:2} million rows {peaks[f'{millions} million rows']:9.0f} MB")
        shutil.rmtree(place)
    return peaks


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as temporary:
        folder = asked.keep or Path(temporary)
        old = project(folder / "project", asked.scale)
        ran, stages = ours(folder / "project")
        found = report(ran, stages, peers(old, folder))
        if asked.memory:
            found["memory"] = memory(folder)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
