"""PostgreSQL: a database on a server. See `interface` for what each part does."""

from migrators.backends.postgresql.backend import PostgreSQLBackend

__all__ = ["PostgreSQLBackend"]
