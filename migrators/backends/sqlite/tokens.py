"""SQL text cut into tokens, and written again in one normal form.

Two texts that differ in comments, white space, the case of unquoted words or needless
quotes are the same statement to SQLite, and so to the catalogue.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_TOKEN = re.compile(
    r"""
      (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<blob>[xX]'[0-9A-Fa-f]*')
    | (?P<string>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
    | (?P<number>0[xX][0-9A-Fa-f]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<mark>\|\||<<|>>|<=|>=|<>|==|!=|->>|->|\S)
    """,
    re.VERBOSE | re.DOTALL,
)
_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_NEVER_PLAIN = frozenset(
    [
        "add",
        "all",
        "alter",
        "and",
        "as",
        "autoincrement",
        "between",
        "case",
        "check",
        "collate",
        "commit",
        "constraint",
        "create",
        "default",
        "deferrable",
        "delete",
        "distinct",
        "drop",
        "else",
        "escape",
        "except",
        "exists",
        "foreign",
        "from",
        "group",
        "having",
        "if",
        "in",
        "index",
        "insert",
        "intersect",
        "into",
        "is",
        "isnull",
        "join",
        "limit",
        "not",
        "nothing",
        "notnull",
        "null",
        "on",
        "or",
        "order",
        "primary",
        "references",
        "returning",
        "select",
        "set",
        "table",
        "then",
        "to",
        "transaction",
        "union",
        "unique",
        "update",
        "using",
        "values",
        "when",
        "where",
        "current_date",
        "current_time",
        "current_timestamp",
    ]
)
"""Keywords that cannot be names unquoted (sqlite.org/lang_keywords.html)."""


class Placed(NamedTuple):
    """A token in normal form, and where in its statement it is written."""

    normal: str
    start: int
    end: int


def placed(statement: str) -> Iterator[Placed]:
    """Yield the tokens in normal form, each with its place; comments are none."""
    for match in _TOKEN.finditer(statement):
        if match.lastgroup != "comment":
            yield Placed(_normal(match.lastgroup or "", match[0]), *match.span())


def tokens(statement: str) -> list[str]:
    """Return the tokens in normal form: words in lower case, names unquoted where they can be."""
    return [token.normal for token in placed(statement)]


def uncommented(sql: str) -> str:
    """Return SQL as it is written, with a space for each comment."""
    return _TOKEN.sub(lambda m: " " if m.lastgroup == "comment" else m[0], sql).strip()


def _normal(kind: str, token: str) -> str:
    if kind in ("word", "number", "blob"):
        return token.lower()
    return quoted(unquoted(token)) if kind == "quoted" else token


def unquoted(token: str) -> str:
    """Return the name that a token writes."""
    if token[:1] in ('"', "`"):
        return token[1:-1].replace(token[0] * 2, token[0])
    return token[1:-1] if token[:1] == "[" else token


def quoted(name: str) -> str:
    """Return a name in normal form: quotes only where it needs them."""
    lower = name.lower()
    if _PLAIN_NAME.fullmatch(lower) and lower not in _NEVER_PLAIN:
        return lower
    return '"' + name.replace('"', '""') + '"'


def joined(found: Iterable[str]) -> str:
    """Return tokens as one line."""
    return " ".join(found)


def bracketed(found: Sequence[str], start: int) -> tuple[list[str], int]:
    """Return what stands between the bracket at `start` and its partner, and what follows."""
    depth = 0
    for i in range(start, len(found)):
        depth += {"(": 1, ")": -1}.get(found[i], 0)
        if depth == 0:
            return list(found[start + 1 : i]), i + 1
    return list(found[start + 1 :]), len(found)


def parts(found: Sequence[str]) -> list[list[str]]:
    """Cut tokens at the commas that stand in no bracket."""
    cut: list[list[str]] = [[]]
    depth = 0
    for token in found:
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == "," and depth == 0:  # noqa: S105
            cut.append([])
        else:
            cut[-1].append(token)
    return cut
