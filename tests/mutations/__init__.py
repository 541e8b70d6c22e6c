"""The verifier against databases that were changed after they were loaded.

A small database is migrated by the command; then one thing in it is changed at a time, by its
driver alone, the table is compared with the extract again, and the change is undone. Each must be
found, and nothing where nothing is changed. `python -m tests.mutations` does it ten thousand times.

| module   | what                                                       |
|----------|------------------------------------------------------------|
| subject  | the database: its tables, its rows, comparing and changing |
| values   | other values for a value: near ones, which are easily lost |
| changes  | what is done to a table: cells, swaps, rows                |
| trial    | many changes, one after the other, and what became of them |
"""
