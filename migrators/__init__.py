"""migrate: a dump-and-load major-version migrator for relational databases."""

__version__ = "0.1.0"
