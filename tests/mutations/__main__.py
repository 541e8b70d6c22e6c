"""`python -m tests.mutations [SEED]`: ten thousand changes, on all databases; prints a table."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.mutations.trial import tried

COUNTS = {"sqlite": 8_000, "postgresql": 1_200, "mysql": 1_200}


def main(seed: int = 1) -> int:
    """Return 1 where a change was missed, or a difference found that is none."""
    well = True
    for kind, count in COUNTS.items():
        with tempfile.TemporaryDirectory() as folder:
            trial = tried(kind, Path(folder) / "shop", count, seed)
        well = well and trial.well
        print(  # noqa: T201
            f"{kind:<12} {sum(trial.caught.values()):>6} caught, {len(trial.missed)} missed,"
            f" {len(trial.misnamed)} misnamed; {trial.identical} comparisons of what is equal,"
            f" {len(trial.false)} differences; {trial.impossible} changes that the database does"
            f" not hold; {trial.seconds:.0f}s"
        )
        for what, often in sorted(trial.caught.items()):
            print(f"  {often:>6}  {what}")  # noqa: T201
        for line in [*trial.missed, *trial.misnamed, *trial.false][:40]:
            print(f"  !  {line}")  # noqa: T201
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
