"""A TCP proxy that behaves badly: it cuts a connection at some bytes, is slow, or slices them."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 65_536


@dataclass(frozen=True)
class Cut:
    """Where a connection is cut: once, at bytes that pass.

    Attributes
    ----------
    at : bytes
        What is waited for; empty for the first bytes of all.
    to_server : bool
        Whether it is said by the client, else by the server.
    answer_only : bool
        The bytes arrive, and the answer to them does not.
    time : int
        The first, second … that has them.
    """

    at: bytes = b""
    to_server: bool = True
    answer_only: bool = False
    time: int = 1


@dataclass
class Proxy:
    """Stands between a client and a server.

    Attributes
    ----------
    cut : Cut or None
    delay : float
        Seconds before each block is passed on.
    largest : int
        The bytes of a block, at most; of random length then.
    seen, done : int
        How often what is waited for has passed, and how often it was cut.
    """

    server: tuple[str, int]
    cut: Cut | None = None
    delay: float = 0.0
    largest: int = 0
    done: int = 0
    port: int = 0
    seen: int = 0
    _chance: random.Random = field(default_factory=lambda: random.Random(7))
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def serve(self, listening: socket.socket) -> None:
        """Take connections until the socket is closed."""
        while True:
            try:
                client, _ = listening.accept()
                server = socket.create_connection(self.server)
            except OSError:
                return
            pair = _Pair(self, client, server)
            for side in (True, False):
                threading.Thread(target=pair.pass_on, args=(side,), daemon=True).start()

    def fires(self, block: bytes, *, to_server: bool) -> bool:
        """Whether this is the block to cut at; it is, once."""
        cut = self.cut
        if cut is None or self.done or to_server != cut.to_server or cut.at not in block:
            return False
        with self._one_at_a_time:
            self.seen += 1
            if self.seen == cut.time:
                self.done += 1
                return True
        return False

    def sliced(self, block: bytes) -> Iterator[bytes]:
        """Return a block in pieces."""
        while self.largest and block:
            size = self._chance.randint(1, self.largest)
            yield block[:size]
            block = block[size:]
        if block:
            yield block


@dataclass
class _Pair:
    """A client and its server."""

    proxy: Proxy
    client: socket.socket
    server: socket.socket
    deaf: bool = False

    def pass_on(self, to_server: bool) -> None:  # noqa: FBT001  a thread's only argument
        """Pass on what comes from one side until either is closed."""
        here, there = (self.client, self.server)[:: 1 if to_server else -1]
        try:
            there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while block := here.recv(_BLOCK):
                if self.deaf and not to_server:
                    break
                if self.proxy.fires(block, to_server=to_server):
                    self.deaf = bool(self.proxy.cut and self.proxy.cut.answer_only)
                    if not self.deaf:
                        break
                for piece in self.proxy.sliced(block):
                    time.sleep(self.proxy.delay)
                    there.sendall(piece)
        except OSError:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Close both sides, so that the other thread ends, too."""
        for side in (self.client, self.server):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()


@contextmanager
def proxy(host: str, port: int) -> Iterator[Proxy]:
    """Give a proxy of a server, on a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        made = Proxy((host, port), port=listening.getsockname()[1])
        thread = threading.Thread(target=made.serve, args=(listening,), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(5)
