"""What only SQLite has: files, journals, affinities."""
