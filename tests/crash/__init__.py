"""A run is stopped at any moment, by anything; the same command again ends it. See `__main__`."""
