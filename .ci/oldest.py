"""Print pip constraints that pin dependencies to their lower bounds: `oldest.py FILE [EXTRA...]`.

Without extras those of the package alone; with them also theirs, where the highest bound of a
package counts.
"""

import re
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

_BOUND = re.compile(r"([a-z0-9-]+)(?:\[[a-z,]+\])?>=([0-9.]+)(?:,.*)?")
"""A constraint takes no extras: those of a package are of its own version."""


def main(pyproject: str, extras: Sequence[str]) -> None:
    """Turn `name[extra]>=bound` into `name==bound`."""
    project = tomllib.loads(Path(pyproject).read_text("utf-8"))["project"]
    required = list(project["dependencies"])
    for extra in extras:
        required += project["optional-dependencies"][extra]
    bounds: dict[str, str] = {}
    for name, bound in (_BOUND.fullmatch(requirement).groups() for requirement in required):
        bounds[name] = max(bound, bounds.get(name, bound), key=_numbers)
    for name, bound in bounds.items():
        print(f"{name}=={bound}")  # noqa: T201


def _numbers(bound: str) -> list[int]:
    return [int(part) for part in bound.split(".")]


main(sys.argv[1], sys.argv[2:])
