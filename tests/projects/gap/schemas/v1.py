"""Schema 1 with SQL beside it that is misnamed."""

import sqlalchemy as sa

metadata = sa.MetaData()
sa.Table("t", metadata, sa.Column("id", sa.Integer))
