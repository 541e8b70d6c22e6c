"""The rules a step is written with."""
