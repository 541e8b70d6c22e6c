"""SQL text by hand: quoting, and how text is compared by its bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_NAME = 64
"""Characters in a name (manual, "Identifier Length Limits")."""

BYTEWISE = "/*M! utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */"
"""The collation that compares by bytes and pads nothing, by the server's own name for it.

MariaDB runs `/*M! */` and skips `/*!80017 */`; MySQL does the opposite (manuals, "Comments").
"""

BY_NAME = "CAST(table_name AS BINARY)"
"""The order of tables in information_schema: to its own collation `Same` and `same` are one
name, and which of them comes first is another from one query to the next."""


def same_name(one: str, other: str) -> str:
    """Return SQL: two of information_schema's tables speak of one table, whose case counts."""
    return f"CAST({one}.table_name AS BINARY) = CAST({other}.table_name AS BINARY)"


def name(identifier: str) -> str:
    """Quote an identifier."""
    return "`" + identifier.replace("`", "``") + "`"


def table(database: str, identifier: str) -> str:
    """Quote a table of a database."""
    return f"{name(database)}.{name(identifier)}"


def text(value: str) -> str:
    """Quote a string literal for sessions with NO_BACKSLASH_ESCAPES, as ours are."""
    return "'" + value.replace("'", "''") + "'"


def literal(value: str) -> str:
    """Quote a string literal for any session, whatever a backslash is to it."""
    return f"CONVERT(X'{value.encode().hex()}' USING utf8mb4)"


def by_bytes(expression: str) -> str:
    """Return a text that compares by its bytes in UTF-8, whatever its character set."""
    return f"CONVERT({expression} USING utf8mb4) COLLATE {BYTEWISE}"


_TOKEN = re.compile(
    r"--[ \t][^\n]*|--\n|\#[^\n]*|/\*.*?\*/"
    r"|'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`(?:[^`]|``)*`"
    r"|^[ \t]*delimiter[ \t]+(?P<delimiter>\S+)[ \t]*$|\w+|.",
    re.DOTALL | re.IGNORECASE | re.MULTILINE,
)


def tokens(statement: str, start: int = 0) -> Iterator[re.Match[str]]:
    """Yield words, texts, names and signs from somewhere on, without blanks and comments."""
    for match in _TOKEN.finditer(statement, start):
        if not match[0].isspace() and not match[0].startswith(("--", "#", "/*")):
            yield match


def statements(script: str) -> Iterator[str]:
    """Yield the statements of a script; `DELIMITER //` lines count, as for the mysql client.

    Without such a line, a body of BEGIN … END is one statement, semicolons and all.
    """
    delimiter, held, depth = ";", "", 0
    position = 0
    while match := _TOKEN.match(script, position):
        position = match.end()
        if match["delimiter"]:
            delimiter = match["delimiter"]
            continue
        ends = script.startswith(delimiter, match.start()) and depth == 0
        if ends:
            position = match.start() + len(delimiter)
            if held.strip():
                yield held.strip()
            held = ""
            continue
        depth = max(0, depth + _opens(match[0], held)) if delimiter == ";" else 0
        held += match[0]
    if held.strip():
        yield held.strip()


_LOOPS = ("if", "loop", "repeat", "while")
_STARTS = ("begin", "then", "else", "do", "loop", "repeat")
"""After these words, a semicolon or a label's colon a statement begins; IF() and REPEAT() are
functions elsewhere."""


def _opens(word: str, before: str) -> int:
    """Return whether a word opens (1) or closes (-1) a compound of a stored program."""
    word, text = word.lower(), before.rstrip().lower()
    last = text.rsplit(maxsplit=1)[-1] if text else ""
    if word == "end":
        return -1
    if last == "end":  # END IF, END LOOP: the END has closed it
        return 0
    if word == "begin":
        return 1 if re.search(r"\bcreate\b", text) else 0
    if word == "case":
        return 1
    starts = text.endswith((";", ":")) or last in _STARTS
    return 1 if word in _LOOPS and starts and re.search(r"\bbegin\b", text) else 0
