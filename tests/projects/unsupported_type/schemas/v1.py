"""Schema 1 has a decimal without precision."""

import sqlalchemy as sa

metadata = sa.MetaData()
sa.Table("t", metadata, sa.Column("price", sa.Numeric))
