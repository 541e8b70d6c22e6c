"""Schema 1 calls something else metadata."""

metadata = {}
