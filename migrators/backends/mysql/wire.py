"""The protocol below the driver: results in bulk, and LOAD DATA LOCAL from memory.

PyMySQL makes a Python object of every cell (25 s for 2,000,000 rows of ten columns). Here the
packets of a result are read into one buffer, a short loop finds where rows begin (0.2 s a
million), and NumPy finds the cells of a whole column at once. What a row looks like:
dev.mysql.com, "MySQL Source Code Documentation", Text Resultset Row.

Of the driver's private parts `_execute_command`, `_read_packet` and `_rfile` are used; the
test suite runs with the oldest version that pyproject.toml allows, too.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pymysql import connections, err
from pymysql.constants import COMMAND, CR
from pymysql.protocol import FieldDescriptorPacket, LoadLocalPacketWrapper, OKPacketWrapper

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_ROWS = 65_536
"""Rows of a block at most."""
BLOCK_BYTES = 8 << 20
"""Bytes of a block, a row that is longer apart."""
_LONGEST_PACKET = 0xFFFFFF
_EOF, _ERR = 0xFE, 0xFF
_EOF_LENGTH = 9
"""An EOF packet is shorter than this; a row that begins with 0xFE is longer."""
_CHUNK = 1 << 20
_RECEIVED = 1 << 18
"""Bytes asked of the socket at once; a server sends 16 KB at a time."""
_header = struct.Struct("<I").unpack_from


@dataclass(frozen=True)
class Block:
    """Rows as they came: `data` holds them, row i from starts[i] to ends[i]."""

    data: np.ndarray[Any, np.dtype[np.uint8]]
    starts: np.ndarray[Any, np.dtype[np.int64]]
    ends: np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Taken:
    """What the server says after LOAD DATA."""

    rows: int
    warnings: int


class Connection(connections.Connection):  # type: ignore[misc]  # the driver has no types
    """A PyMySQL connection that reads results in bulk and sends rows from memory."""

    reading: Reader | None = None
    _plain: ClassVar[Any] = None
    _read_timeout: Any

    def _create_ssl_ctx(self, sslp: Any) -> Any:
        """Return one for all sessions without certificates: each takes 20 ms and more to make."""
        if sslp:
            return super()._create_ssl_ctx(sslp)
        if Connection._plain is None:
            Connection._plain = super()._create_ssl_ctx({})
        return Connection._plain

    def connect(self, sock: Any = None) -> None:
        """Connect as the driver does; what it waits for that is the server's greeting, too."""
        asked, self._read_timeout = self._read_timeout, self.connect_timeout
        try:
            super().connect(sock)
        except err.OperationalError as error:
            if not isinstance(error.__context__, TimeoutError):
                raise
            said = f"it does not answer within {self.connect_timeout} s"
            raise err.OperationalError(CR.CR_CONN_HOST_ERROR, said) from error
        finally:
            self._read_timeout = asked

    def end(self) -> None:
        """Close, also where a result is half read or the server is gone."""
        if self.reading is not None and not self.reading.ended:
            self._force_close()
        if self.open:
            with suppress(err.MySQLError, OSError):
                self.close()

    def stream(self, sql: str) -> Reader:
        """Send a query; return its result, which is to be read before the next one.

        Raises
        ------
        pymysql.err.MySQLError
        """
        if self.reading is not None and not self.reading.ended:
            raise RuntimeError("a result of this connection is not read to its end")
        self._execute_command(COMMAND.COM_QUERY, sql)
        self.reading = Reader(self)
        return self.reading

    def load(self, sql: str, name: str, chunks: Iterator[memoryview]) -> Taken:
        """Run LOAD DATA LOCAL, whose file is what `chunks` gives.

        Parameters
        ----------
        name : str
            The file's name in the statement: the server may ask for no other.

        Raises
        ------
        pymysql.err.MySQLError
            Also where the server asks for another file: nothing is sent then.
        """
        self._execute_command(COMMAND.COM_QUERY, sql)
        packet = self._read_packet()
        if not packet.is_load_local_packet():
            raise err.InternalError(CR.CR_MALFORMED_PACKET, "the server took no rows")
        asked = LoadLocalPacketWrapper(packet).filename
        if asked != name.encode():
            _refuse_to_send(self)
        for chunk in chunks:
            for at in range(0, len(chunk), _CHUNK):
                self.write_packet(bytes(chunk[at : at + _CHUNK]))
        self.write_packet(b"")
        done = OKPacketWrapper(self._read_packet())
        return Taken(done.affected_rows, done.warning_count)


