"""SQL as `sqlalchemy.text` takes it: a colon before a word is a parameter to it.

SQLAlchemy writes an unknown parameter as NULL, so that `DEFAULT ' :x'` would become
`DEFAULT ' NULL'`; a backslash before the colon says that it is meant, and is taken off
(sqlalchemy.text, "Embedding colons").
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\(?=:\w*(?![:\w]))")
_PARAMETER = re.compile(r"(?<![:\w\\]):(?=[\w$]+(?![:\w]))")


def as_text(sql: str) -> str:
    """Return SQL so that `sqlalchemy.text` means exactly this, whatever colons it has."""
    return _PARAMETER.sub(r"\\:", _ESCAPE.sub(r"\\\\", sql))
