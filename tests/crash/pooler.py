"""A pooler before a server of a test's own, where one is installed."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.crash.own_server import answering, as_user, free_port, program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.crash.own_server import OwnServer

_SETTINGS = """\
[databases]
* = host={folder} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users.txt
pool_mode = {mode}
pidfile = {folder}/{mode}.pid
ignore_startup_parameters = extra_float_digits, options
"""
_SECONDS = 10.0


@contextmanager
def pooler(server: OwnServer, mode: str, role: str) -> Iterator[int]:
    """Give the port of a pooler before a server; skip the test where none is installed.

    Parameters
    ----------
    mode : str
        "session" or "transaction": for how long a client has a session of the server's.
    role : str
        Who may connect.
    """
    pgbouncer = program("pgbouncer")
    if pgbouncer is None:
        pytest.skip("no pooler here: apt-get install pgbouncer")
    own = free_port()
    file = server.folder / f"{mode}.ini"
    file.write_text(_SETTINGS.format(folder=server.folder, port=server.port, own=own, mode=mode))
    users = server.folder / "users.txt"
    users.write_text(f'"{role}" ""\n')
    for each in (file, users):
        each.chmod(0o644)
    with subprocess.Popen(
        as_user("postgresql", pgbouncer, "-q", str(file)), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
    ) as process:  # fmt: skip
        try:
            answering(own)
            yield own
        finally:
            number = (server.folder / f"{mode}.pid").read_text().strip()
            subprocess.run(as_user("postgresql", "kill", number), check=True)
            process.wait(_SECONDS)
