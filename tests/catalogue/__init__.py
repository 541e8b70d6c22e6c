"""`tests/CATALOGUE.md` and the tests: which case is tested on which database.

A test covers the cases that its name begins with (`test_a4_…`, `test_h102_i114_…`), and those of
its marker `@pytest.mark.fault("G86", "G87")`. On which databases, its parameters say, else its
folder; where that would be wrong, the marker does: `fault("H91", on="mysql")`.

`python -m tests.catalogue` writes the page's columns anew; `python -m tests.catalogue G86` prints
the tests of a case.
"""
