"""Print the README's set-up lines, verbatim: the indented lines below `<!-- two lines -->`."""

import sys
from pathlib import Path

MARK = "<!-- two lines -->"


def main(readme: str) -> None:
    """Print every line of the code block that follows each mark."""
    blocks = Path(readme).read_text("utf-8").split(MARK)[1:]
    for block in blocks:
        fenced = block.split("```")[1]
        print("\n".join(line for line in fenced.splitlines()[1:] if line.strip()))  # noqa: T201


main(sys.argv[1])