def _refuse_to_send(connection: Connection) -> None:
    """Close the connection to a server that wants to read a file of this machine."""
    connection._force_close()  # noqa: SLF001
    raise err.OperationalError(CR.CR_UNKNOWN_ERROR, "the server asks for a file of this machine")


class Reader:
    """One result: `fields` describe its columns, `blocks` gives its rows once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._held = _Held(BLOCK_BYTES + (1 << 16))
        self.ended = False
        try:
            first = connection._read_packet()  # noqa: SLF001
            if first.is_load_local_packet():
                _refuse_to_send(connection)
            self.fields: list[Any] = []
            if first.is_ok_packet():
                self.ended = True
                return
            for _ in range(first.read_length_encoded_integer()):
                self.fields.append(connection._read_packet(FieldDescriptorPacket))  # noqa: SLF001
            connection._read_packet()  # noqa: SLF001  EOF
        except BaseException:
            self.ended = True
            raise

    def drain(self) -> None:
        """Read what is left of the result, and forget it."""
        for _ in self.blocks():
            pass

    def blocks(self) -> Iterator[Block]:
        """Yield the rows."""
        if self.ended:
            return
        held = self._held
        while not self.ended:
            self.ended = held.walk()
            if held.starts and (self.ended or held.is_full):
                yield held.taken()
            elif not self.ended:
                self._receive(held)
        if held.failure is not None:
            err.raise_mysql_exception(held.failure)

    def _receive(self, held: _Held) -> None:
        got = self._connection._rfile.read1(_RECEIVED)  # noqa: SLF001
        if not got:
            self.ended = True
            self._connection._force_close()  # noqa: SLF001
            raise err.OperationalError(CR.CR_SERVER_LOST, "the server closed the connection")
        held.append(got)


class _Held:
    """Bytes received, of which a part is rows already."""

    def __init__(self, capacity: int) -> None:
        self._buffer = bytearray(capacity)
        self._capacity = capacity
        self.filled = 0
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.failure: bytes | None = None
        self._at = 0
        self._joined = 0
        """Where a row of several packets ends so far; 0 where there is none."""

    @property
    def is_full(self) -> bool:
        return len(self.starts) >= MOST_ROWS or self._at >= BLOCK_BYTES

    def append(self, got: bytes) -> None:
        end = self.filled + len(got)
        if end > len(self._buffer):
            self._buffer.extend(bytes(max(len(self._buffer), len(got))))
        self._buffer[self.filled : end] = got
        self.filled = end

    def walk(self) -> bool:
        """Find the rows that are complete; True at the end of the result."""
        buffer, filled, at = self._buffer, self.filled, self._at
        starts, ends = self.starts, self.ends
        while filled - at > 4 and len(starts) < MOST_ROWS:  # noqa: PLR2004  a packet's header
            size = _header(buffer, at)[0] & _LONGEST_PACKET
            end = at + 4 + size
            if size == _LONGEST_PACKET or self._joined:
                end = self._join(at)
                filled = self.filled
                if not end:
                    break
            elif end > filled:
                break
            if buffer[at + 4] >= _EOF and (size < _EOF_LENGTH or buffer[at + 4] == _ERR):
                if buffer[at + 4] == _ERR:
                    self.failure = bytes(buffer[at + 4 : end])
                return True
            starts.append(at + 4)
            ends.append(end)
            at = self._at = end
        self._at = at
        return False

    def _join(self, at: int) -> int:
        """Close the gaps between a row's packets; return its end, or 0 while more is to come."""
        end = self._joined or at + 4 + _LONGEST_PACKET
        while self.filled >= end + 4:
            size = int.from_bytes(self._buffer[end : end + 3], "little")
            if self.filled < end + 4 + size:
                break
            self._buffer[end : self.filled - 4] = self._buffer[end + 4 : self.filled]
            self.filled -= 4
            end += size
            if size < _LONGEST_PACKET:
                self._joined = 0
                return end
        self._joined = end if self.filled >= end else 0
        return 0

    def taken(self) -> Block:
        """Return the rows found, and keep what comes after them."""
        data = np.frombuffer(bytes(memoryview(self._buffer)[: self._at]), np.uint8)
        block = Block(data, np.array(self.starts, np.int64), np.array(self.ends, np.int64))
        rest = bytes(memoryview(self._buffer)[self._at : self.filled])
        self._joined = max(0, self._joined - self._at)
        if len(self._buffer) > self._capacity and len(rest) < self._capacity:
            self._buffer = bytearray(self._capacity)
        self._buffer[: len(rest)] = rest
        self.filled, self._at = len(rest), 0
        self.starts, self.ends = [], []
        return block
