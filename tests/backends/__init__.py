"""One suite for all databases; what only one of them has stands in a folder of its name."""
