"""API keys: made once, shown once, stored as their digest.

A key is `rw_`, 12 characters of id, 32 of secret and 6 of checksum (CRC-32 of what stands before), all base62: what
was mistyped or cut off is refused without a look-up, and scanners recognise what leaked.
"""

import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass, field
from zlib import crc32

_PREFIX = "rw_"
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID, _SECRET, _CHECK = 12, 32, 6
_SHAPE = re.compile(rf"{_PREFIX}[0-9A-Za-z]{{{_ID + _SECRET + _CHECK}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A fresh key: its id, its text, and the digest to store."""

    id: str
    text: str = field(repr=False)
    digest: bytes = field(repr=False)


def new_key() -> NewKey:
    """Make a key from 190 random bits."""
    body = _PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_ID + _SECRET))
    text = body + _checksum(body)
    return NewKey(body[len(_PREFIX) : len(_PREFIX) + _ID], text, digest(text))


def key_id(text: str) -> str | None:
    """The id that a key begins with; None where it is no key of ours."""
    if not _SHAPE.fullmatch(text) or _checksum(text[:-_CHECK]) != text[-_CHECK:]:
        return None
    return text[len(_PREFIX) : len(_PREFIX) + _ID]


def digest(text: str) -> bytes:
    """What is stored of a key. Nothing slower is needed for 190 random bits."""
    return hashlib.sha256(text.encode()).digest()


def matches(text: str, stored: bytes) -> bool:
    """Whether this key has that digest, told in constant time."""
    return hmac.compare_digest(digest(text), stored)


def _checksum(body: str) -> str:
    number, text = crc32(body.encode()), ""
    for _ in range(_CHECK):
        number, rest = divmod(number, len(_ALPHABET))
        text = _ALPHABET[rest] + text
    return text
