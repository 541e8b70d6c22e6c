"""Plain data → the JSON that `--json` prints; ASCII, so that no terminal obeys a value."""

from __future__ import annotations

import json
from typing import Any


def as_json(data: Any) -> str:
    """Return data as indented JSON; what JSON does not know is said as text."""
    return json.dumps(data, indent=2, ensure_ascii=True, default=str)
