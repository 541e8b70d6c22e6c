"""`python -m tests.grid`: run the whole grid, print its table, write docs/types.md."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.grid import grid, page
from tests.grid.declared import DATABASES


def main() -> int:
    """Return 1 where a cell is neither exact nor refused by name."""
    found = {}
    for database in DATABASES:
        with tempfile.TemporaryDirectory() as folder:
            found[database] = grid.outcomes(database, Path(folder))
    print(page.table(found))  # noqa: T201
    wrong = [said for ways in found.values() for said in grid.wrong(ways)]
    for said in wrong:
        print(said)  # noqa: T201
    made = page.page(found, {database: grid.samples(database) for database in DATABASES})
    page.PAGE.write_text(made, "utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
