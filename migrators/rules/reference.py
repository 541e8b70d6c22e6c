"""`docs/rules.md`, made from the rules' docstrings: `python -m migrators.rules.reference`."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from migrators import rules

GROUPS: dict[str, tuple[str, ...]] = {
    "Numbers": ("integer", "decimal", "float_", "boolean"),
    "Time": ("timestamp", "date", "time"),
    "Text": ("text", "trim", "truncate", "lower", "upper", "replace", "scrub"),
    "One value for another": ("enum", "map", "null_if"),
    "Missing values": ("default", "fill", "first"),
    "Lists and JSON": ("split", "json", "json_object"),
    "Bytes and UUIDs": ("bytes_", "decode", "uuid"),
}
"""All rules, in the order of the page."""

_INTRODUCTION = """\
# Rules

<!-- Made from the docstrings by `python -m migrators.rules.reference`; edit those. -->

```python
from migrators import rules
```

A rule takes a SQLAlchemy expression over the old tables, a constant, or another rule. It
gives each row an exact value, refuses it, or changes it in the way it says and counts
that in the receipt. Three things hold for all of them:

- NULL stays NULL, except in `default`, `fill` and `first`, which are there for it.
- What cannot be converted exactly stops the run, with the column, how many rows and some
  of their keys. `otherwise=` puts a constant, or None, in its place and counts it.
- A combination that makes no sense is refused when the step is planned, before a row is
  read; the message says what to write instead.

In the examples lists stand for columns; `to=` is the type of the new column, where that
matters. They are run as tests.
"""


def page() -> str:
    """Return the whole page as Markdown."""
    parts = [_INTRODUCTION]
    for title, names in GROUPS.items():
        listed = ", ".join(f"[`{name}`](#{name})" for name in names)
        parts.append(f"## {title}\n\n{listed}\n")
        parts.extend(_entry(name) for name in names)
    return "\n".join(parts)


def _entry(name: str) -> str:
    rule = getattr(rules, name)
    about, parameters, examples = _sections(inspect.getdoc(rule) or "")
    listed = "\n".join(_parameter(text) for text in _items(parameters))
    call = f"rules.{name}{_signature(rule)}"
    return (
        f"### {name}\n\n```python\n{call}\n```\n\n{about}\n\n{listed}\n\n"
        f"```pycon\n{examples}\n```\n"
    )


def _signature(rule: object) -> str:
    """Return the parameters with their defaults; types are told in the text."""
    signature = inspect.signature(rule)  # type: ignore[arg-type]
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return str(inspect.Signature(bare))


def _sections(text: str) -> tuple[str, str, str]:
    about, _, rest = text.partition("\nParameters\n----------\n")
    parameters, _, examples = rest.partition("\nExamples\n--------\n")
    return about.strip(), parameters.strip(), examples.strip()


def _items(parameters: str) -> list[str]:
    return re.split(r"\n(?=\S)", parameters)


def _parameter(text: str) -> str:
    """One parameter of a numpy docstring as a list item."""
    head, _, about = text.partition("\n")
    names, _, kind = head.partition(" : ")
    said = " ".join(line.strip() for line in about.splitlines())
    shown = ", ".join(f"`{name}`" for name in names.split(", "))
    return f"- {shown} ({kind})" + (f": {said}" if said else "")


def main() -> None:
    """Write `docs/rules.md` of this checkout."""
    docs = Path(__file__).parents[2] / "docs"
    docs.mkdir(exist_ok=True)
    (docs / "rules.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
