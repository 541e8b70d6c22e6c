"""Pages and lines."""
