"""Schema 1 refers to a table that is not there."""

import sqlalchemy as sa

metadata = sa.MetaData()
sa.Table("t", metadata, sa.Column("u_id", sa.ForeignKey("u.id")))
