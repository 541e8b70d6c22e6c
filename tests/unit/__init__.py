"""A mirror of the engine: what each room promises."""
