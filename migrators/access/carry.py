"""Access to old tables → access to what became of them.

A new table takes the rights of the tables it is made of: of the only one, where that has
its name, or all rows of it are here and nowhere else; of several, what a role had on all
of them. The rest is lost, unless the step says `step.grant(new.files, like=old.releases)`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from migrators.access.model import Access, Comment, Grant, Owner

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_TABLES = ("table", "column", "sequence")


@dataclass(frozen=True)
class Ways:
    """What became of which old table.

    Attributes
    ----------
    sources : mapping of new table to old tables
        Of which it is made.
    columns : mapping of new table to new column to set of (old table, old column)
        Which values each new column holds.
    whole : frozenset of str
        New tables that have a row for each of their source's, without a condition.
    said : mapping of new table to old tables
        `step.grant`.
    old : frozenset of str
        Tables of the old schema: other relations are carried by name.
    """

    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, frozenset[tuple[str, str]]]] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()
    said: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    old: frozenset[str] = frozenset()

    def likes(self, new: str) -> tuple[str, ...]:
        """Return the old tables whose rights a new one takes; none where it is not clear."""
        if new in self.said:
            return self.said[new]
        sources = self.sources.get(new, ())
        if len(sources) != 1 or new == sources[0]:
            return sources
        return sources if self._became(sources[0]) == [new] else ()

    def _became(self, old: str) -> list[str]:
        """Return where all its rows are; where they are nowhere, what is made of them."""
        made = [new for new, sources in self.sources.items() if old in sources]
        return [new for new in made if new in self.whole] or made

    @property
    def gone(self) -> tuple[str, ...]:
        """Old tables that nothing is made of."""
        used = {old for each in (self.sources, self.said) for olds in each.values() for old in olds}
        return tuple(sorted(self.old - used))


@dataclass(frozen=True, slots=True)
class Lost:
    """Rights on old tables that a new table made of them does not get by itself."""

    new: str
    old: tuple[str, ...]
    roles: tuple[str, ...]

    @property
    def line(self) -> str:
        """The line of a step that gives them."""
        olds = ", ".join(f"old.{old}" for old in self.old)
        return f"step.grant(new.{self.new}, like={olds if len(self.old) == 1 else f'[{olds}]'})"

    def __str__(self) -> str:
        """Say it in one sentence."""
        return (
            f"{', '.join(self.roles)} may use {' and '.join(self.old)}, and not all that way "
            f"{self.new}, which is made of {'it' if len(self.old) == 1 else 'them'}"
        )


def carry(access: Access, ways: Ways) -> tuple[Access, tuple[Lost, ...]]:
    """Return the access of the new database, and what has nowhere to go.

    Parameters
    ----------
    access : Access
        Of the old database.
    """
    book = _Book(access, ways)
    grants, owners, comments = set[Grant](), set[Owner](), set[Comment]()
    for new in ways.sources:
        grants |= set(book.grants(new))
        owners |= {Owner("table", new, role) for role in book.owner(new)}
        comments |= set(book.comments(new))
    secured = {new for new in ways.sources if set(book.behind(new)) & set(access.secured)}
    carried = replace(
        access,
        grants=tuple(sorted(grants | {g for g in access.grants if not book.of_table(g)})),
        owners=tuple(sorted(owners | {o for o in access.owners if not book.of_table(o)})),
        comments=tuple(sorted(comments | {c for c in access.comments if c.name not in ways.old})),
        secured=tuple(sorted(secured)),
    )
    return carried, tuple(lost for new in ways.sources for lost in book.lost(new))


@dataclass(frozen=True)
class _Book:
    access: Access
    ways: Ways

    def of_table(self, fact: Grant | Owner) -> bool:
        """Whether it is of a table that the step speaks of, and not of one beside them."""
        return fact.on in _TABLES and fact.name in self.ways.old

    def behind(self, new: str) -> tuple[str, ...]:
        """Return all old tables that rows of a new one come from, or that it is said to be like."""
        return tuple(dict.fromkeys((*self.ways.sources.get(new, ()), *self.ways.said.get(new, ()))))

    def of(self, old: str, on: str) -> set[Grant]:
        return {g for g in self.access.grants if g.on == on and g.name == old}

    def role(self, old: str) -> str:
        owners = (o.role for o in self.access.owners if o.on == "table" and o.name == old)
        return next(owners, "")

    def grants(self, new: str) -> Iterator[Grant]:
        """Return the rights on a new table, its columns and its sequences."""
        likes = self.ways.likes(new)
        for on in ("table", "sequence"):
            yield from (replace(g, name=new) for g in self._shared(new, likes, on))
        yield from self._columns(new, likes)

    def _shared(self, new: str, likes: tuple[str, ...], on: str) -> set[Grant]:
        """Return the rights on all of the tables; on any of them, where the step says so."""
        each = [{replace(g, name="") for g in self.of(old, on)} for old in likes]
        if new in self.ways.said or on == "sequence":
            return set().union(*each)
        return set.intersection(*each) if each else set()

    def _columns(self, new: str, likes: tuple[str, ...]) -> Iterator[Grant]:
        given = {g for old in likes for g in self.of(old, "column")}
        for column, values in self.ways.columns.get(new, {}).items():
            held = {value for value in values if value[0] in likes}
            for grant in given:
                if (grant.name, grant.column) in held and all(self._may(grant, v) for v in held):
                    yield replace(grant, name=new, column=column)

    def _may(self, grant: Grant, value: tuple[str, str]) -> bool:
        """Whether the role of a grant has the same right on another old column."""
        table, column = value
        return any(
            (g.privilege, g.grantee) == (grant.privilege, grant.grantee)
            and (g.on == "table" or g.column == column)
            for g in self.of(table, "table") | self.of(table, "column")
        )

    def owner(self, new: str) -> Iterator[str]:
        """Return whose a new table is: its sources', or where there are none everything's."""
        said = self.ways.said.get(new, ())
        if said:
            roles = {self.role(said[0])}
        else:
            roles = {self.role(old) for old in self.ways.sources[new] or self.ways.old}
        if len(roles - {""}) == 1:
            yield from roles - {""}

    def comments(self, new: str) -> Iterator[Comment]:
        likes = self.ways.likes(new)
        for comment in self.access.comments:
            if not comment.column and likes == (comment.name,):
                yield Comment(new, "", comment.text)
            for column, values in self.ways.columns.get(new, {}).items():
                if comment.column and values == {(comment.name, comment.column)}:
                    yield Comment(new, column, comment.text)

    def lost(self, new: str) -> Iterator[Lost]:
        """Return who may do something with a source and not with what is made of it."""
        if new in self.ways.said:
            return
        sources = self.ways.sources[new]
        owners = {self.role(old) for old in sources}
        alone = owners if len(owners) == 1 else set()
        had = self._rights(g for old in sources for g in self._reaching(old, new))
        have = self._rights(self.grants(new))
        roles = {who for who, what in had if (who, what) not in have} - alone
        roles |= (owners - {""}) - alone
        if roles:
            old = tuple(t for t in sources if self._concerns(t, roles))
            yield Lost(new, old, tuple(sorted(role or "everybody" for role in roles)))

    def _concerns(self, old: str, roles: set[str]) -> bool:
        granted = {g.grantee for on in ("table", "column") for g in self.of(old, on)}
        return bool(roles & (granted | {self.role(old)}))

    def _reaching(self, old: str, new: str) -> set[Grant]:
        """Return the rights on a table, and on those of its columns that are in a new one."""
        values = self.ways.columns.get(new, {}).values()
        held = {column for value in values for table, column in value if table == old}
        return self.of(old, "table") | {g for g in self.of(old, "column") if g.column in held}

    @staticmethod
    def _rights(grants: Iterable[Grant]) -> set[tuple[str, str]]:
        return {(g.grantee, g.privilege) for g in grants if g.on != "sequence"}
