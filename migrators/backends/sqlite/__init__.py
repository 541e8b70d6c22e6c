"""SQLite: one file is one database. `backend.py` has interface.py's sections; the rest serve it."""

from migrators.backends.sqlite.backend import SQLiteBackend

__all__ = ["SQLiteBackend"]
