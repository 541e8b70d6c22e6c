"""A stand-in for Chinook: the same tables, spelled as it spells them for each, and few rows.

`make` writes its SQLite file, `script` gives what its scripts do on servers. Rows that the tutorial
names are as there: employees 1 to 8, customers 1 and 2 with seven invoices each, customer 45
without a telephone, and amounts of money as SQLite stores them.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_TABLES = {
    "Artist": "[ArtistId] INTEGER NOT NULL, [Name] NVARCHAR(120)",
    "Album": "[AlbumId] INTEGER NOT NULL, [Title] NVARCHAR(160) NOT NULL,"
    " [ArtistId] INTEGER NOT NULL",
    "Employee": "[EmployeeId] INTEGER NOT NULL, [LastName] NVARCHAR(20) NOT NULL,"
    " [FirstName] NVARCHAR(20) NOT NULL, [Title] NVARCHAR(30), [ReportsTo] INTEGER,"
    " [BirthDate] DATETIME, [HireDate] DATETIME, {place}, [Email] NVARCHAR(60)",
    "Customer": "[CustomerId] INTEGER NOT NULL, [FirstName] NVARCHAR(40) NOT NULL,"
    " [LastName] NVARCHAR(20) NOT NULL, [Company] NVARCHAR(80), {place},"
    " [Email] NVARCHAR(60) NOT NULL, [SupportRepId] INTEGER",
    "Genre": "[GenreId] INTEGER NOT NULL, [Name] NVARCHAR(120)",
    "Invoice": "[InvoiceId] INTEGER NOT NULL, [CustomerId] INTEGER NOT NULL,"
    " [InvoiceDate] DATETIME NOT NULL, [BillingAddress] NVARCHAR(70),"
    " [BillingCity] NVARCHAR(40), [BillingState] NVARCHAR(40), [BillingCountry] NVARCHAR(40),"
    " [BillingPostalCode] NVARCHAR(10), [Total] NUMERIC(10,2) NOT NULL",
    "MediaType": "[MediaTypeId] INTEGER NOT NULL, [Name] NVARCHAR(120)",
    "Playlist": "[PlaylistId] INTEGER NOT NULL, [Name] NVARCHAR(120)",
    "Track": "[TrackId] INTEGER NOT NULL, [Name] NVARCHAR(200) NOT NULL, [AlbumId] INTEGER,"
    " [MediaTypeId] INTEGER NOT NULL, [GenreId] INTEGER, [Composer] NVARCHAR(220),"
    " [Milliseconds] INTEGER NOT NULL, [Bytes] INTEGER, [UnitPrice] NUMERIC(10,2) NOT NULL",
    "InvoiceLine": "[InvoiceLineId] INTEGER NOT NULL, [InvoiceId] INTEGER NOT NULL,"
    " [TrackId] INTEGER NOT NULL, [UnitPrice] NUMERIC(10,2) NOT NULL,"
    " [Quantity] INTEGER NOT NULL",
    "PlaylistTrack": "[PlaylistId] INTEGER NOT NULL, [TrackId] INTEGER NOT NULL",
}
_PLACE = (
    "[Address] NVARCHAR(70), [City] NVARCHAR(40), [State] NVARCHAR(40), [Country] NVARCHAR(40),"
    " [PostalCode] NVARCHAR(10), [Phone] NVARCHAR(24), [Fax] NVARCHAR(24)"
)
_KEYS = {"PlaylistTrack": "[PlaylistId], [TrackId]"}
_REFERENCES = [
    ("Album", "ArtistId", "Artist"),
    ("Customer", "SupportRepId", "Employee"),
    ("Employee", "ReportsTo", "Employee"),
    ("Invoice", "CustomerId", "Customer"),
    ("InvoiceLine", "InvoiceId", "Invoice"),
    ("InvoiceLine", "TrackId", "Track"),
    ("PlaylistTrack", "PlaylistId", "Playlist"),
    ("PlaylistTrack", "TrackId", "Track"),
    ("Track", "AlbumId", "Album"),
    ("Track", "GenreId", "Genre"),
    ("Track", "MediaTypeId", "MediaType"),
]
_EMPLOYEES = ["Andrew", "Nancy", "Jane", "Margaret", "Steve", "Michael", "Robert", "Laura"]
_REPORTS_TO = [None, 1, 2, 2, 2, 1, 6, 6]
_CUSTOMERS = [
    (1, "Luís", "Gonçalves", "+55 (12) 3923-5555", "luisg@embraer.com.br", 3),
    (2, "Leonie", "Köhler", "+49 0711 2842222", "leonekohler@surfeu.de", 5),
    (45, "Ladislav", "Kovács", None, "ladislav_kovacs@apple.hu", None),
]
TOTALS = [0.99, 1.98, 3.96, 5.94, 8.91, 13.86, 1.99, 0.1, 0.29, 16.86, 21.86, 25.86, 1e7, 0]
"""Amounts of the invoices: doubles, most of them near their decimals and none of them on it."""


TABLES = tuple(_TABLES)


def make(path: Path) -> None:
    """Write the stand-in to a file."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for name, columns in _TABLES.items():
            connection.execute(_table(name, columns, _own_references(name)))
        for table, column, _ in _REFERENCES:
            connection.execute(_index(table, column))
        for table, rows in _rows().items():
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO [{table}] VALUES ({marks})", rows)


