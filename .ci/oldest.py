"""Print pip constraints that pin each runtime dependency to its lower bound."""

import sys
import tomllib
from pathlib import Path


def main(pyproject: str) -> None:
    """Turn `name>=bound` into `name==bound`."""
    project = tomllib.loads(Path(pyproject).read_text("utf-8"))["project"]
    for requirement in project["dependencies"]:
        name, bound = requirement.split(">=")
        print(f"{name}=={bound}")  # noqa: T201


main(sys.argv[1])
