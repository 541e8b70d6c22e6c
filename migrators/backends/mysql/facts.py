"""Plain facts about a server and its text and integers, for `survey`, `check` and preflight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.backends.mysql import connect, feed

if TYPE_CHECKING:
    import sqlalchemy as sa

    from migrators.backends.mysql.wire import Connection


def version(url: sa.URL) -> str:
    """Return "MariaDB 10.11.19" or "MySQL 8.0.36"."""
    with connect.opened(url, "looking", database=False) as connection:
        ((said,),) = connect.rows(connection, "SELECT VERSION()")
    number = str(said).partition("-")[0]
    return f"{'MariaDB' if 'mariadb' in str(said).lower() else 'MySQL'} {number}"


def notes(url: sa.URL) -> tuple[str, ...]:
    """Return character set and collation, tables that have no snapshot, a slow way to load."""
    with connect.opened(url, "looking") as connection:
        found = connect.rows(connection, "SELECT @@character_set_database, @@collation_database")
        said = [f"character set {found[0][0]}, collation {found[0][1]}"]
        said += _others(connection, str(url.database))
        if not feed.takes_files(connection):
            said.append(
                "local_infile is off on the server: a load goes in by INSERT, which takes "
                "several times longer (SET GLOBAL local_infile = 1)"
            )
    return tuple(said)


def _others(connection: Connection, database: str) -> list[str]:
    found = connect.rows(
        connection,
        "SELECT table_name, engine FROM information_schema.tables WHERE table_schema = %s "
        "AND table_type = 'BASE TABLE' AND engine <> 'InnoDB' ORDER BY 1",
        (database,),
    )
    if not found:
        return []
    named = ", ".join(f"{name} ({engine})" for name, engine in found[:5])
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""  # noqa: PLR2004
    return [f"no snapshot holds for {named}{more}: a write to them during the run is noticed"]