def script(kind: str) -> Iterator[str]:
    """Yield the statements that fill a database of a server, one after the other."""
    spell = _SPELLED[kind]
    for name, columns in _TABLES.items():
        yield spell(_table(name, columns))
    for table, rows in _rows().items():
        values = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows)
        yield f"{spell(f'INSERT INTO [{table}] VALUES')} {values}"
    for table, column, parent in _REFERENCES:
        named = f"ALTER TABLE [{table}] ADD CONSTRAINT [FK_{table}{column}]"
        yield spell(f"{named} {_reference(column, parent)}")
        yield spell(_index(table, column))


def snake_case(name: str) -> str:
    """Return a name as the script for PostgreSQL spells it."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _postgresql(sql: str) -> str:
    sql = sql.replace("NVARCHAR", "VARCHAR").replace("DATETIME", "TIMESTAMP")
    return re.sub(r"\[(\w+)\]", lambda found: snake_case(found[1]), sql)


_SPELLED: dict[str, Callable[[str], str]] = {
    "mysql": lambda sql: re.sub(r"\[(\w+)\]", r"`\1`", sql),
    "postgresql": _postgresql,
}


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return "'{}'".format(value.replace("'", "''")) if isinstance(value, str) else str(value)


def _table(name: str, columns: str, clauses: Sequence[str] = ()) -> str:
    key = f"CONSTRAINT [PK_{name}] PRIMARY KEY ({_KEYS.get(name, f'[{name}Id]')})"
    lines = ", ".join([columns.format(place=_PLACE), key, *clauses])
    return f"CREATE TABLE [{name}]\n(\n    {lines}\n)"


def _own_references(name: str) -> list[str]:
    return [_reference(column, parent) for table, column, parent in _REFERENCES if table == name]


def _reference(column: str, parent: str) -> str:
    refers = f"FOREIGN KEY ([{column}]) REFERENCES [{parent}] ([{parent}Id])"
    return f"{refers}\n\t\tON DELETE NO ACTION ON UPDATE NO ACTION"


def _index(table: str, column: str) -> str:
    return f"CREATE INDEX [IFK_{table}{column}] ON [{table}] ([{column}])"


def _rows() -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of each table, in the order of its columns."""
    nowhere = (None,) * 5
    day = "2021-01-{:02} 00:00:00"
    return {
        "Artist": [(1, "AC/DC"), (2, None)],
        "Album": [(1, "For Those About To Rock", 1), (4, "Let There Be Rock", 1)],
        "Genre": [(1, "Rock")],
        "MediaType": [(1, "MPEG audio file"), (2, "Protected AAC audio file")],
        "Playlist": [(1, "Music"), (2, "Movies")],
        "Track": [
            (1, "For Those About To Rock", 1, 1, 1, "Angus Young", 343719, 11170334, 0.99),
            (15, "Go Down", 4, 1, 1, None, 331180, None, 0.99),
            (2819, "Battlestar Galactica", None, 2, None, None, 2952702, 541359437, 1.99),
        ],
        "PlaylistTrack": [(1, 1), (1, 15), (2, 2819)],
        "Employee": [
            (
                *(number, f"{name}son", name, "Sales Support Agent", _REPORTS_TO[number - 1]),
                *(f"19{50 + number}-02-18 00:00:00", "2002-08-14 00:00:00"),
                *nowhere,
                *("+1 (403) 262-3443", None, f"{name.lower()}@chinookcorp.com"),
            )
            for number, name in enumerate(_EMPLOYEES, 1)
        ],
        "Customer": [
            (number, first, last, None, *nowhere, phone, None, email, agent)
            for number, first, last, phone, email, agent in _CUSTOMERS
        ],
        "Invoice": [
            (n, 2 - n % 2, day.format(n), *nowhere, total) for n, total in enumerate(TOTALS, 1)
        ],
        "InvoiceLine": [(n, n, 1 if n % 2 else 2819, 1.99, n) for n in range(1, 15)],
    }
