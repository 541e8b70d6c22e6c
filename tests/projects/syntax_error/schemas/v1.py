"""Schema 1 with a syntax error in line 4."""

import sqlalchemy as sa
metadata = sa.MetaData(
