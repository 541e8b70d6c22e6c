"""Declared SQL type → `ColumnType` → Arrow type. Nothing is ever inferred from data.

`describe` is the only place that looks at a SQLAlchemy type. Whoever moves values
(extracts, backends, rules, verify) sees a `ColumnType`. Exact text forms are in
`types.text`; whether values fit a declared type is asked of `types.fit`.

| kind      | Arrow                     | declared as                                   |
|-----------|---------------------------|-----------------------------------------------|
| integer   | int64; uint64 if 64 bits unsigned | SmallInteger, Integer, BigInteger, TINYINT, MEDIUMINT, YEAR, OID |
| boolean   | bool                      | Boolean                                       |
| float     | float64                   | Float, Double, REAL                           |
| decimal   | decimal128/256(p, s)      | Numeric(p, s), MONEY                          |
| text      | string                    | String, Text, Unicode, CITEXT, TINYTEXT …     |
| enum      | string                    | Enum (its labels)                             |
| set       | string, `a,c`             | SET (its labels)                              |
| json      | string, the text itself   | JSON, JSONB                                   |
| binary    | binary                    | LargeBinary, BINARY(n), BYTEA …               |
| bits      | string of 0 and 1         | BIT(n), first the highest                     |
| uuid      | fixed_size_binary(16)     | Uuid                                          |
| date      | date32                    | Date                                          |
| time      | time64[us]                | Time                                          |
| timestamp | timestamp[us]             | DateTime                                      |
| instant   | timestamp[us, UTC]        | DateTime(timezone=True)                       |
| interval  | duration[us]              | Interval                                      |
| array     | string, see below         | ARRAY(item)                                   |
| native    | string, the server's text | INET, TSVECTOR, ranges, HSTORE, timetz …      |

A domain is what it is a domain of. 64 bits unsigned are uint64, and not a decimal, because
they are keys more often than anything else.

**Held as text** (`ColumnType.as_text`; `form: text` in a manifest). Some databases store what
Arrow's type does not hold: decimals without precision (always text), NaN and infinity among
decimals, `infinity` and years outside 1 to 9999 among dates, months in intervals, 24:00:00.
A column with such a value is held as text *whole*: every value that Arrow's type does hold in
the one form of `types.text`, the others as their server writes them. What a backend does:

- `Snapshot.batches`, asked for a column whose type is not `as_text`, and meeting such a value:
  raise `types.NotHeld` (a refusal with table, column, count and keys as any other; its
  `columns` are the labels in the query). Extract then asks again, with `as_text` there.
- Asked for a column that is `as_text`: give strings, in both forms just said.
- `Backend.takes_text(type)` says that `write` takes such a column (default: no; `load` then
  gives it Arrow values and refuses by name what they cannot be).

**Arrays**: a cell is a JSON array where it has one dimension that counts from 1: integers,
decimals, finite floats and booleans bare, null for NULL, anything else as a JSON string of its
exact text. Any other array is the server's own literal (`{{1,2},{3,4}}`, `[0:1]={1,2}`), which
no JSON column elsewhere takes.

**Native**: `native(<database>:<type>)`, which loads into a column of that type only.
"""  # noqa: E501  a table's row

from __future__ import annotations

from migrators.types.declared import UnsupportedType, describe, on
from migrators.types.model import ColumnType, Kind
from migrators.types.names import parse

__all__ = ["ColumnType", "Kind", "UnsupportedType", "describe", "on", "parse"]
