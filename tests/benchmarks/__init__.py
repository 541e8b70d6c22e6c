"""Benchmarks, and what makes the databases they run on; not run as tests."""
