"""Blocks of a page of the documentation, for tests that run what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
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


def typed(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of a page as a person would in the project's folder."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env={**os.environ, "PATH": path, "COLUMNS": "90", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def follow(block: Block, folder: Path) -> None:
    """Do what a block of a page says: write a file, edit one, or type its lines."""
    what, _, name = block.mark.partition(" ")
    if what == "file":
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, "utf-8")
    elif what == "edit":
        edit(folder / name, block.text)
    else:
        for line, said in block.typed:
            done = typed(line, folder)
            heard = " ".join((done.stdout + done.stderr).split())
            missing = [one for one in said if " ".join(one.split()) not in heard]
            assert (done.returncode, missing) == (0, []), f"$ {line}\n{done.stdout}{done.stderr}"
