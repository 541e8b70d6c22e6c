"""What `migrate fixtures check` found, as lines: a finding each, what to do once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.report.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from migrators.fixtures import Checked


def fixtures_lines(found: Iterable[Checked]) -> list[str]:
    """Return a line for each extract that is well, and all that is wrong with the others."""
    return [line for each in found for line in _lines(each)]


def _lines(each: Checked) -> Iterator[str]:
    if not each.findings:
        held = f"{plural(each.tables, 'table')}, {plural(each.rows, 'row')}"
        yield f"ok     {each.path}: {held}; types, keys and references hold"
        if each.believed:
            yield f"note   numbers and dates of {', '.join(each.believed)}: manifest.json says that"
            yield "       they were replaced; one that was typed since looks the same: see git diff"
        return
    yield f"STOP   {each.path}: {plural(len(each.findings), 'finding')}"
    yield from (f"  {finding}" for finding in each.findings)
    hints = dict.fromkeys(finding.hint for finding in each.findings if finding.hint)
    yield from (f"  {'to do' if at == 0 else '':<6} {hint}" for at, hint in enumerate(hints))
