"""How values stand in SQLite cells: a codec per kind, as SQLAlchemy's own types store them.

`scan` and `snapshot` decode with them, `staging` encodes; nobody else knows the forms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrators.backends.sqlite.cells import numbers, texts, times
from migrators.types import Kind

if TYPE_CHECKING:
    from migrators.backends.sqlite.cells.model import Codec
    from migrators.types import ColumnType

CODECS: dict[Kind, Codec] = {
    Kind.INTEGER: numbers.INTEGER,
    Kind.BOOLEAN: numbers.BOOLEAN,
    Kind.FLOAT: numbers.FLOAT,
    Kind.DECIMAL: numbers.DECIMAL,
    Kind.TEXT: texts.TEXT,
    Kind.ENUM: texts.TEXT,
    Kind.SET: texts.TEXT,
    Kind.BITS: texts.TEXT,
    Kind.ARRAY: texts.TEXT,
    Kind.NATIVE: texts.TEXT,
    Kind.JSON: texts.JSON,
    Kind.BINARY: texts.BINARY,
    Kind.UUID: texts.UUID,
    Kind.DATE: times.DATE,
    Kind.TIME: times.TIME,
    Kind.TIMESTAMP: times.MOMENT,
    Kind.INSTANT: times.MOMENT,
    Kind.INTERVAL: times.MOMENT,
}


def codec_of(declared: ColumnType) -> Codec:
    """Return the codec of a type; a column held as text is text here."""
    return texts.TEXT if declared.as_text else CODECS[declared.kind]
