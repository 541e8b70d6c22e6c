"""Schema 1 forgets its metadata."""
