"""What an extract depends on: an earlier one is used again only where all of it is the same."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from migrators import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from migrators.access import Access
    from migrators.plan.model import Plan

_CHANGED = {
    "source": "the old database has changed",
    "steps": "the step or a schema has changed",
    "rights": "rights on the old database have changed",
    "tool": "the version of migrate has changed",
    "files": "the kind of files has changed",
}


@dataclass(frozen=True)
class Basis:
    """What an extract is made of.

    Attributes
    ----------
    source : str
        Digest of the old database.
    steps : str
        Digest of what the chain's steps and schemas say, up to and with the one whose extract
        it is.
    rights : str
        Digest of who may do what: a right that was given since is in no digest of rows.
    tool : str
        The version of this package.
    files : str
        "parquet" or "csv".
    """

    source: str
    steps: str
    rights: str
    files: str
    tool: str = __version__

    @classmethod
    def of(cls, source: str, plans: Sequence[Plan], files: str, access: Access) -> Basis:
        """Return that of an extract which the last of some plans makes."""
        rights = (f"{kind} {sorted(map(str, said))}" for kind, said in access.plain().items())
        return cls(source, steps_digest(plans), _digest(sorted(rights)), files)

    @property
    def digest(self) -> str:
        """All of it in one."""
        return _digest(self.plain().values())

    def plain(self) -> dict[str, str]:
        """Return it as a journal keeps it."""
        return asdict(self)

    def changed(self, before: Mapping[str, str]) -> str:
        """Say what is another than it was; empty where nothing is, or nothing is known of it."""
        return ", ".join(
            said
            for what, said in _CHANGED.items()
            if before.get(what) not in (None, self.plain()[what])
        )


def steps_digest(plans: Sequence[Plan]) -> str:
    """Return a digest of what a chain's steps and schemas say."""
    return _digest(_said(plans))


def _said(plans: Sequence[Plan]) -> Iterator[str]:
    for plan in plans:
        yield from (plan.name, plan.digest, plan.old.fingerprint, plan.new.fingerprint)


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
