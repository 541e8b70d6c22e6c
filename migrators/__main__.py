"""`python -m migrators`: the command, where its script is not on the path."""

from __future__ import annotations

import sys

from migrators.cli import main

sys.exit(main())
