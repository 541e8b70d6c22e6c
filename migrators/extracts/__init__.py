"""The extract: files shaped like one schema version, and their manifest (format 1).

`extract` writes one through an `ExtractWriter`; `load` and `verify` read it through an
`ExtractReader`. The two rooms meet nowhere else.

| module      | what                                                                |
|-------------|---------------------------------------------------------------------|
| interface   | what a format and a manifest are                                    |
| directory   | the whole extract: claims, completes, checks, reads                 |
| manifest    | `manifest.json`, strictly                                           |
| believed    | whether a manifest is of the schema, and the files are its          |
| names       | table names to file names                                           |
| parquet, csv | the two formats; framing: a CSV file's bytes to records and fields |
| batches     | what every batch must be                                            |
| atomic      | files that appear whole or not at all                               |

Importing this package imports neither Arrow nor a format.
"""

from migrators.extracts.directory import ExtractReader, ExtractWriter, is_complete
from migrators.extracts.interface import BATCH_ROWS, Manifest

__all__ = ["BATCH_ROWS", "ExtractReader", "ExtractWriter", "Manifest", "is_complete"]
