"""Keyed pseudonyms: the same value gives the same one under the same key, in every table.

HMAC-SHA-256 (RFC 2104) of the value. Texts get a token of it, of 5 bits a character; numbers
are permuted among those of as many digits by a Feistel network, so that different ones stay
different, whatever the type of the column is; dates move by a number of days that the HMAC of a
key decides.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

MARK = "x-"
"""Begins the token of a text or a name, so that a check knows it from a real one."""
_TOKEN = 16
_TOKEN_OF_NAME = 10
_ROUNDS = 6
_MOST = tuple(2**bits - 1 for bits in (7, 8, 15, 16, 23, 24, 31, 32, 63, 64))
_LEAST = tuple(2**bits for bits in (7, 15, 23, 31, 63))
"""The largest sizes of numbers above and below 0 that types of integers hold."""
_DOMAIN, _SHORT_DOMAIN = "@example.org", "@a.test"
"""Reserved for examples and tests: nobody gets mail there (RFC 2606)."""
GIVEN = ("Ada", "Bo", "Chi", "Dana", "Eli", "Finn", "Gale", "Hao",
          "Ira", "Juno", "Kim", "Lou", "Mika", "Noa", "Oda", "Pat")  # fmt: skip
FAMILY = ("Abel", "Berg", "Cole", "Diaz", "Endo", "Falk", "Gray", "Haas",
           "Ivey", "Jung", "Khan", "Lund", "Moss", "Nash", "Ozan", "Penn")  # fmt: skip


def _digest(key: bytes, how: str, text: str) -> bytes:
    return hmac.new(key, f"{how}\0{text}".encode(), hashlib.sha256).digest()


def _token(digest: bytes, characters: int) -> str:
    return base64.b32encode(digest).decode().lower()[:characters]


def of_text(key: bytes, how: str, text: str, room: int | None) -> str:
    """Return the pseudonym of an e-mail address, a name or any other text.

    Parameters
    ----------
    room : int or None
        Characters that it may have.
    """
    digest = _digest(key, how, text)
    if how == "email":
        if room is None or room >= _TOKEN + len(_DOMAIN):
            return _token(digest, _TOKEN) + _DOMAIN
        return _token(digest, min(_TOKEN, room - len(_SHORT_DOMAIN))) + _SHORT_DOMAIN
    if how == "name":
        given, family = GIVEN[digest[-1] % len(GIVEN)], FAMILY[digest[-2] % len(FAMILY)]
        made = f"{given} {family} {MARK}{_token(digest, _TOKEN_OF_NAME)}"
        if room is None or len(made) <= room:
            return made
    return MARK + _token(digest, min(_TOKEN, (room or _TOKEN + len(MARK)) - len(MARK)))


def of_bytes(key: bytes, text: str) -> bytes:
    """Return the pseudonym of a UUID: 16 bytes that say they are of version 8 (RFC 9562)."""
    digest = bytearray(_digest(key, "uuid", text)[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return bytes(digest)


def of_number(key: bytes, number: int) -> int:
    """Return a number of the same sign and as many digits; different ones stay different, 0 is 0.

    It is one that the same types of integers hold, so that it fits wherever the number does and
    is the same there.
    """
    size = abs(number)
    if not size:
        return 0
    digits = len(str(size))
    limits = _MOST if number > 0 else _LEAST
    first = max([10 ** (digits - 1), *(limit + 1 for limit in limits if limit < size)])
    last = min([10**digits - 1, *(limit for limit in limits if limit >= size)])
    moved = int(first + _permuted(key, size - first, last - first + 1, f"{first}:{last}"))
    return moved if number > 0 else -moved


def of_decimal(key: bytes, number: int, scale: int) -> int:
    """Return the pseudonym of `number` / 10**`scale`, times 10**`scale` again.

    It has as many digits before the point, and behind it up to the last one that is not 0, so
    that 1.5 and 1.50 are one value with one pseudonym.
    """
    zeros = 0
    while zeros < scale and not number % 10 and number:
        number, zeros = number // 10 if number > 0 else -(-number // 10), zeros + 1
    if zeros == scale or not number:
        return int(of_number(key, number) * 10**zeros)
    size = abs(number)
    digits = len(str(size))
    first = 9 * 10 ** (digits - 2) if digits > 1 else 0
    count = 9 * 10 ** (digits - 1) - first
    place = size // 10 * 9 + size % 10 - 1  # among those that do not end in 0
    moved = first + _permuted(key, place - first, count, f"{scale - zeros}:{first}:{count}")
    made = (moved // 9 * 10 + moved % 9 + 1) * 10**zeros
    return int(made if number > 0 else -made)


def _permuted(key: bytes, value: int, size: int, domain: str) -> int:
    """Return the place of a value in a permutation of `size` ones (cycle walking)."""
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    while True:
        left, right = value >> half, value & ((1 << half) - 1)
        for turn in range(_ROUNDS):
            digest = _digest(key, f"number{turn}", f"{domain}:{right}")
            left, right = right, left ^ (int.from_bytes(digest) & ((1 << half) - 1))
        value = left << half | right
        if value < size:
            return value


def days(key: bytes, text: str, most: int) -> int:
    """Return how many days the dates of a key move, forwards or back; never none."""
    number = int.from_bytes(_digest(key, "shift", text))
    far = 1 + (number >> 1) % most
    return far if number & 1 else -far
