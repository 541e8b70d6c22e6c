"""1to2: nothing changes."""


def migrate(step, old, new):
    """Carry all."""
