"""`schemas/vN.py` → a frozen `SchemaVersion` with its fingerprint.

Rooms that handle SQL use `metadata`; rooms that handle files use `tables`, which is plain
data. A fingerprint depends on what is declared, not on the file's layout nor on
SQLAlchemy's version.
"""

from migrators.schema.load import load_schema, read_schema
from migrators.schema.model import Column, ForeignKey, Table
from migrators.schema.version import SchemaVersion

__all__ = ["Column", "ForeignKey", "SchemaVersion", "Table", "load_schema", "read_schema"]
