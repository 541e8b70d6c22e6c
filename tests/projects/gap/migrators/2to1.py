"""2to1: nothing changes."""


def migrate(step, old, new):
    """Carry all."""
