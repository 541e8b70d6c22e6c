"""Schema 1 raises inside a function."""


def tables():
    return 1 / 0


metadata = tables()
