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


def database(session: Session, project: Project, version: int) -> str:
    """Return how messages name the database of a version."""
    from migrators.backends import backend_for

    return session.short(backend_for(project.url(version)).database)


def finish(session: Session, receipt: Receipt, deed: Deed, *, json: bool) -> None:
    """Print the result of a run, and keep it beside `receipt.json` for people."""
    from migrators.report.run import success_lines

    _keep(receipt)
    if json:
        session.show_data(receipt.as_dict())
        return
    if session.teller.began:
        session.teller.line("")
    places = (receipt.old, receipt.new, receipt.directory)
    old, new, directory = (session.short(place) for place in places)
    session.show(success_lines(replace(receipt, old=old, new=new, directory=directory), deed))


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
