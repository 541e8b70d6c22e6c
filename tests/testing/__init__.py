"""Tests of the pytest plugin, of `seed` and of the ready-made tests."""
