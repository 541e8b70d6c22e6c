"""3to4: nothing changes."""


def migrate(step, old, new):
    """Carry all."""
