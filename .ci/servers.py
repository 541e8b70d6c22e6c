"""PostgreSQL in memory for the gate: tests of servers wait for a disk more than they work.

    python3 .ci/servers.py FILE

Writes to FILE what tells the tests where they are, and stops them when its input ends. A kind
whose programs are not there, or that the environment names a server of, is left alone. MariaDB is
started only where none answers at its usual port.
"""

import os
import sys
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.crash.own_server import answers, own_server

VARIABLES = {
    "postgresql": "MIGRATORS_TEST_POSTGRESQL_URL",
    "mysql": "MIGRATORS_TEST_MYSQL_URL",
}
USUAL = {"mysql": 3306}

with ExitStack() as stack:
    lines = []
    for kind, variable in VARIABLES.items():
        there = variable in os.environ or (kind in USUAL and answers(USUAL[kind]))
        server = None if there else stack.enter_context(own_server(kind))
        if server is not None:
            lines.append(f"export {variable}='{server.url}'\n")
    found = Path(sys.argv[1])
    found.with_suffix(".part").write_text("".join(lines))
    found.with_suffix(".part").rename(found)
    sys.stdin.read()
