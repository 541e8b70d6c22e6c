"""What is personal in one version because another one declares it: steps carry values.

A column that was renamed by a step is declared once, in whichever version. From there the
declaration follows the values through the steps, in both directions, to the version at hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from migrators import plan as plans
from migrators.backends import backend_for, scratch_backend
from migrators.errors import MigrateError
from migrators.personal import Treatment
from migrators.personal.declared import Place, declared, with_referring
from migrators.sample import of_settings
from migrators.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrators.backends.interface import Backend
    from migrators.project import Project
    from migrators.schema import SchemaVersion

Step = tuple[int, int]
Carried = dict[Place, frozenset[Place]]
"""New columns, and the old ones whose values each holds."""


@dataclass
class Declarations:
    """What all versions of a project declare; each is read, and each step planned, once."""

    project: Project
    _carried: dict[Step, Carried] = field(default_factory=dict)

    @cached_property
    def schemas(self) -> dict[int, SchemaVersion]:
        """Every version that can be read; work on another one stops nothing."""
        found = {}
        for version in self.project.versions():
            try:
                found[version] = load_schema(self.project, version)
            except MigrateError:
                continue
        return found

    @cached_property
    def _said(self) -> dict[int, dict[Place, Treatment | None]]:
        pii = self.project.settings.pii
        return {version: declared(schema, pii) for version, schema in self.schemas.items()}

    def followed(self, version: int) -> dict[Place, Treatment]:
        """Return columns of a version that hold what is personal in others.

        The nearest declaration wins. `pii: False` in between says that a column is not personal,
        nor what is made of it.

        Raises
        ------
        UsageError
            A declaration is none.
        """
        if version not in self.schemas or not any(
            chosen for said in self._said.values() for chosen in said.values()
        ):
            return {}
        found: dict[int, dict[Place, Treatment]] = {}
        for here, towards, step in reversed(list(self._ways_to(version))):
            known = self._of(here, found)
            at = found.setdefault(towards, {})
            for place, chosen in self._over(step, known, forth=step[0] == here):
                at.setdefault(place, chosen)
        return found.get(version, {})

    def _ways_to(self, version: int) -> Iterator[tuple[int, int, Step]]:
        """Yield versions, the nearest first, with the next one on the way to `version`."""
        seen, waiting = {version}, [version]
        while waiting:
            towards = waiting.pop(0)
            for step in self.project.steps():
                here = step[1] if step[0] == towards else step[0]
                if towards in step and here not in seen and here in self.schemas:
                    waiting.append(here)
                    yield here, towards, step
            seen.update(waiting)

    def _of(
        self, version: int, found: Mapping[int, dict[Place, Treatment]]
    ) -> dict[Place, Treatment]:
        said = self._said[version]
        own = {
            place: replace(chosen, of=f"{'.'.join(place)} of schema {version}")
            for place, chosen in said.items()
            if chosen is not None
        }
        further = found.get(version, {})
        known = {p: chosen for p, chosen in further.items() if p not in said} | own
        return with_referring(self.schemas[version], known, self.pairs(version))

    def pairs(self, version: int) -> list[tuple[Place, Place]]:
        """Return columns of a version that refer to others, as `[tool.migrators]` alone says."""
        if version not in self.schemas:
            return []
        found = of_settings(self.schemas[version], self.project.settings.references)
        return [pair for reference in found for pair in reference.pairs]

    def _over(
        self, step: Step, known: Mapping[Place, Treatment], *, forth: bool
    ) -> Iterator[tuple[Place, Treatment]]:
        """Yield the columns on a step's other side that hold the values of known ones."""
        pairs = [(old, new) for new, olds in self._columns(step).items() for old in olds]
        if not forth:
            pairs = [(new, old) for old, new in pairs]
        found: dict[Place, list[Treatment]] = {}
        for here, there in pairs:
            if here in known:
                found.setdefault(there, []).append(_moved(known[here], here, there, pairs))
        for place, chosen in found.items():
            first = min(chosen, key=lambda one: one.of)
            yield place, first if len(set(chosen)) == 1 else Treatment("", of=first.of)

    def _columns(self, step: Step) -> Carried:
        """Return what a step carries where; what it does not tell of, by name."""
        if step not in self._carried:
            old, new = (self.schemas[version] for version in step)
            try:
                plan = plans.make(
                    self.project,
                    *step,
                    source=self._backend(step[0]),
                    target=self._backend(step[1]),
                    lint=False,
                )
                said = plan.ways.columns
            except MigrateError:  # it is being written
                said = {}
            self._carried[step] = {
                (name, column.name): said.get(name, {}).get(
                    column.name, _same(old, name, column.name)
                )
                for name, table in new.tables.items()
                for column in table.stored
            }
        return self._carried[step]

    def _backend(self, version: int) -> Backend:
        """Return the kind of database that a step is planned for; none is touched."""
        try:
            return backend_for(self.project.url(version))
        except MigrateError:
            return scratch_backend(Path("unused"), "unused")


def _same(old: SchemaVersion, table: str, column: str) -> frozenset[Place]:
    names = {c.name for c in old.tables[table].stored} if table in old.tables else set()
    return frozenset({(table, column)} if column in names else ())


def _moved(
    chosen: Treatment, here: Place, there: Place, pairs: list[tuple[Place, Place]]
) -> Treatment:
    """Return what was said of a column as of another; the key of a shift has moved, too."""
    if not chosen.by:
        return chosen
    deciding = (here[0], chosen.by)
    names = [to[1] for at, to in pairs if at == deciding and to[0] == there[0]]
    return replace(chosen, by=min(names)) if names else Treatment("", of=chosen.of)
