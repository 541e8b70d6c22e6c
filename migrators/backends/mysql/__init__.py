"""MySQL and MariaDB: databases on a server. See `interface` for what each part does."""

from migrators.backends.mysql.backend import MariaDBBackend, MySQLBackend

__all__ = ["MariaDBBackend", "MySQLBackend"]
