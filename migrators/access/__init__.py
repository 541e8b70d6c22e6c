"""Who may do what with a database: captured from the old one, carried to the new tables.

`Access` is plain data that crosses in the manifest; `Ways` says which old tables each new
one is made of, and `carry` follows them. What has nowhere to go is a `Lost`, with the line
to write. `HasAccess` is what a backend does about it.
"""

from migrators.access.carry import Lost, Ways, carry
from migrators.access.model import Access, Comment, Default, Grant, HasAccess, Owner, Remark

__all__ = [
    "Access", "Comment", "Default", "Grant", "HasAccess", "Lost", "Owner", "Remark", "Ways",
    "carry",
]  # fmt: skip
