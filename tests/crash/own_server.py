"""Servers of a test's own, in memory: to be restarted, to get full, and not to wait for a disk.

No server runs as root, so where the tests do, each is started as its own user.
"""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests import disks

if TYPE_CHECKING:
    from collections.abc import Iterator

_USERS = {"postgresql": "postgres", "mysql": "mysql"}
_SECONDS = 30.0
_DISK = "160m"


@dataclass(frozen=True)
class OwnServer:
    """A server in a folder of its own.

    Attributes
    ----------
    url : str
        As its superuser.
    restart : tuple of str
        What is typed so that it ends at once, as in a crash, and comes back.
    disk : Path or None
        A small disk of its own, where its databases are; only root may have one.
    """

    folder: Path
    port: int
    url: str
    restart: tuple[str, ...] = ()
    disk: Path | None = None


def memory() -> Path | None:
    """Return a folder that is in memory, where there is one: no test here waits for a disk."""
    place = Path("/dev/shm")  # noqa: S108
    return place if place.is_dir() else None


def as_user(kind: str, *typed: str) -> tuple[str, ...]:
    """Return what runs a program as the user of a kind of server."""
    if os.getuid():
        return typed
    return ("su", _USERS[kind], "-s", "/bin/sh", "-c", shlex.join(typed))


def _run(kind: str, *typed: str) -> None:
    done = subprocess.run(
        as_user(kind, *typed), check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, cwd="/",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def program(name: str) -> str | None:
    """Return where a server's program is, if it is there."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if found:
        return str(found[-1])
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def answering(port: int) -> None:
    """Wait until somebody listens at a port."""
    until = time.monotonic() + _SECONDS
    while not answers(port):
        assert time.monotonic() < until
        time.sleep(0.05)


def answers(port: int) -> bool:
    """Say whether somebody listens at a port."""
    try:
        with closing(socket.create_connection(("127.0.0.1", port), timeout=1)):
            return True
    except OSError:
        return False


@contextmanager
def own_server(kind: str, *, small: bool = False) -> Iterator[OwnServer | None]:
    """Start a server, which is stopped again; None where its programs are not there.

    Parameters
    ----------
    small : bool
        Its databases are on a small disk.
    """
    needed = {
        "postgresql": ("initdb", "pg_ctl"),
        "mysql": ("mariadb-install-db", "mariadbd", "mariadb-admin"),
    }
    if kind not in needed or not all(map(program, needed[kind])):
        yield None
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=memory())))
        _own(kind, folder)
        start = _postgresql if kind == "postgresql" else _mariadb
        yield stack.enter_context(start(folder, small=small))


def _own(kind: str, folder: Path) -> None:
    if not os.getuid():
        os.chown(folder, pwd.getpwnam(_USERS[kind]).pw_uid, -1)


@contextmanager
def _postgresql(folder: Path, *, small: bool) -> Iterator[OwnServer]:
    data, log, port = str(folder / "data"), str(folder / "log"), free_port()
    _run("postgresql", str(program("initdb")), "-D", data, "-U", "postgres", "-A", "trust",
         "-E", "UTF8", "--no-sync")  # fmt: skip
    control = (str(program("pg_ctl")), "-D", data, "-w", "-l", log)
    with ExitStack() as stack:
        disk = stack.enter_context(_databases_apart(folder)) if small else None
        settings = f"-p {port} -k {folder} -c fsync=off -c full_page_writes=off"
        settings += " -c max_connections=100 -c max_prepared_transactions=8"
        _run("postgresql", *control, "-o", settings, "start")
        stack.callback(_run, "postgresql", *control, "-m", "immediate", "stop")
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        again = as_user("postgresql", *control, "-m", "immediate", "restart")
        yield OwnServer(folder, port, url, again, disk)


@contextmanager
def _databases_apart(folder: Path) -> Iterator[Path | None]:
    """Put the server's databases, and nothing else of it, on a disk of their own."""
    base = folder / "data" / "base"
    with _small_disk("postgresql", folder / "disk") as place:
        if place:
            _run("postgresql", "cp", "-r", str(base), str(place / "base"))
            shutil.rmtree(base)
            base.symlink_to(place / "base")
        yield place


@contextmanager
def _small_disk(kind: str, place: Path) -> Iterator[Path | None]:
    place.mkdir()
    if os.getuid() or not disks.mount(place, f"size={_DISK}"):
        yield None
        return
    try:
        _own(kind, place)
        yield place
    finally:
        disks.unmount(place)


@contextmanager
def _mariadb(folder: Path, *, small: bool) -> Iterator[OwnServer]:
    """Its logs and what its tables share are beside its databases: without room there it ends."""
    with ExitStack() as stack:
        disk = stack.enter_context(_small_disk("mysql", folder / "data")) if small else None
        yield stack.enter_context(_mariadb_in(folder, disk))


@contextmanager
def _mariadb_in(folder: Path, disk: Path | None) -> Iterator[OwnServer]:
    """It comes back when it has ended, as under systemd, until there is a file that says stop."""
    port, shared, stop = free_port(), folder / "shared", folder / "stop"
    shared.mkdir()
    _own("mysql", shared)
    places = ("innodb-data-home-dir", "innodb-log-group-home-dir", "aria-log-dir-path")
    own = ("--no-defaults", f"--datadir={folder / 'data'}", "--innodb-log-file-size=16M",
           *(f"--{name}={shared}" for name in places))  # fmt: skip
    _run("mysql", str(program("mariadb-install-db")), *own, "--skip-test-db",
         "--auth-root-authentication-method=normal")  # fmt: skip
    settings = (f"--port={port}", f"--socket={folder}/socket", f"--pid-file={folder}/pid",
                f"--tmpdir={folder}",  # other servers have theirs in /tmp
                "--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=2",
                "--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci",
                "--innodb-buffer-pool-size=64M", "--skip-stack-trace",
                f"--log-error={folder}/log")  # fmt: skip
    served = shlex.join((str(program("mariadbd")), *own, *settings))
    typed = as_user("mysql", "sh", "-c", f"until [ -e {stop} ]; do {served}; done")
    with subprocess.Popen(
        typed, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        cwd="/",
    ) as process:  # fmt: skip
        try:
            answering(port)
            url = f"mysql://root@127.0.0.1:{port}/"
            yield OwnServer(folder, port, url, _killed(folder, port), disk)
        finally:
            answering(port)
            stop.touch()
            _run("mysql", "kill", (folder / "pid").read_text().strip())
            process.wait(_SECONDS)


def _killed(folder: Path, port: int) -> tuple[str, ...]:
    ping = f"{program('mariadb-admin')} --no-defaults -h 127.0.0.1 -P {port} -u root ping"
    return as_user("mysql", "sh", "-c", (
        f"p=$(cat {folder}/pid); kill -9 $p; while kill -0 $p; do sleep 0.02; done; "
        f"until {ping}; do sleep 0.05; done"
    ))  # fmt: skip
