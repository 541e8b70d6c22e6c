"""Schema 1 imports what is not there."""

import sqlalchemy as sa
import no_such_module_anywhere

metadata = sa.MetaData()
