"""`python -m tests.catalogue [CASE]`."""

from __future__ import annotations

import sys

from tests.catalogue.covered import covered
from tests.catalogue.page import MISSING, PAGE, rows, written


def main(*wanted: str) -> int:
    """Print the tests of cases; or write the page, and return 1 where a case has nothing."""
    found = covered()
    for case in wanted:
        for database, tests in found.get(case, {}).items():
            print(f"{case} {database}:", *tests, sep="\n  ")  # noqa: T201
    if wanted:
        return 0
    PAGE.write_text(written(found), "utf-8")
    lacking = [row.case for row in rows().values() if MISSING in row.states]
    print(f"without test or reason: {', '.join(lacking) or 'none'}")  # noqa: T201
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
