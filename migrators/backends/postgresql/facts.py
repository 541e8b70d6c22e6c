"""Plain facts about a database and its server, for `survey`, `check` and CREATE DATABASE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.backends.postgresql import connect, sql

if TYPE_CHECKING:
    import sqlalchemy as sa

    from migrators.backends.postgresql.connect import Connection

UTF8 = " ENCODING 'UTF8'"
"""Of a database that follows no other: the server's own locale."""
_LOCALE = """
SELECT pg_encoding_to_char(encoding), datcollate, datctype, to_jsonb(d)
FROM pg_database AS d WHERE datname = %s
"""
_TABLESPACE = """
SELECT spcname FROM pg_database AS d JOIN pg_tablespace AS s ON s.oid = d.dattablespace
WHERE datname = %s AND spcname <> 'pg_default'
"""


def version(connection: Connection) -> str:
    """Return "PostgreSQL 15.20"."""
    return f"PostgreSQL {connection.info.parameter_status('server_version')}".partition(" (")[0]


def notes(connection: Connection, database: str) -> tuple[str, ...]:
    """Return encoding and locale."""
    row = connection.execute(_LOCALE, (database,)).fetchone()
    if row is None:
        return ()
    return (f"encoding {row[0]}, collation {row[1]}",)


def locale(url: sa.URL) -> str:
    """Return what CREATE DATABASE says to make a database of the same encoding and locale.

    ICU's names stand in columns that were renamed between versions, so the row is asked.
    """
    with connect.maintenance(url, "looking") as connection:
        row = connection.execute(_LOCALE, (url.database,)).fetchone()
    if row is None:
        return UTF8
    encoding, collate, ctype, columns = row
    said = [f"ENCODING {sql.text(encoding)}"]
    if collate is not None:
        said += [f"LC_COLLATE {sql.text(collate)}", f"LC_CTYPE {sql.text(ctype)}"]
    provider = columns.get("datlocprovider")
    named = columns.get("datlocale") or columns.get("daticulocale")
    if provider == "i" and named:
        said += ["LOCALE_PROVIDER icu", f"ICU_LOCALE {sql.text(named)}"]
        rules = columns.get("daticurules")
        said += [f"ICU_RULES {sql.text(rules)}"] if rules else []
    elif provider == "b" and named:
        said += ["LOCALE_PROVIDER builtin", f"BUILTIN_LOCALE {sql.text(named)}"]
    return " " + " ".join(said)


def tablespace(url: sa.URL, there: sa.URL) -> str:
    """Return what CREATE DATABASE says to make a database in the same tablespace, if it is there.

    Parameters
    ----------
    there : sqlalchemy.URL
        Of the server that makes it.
    """
    with connect.maintenance(url, "looking") as connection:
        row = connection.execute(_TABLESPACE, (url.database,)).fetchone()
    if row is None:
        return ""
    with connect.maintenance(there, "looking") as connection:
        found = connection.execute("SELECT FROM pg_tablespace WHERE spcname = %s", row).fetchone()
    return "" if found is None else f" TABLESPACE {sql.name(row[0])}"
