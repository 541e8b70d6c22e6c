"""What git leaves in a file where it could not merge two branches."""

from __future__ import annotations

import re

BEGINS = re.compile(rb"^<<<<<<< ", re.MULTILINE)
WHY = "a merge of two branches was not finished"
DELETE = "delete the lines of <<<<<<<, ======= and >>>>>>>"
