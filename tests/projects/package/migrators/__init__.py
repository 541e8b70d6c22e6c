"""In the engine's way."""
