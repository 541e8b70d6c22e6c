"""The type grid: database × declared type × edge value × target × file format.

Cells are generated from the types that SQLAlchemy's dialects declare. What was put in by plain
SQL is compared with what comes out on the other side, both as the server's own text. Each cell
is exact, or refused by name; `python -m tests.grid` shows all, and writes docs/types.md.
"""
