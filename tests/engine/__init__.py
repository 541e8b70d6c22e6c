"""The engine as a whole, on small projects: one behaviour a test."""
