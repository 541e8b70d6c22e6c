"""A pooler before a MariaDB, of the tests' own: each command goes to the next of two sessions."""

from __future__ import annotations

import contextlib
import socket
import threading
from contextlib import contextmanager
from itertools import cycle
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 65_536
_HEADER = 4
"""Bytes before each packet: three of its length, one that counts from 0 with each command."""
_SESSIONS = 2


@contextmanager
def shared(host: str, port: int) -> Iterator[int]:
    """Give the port of a pooler; who connects there has an account without a password."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_serve, args=(listening, (host, port)), daemon=True)
        thread.start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _serve(listening: socket.socket, server: tuple[str, int]) -> None:
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_pooled, args=(client, server), daemon=True).start()


def _pooled(client: socket.socket, server: tuple[str, int]) -> None:
    """Log in to two sessions as the client does to one, then take turns."""
    with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
        stack.enter_context(client)
        servers = [stack.enter_context(socket.create_connection(server)) for _ in range(_SESSIONS)]
        greetings = [_packet(each) for each in servers]
        client.sendall(greetings[0])
        login = _packet(client)
        for each in servers:
            each.sendall(login)
        answer, *_ = [_packet(each) for each in servers]
        client.sendall(answer)
        for each in servers:
            threading.Thread(target=_answers, args=(each, client), daemon=True).start()
        turns = cycle(servers)
        while packet := _packet(client):
            if packet[_HEADER - 1] == 0:
                now = next(turns)
            now.sendall(packet)


def _answers(server: socket.socket, client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while block := server.recv(_BLOCK):
            client.sendall(block)


def _packet(side: socket.socket) -> bytes:
    """Return the next packet with its header; empty at the end."""
    header = _bytes(side, _HEADER)
    return header and header + _bytes(side, int.from_bytes(header[:3], "little"))


def _bytes(side: socket.socket, wanted: int) -> bytes:
    found = b""
    while len(found) < wanted:
        block = side.recv(wanted - len(found))
        if not block:
            return b""
        found += block
    return found
