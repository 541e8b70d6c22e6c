"""Schema 1 has a column without a type."""

import sqlalchemy as sa

metadata = sa.MetaData()
sa.Table("t", metadata, sa.Column("price", sa.types.NullType))
