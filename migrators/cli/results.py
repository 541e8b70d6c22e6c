"""What several verbs do around the one function they call: name places, show receipts."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrators.cli.session import Session
    from migrators.project import Project
    from migrators.receipt import Receipt
    from migrators.report.run import Deed


def database(session: Session, project: Project, version: int, *, made: bool = False) -> str:
    """Return how messages name the database of a version; `made`: that which `--to` names."""
    from migrators.backends import backend_for

    url = project.target(version) if made else project.url(version)
    return session.short(backend_for(url).database)


def agree(session: Session, project: Project, deed: Deed, *, yes: bool) -> None:
    """Ask before an existing version loses its name."""
    from migrators.backends import backend_for

    if deed.new is not None and backend_for(project.target(deed.new)).exists():
        said = f"{deed.target} is there: it will be set aside under another name"
        session.agree(said, yes=yes)


def finish(session: Session, receipt: Receipt, deed: Deed, *, json: bool) -> None:
    """Print the result of a run, and keep it beside `receipt.json` for people."""
    from migrators.report.run import success_lines

    _keep(receipt)
    if json:
        session.show_data(receipt.as_dict())
        return
    session.teller.line("")
    shown = replace(
        receipt,
        old=session.short(receipt.old),
        new=session.short(receipt.new),
        directory=session.short(receipt.directory),
        aside=session.short(receipt.aside),
    )
    session.show(success_lines(shown, deed))


def _keep(receipt: Receipt) -> None:
    """Write `receipt.txt`; the run is done, so a full disk here changes nothing."""
    from migrators.errors import MigrateError
    from migrators.extracts.atomic import AtomicFile
    from migrators.report.run import receipt_text

    if receipt.outcome == "already done" or not receipt.directory:
        return
    with (
        suppress(OSError, MigrateError),
        AtomicFile(Path(receipt.directory) / "receipt.txt", 0o600) as file,
    ):
        file.write(receipt_text(receipt).encode("utf-8", "backslashreplace"))
