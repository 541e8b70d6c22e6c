"""`Access` ⇄ plain data; what is read is not trusted."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import Any, Self

from migrators.errors import ExtractError


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One right of one role.

    Attributes
    ----------
    on : str
        "table" (views too), "column", "sequence" (of a table), "schema", "routine", "type",
        "database", and "lone sequence" for one of no table.
    name : str
        The table's key in the metadata; of others their own name.
    grantee : str
        As the backend writes it; empty for everybody.
    grantable : bool
        Whether the role may give it to others.
    """

    on: str
    name: str
    column: str
    privilege: str
    grantee: str
    grantable: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Owner:
    """Whose a table, schema, routine, type or lone sequence is."""

    on: str
    name: str
    role: str


@dataclass(frozen=True, slots=True, order=True)
class Comment:
    """What people wrote beside a table, or one of its columns."""

    name: str
    column: str
    text: str


@dataclass(frozen=True, slots=True, order=True)
class Remark:
    """A comment on something else; `name` is what its own backend finds it by."""

    on: str
    name: str
    text: str


@dataclass(frozen=True, slots=True, order=True)
class Default:
    """A right that what `owner` makes later comes with; `schema` is empty for all of them."""

    owner: str
    schema: str
    objects: str
    privilege: str
    grantee: str
    grantable: bool = False


@dataclass(frozen=True)
class Access:
    """All of a database's rights but those of the database itself.

    Attributes
    ----------
    closed : tuple of (on, name)
        What everybody may use as it is made, and here may not, but for the grants.
    secured : tuple of str
        Tables of which policies show each role some rows.
    """

    grants: tuple[Grant, ...] = ()
    owners: tuple[Owner, ...] = ()
    comments: tuple[Comment, ...] = ()
    defaults: tuple[Default, ...] = ()
    closed: tuple[tuple[str, str], ...] = ()
    secured: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()

    def plain(self) -> dict[str, list[Any]]:
        """Return it as data for JSON: a list a fact; what is empty is left out."""
        lists = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: sorted(_row(fact) for fact in facts) for name, facts in lists.items() if facts
        }

    def over(self, other: Access) -> Access:
        """Return what this one says, and the other one of what this one says nothing of."""
        full = {(grant.on, grant.name) for grant in self.grants} & set(self.closed)
        owned = {(owner.on, owner.name) for owner in self.owners}
        said = {(comment.name, comment.column) for comment in self.comments}
        return Access(
            (*self.grants, *(g for g in other.grants if (g.on, g.name) not in full)),
            (*self.owners, *(o for o in other.owners if (o.on, o.name) not in owned)),
            (*self.comments, *(c for c in other.comments if (c.name, c.column) not in said)),
            (*self.defaults, *other.defaults),
            (*self.closed, *other.closed),
            (*self.secured, *other.secured),
            (*self.remarks, *other.remarks),
        )

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Self:
        """Return the access of plain data.

        Raises
        ------
        ExtractError
            For anything that `plain` does not give.
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(plain) - known):
            raise _refused(unknown[0])
        facts = {name: tuple(_fact(name, row) for row in _list(name, plain)) for name in plain}
        return cls(**facts)


def _row(fact: Any) -> Any:
    if isinstance(fact, str):
        return fact
    return list(fact) if isinstance(fact, tuple) else list(astuple(fact))


def _list(name: str, plain: dict[str, Any]) -> list[Any]:
    found = plain[name]
    if not isinstance(found, list):
        raise _refused(name)
    return found


_KINDS = {
    "grants": Grant, "owners": Owner, "comments": Comment, "defaults": Default, "remarks": Remark,
}  # fmt: skip
_PAIR = 2


def _fact(name: str, row: Any) -> Any:
    if name == "secured" and isinstance(row, str):
        return row
    if not isinstance(row, list):
        raise _refused(name)
    kind: Any = _KINDS.get(name)
    wanted = [str] * _PAIR if kind is None else [_type(field) for field in fields(kind)]
    if [type(value) for value in row] != wanted or name == "secured":
        raise _refused(name)
    return tuple(row) if kind is None else kind(*row)


def _type(field: Any) -> type:
    return bool if field.name == "grantable" else str


def _refused(what: str) -> ExtractError:
    return ExtractError(
        f"the manifest's access is not as it was written: {what}", hint="make the extract again"
    )


class HasAccess:
    """What a backend does about access; a file has its owner and mode, which publish takes."""

    def same_roles(self, other: HasAccess) -> bool:  # noqa: ARG002
        """Whether a role is the same one in another database: both are on one server."""
        return False

    def access(self) -> Access:
        """Read who may do what with what is in the database; no snapshot may be open."""
        return Access()

    def missing_rights(self, access: Access) -> tuple[str, ...]:  # noqa: ARG002
        """Return the statements that an administrator types, so that `give_access` may."""
        return ()

    def give_access(self, access: Access) -> tuple[str, ...]:  # noqa: ARG002
        """Give this staging database access, before it is published.

        Returns
        -------
        tuple of str
            What the new database has no object for, a sentence each.

        Raises
        ------
        DatabaseError
            A right is missing, or a role; or policies that hid rows are not there.
        """
        return ()
