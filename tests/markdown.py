"""Blocks of a page of the documentation, for tests that run what the page says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes
    ----------
    language : str
        What stands after the fence.
    text : str
    mark : str
        What an HTML comment in the line above the fence says.
    line : int
        Of the fence, 1-based.
    """

    language: str
    text: str
    mark: str
    line: int

    @property
    def first(self) -> str:
        """Its first line."""
        return self.text.partition("\n")[0]

    @property
    def commands(self) -> list[tuple[str, list[str]]]:
        """What is typed after `$`, each with the lines that are said then."""
        found: list[tuple[str, list[str]]] = []
        for line in self.text.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif line.strip():
                found[-1][1].append(line)
        return found

    @property
    def typed(self) -> list[tuple[str, list[str]]]:
        """As `commands`, lines that `>` continues joined to the command."""
        found = []
        for line, after in self.commands:
            more = [one[2:] for one in after if one.startswith("> ")]
            said = [one for one in after if not one.startswith("> ")]
            found.append(("\n".join([line, *more]), said))
        return found


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = page.read_text("utf-8")
    return [
        Block(m["language"], m["text"], m["mark"] or "", text.count("\n", 0, m.end()))
        for m in _BLOCK.finditer(text)
    ]


def edit(path: Path, diff: str) -> None:
    """Replace the lines marked `-` by the lines marked `+` that follow them."""
    text = path.read_text("utf-8")
    old: list[str] = []
    new: list[str] = []
    for line in [*diff.splitlines(), "-"]:
        if line.startswith("-") and new:
            assert "\n".join(old) in text
            text = text.replace("\n".join(old), "\n".join(new))
            old, new = [], []
        (old if line.startswith("-") else new).append(line[1:])
    path.write_text(text, "utf-8")
