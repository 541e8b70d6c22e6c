"""Tests of `migrators.preflight` and `migrators.survey`, on real SQLite files."""
