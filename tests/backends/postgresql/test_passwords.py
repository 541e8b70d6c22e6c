"""Passwords: from where people keep them, and sent to nobody else."""

from __future__ import annotations

import socket
import struct
import threading
from typing import TYPE_CHECKING, Self

import pytest
import sqlalchemy as sa

from migrators.backends import backend_for
from migrators.backends.passwords import VARIABLE
from migrators.errors import DatabaseError

if TYPE_CHECKING:
    from pathlib import Path


class Asking(threading.Thread):
    """A server that asks each client for a password in clear, and takes none."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.heard: list[str] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.join(5)

    def run(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                client.settimeout(5)
                self._ask(client)

    def _ask(self, client: socket.socket) -> None:
        size, code = struct.unpack("!II", _exactly(client, 8))
        if code != 196608:  # it asks for encryption
            client.sendall(b"N")
            size, code = struct.unpack("!II", _exactly(client, 8))
        _exactly(client, size - 8)
        client.sendall(b"R" + struct.pack("!II", 8, 3))
        kind = client.recv(1)
        if kind != b"p":
            self.heard.append("none")
            return
        (size,) = struct.unpack("!I", _exactly(client, 4))
        self.heard.append(_exactly(client, size - 4).rstrip(b"\0").decode())
        said = b'SFATAL\0C28P01\0Mpassword authentication failed for user "app"\0\0'
        client.sendall(b"E" + struct.pack("!I", len(said) + 4) + said)


def _exactly(client: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        found += client.recv(size - len(found))
    return found


def test_the_url_comes_first_then_the_environment_then_what_libpq_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in its turn is what the server hears; none is in what it says of it."""
    file = tmp_path / "pgpass"
    file.write_text("127.0.0.1:*:*:app:canary-file\n")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    monkeypatch.delenv("PGPASSWORD", raising=False)
    with Asking() as server:
        url = sa.make_url(f"postgresql://app@127.0.0.1:{server.port}/shop_v3")
        said = [_refused(url)]
        monkeypatch.setenv("PGPASSWORD", "canary-libpq")
        said.append(_refused(url))
        monkeypatch.setenv(VARIABLE, "canary-environment")
        said.append(_refused(url))
        said.append(_refused(url.set(password="canary-%url")))  # noqa: S106
        said.append(_refused(url.update_query_dict({"password": "canary-query"})))
    tried = [*dict.fromkeys(server.heard)]
    assert tried == [
        "canary-file", "canary-libpq", "canary-environment", "canary-%url", "canary-query",
    ]  # fmt: skip
    assert all("refuses the password of app" in text and "canary" not in text for text in said)


def _refused(url: sa.URL) -> str:
    with pytest.raises(DatabaseError) as refused:
        backend_for(url).exists()
    return f"{refused.value} {refused.value.hint}"


def test_an_option_that_libpq_does_not_know_is_said_without_the_url() -> None:
    """A slip in the URL names the option."""
    said = _refused(sa.make_url("postgresql://app:canary@127.0.0.1:1/shop?sslmod=require"))
    assert "sslmod" in said
    assert "canary" not in said
