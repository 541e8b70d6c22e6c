"""`migrate sample` of a few rows out of many, on PostgreSQL, with all that they refer to.

    python -m tests.benchmarks.sample [--scale 5.0] [--rows 1000] [--json FILE]

The generated database of `main_job` in its old version, loaded into PostgreSQL: at scale 5.0 ten
million releases, five million dependencies, 750,000 packages. A sample of releases, and of the
packages and people that they belong to. Wanted: under 10 s and 400 MB at that size.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests import servers
from tests.benchmarks.main_job import project, run

SECONDS, MEGABYTES = 10.0, 400.0


def main() -> None:
    """Load, sample, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=5.0)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as made,
        servers.prefix("postgresql") as own,
    ):
        folder = Path(made) / "project"
        project(folder, given.scale)
        ours = [sys.executable, "-m", "migrators", "-C", str(folder)]
        template = servers.server_url("postgresql").set(database=f"{own}shop_v2")
        url = template.render_as_string(hide_password=False)
        run(*ours, "copy", "2", "--to", url)
        at = ["--url", url.replace("shop_v2", "shop_v{version}")]
        asked = ["sample", "2", "--table", "releases", "--rows", str(given.rows), "--seed", "1"]
        ran = run(*ours, *at, *asked, "--to", str(folder / "sample"))
        print(f"{ran.seconds:6.1f} s   at most {SECONDS:.0f}")
        print(f"{ran.peak:6.0f} MB  at most {MEGABYTES:.0f}")
    if given.json:
        given.json.write_text(json.dumps({"seconds": ran.seconds, "peak": ran.peak}))


if __name__ == "__main__":
    main()
