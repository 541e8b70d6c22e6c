"""Personal columns: which they are, what replaces their values, whether a file holds them bare.

Declared once, with the column (`info={"pii": "email"}` in the schema module) or in
`[tool.migrators.pii]`. A sample replaces them; an extract below `fixtures/`, which would write
them as they are, is refused.

| module    | what                                                        |
|-----------|-------------------------------------------------------------|
| treatment | what was declared of a column                               |
| declared  | of a whole schema, references followed                      |
| pseudonym | keyed, deterministic values                                 |
| replace   | rows, with the values replaced                              |
| bare      | values that are none of what replaces them                  |
"""

from migrators.personal.bare import INVENTED, bare, formless
from migrators.personal.declared import Personal, personal_columns
from migrators.personal.replace import Replacer
from migrators.personal.treatment import Treatment

__all__ = ["INVENTED", "Personal", "Replacer", "Treatment", "bare", "formless", "personal_columns"]
