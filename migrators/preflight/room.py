"""Whether a run has room: extract, target and temporary files, place by place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.preflight.model import Finding

if TYPE_CHECKING:
    from migrators.survey import Survey

_UNITS = ("B", "kB", "MB", "GB", "TB")
_STEP = 1000


def findings(survey: Survey) -> list[Finding]:
    """Return a finding for each place where less is free than a run takes."""
    said = [Finding("note", line) for line in survey.around]
    for place, needed in survey.needed.items():
        free = survey.free.get(place)
        if free is None:
            fact = f"about {size(needed)} will be needed"
            said.append(Finding("note", f"the room at {place} cannot be seen", (fact,)))
        elif free < needed:
            facts = (f"about {size(needed)} needed", f"{size(free)} free")
            mend = (f"free about {size(needed - free)} at {place}",)
            said.append(Finding("STOP", f"there is not enough room at {place}", facts, mend=mend))
    return said


def fine(survey: Survey) -> list[str]:
    """Return the line of each place where there is room enough."""
    return [
        f"room at {place}: about {size(needed)} of {size(free)} free"
        for place, needed in survey.needed.items()
        if (free := survey.free.get(place)) is not None and free >= needed
    ]


def size(count: float) -> str:
    """Return "9.1 GB"."""
    for unit in _UNITS[:-1]:
        if abs(count) < _STEP:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 10 else f"{count:.1f} {unit}"  # noqa: PLR2004
        count /= _STEP
    return f"{count:,.1f} {_UNITS[-1]}"
