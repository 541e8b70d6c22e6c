"""Schema 1 has no tables."""

import sqlalchemy as sa

metadata = sa.MetaData()
