"""Access, carried."""
